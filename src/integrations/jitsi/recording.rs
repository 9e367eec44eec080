//! What 8x8 tells of calls, and fetching a recording from it.
//!
//! <https://developer.8x8.com/jaas/docs/webhooks-payload>: told at least once, in any order. A recording waits there for a day.

use std::time::{Duration, SystemTime};

use hyper::Uri;
use serde::Deserialize;
use serde_json::Value;

use super::room::Room;
use crate::integrations::hook::{self, BadSignature, Secret, Writing};
use crate::integrations::https::client::{Client, Download, Failure, Outbound, Request};
use crate::integrations::https::origin::{AllowList, Origin, Rule};

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "x-jaas-signature";
/// How long the answer's head and each piece of a recording may take.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Something that happened at 8x8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The same however often it is told.
    pub id: String,
    /// `ROOM_CREATED`, `RECORDING_UPLOADED` …
    pub kind: String,
    /// In which room; `None` where it is none of ours.
    pub room: Option<Room>,
    /// Unix time in milliseconds.
    pub at_ms: i64,
    /// With `RECORDING_UPLOADED`: what can be fetched.
    pub uploaded: Option<Uploaded>,
}

/// A recording that waits.
#[derive(Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// Where; whoever has the address gets the recording.
    link: Uri,
    /// The recording's id at 8x8.
    pub recording_id: String,
    /// How long it is.
    pub duration: Option<Duration>,
}

impl Uploaded {
    /// One that was told before; `None` where the address is none.
    pub fn new(link: &str, recording_id: &str) -> Option<Uploaded> {
        Some(Uploaded { link: link.parse().ok()?, recording_id: recording_id.to_owned(), duration: None })
    }

    /// Where it waits; whoever has the address gets the recording.
    pub fn link(&self) -> &Uri {
        &self.link
    }
}

impl std::fmt::Debug for Uploaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Uploaded({})", self.recording_id)
    }
}

/// Why something that came is no event of 8x8's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEvent {
    /// Not from 8x8, or not now.
    #[error(transparent)]
    Signature(#[from] BadSignature),
    /// Signed, and about another application.
    #[error("about another application")]
    OtherApp,
    /// Signed, and not an event.
    #[error("signed, but not an event")]
    Malformed,
}

/// An event, if one of the secrets signed exactly these bytes, lately, and it is about this application.
///
/// # Errors
///
/// [`BadEvent`].
pub fn read(
    signature: &str,
    body: &[u8],
    secrets: &[Secret],
    app_id: &str,
    now: SystemTime,
) -> Result<Event, BadEvent> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Envelope {
        idempotency_key: String,
        event_type: String,
        app_id: Option<Value>,
        timestamp: Option<i64>,
        fqn: Option<String>,
        #[serde(default)]
        data: Value,
    }
    hook::verify(signature, body, secrets, Writing::Base64, now)?;
    let envelope: Envelope = serde_json::from_slice(body).map_err(|_| BadEvent::Malformed)?;
    let named = envelope.app_id.as_ref().and_then(Value::as_str);
    let (app, room) = match envelope.fqn.as_deref().and_then(|name| name.split_once('/')) {
        Some((app, room)) => (Some(app), Room::parse(room).ok()),
        None => (None, None),
    };
    // One of the two names the application; the envelope's own has been seen as a number.
    if named.or(app).is_none_or(|named| named != app_id) || app.is_some_and(|app| app != app_id) {
        return Err(BadEvent::OtherApp);
    }
    let uploaded = match envelope.event_type.as_str() {
        "RECORDING_UPLOADED" => Some(uploaded(&envelope.data).ok_or(BadEvent::Malformed)?),
        _ => None,
    };
    Ok(Event {
        id: envelope.idempotency_key,
        kind: envelope.event_type,
        room,
        at_ms: envelope.timestamp.unwrap_or_default(),
        uploaded,
    })
}

fn uploaded(data: &Value) -> Option<Uploaded> {
    Some(Uploaded {
        link: data["preAuthenticatedLink"].as_str()?.parse().ok()?,
        recording_id: data["recordingSessionId"].as_str().unwrap_or_default().to_owned(),
        duration: data["durationSec"].as_u64().map(Duration::from_secs),
    })
}

/// Fetches recordings; making one contacts nobody.
#[derive(Clone, Debug)]
pub struct Fetcher {
    client: Client,
}

impl Fetcher {
    /// From 8x8's own domains, and from hosts that the operator typed.
    pub fn new(extra: impl IntoIterator<Item = Origin>, outbound: &Outbound) -> Fetcher {
        let own = ["8x8.vc", "8x8.com", "jitsi.net"].map(|domain| Rule::Below(domain.to_owned()));
        let allowed = AllowList::new(own.into_iter().chain(extra.into_iter().map(Rule::Exact)));
        Fetcher { client: outbound.client(allowed) }
    }

    /// Begins to fetch a recording of at most `bytes_max`. Whether it is one shows in its first bytes: see [`is_mp4`].
    ///
    /// # Errors
    ///
    /// [`Failure`]; an answer of any status is none.
    pub async fn fetch(&self, uploaded: &Uploaded, bytes_max: usize) -> Result<Download, Failure> {
        let request = Request::get(uploaded.link.clone()).timeout(PAUSE_MAX).answer_bytes_max(bytes_max);
        self.client.download(request).await
    }
}

/// Whether a file that begins like this is an MP4.
pub fn is_mp4(beginning: &[u8]) -> bool {
    beginning.get(4..8) == Some(b"ftyp")
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use ring::hmac;
    use serde_json::json;

    use super::*;
    use crate::integrations::testing::Party;

    const APP: &str = "vpaas-magic-cookie-0123";

    fn signed(body: &Value) -> Result<Event, BadEvent> {
        let body = body.to_string();
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"whsec_j");
        let signature = STANDARD.encode(hmac::sign(&key, format!("1000.{body}").as_bytes()));
        let now = UNIX_EPOCH + Duration::from_secs(1000);
        read(&format!("t=1000,v1={signature}"), body.as_bytes(), &[Secret::new("whsec_j").unwrap()], APP, now)
    }

    fn event() -> Value {
        json!({
            "idempotencyKey": "k-1", "customerId": "c", "appId": APP, "eventType": "RECORDING_UPLOADED", "sessionId": "s",
            "timestamp": 1_795_860_000_000_i64, "fqn": format!("{APP}/lex-aaisem2ekvthpcezvk54zxpo74"),
            "data": {"preAuthenticatedLink": "https://recordings.8x8.vc/secret", "recordingSessionId": "r-1", "durationSec": 20},
        })
    }

    #[test]
    fn a_recording_that_waits_is_told() {
        let read = signed(&event()).unwrap();
        assert_eq!(
            (read.id.as_str(), read.kind.as_str(), read.at_ms),
            ("k-1", "RECORDING_UPLOADED", 1_795_860_000_000)
        );
        assert_eq!(read.room, Room::parse("lex-aaisem2ekvthpcezvk54zxpo74").ok());
        let uploaded = read.uploaded.unwrap();
        assert_eq!(uploaded.duration, Some(Duration::from_secs(20)));
        assert_eq!(format!("{uploaded:?}"), "Uploaded(r-1)");
    }

    #[test]
    fn other_events_are_read_and_other_applications_refused() {
        let with = |field: &str, value: Value| {
            let mut event = event();
            event[field] = value;
            signed(&event)
        };
        assert_eq!(with("eventType", json!("ROOM_CREATED")).unwrap().uploaded, None);
        assert_eq!(with("appId", json!(123)).unwrap().id, "k-1");
        assert_eq!(with("fqn", json!(format!("{APP}/somebody-elses"))).unwrap().room, None);
        assert_eq!(with("fqn", Value::Null).unwrap().room, None);
        assert_eq!(with("appId", json!("vpaas-magic-cookie-9")).unwrap_err(), BadEvent::OtherApp);
        assert_eq!(with("fqn", json!("vpaas-magic-cookie-9/room")).unwrap_err(), BadEvent::OtherApp);
        for (field, value) in [
            ("data", json!({})),
            ("data", json!({"preAuthenticatedLink": "no address"})),
            ("idempotencyKey", Value::Null),
        ] {
            assert_eq!(with(field, value).unwrap_err(), BadEvent::Malformed, "{field}");
        }
        assert!(matches!(read("", b"{}", &[], APP, UNIX_EPOCH), Err(BadEvent::Signature(_))));
    }

    #[tokio::test]
    async fn a_recording_is_fetched_from_where_it_may_be_alone() {
        let party = Party::start(|_| ("200 OK", "....ftypisom".to_owned())).await;
        let at = |link: String| Uploaded { link: link.parse().unwrap(), recording_id: "r".to_owned(), duration: None };
        let allowed = Fetcher::new([party.origin.clone()], &party.outbound());
        let mut download = allowed.fetch(&at(format!("{}/r.mp4", party.origin)), 100).await.unwrap();
        assert!(is_mp4(&download.chunk().await.unwrap().unwrap()));
        let own_only = Fetcher::new([], &party.outbound());
        for link in [
            format!("{}/r.mp4", party.origin),
            "https://8x8.vc.evil.example/r".to_owned(),
            "https://169.254.169.254/".to_owned(),
        ] {
            assert!(matches!(own_only.fetch(&at(link), 100).await, Err(Failure::NotAllowed(_))));
        }
        assert_eq!(party.heard().len(), 1);
    }
}
