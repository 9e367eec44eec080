//! `/auth/sessions`: the caller's devices.

use crate::api::call::Call;
use crate::api::reply::{self, Answer};
use crate::chat::contract::command::people::EndSession;
use crate::model::id::SessionId;

/// `GET /auth/sessions`
pub async fn list(call: Call) -> Answer {
    let sessions = call.chat().list_sessions(call.member()?).await?;
    call.ok(&sessions)
}

/// `DELETE /auth/sessions/{id}`
pub async fn end(call: Call, id: SessionId) -> Answer {
    call.chat().execute(call.member()?, EndSession { session_id: id }).await?;
    reply::done()
}
