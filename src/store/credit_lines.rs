//! The `credit_lines` table: what credit notes take back of each line of an invoice.

use std::collections::BTreeMap;

use rusqlite::{Connection, named_params};

use crate::model::cents::Cents;
use crate::model::id::InvoiceId;

/// What a credit note takes back of one line.
///
/// # Errors
/// SQLite's.
pub fn insert(conn: &Connection, credit_id: InvoiceId, line: i64, net: Cents) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT INTO credit_lines (credit_id, line, net_cents) VALUES (:credit, :line, :net)")?
        .execute(named_params! { ":credit": credit_id, ":line": line, ":net": net })
        .map(drop)
}

/// What all credit notes have taken back of each line of an invoice, by its place from 1.
///
/// # Errors
/// SQLite's.
pub fn list_of(conn: &Connection, origin_id: InvoiceId) -> rusqlite::Result<BTreeMap<i64, Cents>> {
    conn.prepare_cached(
        "SELECT l.line, sum(l.net_cents)
         FROM credit_lines l
         JOIN invoices c ON c.id = l.credit_id
         WHERE c.origin_id = :origin
         GROUP BY l.line",
    )?
    .query_map(named_params! { ":origin": origin_id }, |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}
