//! Money that comes beside Stripe, noted by hand, and its reversal. Money that comes is always booked.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::context::Context;
use crate::chat::billing::callers::{self, Seen};
use crate::chat::billing::view::{self, Today};
use crate::chat::contract::command::billing::{RecordPayment, ReversePayment};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::outcome::Outcome;
use crate::model::billing::{CASH_MAX, PaymentMethod, ShownInvoice};
use crate::model::cents::Cents;
use crate::model::id::InvoiceId;
use crate::model::invoice::InvoiceType;
use crate::model::locale::Text;
use crate::model::timestamp::Timestamp;
use crate::store::payments::{self, NewPayment};
use crate::store::{checkout, invoices};

/// The rule of [`RecordPayment`].
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`, `FORBIDDEN`; `INVALID` for a day to come, for more cash than the law allows, and for
/// more going back than is to; `CONFLICT` for a draft or a credit note.
pub fn record(
    conn: &Connection,
    actor: Actor,
    command: &RecordPayment,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<ShownInvoice>, Error> {
    let seen = callers::require_keeper(conn, actor, command.invoice_id, now)?;
    require_invoice(&seen)?;
    if command.date > context.settings.today(now) {
        return Err(Error::invalid("date", Text::new("est dans l’avenir", "lies in the future")));
    }
    if command.amount < -seen.row.balance.to_refund() {
        let said = Text::new("dépasse ce qui est à rembourser", "is more than what is to go back");
        return Err(Error::invalid("amountCents", said));
    }
    require_little_cash(conn, seen.row.id, command.method, command.amount)?;
    let new = NewPayment {
        invoice_id: seen.row.id,
        method: command.method,
        amount: command.amount,
        paid_on: command.date,
        reference: command.reference.as_deref(),
        reverses_id: None,
        reason: None,
        stripe_id: None,
        noted_by: Some(seen.member.user_id),
    };
    payments::insert(conn, &new, now)?;
    settled(conn, &seen, now, context)
}

/// The rule of [`ReversePayment`].
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`, `FORBIDDEN`; `CONFLICT` for what Stripe told, a reversal, and what is taken back already;
/// `INVALID` where more cash would be left than the law allows.
pub fn reverse(
    conn: &Connection,
    actor: Actor,
    command: &ReversePayment,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<ShownInvoice>, Error> {
    crate::chat::access::caller::require_member(conn, actor, now)?;
    let payment = payments::find(conn, command.payment_id)?.ok_or(Reason::NotFound)?;
    let seen = callers::require_keeper(conn, actor, payment.invoice_id, now)?;
    let is_by_hand = payment.shown.method.is_by_hand() && payment.stripe_id.is_none();
    if !is_by_hand || payment.shown.reverses_id.is_some() {
        return Err(Reason::NotByHand.into());
    }
    require_little_cash(conn, seen.row.id, payment.shown.method, -payment.shown.amount_cents)?;
    let new = NewPayment {
        invoice_id: seen.row.id,
        method: payment.shown.method,
        amount: -payment.shown.amount_cents,
        paid_on: context.settings.today(now).max(payment.shown.date),
        reference: None,
        reverses_id: Some(payment.shown.id),
        reason: Some(&command.reason),
        stripe_id: None,
        noted_by: Some(seen.member.user_id),
    };
    if payments::insert(conn, &new, now)?.is_none() {
        return Err(Reason::AlreadyReversed.into());
    }
    settled(conn, &seen, now, context)
}

/// Lets an amount be noted unless it is cash, of which there would be more than the law allows.
fn require_little_cash(conn: &Connection, id: InvoiceId, method: PaymentMethod, amount: Cents) -> Result<(), Error> {
    let comes = method == PaymentMethod::Cash && amount > Cents::ZERO;
    if comes && payments::cash_of(conn, id)? + amount > CASH_MAX {
        let said = Text::new(
            "au plus 1 000 € en espèces par facture (CMF, art. D112-3)",
            "at most 1,000 € in cash for one invoice (CMF, art. D112-3)",
        );
        return Err(Error::invalid("amountCents", said));
    }
    Ok(())
}

/// Lets only what is to be paid go on.
///
/// # Errors
/// `CONFLICT` for a credit note.
pub fn require_invoice(seen: &Seen) -> Result<(), Error> {
    if seen.row.r#type == InvoiceType::Credit { Err(Reason::NotAnInvoice.into()) } else { Ok(()) }
}

/// What has changed, told to everybody concerned; payment pages over another amount are to be expired.
pub(in crate::chat::billing) fn settled(
    conn: &Connection,
    seen: &Seen,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<ShownInvoice>, Error> {
    let (row, events) = view::changed(conn, seen.row.id, now, context)?;
    expire_others(conn, row.id, now)?;
    let reply = view::show(conn, &row, seen.viewer, Today::of(context.settings, now))?;
    Ok(Outcome { reply, events })
}

/// Payment pages of an invoice over another amount than what is to be paid now are to be expired.
///
/// # Errors
/// `INTERNAL`.
pub fn expire_others(conn: &Connection, id: InvoiceId, now: Timestamp) -> Result<(), Error> {
    let due = invoices::find(conn, id)?.map_or(Cents::ZERO, |row| row.balance.due());
    for mut session in checkout::list_live(conn, id)? {
        if session.amount != due && !session.is_unwanted {
            session.is_unwanted = true;
            checkout::set_session(conn, &session, now)?;
        }
    }
    Ok(())
}
