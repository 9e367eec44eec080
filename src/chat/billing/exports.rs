//! What an accountant takes home: invoices and payments as CSV, by rate of VAT, and the documents themselves.
//!
//! VAT on collection is declared from the payments, each of which is shared among the rates ([`crate::chat::billing::sharing`]).
//! What a final invoice or a credit note sets right among them stands there as a "régularisation" of the day of its issue.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::billing::sharing::{Share, Sharing};
use crate::chat::billing::view;
use crate::chat::contract::error::Error;
use crate::chat::handle::chat::Chat;
use crate::model::billing::{InvoiceState, PaymentState};
use crate::model::cents::Cents;
use crate::model::day::Day;
use crate::model::id::InvoiceId;
use crate::model::invoice::{Invoice, InvoiceType, VatGroup, VatRate};
use crate::model::timestamp::Timestamp;
use crate::store::checkout;
use crate::store::invoice_series;
use crate::store::invoices::{self, InvoiceRow};
use crate::store::payments;
use crate::store::stripe_events;

/// What programs of spreadsheets need to know that a file is UTF-8.
const MARK: &str = "\u{feff}";
/// The columns.
const INVOICES: &str = "numero;type;date;echeance;client;siren;tva_client;origine;categorie;taux;base_ht;tva;ttc;etat;paiement;plateforme\r\n";
const PAYMENTS: &str = "date;facture;moyen;reference;taux;base_ht;tva;ttc;motif\r\n";

/// An export: two tables, and which documents go with it.
#[derive(Clone, Debug)]
pub struct Export {
    pub invoices: String,
    pub payments: String,
    /// Numbers and ids of the documents, in the order of issue.
    pub documents: Vec<(String, InvoiceId)>,
}

/// How much there is of bills. Numbers only.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Billed {
    pub issued: i64,
    pub overdue: i64,
    pub unprinted: i64,
    pub is_on_hold: bool,
    pub waiting: i64,
    pub refunds_failed: i64,
    /// Events of Stripe by what they came to.
    pub events: Vec<(String, i64)>,
}

impl Chat {
    /// How much there is of bills, for whoever watches over the server.
    ///
    /// # Errors
    /// `UNAVAILABLE`, `INTERNAL`.
    pub async fn measure_billing(&self) -> Result<Billed, Error> {
        let settings = self.settings.clone();
        self.ask(move |conn, now| {
            let [issued, overdue, unprinted] = invoices::count(conn, settings.today(now))?;
            let [waiting, refunds_failed] = checkout::count(conn)?;
            let (is_on_hold, events) = (invoice_series::is_on_hold(conn)?, stripe_events::count(conn)?);
            Ok(Billed { issued, overdue, unprinted, is_on_hold, waiting, refunds_failed, events })
        })
        .await
    }

    /// The bills that were issued, and the money that moved, between two days, both included. No specimens.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `FORBIDDEN` for all but administrators.
    pub async fn export_invoices(&self, actor: Actor, from: Day, to: Day) -> Result<Export, Error> {
        self.ask(move |conn, now| {
            caller::require_admin(conn, actor, now)?;
            let rows = invoices::list_issued(conn, from, to)?;
            Ok(Export {
                invoices: invoices_csv(conn, &rows, from, to)?,
                payments: payments_csv(conn, &rows, from, to)?,
                documents: rows.iter().filter_map(|row| Some((row.number.clone()?, row.id))).collect(),
            })
        })
        .await
    }
}

fn invoices_csv(conn: &Connection, rows: &[InvoiceRow], from: Day, to: Day) -> Result<String, Error> {
    let mut text = format!("{MARK}{INVOICES}");
    for row in rows {
        let Some(content) = invoices::find_content(conn, row.id)? else { continue };
        let sign = if row.r#type == InvoiceType::Credit { -1 } else { 1 };
        for group in &content.totals.vat_groups {
            text.push_str(&invoice_line(row, &content, word_of(row.r#type), group, sign));
        }
        for deposit in invoices::list_deducted(conn, row.id)? {
            let groups = invoices::find_content(conn, deposit.id)?.map(|it| it.totals.vat_groups);
            for group in groups.unwrap_or_default() {
                text.push_str(&invoice_line(row, &content, "acompte déduit", &group, -1));
            }
        }
    }
    for (number, on) in invoice_series::list_lost(conn)?.into_iter().filter(|(_, on)| (from..=to).contains(on)) {
        text.push_str(&line(&[&number, "perdu à la restauration", &on.to_string()]));
    }
    Ok(text)
}

fn word_of(r#type: InvoiceType) -> &'static str {
    match r#type {
        InvoiceType::Standard => "facture",
        InvoiceType::Deposit => "acompte",
        InvoiceType::Credit => "avoir",
    }
}

fn invoice_line(row: &InvoiceRow, content: &Invoice, what: &str, group: &VatGroup, sign: i64) -> String {
    let signed = |amount: Cents| amount_of(Cents(amount.0 * sign));
    let day = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
    let origin = if row.r#type == InvoiceType::Credit { content.preceding.first() } else { None };
    let state = match view::state_of(row) {
        InvoiceState::Draft => "brouillon",
        InvoiceState::Issued => "émise",
        InvoiceState::Cancelled => "annulée",
    };
    let platform = row.transmitted.as_ref().and_then(|it| it["platform"].as_str()).unwrap_or_default();
    line(&[
        row.number.as_deref().unwrap_or_default(),
        what,
        &day(row.issued_on),
        &day(row.due_on),
        &content.buyer.name,
        content.buyer.siren.as_deref().unwrap_or_default(),
        content.buyer.vat_number.as_deref().unwrap_or_default(),
        origin.map_or("", |origin| origin.number.as_str()),
        group.category.code(),
        &rate_of(group.rate_bp),
        &signed(group.base_cents),
        &signed(group.vat_cents),
        &signed(group.base_cents + group.vat_cents),
        state,
        payment_word(view::payment_of(row)),
        platform,
    ])
}

fn payment_word(state: PaymentState) -> &'static str {
    match state {
        PaymentState::Open => "à payer",
        PaymentState::InProcess => "en cours",
        PaymentState::PartlyPaid => "payée en partie",
        PaymentState::Paid => "payée",
        PaymentState::Overpaid => "trop-perçu",
        PaymentState::Refunded => "remboursée",
        PaymentState::Disputed => "contestée",
    }
}

fn payments_csv(conn: &Connection, rows: &[InvoiceRow], from: Day, to: Day) -> Result<String, Error> {
    let paid = payments::list_between(conn, from, to)?.into_iter().map(|payment| payment.invoice_id);
    let concerned: BTreeSet<InvoiceId> = paid.chain(rows.iter().map(|row| row.origin_id.unwrap_or(row.id))).collect();
    let mut movements = Vec::new();
    for id in concerned {
        let Some(row) = invoices::find(conn, id)?.filter(|row| !row.is_specimen) else { continue };
        movements.extend(movements_of(conn, &row)?.into_iter().filter(|movement| (from..=to).contains(&movement.on)));
    }
    movements.sort_by_key(|movement| (movement.on, movement.at));
    let mut text = format!("{MARK}{PAYMENTS}");
    for movement in &movements {
        for part in &movement.parts {
            text.push_str(&line(&[
                &movement.on.to_string(),
                &movement.invoice,
                movement.how,
                &movement.reference,
                &part.rate.map_or_else(|| "trop-perçu".to_owned(), rate_of),
                &amount_of(part.total - part.vat),
                &amount_of(part.vat),
                &amount_of(part.total),
                &movement.reason,
            ]));
        }
    }
    Ok(text)
}

/// Money that moved for an invoice, or that counts at another rate from a day on.
struct Movement {
    on: Day,
    /// When it was noted.
    at: Timestamp,
    invoice: String,
    how: &'static str,
    reference: String,
    reason: String,
    parts: Vec<Share>,
}

/// All movements of an invoice, in the order in which they were noted, each shared among its rates.
fn movements_of(conn: &Connection, row: &InvoiceRow) -> Result<Vec<Movement>, Error> {
    let groups_of =
        |id| Ok::<_, Error>(invoices::find_content(conn, id)?.map(|it| it.totals.vat_groups).unwrap_or_default());
    let invoice = row.number.clone().unwrap_or_default();
    let set_right = |by: &InvoiceRow, reference: String, reason: &str, parts| {
        let (on, at) = (by.issued_on?, by.created_at);
        let (invoice, how, reason) = (invoice.clone(), "régularisation", reason.to_owned());
        Some(Movement { on, at, invoice, how, reference, reason, parts })
    };
    let mut sharing = Sharing::new(&groups_of(row.id)?);
    let (mut numbers, mut groups) = (Vec::new(), Vec::new());
    for deposit in invoices::list_deducted(conn, row.id)? {
        numbers.extend(deposit.number);
        groups.extend(groups_of(deposit.id)?);
    }
    let mut movements = Vec::new();
    movements.extend(set_right(row, numbers.join(" "), "acompte déduit", sharing.take_back(&groups)));
    let credited = |sharing: &mut Sharing, note: &InvoiceRow| {
        let parts = sharing.take_back(&groups_of(note.id)?);
        Ok::<_, Error>(set_right(note, note.number.clone().unwrap_or_default(), "avoir", parts))
    };
    let mut credits = invoices::list_credits(conn, row.id)?.into_iter().peekable();
    for payment in payments::list_of(conn, row.id)? {
        while let Some(note) = credits.next_if(|note| note.created_at <= payment.created_at) {
            movements.extend(credited(&mut sharing, &note)?);
        }
        let parts = sharing.book(payment.shown.amount_cents);
        movements.push(Movement {
            on: payment.shown.date,
            at: payment.created_at,
            invoice: invoice.clone(),
            how: payment.shown.method.as_str(),
            reference: payment.shown.reference.or(payment.stripe_id).unwrap_or_default(),
            reason: payment.shown.reason.unwrap_or_default(),
            parts,
        });
    }
    for note in credits {
        movements.extend(credited(&mut sharing, &note)?);
    }
    Ok(movements)
}

fn rate_of(rate: VatRate) -> String {
    let bp = rate.basis_points();
    format!("{},{:02}", bp / 100, bp % 100)
}

fn amount_of(amount: Cents) -> String {
    amount.plain().replace('.', ",")
}

/// A line of CSV. What a spreadsheet would take for a formula is not one.
fn line(cells: &[&str]) -> String {
    let shown = cells.iter().map(|cell| {
        let number = cell.trim_start_matches('-');
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
        let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number;
        let cell = if is_formula { format!("'{cell}") } else { (*cell).to_owned() };
        if cell.contains([';', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
    });
    let mut line = shown.collect::<Vec<_>>().join(";");
    line.push_str("\r\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_never_two() {
        assert_eq!(
            line(&["=1+1", "a;b", "dit \"x\"", "-12,50", "@x"]),
            "'=1+1;\"a;b\";\"dit \"\"x\"\"\";-12,50;'@x\r\n"
        );
    }
}
