//! The calls, as values: method, address, form, and the type of the answer.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use hyper::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::form;
use super::object::{Dispute, Event, List, PaymentIntent, Refund, Session};

/// The most items of a page.
pub const PAGE_MAX: u32 = 100;

/// One request, whose answer is a `T`.
#[derive(Clone)]
pub struct Call<T> {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) form: String,
    pub(super) key: Option<IdempotencyKey>,
    answer: PhantomData<fn() -> T>,
}

/// What makes a `POST` have one effect: random, and stored before it is sent. Another request takes another key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// 1 to 255 printable ASCII characters; `None` for anything else.
    pub fn new(text: &str) -> Option<IdempotencyKey> {
        let fits = (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| IdempotencyKey(text.to_owned()))
    }

    /// The text of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A payment page to make.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// In cents; Stripe takes at least 50.
    pub amount_cents: u32,
    /// The one line of it: the invoice's number, nothing about the case.
    pub label: String,
    /// Random; comes back with every answer and event.
    pub client_reference_id: String,
    /// Comes back with session and payment.
    pub metadata: BTreeMap<String, String>,
    /// Where the payer goes afterwards; `{CHECKOUT_SESSION_ID}` in it becomes the session's id.
    pub success_url: String,
    /// Where a payer goes who changes their mind.
    pub cancel_url: String,
    /// Fills in the payer's address.
    pub customer_email: Option<String>,
    /// Whether a SEPA debit is offered beside the card.
    pub sepa: bool,
    /// `fr`, `en`.
    pub locale: &'static str,
    /// Unix time, half an hour to a day from now.
    pub expires_at: u64,
}

/// Money to give back.
#[derive(Clone, Debug)]
pub struct NewRefund {
    /// Whose.
    pub payment_intent: String,
    /// In cents, at most what is held.
    pub amount_cents: u32,
    /// Comes back with the refund.
    pub metadata: BTreeMap<String, String>,
}

/// Which events to list.
#[derive(Clone, Debug, Default)]
pub struct EventsWanted {
    /// Of these types alone; all where empty (Stripe takes at most 20).
    pub kinds: Vec<&'static str>,
    /// Not before this unix time; Stripe keeps thirty days.
    pub since: Option<u64>,
    /// Older than this event: the next page.
    pub starting_after: Option<String>,
    /// Newer than this event: what was missed.
    pub ending_before: Option<String>,
}

impl<T> Call<T> {
    fn get(path: String, query: &Value) -> Call<T> {
        Call { method: Method::GET, path, form: form::encode(query), key: None, answer: PhantomData }
    }

    fn post(path: String, fields: &Value, key: IdempotencyKey) -> Call<T> {
        Call { method: Method::POST, path, form: form::encode(fields), key: Some(key), answer: PhantomData }
    }
}

impl Call<Session> {
    /// Makes a payment page.
    pub fn create_session(new: &NewSession, key: IdempotencyKey) -> Call<Session> {
        let methods: &[&str] = if new.sepa { &["card", "sepa_debit"] } else { &["card"] };
        let price = json!({"currency": "eur", "unit_amount": new.amount_cents, "product_data": {"name": new.label}});
        let fields = json!({
            "mode": "payment",
            "line_items": [{"quantity": 1, "price_data": price}],
            "payment_method_types": methods,
            "client_reference_id": new.client_reference_id,
            "metadata": new.metadata,
            "payment_intent_data": {"description": new.label, "metadata": new.metadata},
            "success_url": new.success_url,
            "cancel_url": new.cancel_url,
            "customer_email": new.customer_email,
            "locale": new.locale,
            "expires_at": new.expires_at,
        });
        Call::post("/v1/checkout/sessions".to_owned(), &fields, key)
    }

    /// Asks for a session, with its payment and the payment's charge.
    pub fn session(id: &str) -> Call<Session> {
        let query = json!({"expand": ["payment_intent.latest_charge"]});
        Call::get(format!("/v1/checkout/sessions/{}", segment(id)), &query)
    }

    /// Ends a session on which nobody has paid yet.
    pub fn expire_session(id: &str, key: IdempotencyKey) -> Call<Session> {
        Call::post(format!("/v1/checkout/sessions/{}/expire", segment(id)), &json!({}), key)
    }
}

impl Call<PaymentIntent> {
    /// Asks for a payment, with its charge: what came, and what of it is still held.
    pub fn payment_intent(id: &str) -> Call<PaymentIntent> {
        Call::get(format!("/v1/payment_intents/{}", segment(id)), &json!({"expand": ["latest_charge"]}))
    }
}

impl Call<Refund> {
    /// Gives money back.
    pub fn create_refund(new: &NewRefund, key: IdempotencyKey) -> Call<Refund> {
        let fields = json!({
            "payment_intent": new.payment_intent,
            "amount": new.amount_cents,
            "reason": "requested_by_customer",
            "metadata": new.metadata,
        });
        Call::post("/v1/refunds".to_owned(), &fields, key)
    }

    /// Asks for a refund.
    pub fn refund(id: &str) -> Call<Refund> {
        Call::get(format!("/v1/refunds/{}", segment(id)), &json!({}))
    }
}

impl Call<List<Refund>> {
    /// All refunds of a payment, newest first.
    pub fn refunds_of(payment_intent: &str) -> Call<List<Refund>> {
        Call::get("/v1/refunds".to_owned(), &json!({"payment_intent": payment_intent, "limit": PAGE_MAX}))
    }
}

impl Call<List<Dispute>> {
    /// All disputes of a payment, newest first.
    pub fn disputes_of(payment_intent: &str) -> Call<List<Dispute>> {
        Call::get("/v1/disputes".to_owned(), &json!({"payment_intent": payment_intent, "limit": PAGE_MAX}))
    }
}

impl Call<List<Event>> {
    /// What happened, newest first.
    pub fn events(wanted: &EventsWanted) -> Call<List<Event>> {
        let kinds = (!wanted.kinds.is_empty()).then_some(&wanted.kinds);
        let query = json!({
            "types": kinds,
            "created": {"gte": wanted.since},
            "starting_after": wanted.starting_after,
            "ending_before": wanted.ending_before,
            "limit": PAGE_MAX,
        });
        Call::get("/v1/events".to_owned(), &query)
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({} {})", self.method, self.path)
    }
}

/// An id as a part of a path: it came from outside.
fn segment(id: &str) -> String {
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_');
    utf8_percent_encode(id, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> IdempotencyKey {
        IdempotencyKey::new("k1").unwrap()
    }

    #[test]
    fn a_payment_page_says_the_invoices_number_and_nothing_else() {
        let new = NewSession {
            amount_cents: 12_000,
            label: "F2026-00042".to_owned(),
            client_reference_id: "r1".to_owned(),
            metadata: BTreeMap::from([("history".to_owned(), "h1".to_owned())]),
            success_url: "https://chat.example/?s={CHECKOUT_SESSION_ID}".to_owned(),
            cancel_url: "https://chat.example/".to_owned(),
            customer_email: None,
            sepa: true,
            locale: "fr",
            expires_at: 1_795_860_000,
        };
        let call = Call::create_session(&new, key());
        assert_eq!(
            call.form.split('&').collect::<Vec<_>>(),
            [
                "cancel_url=https%3A%2F%2Fchat.example%2F",
                "client_reference_id=r1",
                "expires_at=1795860000",
                "line_items[0][price_data][currency]=eur",
                "line_items[0][price_data][product_data][name]=F2026-00042",
                "line_items[0][price_data][unit_amount]=12000",
                "line_items[0][quantity]=1",
                "locale=fr",
                "metadata[history]=h1",
                "mode=payment",
                "payment_intent_data[description]=F2026-00042",
                "payment_intent_data[metadata][history]=h1",
                "payment_method_types[0]=card",
                "payment_method_types[1]=sepa_debit",
                "success_url=https%3A%2F%2Fchat.example%2F%3Fs%3D%7BCHECKOUT_SESSION_ID%7D",
            ]
        );
        assert_eq!((call.method, call.key.as_ref()), (Method::POST, Some(&key())));
    }

    #[test]
    fn an_id_from_outside_stays_one_segment() {
        assert_eq!(Call::session("cs_test_a1").path, "/v1/checkout/sessions/cs_test_a1");
        assert_eq!(Call::refund("../events?x=1#").path, "/v1/refunds/%2E%2E%2Fevents%3Fx%3D1%23");
    }

    #[test]
    fn events_are_asked_for_as_wanted() {
        assert_eq!(Call::events(&EventsWanted::default()).form, "limit=100");
        let wanted = EventsWanted {
            kinds: vec!["refund.failed"],
            since: Some(7),
            ending_before: Some("evt_1".to_owned()),
            ..Default::default()
        };
        assert_eq!(Call::events(&wanted).form, "created[gte]=7&ending_before=evt_1&limit=100&types[0]=refund.failed");
    }

    #[test]
    fn a_key_is_one_that_a_header_can_carry() {
        for text in ["", "a b", "é", "a\n", &"x".repeat(256)] {
            assert!(IdempotencyKey::new(text).is_none(), "{text}");
        }
        assert!(IdempotencyKey::new(&"x".repeat(255)).is_some());
    }
}
