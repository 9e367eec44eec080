//! `/conversations`: opening one, finding one's own, having read one.

use hyper::StatusCode;

use crate::api::call::{self, Call};
use crate::api::reply::Answer;
use crate::chat::command::{Command, CreateConversation, ReadConversation};
use crate::chat::reply::Reply;
use crate::model::id::ConversationId;

/// `POST /conversations`
pub async fn create(mut call: Call) -> Answer {
    let actor = call.member()?;
    let command = call.body(|fields| CreateConversation { participant_id: fields.id("participantId") }).await?;
    match call.chat().execute(actor, Command::CreateConversation(command)).await? {
        Reply::Conversation { conversation, created } => {
            call.json(if created { StatusCode::CREATED } else { StatusCode::OK }, &conversation)
        }
        other => Err(call::unexpected(&other)),
    }
}

/// `GET /conversations`
pub async fn list(call: Call) -> Answer {
    let conversations = call.chat().list_conversations(call.member()?).await?;
    call.ok(&conversations)
}

/// `GET /conversations/{id}`
pub async fn load(call: Call, id: ConversationId) -> Answer {
    let conversation = call.chat().load_conversation(call.member()?, id).await?;
    call.ok(&conversation)
}

/// `PATCH /conversations/{id}/mark-as-read`
pub async fn mark_as_read(call: Call, id: ConversationId) -> Answer {
    let command = Command::ReadConversation(ReadConversation { conversation_id: id });
    match call.chat().execute(call.member()?, command).await? {
        Reply::Conversation { conversation, .. } => call.ok(&conversation),
        other => Err(call::unexpected(&other)),
    }
}
