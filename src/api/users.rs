//! `/users`: oneself, and the people one may write to.

use serde::Serialize;

use crate::api::auth;
use crate::api::call::{self, Call, Limits};
use crate::api::calls::{self, Offer};
use crate::api::reply::{self, Answer};
use crate::chat::contract::command::people::{RequestEmailConfirmation, UpdateProfile};
use crate::chat::contract::error::Error;
use crate::chat::people::accounts;
use crate::chat::people::directory::{self, ContactQuery};
use crate::model::locale::{Locale, Text};
use crate::model::user::Profile;

/// A profile, and what its owner may send.
#[derive(Serialize)]
struct Me {
    #[serde(flatten)]
    profile: Profile,
    limits: Limits,
    calls: Option<Offer>,
}

/// `GET /users/me`
pub async fn me(call: Call) -> Answer {
    let profile = call.chat().load_profile(call.member()?).await?;
    let calls = calls::offer(&call, profile.role);
    call.ok(&Me { profile, limits: call.api.settings.limits, calls })
}

/// `PATCH /users/me`
pub async fn update_me(mut call: Call) -> Answer {
    let actor = call.member()?;
    let command = call
        .body(|fields| {
            let known = Text::new("doit être fr ou en", "must be fr or en");
            UpdateProfile {
                name: fields.optional_parsed("name", accounts::name_text(), |text| text.parse().ok()),
                locale: fields.optional_parsed("locale", known, Locale::find),
            }
        })
        .await?;
    let profile = call.chat().execute(actor, command).await?;
    call.ok(&profile)
}

/// `GET /users?role=&q=&limit=`
pub async fn list(call: Call) -> Answer {
    let actor = call.member()?;
    let query = call.query(|fields| ContactQuery {
        role: auth::optional_role(fields, "role"),
        words: fields.optional_text("q", 0..=100),
        limit: call::optional_limit(fields, directory::LIMIT_MAX),
    })?;
    let people = call.chat().list_people(actor, query).await?;
    call.ok(&people)
}

/// `POST /users/me/password`
pub async fn change_password(mut call: Call) -> Answer {
    let actor = call.member()?;
    let (current, next) =
        call.body(|fields| (fields.password("current", 1..=1024), fields.password("next", 0..=usize::MAX))).await?;
    call.chat().change_password(actor, current, next, &call.device()).await?;
    reply::done()
}

/// `POST /users/me/email`
pub async fn change_email(mut call: Call) -> Answer {
    let actor = call.member()?;
    let (email, password) = call
        .body(|fields| {
            let text = accounts::email_text();
            (
                fields.optional_parsed("email", text.clone(), |text| text.parse().ok()),
                fields.password("password", 1..=1024),
            )
        })
        .await?;
    let Some(email) = email else { return Err(Error::invalid("email", accounts::email_text())) };
    call.chat().request_other_email(actor, email, password, &call.device()).await?;
    reply::accepted()
}

/// `POST /users/me/email/confirmation`
pub async fn confirm_own_email(call: Call) -> Answer {
    call.chat().execute(call.member()?, RequestEmailConfirmation { change: None }).await?;
    reply::accepted()
}
