//! `/messages`: pages of a conversation, search, and everything that is done to one message.

use std::fmt::Write as _;

use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use serde::Serialize;

use crate::api::call::{self, Call};
use crate::api::reply::Answer;
use crate::chat::command::{Command, DeleteMessage, ReactToMessage, ReadMessage};
use crate::chat::history::Page;
use crate::chat::reply::Reply;
use crate::chat::wire;
use crate::model::id::{ConversationId, MessageId};
use crate::model::message::{Hit, Reaction};

/// `GET /messages?conversationId=1[&before=ID|&after=ID|&around=ID][&limit=50]`
pub async fn list(call: Call) -> Answer {
    let actor = call.member()?;
    let read = call.query(|fields| (fields.id("conversationId"), wire::page(fields)))?;
    let (conversation_id, (cursor, limit)) = read;
    let page = call.chat().list_messages(actor, conversation_id, cursor, limit).await?;
    let mut response = call.ok(&page.messages)?;
    if let Some(link) = link(&page, conversation_id, limit) {
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
    let search = call.query(|fields| wire::search(fields, "q"))?;
    let found = call.chat().search(actor, search).await?;
    call.ok(&Shown { results: found.results, next_cursor: found.next_cursor })
}

/// `POST /messages`
pub async fn send(mut call: Call) -> Answer {
    let actor = call.member()?;
    // Bytes of a file cannot stand in JSON: over HTTP they are uploaded first.
    let command = call.body(|fields| wire::send_message(fields, |_| None)).await?;
    match call.chat().execute(actor, Command::SendMessage(command)).await? {
        Reply::Message { message, duplicate } => {
            call.json(if duplicate { StatusCode::OK } else { StatusCode::CREATED }, &*message)
        }
        other => Err(call::unexpected(&other)),
    }
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
    let command = call.body(|fields| wire::edit_message(fields, Some(id))).await?;
    message(&call, call.chat().execute(actor, Command::EditMessage(command)).await?)
}

/// `DELETE /messages/{id}`
pub async fn delete(call: Call, id: MessageId) -> Answer {
    let command = Command::DeleteMessage(DeleteMessage { message_id: id });
    message(&call, call.chat().execute(call.member()?, command).await?)
}

/// `PATCH /messages/{id}/mark-as-read`
pub async fn mark_as_read(call: Call, id: MessageId) -> Answer {
    let command = Command::ReadMessage(ReadMessage { message_id: id });
    match call.chat().execute(call.member()?, command).await? {
        Reply::Read { message, .. } => call.ok(&message),
        other => Err(call::unexpected(&other)),
    }
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
    match call.chat().execute(call.member()?, Command::ReactToMessage(command)).await? {
        Reply::Reactions(reactions) => call.ok(&Shown { reactions }),
        other => Err(call::unexpected(&other)),
    }
}

fn message(call: &Call, reply: Reply) -> Answer {
    match reply {
        Reply::Message { message, .. } => call.ok(&*message),
        other => Err(call::unexpected(&other)),
    }
}

/// Where the neighbouring pages are, for those that exist.
fn link(page: &Page, conversation_id: ConversationId, limit: i64) -> Option<HeaderValue> {
    let (first, last) = (page.messages.first()?, page.messages.last()?);
    let neighbours =
        [(page.has_more_before, "before", first.id, "prev"), (page.has_more_after, "after", last.id, "next")];
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
