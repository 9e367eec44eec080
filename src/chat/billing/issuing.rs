//! Issuing: one transaction of rows. A number, the day, both parties as they are now, lines, sums; nothing is rendered.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::context::Context;
use crate::chat::billing::callers::Viewer;
use crate::chat::billing::numbers::{self, Series};
use crate::chat::billing::view::{self, Today};
use crate::chat::billing::{deposits, drafts, mentions, pricing};
use crate::chat::contract::command::billing::IssueInvoice;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::event::Announcement;
use crate::chat::contract::outcome::Outcome;
use crate::chat::conversations::entries;
use crate::model::billing::ShownInvoice;
use crate::model::id::InvoiceId;
use crate::model::invoice::Invoice;
use crate::model::timestamp::Timestamp;
use crate::store::invoice_series;
use crate::store::invoices;
use crate::store::practice;

/// The rule of [`IssueInvoice`].
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`, `FORBIDDEN`; `INVALID` naming the mentions that are missing; `CONFLICT` when it is
/// issued, billing is on hold, the clock is behind the series, or a deposit is not there to be deducted.
pub fn issue(
    conn: &Connection,
    actor: Actor,
    command: &IssueInvoice,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<ShownInvoice>, Error> {
    let row = drafts::require_draft(conn, actor, command.invoice_id, now)?;
    require_no_hold(conn)?;
    let draft = row.draft.clone().ok_or(Reason::AlreadyIssued)?;
    let known = practice::find(conn)?.unwrap_or_default();
    let buyer = view::buyer_of(conn, &row, &draft)?;
    let (seller, buyer) = mentions::complete(&known, buyer.as_ref(), &draft)?;
    pricing::require_lawful(seller.profession, "note", draft.note.as_deref().unwrap_or_default())?;
    let (lines, totals) = pricing::price(&seller, &buyer, &draft.lines)?;
    let taken = deposits::find(conn, &row, &draft, &buyer, &totals)?;
    let today = Today::of(context.settings, now);
    let is_specimen = known.is_demo || today.stripe == Some(false);
    if taken.iter().any(|deposit| deposit.is_specimen != is_specimen) {
        return Err(deposits::unavailable(0));
    }
    let number = numbers::take(conn, if is_specimen { Series::Specimen } else { Series::Invoice }, today.day)?;
    let term = draft.due_in_days.unwrap_or(seller.payment_term_days);
    let content = Invoice {
        r#type: draft.r#type,
        number: Some(number),
        issued_on: today.day,
        due_on: today.day.plus_days(term.into()),
        seller,
        buyer,
        lines,
        totals,
        preceding: taken.iter().filter_map(deposits::preceding).collect(),
        prepaid_cents: taken.iter().map(|deposit| deposit.balance.total).sum(),
        note: draft.note,
        is_specimen,
    };
    invoices::freeze(conn, row.id, &content, now)?;
    for deposit in &taken {
        invoices::set_deducted(conn, deposit.id, row.id)?;
    }
    appear(conn, row.id, now, context)
}

/// Lets nothing be issued, credited or sent while it is not known what left the house before a restore.
///
/// # Errors
/// `CONFLICT`.
pub fn require_no_hold(conn: &Connection) -> Result<(), Error> {
    if invoice_series::is_on_hold(conn)? { Err(Reason::BillingOnHold.into()) } else { Ok(()) }
}

/// A frozen row's message, and what its members are told.
///
/// # Errors
/// `INTERNAL`.
pub fn appear(
    conn: &Connection,
    id: InvoiceId,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<ShownInvoice>, Error> {
    invoices::refresh(conn, id, now)?;
    let row = invoices::find(conn, id)?.ok_or(Reason::NotFound)?;
    let today = Today::of(context.settings, now);
    let content = view::line_of(&row);
    let entry = entries::Entry {
        conversation_id: row.conversation_id,
        sender_id: row.lawyer_id,
        content: &content,
        counts_unread: true,
    };
    let (message_id, mut events): (_, Vec<Announcement>) =
        entries::insert(conn, &entry, |_| view::entry_of(&row, today), now, context)?;
    invoices::insert_entry(conn, id, message_id)?;
    events.extend(view::told(conn, &row, today, now)?);
    Ok(Outcome { reply: view::show(conn, &row, Viewer::Lawyer, today)?, events })
}
