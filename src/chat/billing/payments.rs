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
    let left = seen.row.balance.to_refund() - checkout::refunding(conn, seen.row.id)?;
    if command.amount < -left.max(Cents::ZERO) {
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
/// `UNAUTHENTICATED`, `NOT_FOUND`, `FORBIDDEN`; `CONFLICT` for what Stripe told, a reversal, what is taken back already, and
/// what went back to the client; `INVALID` where more cash would be left than the law allows.
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
    if payments::is_reversed(conn, payment.shown.id)? {
        return Err(Reason::AlreadyReversed.into());
    }
    require_kept(conn, &seen, payment.shown.amount_cents)?;
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

/// Lets only money be taken out of the books that is still there: no more can have gone back than ever came. What is on its
/// way back at Stripe counts as gone.
fn require_kept(conn: &Connection, seen: &Seen, amount: Cents) -> Result<(), Error> {
    let kept = seen.row.balance.paid - checkout::refunding(conn, seen.row.id)?;
    if amount > Cents::ZERO && amount > kept { Err(Reason::AlreadyRefunded.into()) } else { Ok(()) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::contract::command::billing::{CreditInvoice, RecordPayment, ReversePayment};
    use crate::chat::testing::bills::{Office, hour};
    use crate::store::checkout::RefundRow;

    #[test]
    fn what_is_on_its_way_back_at_stripe_goes_back_by_hand_no_second_time() {
        let mut office = Office::open();
        let bill = office.issue(InvoiceType::Standard, vec![hour(10_000)], vec![]);
        let paid = office.pay(&bill, Cents(12_000));
        let credit =
            CreditInvoice { invoice_id: bill.id, lines: None, reason: "geste".to_owned(), refund: Cents::ZERO };
        office.fixture.run(office.juriste, credit).unwrap();
        let refund = RefundRow {
            id: 0,
            invoice_id: bill.id,
            credit_id: None,
            payment_intent: "pi_1".to_owned(),
            amount: Cents(12_000),
            create_key: "key".to_owned(),
            state: "pending".to_owned(),
            stripe_id: None,
            failure: None,
            checks: 0,
        };
        checkout::insert_refund(office.fixture.conn(), &refund, Timestamp::default()).unwrap();
        let back = RecordPayment {
            invoice_id: bill.id,
            method: PaymentMethod::Transfer,
            amount: Cents(-1),
            date: bill.issued_at.unwrap(),
            reference: None,
        };
        let refused = office.fixture.run(office.juriste, back).unwrap_err();
        assert_eq!((refused.reason, refused.details[0].field.as_str()), (Reason::Invalid, "amountCents"));
        let payment_id = paid.inside.unwrap().payments[0].id;
        let reverse = ReversePayment { payment_id, reason: "erreur".to_owned() };
        assert_eq!(office.fixture.run(office.juriste, reverse).unwrap_err().reason, Reason::AlreadyRefunded);
    }
}
