//! What services tell of recordings that they made. System only.

use bytes::Bytes;

use crate::model::call::RoomBits;
use crate::model::id::{AttachmentId, CallId};
use crate::model::timestamp::Timestamp;
use crate::store::service_recordings::Waiting;

/// Asks whether the recording of a room may be stored.
#[derive(Debug)]
pub struct AdmitRecording {
    pub room: RoomBits,
    /// Its id at the service.
    pub service_id: String,
}

/// Whether a recording may be stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// Everybody agreed: it may come into this file.
    Take(CallId, AttachmentId),
    /// It was stored before, or has been deleted since.
    Known,
    /// Nobody had agreed: it is to be deleted where it lies.
    Refused,
    /// The call has another recording already.
    Other,
    /// No call has such a room.
    Nowhere,
}

/// Stores the next bytes of a recording that a service made.
#[derive(Debug)]
pub struct AppendRecording {
    pub call_id: CallId,
    pub attachment_id: AttachmentId,
    /// How many have come before.
    pub offset: u64,
    pub data: Bytes,
}

/// All of it is there.
#[derive(Debug)]
pub struct CompleteRecording {
    pub call_id: CallId,
    pub attachment_id: AttachmentId,
    /// Of all its bytes.
    pub sha256: [u8; 32],
}

/// The rest of it will not come.
#[derive(Debug)]
pub struct DropRecording {
    pub call_id: CallId,
    pub attachment_id: AttachmentId,
}

/// Notes a recording that waits to be fetched; told once.
#[derive(Debug)]
pub struct AwaitRecording {
    pub waiting: Waiting,
}

/// Notes when a recording that waits is tried again; for `None` that it is over.
#[derive(Debug)]
pub struct PostponeRecording {
    pub event_id: String,
    pub at: Option<Timestamp>,
}
