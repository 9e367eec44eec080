//! What Stripe answers: the fields that are acted on. Statuses that it adds one day are `Other`.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A payment page.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Session {
    /// `cs_…`.
    pub id: String,
    /// Whether somebody can still pay there.
    pub status: Option<SessionStatus>,
    /// Whether the money is there.
    pub payment_status: PaymentStatus,
    /// Where the page is; gone when it is over.
    pub url: Option<String>,
    /// In the currency's smallest unit.
    pub amount_total: Option<i64>,
    /// In lower case.
    pub currency: Option<String>,
    /// What the session was made with.
    pub client_reference_id: Option<String>,
    /// What the session was made with.
    #[serde(default)]
    pub metadata: Option<BTreeMap<String, String>>,
    /// The payment, once there is one.
    pub payment_intent: Option<Reference<PaymentIntent>>,
    /// Unix time.
    pub expires_at: Option<i64>,
    /// Whether it is about real money.
    pub livemode: bool,
}

/// Whether somebody can still pay there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    /// Yes.
    Open,
    /// Somebody did; see [`PaymentStatus`] for the money.
    Complete,
    /// No.
    Expired,
    /// Something that Stripe added.
    #[serde(other)]
    Other,
}

/// Whether the money is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Yes.
    Paid,
    /// Not yet: nobody paid, or a transfer is under way.
    Unpaid,
    /// There is nothing to pay.
    NoPaymentRequired,
    /// Something that Stripe added.
    #[serde(other)]
    Other,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PaymentIntent {
    /// `pi_…`.
    pub id: String,
    /// How far it is.
    pub status: PaymentIntentStatus,
    /// What was asked for.
    pub amount: i64,
    /// What came.
    #[serde(default)]
    pub amount_received: i64,
    /// In lower case.
    pub currency: String,
    /// What it was made with.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// The last try to take the money.
    pub latest_charge: Option<Reference<Charge>>,
    /// Why the last try failed.
    pub last_payment_error: Option<PaymentError>,
    /// Whether it is about real money.
    pub livemode: bool,
}

/// How far a payment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentIntentStatus {
    /// Nobody said how to pay, or the last try failed.
    RequiresPaymentMethod,
    /// To be confirmed.
    RequiresConfirmation,
    /// The payer has something to do (3-D Secure).
    RequiresAction,
    /// Under way (SEPA: for days).
    Processing,
    /// Reserved, not taken.
    RequiresCapture,
    /// Done.
    Succeeded,
    /// Over.
    Canceled,
    /// Something that Stripe added.
    #[serde(other)]
    Other,
}

/// Why money was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PaymentError {
    /// `card_declined` …
    pub code: Option<String>,
    /// `insufficient_funds` …
    pub decline_code: Option<String>,
    /// For the payer.
    pub message: Option<String>,
}

/// One taking of money.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Charge {
    /// `ch_…`, `py_…`.
    pub id: String,
    /// When it was taken, or asked of a bank. Unix time.
    pub created: Option<i64>,
    /// What was taken.
    #[serde(default)]
    pub amount_captured: i64,
    /// What of it was given back, or is on the way back.
    #[serde(default)]
    pub amount_refunded: i64,
    /// Whether the payer's bank asks for it back.
    #[serde(default)]
    pub disputed: bool,
    /// The payment that it belongs to.
    pub payment_intent: Option<Reference<PaymentIntent>>,
    /// How it was paid.
    pub payment_method_details: Option<MethodDetails>,
}

impl Charge {
    /// What Stripe still holds of it and can give back; nothing while it is disputed.
    pub fn held(&self) -> i64 {
        if self.disputed { 0 } else { (self.amount_captured - self.amount_refunded).max(0) }
    }
}

/// How something was paid.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MethodDetails {
    /// `card`, `sepa_debit` …
    #[serde(rename = "type")]
    pub kind: String,
}

/// Money on its way back.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Refund {
    /// `re_…`.
    pub id: String,
    /// When it was asked for. Unix time.
    pub created: Option<i64>,
    /// How far it is.
    pub status: Option<RefundStatus>,
    /// In the currency's smallest unit.
    pub amount: i64,
    /// In lower case.
    pub currency: String,
    /// Whose money.
    pub payment_intent: Option<Reference<PaymentIntent>>,
    /// Why it did not arrive.
    pub failure_reason: Option<String>,
    /// What it was made with.
    #[serde(default)]
    pub metadata: Option<BTreeMap<String, String>>,
}

/// How far a refund is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// Under way.
    Pending,
    /// The payer has something to do.
    RequiresAction,
    /// Done.
    Succeeded,
    /// It did not arrive; the money is back at the practice's balance.
    Failed,
    /// Called off.
    Canceled,
    /// Something that Stripe added.
    #[serde(other)]
    Other,
}

/// A payer's bank wants the money back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Dispute {
    /// `dp_…`, `du_…`.
    pub id: String,
    /// How much of it.
    pub amount: i64,
    /// `needs_response`, `won`, `lost` …
    pub status: String,
    /// `fraudulent`, `duplicate` …
    pub reason: String,
    /// Which payment.
    pub payment_intent: Option<String>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Event {
    /// `evt_…`: the same however often it is told.
    pub id: String,
    /// `checkout.session.completed` …
    #[serde(rename = "type")]
    pub kind: String,
    /// Unix time.
    pub created: i64,
    /// Whether it is about real money.
    pub livemode: bool,
    data: EventData,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
struct EventData {
    object: Value,
}

impl Event {
    /// What it happened to, as it was then, read as one of the types here; `None` where it is something else.
    pub fn object<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(&self.data.object).ok()
    }

    /// What stands under this name in the metadata of what it happened to.
    pub fn metadata(&self, name: &str) -> Option<String> {
        self.data.object.get("metadata")?.get(name)?.as_str().map(ToOwned::to_owned)
    }
}

/// A page of a list, newest first.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct List<T> {
    /// Its items.
    pub data: Vec<T>,
    /// Whether there is more behind the last one.
    pub has_more: bool,
}

/// Another object: its id, or, where the call asked for it, all of it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Reference<T> {
    /// The id alone.
    Id(String),
    /// The whole.
    Whole(Box<T>),
}

impl<T> Reference<T> {
    /// The whole, where it came along.
    pub fn whole(&self) -> Option<&T> {
        match self {
            Reference::Id(_) => None,
            Reference::Whole(whole) => Some(whole),
        }
    }
}

impl Reference<PaymentIntent> {
    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Reference::Id(id) => id,
            Reference::Whole(whole) => &whole.id,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_stripe_adds_does_not_break_what_is_read() {
        let session = json!({
            "id": "cs_test_1", "object": "checkout.session", "status": "paused", "payment_status": "paid", "url": null,
            "amount_total": 12000, "currency": "eur", "client_reference_id": "r1", "metadata": {"invoice": "F2026-00042"},
            "payment_intent": "pi_1", "expires_at": 1, "livemode": false, "something_new": {"a": [1]},
        });
        let session: Session = serde_json::from_value(session).unwrap();
        assert_eq!(session.status, Some(SessionStatus::Other));
        assert_eq!(session.payment_intent.unwrap().id(), "pi_1");
        let least: Session =
            serde_json::from_value(json!({"id": "cs_1", "payment_status": "unpaid", "livemode": true})).unwrap();
        assert_eq!((least.status, least.metadata), (None, None));
    }

    #[test]
    fn what_is_held_is_what_can_go_back() {
        let charge = |captured: i64, refunded: i64, disputed: bool| -> i64 {
            let json =
                json!({"id": "ch_1", "amount_captured": captured, "amount_refunded": refunded, "disputed": disputed});
            serde_json::from_value::<Charge>(json).unwrap().held()
        };
        assert_eq!((charge(100, 30, false), charge(100, 100, false), charge(100, 0, true)), (70, 0, 0));
    }

    #[test]
    fn a_reference_is_an_id_or_the_whole() {
        let json = json!({
            "id": "pi_1", "status": "succeeded", "amount": 5, "amount_received": 5, "currency": "eur", "livemode": false,
            "latest_charge": {"id": "ch_1", "amount_captured": 5, "payment_intent": "pi_1", "payment_method_details": {"type": "card"}},
        });
        let payment: PaymentIntent = serde_json::from_value(json).unwrap();
        let charge = payment.latest_charge.as_ref().unwrap().whole().unwrap();
        assert_eq!(charge.held(), 5);
        assert_eq!(Reference::Whole(Box::new(payment.clone())).id(), "pi_1");
    }
}
