//! Sending a call, and what its failure means.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::call::Call;
use super::event::{self, BadEvent};
use super::object::Event;
use crate::integrations::hook;
use crate::integrations::https::client::{self, Answer, Outbound, Request};
use crate::integrations::https::origin::Origin;

/// The API's version, whatever the account's own is: its description is what the tests hold.
pub const VERSION: &str = "2026-05-27.dahlia";
const STRIPE_API: &str = "https://api.stripe.com";
/// How long one call may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// A hundred events with their objects.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The shortest and the longest pause before a call is tried again.
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(5);

const STRIPE_VERSION: HeaderName = HeaderName::from_static("stripe-version");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The secret key of an account; its `Debug` tells only the mode.
#[derive(Clone)]
pub struct ApiKey {
    authorization: HeaderValue,
    livemode: bool,
}

/// Not a secret key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a secret key of Stripe (sk_live_…, sk_test_…, rk_live_…, rk_test_…)")]
pub struct BadApiKey;

impl ApiKey {
    /// Whether it moves real money.
    pub fn livemode(&self) -> bool {
        self.livemode
    }
}

impl FromStr for ApiKey {
    type Err = BadApiKey;

    /// The content of a file, without the line's end that editors put there.
    fn from_str(text: &str) -> Result<ApiKey, BadApiKey> {
        let text = text.trim();
        let (mode, rest) = text
            .strip_prefix("sk_")
            .or_else(|| text.strip_prefix("rk_"))
            .and_then(|rest| rest.split_once('_'))
            .ok_or(BadApiKey)?;
        let livemode = match mode {
            "live" => true,
            "test" => false,
            _ => return Err(BadApiKey),
        };
        if rest.is_empty() || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(BadApiKey);
        }
        let mut authorization = HeaderValue::from_str(&format!("Bearer {text}")).map_err(|_| BadApiKey)?;
        authorization.set_sensitive(true);
        Ok(ApiKey { authorization, livemode })
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({})", if self.livemode { "live" } else { "test" })
    }
}

/// Whose account, and where Stripe is.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The account's secret key.
    pub key: ApiKey,
    /// What Stripe signs events with; two while it is changed.
    pub webhook_secrets: Vec<hook::Secret>,
    /// Another address than Stripe's (`--stripe-api`).
    pub api: Option<Origin>,
}

/// Sends calls; making one contacts nobody.
pub struct Stripe {
    settings: Settings,
    api: Origin,
    client: client::Client,
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Stripe: {reason}")]
pub struct Failure {
    /// What kind of failure.
    pub kind: Kind,
    /// Whether the same call, with the same key, may succeed later.
    pub again: Again,
    /// One line for people, with Stripe's id of the request where it has one. It holds no key.
    pub reason: String,
}

/// Kinds of failure that callers tell apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing came back; the call may have had its effect.
    Unreachable,
    /// Stripe has too much to do, or an earlier call with the same key is not done.
    Busy,
    /// Stripe failed; the call may have had its effect.
    Broken,
    /// The key is wrong, or may not do this.
    Misconfigured,
    /// There is no such object.
    NotFound,
    /// The idempotency key was used for another request.
    KeyReused,
    /// The payer's bank says no.
    Declined {
        /// `insufficient_funds` …
        decline_code: Option<String>,
    },
    /// The request is wrong, or not possible in the object's state.
    Refused {
        /// `charge_already_refunded`, `amount_too_small` …
        code: Option<String>,
        /// Which field.
        param: Option<String>,
    },
}

/// Whether and when to try the same call again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// It will fail again.
    Never,
    /// Not before this pause; [`pause`] grows with the tries.
    After(Duration),
}

/// The pause before try number `tries + 1` of the same call: doubled each time from half a second to five, of which
/// `fraction` (0 to 1, random) decides the second half, so that many who wait don't come back together.
pub fn pause(tries: u32, fraction: f64) -> Duration {
    let full = PAUSE_MIN.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1).min(16))).min(PAUSE_MAX);
    full.mul_f64(0.5 + fraction.clamp(0.0, 1.0) / 2.0).max(PAUSE_MIN)
}

impl Stripe {
    /// Ready to call.
    pub fn new(settings: Settings, outbound: &Outbound) -> Stripe {
        let api = settings.api.clone().unwrap_or_else(|| STRIPE_API.parse().expect("an origin"));
        let client = outbound.client(api.clone());
        Stripe { settings, api, client }
    }

    /// Whether real money moves.
    pub fn livemode(&self) -> bool {
        self.settings.key.livemode
    }

    /// Sends a call once.
    ///
    /// # Errors
    ///
    /// [`Failure`], which says whether to try again.
    pub async fn send<T: DeserializeOwned>(&self, call: &Call<T>) -> Result<T, Failure> {
        let request = self.request(call)?;
        let answer = self.client.send(request).await.map_err(not_answered)?;
        if !answer.status.is_success() {
            return Err(refusal(&answer, SystemTime::now()));
        }
        serde_json::from_slice(&answer.body).map_err(|error| Failure {
            kind: Kind::Broken,
            again: Again::After(PAUSE_MIN),
            reason: format!("the answer is not understood: {error}{}", request_id(&answer)),
        })
    }

    /// An event that came by itself, if Stripe signed exactly these bytes, lately. Whether its mode is ours, the caller
    /// compares with [`Stripe::livemode`].
    ///
    /// # Errors
    ///
    /// [`BadEvent`].
    pub fn event(&self, signature: &str, body: &[u8], now: SystemTime) -> Result<Event, BadEvent> {
        event::read(signature, body, &self.settings.webhook_secrets, now)
    }

    fn request<T>(&self, call: &Call<T>) -> Result<Request, Failure> {
        let our_fault =
            |reason: String| Failure { kind: Kind::Refused { code: None, param: None }, again: Again::Never, reason };
        let is_query = call.method == Method::GET && !call.form.is_empty();
        let path = if is_query { format!("{}?{}", call.path, call.form) } else { call.path.clone() };
        let uri = self.api.at(&path).map_err(|bad| our_fault(bad.to_string()))?;
        let mut request = match call.method {
            Method::GET => Request::get(uri),
            _ => Request::post(uri, call.form.clone())
                .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
        };
        request = request
            .timeout(TIMEOUT)
            .answer_bytes_max(ANSWER_BYTES_MAX)
            .header(AUTHORIZATION, self.settings.key.authorization.clone())
            .header(STRIPE_VERSION, HeaderValue::from_static(VERSION));
        if let Some(key) = &call.key {
            let key = HeaderValue::from_str(key.as_str()).map_err(|bad| our_fault(bad.to_string()))?;
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        Ok(request)
    }
}

impl fmt::Debug for Stripe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stripe").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn not_answered(failure: client::Failure) -> Failure {
    let reason = failure.to_string();
    match failure {
        client::Failure::NotAllowed(_) => Failure { kind: Kind::Misconfigured, again: Again::Never, reason },
        _ => Failure { kind: Kind::Unreachable, again: Again::After(PAUSE_MIN), reason },
    }
}

fn request_id(answer: &Answer) -> String {
    let id = answer.headers.get("request-id").and_then(|id| id.to_str().ok());
    id.map_or_else(String::new, |id| format!(" ({id})"))
}

/// What Stripe says is wrong.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    #[serde(rename = "type")]
    kind: String,
    code: Option<String>,
    decline_code: Option<String>,
    param: Option<String>,
    message: Option<String>,
}

fn refusal(answer: &Answer, now: SystemTime) -> Failure {
    #[derive(Deserialize)]
    struct Body {
        error: Said,
    }
    let said = serde_json::from_slice(&answer.body).map(|body: Body| body.error).unwrap_or_default();
    let status = answer.status.as_u16();
    let words = said.message.as_deref().map_or_else(|| answer.excerpt(), ToOwned::to_owned);
    let plain: String = words.chars().filter(|c| !c.is_control()).take(200).collect();
    let reason = format!("{status} {} {plain}{}", said.code.as_deref().unwrap_or(&said.kind), request_id(answer));
    let again = again(answer, now);
    let kind = match (status, said.kind.as_str()) {
        (_, "idempotency_error") if status != 409 => Kind::KeyReused,
        (402, _) | (_, "card_error") => Kind::Declined { decline_code: said.decline_code },
        (401 | 403, _) => Kind::Misconfigured,
        (404, _) => Kind::NotFound,
        (409 | 429, _) => Kind::Busy,
        (408 | 500..=599, _) => Kind::Broken,
        _ => Kind::Refused { code: said.code, param: said.param },
    };
    Failure { kind, again, reason }
}

/// Stripe's own libraries' rule: what its header says, else conflicts, throttling and failures of its own.
fn again(answer: &Answer, now: SystemTime) -> Again {
    let advice = answer.headers.get("stripe-should-retry").and_then(|advice| advice.to_str().ok());
    let may = match advice {
        Some("true") => true,
        Some("false") => false,
        _ => matches!(answer.status.as_u16(), 408 | 409 | 429 | 500..=599),
    };
    if may { Again::After(answer.retry_after(now).unwrap_or(PAUSE_MIN).max(PAUSE_MIN)) } else { Again::Never }
}

#[cfg(test)]
mod tests;
