//! Messages, and what is said about them.

use std::ops::Deref;
use std::sync::OnceLock;

use serde::ser::Error;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::model::attachment::FileRef;
use crate::model::id::{ConversationId, MessageId, UserId};
use crate::model::timestamp::Timestamp;

/// One message as a member of its conversation sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Which message. Within a conversation ids rise in the order of sending.
    pub id: MessageId,
    /// Where it was said.
    pub conversation_id: ConversationId,
    /// Who said it.
    pub sender_id: UserId,
    /// What was said; empty once deleted, and where only files speak.
    pub content: String,
    /// Addresses: those that the sender gave, then those of the stored files; `None` when there are none.
    pub attachments: Option<Vec<String>>,
    /// The stored files, in the order in which the sender named them.
    pub files: Vec<FileRef>,
    /// The message of the same conversation that this one answers.
    pub reply_to_id: Option<MessageId>,
    /// In order of first use.
    pub reactions: Vec<Reaction>,
    /// Whether the other party's read mark has reached it.
    pub is_read: bool,
    /// When it did.
    pub read_at: Option<Timestamp>,
    /// Whether only the tombstone is left.
    pub is_deleted: bool,
    /// Since when.
    pub deleted_at: Option<Timestamp>,
    /// When the text last changed.
    pub edited_at: Option<Timestamp>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// The sender's own id for it; told to the sender only.
    pub client_message_id: Option<String>,
    /// The number of its latest change among the changes of its conversation.
    pub rev: i64,
}

/// A message that is shown several times: as an event, as the answer to its author. Its JSON is written once.
#[derive(Debug)]
pub struct Shared {
    message: Message,
    json: OnceLock<Box<RawValue>>,
}

impl From<Message> for Shared {
    fn from(message: Message) -> Self {
        Self { message, json: OnceLock::new() }
    }
}

impl Deref for Shared {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.message
    }
}

impl Serialize for Shared {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = match self.json.get() {
            Some(json) => json,
            None => {
                let json = serde_json::value::to_raw_value(&self.message).map_err(S::Error::custom)?;
                self.json.get_or_init(|| json)
            }
        };
        json.serialize(serializer)
    }
}

/// One emoji under a message, and who chose it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reaction {
    /// One grapheme.
    pub emoji: String,
    /// Who, the first first.
    pub user_ids: Vec<UserId>,
}

/// A text that a message had before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Revision {
    /// The text.
    pub content: String,
    /// Since when it was the message's text.
    pub at: Timestamp,
}

/// How far somebody has read a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadMark {
    /// Who.
    pub user_id: UserId,
    /// The last message that they have read.
    pub message_id: MessageId,
    /// When they read it.
    pub at: Timestamp,
}

/// A message that a search found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hit {
    /// The message.
    pub message: Message,
    /// A part of its text, with what was found between `⟦` and `⟧`.
    pub snippet: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_message_looks_like_the_message_each_time() {
        let message = Message {
            id: MessageId::new(1).unwrap(),
            conversation_id: ConversationId::new(2).unwrap(),
            sender_id: UserId::new(3).unwrap(),
            content: "« Bonjour » \" \\ \u{7}".to_owned(),
            attachments: None,
            files: Vec::new(),
            reply_to_id: None,
            reactions: vec![Reaction { emoji: "👍".to_owned(), user_ids: vec![UserId::new(3).unwrap()] }],
            is_read: false,
            read_at: None,
            is_deleted: false,
            deleted_at: None,
            edited_at: None,
            created_at: Timestamp::from_millis(1),
            client_message_id: Some("x".to_owned()),
            rev: 4,
        };
        let expected = serde_json::to_string(&message).unwrap();
        let shared = Shared::from(message);
        for _ in 0..2 {
            assert_eq!(serde_json::to_string(&shared).unwrap(), expected);
        }
    }
}
