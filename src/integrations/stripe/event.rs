//! What Stripe tells by itself.

use std::time::SystemTime;

use serde::Deserialize;

use super::object::Event;
use crate::integrations::hook::{self, BadSignature, Secret, Writing};

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "stripe-signature";

/// Why something that came is no event of Stripe's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEvent {
    /// Not from Stripe, or not now.
    #[error(transparent)]
    Signature(#[from] BadSignature),
    /// Signed, and not an event with its object (Stripe's "thin" events have none).
    #[error("signed, but not an event with its object: the endpoint must be one for snapshots")]
    Malformed,
}

/// An event, if one of the secrets signed exactly these bytes, lately.
///
/// # Errors
///
/// [`BadEvent`].
pub fn read(signature: &str, body: &[u8], secrets: &[Secret], now: SystemTime) -> Result<Event, BadEvent> {
    #[derive(Deserialize)]
    struct Kind {
        object: String,
    }
    hook::verify(signature, body, secrets, Writing::Hex, now)?;
    let is_event = serde_json::from_slice::<Kind>(body).is_ok_and(|kind| kind.object == "event");
    let event = serde_json::from_slice(body).ok().filter(|_| is_event);
    event.ok_or(BadEvent::Malformed)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use ring::hmac;
    use serde_json::json;

    use super::*;
    use crate::integrations::stripe::object::{PaymentStatus, Session};

    fn signed(body: &str) -> Result<Event, BadEvent> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"whsec_a");
        let signature = hmac::sign(&key, format!("1000.{body}").as_bytes());
        let hex: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let now = UNIX_EPOCH + Duration::from_secs(1000);
        read(&format!("t=1000,v1={hex}"), body.as_bytes(), &[Secret::new("whsec_a").unwrap()], now)
    }

    #[test]
    fn an_event_is_read_with_its_object() {
        let body = json!({
            "id": "evt_1", "object": "event", "type": "checkout.session.completed", "created": 7, "livemode": false,
            "data": {"object": {"id": "cs_1", "payment_status": "unpaid", "livemode": false}}, "api_version": "x",
        });
        let event = signed(&body.to_string()).unwrap();
        assert_eq!((event.id.as_str(), event.kind.as_str()), ("evt_1", "checkout.session.completed"));
        assert_eq!(event.object::<Session>().unwrap().payment_status, PaymentStatus::Unpaid);
        assert!(event.object::<crate::integrations::stripe::object::Refund>().is_none());
    }

    #[test]
    fn what_is_signed_and_no_event_is_refused() {
        let thin = json!({"id": "evt_1", "object": "v2.core.event", "type": "x", "created": "2026", "livemode": false});
        for body in ["", "{}", "[]", r#"{"object":"event"}"#, thin.to_string().as_str()] {
            assert_eq!(signed(body).unwrap_err(), BadEvent::Malformed, "{body}");
        }
        assert!(matches!(read("t=1", b"{}", &[], SystemTime::now()), Err(BadEvent::Signature(_))));
    }
}
