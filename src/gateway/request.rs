//! What a socket asks, read into a command or a question: each event of `chat/contract/catalogue` by its name.

use bytes::Bytes;
use serde_json::Value;

use crate::chat::contract::command::calls::{DeclineCall, JoinCall, LeaveCall, RecordCall, StartCall};
use crate::chat::contract::command::conversations::{
    DeleteMessage, EditMessage, MarkUnread, ReactToMessage, ReadMessage, SendMessage,
};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::json;
use crate::chat::contract::question::Cursor;
use crate::chat::contract::question::Search;
use crate::gateway::calls::{SIGNAL_BYTES_MAX, Signal};
use crate::model::call::SEAT_CHARS_MAX;
use crate::model::fields::{Fault, Fields};
use crate::model::id::{ConversationId, INTEGER_MAX};
use crate::model::locale::Text;
use crate::socketio::args::{Args, Placeholder};

/// What an event asks.
#[derive(Debug)]
pub enum Request {
    /// To be carried out and committed.
    Change(Change),
    /// To be answered.
    Question(Question),
    /// To be passed on to another seat of a call.
    Signal(Signal),
}

/// A change that an event asks for.
#[derive(Debug)]
pub enum Change {
    Send(SendMessage),
    Edit(EditMessage),
    Delete(DeleteMessage),
    React(ReactToMessage),
    Read(ReadMessage),
    MarkUnread(MarkUnread),
    StartCall(StartCall),
    DeclineCall(DeclineCall),
    LeaveCall(LeaveCall),
    RecordCall(RecordCall),
}

/// What an event asks without changing the database.
#[derive(Debug)]
pub enum Question {
    /// To receive what members see of it, and to see the latest of it.
    Join(ConversationId),
    /// To receive no more of it.
    Leave(ConversationId),
    /// Who of it is connected.
    Online(ConversationId),
    /// A page of it.
    History(ConversationId, Cursor, i64),
    /// What changed in it after a rev, of the history with this name.
    Sync(ConversationId, i64, Option<String>),
    /// To show the other members that one writes, or no longer does.
    Typing(ConversationId, bool),
    /// Messages.
    Search(Search),
    /// To sit in a call; that is carried out and committed, and answered with what the browser needs.
    JoinCall(JoinCall),
    /// To stay, by a newer token.
    Refresh(String),
    /// To be told that somebody looks at the page, or no longer does.
    Attention(bool),
}

impl Request {
    /// Reads an event: its name and its first argument.
    ///
    /// # Errors
    /// `INVALID`: there is no such event, or a field of it is wrong.
    pub fn read(event: &str, args: &Args) -> Result<Self, Error> {
        let reader: fn(&mut Fields, &Args) -> Self = match event {
            "conversation:join" => |fields, _| Question::Join(fields.id("conversationId")).into(),
            "conversation:leave" => |fields, _| Question::Leave(fields.id("conversationId")).into(),
            "conversation:users:online" => |fields, _| Question::Online(fields.id("conversationId")).into(),
            "conversation:history" => |fields, _| {
                let conversation_id = fields.id("conversationId");
                let (cursor, limit) = json::page(fields);
                Question::History(conversation_id, cursor, limit).into()
            },
            "conversation:sync" => |fields, _| {
                let conversation_id = fields.id("conversationId");
                let rev = fields.integer("rev", 0..=INTEGER_MAX);
                Question::Sync(conversation_id, rev, fields.optional_text("history", 1..=64)).into()
            },
            "conversation:unread" => |fields, _| Change::MarkUnread(json::mark_unread(fields, None)).into(),
            "message:send" => {
                |fields, args| Change::Send(json::send_message(fields, |data| bytes_of(data, args))).into()
            }
            "message:edit" => |fields, _| Change::Edit(json::edit_message(fields, None)).into(),
            "message:delete" => |fields, _| Change::Delete(DeleteMessage { message_id: fields.id("messageId") }).into(),
            "message:react" => |fields, _| Change::React(json::react_to_message(fields)).into(),
            "message:read" => |fields, _| Change::Read(ReadMessage { message_id: fields.id("messageId") }).into(),
            "message:typing" => {
                |fields, _| Question::Typing(fields.id("conversationId"), fields.boolean("isTyping")).into()
            }
            "message:search" => |fields, _| Question::Search(json::search(fields, "query")).into(),
            "call:start" => |fields, _| {
                let conversation_id = fields.id("conversationId");
                Change::StartCall(StartCall { conversation_id, media: json::media(fields) }).into()
            },
            "call:join" => |fields, _| {
                let (call_id, seat) = (fields.id("callId"), fields.text("seat", 1..=SEAT_CHARS_MAX));
                let take_over = fields.optional_boolean("takeOver").unwrap_or(false);
                Question::JoinCall(JoinCall { call_id, seat: Some(seat), take_over }).into()
            },
            "call:decline" => |fields, _| Change::DeclineCall(DeclineCall { call_id: fields.id("callId") }).into(),
            "call:leave" | "call:end" => {
                |fields, _| Change::LeaveCall(LeaveCall { call_id: fields.id("callId") }).into()
            }
            "call:recording" => |fields, _| {
                let (call_id, wish) = (fields.id("callId"), json::wish(fields));
                Change::RecordCall(RecordCall { call_id, wish }).into()
            },
            "call:signal" => |fields, _| Self::Signal(signal(fields)),
            "auth:refresh" => |fields, _| Question::Refresh(fields.text("token", 1..=4_096)).into(),
            "presence:attention" => |fields, _| Question::Attention(fields.boolean("visible")).into(),
            _ => return Err(unknown_event()),
        };
        let data = args.raw(0).unwrap_or_default();
        if event == "call:signal" && data.len() > SIGNAL_BYTES_MAX {
            return Err(Reason::TooLarge.into());
        }
        Fields::read_json("data", data, |fields| reader(fields, args)).map_err(Error::from)
    }
}

impl From<Change> for Request {
    fn from(change: Change) -> Self {
        Self::Change(change)
    }
}

impl From<Question> for Request {
    fn from(question: Question) -> Self {
        Self::Question(question)
    }
}

/// `{callId, toSeat, data}`.
fn signal(fields: &mut Fields) -> Signal {
    let (call_id, to_seat) = (fields.id("callId"), fields.text("toSeat", 1..=SEAT_CHARS_MAX));
    let data = match fields.take("data") {
        Some(data @ Value::Object(_)) => data,
        _ => fields.wrong("data", Text::new("doit être un objet", "must be an object")),
    };
    Signal { call_id, to_seat, data }
}

/// The bytes that a placeholder in `data` stands for.
fn bytes_of(data: &Value, args: &Args) -> Option<Bytes> {
    let placeholder: Placeholder = serde_json::from_value(data.clone()).ok()?;
    args.attachment(&placeholder).cloned()
}

fn unknown_event() -> Error {
    let message = Text::new("cet événement n’existe pas", "there is no such event");
    Error::from(vec![Fault::new("event", message)])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat::contract::catalogue::ASKED;

    fn read(event: &str, data: &Value) -> Result<Request, Error> {
        let mut args = Args::default();
        args.push(data).unwrap();
        Request::read(event, &args)
    }

    #[test]
    fn every_event_is_read() {
        let data = json!({
            "conversationId": 1, "messageId": 1, "content": "x", "emoji": "👍", "isTyping": true, "query": "x",
            "token": "x", "rev": 0, "visible": true, "media": "audio", "callId": 1, "seat": "a", "toSeat": "b", "data": {},
            "consent": false,
        });
        for event in ASKED {
            assert!(read(event.name, &data).is_ok(), "{}", event.name);
            assert!(read(event.name, &json!({})).is_err(), "{} without data", event.name);
        }
    }

    #[test]
    fn names_that_mean_something_elsewhere_mean_nothing_here() {
        for event in ["connect", "disconnect", "error", "newListener", "__proto__", "constructor", "", "message:new"] {
            let error = read(event, &json!({})).unwrap_err();
            assert_eq!(error.code().as_str(), "INVALID", "{event}");
        }
    }

    #[test]
    fn data_that_is_no_object_is_refused() {
        for data in [json!([]), json!("x"), json!(1), json!(true), json!(null)] {
            assert!(read("conversation:join", &data).is_err(), "{data}");
        }
    }
}
