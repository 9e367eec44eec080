//! The `invoice_documents` table: the bytes that were made of an issued invoice, once.

use rusqlite::{Connection, OptionalExtension as _, named_params};

use crate::model::id::InvoiceId;
use crate::model::timestamp::Timestamp;

/// Stores a document, once. Whether it was not there yet.
///
/// # Errors
/// SQLite's.
pub fn insert(
    conn: &Connection,
    id: InvoiceId,
    pdf: &[u8],
    xml: &[u8],
    sha256: &[u8; 32],
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let stored = conn
        .prepare_cached(
            "INSERT INTO invoice_documents (invoice_id, pdf, xml, sha256, created_at)
             SELECT id, :pdf, :xml, :sha256, :now
             FROM invoices
             WHERE id = :id
               AND number IS NOT NULL
             ON CONFLICT (invoice_id) DO NOTHING",
        )?
        .execute(named_params! { ":id": id, ":pdf": pdf, ":xml": xml, ":sha256": sha256.as_slice(), ":now": now })?;
    Ok(stored == 1)
}

/// A stored document.
#[derive(Clone, Debug)]
pub struct Document {
    pub pdf: Vec<u8>,
    pub xml: Vec<u8>,
    /// Of the PDF.
    pub sha256: [u8; 32],
}

/// The document of an invoice; `None` until it is made.
///
/// # Errors
/// SQLite's.
pub fn find(conn: &Connection, id: InvoiceId) -> rusqlite::Result<Option<Document>> {
    conn.prepare_cached("SELECT pdf, xml, sha256 FROM invoice_documents WHERE invoice_id = :id")?
        .query_row(named_params! { ":id": id }, |row| {
            Ok(Document { pdf: row.get(0)?, xml: row.get(1)?, sha256: row.get(2)? })
        })
        .optional()
}

/// Issued rows whose document is still to be made.
///
/// # Errors
/// SQLite's.
pub fn list_missing(conn: &Connection, limit: i64) -> rusqlite::Result<Vec<InvoiceId>> {
    conn.prepare_cached(
        "SELECT i.id
         FROM invoices i
         LEFT JOIN invoice_documents d ON d.invoice_id = i.id
         WHERE i.number IS NOT NULL
           AND d.invoice_id IS NULL
         ORDER BY i.id
         LIMIT :limit",
    )?
    .query_map(named_params! { ":limit": limit }, |row| row.get(0))?
    .collect()
}
