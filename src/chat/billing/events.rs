//! What Stripe tells by itself, and what comes of it: refunds and disputes of payments that are ours.
//!
//! An event is only a reason to ask: its id is kept once, what it names is asked for again, and that is booked. So it does
//! not matter how often, how late or in which order events come.

use std::time::Duration;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::access::context::Context;
use crate::chat::billing::{checkout as checkout_pages, view};
use crate::chat::contract::command::stripe::{
    BookRefunds, FailRefund, NoteDispute, NoteEventsAsked, PostponeStripe, Postponed, SeenRefund, SeenRefundStatus,
    SettleStripeEvent, StoreStripeEvent,
};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::event::Announcement;
use crate::chat::contract::outcome::Outcome;
use crate::chat::handle::chat::Chat;
use crate::model::billing::PaymentMethod;
use crate::model::cents::Cents;
use crate::model::day::Day;
use crate::model::id::{InvoiceId, PaymentId};
use crate::model::timestamp::Timestamp;
use crate::store::checkout::{self, RefundRow, SessionRow};
use crate::store::database::history;
use crate::store::invoice_series;
use crate::store::payments::{self, NewPayment};
use crate::store::stripe_events::{self, DisputeRow, EventRow};

/// How long until a refund that is under way is asked about again.
const REFUND_CHECK: Duration = Duration::from_secs(3_600);
/// Rows looked at in one go.
const AT_ONCE: i64 = 32;

/// The rule of [`StoreStripeEvent`]: whether it was not known yet.
///
/// # Errors
/// `FORBIDDEN` for all but the program itself.
pub fn store(
    conn: &Connection,
    actor: Actor,
    command: StoreStripeEvent,
    now: Timestamp,
) -> Result<Outcome<bool>, Error> {
    caller::require_system(actor)?;
    let own = history::load(conn)?;
    let outcome = match &command.history {
        _ if !command.is_our_mode => "unknown",
        Some(history) if *history != own => "foreign",
        _ => "waiting",
    };
    let row = EventRow {
        id: command.id,
        kind: command.kind,
        created_s: command.created_s,
        body: Some(command.body).filter(|_| outcome == "waiting"),
        outcome: outcome.to_owned(),
        checks: 0,
    };
    Ok(stripe_events::insert_event(conn, &row, now)?.into())
}

/// The rule of [`SettleStripeEvent`].
///
/// # Errors
/// `FORBIDDEN` for all but the program itself.
pub fn settle(conn: &Connection, actor: Actor, command: &SettleStripeEvent) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    stripe_events::settle_event(conn, &command.id, command.outcome)?;
    Ok(().into())
}

/// The rule of [`NoteEventsAsked`].
///
/// # Errors
/// `FORBIDDEN` for all but the program itself.
pub fn note_asked(conn: &Connection, actor: Actor, command: &NoteEventsAsked) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    stripe_events::set_asked_until_s(conn, command.until_s)?;
    Ok(().into())
}

/// The rule of [`PostponeStripe`].
///
/// # Errors
/// `FORBIDDEN` for all but the program itself.
pub fn postpone(
    conn: &Connection,
    actor: Actor,
    command: PostponeStripe,
    now: Timestamp,
) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    let due_at = now + Duration::from_millis(command.after_ms);
    match command.what {
        Postponed::Checkout(id) => {
            if let Some(mut row) = checkout::find_session(conn, id)? {
                row.checks += 1;
                checkout::set_session(conn, &row, due_at)?;
            }
        }
        Postponed::Refund(id) => {
            if let Some(mut row) = checkout::find_refund(conn, id)? {
                row.checks += 1;
                checkout::set_refund(conn, &row, due_at)?;
            }
        }
        Postponed::Event(id) => stripe_events::postpone_event(conn, &id, due_at)?,
    }
    Ok(().into())
}

/// The rule of [`BookRefunds`]: also of those that were made at Stripe itself.
///
/// # Errors
/// `FORBIDDEN` for all but the program itself; `NOT_FOUND` for a payment of which nothing is known here.
pub fn book_refunds(
    conn: &Connection,
    actor: Actor,
    command: &BookRefunds,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<bool>, Error> {
    caller::require_system(actor)?;
    let invoice_id = invoice_of(conn, &command.payment_intent)?;
    let mut has_news = false;
    for seen in &command.refunds {
        has_news |= book_refund(conn, invoice_id, &command.payment_intent, seen, now, context)?;
    }
    let Outcome { events, .. } = told(conn, invoice_id, now, context)?;
    Ok(Outcome { reply: has_news, events })
}

fn told(
    conn: &Connection,
    invoice_id: InvoiceId,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<()>, Error> {
    let (_, events): (_, Vec<Announcement>) = view::changed(conn, invoice_id, now, context)?;
    Ok(Outcome { reply: (), events })
}

/// The invoice that a payment came for.
fn invoice_of(conn: &Connection, payment_intent: &str) -> Result<InvoiceId, Error> {
    let session = checkout::find_by_payment(conn, payment_intent)?;
    session.map(|session| session.invoice_id).ok_or_else(|| Reason::NotFound.into())
}

/// Whether it gave money back and was not known.
fn book_refund(
    conn: &Connection,
    invoice_id: InvoiceId,
    payment_intent: &str,
    seen: &SeenRefund,
    now: Timestamp,
    context: &Context<'_>,
) -> Result<bool, Error> {
    let (state, ended) = match seen.status {
        SeenRefundStatus::Pending => ("pending", false),
        SeenRefundStatus::Succeeded => ("succeeded", true),
        SeenRefundStatus::Failed => ("failed", true),
    };
    let known = checkout::find_refund_at_stripe(conn, &seen.stripe_id, seen.key.as_deref())?;
    let is_news = known.is_none() && seen.status != SeenRefundStatus::Failed;
    let row = match known {
        Some(row) => row,
        None => made_at_stripe(conn, invoice_id, payment_intent, seen, now)?,
    };
    let row = RefundRow {
        state: state.to_owned(),
        stripe_id: Some(seen.stripe_id.clone()),
        failure: seen.failure.clone(),
        checks: row.checks + u32::from(!ended),
        ..row
    };
    checkout::set_refund(conn, &row, now + REFUND_CHECK)?;
    match seen.status {
        SeenRefundStatus::Pending => {}
        SeenRefundStatus::Succeeded => {
            let on = checkout_pages::day_at_stripe(conn, row.invoice_id, seen.asked_s, now, context)?;
            let gone = Moved { reason: seen.failure.as_deref(), ..Moved::of(&row, &seen.stripe_id, -seen.amount, on) };
            gone.book(conn, now)?;
        }
        SeenRefundStatus::Failed => {
            if let Some(gone) = payments::find_by_stripe_id(conn, &seen.stripe_id)? {
                // It had gone, and came back: the money is the practice's again.
                let today = context.settings.today(now);
                let back = Moved {
                    reason: seen.failure.as_deref(),
                    reverses_id: Some(gone.shown.id),
                    ..Moved::of(&row, &seen.stripe_id, seen.amount, today)
                };
                back.book(conn, now)?;
            }
        }
    }
    Ok(is_news)
}

/// The row of a refund that was made at Stripe itself.
fn made_at_stripe(
    conn: &Connection,
    invoice_id: InvoiceId,
    payment_intent: &str,
    seen: &SeenRefund,
    now: Timestamp,
) -> Result<RefundRow, Error> {
    let mut row = RefundRow {
        id: 0,
        invoice_id,
        credit_id: None,
        payment_intent: payment_intent.to_owned(),
        amount: seen.amount,
        create_key: format!("at-stripe-{}", seen.stripe_id),
        state: "pending".to_owned(),
        stripe_id: Some(seen.stripe_id.clone()),
        failure: None,
        checks: 0,
    };
    row.id = checkout::insert_refund(conn, &row, now)?;
    Ok(row)
}

/// Money that Stripe moved behind a payment.
struct Moved<'a> {
    invoice_id: InvoiceId,
    payment_intent: &'a str,
    /// Of the refund or the dispute.
    stripe_id: &'a str,
    amount: Cents,
    /// The movement that came back.
    reverses_id: Option<PaymentId>,
    reason: Option<&'a str>,
    on: Day,
}

impl<'a> Moved<'a> {
    fn of(row: &'a RefundRow, stripe_id: &'a str, amount: Cents, on: Day) -> Self {
        let (invoice_id, payment_intent) = (row.invoice_id, row.payment_intent.as_str());
        Self { invoice_id, payment_intent, stripe_id, amount, reverses_id: None, reason: None, on }
    }

    fn book(self, conn: &Connection, now: Timestamp) -> Result<(), Error> {
        let paid = payments::find_by_stripe_id(conn, self.payment_intent)?;
        let new = NewPayment {
            invoice_id: self.invoice_id,
            method: paid.map_or(PaymentMethod::Other, |paid| paid.shown.method),
            amount: self.amount,
            paid_on: self.on,
            reference: None,
            reverses_id: self.reverses_id,
            reason: self.reason,
            stripe_id: Some(self.stripe_id).filter(|_| self.reverses_id.is_none()),
            noted_by: None,
        };
        payments::insert(conn, &new, now)?;
        Ok(())
    }
}

/// The rule of [`FailRefund`].
///
/// # Errors
/// `FORBIDDEN` for all but the program itself.
pub fn fail_refund(
    conn: &Connection,
    actor: Actor,
    command: FailRefund,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    let mut row = checkout::find_refund(conn, command.refund_id)?.ok_or(Reason::NotFound)?;
    if row.state != "requested" {
        return Ok(().into());
    }
    row.state = "failed".to_owned();
    row.failure = Some(command.failure);
    checkout::set_refund(conn, &row, now)?;
    told(conn, row.invoice_id, now, context)
}

/// The rule of [`NoteDispute`]. What is lost is taken out of what was paid: it is owed again.
///
/// # Errors
/// `FORBIDDEN` for all but the program itself; `NOT_FOUND` for a payment of which nothing is known here.
pub fn note_dispute(
    conn: &Connection,
    actor: Actor,
    command: &NoteDispute,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    let invoice_id = invoice_of(conn, &command.payment_intent)?;
    let row = DisputeRow {
        stripe_id: &command.stripe_id,
        invoice_id,
        payment_intent: &command.payment_intent,
        amount: command.amount,
        status: &command.status,
        reason: &command.reason,
        asked_s: command.asked_s,
    };
    if !stripe_events::set_dispute(conn, &row)? {
        return Ok(().into());
    }
    let lost = payments::find_by_stripe_id(conn, &command.stripe_id)?;
    let (amount, reverses_id, reason) = match (command.status.as_str(), lost) {
        ("lost", None) => (-command.amount, None, "Litige perdu"),
        // The bank has thought better of it.
        ("won", Some(lost)) => (-lost.shown.amount_cents, Some(lost.shown.id), "Litige gagné"),
        _ => return told(conn, invoice_id, now, context),
    };
    let moved = Moved {
        invoice_id,
        payment_intent: &command.payment_intent,
        stripe_id: &command.stripe_id,
        amount,
        reverses_id,
        reason: Some(reason),
        on: context.settings.today(now),
    };
    moved.book(conn, now)?;
    told(conn, invoice_id, now, context)
}

/// What is to be asked of Stripe now.
#[derive(Clone, Debug, Default)]
pub struct DueAtStripe {
    /// Payment pages, each with its invoice's number and the conversation that its payer returns to.
    pub sessions: Vec<(SessionRow, String, i64)>,
    pub refunds: Vec<RefundRow>,
    pub events: Vec<EventRow>,
}

impl Chat {
    /// What is to be asked of Stripe now; nothing while billing is on hold.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub async fn list_due_at_stripe(&self) -> Result<DueAtStripe, Error> {
        self.ask(|conn, now| {
            if invoice_series::is_on_hold(conn)? {
                return Ok(DueAtStripe::default());
            }
            let mut due = DueAtStripe {
                sessions: Vec::new(),
                refunds: checkout::list_due_refunds(conn, now, AT_ONCE)?,
                events: stripe_events::list_due_events(conn, now, AT_ONCE)?,
            };
            for session in checkout::list_due_sessions(conn, now, AT_ONCE)? {
                if let Some(row) = crate::store::invoices::find(conn, session.invoice_id)? {
                    due.sessions.push((session, row.number.unwrap_or_default(), row.conversation_id.as_i64()));
                }
            }
            Ok(due)
        })
        .await
    }

    /// Since when Stripe is to be asked for its events, in seconds since 1970: the first time since now. `None` while
    /// billing is on hold.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub async fn stripe_events_asked_s(&self) -> Result<Option<i64>, Error> {
        self.ask(|conn, now| {
            if invoice_series::is_on_hold(conn)? {
                return Ok(None);
            }
            Ok(Some(stripe_events::asked_until_s(conn)?.unwrap_or(now.as_secs())))
        })
        .await
    }
}
