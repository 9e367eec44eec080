//! What an event that asked for it is acknowledged with, and how a refusal is shown on a socket.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::auth::actor::Caller;
use crate::chat::contract::error::{Detail, Error};
use crate::chat::contract::reply::{MessageSent, ReadMarkMoved};
use crate::chat::conversations::history::{Changes, Page};
use crate::chat::conversations::search::Found;
use crate::gateway::calls::Direct;
use crate::model::call::{Call, JitsiSeat};
use crate::model::conversation::Conversation;
use crate::model::id::{MessageId, UserId};
use crate::model::locale::Locale;
use crate::model::message::{Hit, Message, Reaction, ReadMark, Shared};
use crate::model::timestamp::Timestamp;

/// What stands in an ack beside `success: true`.
#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum Answer {
    /// Nothing.
    Done {},
    /// Of `conversation:join`.
    Joined {
        /// For people.
        message: String,
        /// As the caller sees it.
        conversation: Box<Conversation>,
        /// The latest, oldest first.
        messages: Vec<Message>,
        /// Whether there are earlier ones.
        has_more: bool,
        /// Members with a live socket.
        online_users: Vec<UserId>,
        /// What the revs belong to.
        history: Arc<str>,
        /// The call that goes on there.
        call: Option<Box<Call>>,
    },
    /// Of `conversation:leave`.
    Left {
        /// For people.
        message: String,
    },
    /// Of `conversation:users:online`.
    Online {
        /// Members with a live socket.
        online_users: Vec<UserId>,
    },
    /// Of `conversation:history`.
    History {
        /// Oldest first.
        messages: Vec<Message>,
        /// Whether there are earlier ones.
        has_more_before: bool,
        /// Whether there are later ones.
        has_more_after: bool,
    },
    /// Of `conversation:sync`.
    Changes {
        /// By rev.
        messages: Vec<Message>,
        /// The rev to ask from next time.
        rev: i64,
        /// Whether there are more.
        has_more: bool,
        /// How far each member has read.
        reads: Vec<ReadMark>,
        /// What the revs belong to.
        history: Arc<str>,
    },
    /// Of `message:send`.
    Sent {
        /// As its sender sees it.
        message: Arc<Shared>,
        /// Whether it had been stored before.
        duplicate: bool,
    },
    /// Of `message:edit` and `message:delete`.
    Changed {
        /// As its author sees it.
        message: Arc<Shared>,
    },
    /// Of `message:react`.
    Reacted {
        /// All that are there now.
        reactions: Vec<Reaction>,
    },
    /// Of `message:read`.
    Read {
        /// Where the caller's mark stands.
        last_read_message_id: MessageId,
        /// What is left.
        unread_count: i64,
    },
    /// Of `conversation:unread`.
    Shown {
        /// As the caller sees it.
        conversation: Arc<Conversation>,
    },
    /// Of `message:search`.
    Found {
        /// Newest first.
        results: Vec<Hit>,
        /// Where the next page begins.
        next_cursor: Option<String>,
    },
    /// Of `call:start`, `call:decline`, `call:leave` and `call:end`.
    Called {
        /// As it is now.
        call: Arc<Call>,
    },
    /// Of `call:join`.
    Seated {
        /// As it is now.
        call: Arc<Call>,
        /// What the browser needs to reach the others.
        #[serde(skip_serializing_if = "Option::is_none")]
        direct: Option<Direct>,
        /// The way into the room, where calls go through Jitsi.
        #[serde(skip_serializing_if = "Option::is_none")]
        jitsi: Option<Box<JitsiSeat>>,
    },
    /// Of `call:signal`.
    Signalled {
        /// Whether there is a socket in that seat.
        delivered: bool,
    },
    /// Of `auth:refresh`.
    Refreshed {
        /// Until when the socket may stay.
        expires_at: Timestamp,
        /// Who it belongs to from now on.
        #[serde(skip)]
        caller: Caller,
    },
}

impl From<MessageSent> for Answer {
    fn from(sent: MessageSent) -> Self {
        Self::Sent { message: sent.message, duplicate: sent.duplicate }
    }
}

impl From<Arc<Shared>> for Answer {
    fn from(message: Arc<Shared>) -> Self {
        Self::Changed { message }
    }
}

impl From<Arc<Call>> for Answer {
    fn from(call: Arc<Call>) -> Self {
        Self::Called { call }
    }
}

impl From<Vec<Reaction>> for Answer {
    fn from(reactions: Vec<Reaction>) -> Self {
        Self::Reacted { reactions }
    }
}

impl From<ReadMarkMoved> for Answer {
    fn from(moved: ReadMarkMoved) -> Self {
        let ReadMarkMoved { last_read_message_id, unread_count, .. } = moved;
        Self::Read { last_read_message_id, unread_count }
    }
}

impl From<Arc<Conversation>> for Answer {
    fn from(conversation: Arc<Conversation>) -> Self {
        Self::Shown { conversation }
    }
}

impl From<Page> for Answer {
    fn from(page: Page) -> Self {
        let Page { messages, has_more_before, has_more_after } = page;
        Self::History { messages, has_more_before, has_more_after }
    }
}

impl From<Changes> for Answer {
    fn from(changes: Changes) -> Self {
        let Changes { messages, rev, has_more, reads, history } = changes;
        Self::Changes { messages, rev, has_more, reads, history }
    }
}

impl From<Found> for Answer {
    fn from(found: Found) -> Self {
        Self::Found { results: found.results, next_cursor: found.next_cursor }
    }
}

/// An ack of what was done.
#[derive(Serialize)]
pub struct Success<'a> {
    success: bool,
    #[serde(flatten)]
    answer: &'a Answer,
}

impl<'a> Success<'a> {
    /// Shows an answer.
    pub fn new(answer: &'a Answer) -> Self {
        Self { success: true, answer }
    }
}

/// An ack of what was refused.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal<'a> {
    success: bool,
    code: &'static str,
    error: Cow<'static, str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Detail<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    /// What would be right, under the name of its field.
    #[serde(flatten)]
    right: BTreeMap<&'a str, &'a Value>,
}

impl<'a> Refusal<'a> {
    /// Shows an error to a person who reads this language.
    pub fn new(error: &'a Error, locale: Locale) -> Self {
        Self {
            success: false,
            code: error.code().as_str(),
            error: error.text(locale),
            details: error.shown_details(locale).collect(),
            retry_after: error.retry_after_s(),
            reference: error.reference.as_deref(),
            right: error.right(),
        }
    }
}

/// What an event that asked for no ack and was refused is answered by: the event `exception`.
#[derive(Serialize)]
pub struct Exception<'a> {
    status: &'static str,
    message: Cow<'static, str>,
    code: &'static str,
    event: &'a str,
}

impl<'a> Exception<'a> {
    /// Shows an error of this event to a person who reads this language.
    pub fn new(event: &'a str, error: &Error, locale: Locale) -> Self {
        Self { status: "error", message: error.text(locale), code: error.code().as_str(), event }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat::contract::error::Reason;
    use crate::model::locale::Text;

    #[test]
    fn an_answer_stands_beside_success() {
        let shown = |answer: Answer| serde_json::to_value(Success::new(&answer)).unwrap();
        assert_eq!(shown(Answer::Done {}), json!({"success": true}));
        let found = Answer::Found { results: Vec::new(), next_cursor: None };
        assert_eq!(shown(found), json!({"success": true, "results": [], "nextCursor": null}));
    }

    #[test]
    fn a_refusal_says_its_code_and_what_is_wrong_in_the_readers_language() {
        let error = Error::invalid("content", Text::new("est requis", "is required"));
        assert_eq!(
            serde_json::to_value(Refusal::new(&error, Locale::English)).unwrap(),
            json!({
                "success": false, "code": "INVALID", "error": "The request is not valid.",
                "details": [{"field": "content", "message": "is required"}],
            })
        );
        let error = Error::from(Reason::NotFound);
        assert_eq!(
            serde_json::to_value(Exception::new("message:send", &error, Locale::French)).unwrap(),
            json!({"status": "error", "message": "Introuvable.", "code": "NOT_FOUND", "event": "message:send"})
        );
    }
}
