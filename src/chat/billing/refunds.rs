//! Money that Stripe is to give back: stored with its key first, sent behind the commit, booked when Stripe says that it went.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::auth::secret;
use crate::chat::access::context::Context;
use crate::chat::billing::{callers, issuing, payments};
use crate::chat::contract::command::billing::RefundInvoice;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::outcome::Outcome;
use crate::model::billing::ShownInvoice;
use crate::model::cents::Cents;
use crate::model::id::InvoiceId;
use crate::model::timestamp::Timestamp;
use crate::store::checkout::{self, RefundRow};

/// The rule of [`RefundInvoice`]: what came beyond what is owed goes back.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`, `FORBIDDEN`; `CONFLICT` for more than came too much or than Stripe holds, and while
/// billing is on hold.
pub fn refund(
    conn: &Connection,
    actor: Actor,
    command: &RefundInvoice,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<ShownInvoice>, Error> {
    let seen = callers::require_keeper(conn, actor, command.invoice_id, now)?;
    issuing::require_no_hold(conn)?;
    let left = seen.row.balance.to_refund() - checkout::refunding(conn, seen.row.id)?;
    if command.amount > left {
        return Err(Reason::RefundTooLarge.into());
    }
    request(conn, seen.row.id, None, command.amount, now)?;
    payments::settled(conn, &seen, now, context)
}

/// Asks for a refund, of the latest payment first.
///
/// # Errors
/// `CONFLICT` for more than Stripe holds; nothing of a disputed payment can go back.
pub fn request(
    conn: &Connection,
    invoice_id: InvoiceId,
    credit_id: Option<InvoiceId>,
    amount: Cents,
    now: Timestamp,
) -> Result<(), Error> {
    let is_disputed = crate::store::invoices::find(conn, invoice_id)?.is_none_or(|row| row.balance.is_disputed);
    let held = checkout::held(conn, invoice_id)?;
    let together: Cents = held.iter().map(|(_, held)| (*held).max(Cents::ZERO)).sum();
    if is_disputed || amount > together {
        return Err(Reason::RefundTooLarge.into());
    }
    let mut left = amount;
    for (payment_intent, held) in held {
        let part = held.max(Cents::ZERO).min(left);
        if part > Cents::ZERO {
            let create_key = random_key()?;
            let state = "requested".to_owned();
            let (id, stripe_id, failure, checks) = (0, None, None, 0);
            let amount = part;
            let new = RefundRow {
                id,
                invoice_id,
                credit_id,
                payment_intent,
                amount,
                create_key,
                state,
                stripe_id,
                failure,
                checks,
            };
            checkout::insert_refund(conn, &new, now)?;
            left -= part;
        }
    }
    Ok(())
}

/// Random, as a key of idempotency or a reference is.
///
/// # Errors
/// `INTERNAL` where the system gives no random bytes.
pub fn random_key() -> Result<String, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|cause| Error::internal(cause.to_string()))?;
    Ok(secret::to_hex(&bytes))
}
