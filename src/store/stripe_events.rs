//! The `stripe_events` and `disputes` tables: what Stripe told, once.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

use crate::model::cents::Cents;
use crate::model::id::InvoiceId;
use crate::model::timestamp::Timestamp;

/// A dispute as Stripe told when it was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DisputeRow<'a> {
    pub stripe_id: &'a str,
    pub invoice_id: InvoiceId,
    pub payment_intent: &'a str,
    pub amount: Cents,
    pub status: &'a str,
    pub reason: &'a str,
    /// When, in seconds since 1970.
    pub asked_s: i64,
}

/// Stores how a dispute stands, unless a later answer has told of it; whether it was stored.
///
/// # Errors
/// SQLite's.
pub fn set_dispute(conn: &Connection, row: &DisputeRow<'_>) -> rusqlite::Result<bool> {
    let mut statement = conn.prepare_cached(
        "INSERT INTO disputes (stripe_id, invoice_id, payment_intent, amount_cents, status, reason, asked_s)
         VALUES (:stripe, :invoice, :payment, :amount, :status, :reason, :asked)
         ON CONFLICT (stripe_id) DO UPDATE
         SET amount_cents = excluded.amount_cents, status = excluded.status, reason = excluded.reason,
           asked_s = excluded.asked_s
         WHERE excluded.asked_s > disputes.asked_s
            OR excluded.asked_s = disputes.asked_s AND disputes.status NOT IN ('won', 'lost')",
    )?;
    let stored = statement.execute(named_params! {
        ":stripe": row.stripe_id,
        ":invoice": row.invoice_id,
        ":payment": row.payment_intent,
        ":amount": row.amount,
        ":status": row.status,
        ":reason": row.reason,
        ":asked": row.asked_s,
    })?;
    Ok(stored == 1)
}

/// A row of `stripe_events`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventRow {
    pub id: String,
    pub kind: String,
    pub created_s: i64,
    /// As it came; `None` once it has taken effect.
    pub body: Option<String>,
    /// `waiting`, `done`, `foreign`, `unknown`.
    pub outcome: String,
    pub checks: u32,
}

/// Stores an event; whether it was not known yet.
///
/// # Errors
/// SQLite's.
pub fn insert_event(conn: &Connection, row: &EventRow, now: Timestamp) -> rusqlite::Result<bool> {
    let stored = conn
        .prepare_cached(
            "INSERT INTO stripe_events (id, kind, created_s, body, outcome, due_at, received_at)
             VALUES (:id, :kind, :created, :body, :outcome, :now, :now)
             ON CONFLICT (id) DO NOTHING",
        )?
        .execute(named_params! {
            ":id": row.id,
            ":kind": row.kind,
            ":created": row.created_s,
            ":body": row.body,
            ":outcome": row.outcome,
            ":now": now,
        })?;
    Ok(stored == 1)
}

/// The events that wait, the oldest first.
///
/// # Errors
/// SQLite's.
pub fn list_due_events(conn: &Connection, now: Timestamp, limit: i64) -> rusqlite::Result<Vec<EventRow>> {
    conn.prepare_cached(
        "SELECT id, kind, created_s, body, outcome, checks
         FROM stripe_events
         WHERE outcome = 'waiting'
           AND due_at <= :now
         ORDER BY due_at, created_s
         LIMIT :limit",
    )?
    .query_map(named_params! { ":now": now, ":limit": limit }, event)?
    .collect()
}

fn event(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    Ok(EventRow {
        id: row.get(0)?,
        kind: row.get(1)?,
        created_s: row.get(2)?,
        body: row.get(3)?,
        outcome: row.get(4)?,
        checks: row.get(5)?,
    })
}

/// The latest events that belong to other histories.
///
/// # Errors
/// SQLite's.
pub fn list_foreign(conn: &Connection, limit: i64) -> rusqlite::Result<Vec<EventRow>> {
    conn.prepare_cached(
        "SELECT id, kind, created_s, NULL, outcome, checks
         FROM stripe_events
         WHERE outcome = 'foreign'
         ORDER BY created_s DESC
         LIMIT :limit",
    )?
    .query_map(named_params! { ":limit": limit }, event)?
    .collect()
}

/// What an event came to. Its body goes.
///
/// # Errors
/// SQLite's.
pub fn settle_event(conn: &Connection, id: &str, outcome: &str) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE stripe_events SET outcome = :outcome, body = NULL WHERE id = :id")?
        .execute(named_params! { ":outcome": outcome, ":id": id })
        .map(drop)
}

/// An event is to be looked at again later.
///
/// # Errors
/// SQLite's.
pub fn postpone_event(conn: &Connection, id: &str, due_at: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE stripe_events SET checks = checks + 1, due_at = :due WHERE id = :id")?
        .execute(named_params! { ":due": due_at, ":id": id })
        .map(drop)
}

/// Up to when Stripe was asked for all its events, in seconds since 1970; `None` before the first time.
///
/// # Errors
/// SQLite's.
pub fn asked_until_s(conn: &Connection) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'stripe_events_asked_s'")?
        .query_row([], |row| row.get(0))
        .optional()
}

/// Stripe was asked for all its events up to then.
///
/// # Errors
/// SQLite's.
pub fn set_asked_until_s(conn: &Connection, until_s: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT OR REPLACE INTO settings (name, value) VALUES ('stripe_events_asked_s', :until)")?
        .execute(named_params! { ":until": until_s.to_string() })
        .map(drop)
}

/// How many events came to each outcome.
///
/// # Errors
/// SQLite's.
pub fn count(conn: &Connection) -> rusqlite::Result<Vec<(String, i64)>> {
    conn.prepare_cached("SELECT outcome, count(*) FROM stripe_events GROUP BY outcome ORDER BY outcome")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}
