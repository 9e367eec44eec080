//! Who may connect: the token, where it may stand, and what a refusal says.

use std::time::Duration;

use serde_json::{Value, json};

use crate::auth::actor::{Actor, Caller};
use crate::auth::keyring::Keyring;
use crate::auth::token;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::handle::chat::Chat;
use crate::gateway::hub::{Full, Hub, Seat};
use crate::model::locale::Locale;
use crate::model::timestamp::Timestamp;
use crate::socketio::connection::Connection;

/// After how long somebody with too many sockets may come back: one whose client died without a word is noticed to be
/// gone by then.
const FULL_RETRY: Duration = Duration::from_secs(45);

/// What is kept of the request that opened a connection.
pub struct Opening {
    token: Option<String>,
    locale: Locale,
}

impl Opening {
    /// The token in the query or the `Authorization` header, and the language asked for.
    #[must_use]
    pub fn read(connection: &Connection) -> Self {
        let request = connection.request();
        let in_header = request.header("authorization").and_then(bearer);
        let token = request.query("token").filter(|token| !token.is_empty()).or(in_header);
        let locale = request.header("accept-language").map(Locale::accepted).unwrap_or_default();
        Self { token: token.map(str::to_owned), locale }
    }

    /// The token: the one in the auth payload, which a client can renew, before that of the request.
    #[must_use]
    pub fn token<'a>(&'a self, auth: Option<&'a Value>) -> Option<&'a str> {
        let in_auth = auth.and_then(|auth| auth.get("token")).and_then(Value::as_str);
        in_auth.filter(|token| !token.is_empty()).or(self.token.as_deref())
    }

    /// The language that texts for people are shown in.
    #[must_use]
    pub fn locale(&self) -> Locale {
        self.locale
    }
}

/// Checks a token and keeps a seat for its holder.
///
/// The seat is taken before the session is looked up: a session that ends in between takes the seat away, so no socket
/// outlives its session unseen.
///
/// # Errors
/// `UNAUTHENTICATED`, `RATE_LIMITED` when the person has too many sockets, `INTERNAL`.
pub async fn admit(chat: &Chat, keyring: &Keyring, hub: &Hub, token: &str) -> Result<(Caller, Seat), Error> {
    let caller = verify(keyring, token)?;
    let seat = hub.seat(caller.user_id(), caller.session_id()).map_err(|Full| Error::too_many(FULL_RETRY))?;
    chat.check_session(Actor::Member(caller)).await?;
    Ok((caller, seat))
}

/// Who holds a token, if it is good now.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub fn verify(keyring: &Keyring, token: &str) -> Result<Caller, Error> {
    token::verify(keyring, token, Timestamp::now()).map_err(|token::Invalid| Error::from(Reason::TokenInvalid))
}

/// There is no token at all.
#[must_use]
pub fn token_missing() -> Error {
    Error::from(Reason::TokenMissing)
}

/// `message` and `data` of the CONNECT_ERROR that an error is shown as.
#[must_use]
pub fn refusal(error: &Error, locale: Locale) -> (String, Value) {
    let mut data = json!({ "code": error.code().as_str() });
    if let Some(seconds) = error.retry_after_s() {
        data["retryAfter"] = seconds.into();
    }
    (error.text(locale).into_owned(), data)
}

/// The token of an `Authorization` header.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_auth_payload_comes_before_the_request() {
        let opening = Opening { token: Some("old".to_owned()), locale: Locale::French };
        assert_eq!(opening.token(Some(&json!({"token": "new"}))), Some("new"));
        for auth in [json!({}), json!({"token": ""}), json!({"token": 1}), json!([]), json!(null)] {
            assert_eq!(opening.token(Some(&auth)), Some("old"), "{auth}");
        }
        assert_eq!(opening.token(None), Some("old"));
    }

    #[test]
    fn a_header_carries_a_token_only_as_bearer() {
        for (header, token) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("Basic abc", None),
            ("Bearer", None),
            ("Bearer ", None),
            ("abc", None),
        ] {
            assert_eq!(bearer(header), token, "{header}");
        }
    }
}
