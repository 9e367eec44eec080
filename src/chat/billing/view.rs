//! A bill as somebody sees it, and the entry of it in the conversation.

use std::sync::Arc;

use rusqlite::Connection;
use serde::Serialize;

use crate::chat::access::context::Context;
use crate::chat::billing::callers::Viewer;
use crate::chat::billing::{mentions, pricing};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::event::{Announcement, Audience, Event};
use crate::chat::contract::settings::Settings;
use crate::chat::conversations::entries;
use crate::model::billing::{
    CHECKOUT_MIN, Draft, DraftLine, Inside, InvoiceState, PaymentState, Related, ShownInvoice, ShownLine,
};
use crate::model::cents::Cents;
use crate::model::day::Day;
use crate::model::id::InvoiceId;
use crate::model::invoice::{InvoiceType, Line, Totals};
use crate::model::message_kind::{Kind, StateJson};
use crate::model::party::{Address, Buyer, BuyerKind};
use crate::model::timestamp::Timestamp;
use crate::model::user::Role;
use crate::store::credit_lines;
use crate::store::invoices::{self, InvoiceRow};
use crate::store::{checkout, payments, practice, users};

/// What the day is and what can be paid how.
#[derive(Clone, Copy, Debug)]
pub struct Today {
    pub day: Day,
    /// `None` without Stripe; else whether its key moves real money.
    pub stripe: Option<bool>,
}

impl Today {
    /// Of the practice's zone.
    #[must_use]
    pub fn of(settings: &Settings, now: Timestamp) -> Self {
        Self { day: settings.today(now), stripe: settings.stripe_livemode }
    }
}

/// How far a row is.
#[must_use]
pub fn state_of(row: &InvoiceRow) -> InvoiceState {
    match (row.is_issued(), row.balance.is_cancelled()) {
        (false, _) => InvoiceState::Draft,
        (true, true) => InvoiceState::Cancelled,
        (true, false) => InvoiceState::Issued,
    }
}

/// What became of a row's money. Nothing is owed on a credit note.
#[must_use]
pub fn payment_of(row: &InvoiceRow) -> PaymentState {
    match (row.is_issued(), row.r#type) {
        (false, _) => PaymentState::Open,
        (true, InvoiceType::Credit) => PaymentState::Paid,
        (true, InvoiceType::Standard | InvoiceType::Deposit) => row.balance.payment(),
    }
}

/// Whether it should have been paid before this day.
#[must_use]
pub fn is_overdue(row: &InvoiceRow, today: Day) -> bool {
    let is_owed = row.is_issued() && row.r#type != InvoiceType::Credit && row.balance.due() > Cents::ZERO;
    is_owed && row.due_on.is_some_and(|due_on| due_on < today)
}

/// Whether it can be paid at Stripe now: with a key for tests only specimens can, with a real one only the rest.
#[must_use]
pub fn can_pay_online(row: &InvoiceRow, today: Today) -> bool {
    row.is_issued()
        && row.r#type != InvoiceType::Credit
        && today.stripe.is_some_and(|livemode| livemode != row.is_specimen)
        && row.balance.due() >= CHECKOUT_MIN
        && !row.balance.is_in_process
}

/// A bill as somebody sees it.
///
/// # Errors
/// `INTERNAL`.
pub fn show(conn: &Connection, row: &InvoiceRow, viewer: Viewer, today: Today) -> Result<ShownInvoice, Error> {
    let printed = printed(conn, row)?;
    let Printed { buyer, lines, totals, note } = &printed;
    let balance = if row.is_issued() { row.balance } else { of_draft(totals) };
    let is_issued_deal = row.is_issued() && row.r#type != InvoiceType::Credit;
    Ok(ShownInvoice {
        id: row.id,
        r#type: row.r#type,
        state: state_of(row),
        payment: payment_of(row),
        overdue: is_overdue(row, today.day),
        number: row.number.clone(),
        conversation_id: row.conversation_id,
        lawyer_id: row.lawyer_id,
        client_id: row.client_id,
        buyer: buyer.clone(),
        vat: totals.vat_groups.clone(),
        net_cents: totals.net(),
        vat_cents: totals.vat(),
        total_cents: totals.total(),
        prepaid_cents: balance.prepaid,
        credited_cents: balance.credited,
        paid_cents: balance.paid,
        due_cents: if is_issued_deal { balance.due() } else { Cents::ZERO },
        to_refund_cents: if is_issued_deal { balance.to_refund() } else { Cents::ZERO },
        currency: "EUR",
        issued_at: row.issued_on,
        due_at: row.due_on,
        is_specimen: row.is_specimen,
        can_pay_online: can_pay_online(row, today),
        test_mode: today.stripe == Some(false),
        to_transmit: row.is_to_transmit(),
        transmitted: row.transmitted.clone(),
        created_at: row.created_at,
        updated_at: row.updated_at,
        inside: match viewer {
            Viewer::Admin => None,
            Viewer::Lawyer | Viewer::Client => Some(inside(conn, row, viewer, lines, note.clone())?),
        },
    })
}

fn of_draft(totals: &Totals) -> crate::model::billing::Balance {
    crate::model::billing::Balance { total: totals.total(), ..Default::default() }
}

/// What is, or would be, printed.
struct Printed {
    buyer: Option<Buyer>,
    lines: Vec<Line>,
    totals: Totals,
    note: Option<String>,
}

fn printed(conn: &Connection, row: &InvoiceRow) -> Result<Printed, Error> {
    if let Some(content) = invoices::find_content(conn, row.id)? {
        let (lines, totals, note) = (content.lines, content.totals, content.note);
        return Ok(Printed { buyer: Some(content.buyer), lines, totals, note });
    }
    let draft = row.draft.clone().ok_or(Reason::NotFound)?;
    let seller = mentions::incomplete(&practice::find(conn)?.unwrap_or_default());
    let buyer = buyer_of(conn, row, &draft)?;
    let assumed = buyer.clone().unwrap_or_else(somebody);
    let (lines, totals) = pricing::price_as_typed(&seller, &assumed, &draft.lines);
    Ok(Printed { buyer, lines, totals, note: draft.note })
}

/// Who is billed by a draft, if that is known: who stands in it, else the client as they said.
///
/// # Errors
/// `INTERNAL`.
pub fn buyer_of(conn: &Connection, row: &InvoiceRow, draft: &Draft) -> Result<Option<Buyer>, Error> {
    match &draft.buyer {
        Some(buyer) => Ok(Some(buyer.clone())),
        None => Ok(practice::find_buyer(conn, row.client_id)?),
    }
}

/// A buyer of whom nothing is known yet: a person.
#[must_use]
pub fn somebody() -> Buyer {
    let dash = || "—".to_owned();
    let address =
        Address { line1: dash(), line2: None, postcode: String::new(), city: String::new(), country: "FR".to_owned() };
    Buyer { kind: BuyerKind::Person, name: dash(), address, siren: None, vat_number: None }
}

fn inside(
    conn: &Connection,
    row: &InvoiceRow,
    viewer: Viewer,
    lines: &[Line],
    note: Option<String>,
) -> Result<Inside, Error> {
    let credited = credit_lines::list_of(conn, row.id)?;
    let numbered = (1_i64..).zip(lines);
    let related = |rows: Vec<InvoiceRow>| -> Vec<Related> { rows.iter().filter_map(invoices::related).collect() };
    let origin = match row.origin_id {
        Some(origin_id) => invoices::find(conn, origin_id)?.as_ref().and_then(invoices::related),
        None => None,
    };
    Ok(Inside {
        lines: numbered.map(|(id, line)| shown_line(id, line, credited.get(&id).copied())).collect(),
        note,
        payments: payments::list_of(conn, row.id)?.into_iter().map(|payment| payment.shown).collect(),
        refunds: checkout::list_refunds(conn, row.id)?,
        deposits: related(invoices::list_deducted(conn, row.id)?),
        credits: related(invoices::list_credits(conn, row.id)?),
        credit_of: origin,
        draft: row.draft.clone().filter(|_| viewer == Viewer::Lawyer && !row.is_issued()),
    })
}

fn shown_line(id: i64, line: &Line, credited: Option<Cents>) -> ShownLine {
    ShownLine {
        id,
        line: DraftLine {
            description: line.description.clone(),
            quantity: line.quantity,
            unit_price_cents: line.unit_price_cents,
            discount_cents: line.discount_cents,
            vat_rate_bp: line.vat_rate_bp,
            kind: line.kind,
        },
        vat_category: line.vat_category,
        net_cents: line.net(),
        credited_cents: credited.unwrap_or_default(),
    }
}

/// What a message of kind `invoice` carries.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    id: InvoiceId,
    r#type: InvoiceType,
    number: Option<&'a str>,
    state: InvoiceState,
    payment: PaymentState,
    total_cents: Cents,
    paid_cents: Cents,
    due_cents: Cents,
    due_at: Option<Day>,
    is_specimen: bool,
    can_pay_online: bool,
    test_mode: bool,
}

/// The entry's kind, with its state as of now.
///
/// # Errors
/// `INTERNAL`.
pub fn entry_of(row: &InvoiceRow, today: Today) -> Result<Kind, Error> {
    let state = StateJson::of(&Entry {
        id: row.id,
        r#type: row.r#type,
        number: row.number.as_deref(),
        state: state_of(row),
        payment: payment_of(row),
        total_cents: row.balance.total,
        paid_cents: row.balance.paid,
        due_cents: if row.r#type == InvoiceType::Credit { Cents::ZERO } else { row.balance.due() },
        due_at: row.due_on,
        is_specimen: row.is_specimen,
        can_pay_online: can_pay_online(row, today),
        test_mode: today.stripe == Some(false),
    });
    Ok(Kind::Invoice(state.map_err(Error::internal)?))
}

/// The entry's one line for programs that know no kinds.
#[must_use]
pub fn line_of(row: &InvoiceRow) -> String {
    let number = row.number.as_deref().unwrap_or_default();
    match row.r#type {
        InvoiceType::Standard => format!("Facture {number}"),
        InvoiceType::Deposit => format!("Facture d’acompte {number}"),
        InvoiceType::Credit => format!("Avoir {number}"),
    }
}

/// The same of a reminder.
#[must_use]
pub fn reminder_of(row: &InvoiceRow) -> String {
    format!("Rappel : {}", line_of(row))
}

/// Sums a bill up anew and tells its members: the entry in the conversation, and the bill itself.
///
/// # Errors
/// `INTERNAL`.
pub fn changed(
    conn: &Connection,
    id: InvoiceId,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<(InvoiceRow, Vec<Announcement>), Error> {
    invoices::refresh(conn, id, now)?;
    let row = invoices::find(conn, id)?.ok_or(Reason::NotFound)?;
    let today = Today::of(context.settings, now);
    let mut events = Vec::new();
    for (place, message_id) in invoices::list_entries(conn, id)?.into_iter().enumerate() {
        let line = if place == 0 { line_of(&row) } else { reminder_of(&row) };
        events.extend(entries::set_state(conn, message_id, &line, &entry_of(&row, today)?, now, context)?);
    }
    events.extend(told(conn, &row, today, now)?);
    Ok((row, events))
}

/// `invoice:updated`, to the juriste, and from issue on to the client, and to administrators as they see it.
///
/// # Errors
/// `INTERNAL`.
pub fn told(conn: &Connection, row: &InvoiceRow, today: Today, now: Timestamp) -> Result<Vec<Announcement>, Error> {
    let mut events = Vec::with_capacity(3);
    let mut tell = |person, viewer| -> Result<(), Error> {
        let invoice = Arc::new(show(conn, row, viewer, today)?);
        events.push(Announcement {
            audience: Audience::Member(person),
            event: Event::InvoiceUpdated(invoice),
            at: now,
        });
        Ok(())
    };
    tell(row.lawyer_id, Viewer::Lawyer)?;
    if row.is_issued() {
        tell(row.client_id, Viewer::Client)?;
        for admin in users::list_active(conn, Role::Admin, usize::MAX, |_| true)? {
            tell(admin.profile.id, Viewer::Admin)?;
        }
    }
    Ok(events)
}
