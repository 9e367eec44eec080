//! What is asked of Stripe, and what Stripe told. All but the first are the program's own.

use crate::model::billing::PaymentMethod;
use crate::model::cents::Cents;
use crate::model::id::InvoiceId;

/// Opens a page at Stripe where the client pays: the one that is open and right, or a new one.
#[derive(Debug)]
pub struct OpenCheckout {
    pub invoice_id: InvoiceId,
}

/// A payment page exists now. System only.
#[derive(Debug)]
pub struct NoteCheckout {
    pub session_id: i64,
    /// `cs_…`
    pub stripe_id: String,
    pub url: String,
    pub expires_s: i64,
}

/// Stripe refused to make a payment page. System only.
#[derive(Debug)]
pub struct FailCheckout {
    pub session_id: i64,
    pub failure: String,
}

/// How a payment page stands, as Stripe said when it was asked. System only.
#[derive(Debug)]
pub struct BookCheckout {
    /// `cs_…`
    pub stripe_id: String,
    /// `client_reference_id`
    pub reference: String,
    pub status: CheckoutStatus,
    /// The payment, once there is one.
    pub payment_intent: Option<String>,
    /// What came.
    pub amount: Cents,
    /// In lower case.
    pub currency: String,
    pub method: PaymentMethod,
    /// When it came, in unix time, where Stripe says so.
    pub received_s: Option<i64>,
}

/// How a payment page stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CheckoutStatus {
    /// Somebody can still pay there.
    Open,
    /// Somebody paid, and the money is on its way.
    InProcess,
    /// The money is there.
    Paid,
    /// Nobody can pay there any more.
    Over,
}

/// Nothing was heard: to be tried again later. System only.
#[derive(Debug)]
pub struct PostponeStripe {
    pub what: Postponed,
    /// Milliseconds from now.
    pub after_ms: u64,
}

/// What is tried again later.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Postponed {
    Checkout(i64),
    Refund(i64),
    Event(String),
}

/// How a payment's refunds stand, as Stripe said when it was asked: whether there were any that gave money back and were
/// not known here. System only.
#[derive(Debug)]
pub struct BookRefunds {
    pub payment_intent: String,
    pub refunds: Vec<SeenRefund>,
}

/// A refund as Stripe tells of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeenRefund {
    /// `re_…`
    pub stripe_id: String,
    /// The key that it was asked for with, where it is ours.
    pub key: Option<String>,
    pub amount: Cents,
    /// When it was asked for, in unix time.
    pub asked_s: Option<i64>,
    pub status: SeenRefundStatus,
    pub failure: Option<String>,
}

/// How far a refund is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SeenRefundStatus {
    Pending,
    Succeeded,
    Failed,
}

/// Stripe refused a refund, or must not be asked for it. System only.
#[derive(Debug)]
pub struct FailRefund {
    pub refund_id: i64,
    pub failure: String,
}

/// Keeps an event that Stripe told, once. System only.
#[derive(Debug)]
pub struct StoreStripeEvent {
    /// `evt_…`
    pub id: String,
    pub kind: String,
    pub created_s: i64,
    /// Whether its mode is that of the key.
    pub is_our_mode: bool,
    /// `metadata[history]` of what it happened to, where that has one.
    pub history: Option<String>,
    /// As it came.
    pub body: String,
}

/// An event has taken effect, or has none. System only.
#[derive(Debug)]
pub struct SettleStripeEvent {
    pub id: String,
    /// `done` or `unknown`.
    pub outcome: &'static str,
}

/// Stripe was asked for all its events up to then. System only.
#[derive(Debug)]
pub struct NoteEventsAsked {
    /// In seconds since 1970.
    pub until_s: i64,
}

/// A payer's bank asks for money back, or no longer does. System only.
#[derive(Debug)]
pub struct NoteDispute {
    pub stripe_id: String,
    pub payment_intent: String,
    pub amount: Cents,
    pub status: String,
    pub reason: String,
    /// When Stripe was asked, in seconds since 1970.
    pub asked_s: i64,
}
