//! What Stripe is asked and tells: payment pages, refunds, disputes and events.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

use crate::model::billing::ShownRefund;
use crate::model::cents::Cents;
use crate::model::id::InvoiceId;
use crate::model::timestamp::Timestamp;

/// A row of `checkout_sessions`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionRow {
    pub id: i64,
    pub invoice_id: InvoiceId,
    /// `client_reference_id`
    pub reference: String,
    pub create_key: String,
    pub expire_key: String,
    pub amount: Cents,
    pub expires_s: i64,
    /// `creating`, `open`, `in_process`, `paid`, `expired`, `failed`.
    pub state: String,
    /// It is to be expired.
    pub is_unwanted: bool,
    pub stripe_id: Option<String>,
    pub url: Option<String>,
    pub payment_intent: Option<String>,
    pub failure: Option<String>,
    pub checks: u32,
}

const SESSION: &str =
    "s.id, s.invoice_id, s.reference, s.create_key, s.expire_key, s.amount_cents, s.expires_s, s.state,
    s.is_unwanted, s.stripe_id, s.url, s.payment_intent, s.failure, s.checks";

fn session(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        id: row.get(0)?,
        invoice_id: row.get(1)?,
        reference: row.get(2)?,
        create_key: row.get(3)?,
        expire_key: row.get(4)?,
        amount: row.get(5)?,
        expires_s: row.get(6)?,
        state: row.get(7)?,
        is_unwanted: row.get(8)?,
        stripe_id: row.get(9)?,
        url: row.get(10)?,
        payment_intent: row.get(11)?,
        failure: row.get(12)?,
        checks: row.get(13)?,
    })
}

/// A payment page to be made.
#[derive(Debug)]
pub struct NewSession<'a> {
    pub invoice_id: InvoiceId,
    pub reference: &'a str,
    pub create_key: &'a str,
    pub expire_key: &'a str,
    pub amount: Cents,
    pub expires_s: i64,
}

/// Stores a payment page before Stripe hears of it.
///
/// # Errors
/// SQLite's.
pub fn insert_session(conn: &Connection, new: &NewSession<'_>, now: Timestamp) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "INSERT INTO checkout_sessions (
           invoice_id, reference, create_key, expire_key, amount_cents, expires_s, state, due_at, created_at
         )
         VALUES (:invoice, :reference, :create, :expire, :amount, :expires, 'creating', :now, :now)
         RETURNING id",
    )?
    .query_row(
        named_params! {
            ":invoice": new.invoice_id,
            ":reference": new.reference,
            ":create": new.create_key,
            ":expire": new.expire_key,
            ":amount": new.amount,
            ":expires": new.expires_s,
            ":now": now,
        },
        |row| row.get(0),
    )
}

/// One payment page.
///
/// # Errors
/// SQLite's.
pub fn find_session(conn: &Connection, id: i64) -> rusqlite::Result<Option<SessionRow>> {
    conn.prepare_cached(&format!("SELECT {SESSION} FROM checkout_sessions s WHERE s.id = :id"))?
        .query_row(named_params! { ":id": id }, session)
        .optional()
}

/// The payment page with this `client_reference_id`.
///
/// # Errors
/// SQLite's.
pub fn find_by_reference(conn: &Connection, reference: &str) -> rusqlite::Result<Option<SessionRow>> {
    conn.prepare_cached(&format!("SELECT {SESSION} FROM checkout_sessions s WHERE s.reference = :reference"))?
        .query_row(named_params! { ":reference": reference }, session)
        .optional()
}

/// The payment page that this payment came by.
///
/// # Errors
/// SQLite's.
pub fn find_by_payment(conn: &Connection, payment_intent: &str) -> rusqlite::Result<Option<SessionRow>> {
    conn.prepare_cached(&format!("SELECT {SESSION} FROM checkout_sessions s WHERE s.payment_intent = :payment"))?
        .query_row(named_params! { ":payment": payment_intent }, session)
        .optional()
}

/// An invoice's payment pages on which somebody may still pay, the latest first.
///
/// # Errors
/// SQLite's.
pub fn list_live(conn: &Connection, invoice_id: InvoiceId) -> rusqlite::Result<Vec<SessionRow>> {
    conn.prepare_cached(&format!(
        "SELECT {SESSION}
         FROM checkout_sessions s
         WHERE s.invoice_id = :invoice
           AND s.state IN ('creating', 'open')
         ORDER BY s.id DESC"
    ))?
    .query_map(named_params! { ":invoice": invoice_id }, session)?
    .collect()
}

/// The payment pages that Stripe is to be asked about now. None is made while another one of its invoice is to be expired.
///
/// # Errors
/// SQLite's.
pub fn list_due_sessions(conn: &Connection, now: Timestamp, limit: i64) -> rusqlite::Result<Vec<SessionRow>> {
    conn.prepare_cached(&format!(
        "SELECT {SESSION}
         FROM checkout_sessions s
         WHERE s.state IN ('creating', 'open', 'in_process')
           AND s.due_at <= :now
           AND (s.state <> 'creating' OR s.is_unwanted OR NOT EXISTS (
             SELECT 1
             FROM checkout_sessions u
             WHERE u.invoice_id = s.invoice_id
               AND u.id < s.id
               AND u.is_unwanted = 1
               AND u.state IN ('creating', 'open')
           ))
         ORDER BY s.due_at
         LIMIT :limit"
    ))?
    .query_map(named_params! { ":now": now, ":limit": limit }, session)?
    .collect()
}

/// Stores how a payment page stands.
///
/// # Errors
/// SQLite's.
pub fn set_session(conn: &Connection, row: &SessionRow, due_at: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE checkout_sessions
         SET state = :state, is_unwanted = :unwanted, stripe_id = :stripe, url = :url, payment_intent = :payment,
           expires_s = :expires, failure = :failure, checks = :checks, due_at = :due
         WHERE id = :id",
    )?
    .execute(named_params! {
        ":state": row.state,
        ":unwanted": row.is_unwanted,
        ":stripe": row.stripe_id,
        ":url": row.url,
        ":payment": row.payment_intent,
        ":expires": row.expires_s,
        ":failure": row.failure,
        ":checks": row.checks,
        ":due": due_at,
        ":id": row.id,
    })
    .map(drop)
}

/// A payment over another amount than was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unexpected {
    /// The invoice's number.
    pub number: String,
    pub asked: Cents,
    pub came: Cents,
}

/// The latest payment over another amount than its page asked for, if one was booked since.
///
/// # Errors
/// SQLite's.
pub fn find_unexpected(conn: &Connection, since: Timestamp) -> rusqlite::Result<Option<Unexpected>> {
    conn.prepare_cached(
        "SELECT i.number, s.amount_cents, p.amount_cents
         FROM payments p
         JOIN checkout_sessions s ON s.payment_intent = p.stripe_id
         JOIN invoices i ON i.id = p.invoice_id
         WHERE p.created_at >= :since
           AND p.amount_cents <> s.amount_cents
         ORDER BY p.id DESC
         LIMIT 1",
    )?
    .query_row(named_params! { ":since": since }, |row| {
        Ok(Unexpected { number: row.get(0)?, asked: row.get(1)?, came: row.get(2)? })
    })
    .optional()
}

/// A row of `refunds`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefundRow {
    pub id: i64,
    pub invoice_id: InvoiceId,
    pub credit_id: Option<InvoiceId>,
    pub payment_intent: String,
    pub amount: Cents,
    pub create_key: String,
    /// `requested`, `pending`, `succeeded`, `failed`.
    pub state: String,
    pub stripe_id: Option<String>,
    pub failure: Option<String>,
    pub checks: u32,
}

const REFUND: &str =
    "id, invoice_id, credit_id, payment_intent, amount_cents, create_key, state, stripe_id, failure, checks";

fn refund(row: &Row<'_>) -> rusqlite::Result<RefundRow> {
    Ok(RefundRow {
        id: row.get(0)?,
        invoice_id: row.get(1)?,
        credit_id: row.get(2)?,
        payment_intent: row.get(3)?,
        amount: row.get(4)?,
        create_key: row.get(5)?,
        state: row.get(6)?,
        stripe_id: row.get(7)?,
        failure: row.get(8)?,
        checks: row.get(9)?,
    })
}

/// Stores a refund before Stripe hears of it, or one that was made at Stripe itself. Its `id` is given here.
///
/// # Errors
/// SQLite's.
pub fn insert_refund(conn: &Connection, new: &RefundRow, now: Timestamp) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "INSERT INTO refunds (
           invoice_id, credit_id, payment_intent, amount_cents, create_key, state, stripe_id, failure, due_at, created_at
         )
         VALUES (:invoice, :credit, :payment, :amount, :key, :state, :stripe, :failure, :now, :now)
         RETURNING id",
    )?
    .query_row(
        named_params! {
            ":invoice": new.invoice_id,
            ":credit": new.credit_id,
            ":payment": new.payment_intent,
            ":amount": new.amount,
            ":key": new.create_key,
            ":state": new.state,
            ":stripe": new.stripe_id,
            ":failure": new.failure,
            ":now": now,
        },
        |row| row.get(0),
    )
}

/// One refund.
///
/// # Errors
/// SQLite's.
pub fn find_refund(conn: &Connection, id: i64) -> rusqlite::Result<Option<RefundRow>> {
    conn.prepare_cached(&format!("SELECT {REFUND} FROM refunds WHERE id = :id"))?
        .query_row(named_params! { ":id": id }, refund)
        .optional()
}

/// The refund that Stripe knows by this id, or that was asked for by this key.
///
/// # Errors
/// SQLite's.
pub fn find_refund_at_stripe(
    conn: &Connection,
    stripe_id: &str,
    create_key: Option<&str>,
) -> rusqlite::Result<Option<RefundRow>> {
    conn.prepare_cached(&format!(
        "SELECT {REFUND}
         FROM refunds
         WHERE stripe_id = :stripe OR create_key = :key AND stripe_id IS NULL"
    ))?
    .query_row(named_params! { ":stripe": stripe_id, ":key": create_key }, refund)
    .optional()
}

/// The refunds that Stripe is to be asked for, or about, now.
///
/// # Errors
/// SQLite's.
pub fn list_due_refunds(conn: &Connection, now: Timestamp, limit: i64) -> rusqlite::Result<Vec<RefundRow>> {
    conn.prepare_cached(&format!(
        "SELECT {REFUND}
         FROM refunds
         WHERE state IN ('requested', 'pending')
           AND due_at <= :now
         ORDER BY due_at
         LIMIT :limit"
    ))?
    .query_map(named_params! { ":now": now, ":limit": limit }, refund)?
    .collect()
}

/// Stores how a refund stands.
///
/// # Errors
/// SQLite's.
pub fn set_refund(conn: &Connection, row: &RefundRow, due_at: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE refunds
         SET state = :state, stripe_id = :stripe, failure = :failure, checks = :checks, due_at = :due
         WHERE id = :id",
    )?
    .execute(named_params! {
        ":state": row.state,
        ":stripe": row.stripe_id,
        ":failure": row.failure,
        ":checks": row.checks,
        ":due": due_at,
        ":id": row.id,
    })
    .map(drop)
}

/// What is on its way back, or asked to be, for an invoice, and what came back of one payment, whatever its way.
///
/// # Errors
/// SQLite's.
pub fn refunding(conn: &Connection, invoice_id: InvoiceId) -> rusqlite::Result<Cents> {
    conn.prepare_cached(
        "SELECT coalesce(sum(amount_cents), 0)
         FROM refunds
         WHERE invoice_id = :invoice
           AND state IN ('requested', 'pending')",
    )?
    .query_row(named_params! { ":invoice": invoice_id }, |row| row.get(0))
}

/// What Stripe still holds of each payment of an invoice, the latest payment first.
///
/// # Errors
/// SQLite's.
pub fn held(conn: &Connection, invoice_id: InvoiceId) -> rusqlite::Result<Vec<(String, Cents)>> {
    conn.prepare_cached(
        "SELECT p.stripe_id,
           p.amount_cents - (
             SELECT coalesce(sum(r.amount_cents), 0)
             FROM refunds r
             WHERE r.payment_intent = p.stripe_id
               AND r.state <> 'failed'
           ) - (
             SELECT coalesce(sum(d.amount_cents), 0)
             FROM disputes d
             WHERE d.payment_intent = p.stripe_id
               AND d.status = 'lost'
           )
         FROM payments p
         WHERE p.invoice_id = :invoice
           AND p.amount_cents > 0
           AND p.stripe_id IS NOT NULL
           AND p.reverses_id IS NULL
         ORDER BY p.id DESC",
    )?
    .query_map(named_params! { ":invoice": invoice_id }, |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

/// An invoice's refunds as they are shown.
///
/// # Errors
/// SQLite's.
pub fn list_refunds(conn: &Connection, invoice_id: InvoiceId) -> rusqlite::Result<Vec<ShownRefund>> {
    conn.prepare_cached(&format!("SELECT {REFUND} FROM refunds WHERE invoice_id = :invoice ORDER BY id"))?
        .query_map(named_params! { ":invoice": invoice_id }, |row| {
            let row = refund(row)?;
            let RefundRow { amount, state, failure, credit_id, .. } = row;
            Ok(ShownRefund { amount_cents: amount, state, failure, credit_id })
        })?
        .collect()
}

/// How many payment pages and refunds Stripe is being asked about, and how many refunds failed.
///
/// # Errors
/// SQLite's.
pub fn count(conn: &Connection) -> rusqlite::Result<[i64; 2]> {
    conn.prepare_cached(
        "SELECT
           (SELECT count(*) FROM checkout_sessions WHERE state IN ('creating', 'open', 'in_process'))
             + (SELECT count(*) FROM refunds WHERE state IN ('requested', 'pending')),
           (SELECT count(*) FROM refunds WHERE state = 'failed')",
    )?
    .query_row([], |row| Ok([row.get(0)?, row.get(1)?]))
}
