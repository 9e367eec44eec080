//! Payment pages at Stripe: one at a time for each invoice, and the money that comes by them.
//!
//! ```text
//! OpenCheckout ─▶ creating ── Stripe made it ─▶ open ── paid ─▶ paid
//!                    │                           ├─ paid, money on its way ─▶ in_process ─▶ paid, or failed
//!                    └─ Stripe refused ─▶ failed └─ time, or another amount to pay ─▶ expired
//! ```
//!
//! The row with its keys is on disk before anything is sent; what Stripe says when it is asked is booked once, by the id
//! of the payment, however often it is heard.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::access::context::Context;
use crate::chat::billing::callers::{self, Viewer};
use crate::chat::billing::view::{self, Today};
use crate::chat::billing::{issuing, payments, refunds};
use crate::chat::contract::command::stripe::{BookCheckout, CheckoutStatus, FailCheckout, NoteCheckout, OpenCheckout};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::outcome::Outcome;
use crate::chat::handle::chat::Chat;
use crate::model::billing::CHECKOUT_MIN;
use crate::model::cents::Cents;
use crate::model::day::Day;
use crate::model::id::InvoiceId;
use crate::model::invoice::InvoiceType;
use crate::model::timestamp::Timestamp;
use crate::store::checkout::{self, NewSession, SessionRow};
use crate::store::payments::NewPayment;
use crate::store::{invoices, payments as ledger};

/// How long a page is open: half an hour, and a while for the way there. Stripe takes no less.
const LIFE_S: i64 = 32 * 60;
/// A page that ends sooner than this is not handed out again.
const LEFT_MIN_S: i64 = 60;
/// When Stripe is asked about an open page, in seconds since it was made or last asked about: then every hour.
const CHECKS_S: [i64; 3] = [60, 240, 1_500];
const CHECK_LATER_S: i64 = 3_600;

/// The rule of [`OpenCheckout`]: the number of the page's row.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`; `FORBIDDEN` for all but the client; `CONFLICT` where nothing is to be paid, or not so,
/// or a payment is under way.
pub fn open(
    conn: &Connection,
    actor: Actor,
    command: &OpenCheckout,
    now: Timestamp,
    context: &Context<'_>,
) -> Result<Outcome<i64>, Error> {
    let seen = callers::require_seen(conn, actor, command.invoice_id, now)?;
    if seen.viewer != Viewer::Client {
        return Err(Reason::NotAllowed.into());
    }
    issuing::require_no_hold(conn)?;
    let (row, today) = (&seen.row, Today::of(context.settings, now));
    if row.balance.is_in_process {
        return Err(Reason::PaymentInProcess.into());
    }
    let due = row.balance.due();
    if row.r#type == InvoiceType::Credit || due == Cents::ZERO {
        return Err(Reason::NothingToPay.into());
    }
    if due < CHECKOUT_MIN || !view::can_pay_online(row, today) {
        return Err(Reason::NoOnlinePayment.into());
    }
    let live = checkout::list_live(conn, row.id)?;
    let ends_late = |session: &SessionRow| session.expires_s > now.as_secs() + LEFT_MIN_S;
    let right = |session: &&SessionRow| session.amount == due && !session.is_unwanted && ends_late(session);
    if let Some(session) = live.iter().find(right) {
        return Ok(session.id.into());
    }
    for mut session in live.into_iter().filter(|session| !session.is_unwanted) {
        session.is_unwanted = true;
        checkout::set_session(conn, &session, now)?;
    }
    let new = NewSession {
        invoice_id: row.id,
        reference: &refunds::random_key()?,
        create_key: &refunds::random_key()?,
        expire_key: &refunds::random_key()?,
        amount: due,
        expires_s: now.as_secs() + LIFE_S,
    };
    Ok(checkout::insert_session(conn, &new, now)?.into())
}

/// The rule of [`NoteCheckout`].
///
/// # Errors
/// `FORBIDDEN` for all but the program itself.
pub fn note(conn: &Connection, actor: Actor, command: NoteCheckout, now: Timestamp) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    let Some(mut session) = checkout::find_session(conn, command.session_id)? else { return Ok(().into()) };
    if session.state == "creating" {
        session.state = "open".to_owned();
        session.stripe_id = Some(command.stripe_id);
        session.url = Some(command.url);
        session.expires_s = command.expires_s;
        session.checks = 0;
        let due = invoices::find(conn, session.invoice_id)?.map_or(Cents::ZERO, |row| row.balance.due());
        session.is_unwanted |= due != session.amount;
        checkout::set_session(conn, &session, next_check(&session, now))?;
    }
    Ok(().into())
}

/// The rule of [`FailCheckout`].
///
/// # Errors
/// `FORBIDDEN` for all but the program itself.
pub fn fail(conn: &Connection, actor: Actor, command: FailCheckout, now: Timestamp) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    let Some(mut session) = checkout::find_session(conn, command.session_id)? else { return Ok(().into()) };
    if session.state == "creating" {
        session.state = "failed".to_owned();
        session.failure = Some(command.failure);
        checkout::set_session(conn, &session, now)?;
    }
    Ok(().into())
}

/// The rule of [`BookCheckout`]. What came is booked whatever is owed by now.
///
/// # Errors
/// `FORBIDDEN` for all but the program itself; `NOT_FOUND` for a page of which nothing is known here.
pub fn book(
    conn: &Connection,
    actor: Actor,
    command: &BookCheckout,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    let mut session = checkout::find_by_reference(conn, &command.reference)?.ok_or(Reason::NotFound)?;
    if session.stripe_id.as_deref().is_some_and(|id| id != command.stripe_id) || command.currency != "eur" {
        return Err(Reason::NotFound.into());
    }
    let before = session.clone();
    session.stripe_id = Some(command.stripe_id.clone());
    session.payment_intent = command.payment_intent.clone().or(session.payment_intent);
    session.state = state_after(&session, command.status).to_owned();
    session.checks += 1;
    checkout::set_session(conn, &session, next_check(&session, now))?;
    let is_news = command.status == CheckoutStatus::Paid && take_in(conn, &session, command, now, context)?;
    if !is_news && session.state == before.state {
        return Ok(().into());
    }
    let (_, events) = view::changed(conn, session.invoice_id, now, context)?;
    payments::expire_others(conn, session.invoice_id, now)?;
    Ok(Outcome { reply: (), events })
}

/// Where a page goes from here. One that is paid stays so.
fn state_after(session: &SessionRow, status: CheckoutStatus) -> &'static str {
    match (session.state.as_str(), status) {
        ("paid", _) | (_, CheckoutStatus::Paid) => "paid",
        (_, CheckoutStatus::InProcess) => "in_process",
        (_, CheckoutStatus::Open) => "open",
        ("in_process", CheckoutStatus::Over) => "failed",
        (_, CheckoutStatus::Over) => "expired",
    }
}

/// Books what came; whether it was not booked before.
fn take_in(
    conn: &Connection,
    session: &SessionRow,
    command: &BookCheckout,
    now: Timestamp,
    context: &Context<'_>,
) -> Result<bool, Error> {
    let Some(payment_intent) = command.payment_intent.as_deref() else { return Ok(false) };
    if command.amount <= Cents::ZERO {
        return Ok(false);
    }
    let new = NewPayment {
        invoice_id: session.invoice_id,
        method: command.method,
        amount: command.amount,
        paid_on: day_at_stripe(conn, session.invoice_id, command.received_s, now, context)?,
        reference: None,
        reverses_id: None,
        reason: None,
        stripe_id: Some(payment_intent),
        noted_by: None,
    };
    Ok(ledger::insert(conn, &new, now)?.is_some())
}

/// The practice's day of something that Stripe heard of at `at_s` (unix time), however late it is told here: VAT on
/// collection is declared by it. Not before the invoice was issued, nor after today; today where Stripe does not say.
///
/// # Errors
/// `INTERNAL`.
pub(in crate::chat::billing) fn day_at_stripe(
    conn: &Connection,
    invoice_id: InvoiceId,
    at_s: Option<i64>,
    now: Timestamp,
    context: &Context<'_>,
) -> Result<Day, Error> {
    let today = context.settings.today(now);
    let Some(at_s) = at_s else { return Ok(today) };
    let on = context.settings.today(Timestamp::from_millis(at_s.clamp(0, now.as_secs()) * 1_000));
    let issued_on = invoices::find(conn, invoice_id)?.and_then(|row| row.issued_on);
    Ok(issued_on.map_or(on, |issued_on| on.max(issued_on)).min(today))
}

/// When Stripe is to be asked next: soon behind the making, rarely later on, and when the page's time is over.
fn next_check(session: &SessionRow, now: Timestamp) -> Timestamp {
    if session.is_unwanted && session.state == "open" {
        return now;
    }
    let pause = usize::try_from(session.checks).ok().and_then(|checks| CHECKS_S.get(checks).copied());
    let pause = pause.unwrap_or(CHECK_LATER_S);
    let end = session.expires_s + 5 - now.as_secs();
    let pause = if session.state == "open" && end > 0 { pause.min(end) } else { pause };
    now + std::time::Duration::from_secs(u64::try_from(pause).unwrap_or(0))
}

impl Chat {
    /// A payment page's row.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn load_checkout(&self, id: i64) -> Result<SessionRow, Error> {
        self.ask(move |conn, _| checkout::find_session(conn, id)?.ok_or_else(|| Reason::NotFound.into())).await
    }
}

#[cfg(test)]
mod tests;
