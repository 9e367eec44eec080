//! A conversation as a paper for the file: whose it is, of which time, and all that was said, with what it said before.

use serde::Serialize;

use crate::model::id::{ConversationId, UserId};
use crate::model::locale::Locale;
use crate::model::message::{Message, Revision};
use crate::model::timestamp::Timestamp;
use crate::model::user::Role;
use crate::model::zone::Zone;

/// What stands above a transcript. The same state of a conversation gives the same head, whoever is online.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// Which conversation.
    pub id: ConversationId,
    /// Who takes part.
    pub members: Vec<Participant>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// The number of the latest change that there was when the transcript began.
    pub rev: i64,
    /// When that change was made.
    pub updated_at: Timestamp,
}

/// Somebody who takes part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// Who.
    pub id: UserId,
    /// Their full name.
    pub name: String,
    /// What they are to the practice.
    pub role: Role,
}

/// A message with the texts that it had before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Said {
    /// The message.
    #[serde(flatten)]
    pub message: Message,
    /// The oldest first.
    pub revisions: Vec<Revision>,
}

/// Which messages: those sent from the first moment to the last, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Period {
    /// The first moment; the conversation's beginning where there is none.
    pub from: Option<Timestamp>,
    /// The last moment; its end where there is none.
    pub to: Option<Timestamp>,
}

impl Period {
    /// Whether a moment lies in it.
    #[must_use]
    pub fn contains(self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at <= to)
    }
}

/// How a transcript is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Writing {
    /// In which language.
    pub locale: Locale,
    /// By which clock.
    pub zone: Zone,
    /// Of which messages.
    pub period: Period,
}
