//! Stripe's answers in the words of the rules.

use crate::chat::contract::command::stripe::{CheckoutStatus, SeenRefund, SeenRefundStatus};
use crate::integrations::stripe::object::{
    Charge, PaymentIntent, PaymentIntentStatus, PaymentStatus, Reference, Refund, RefundStatus, Session, SessionStatus,
};
use crate::model::billing::PaymentMethod;
use crate::model::cents::Cents;

/// How a payment page stands.
pub(super) fn status_of(session: &Session, payment: Option<&PaymentIntent>) -> CheckoutStatus {
    match (session.status, session.payment_status) {
        (_, PaymentStatus::Paid) => CheckoutStatus::Paid,
        (Some(SessionStatus::Complete), _) => {
            let has_failed = payment.is_some_and(|payment| {
                matches!(payment.status, PaymentIntentStatus::Canceled | PaymentIntentStatus::RequiresPaymentMethod)
            });
            if has_failed { CheckoutStatus::Over } else { CheckoutStatus::InProcess }
        }
        (Some(SessionStatus::Expired), _) => CheckoutStatus::Over,
        _ => CheckoutStatus::Open,
    }
}

/// How somebody paid.
pub(super) fn method_of(payment: &PaymentIntent) -> PaymentMethod {
    let details = charge_of(payment).and_then(|charge| charge.payment_method_details.as_ref());
    details.and_then(|details| PaymentMethod::find(&details.kind)).unwrap_or(PaymentMethod::Other)
}

/// When money came, in unix time, where that is known: a card is charged at once, anything else arrives days later.
pub(super) fn received_s(payment: &PaymentIntent) -> Option<i64> {
    let is_card = method_of(payment) == PaymentMethod::Card;
    charge_of(payment).filter(|_| is_card).and_then(|charge| charge.created)
}

/// Whether some of it was given back, or is on the way back.
pub(super) fn has_given_back(payment: &PaymentIntent) -> bool {
    charge_of(payment).is_some_and(|charge| charge.amount_refunded > 0)
}

/// Whether the payer's bank asks, or has asked, for it back.
pub(super) fn is_disputed(payment: &PaymentIntent) -> bool {
    charge_of(payment).is_some_and(|charge| charge.disputed)
}

fn charge_of(payment: &PaymentIntent) -> Option<&Charge> {
    payment.latest_charge.as_ref().and_then(Reference::whole)
}

/// A refund as it is written down.
pub(super) fn seen_of(refund: &Refund) -> SeenRefund {
    let status = match refund.status {
        Some(RefundStatus::Succeeded) => SeenRefundStatus::Succeeded,
        Some(RefundStatus::Failed | RefundStatus::Canceled) => SeenRefundStatus::Failed,
        _ => SeenRefundStatus::Pending,
    };
    SeenRefund {
        stripe_id: refund.id.clone(),
        key: refund.metadata.as_ref().and_then(|metadata| metadata.get("refund").cloned()),
        amount: Cents(refund.amount),
        asked_s: refund.created,
        status,
        failure: refund.failure_reason.clone(),
    }
}
