//! What a socket may ask: every event's name, and its data read into a command or a question.

use bytes::Bytes;
use serde_json::Value;

use crate::chat::command::{Command, DeleteMessage, ReadMessage};
use crate::chat::error::{Error, Reason};
use crate::chat::history::Cursor;
use crate::chat::search::Search;
use crate::chat::wire;
use crate::model::fields::{Fault, Fields, INTEGER_MAX};
use crate::model::id::ConversationId;
use crate::model::locale::Text;
use crate::socketio::packet::{Args, Placeholder};

/// Every event that a client may send.
pub const EVENTS: [&str; 13] = [
    "conversation:join",
    "conversation:leave",
    "conversation:users:online",
    "conversation:history",
    "conversation:sync",
    "message:send",
    "message:edit",
    "message:delete",
    "message:react",
    "message:read",
    "message:typing",
    "message:search",
    "auth:refresh",
];

/// What an event asks.
#[derive(Debug)]
pub enum Request {
    /// A change.
    Change(Command),
    /// To be told what members see of it, and to see the latest of it.
    Join(ConversationId),
    /// No more to be told.
    Leave(ConversationId),
    /// Who of it is connected.
    Online(ConversationId),
    /// A page of it.
    History(ConversationId, Cursor, i64),
    /// What changed in it after a rev.
    Sync(ConversationId, i64),
    /// To tell the other party that one writes, or no longer does.
    Typing(ConversationId, bool),
    /// Messages.
    Search(Search),
    /// To stay, by a newer token.
    Refresh(String),
}

impl Request {
    /// Reads an event: its name and its first argument.
    ///
    /// # Errors
    /// `INVALID`: there is no such event, or a field of it is wrong.
    pub fn read(event: &str, args: &Args) -> Result<Self, Error> {
        let data = args.parse::<Value>(0).map_err(|_| Error::from(Reason::Invalid))?;
        let reader: fn(&mut Fields, &Args) -> Self = match event {
            "conversation:join" => |fields, _| Self::Join(fields.id("conversationId")),
            "conversation:leave" => |fields, _| Self::Leave(fields.id("conversationId")),
            "conversation:users:online" => |fields, _| Self::Online(fields.id("conversationId")),
            "conversation:history" => |fields, _| {
                let conversation_id = fields.id("conversationId");
                let (cursor, limit) = wire::page(fields);
                Self::History(conversation_id, cursor, limit)
            },
            "conversation:sync" => {
                |fields, _| Self::Sync(fields.id("conversationId"), fields.integer("rev", 0..=INTEGER_MAX))
            }
            "message:send" => |fields, args| {
                let send = wire::send_message(fields, |data| bytes_of(data, args));
                Self::Change(Command::SendMessage(send))
            },
            "message:edit" => |fields, _| Self::Change(Command::EditMessage(wire::edit_message(fields, None))),
            "message:delete" => {
                |fields, _| Self::Change(Command::DeleteMessage(DeleteMessage { message_id: fields.id("messageId") }))
            }
            "message:react" => |fields, _| Self::Change(Command::ReactToMessage(wire::react_to_message(fields))),
            "message:read" => {
                |fields, _| Self::Change(Command::ReadMessage(ReadMessage { message_id: fields.id("messageId") }))
            }
            "message:typing" => |fields, _| Self::Typing(fields.id("conversationId"), fields.boolean("isTyping")),
            "message:search" => |fields, _| Self::Search(wire::search(fields, "query")),
            "auth:refresh" => |fields, _| Self::Refresh(fields.text("token", 1..=4_096)),
            _ => return Err(unknown_event()),
        };
        Fields::read_value(data, |fields| reader(fields, args)).map_err(Error::from)
    }
}

/// The bytes that a placeholder in `data` stands for.
fn bytes_of(data: &Value, args: &Args) -> Option<Bytes> {
    let placeholder: Placeholder = serde_json::from_value(data.clone()).ok()?;
    args.attachment(&placeholder).cloned()
}

fn unknown_event() -> Error {
    let message = Text::new("cet événement n'existe pas", "there is no such event");
    Error::from(vec![Fault::new("event", message)])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(event: &str, data: &Value) -> Result<Request, Error> {
        let mut args = Args::default();
        args.push(data).unwrap();
        Request::read(event, &args)
    }

    #[test]
    fn every_event_is_read() {
        let data = json!({
            "conversationId": 1, "messageId": 1, "content": "x", "emoji": "👍", "isTyping": true, "query": "x",
            "token": "x", "rev": 0,
        });
        for event in EVENTS {
            assert!(read(event, &data).is_ok(), "{event}");
            assert!(read(event, &json!({})).is_err(), "{event} without data");
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
