//! One message to one app, and what Google answers.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{StatusCode, Uri};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::account::{Account, BadAccount};
use super::message::{MESSAGE_BYTES_MAX, Message, Registration};
use crate::integrations::https::client::{Answer, Client, Failure, Outbound, Request};
use crate::integrations::https::origin::{AllowList, BadOrigin, Origin, Rule};
use crate::integrations::push::Outcome;

const GOOGLE_API: &str = "https://fcm.googleapis.com";
const GOOGLE_TOKENS: &str = "https://oauth2.googleapis.com";
/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(20);
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// How long before its end a bearer token is fetched anew.
const RENEWED_BEFORE: Duration = Duration::from_secs(5 * 60);
/// The pauses that Google asks for where an answer names none.
const THROTTLED_PAUSE: Duration = Duration::from_secs(60);
const FAILED_PAUSE: Duration = Duration::from_secs(10);

/// Whose apps are written to, and where Google is.
#[derive(Clone, Debug)]
pub struct Settings {
    account: Account,
    api: Origin,
    send_to: Uri,
}

impl Settings {
    /// An account, and another address than Google's where one is given (`--fcm-api`), which may then also give out tokens.
    ///
    /// # Errors
    ///
    /// [`BadAccount::TokenUri`] where the account would have its signature sent elsewhere.
    pub fn new(account: Account, api: Option<Origin>) -> Result<Settings, BadAccount> {
        let google = |origin: &str| origin.parse::<Origin>().expect("an origin");
        let token_origin = Origin::of(account.token_uri()).map_err(|_| BadAccount::TokenUri)?;
        if token_origin != google(GOOGLE_TOKENS) && Some(&token_origin) != api.as_ref() {
            return Err(BadAccount::TokenUri);
        }
        let api = api.unwrap_or_else(|| google(GOOGLE_API));
        let path = format!("/v1/projects/{}/messages:send", account.project_id());
        let send_to = api.at(&path).map_err(|_: BadOrigin| BadAccount::Malformed)?;
        Ok(Settings { account, api, send_to })
    }
}

/// Sends messages; making one contacts nobody.
pub struct Sender {
    settings: Settings,
    client: Client,
    bearer: Mutex<Option<Bearer>>,
    /// Who fetches a bearer token; the others wait for what comes.
    fetching: Semaphore,
}

#[derive(Clone)]
struct Bearer {
    authorization: HeaderValue,
    good_until: Instant,
}

impl Sender {
    /// Ready to send.
    pub fn new(settings: Settings, outbound: &Outbound) -> Sender {
        let tokens = Origin::of(settings.account.token_uri()).map(Rule::Exact).ok();
        let allowed = AllowList::new(tokens.into_iter().chain([Rule::Exact(settings.api.clone())]));
        let client = outbound.client(allowed);
        Sender { settings, client, bearer: Mutex::default(), fetching: Semaphore::new(1) }
    }

    /// Sends once.
    pub async fn send(&self, to: &Registration, message: &Message) -> Outcome {
        let body = message.to_json(to, SystemTime::now()).to_string();
        if body.len() > MESSAGE_BYTES_MAX {
            return Outcome::TooLarge;
        }
        let first = match self.bearer(None).await {
            Ok(bearer) => bearer,
            Err(outcome) => return outcome,
        };
        let answer = self.post(&body, &first).await;
        // A token can end before its time; the second answer stands.
        let answer = match answer {
            Ok(answer) if is_bearer_refused(&answer) => match self.bearer(Some(&first)).await {
                Ok(second) => self.post(&body, &second).await,
                Err(outcome) => return outcome,
            },
            answer => answer,
        };
        match answer {
            Ok(answer) => read(&answer, to, SystemTime::now()),
            Err(failure) => not_answered(failure),
        }
    }

    async fn post(&self, body: &str, bearer: &Bearer) -> Result<Answer, Failure> {
        let request = Request::post(self.settings.send_to.clone(), body.to_owned())
            .timeout(TIMEOUT)
            .answer_bytes_max(ANSWER_BYTES_MAX)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(AUTHORIZATION, bearer.authorization.clone());
        self.client.send(request).await
    }

    /// A token that is good for a while and is not the refused one; fetched by one, for all who wait.
    async fn bearer(&self, refused: Option<&Bearer>) -> Result<Bearer, Outcome> {
        if let Some(bearer) = self.kept(refused) {
            return Ok(bearer);
        }
        let _turn = self.fetching.acquire().await.expect("it is never closed");
        if let Some(bearer) = self.kept(refused) {
            return Ok(bearer);
        }
        let bearer = self.fetch().await?;
        *self.bearer.lock().unwrap_or_else(PoisonError::into_inner) = Some(bearer.clone());
        Ok(bearer)
    }

    fn kept(&self, refused: Option<&Bearer>) -> Option<Bearer> {
        let kept = self.bearer.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let is_refused = refused.is_some_and(|refused| refused.authorization == kept.authorization);
        (!is_refused && Instant::now() < kept.good_until).then_some(kept)
    }

    async fn fetch(&self) -> Result<Bearer, Outcome> {
        #[derive(Deserialize)]
        struct Granted {
            access_token: String,
            expires_in: u64,
        }
        let account = &self.settings.account;
        let assertion = account.assertion(SystemTime::now());
        let assertion = assertion.map_err(|error| Outcome::OurFault { reason: error.to_string() })?;
        let form = format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}");
        let request = Request::post(account.token_uri().clone(), form)
            .timeout(TIMEOUT)
            .answer_bytes_max(ANSWER_BYTES_MAX)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let answer = self.client.send(request).await.map_err(not_answered)?;
        if answer.status != StatusCode::OK {
            return Err(no_token(&answer, SystemTime::now()));
        }
        let strange =
            || Outcome::Retry { after: None, reason: "the token service's answer is not understood".to_owned() };
        let granted: Granted = serde_json::from_slice(&answer.body).map_err(|_| strange())?;
        let mut authorization =
            HeaderValue::from_str(&format!("Bearer {}", granted.access_token)).map_err(|_| strange())?;
        authorization.set_sensitive(true);
        Ok(Bearer { authorization, good_until: Instant::now() + good_for(granted.expires_in) })
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// How long a token is used that ends in so many seconds.
fn good_for(expires_in: u64) -> Duration {
    let lifetime = Duration::from_secs(expires_in.min(24 * 3600));
    lifetime.saturating_sub(RENEWED_BEFORE).max(lifetime / 2)
}

fn not_answered(failure: Failure) -> Outcome {
    match failure {
        Failure::NotAllowed(what) => Outcome::Misconfigured { reason: format!("not allowed: {what}") },
        failure => Outcome::Retry { after: None, reason: failure.to_string() },
    }
}

/// The token service's refusal: a wrong clock, key or account, which somebody must mend, or a bad moment.
fn no_token(answer: &Answer, now: SystemTime) -> Outcome {
    let reason = format!("token service: {} {}", answer.status.as_u16(), answer.excerpt());
    match answer.status.as_u16() {
        408 | 429 | 500..=599 => Outcome::Retry { after: answer.retry_after(now), reason },
        _ => Outcome::Misconfigured { reason },
    }
}

/// What is wrong, as Google's APIs say it.
#[derive(Default)]
struct Error {
    status: String,
    message: String,
    /// FCM's own code.
    code: Option<String>,
    /// The fields that are not as they should be.
    fields: Vec<String>,
}

impl Error {
    fn of(answer: &Answer) -> Error {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let error = &body["error"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut read = Error { status: text(&error["status"]), message: text(&error["message"]), ..Error::default() };
        for detail in error["details"].as_array().into_iter().flatten() {
            let kind = detail["@type"].as_str().unwrap_or_default();
            if kind.ends_with("FcmError") {
                read.code = Some(text(&detail["errorCode"]));
            } else if kind.ends_with("BadRequest") {
                let violations = detail["fieldViolations"].as_array().into_iter().flatten();
                read.fields.extend(violations.map(|violation| text(&violation["field"])));
            }
        }
        read
    }
}

fn is_bearer_refused(answer: &Answer) -> bool {
    answer.status == StatusCode::UNAUTHORIZED && Error::of(answer).code.as_deref() != Some("THIRD_PARTY_AUTH_ERROR")
}

/// What each answer means (<https://firebase.google.com/docs/cloud-messaging/error-codes>).
fn read(answer: &Answer, to: &Registration, now: SystemTime) -> Outcome {
    if answer.status.is_success() {
        return Outcome::Accepted;
    }
    let error = Error::of(answer);
    let code = error.code.as_deref();
    let said =
        [error.status.as_str(), code.unwrap_or_default(), error.message.as_str()].join(" ").replace(to.as_str(), "…");
    let short: String = said.chars().filter(|c| !c.is_control()).take(200).collect();
    let reason = format!("{} {}", answer.status.as_u16(), short.trim());
    let names_registration = error.fields.iter().any(|field| matches!(field.as_str(), "message.token" | "message.fid"));
    match (answer.status.as_u16(), code) {
        (404, Some("UNREGISTERED")) => Outcome::Gone,
        (403, Some("SENDER_ID_MISMATCH")) => Outcome::OtherSender { reason },
        (400, Some("INVALID_ARGUMENT")) if error.message.contains("too big") => Outcome::TooLarge,
        (400, Some("INVALID_ARGUMENT")) if error.fields.is_empty() || names_registration => Outcome::Gone,
        (401 | 403 | 404, _) => Outcome::Misconfigured { reason },
        (429, _) => Outcome::Retry { after: Some(answer.retry_after(now).unwrap_or(THROTTLED_PAUSE)), reason },
        (408 | 500..=599, _) => Outcome::Retry { after: Some(answer.retry_after(now).unwrap_or(FAILED_PAUSE)), reason },
        _ => Outcome::OurFault { reason },
    }
}

#[cfg(test)]
mod tests;
