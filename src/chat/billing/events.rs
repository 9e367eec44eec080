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
    BookRefunds, FailRefund, NoteDispute, PostponeStripe, Postponed, SeenRefund, SeenRefundStatus, SettleStripeEvent,
    StoreStripeEvent,
};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::event::Announcement;
use crate::chat::contract::outcome::Outcome;
use crate::chat::handle::chat::Chat;
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
        None => {
            let mut row = RefundRow {
                id: 0,
                invoice_id,
                credit_id: None,
                payment_intent: payment_intent.to_owned(),
                amount: seen.amount,
                create_key: format!("at-stripe-{}", seen.stripe_id),
                state: state.to_owned(),
                stripe_id: Some(seen.stripe_id.clone()),
                failure: None,
                checks: 0,
            };
            row.id = checkout::insert_refund(conn, &row, now)?;
            row
        }
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
            move_money(conn, &row, seen, -seen.amount, None, on, now)?;
        }
        SeenRefundStatus::Failed => {
            if let Some(gone) = payments::find_by_stripe_id(conn, &seen.stripe_id)? {
                // It had gone, and came back: the money is the practice's again.
                let today = context.settings.today(now);
                move_money(conn, &row, seen, seen.amount, Some(gone.shown.id), today, now)?;
            }
        }
    }
    Ok(is_news)
}

fn move_money(
    conn: &Connection,
    row: &RefundRow,
    seen: &SeenRefund,
    amount: Cents,
    reverses_id: Option<PaymentId>,
    on: Day,
    now: Timestamp,
) -> Result<(), Error> {
    let paid = payments::find_by_stripe_id(conn, &row.payment_intent)?;
    let method = paid.map_or(crate::model::billing::PaymentMethod::Other, |paid| paid.shown.method);
    let new = NewPayment {
        invoice_id: row.invoice_id,
        method,
        amount,
        paid_on: on,
        reference: None,
        reverses_id,
        reason: seen.failure.as_deref(),
        stripe_id: Some(seen.stripe_id.as_str()).filter(|_| reverses_id.is_none()),
        noted_by: None,
    };
    payments::insert(conn, &new, now)?;
    Ok(())
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

/// The rule of [`NoteDispute`].
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
        amount: command.amount,
        status: &command.status,
        reason: &command.reason,
        event_s: command.event_s,
    };
    stripe_events::set_dispute(conn, &row)?;
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

    /// When the latest event that is known happened, in seconds since 1970. While billing is on hold none counts: nothing is
    /// asked then.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub async fn latest_stripe_event_s(&self) -> Result<Option<i64>, Error> {
        self.ask(|conn, _| {
            let is_on_hold = invoice_series::is_on_hold(conn)?;
            Ok(if is_on_hold { None } else { stripe_events::latest_event_s(conn)? })
        })
        .await
    }
}
