//! Recordings of calls: who was asked, who agreed, and what became of it.
//!
//! ```text
//! off ──▶ asked ──▶ on ──▶ stored ──▶ deleted
//!           └─▶ refused ◀──┘   refused may be asked again; on goes back to asked for who joins
//! ```

use std::time::Duration;

use serde::Serialize;

use crate::model::id::{AttachmentId, CallId, UserId};
use crate::model::timestamp::Timestamp;

/// Bytes of one part that is uploaded, at most.
pub const PART_BYTES_MAX: usize = 4 << 20;

/// What a browser is to record at, for sound and pictures together.
pub const BITS_PER_SECOND: u32 = 1_200_000;

/// The room in front of a recording that is arriving, for a longer head than it came with.
pub const HEAD_ROOM_BYTES: u64 = 1024;

/// The wording of the question that pages ask now; it is kept with each answer. A page that asks something else than
/// another one has another number.
pub const WORDING: i64 = 1;

/// What the operator decided about recordings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
    /// Who records.
    pub by: Recorder,
    /// Bytes of one recording.
    pub bytes_max: u64,
    /// Bytes of all recordings.
    pub total_bytes_max: u64,
    /// How long one is kept.
    pub keep: Duration,
}

impl Rules {
    /// The days that it is kept, as the question says.
    #[must_use]
    pub const fn keep_days(&self) -> u64 {
        self.keep.as_secs() / 86_400
    }
}

/// Who records.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Recorder {
    /// The juriste's page, which uploads what it records.
    Browser,
    /// Jibri or 8x8: the file comes by itself.
    Service,
}

/// What is recorded of a call, and who agreed to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    pub state: RecordingState,
    /// Who asked last, and when.
    pub asked_by: Option<UserId>,
    pub asked_at: Option<Timestamp>,
    /// The latest answer of each to the last question.
    pub consents: Vec<Consent>,
    /// The file, once it is whole.
    pub attachment_id: Option<AttachmentId>,
    /// When it deletes itself.
    pub kept_until: Option<Timestamp>,
    /// Who deleted it; nobody where its time was over.
    pub deleted_by: Option<UserId>,
    pub deleted_at: Option<Timestamp>,
}

impl Default for Recording {
    fn default() -> Self {
        Self {
            state: RecordingState::Off,
            asked_by: None,
            asked_at: None,
            consents: Vec::new(),
            attachment_id: None,
            kept_until: None,
            deleted_by: None,
            deleted_at: None,
        }
    }
}

impl Recording {
    /// What somebody answered to the last question.
    #[must_use]
    pub fn answer_of(&self, user_id: UserId) -> Option<bool> {
        self.consents.iter().find(|one| one.user_id == user_id).map(|one| one.answer)
    }
}

/// What somebody answered to being recorded.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Consent {
    pub user_id: UserId,
    pub answer: bool,
    pub at: Timestamp,
}

/// How far recording is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordingState {
    /// Nothing was ever asked, or nothing came of it.
    Off,
    /// Somebody who is there has not answered.
    Asked,
    /// Everybody agreed.
    On,
    /// It has ended and is kept.
    Stored,
    /// Somebody said no, or nothing.
    Refused,
    /// It was kept and is gone.
    Deleted,
}

impl RecordingState {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Off, "off"),
        (Self::Asked, "asked"),
        (Self::On, "on"),
        (Self::Stored, "stored"),
        (Self::Refused, "refused"),
        (Self::Deleted, "deleted"),
    ];

    /// The word on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("off", |(_, word)| word)
    }

    /// The one with this word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(state, _)| *state)
    }
}

impl Serialize for RecordingState {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// How far the uploading of a recording is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The number of the part that is to come.
    pub next_part: u32,
    /// Bytes that have come.
    pub bytes: u64,
    /// Bytes that may.
    pub bytes_max: u64,
    /// Whether nine tenths of a limit are used up.
    pub is_nearly_full: bool,
}

/// A recording that has ended and is to be made a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unsealed {
    pub call_id: CallId,
    pub attachment_id: AttachmentId,
    /// Bytes that have come, the room in front of them included.
    pub size: u64,
}
