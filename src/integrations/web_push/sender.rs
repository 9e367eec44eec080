//! One push to one browser, and what its service answers.

use std::fmt;
use std::time::{Duration, SystemTime};

use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};

use super::encryption::{self, Payload};
use super::subscription::{Services, Subscription};
use super::vapid::{Contact, Keys, Signer};
use crate::integrations::https::client::{Answer, Client, Failure, Outbound, Request};
use crate::integrations::push::Outcome;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(20);
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// The pause after "too many" without a word on how long.
const THROTTLED_PAUSE: Duration = Duration::from_secs(60);
/// The longest that a service may be asked to keep a push.
const TTL_MAX: Duration = Duration::from_secs(28 * 24 * 3600);

const TTL: HeaderName = HeaderName::from_static("ttl");
const URGENCY: HeaderName = HeaderName::from_static("urgency");
const TOPIC: HeaderName = HeaderName::from_static("topic");

/// Who pushes, and to which services.
#[derive(Debug)]
pub struct Settings {
    /// The key pair that browsers subscribed for.
    pub keys: Keys,
    /// Whom a push service may write to.
    pub contact: Contact,
    /// Where a subscription may lead.
    pub services: Services,
}

/// What is pushed.
#[derive(Clone, Debug)]
pub struct Push {
    /// What the page's worker reads.
    pub payload: Payload,
    /// How long the service keeps it for a browser that is not there.
    pub ttl: Duration,
    /// Whether it may wake the device.
    pub urgency: Urgency,
    /// A newer push of the same topic replaces one that was not delivered.
    pub topic: Option<Topic>,
}

/// How much a push matters (RFC 8030, § 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// When the device is awake anyhow.
    Low,
    /// In a while.
    Normal,
    /// Now: a message, a call.
    High,
}

/// 32 letters and digits: what every service takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic(String);

impl Topic {
    /// A topic that says nothing: a keyed hash of what it stands for.
    pub fn from_hash(hash: [u8; 16]) -> Topic {
        Topic(format!("{:032x}", u128::from_be_bytes(hash)))
    }

    /// The text of it, which also tags what the page shows.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Sends pushes; making one contacts nobody.
pub struct Sender {
    client: Client,
    signer: Signer,
    services: Services,
}

impl Sender {
    /// Ready to push.
    pub fn new(settings: Settings, outbound: &Outbound) -> Sender {
        Sender {
            client: outbound.client(settings.services.allowed()),
            signer: Signer::new(settings.keys, settings.contact),
            services: settings.services,
        }
    }

    /// What a page subscribes with, in base64url.
    pub fn public_key(&self) -> &str {
        self.signer.public_key()
    }

    /// Where a subscription may lead.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// Pushes once. A service that finds it too large is handed a push that says nothing: the page's worker knows by itself what to
    /// show then.
    pub async fn send(&self, to: &Subscription, push: &Push) -> Outcome {
        match self.hand_over(to, push, Some(&push.payload)).await {
            Outcome::TooLarge => self.hand_over(to, push, None).await,
            outcome => outcome,
        }
    }

    async fn hand_over(&self, to: &Subscription, push: &Push, payload: Option<&Payload>) -> Outcome {
        let now = SystemTime::now();
        let request = match self.request(to, push, payload, now) {
            Ok(request) => request,
            Err(reason) => return Outcome::OurFault { reason },
        };
        match self.client.send(request).await {
            Ok(answer) => read(&answer, to, now),
            Err(Failure::NotAllowed(what)) => Outcome::OurFault { reason: format!("not allowed: {what}") },
            Err(failure) => Outcome::Retry { after: None, reason: failure.to_string() },
        }
    }

    fn request(
        &self,
        to: &Subscription,
        push: &Push,
        payload: Option<&Payload>,
        now: SystemTime,
    ) -> Result<Request, String> {
        let encrypted = |payload| encryption::encrypt(payload, to).map_err(|error| error.to_string());
        let body = payload.map(encrypted).transpose()?.unwrap_or_default();
        let authorization = self.signer.authorization(to.origin(), now).map_err(|error| error.to_string())?;
        let mut authorization = HeaderValue::from_str(&authorization).map_err(|error| error.to_string())?;
        authorization.set_sensitive(true);
        let mut request = Request::post(to.endpoint().clone(), body)
            .timeout(TIMEOUT)
            .answer_bytes_max(ANSWER_BYTES_MAX)
            .header(AUTHORIZATION, authorization)
            .header(TTL, HeaderValue::from(push.ttl.min(TTL_MAX).as_secs()))
            .header(URGENCY, HeaderValue::from_static(push.urgency.word()));
        if payload.is_some() {
            request = request
                .header(CONTENT_ENCODING, HeaderValue::from_static("aes128gcm"))
                .header(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        }
        if let Some(topic) = &push.topic {
            let topic = HeaderValue::from_str(&topic.0).map_err(|error| error.to_string())?;
            request = request.header(TOPIC, topic);
        }
        Ok(request)
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("public_key", &self.public_key()).finish_non_exhaustive()
    }
}

impl Urgency {
    fn word(self) -> &'static str {
        match self {
            Urgency::Low => "low",
            Urgency::Normal => "normal",
            Urgency::High => "high",
        }
    }
}

/// What each answer means (RFC 8030, § 5 and 7; the services' own texts where one status means several things).
fn read(answer: &Answer, to: &Subscription, now: SystemTime) -> Outcome {
    let text = answer.excerpt();
    // Some services quote the address that was asked for, which is a secret of the device.
    let path = to.endpoint().path();
    let shown = if path.len() > 1 { text.replace(path, "…") } else { text.clone() };
    let reason = format!("{} {shown}", answer.status.as_u16()).trim_end().to_owned();
    match answer.status.as_u16() {
        200..=299 => Outcome::Accepted,
        404 | 410 => Outcome::Gone,
        413 => Outcome::TooLarge,
        429 => Outcome::Retry { after: Some(answer.retry_after(now).unwrap_or(THROTTLED_PAUSE)), reason },
        400..=403 if is_for_other_keys(&text) => Outcome::OtherSender { reason },
        401 | 403 => Outcome::Misconfigured { reason },
        400 if text.contains("UnauthorizedRegistration") => Outcome::Misconfigured { reason },
        408 | 500..=599 => Outcome::Retry { after: answer.retry_after(now), reason },
        _ => Outcome::OurFault { reason },
    }
}

/// The subscription was made for another public key: Google's, Apple's and Mozilla's words for it.
fn is_for_other_keys(text: &str) -> bool {
    ["do not correspond to the credentials", "VapidPkHashMismatch", "VAPID public key mismatch"]
        .iter()
        .any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;
    use hyper::header::{HeaderMap, RETRY_AFTER};

    use super::*;
    use crate::integrations::testing::Party;

    const KEY: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";

    fn subscription() -> Subscription {
        Subscription::new(&Services::known(), "https://web.push.apple.com/secret-path", KEY, "BTBZMqHH6r4Tts7J_aSIgg")
            .unwrap()
    }

    fn answered(status: u16, body: &str, retry_after: Option<&'static str>) -> Outcome {
        let headers = retry_after.map(|pause| (RETRY_AFTER, HeaderValue::from_static(pause)));
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::from_iter(headers),
            body: body.to_owned().into(),
        };
        read(&answer, &subscription(), SystemTime::now())
    }

    #[test]
    fn every_answer_has_its_meaning() {
        for status in [200, 201, 202, 204] {
            assert_eq!(answered(status, "", None), Outcome::Accepted);
        }
        for status in [404, 410] {
            assert_eq!(answered(status, "", None), Outcome::Gone);
        }
        assert_eq!(answered(413, "", None), Outcome::TooLarge);
        for status in [301, 307, 308, 400, 405, 415] {
            assert!(matches!(answered(status, "", None), Outcome::OurFault { .. }), "{status}");
        }
        for (status, body) in [
            (401, r#"{"code":401,"errno":109,"error":"Unauthorized","message":"Invalid VAPID audience"}"#),
            (403, r#"{"reason":"BadJwtToken"}"#),
            (400, "UnauthorizedRegistration"),
        ] {
            assert!(matches!(answered(status, body, None), Outcome::Misconfigured { .. }), "{status} {body}");
        }
        for (status, body) in [
            (
                403,
                "the VAPID credentials in the authorization header do not correspond to the credentials used to create …",
            ),
            (400, r#"{"reason":"VapidPkHashMismatch"}"#),
            (401, "VAPID public key mismatch"),
        ] {
            assert!(matches!(answered(status, body, None), Outcome::OtherSender { .. }), "{status} {body}");
        }
    }

    #[test]
    fn a_service_that_cannot_now_says_when() {
        let pause = |status, retry_after| match answered(status, "", retry_after) {
            Outcome::Retry { after, .. } => after.map(|pause| pause.as_secs()),
            other => panic!("{status}: {other:?}"),
        };
        assert_eq!(pause(429, None), Some(60));
        assert_eq!(pause(429, Some("7")), Some(7));
        assert_eq!(pause(503, Some("120")), Some(120));
        for status in [408, 500, 502, 503, 504] {
            assert_eq!(pause(status, None), None);
        }
    }

    #[test]
    fn a_reason_does_not_name_the_device() {
        let outcome = answered(400, "The URL /secret-path was not understood", None);
        assert_eq!(outcome, Outcome::OurFault { reason: "400 The URL … was not understood".to_owned() });
    }

    #[tokio::test]
    async fn what_is_too_large_is_followed_by_a_push_that_says_nothing() {
        let party = Party::start(|heard| match heard.body.is_empty() {
            false => ("413 Payload Too Large", String::new()),
            true => ("201 Created", String::new()),
        })
        .await;
        let keys = Keys::from_pkcs8(&Keys::generate().unwrap()).unwrap();
        let services = Services::with_extra([party.origin.clone()]);
        let endpoint = format!("{}/secret-path", party.origin);
        let to = Subscription::new(&services, &endpoint, KEY, "BTBZMqHH6r4Tts7J_aSIgg").unwrap();
        let settings = Settings { keys, contact: "a@b.example".parse().unwrap(), services };
        let push = Push {
            payload: Payload::new("vous avez un message").unwrap(),
            ttl: Duration::from_secs(60),
            urgency: Urgency::High,
            topic: Some(Topic::from_hash([7; 16])),
        };
        assert_eq!(Sender::new(settings, &party.outbound()).send(&to, &push).await, Outcome::Accepted);
        let [said, woken] = party.heard().try_into().expect("two pushes");
        assert_eq!(said.header("content-encoding"), Some("aes128gcm"));
        assert_eq!(woken.header("content-encoding"), None);
        for name in ["ttl", "topic", "urgency", "authorization"] {
            assert_eq!(woken.header(name), said.header(name), "{name}");
        }
    }

    #[test]
    fn a_request_carries_what_the_service_needs_and_nothing_in_plain() {
        let keys = Keys::from_pkcs8(&Keys::generate().unwrap()).unwrap();
        let settings = Settings { keys, contact: "a@b.example".parse().unwrap(), services: Services::known() };
        let sender = Sender::new(settings, &Outbound::new(&Default::default()));
        let push = Push {
            payload: Payload::new("vous avez un message").unwrap(),
            ttl: Duration::from_secs(400 * 24 * 3600),
            urgency: Urgency::High,
            topic: Some(Topic::from_hash([7; 16])),
        };
        let request = sender.request(&subscription(), &push, Some(&push.payload), SystemTime::now()).unwrap();
        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("ttl"), (28 * 24 * 3600).to_string());
        assert_eq!((header("urgency"), header("content-encoding")), ("high".to_owned(), "aes128gcm".to_owned()));
        assert_eq!(header("topic"), "07".repeat(16));
        assert!(request.headers()[AUTHORIZATION].is_sensitive());
        assert_eq!(request.body().len(), encryption::BODY_BYTES);
        assert_eq!(request.uri().path(), "/secret-path");
    }
}
