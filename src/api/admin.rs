//! `/admin`: people's accounts and the state of the whole. Nobody reads conversations here.

use std::time::SystemTime;

use serde::Serialize;

use crate::api::auth;
use crate::api::call::{self, Call};
use crate::api::diagnosis::{self, Facts};
use crate::api::reply::{self, Answer};
use crate::chat::contract::command::deliveries::{RetryDelivery, SendTestMail};
use crate::chat::contract::command::people::{EndUserSessions, UpdateUser};
use crate::chat::contract::error::Error;
use crate::chat::contract::json;
use crate::chat::notices::deliveries::DeliveryQuery;
use crate::chat::people::accounts;
use crate::chat::people::administration::{self, AccountQuery};
use crate::http::tls::Identity;
use crate::model::delivery::{Channel, DeliveryState};
use crate::model::email::Email;
use crate::model::finding::Finding;
use crate::model::id::{DeliveryId, UserId};
use crate::model::locale::Text;

/// `GET /admin/users?q=&role=&limit=&cursor=`
pub async fn list_users(call: Call) -> Answer {
    let actor = call.member()?;
    let query = call.query(|fields| AccountQuery {
        words: fields.optional_text("q", 0..=100),
        role: auth::optional_role(fields, "role"),
        limit: call::optional_limit(fields, administration::LIMIT_MAX),
        cursor: json::position(fields, "cursor"),
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
    let account = call.chat().execute(actor, command).await?;
    call.ok(&account)
}

/// `DELETE /admin/users/{id}/sessions`
pub async fn end_sessions(call: Call, id: UserId) -> Answer {
    call.chat().execute(call.member()?, EndUserSessions { user_id: id }).await?;
    reply::done()
}

/// `GET /admin/deliveries?state=&channel=&cursor=`
pub async fn list_deliveries(call: Call) -> Answer {
    let actor = call.member()?;
    let query = call.query(|fields| DeliveryQuery {
        state: fields.optional_parsed("state", words(DeliveryState::ALL, |it| it.as_str()), DeliveryState::find),
        channel: fields.optional_parsed("channel", words(Channel::ALL, |it| it.as_str()), Channel::find),
        cursor: fields.optional_id("cursor"),
    })?;
    let page = call.chat().list_deliveries(actor, query).await?;
    call.ok(&page)
}

/// `POST /admin/deliveries/{id}/retry`
pub async fn retry_delivery(call: Call, id: DeliveryId) -> Answer {
    call.chat().execute(call.member()?, RetryDelivery { delivery_id: id }).await?;
    reply::accepted()
}

/// `POST /admin/test-mail`
pub async fn test_mail(mut call: Call) -> Answer {
    let (actor, locale) = (call.member()?, call.locale);
    let to: Option<Email> =
        call.body(|fields| fields.optional_parsed("to", accounts::email_text(), |text| text.parse().ok())).await?;
    let Some(to) = to else { return Err(Error::invalid("to", accounts::email_text())) };
    call.chat().execute(actor, SendTestMail { to, locale }).await?;
    reply::accepted()
}

/// The words that a field takes.
fn words<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> Text {
    let list = all.iter().map(|one| word(*one)).collect::<Vec<_>>().join(", ");
    Text::new(format!("doit être l’un de : {list}"), format!("must be one of: {list}"))
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
        wal_bytes: u64,
        disk_free_bytes: Option<u64>,
        sockets: u64,
        checks: Vec<Finding>,
        settings: &'a std::collections::BTreeMap<&'static str, String>,
    }
    let known = call.chat().load_status(call.member()?).await?;
    let settings = &call.api.settings;
    let measured = call.chat().measure(&settings.database).await?;
    let backlogs = call.chat().load_backlogs().await?;
    let bills = call.chat().load_pending(call.member()?).await?;
    let facts = Facts {
        backlogs: &backlogs,
        bills: &bills,
        settings: &settings.shown,
        measured: &measured,
        health: call.chat().health(),
        certificate: settings.identity.as_ref().map(Identity::certificate),
        names: &settings.names,
        public_url: settings.has_public_url.then_some(settings.public_url.as_str()),
        seen: (call.request.peer, call.request.way),
        is_private: settings.is_private,
        demo_accounts: known.demo_accounts_active,
        now: SystemTime::now(),
        locale: call.locale,
    };
    call.ok(&Shown {
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: settings.started.elapsed().as_secs(),
        wal_bytes: measured.wal_bytes,
        disk_free_bytes: measured.disk_free_bytes,
        sockets: (settings.connected)().sockets,
        checks: diagnosis::examine(&facts),
        settings: &settings.shown,
        known,
    })
}
