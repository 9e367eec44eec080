//! Messages, and what is said about them.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::OnceLock;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::model::attachment::FileRef;
use crate::model::id::{ConversationId, MessageId, UserId};
use crate::model::message_kind::Kind;
use crate::model::timestamp::Timestamp;

/// One message as a member of its conversation sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Which message. Within a conversation ids rise in the order of sending.
    pub id: MessageId,
    /// Where it was said.
    pub conversation_id: ConversationId,
    /// `kind`, `call` and `invoice`.
    #[serde(flatten)]
    pub kind: Kind,
    /// Who said it; who started the call or issued the invoice.
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
    /// The sender's own id for it; shown to the sender only. This and the next one are the last fields: see [`Shared`].
    pub client_message_id: Option<String>,
    /// The number of its latest change among the changes of its conversation.
    pub rev: i64,
}

impl Message {
    /// A message of text alone as it was just sent: unread and unchanged.
    #[must_use]
    pub fn sent(
        id: MessageId,
        conversation_id: ConversationId,
        sender_id: UserId,
        rev: i64,
        content: String,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            conversation_id,
            kind: Kind::Text,
            sender_id,
            content,
            attachments: None,
            files: Vec::new(),
            reply_to_id: None,
            reactions: Vec::new(),
            is_read: false,
            read_at: None,
            is_deleted: false,
            deleted_at: None,
            edited_at: None,
            created_at,
            client_message_id: None,
            rev,
        }
    }
}

/// A message that is shown several times: to its sender as an event and as the answer, to the others as an event. Its JSON
/// is written once; that of the others differs by its end alone, as the sender's own id is not for them.
#[derive(Debug)]
pub struct Shared {
    message: Message,
    json: OnceLock<Box<RawValue>>,
}

impl Shared {
    /// The JSON of the message for this viewer.
    #[must_use]
    pub fn json_for(&self, viewer: UserId) -> Cow<'_, str> {
        let json = self.json().get();
        match &self.client_message_id {
            Some(client_id) if viewer != self.sender_id => {
                let client_id = serde_json::to_string(client_id).expect("a text serialises");
                let same = json.strip_suffix(&self.end(&client_id)).expect("a message ends with these two fields");
                Cow::Owned([same, &self.end("null")].concat())
            }
            _ => Cow::Borrowed(json),
        }
    }

    fn end(&self, client_id: &str) -> String {
        format!(r#""clientMessageId":{client_id},"rev":{}}}"#, self.rev)
    }

    fn json(&self) -> &RawValue {
        self.json.get_or_init(|| serde_json::value::to_raw_value(&self.message).expect("plain data serialises"))
    }
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

/// As its sender sees it.
impl Serialize for Shared {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json().serialize(serializer)
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

    fn message(client_message_id: Option<&str>) -> Message {
        Message {
            reactions: vec![Reaction { emoji: "👍".to_owned(), user_ids: vec![UserId::new(3).unwrap()] }],
            client_message_id: client_message_id.map(str::to_owned),
            ..Message::sent(
                MessageId::new(1).unwrap(),
                ConversationId::new(2).unwrap(),
                UserId::new(3).unwrap(),
                4,
                "« Bonjour » \" \\ \u{7} \",\"clientMessageId\":\"x\",\"rev\":4}".to_owned(),
                Timestamp::from_millis(1),
            )
        }
    }

    #[test]
    fn a_shared_message_looks_like_the_message_each_time() {
        let message = message(Some("x"));
        let expected = serde_json::to_string(&message).unwrap();
        let shared = Shared::from(message);
        for _ in 0..2 {
            assert_eq!(serde_json::to_string(&shared).unwrap(), expected);
        }
    }

    #[test]
    fn only_the_sender_sees_the_senders_own_id() {
        let others = serde_json::to_string(&message(None)).unwrap();
        for client_id in [None, Some("mine"), Some("é\"\\\u{1}"), Some("null"), Some("\"rev\":4}")] {
            let message = message(client_id);
            let own = serde_json::to_string(&message).unwrap();
            let shared = Shared::from(message);
            for (viewer, expected) in [(3, &own), (5, &others), (3, &own)] {
                assert_eq!(&shared.json_for(UserId::new(viewer).unwrap()), expected, "{client_id:?} for {viewer}");
            }
        }
    }
}
