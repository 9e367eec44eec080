//! What can be asked to change in calls.

use bytes::Bytes;

use crate::model::call::Media;
use crate::model::id::{CallId, ConversationId};

/// Calls the other members of a conversation. By the callee of a call that rings it is an answer; where a call is live
/// already it gives that one.
#[derive(Debug)]
pub struct StartCall {
    pub conversation_id: ConversationId,
    pub media: Media,
}

/// Takes a seat in a live call; the callee's first one answers it.
#[derive(Debug)]
pub struct JoinCall {
    pub call_id: CallId,
    /// The window or device that will sit there: a random name that it chose. `None` for one without a socket, which a
    /// direct call has no way to.
    pub seat: Option<String>,
    /// Whether a seat that the same person has elsewhere is given up for it.
    pub take_over: bool,
}

/// Declines a call that rings for the caller.
#[derive(Debug)]
pub struct DeclineCall {
    pub call_id: CallId,
}

/// Calls off, declines or hangs up, whichever it is by now. One that is over stays as it is.
#[derive(Debug)]
pub struct LeaveCall {
    pub call_id: CallId,
}

/// Asks whether a call may be recorded, agrees, or says no.
#[derive(Debug)]
pub struct RecordCall {
    pub call_id: CallId,
    pub wish: Wish,
}

/// What somebody says about being recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Wish {
    /// Asks everybody who is there; it is the asker's own yes as well.
    #[default]
    Ask,
    /// Agrees to the question of this wording; the present one where none is named.
    Agree { wording: Option<i64> },
    /// Refuses, or stops it; whether what was recorded before is kept.
    Refuse { keep: bool },
}

/// Stores the next part of what is being recorded.
#[derive(Debug)]
pub struct StorePart {
    pub call_id: CallId,
    /// 0, 1, 2 …
    pub number: u32,
    /// WebM, as the recorder's browser made it.
    pub data: Bytes,
    /// Of these bytes.
    pub sha256: [u8; 32],
}

/// Ends a recording; what has come is kept.
#[derive(Debug)]
pub struct FinishRecording {
    pub call_id: CallId,
}

/// Deletes the recording of a call.
#[derive(Debug)]
pub struct DeleteRecording {
    pub call_id: CallId,
}

/// Makes what has come of a recording a file that seeks. System only.
#[derive(Debug)]
pub struct SealRecording {
    pub call_id: CallId,
    /// How; `None` where nothing in it can be played.
    pub sealed: Option<Sealed>,
}

/// What a recording becomes.
#[derive(Debug)]
pub struct Sealed {
    /// What stands at its beginning in place of what stands there.
    pub head: Vec<u8>,
    /// Bytes that stay of what has come.
    pub body_end: u64,
    /// What follows them.
    pub tail: Vec<u8>,
    /// Of all the bytes then.
    pub sha256: [u8; 32],
    /// Pixels, where there are pictures.
    pub dimensions: Option<(u32, u32)>,
}
