//! `/users`: oneself, and the people one may write to.

use serde::Serialize;

use crate::api::auth;
use crate::api::call::{self, Call, Limits};
use crate::api::reply::{self, Answer};
use crate::chat::accounts;
use crate::chat::command::{Command, UpdateProfile};
use crate::chat::directory::{self, ContactQuery};
use crate::chat::reply::Reply;
use crate::model::locale::{Locale, Text};
use crate::model::user::Profile;

/// A profile, and what its owner may send.
#[derive(Serialize)]
struct Me {
    #[serde(flatten)]
    profile: Profile,
    limits: Limits,
}

/// `GET /users/me`
pub async fn me(call: Call) -> Answer {
    let profile = call.chat().load_profile(call.member()?).await?;
    call.ok(&Me { profile, limits: call.api.settings.limits })
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
    match call.chat().execute(actor, Command::UpdateProfile(command)).await? {
        Reply::Profile(profile) => call.ok(&profile),
        other => Err(call::unexpected(&other)),
    }
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
        call.body(|fields| (fields.text("current", 1..=1024), fields.text("next", 0..=usize::MAX))).await?;
    call.chat().change_password(actor, current, next, &call.device()).await?;
    reply::done()
}
