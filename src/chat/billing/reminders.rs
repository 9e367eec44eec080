//! Reminders: one more entry in the conversation, once a day.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::context::Context;
use crate::chat::billing::view::{self, Today};
use crate::chat::billing::{callers, payments};
use crate::chat::contract::command::billing::RemindInvoice;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::outcome::Outcome;
use crate::chat::conversations::entries;
use crate::model::billing::ShownInvoice;
use crate::model::cents::Cents;
use crate::model::timestamp::Timestamp;
use crate::store::invoices;

/// The rule of [`RemindInvoice`]: one more entry in the conversation, with a notice like the first.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`, `FORBIDDEN`; `CONFLICT` where nothing is to be paid; `RATE_LIMITED` twice on one day.
pub fn remind(
    conn: &Connection,
    actor: Actor,
    command: &RemindInvoice,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<ShownInvoice>, Error> {
    let seen = callers::require_own(conn, actor, command.invoice_id, now)?;
    if !seen.row.is_issued() {
        return Err(Reason::NotIssued.into());
    }
    payments::require_invoice(&seen)?;
    if seen.row.balance.due() == Cents::ZERO {
        return Err(Reason::NothingToPay.into());
    }
    let today = Today::of(context.settings, now);
    if seen.row.reminded_on.is_some_and(|on| on >= today.day) {
        return Err(Reason::RemindedToday.into());
    }
    invoices::set_reminded(conn, seen.row.id, today.day, now)?;
    let content = view::reminder_of(&seen.row);
    let entry = entries::Entry {
        conversation_id: seen.row.conversation_id,
        sender_id: seen.row.lawyer_id,
        content: &content,
        counts_unread: true,
    };
    let kind = view::entry_of(&seen.row, today)?;
    let (message_id, mut events) = entries::insert(conn, &entry, |_| Ok(kind), now, context)?;
    invoices::insert_entry(conn, seen.row.id, message_id)?;
    let row = invoices::find(conn, seen.row.id)?.ok_or(Reason::NotFound)?;
    events.extend(view::told(conn, &row, today, now)?);
    Ok(Outcome { reply: view::show(conn, &row, seen.viewer, today)?, events })
}
