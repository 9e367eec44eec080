//! Stripe: a payment page for an invoice, refunds, and what happened meanwhile.
//!
//! Requests are values ([`call::Call`]) whose answer has a type; [`client::Stripe`] sends one and says, where it fails, whether
//! and when the same call is to be tried again. Every `POST` carries an idempotency key of the caller's, who stores it first:
//! the same key has one effect, however often it is sent. The version of the API is pinned; what Stripe adds is ignored.
//!
//! Nothing but the invoice's number says what is paid for. <https://docs.stripe.com/api>

pub mod call;
pub mod client;
pub mod event;
pub mod form;
pub mod object;
