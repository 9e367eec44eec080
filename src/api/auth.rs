//! `/auth`: signing in and up, renewing tokens, signing out, and the two kinds of one-time links that open accounts.

use hyper::StatusCode;
use serde::Serialize;

use crate::api::call::Call;
use crate::api::reply::{self, Answer};
use crate::chat::contract::command::people::{Device, SignOut};
use crate::chat::contract::error::Error;
use crate::chat::people::accounts::NewAccount;
use crate::chat::people::sign_in::{SignIn, SignedIn};
use crate::model::fields::Fields;
use crate::model::locale::{Locale, Text};
use crate::model::user::{Profile, Role};

/// Characters of what may be typed into a password field; what makes a good one is a rule.
const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 1..=1024;
/// Characters of a one-time secret.
const SECRET_LENGTH: std::ops::RangeInclusive<usize> = 1..=512;

/// `{accessToken, refreshToken, user}`
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    access_token: &'a str,
    refresh_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a Profile>,
}

/// `POST /auth/sign-in`
pub async fn sign_in(mut call: Call) -> Answer {
    let device = call.device();
    let attempt = call
        .body(|fields| SignIn {
            email: fields.text("email", 1..=254),
            password: fields.password("password", PASSWORD_LENGTH),
            device,
        })
        .await?;
    let signed_in = call.chat().sign_in(attempt).await?;
    shown(&call, StatusCode::OK, &signed_in)
}

/// `POST /auth/sign-up`
pub async fn sign_up(mut call: Call) -> Answer {
    let (device, locale) = (call.device(), call.locale);
    let (account, role) =
        call.body(|fields| (new_account(fields, device, locale), optional_role(fields, "role"))).await?;
    let signed_in = call.chat().sign_up(account, role).await?;
    shown(&call, StatusCode::CREATED, &signed_in)
}

/// `POST /auth/refresh-token`
pub async fn refresh(mut call: Call) -> Answer {
    let token = call.body(|fields| fields.text("refreshToken", SECRET_LENGTH)).await?;
    let renewed = call.chat().refresh(token, call.device()).await?;
    let (access_token, refresh_token) = (&*renewed.access_token, &*renewed.refresh_token);
    call.ok(&Shown { access_token, refresh_token, user: None })
}

/// `POST /auth/sign-out`
pub async fn sign_out(call: Call) -> Answer {
    call.chat().execute(call.member()?, SignOut).await?;
    reply::done()
}

/// `POST /auth/forgot-password`
pub async fn forgot_password(mut call: Call) -> Answer {
    let email = call.body(|fields| fields.text("email", 1..=254)).await?;
    call.chat().forgot_password(&email, &call.device())?;
    reply::accepted()
}

/// `POST /auth/reset-password`
pub async fn reset_password(mut call: Call) -> Answer {
    let device = call.device();
    let (token, password) =
        call.body(|fields| (fields.text("token", SECRET_LENGTH), fields.password("password", 0..=usize::MAX))).await?;
    let signed_in = call.chat().reset_password(&token, password, device).await?;
    shown(&call, StatusCode::OK, &signed_in)
}

/// `POST /auth/confirm-email`
pub async fn confirm_email(mut call: Call) -> Answer {
    #[derive(Serialize)]
    struct Confirmed {
        email: String,
    }
    let token = call.body(|fields| fields.text("token", SECRET_LENGTH)).await?;
    let email = call.chat().confirm_email(&token, &call.device()).await?;
    call.ok(&Confirmed { email })
}

/// The secret of a one-time link, and the account that is to be opened with it.
pub async fn by_link(call: &mut Call) -> Result<(String, NewAccount), Error> {
    let (device, locale) = (call.device(), call.locale);
    call.body(|fields| (fields.text("token", SECRET_LENGTH), new_account(fields, device, locale))).await
}

/// The fields that every way of opening an account has.
fn new_account(fields: &mut Fields, device: Device, locale: Locale) -> NewAccount {
    NewAccount {
        name: fields.text("name", 0..=usize::MAX),
        email: fields.text("email", 0..=usize::MAX),
        password: fields.password("password", 0..=usize::MAX),
        locale,
        device,
    }
}

/// A role that must be named.
pub fn role(fields: &mut Fields, name: &str) -> Role {
    fields.parsed(name, role_text(), Role::Client, |text| text.parse().ok())
}

/// A role, if one is named.
pub fn optional_role(fields: &mut Fields, name: &str) -> Option<Role> {
    fields.optional_parsed(name, role_text(), |text| text.parse().ok())
}

fn role_text() -> Text {
    Text::new("doit être client, juriste ou admin", "must be client, juriste or admin")
}

/// A session as its owner sees it.
pub fn shown(call: &Call, status: StatusCode, signed_in: &SignedIn) -> Answer {
    let (access_token, refresh_token) = (&*signed_in.access_token, &*signed_in.refresh_token);
    call.json(status, &Shown { access_token, refresh_token, user: Some(&signed_in.user) })
}
