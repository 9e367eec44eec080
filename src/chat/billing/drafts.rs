//! Drafts: the juriste's alone until they are issued.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::access::context::Context;
use crate::chat::billing::callers::{self, Viewer};
use crate::chat::billing::view::{self, Today};
use crate::chat::billing::{deposits, mentions, pricing};
use crate::chat::contract::command::billing::{CreateInvoice, DeleteInvoice, UpdateInvoice};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::outcome::Outcome;
use crate::model::billing::{Draft, ShownInvoice};
use crate::model::id::InvoiceId;
use crate::model::timestamp::Timestamp;
use crate::store::invoices::{self, InvoiceRow, Place};
use crate::store::practice;

/// The rule of [`CreateInvoice`].
///
/// # Errors
/// `UNAUTHENTICATED`; `NOT_FOUND` for who is no member; `FORBIDDEN` for the client; `INVALID`.
pub fn create(
    conn: &Connection,
    actor: Actor,
    command: &CreateInvoice,
    now: Timestamp,
    context: &Context<'_>,
) -> Result<Outcome<ShownInvoice>, Error> {
    let membership = caller::require_membership(conn, actor, command.conversation_id, now)?;
    let members = membership.conversation.members;
    if membership.me.id != members.lawyer_id {
        return Err(Reason::NotAllowed.into());
    }
    let place =
        Place { conversation_id: command.conversation_id, lawyer_id: members.lawyer_id, client_id: members.client_id };
    let id = invoices::insert_draft(conn, place, &command.draft, now)?;
    checked(conn, id, now, context)
}

/// The rule of [`UpdateInvoice`].
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`, `INVALID`; `CONFLICT` once it is issued.
pub fn update(
    conn: &Connection,
    actor: Actor,
    command: UpdateInvoice,
    now: Timestamp,
    context: &Context<'_>,
) -> Result<Outcome<ShownInvoice>, Error> {
    let row = require_draft(conn, actor, command.invoice_id, now)?;
    let before = row.draft.ok_or(Reason::AlreadyIssued)?;
    let draft = Draft {
        r#type: command.r#type.unwrap_or(before.r#type),
        lines: command.lines.unwrap_or(before.lines),
        buyer: command.buyer.unwrap_or(before.buyer),
        due_in_days: command.due_in_days.unwrap_or(before.due_in_days),
        note: command.note.unwrap_or(before.note),
        deposit_ids: command.deposit_ids.unwrap_or(before.deposit_ids),
    };
    invoices::set_draft(conn, row.id, &draft, now)?;
    checked(conn, row.id, now, context)
}

/// The rule of [`DeleteInvoice`].
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`; `CONFLICT` once it is issued.
pub fn delete(conn: &Connection, actor: Actor, command: &DeleteInvoice, now: Timestamp) -> Result<Outcome<()>, Error> {
    let row = require_draft(conn, actor, command.invoice_id, now)?;
    invoices::delete(conn, row.id)?;
    Ok(().into())
}

/// A draft of the caller's own.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`, `FORBIDDEN`; `CONFLICT` once it is issued.
pub fn require_draft(conn: &Connection, actor: Actor, id: InvoiceId, now: Timestamp) -> Result<InvoiceRow, Error> {
    let row = callers::require_own(conn, actor, id, now)?.row;
    if row.is_issued() { Err(Reason::AlreadyIssued.into()) } else { Ok(row) }
}

/// The draft as it is stored now, if its lines fit its parties.
fn checked(
    conn: &Connection,
    id: InvoiceId,
    now: Timestamp,
    context: &Context<'_>,
) -> Result<Outcome<ShownInvoice>, Error> {
    let row = invoices::find(conn, id)?.ok_or(Reason::NotFound)?;
    let draft = row.draft.clone().ok_or(Reason::NotFound)?;
    let seller = mentions::incomplete(&practice::find(conn)?.unwrap_or_default());
    let buyer = view::buyer_of(conn, &row, &draft)?.unwrap_or_else(view::somebody);
    pricing::require_lawful(seller.profession, "note", draft.note.as_deref().unwrap_or_default())?;
    let (_, totals) = pricing::price(&seller, &buyer, &draft.lines)?;
    deposits::find(conn, &row, &draft, &buyer, &totals)?;
    let today = Today::of(context.settings, now);
    let reply = view::show(conn, &row, Viewer::Lawyer, today)?;
    Ok(Outcome { reply, events: view::told(conn, &row, today, now)? })
}
