//! `/conversations`: opening one, finding one's own, having read one.

use hyper::StatusCode;
use serde::Serialize;

use crate::api::call::Call;
use crate::api::reply::Answer;
use crate::chat::contract::command::conversations::{CreateConversation, MuteConversation, ReadConversation};
use crate::chat::contract::json;
use crate::chat::contract::reply::ConversationOpened;
use crate::model::conversation::Conversation;
use crate::model::id::ConversationId;
use crate::model::locale::Text;

/// One conversation, and what its rev belongs to.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    conversation: Conversation,
    history: &'a str,
}

/// `POST /conversations`
pub async fn create(mut call: Call) -> Answer {
    let actor = call.member()?;
    let command = call.body(|fields| CreateConversation { participant_id: fields.id("participantId") }).await?;
    let ConversationOpened { conversation, created } = call.chat().execute(actor, command).await?;
    call.json(if created { StatusCode::CREATED } else { StatusCode::OK }, &conversation)
}

/// `GET /conversations`
pub async fn list(call: Call) -> Answer {
    let conversations = call.chat().list_conversations(call.member()?).await?;
    call.ok(&conversations)
}

/// `GET /conversations/{id}`
pub async fn load(call: Call, id: ConversationId) -> Answer {
    let conversation = call.chat().load_conversation(call.member()?, id).await?;
    call.ok(&Shown { conversation, history: call.chat().history() })
}

/// `PATCH /conversations/{id}/mark-as-read`
pub async fn mark_as_read(call: Call, id: ConversationId) -> Answer {
    let command = ReadConversation { conversation_id: id };
    let conversation = call.chat().execute(call.member()?, command).await?;
    call.ok(&conversation)
}

/// `POST /conversations/{id}/mark-as-unread {messageId}`
pub async fn mark_as_unread(mut call: Call, id: ConversationId) -> Answer {
    let actor = call.member()?;
    let command = call.body(|fields| json::mark_unread(fields, Some(id))).await?;
    call.ok(&call.chat().execute(actor, command).await?)
}

/// `PATCH /conversations/{id}/settings`
pub async fn update_settings(mut call: Call, id: ConversationId) -> Answer {
    let actor = call.member()?;
    let moment = Text::new("doit être une date ISO 8601 ou null", "must be an ISO 8601 time or null");
    let muted_until = call
        .body(|fields| {
            let is_named = fields.is_null("mutedUntil");
            let until = fields.optional_parsed("mutedUntil", moment.clone(), |text| text.parse().ok());
            if !is_named && until.is_none() {
                fields.wrong::<()>("mutedUntil", moment);
            }
            until
        })
        .await?;
    let command = MuteConversation { conversation_id: id, muted_until };
    let conversation = call.chat().execute(actor, command).await?;
    call.ok(&conversation)
}
