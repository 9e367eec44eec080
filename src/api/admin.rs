//! `/admin`: people's accounts and the state of the whole. Nobody reads conversations here.

use serde::Serialize;

use crate::api::auth;
use crate::api::call::{self, Call};
use crate::api::reply::{self, Answer};
use crate::chat::accounts;
use crate::chat::administration::{self, AccountQuery};
use crate::chat::command::{Command, EndUserSessions, UpdateUser};
use crate::chat::reply::Reply;
use crate::model::id::UserId;

/// `GET /admin/users?q=&role=&limit=&cursor=`
pub async fn list_users(call: Call) -> Answer {
    let actor = call.member()?;
    let query = call.query(|fields| AccountQuery {
        words: fields.optional_text("q", 0..=100),
        role: auth::optional_role(fields, "role"),
        limit: call::optional_limit(fields, administration::LIMIT_MAX),
        cursor: fields.optional_id("cursor"),
    })?;
    let page = call.chat().list_users(actor, query).await?;
    call.ok(&page)
}

/// `PATCH /admin/users/{id}`
pub async fn update_user(mut call: Call, id: UserId) -> Answer {
    let actor = call.member()?;
    let command = call
        .body(|fields| UpdateUser {
            user_id: id,
            is_active: fields.optional_boolean("isActive"),
            role: auth::optional_role(fields, "role"),
            name: fields.optional_parsed("name", accounts::name_text(), |text| text.parse().ok()),
        })
        .await?;
    match call.chat().execute(actor, Command::UpdateUser(command)).await? {
        Reply::Account(account) => call.ok(&account),
        other => Err(call::unexpected(&other)),
    }
}

/// `DELETE /admin/users/{id}/sessions`
pub async fn end_sessions(call: Call, id: UserId) -> Answer {
    call.chat().execute(call.member()?, Command::EndUserSessions(EndUserSessions { user_id: id })).await?;
    reply::done()
}

/// `GET /admin/status`
pub async fn status(call: Call) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Shown<'a> {
        version: &'static str,
        uptime_seconds: u64,
        #[serde(flatten)]
        known: administration::Status,
        sockets: u64,
        settings: &'a std::collections::BTreeMap<&'static str, String>,
    }
    let known = call.chat().load_status(call.member()?).await?;
    let settings = &call.api.settings;
    let sockets = (settings.connected)().sockets;
    let uptime_seconds = settings.started.elapsed().as_secs();
    call.ok(&Shown { version: env!("CARGO_PKG_VERSION"), uptime_seconds, known, sockets, settings: &settings.shown })
}
