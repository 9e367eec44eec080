//! `/messages`: pages of a conversation, search, and everything that is done to one message.

use std::fmt::Write as _;

use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use serde::Serialize;

use crate::api::call::Call;
use crate::api::reply::Answer;
use crate::chat::contract::command::conversations::{DeleteMessage, ReactToMessage, ReadMessage};
use crate::chat::contract::json;
use crate::chat::contract::question::Cursor;
use crate::chat::contract::reply::MessageSent;
use crate::chat::conversations::history::Page;
use crate::model::id::{ConversationId, INTEGER_MAX, MessageId};
use crate::model::message::{Hit, Reaction};

/// `GET /messages?conversationId=1[&before=ID|&after=ID|&around=ID][&limit=50]`
pub async fn list(call: Call) -> Answer {
    let actor = call.member()?;
    let read = call.query(|fields| (fields.id("conversationId"), json::page(fields)))?;
    let (conversation_id, (cursor, limit)) = read;
    let page = call.chat().list_messages(actor, conversation_id, cursor, limit).await?;
    let mut response = call.ok(&page.messages)?;
    if let Some(link) = link(&page, conversation_id, cursor, limit) {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// `GET /messages/search?q=…`
pub async fn search(call: Call) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Shown {
        results: Vec<Hit>,
        next_cursor: Option<String>,
    }
    let actor = call.member()?;
    call.spend(actor)?;
    let search = call.query(|fields| json::search(fields, "q"))?;
    let found = call.chat().search(actor, search).await?;
    call.ok(&Shown { results: found.results, next_cursor: found.next_cursor })
}

/// `POST /messages`
pub async fn send(mut call: Call) -> Answer {
    let actor = call.member()?;
    // Bytes of a file cannot stand in JSON: over HTTP they are uploaded first.
    let command = call.body(|fields| json::send_message(fields, |_| None)).await?;
    let MessageSent { message, duplicate } = call.chat().execute(actor, command).await?;
    call.json(if duplicate { StatusCode::OK } else { StatusCode::CREATED }, &*message)
}

/// `GET /messages/{id}`
pub async fn load(call: Call, id: MessageId) -> Answer {
    let message = call.chat().load_message(call.member()?, id).await?;
    call.ok(&message)
}

/// `GET /messages/{id}/revisions`
pub async fn list_revisions(call: Call, id: MessageId) -> Answer {
    let revisions = call.chat().list_revisions(call.member()?, id).await?;
    call.ok(&revisions)
}

/// `PATCH /messages/{id}`
pub async fn edit(mut call: Call, id: MessageId) -> Answer {
    let actor = call.member()?;
    let command = call.body(|fields| json::edit_message(fields, Some(id))).await?;
    call.ok(&*call.chat().execute(actor, command).await?)
}

/// `DELETE /messages/{id}`
pub async fn delete(call: Call, id: MessageId) -> Answer {
    let command = DeleteMessage { message_id: id };
    call.ok(&*call.chat().execute(call.member()?, command).await?)
}

/// `PATCH /messages/{id}/mark-as-read`
pub async fn mark_as_read(call: Call, id: MessageId) -> Answer {
    let command = ReadMessage { message_id: id };
    let moved = call.chat().execute(call.member()?, command).await?;
    call.ok(&moved.message)
}

/// `PUT /messages/{id}/reactions/{emoji}`
pub async fn add_reaction(call: Call, id: MessageId, emoji: String) -> Answer {
    react(call, ReactToMessage { message_id: id, emoji, remove: false }).await
}

/// `DELETE /messages/{id}/reactions/{emoji}`
pub async fn remove_reaction(call: Call, id: MessageId, emoji: String) -> Answer {
    react(call, ReactToMessage { message_id: id, emoji, remove: true }).await
}

async fn react(call: Call, command: ReactToMessage) -> Answer {
    #[derive(Serialize)]
    struct Shown {
        reactions: Vec<Reaction>,
    }
    let reactions = call.chat().execute(call.member()?, command).await?;
    call.ok(&Shown { reactions })
}

/// Where the neighbouring pages are, for those that exist. Beside an empty page they begin where it was looked for.
fn link(page: &Page, conversation_id: ConversationId, cursor: Cursor, limit: i64) -> Option<HeaderValue> {
    let (first, last) = match (page.messages.as_slice(), cursor) {
        ([first, .., last], _) => (first.id.as_i64(), last.id.as_i64()),
        ([only], _) => (only.id.as_i64(), only.id.as_i64()),
        ([], Cursor::Before(position)) => (position, (position - 1).max(0)),
        ([], Cursor::After(position)) => ((position + 1).min(INTEGER_MAX), position),
        ([], Cursor::Latest | Cursor::Around(_)) => return None,
    };
    let neighbours = [(page.has_more_before, "before", first, "prev"), (page.has_more_after, "after", last, "next")];
    let mut text = String::new();
    for (exists, cursor, id, rel) in neighbours {
        if exists {
            let comma = if text.is_empty() { "" } else { ", " };
            let query = format!("conversationId={conversation_id}&{cursor}={id}&limit={limit}");
            write!(text, "{comma}</messages?{query}>; rel=\"{rel}\"").expect("a String takes every text");
        }
    }
    if text.is_empty() { None } else { HeaderValue::from_str(&text).ok() }
}
