//! The `payments` table: money that moved. Rows are only ever added.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

use crate::model::billing::{PaymentMethod, ShownPayment};
use crate::model::cents::Cents;
use crate::model::day::Day;
use crate::model::id::{InvoiceId, PaymentId, UserId};
use crate::model::timestamp::Timestamp;

/// Money to be noted.
#[derive(Clone, Debug)]
pub struct NewPayment<'a> {
    pub invoice_id: InvoiceId,
    pub method: PaymentMethod,
    /// Below zero where it went back.
    pub amount: Cents,
    pub paid_on: Day,
    pub reference: Option<&'a str>,
    /// What this takes back.
    pub reverses_id: Option<PaymentId>,
    pub reason: Option<&'a str>,
    /// Stripe's id of the payment or of the refund.
    pub stripe_id: Option<&'a str>,
    /// `None`: Stripe told.
    pub noted_by: Option<UserId>,
}

/// A row of the table.
#[derive(Clone, Debug)]
pub struct PaymentRow {
    pub invoice_id: InvoiceId,
    pub shown: ShownPayment,
    pub stripe_id: Option<String>,
    /// When it was noted.
    pub created_at: Timestamp,
}

const COLUMNS: &str =
    "id, invoice_id, method, amount_cents, paid_on, reference, reverses_id, reason, stripe_id, created_at";

fn read(row: &Row<'_>) -> rusqlite::Result<PaymentRow> {
    Ok(PaymentRow {
        invoice_id: row.get(1)?,
        shown: ShownPayment {
            id: row.get(0)?,
            method: PaymentMethod::find(&row.get::<_, String>(2)?).unwrap_or(PaymentMethod::Other),
            amount_cents: row.get(3)?,
            date: row.get(4)?,
            reference: row.get(5)?,
            reverses_id: row.get(6)?,
            reason: row.get(7)?,
        },
        stripe_id: row.get(8)?,
        created_at: row.get(9)?,
    })
}

/// Notes money; `None` if Stripe's id, or a reversal of the same row, is there already.
///
/// # Errors
/// SQLite's.
pub fn insert(conn: &Connection, new: &NewPayment<'_>, now: Timestamp) -> rusqlite::Result<Option<PaymentId>> {
    conn.prepare_cached(
        "INSERT INTO payments (
           invoice_id, method, amount_cents, paid_on, reference, reverses_id, reason, stripe_id, noted_by, created_at
         )
         VALUES (:invoice, :method, :amount, :on, :reference, :reverses, :reason, :stripe, :by, :now)
         ON CONFLICT DO NOTHING
         RETURNING id",
    )?
    .query_row(
        named_params! {
            ":invoice": new.invoice_id,
            ":method": new.method.as_str(),
            ":amount": new.amount,
            ":on": new.paid_on,
            ":reference": new.reference,
            ":reverses": new.reverses_id,
            ":reason": new.reason,
            ":stripe": new.stripe_id,
            ":by": new.noted_by,
            ":now": now,
        },
        |row| row.get(0),
    )
    .optional()
}

/// One row.
///
/// # Errors
/// SQLite's.
pub fn find(conn: &Connection, id: PaymentId) -> rusqlite::Result<Option<PaymentRow>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM payments WHERE id = :id"))?
        .query_row(named_params! { ":id": id }, read)
        .optional()
}

/// The row of this payment or refund at Stripe.
///
/// # Errors
/// SQLite's.
pub fn find_by_stripe_id(conn: &Connection, stripe_id: &str) -> rusqlite::Result<Option<PaymentRow>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM payments WHERE stripe_id = :stripe"))?
        .query_row(named_params! { ":stripe": stripe_id }, read)
        .optional()
}

/// Whether a row was taken back.
///
/// # Errors
/// SQLite's.
pub fn is_reversed(conn: &Connection, id: PaymentId) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT EXISTS (SELECT 1 FROM payments WHERE reverses_id = :id)")?
        .query_row(named_params! { ":id": id }, |row| row.get(0))
}

/// An invoice's money, in the order in which it was noted.
///
/// # Errors
/// SQLite's.
pub fn list_of(conn: &Connection, invoice_id: InvoiceId) -> rusqlite::Result<Vec<PaymentRow>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM payments WHERE invoice_id = :invoice ORDER BY id"))?
        .query_map(named_params! { ":invoice": invoice_id }, read)?
        .collect()
}

/// The money of a span of days, in the order of the days.
///
/// # Errors
/// SQLite's.
pub fn list_between(conn: &Connection, from: Day, to: Day) -> rusqlite::Result<Vec<PaymentRow>> {
    conn.prepare_cached(&format!(
        "SELECT {COLUMNS}
         FROM payments
         WHERE paid_on BETWEEN :from AND :to
         ORDER BY paid_on, id"
    ))?
    .query_map(named_params! { ":from": from, ":to": to }, read)?
    .collect()
}

/// The cash that an invoice was paid with, less what was taken back.
///
/// # Errors
/// SQLite's.
pub fn cash_of(conn: &Connection, invoice_id: InvoiceId) -> rusqlite::Result<Cents> {
    conn.prepare_cached(
        "SELECT coalesce(sum(amount_cents), 0)
         FROM payments
         WHERE invoice_id = :invoice
           AND method = 'cash'",
    )?
    .query_row(named_params! { ":invoice": invoice_id }, |row| row.get(0))
}
