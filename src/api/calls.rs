//! `/calls`: starting, declining and ending them, and the history. A seat in a direct call needs a socket: see `call:join`.

use std::sync::Arc;

use hyper::StatusCode;
use serde::Serialize;

use crate::api::call::Call;
use crate::api::recordings;
use crate::api::reply::Answer;
use crate::chat::contract::command::calls::{DeclineCall, JoinCall, LeaveCall, StartCall};
use crate::chat::contract::error::Reason;
use crate::chat::contract::json;
use crate::chat::contract::question::{CallQuery, PAGE_LIMIT_MAX};
use crate::chat::contract::reply::CallStarted;
use crate::model;
use crate::model::call::{JitsiSeat, Provider};
use crate::model::id::{CallId, ConversationId};
use crate::model::user::Role;

/// What pages must know of calls before they offer one.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// Whether the one who asks may start calls.
    may_start: bool,
    provider: Provider,
    /// Whether people in different networks reach each other whatever stands between them.
    has_relay: bool,
    /// How calls can be recorded, where they can.
    recordings: Option<recordings::Offer>,
}

/// What `GET /users/me` says of calls to somebody of this role; nothing where there are none.
pub fn offer(call: &Call, role: Role) -> Option<Offer> {
    call.api.settings.calls.as_ref().map(|calls| Offer {
        may_start: call.chat().may_start_calls(role),
        provider: calls.provider,
        has_relay: calls.has_relay,
        recordings: recordings::offer(call, role),
    })
}

/// `POST /conversations/{id}/calls`
pub async fn start(mut call: Call, conversation_id: ConversationId) -> Answer {
    let actor = call.member()?;
    let command = call.body(|fields| StartCall { conversation_id, media: json::media(fields) }).await?;
    let CallStarted { call: started, created } = call.chat().execute(actor, command).await?;
    call.json(if created { StatusCode::CREATED } else { StatusCode::OK }, &started)
}

/// `GET /calls?conversationId=&live=&before=&limit=`
pub async fn list(call: Call) -> Answer {
    let actor = call.member()?;
    let query = call.query(|fields| CallQuery {
        conversation_id: fields.optional_id("conversationId"),
        live_only: fields.optional_boolean("live").unwrap_or(false),
        before: fields.optional_id("before"),
        limit: fields.optional_integer("limit", 1..=PAGE_LIMIT_MAX),
    })?;
    let calls = call.chat().list_calls(actor, query).await?;
    call.ok(&calls)
}

/// `GET /calls/{id}`
pub async fn load(call: Call, id: CallId) -> Answer {
    let found = call.chat().load_call(call.member()?, id).await?;
    call.ok(&found)
}

/// `POST /calls/{id}/join`: the way into a Jitsi room for a device without a socket.
pub async fn join(call: Call, call_id: CallId) -> Answer {
    #[derive(Serialize)]
    struct Joined {
        call: Arc<model::call::Call>,
        jitsi: JitsiSeat,
    }
    let actor = call.member()?;
    let joined = call.chat().execute(actor, JoinCall { call_id, seat: None, take_over: false }).await?;
    let profile = call.chat().load_profile(actor).await?;
    match (joined.room, &call.api.settings.calls) {
        (Some(room), Some(calls)) => {
            let jitsi = (calls.admit)(room, &profile)?;
            call.ok(&Joined { call: joined, jitsi })
        }
        _ => Err(Reason::SocketNeeded.into()),
    }
}

/// `POST /calls/{id}/decline`
pub async fn decline(call: Call, call_id: CallId) -> Answer {
    let declined = call.chat().execute(call.member()?, DeclineCall { call_id }).await?;
    call.ok(&declined)
}

/// `POST /calls/{id}/leave`
pub async fn leave(call: Call, call_id: CallId) -> Answer {
    let left = call.chat().execute(call.member()?, LeaveCall { call_id }).await?;
    call.ok(&left)
}

/// `POST /calls/{id}/end`
pub async fn end(call: Call, call_id: CallId) -> Answer {
    leave(call, call_id).await
}
