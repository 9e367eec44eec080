//! Credit notes: an invoice is never changed, only taken back, wholly or in part.
//!
//! Of each line at most its net amount is taken back. Of the VAT of a rate the note that takes the last of its base takes
//! what is left of it too, so that all notes together equal the invoice to the cent, rate by rate.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::context::Context;
use crate::chat::billing::callers::{self, Seen};
use crate::chat::billing::numbers::{self, Series};
use crate::chat::billing::{deposits, issuing, payments, pricing, refunds};
use crate::chat::contract::command::billing::CreditInvoice;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::outcome::Outcome;
use crate::model::billing::ShownInvoice;
use crate::model::cents::Cents;
use crate::model::fields::Fault;
use crate::model::id::InvoiceId;
use crate::model::invoice::{Invoice, InvoiceType, Line, Totals, VatCategory, VatGroup, VatRate};
use crate::model::locale::Text;
use crate::model::timestamp::Timestamp;
use crate::store::credit_lines;
use crate::store::invoices::{self, Place};

/// The rule of [`CreditInvoice`]. The note is issued whether or not the refund succeeds.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`, `FORBIDDEN`; `CONFLICT` over what is left, for a credit note, for a deposit that is
/// deducted, and while billing is on hold; `INVALID` for a line that is not there, and for a reason in words that the
/// profession may not use.
pub fn credit(
    conn: &Connection,
    actor: Actor,
    command: &CreditInvoice,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<ShownInvoice>, Error> {
    let seen = callers::require_keeper(conn, actor, command.invoice_id, now)?;
    payments::require_invoice(&seen)?;
    issuing::require_no_hold(conn)?;
    if seen.row.deducted_by.is_some() {
        return Err(Reason::DepositDeducted.into());
    }
    let content = invoices::find_content(conn, seen.row.id)?.ok_or(Reason::NotIssued)?;
    pricing::require_lawful(content.seller.profession, "reason", &command.reason)?;
    let taken = credit_lines::list_of(conn, seen.row.id)?;
    let nets = nets_of(&content.lines, &taken, command.lines.as_deref())?;
    let earlier = earlier_groups(conn, seen.row.id)?;
    let totals = totals_of(&content, &nets, &earlier);
    let id = note(conn, &seen, command, &content, &nets, totals, now, context)?;
    let mut outcome = issuing::appear(conn, id, now, context)?;
    if command.refund > Cents::ZERO {
        invoices::refresh(conn, seen.row.id, now)?;
        refunds::request(conn, seen.row.id, Some(id), command.refund, now)?;
    }
    outcome.events.extend(payments::settled(conn, &seen, now, context)?.events);
    Ok(outcome)
}

/// What is taken back of each line, by its place from 1.
fn nets_of(
    lines: &[Line],
    taken: &BTreeMap<i64, Cents>,
    wanted: Option<&[(i64, Cents)]>,
) -> Result<BTreeMap<i64, Cents>, Error> {
    let left: BTreeMap<i64, Cents> = (1_i64..)
        .zip(lines)
        .map(|(id, line)| (id, line.net() - taken.get(&id).copied().unwrap_or_default()))
        .filter(|(_, left)| *left > Cents::ZERO)
        .collect();
    let Some(wanted) = wanted else {
        return if left.is_empty() { Err(Reason::NothingLeft.into()) } else { Ok(left) };
    };
    let mut nets = BTreeMap::new();
    for (place, (id, net)) in wanted.iter().enumerate() {
        let is_there = usize::try_from(*id).is_ok_and(|id| id <= lines.len());
        if !is_there {
            let said = Text::new("n’est pas une ligne de la facture", "is no line of the invoice");
            return Err(Error::from(vec![Fault::new(format!("lines[{place}].lineId"), said)]));
        }
        if *net > left.get(id).copied().unwrap_or_default() {
            return Err(Reason::NothingLeft.into());
        }
        nets.insert(*id, *net);
    }
    Ok(nets)
}

/// Base and VAT that earlier notes have taken back, by category and rate.
fn earlier_groups(conn: &Connection, origin_id: InvoiceId) -> Result<Vec<VatGroup>, Error> {
    let mut groups = Vec::new();
    for row in invoices::list_credits(conn, origin_id)? {
        if let Some(content) = invoices::find_content(conn, row.id)? {
            groups.extend(content.totals.vat_groups);
        }
    }
    Ok(groups)
}

fn totals_of(content: &Invoice, nets: &BTreeMap<i64, Cents>, earlier: &[VatGroup]) -> Totals {
    let groups = content.totals.vat_groups.iter().filter_map(|group| {
        let is_of = |category: VatCategory, rate: VatRate| (category, rate) == (group.category, group.rate_bp);
        let base: Cents = (1_i64..)
            .zip(&content.lines)
            .filter(|(_, line)| is_of(line.vat_category, line.vat_rate_bp))
            .filter_map(|(id, _)| nets.get(&id).copied())
            .sum();
        if base == Cents::ZERO {
            return None;
        }
        let before = earlier.iter().filter(|earlier| is_of(earlier.category, earlier.rate_bp));
        let (taken_base, taken_vat) = before.fold((Cents::ZERO, Cents::ZERO), |(base, vat), earlier| {
            (base + earlier.base_cents, vat + earlier.vat_cents)
        });
        let vat_left = group.vat_cents - taken_vat;
        let is_last = group.base_cents - taken_base == base;
        let share = base.scaled(i64::from(group.rate_bp.basis_points()), 10_000).min(vat_left);
        let vat_cents = if is_last { vat_left } else { share };
        Some(VatGroup { base_cents: base, vat_cents, ..*group })
    });
    Totals { vat_groups: groups.collect() }
}

#[allow(clippy::too_many_arguments)]
fn note(
    conn: &Connection,
    seen: &Seen,
    command: &CreditInvoice,
    content: &Invoice,
    nets: &BTreeMap<i64, Cents>,
    totals: Totals,
    now: Timestamp,
    context: &Context<'_>,
) -> Result<InvoiceId, Error> {
    let row = &seen.row;
    let today = context.settings.today(now);
    let series = if row.is_specimen { Series::Specimen } else { Series::Credit };
    let place = Place { conversation_id: row.conversation_id, lawyer_id: row.lawyer_id, client_id: row.client_id };
    let id = invoices::insert_credit(conn, place, row.id, now)?;
    let lines = (1_i64..).zip(&content.lines).filter_map(|(id, line)| {
        let net = *nets.get(&id)?;
        Some(Line { quantity: 1_000, unit_price_cents: net, discount_cents: Cents::ZERO, ..line.clone() })
    });
    let number = numbers::take(conn, series, today)?;
    let credit = Invoice {
        r#type: InvoiceType::Credit,
        number: Some(number),
        issued_on: today,
        due_on: today,
        seller: content.seller.clone(),
        buyer: content.buyer.clone(),
        lines: lines.collect(),
        totals,
        preceding: deposits::preceding(row).into_iter().collect(),
        prepaid_cents: Cents::ZERO,
        note: Some(format!("Motif : {}", command.reason)),
        is_specimen: row.is_specimen,
    };
    invoices::freeze(conn, id, &credit, now)?;
    for (line, net) in nets {
        credit_lines::insert(conn, id, *line, *net)?;
    }
    Ok(id)
}

#[cfg(test)]
mod tests;
