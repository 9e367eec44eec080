//! Conversations: one client, one juriste.

use serde::Serialize;

use crate::model::id::{ConversationId, MessageId, UserId};
use crate::model::message_kind::Kind;
use crate::model::timestamp::Timestamp;
use crate::model::user::Person;

/// The two people of a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Members {
    /// The one who is advised.
    pub client_id: UserId,
    /// The one who advises.
    pub lawyer_id: UserId,
}

impl Members {
    /// Whether this person is one of the two.
    #[must_use]
    pub fn contains(self, user_id: UserId) -> bool {
        user_id == self.client_id || user_id == self.lawyer_id
    }

    /// The other one, seen from a member.
    #[must_use]
    pub fn peer_of(self, user_id: UserId) -> UserId {
        if user_id == self.client_id { self.lawyer_id } else { self.client_id }
    }

    /// Both.
    #[must_use]
    pub fn both(self) -> [UserId; 2] {
        [self.client_id, self.lawyer_id]
    }
}

/// A conversation as one of its members sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    /// Which conversation.
    pub id: ConversationId,
    /// The one who is advised.
    pub client_id: UserId,
    /// The one who advises.
    pub lawyer_id: UserId,
    /// The one who is advised.
    pub client: Person,
    /// The one who advises.
    pub lawyer: Person,
    /// The latest message.
    pub last_message_id: Option<MessageId>,
    /// When it was sent.
    pub last_message_at: Option<Timestamp>,
    /// The beginning of its text; empty when it was deleted or only carries files.
    pub last_message_text: Option<String>,
    /// Who sent it.
    pub last_message_sender_id: Option<UserId>,
    /// How many files and addresses go with it.
    pub last_message_file_count: i64,
    /// What it is, with its state; left out where it is a text. What becomes of a call reads differently for each member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message_entry: Option<Kind>,
    /// Messages that the client has not read.
    pub unread_count_client: i64,
    /// Messages that the juriste has not read.
    pub unread_count_lawyer: i64,
    /// Messages that the caller has not read.
    pub unread_count: i64,
    /// How far the caller has read.
    pub last_read_message_id: Option<MessageId>,
    /// How far the other party has read.
    pub peer_last_read_message_id: Option<MessageId>,
    /// The number of the latest change.
    pub rev: i64,
    /// Whether both people still have a working account.
    pub is_active: bool,
    /// Until when the caller wants no notice of it.
    pub muted_until: Option<Timestamp>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When anything of it last changed.
    pub updated_at: Timestamp,
}
