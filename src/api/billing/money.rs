//! Money: noted by hand, paid at Stripe, given back.

use std::time::Duration;

use serde::Serialize;

use crate::api::call::Call;
use crate::api::reply::Answer;
use crate::chat::contract::bill_fields;
use crate::chat::contract::command::billing::{RefundInvoice, ReversePayment};
use crate::chat::contract::command::stripe::OpenCheckout;
use crate::chat::contract::error::Reason;
use crate::chat::contract::printed_fields;
use crate::model::cents::Cents;
use crate::model::id::{InvoiceId, PaymentId};
use crate::model::invoice::TOTAL_MAX;
use crate::model::timestamp::Timestamp;

/// How long somebody waits for a payment page.
const PAGE_WITHIN: Duration = Duration::from_secs(20);
/// How often it is looked for meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// `POST /invoices/{id}/payments`
pub async fn record(mut call: Call, id: InvoiceId) -> Answer {
    let actor = call.member()?;
    call.chat().load_invoice(actor, id).await?;
    let command = call.body(|fields| bill_fields::record_payment(fields, id)).await?;
    let invoice = call.chat().execute(actor, command).await?;
    call.chat().wake();
    call.json(hyper::StatusCode::CREATED, &invoice)
}

/// `DELETE /payments/{id}`
pub async fn reverse(mut call: Call, id: PaymentId) -> Answer {
    let actor = call.member()?;
    let reason = call.body(|fields| printed_fields::optional_noted(fields, "reason", 500)).await?;
    let reason = reason.unwrap_or_else(|| "Saisie par erreur".to_owned());
    let invoice = call.chat().execute(actor, ReversePayment { payment_id: id, reason }).await?;
    call.chat().wake();
    call.ok(&invoice)
}

/// `POST /invoices/{id}/refund {amountCents}`
pub async fn refund(mut call: Call, id: InvoiceId) -> Answer {
    let actor = call.member()?;
    call.chat().load_invoice(actor, id).await?;
    let amount = call.body(|fields| fields.integer("amountCents", 1..=TOTAL_MAX.0)).await?;
    let invoice = call.chat().execute(actor, RefundInvoice { invoice_id: id, amount: Cents(amount) }).await?;
    call.chat().wake();
    call.ok(&invoice)
}

/// `POST /invoices/{id}/checkout`
pub async fn checkout(call: Call, id: InvoiceId) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Shown {
        url: String,
        expires_at: Timestamp,
    }
    let session_id = call.chat().execute(call.member()?, OpenCheckout { invoice_id: id }).await?;
    call.chat().wake();
    let until = tokio::time::Instant::now() + PAGE_WITHIN;
    loop {
        let session = call.chat().load_checkout(session_id).await?;
        match (session.state.as_str(), session.url) {
            ("open", Some(url)) if !session.is_unwanted => {
                let expires_at = Timestamp::from_millis(session.expires_s.saturating_mul(1_000));
                return call.ok(&Shown { url, expires_at });
            }
            ("creating", _) if tokio::time::Instant::now() < until => tokio::time::sleep(LOOK_EVERY).await,
            ("in_process", _) => return Err(Reason::PaymentInProcess.into()),
            ("paid", _) => return Err(Reason::NothingToPay.into()),
            _ => return Err(Reason::StripeUnreachable.into()),
        }
    }
}
