//! Whether a database is sound: its structure, its references, and what must always agree in it.
//!
//! Everything is looked at in one snapshot while others go on writing, but for the search index: to compare it with the
//! texts takes the write lock for a moment.

use std::path::Path;

use rusqlite::{Connection, named_params};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::store::database::backup::{self, CopyError};
use crate::store::database::functions;
use crate::store::database::schema::VERSION;

/// The version from which on the search index holds what the program makes of the texts, and not what SQLite does.
const FIRST_FOLDED: i64 = 5;

/// Faults of one kind that are listed one by one.
const LISTED_MAX: usize = 100;

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Report {
    /// All that is wrong; nothing when the database is sound.
    pub faults: Vec<String>,
    /// What could not be looked at, and why.
    pub unchecked: Vec<String>,
    /// Conversations that were looked at.
    pub conversations: i64,
    /// Messages that were looked at.
    pub messages: i64,
    /// Files whose bytes were compared with their SHA-256.
    pub files: i64,
}

/// A rule of the whole database: the rows that it selects break it. Each gives an id. `{counts}` leaves out the messages
/// that are never unread, in databases that know such.
const RULES: &[(&str, &str)] = &[
    (
        "conversation {}: its rev is not that of its latest change",
        "SELECT c.id FROM conversations c
         WHERE c.rev <> (SELECT coalesce(max(m.rev), 0) FROM messages m WHERE m.conversation_id = c.id)",
    ),
    (
        "conversation {}: two messages bear the same rev",
        "SELECT DISTINCT conversation_id FROM messages GROUP BY conversation_id, rev HAVING count(*) > 1",
    ),
    (
        "conversation {}: its messages are not numbered in the order of their ids",
        "SELECT DISTINCT conversation_id FROM (
             SELECT conversation_id, sent_rev < lag(sent_rev) OVER (PARTITION BY conversation_id ORDER BY id) AS is_late
             FROM messages
         ) WHERE is_late",
    ),
    (
        "conversation {}: its last message is another one",
        "SELECT c.id FROM conversations c
         WHERE c.last_message_id IS NOT (SELECT max(m.id) FROM messages m WHERE m.conversation_id = c.id)",
    ),
    (
        "conversation {}: the client's unread messages are miscounted",
        "SELECT c.id FROM conversations c
         WHERE c.client_unread <> (
             SELECT count(*) FROM messages m
             WHERE m.conversation_id = c.id AND m.id > c.client_read_id
               AND m.sender_id = c.lawyer_id AND m.deleted_at IS NULL {counts})",
    ),
    (
        "conversation {}: the juriste's unread messages are miscounted",
        "SELECT c.id FROM conversations c
         WHERE c.lawyer_unread <> (
             SELECT count(*) FROM messages m
             WHERE m.conversation_id = c.id AND m.id > c.lawyer_read_id
               AND m.sender_id = c.client_id AND m.deleted_at IS NULL {counts})",
    ),
    (
        "message {}: its sender is not a member",
        "SELECT m.id FROM messages m JOIN conversations c ON c.id = m.conversation_id
         WHERE m.sender_id NOT IN (c.client_id, c.lawyer_id)",
    ),
    (
        "message {}: it is deleted and something of it is left",
        "SELECT m.id FROM messages m
         WHERE m.deleted_at IS NOT NULL AND (m.content <> '' OR m.links IS NOT NULL
             OR EXISTS (SELECT 1 FROM message_revisions r WHERE r.message_id = m.id)
             OR EXISTS (SELECT 1 FROM reactions r WHERE r.message_id = m.id)
             OR EXISTS (SELECT 1 FROM attachments a WHERE a.message_id = m.id))",
    ),
    (
        "file {}: it is in another conversation than its message",
        "SELECT a.id FROM attachments a JOIN messages m ON m.id = a.message_id
         WHERE m.conversation_id <> a.conversation_id",
    ),
    (
        "file {}: its parts do not follow each other",
        "SELECT DISTINCT attachment_id FROM (
             SELECT attachment_id, start <> coalesce(sum(length(bytes)) OVER (
                 PARTITION BY attachment_id ORDER BY start ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS is_off
             FROM attachment_chunks
         ) WHERE is_off",
    ),
    (
        "file {}: its size is not that of its parts",
        "SELECT a.id FROM attachments a
         WHERE a.size <> (SELECT coalesce(sum(length(k.bytes)), 0) FROM attachment_chunks k WHERE k.attachment_id = a.id)",
    ),
];

/// The rules that a database of version 3 keeps as well.
const RULES_OF_3: &[(&str, &str)] = &[
    (
        "file {}: parts of it are left although it was deleted",
        "SELECT DISTINCT attachment_id FROM attachment_chunks
         WHERE attachment_id NOT IN (SELECT id FROM attachments)
           AND attachment_id NOT IN (SELECT attachment_id FROM discarded_files)",
    ),
    (
        "file {}: it is to be removed and is there",
        "SELECT attachment_id FROM discarded_files WHERE attachment_id IN (SELECT id FROM attachments)",
    ),
    (
        "the name of the history is missing, or none ({})",
        "SELECT count(*) FROM settings WHERE name = 'history' AND length(value) = 16 HAVING count(*) <> 1",
    ),
];

/// The rules that a database of version 5 keeps as well.
const RULES_OF_5: &[(&str, &str)] = &[
    (
        "conversation {}: a shown mark is not in front of its read mark",
        "SELECT c.id FROM conversations c
         WHERE c.client_shown_id >= c.client_read_id OR c.lawyer_shown_id >= c.lawyer_read_id
            OR (c.client_shown_id <> 0 AND NOT EXISTS (
                 SELECT 1 FROM messages m WHERE m.id = c.client_shown_id AND m.conversation_id = c.id))
            OR (c.lawyer_shown_id <> 0 AND NOT EXISTS (
                 SELECT 1 FROM messages m WHERE m.id = c.lawyer_shown_id AND m.conversation_id = c.id))",
    ),
    (
        "conversation {}: messages that were marked as unread are miscounted",
        "SELECT c.id FROM conversations c
         WHERE c.client_shown_unread <> (
             SELECT count(*) FROM messages m
             WHERE m.conversation_id = c.id AND m.id > c.client_shown_id AND m.id <= c.client_read_id
               AND m.sender_id = c.lawyer_id AND m.deleted_at IS NULL {counts})
            OR c.lawyer_shown_unread <> (
             SELECT count(*) FROM messages m
             WHERE m.conversation_id = c.id AND m.id > c.lawyer_shown_id AND m.id <= c.lawyer_read_id
               AND m.sender_id = c.client_id AND m.deleted_at IS NULL {counts})",
    ),
    (
        "call {}: it is over and has left no entry, or goes on and has one",
        "SELECT id FROM calls WHERE (state IN ('ringing', 'ongoing')) <> (message_id IS NULL)",
    ),
    (
        "call {}: its entry is not one of it",
        "SELECT k.id FROM calls k JOIN messages m ON m.id = k.message_id
         WHERE m.conversation_id <> k.conversation_id OR m.kind <> 'call' OR m.state ->> '$.id' <> k.id",
    ),
    (
        "bills of {}: a number of a series is missing",
        "SELECT s.year FROM invoice_series s
         WHERE s.name <> 'DEMO' AND s.latest <> (
             SELECT count(*) FROM invoices i WHERE i.number LIKE s.name || s.year || '-%')
           + (SELECT count(*) FROM lost_numbers l WHERE l.number LIKE s.name || s.year || '-%')",
    ),
    (
        "invoice {}: what it was paid, or credited, is not what its rows add up to",
        "SELECT i.id FROM invoices i
         WHERE i.paid_cents <> (SELECT coalesce(sum(p.amount_cents), 0) FROM payments p WHERE p.invoice_id = i.id)
            OR i.credited_cents <> (
             SELECT coalesce(sum(c.net_cents + c.vat_cents), 0) FROM invoices c WHERE c.origin_id = i.id)",
    ),
];

/// Looks at everything.
///
/// # Errors
/// When the file is not a database of ours or cannot be read at all; damage that can be read around is in the report.
pub fn check(path: &Path) -> Result<Report, CopyError> {
    let conn = backup::open_ours(path)?;
    functions::register(&conn).map_err(|cause| CopyError::of(path, cause))?;
    look(&conn).map_err(|cause| CopyError::of(path, cause))
}

fn look(conn: &Connection) -> rusqlite::Result<Report> {
    let mut report = Report::default();
    conn.execute_batch("PRAGMA query_only = ON; BEGIN")?;
    report.faults.extend(structure(conn)?);
    report.faults.extend(references(conn)?);
    let version: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if report.faults.is_empty() {
        let newer = if version >= 3 { RULES_OF_3 } else { &[] };
        let newest = if version >= 5 { RULES_OF_5 } else { &[] };
        let counts = if version >= 5 { "AND m.counts_unread = 1" } else { "" };
        for (fault, rows) in RULES.iter().chain(newer).chain(newest) {
            report.faults.extend(broken(conn, fault, &rows.replace("{counts}", counts))?);
        }
        report.files = files(conn, &mut report.faults)?;
        let count = |table: &str| conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
        report.conversations = count("conversations")?;
        report.messages = count("messages")?;
    }
    conn.execute_batch("COMMIT; PRAGMA query_only = OFF")?;
    match words(conn, version)? {
        Words::Agree => {}
        Words::Differ => report.faults.push("search: the index does not agree with the messages".to_owned()),
        Words::ReadOnly => report.unchecked.push(
            "search: whether the index agrees with the messages is only seen where the database can be written; \
             look at a copy"
                .to_owned(),
        ),
        Words::FoldedOtherwise => report.unchecked.push(
            "search: the index is of an earlier version, which folded words in another way; \
             it is built anew when a server brings the database up to date"
                .to_owned(),
        ),
    }
    Ok(report)
}

fn structure(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = conn.prepare(&format!("PRAGMA integrity_check({LISTED_MAX})"))?;
    let lines: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").map(|line| format!("structure: {line}")).collect())
}

fn references(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = conn.prepare("PRAGMA foreign_key_check")?;
    let listed = statement.query_map([], |row| {
        let (table, to): (String, String) = (row.get(0)?, row.get(2)?);
        Ok(format!("reference: a row of {table} names a row of {to} that is not there"))
    })?;
    listed.take(LISTED_MAX).collect()
}

fn broken(conn: &Connection, fault: &str, rows: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = conn.prepare(rows)?;
    let ids = statement.query_map([], |row| row.get::<_, i64>(0))?;
    ids.take(LISTED_MAX).map(|id| Ok(fault.replace("{}", &id?.to_string()))).collect()
}

/// Compares the bytes of each complete file with what was found out when it arrived.
fn files(conn: &Connection, faults: &mut Vec<String>) -> rusqlite::Result<i64> {
    let mut complete = conn.prepare("SELECT id, sha256 FROM attachments WHERE sha256 IS NOT NULL ORDER BY id")?;
    let mut parts = conn.prepare(
        "SELECT bytes
        FROM attachment_chunks
        WHERE attachment_id = :id
        ORDER BY start",
    )?;
    let mut count = 0;
    let mut rows = complete.query([])?;
    while let Some(row) = rows.next()? {
        let (id, expected): (i64, [u8; 32]) = (row.get(0)?, row.get(1)?);
        let mut hash = Sha256::new();
        let mut chunks = parts.query(named_params! {":id": id})?;
        while let Some(chunk) = chunks.next()? {
            hash.update(chunk.get_ref(0)?.as_blob().unwrap_or_default());
        }
        if <[u8; 32]>::from(hash.finalize()) != expected {
            faults.push(format!("file {id}: its bytes are not those that were sent"));
        }
        count += 1;
    }
    Ok(count)
}

/// How the search index and the texts stand to each other.
enum Words {
    Agree,
    Differ,
    /// They cannot be compared here.
    ReadOnly,
    /// They cannot be compared by this program: the index holds what an earlier one made of the texts.
    FoldedOtherwise,
}

/// Compares the search index with the texts. SQLite asks for it as a write that writes nothing.
fn words(conn: &Connection, version: i64) -> rusqlite::Result<Words> {
    if (FIRST_FOLDED..VERSION).contains(&version) {
        return Ok(Words::FoldedOtherwise);
    }
    let compared = conn.execute("INSERT INTO message_words (message_words, rank) VALUES ('integrity-check', 1)", []);
    match compared.as_ref().map_err(rusqlite::Error::sqlite_error_code) {
        Ok(_) => Ok(Words::Agree),
        Err(Some(rusqlite::ErrorCode::DatabaseCorrupt)) => Ok(Words::Differ),
        Err(Some(rusqlite::ErrorCode::ReadOnly)) => Ok(Words::ReadOnly),
        Err(_) => compared.map(|_| Words::Agree),
    }
}

#[cfg(test)]
mod tests;
