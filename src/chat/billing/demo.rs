//! The demonstration's practice and documents: a SIREN that cannot exist, and one bill that is paid, one open, one overdue.
//!
//! They are specimens: outside every series, in no export, and gone as soon as real data of a practice is saved.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::chat::billing::numbers::{self, Series};
use crate::chat::billing::{mentions, pricing};
use crate::chat::contract::error::Error;
use crate::model::billing::{Draft, DraftLine, PaymentMethod};
use crate::model::cents::Cents;
use crate::model::conversation::Members;
use crate::model::day::Day;
use crate::model::id::{InvoiceId, UserId};
use crate::model::invoice::{Invoice, InvoiceType, LineKind, VatRate};
use crate::model::party::Buyer;
use crate::model::timestamp::Timestamp;
use crate::store::invoices::{self, Place};
use crate::store::payments::{self, NewPayment};
use crate::store::practice::{self, PracticeRow};
use crate::store::{conversations, users};

/// Description, thousandths, price, rate, kind.
type Row = (&'static str, i64, i64, u16, LineKind);

const PAID: &[Row] = &[("Premier rendez-vous et analyse du dossier", 1_500, 18_000, 2_000, LineKind::Fee)];
const OVERDUE: &[Row] = &[
    ("Rédaction de la convention de divorce", 4_000, 18_000, 2_000, LineKind::Fee),
    ("Frais de déplacement", 42_000, 60, 2_000, LineKind::Expense),
];
const OPEN: &[Row] = &[
    ("Audience devant le juge aux affaires familiales", 1_000, 60_000, 2_000, LineKind::Fee),
    ("Droit de timbre acquitté pour le compte du client", 1_000, 22_500, 0, LineKind::Disbursement),
];

/// Gives a new demonstration its practice and, in its first conversation, its documents.
///
/// # Errors
/// `INTERNAL`.
pub fn seed(conn: &Connection, today: Day, now: Timestamp) -> Result<(), Error> {
    if !users::any_demo(conn)? || practice::find(conn)?.is_some() {
        return Ok(());
    }
    let row = PracticeRow { data: practice_data(), logo: None, is_demo: true };
    practice::set(conn, &row, now)?;
    let (Some(client_id), Some(lawyer_id)) = (UserId::new(1), UserId::new(6)) else { return Ok(()) };
    let buyer: Buyer = serde_json::from_value(json!({
        "kind": "person", "name": "Camille Moreau",
        "address": {"line1": "3 place Bellecour", "postcode": "69002", "city": "Lyon", "country": "FR"},
    }))
    .map_err(Error::internal)?;
    practice::set_buyer(conn, client_id, &buyer, now)?;
    let Some(conversation) = conversations::find_between(conn, Members { client_id, lawyer_id })? else {
        return Ok(());
    };
    let place = Place { conversation_id: conversation.row.id, lawyer_id, client_id };
    let paid = issue(conn, place, &row, &buyer, PAID, today.minus_days(50), now)?;
    let total = invoices::find(conn, paid)?.map_or(Cents::ZERO, |row| row.balance.total);
    let payment = NewPayment {
        invoice_id: paid,
        method: PaymentMethod::Transfer,
        amount: total,
        paid_on: today.minus_days(31),
        reference: Some("VIR MOREAU"),
        reverses_id: None,
        reason: None,
        stripe_id: None,
        noted_by: Some(lawyer_id),
    };
    payments::insert(conn, &payment, now)?;
    invoices::refresh(conn, paid, now)?;
    issue(conn, place, &row, &buyer, OVERDUE, today.minus_days(40), now)?;
    issue(conn, place, &row, &buyer, OPEN, today, now)?;
    Ok(())
}

fn practice_data() -> serde_json::Map<String, Value> {
    let data = json!({
        "name": "Cabinet Rousseau (démonstration)", "profession": "avocat", "legalForm": "SELARL",
        "shareCapitalCents": 1_000_000, "siren": "000000000", "rcs": "Lyon", "vatNumber": "FR00000000000",
        "vatRegime": "collection", "paymentTermDays": 30, "penaltyRateBp": 1_200,
        "address": {"line1": "12 rue de la République", "postcode": "69002", "city": "Lyon", "country": "FR"},
        "mediator": {
            "name": "Médiateur de la consommation de la profession d’avocat",
            "contact": "mediateur-consommation-avocat.fr",
        },
        "conventionDate": "2026-01-05",
    });
    match data {
        Value::Object(data) => data,
        _ => serde_json::Map::new(),
    }
}

fn issue(
    conn: &Connection,
    place: Place,
    known: &PracticeRow,
    buyer: &Buyer,
    rows: &[Row],
    on: Day,
    now: Timestamp,
) -> Result<InvoiceId, Error> {
    let line = |row: &Row| {
        let (description, quantity, price, rate, kind) = *row;
        let vat_rate_bp = VatRate::try_from(rate).map_err(Error::internal)?;
        let (unit_price_cents, discount_cents) = (Cents(price), Cents::ZERO);
        let description = description.to_owned();
        Ok(DraftLine { description, quantity, unit_price_cents, discount_cents, vat_rate_bp, kind })
    };
    let lines: Result<Vec<DraftLine>, Error> = rows.iter().map(line).collect();
    let (r#type, deposit_ids) = (InvoiceType::Standard, Vec::new());
    let draft = Draft { r#type, lines: lines?, buyer: None, due_in_days: None, note: None, deposit_ids };
    let seller = mentions::incomplete(known);
    let (lines, totals) = pricing::price(&seller, buyer, &draft.lines)?;
    let id = invoices::insert_draft(conn, place, &draft, now)?;
    let content = Invoice {
        r#type,
        number: Some(numbers::take(conn, Series::Specimen, on)?),
        issued_on: on,
        due_on: on.plus_days(seller.payment_term_days.into()),
        seller,
        buyer: buyer.clone(),
        lines,
        totals,
        preceding: Vec::new(),
        prepaid_cents: Cents::ZERO,
        note: None,
        is_specimen: true,
    };
    invoices::freeze(conn, id, &content, now)?;
    Ok(id)
}
