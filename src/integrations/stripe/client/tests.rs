use hyper::StatusCode;
use hyper::header::HeaderMap;
use serde_json::json;

use super::*;
use crate::integrations::stripe::call::{EventsWanted, IdempotencyKey, NewRefund};
use crate::integrations::testing::Party;

fn stripe(party: &Party) -> Stripe {
    let key = "sk_test_abc\n".parse().unwrap();
    Stripe::new(Settings { key, webhook_secrets: Vec::new(), api: Some(party.origin.clone()) }, &party.outbound())
}

fn refund() -> Call<crate::integrations::stripe::object::Refund> {
    let new = NewRefund { payment_intent: "pi_1".to_owned(), amount_cents: 500, metadata: Default::default() };
    Call::create_refund(&new, IdempotencyKey::new("key-1").unwrap())
}

#[tokio::test]
async fn a_call_carries_key_version_and_idempotency_key() {
    let party = Party::start(|_| {
        ("200 OK", json!({"id": "re_1", "amount": 500, "currency": "eur", "status": "pending"}).to_string())
    })
    .await;
    let refund = stripe(&party).send(&refund()).await.unwrap();
    assert_eq!(refund.id, "re_1");
    let heard = &party.heard()[0];
    assert_eq!(heard.line, "POST /v1/refunds");
    assert_eq!(heard.header("authorization"), Some("Bearer sk_test_abc"));
    assert_eq!(heard.header("stripe-version"), Some("2026-05-27.dahlia"));
    assert_eq!(heard.header("idempotency-key"), Some("key-1"));
    assert_eq!(heard.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(heard.body, "amount=500&payment_intent=pi_1&reason=requested_by_customer");
}

#[tokio::test]
async fn a_question_is_a_query_without_a_key() {
    let party = Party::start(|_| ("200 OK", json!({"data": [], "has_more": false}).to_string())).await;
    let events = stripe(&party).send(&Call::events(&EventsWanted::default())).await.unwrap();
    assert!(events.data.is_empty());
    let heard = &party.heard()[0];
    assert_eq!(heard.line, "GET /v1/events?limit=100");
    assert_eq!((heard.header("idempotency-key"), heard.body.len()), (None, 0));
}

#[tokio::test]
async fn without_an_answer_the_same_call_may_be_sent_again() {
    let party = Party::start(|_| ("", String::new())).await;
    let failure = stripe(&party).send(&refund()).await.unwrap_err();
    assert_eq!((failure.kind, failure.again), (Kind::Unreachable, Again::After(PAUSE_MIN)));
    let party = Party::start(|_| ("200 OK", "<html>".to_owned())).await;
    let failure = stripe(&party).send(&refund()).await.unwrap_err();
    assert_eq!((failure.kind, failure.again), (Kind::Broken, Again::After(PAUSE_MIN)));
}

fn refused(status: u16, error: serde_json::Value, headers: &[(&'static str, &'static str)]) -> Failure {
    let headers = headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    let body = json!({"error": error}).to_string().into();
    let answer = Answer { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::from_iter(headers), body };
    refusal(&answer, SystemTime::now())
}

#[test]
fn a_refusal_says_what_is_wrong_and_whether_to_come_back() {
    let after = |seconds: u64| Again::After(Duration::from_secs(seconds));
    let kinds = [
        (400, json!({"type": "idempotency_error"}), Kind::KeyReused, Again::Never),
        (
            409,
            json!({"type": "idempotency_error", "code": "idempotency_key_in_use"}),
            Kind::Busy,
            Again::After(PAUSE_MIN),
        ),
        (
            402,
            json!({"type": "card_error", "code": "card_declined", "decline_code": "lost_card"}),
            Kind::Declined { decline_code: Some("lost_card".to_owned()) },
            Again::Never,
        ),
        (401, json!({"type": "invalid_request_error"}), Kind::Misconfigured, Again::Never),
        (403, json!({"type": "invalid_request_error"}), Kind::Misconfigured, Again::Never),
        (404, json!({"type": "invalid_request_error", "code": "resource_missing"}), Kind::NotFound, Again::Never),
        (
            400,
            json!({"type": "invalid_request_error", "code": "amount_too_small", "param": "amount"}),
            Kind::Refused { code: Some("amount_too_small".to_owned()), param: Some("amount".to_owned()) },
            Again::Never,
        ),
        (429, json!({"type": "invalid_request_error"}), Kind::Busy, Again::After(PAUSE_MIN)),
        (500, json!({"type": "api_error"}), Kind::Broken, Again::After(PAUSE_MIN)),
        (503, json!(7), Kind::Broken, Again::After(PAUSE_MIN)),
    ];
    for (status, error, kind, again) in kinds {
        let failure = refused(status, error.clone(), &[]);
        assert_eq!((failure.kind, failure.again), (kind, again), "{status} {error}");
    }
    assert_eq!(refused(429, json!({}), &[("retry-after", "7")]).again, after(7));
    assert_eq!(refused(500, json!({}), &[("stripe-should-retry", "false")]).again, Again::Never);
    assert_eq!(refused(400, json!({}), &[("stripe-should-retry", "true")]).again, Again::After(PAUSE_MIN));
    let failure =
        refused(400, json!({"type": "invalid_request_error", "message": "No such\nthing"}), &[("request-id", "req_1")]);
    assert_eq!(failure.to_string(), "Stripe: 400 invalid_request_error No suchthing (req_1)");
}

#[test]
fn pauses_double_and_scatter() {
    let at = |tries, fraction| pause(tries, fraction).as_millis();
    assert_eq!(
        [at(1, 1.0), at(2, 1.0), at(3, 1.0), at(4, 1.0), at(5, 1.0), at(99, 1.0)],
        [500, 1000, 2000, 4000, 5000, 5000]
    );
    assert_eq!([at(0, 0.0), at(1, 0.0), at(3, 0.0), at(9, 0.5)], [500, 500, 1000, 3750]);
}

#[test]
fn a_key_says_whether_it_moves_money_and_is_not_shown() {
    for (text, livemode) in
        [("sk_live_a1", true), ("sk_test_a1", false), ("rk_live_a_1\n", true), ("rk_test_a1", false)]
    {
        let key: ApiKey = text.parse().unwrap();
        assert_eq!(key.livemode(), livemode, "{text}");
        assert!(!format!("{key:?} {:?}", key.authorization).contains("a1"));
    }
    for text in ["", "pk_live_a", "sk_live_", "sk_a", "sk_live_a b", "whsec_a", "sk_live_é", "sk_other_a"] {
        assert_eq!(text.parse::<ApiKey>().unwrap_err(), BadApiKey, "{text}");
    }
}
