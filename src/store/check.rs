//! Whether a database is sound: its structure, its references, and what must always agree in it.
//!
//! Everything is looked at in one snapshot while others go on writing, but for the search index: to compare it with the
//! texts takes the pen for a moment.

use std::path::Path;

use rusqlite::{Connection, named_params};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::store::backup::{self, CopyError};

/// Faults of one kind that are told one by one.
const TOLD_MAX: usize = 100;

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Report {
    /// All that is wrong; nothing when the database is sound.
    pub faults: Vec<String>,
    /// Conversations that were looked at.
    pub conversations: i64,
    /// Messages that were looked at.
    pub messages: i64,
    /// Files whose bytes were compared with their SHA-256.
    pub files: i64,
}

/// A rule of the whole database: the rows that it selects break it. Each gives an id.
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
               AND m.sender_id = c.lawyer_id AND m.deleted_at IS NULL)",
    ),
    (
        "conversation {}: the juriste's unread messages are miscounted",
        "SELECT c.id FROM conversations c
         WHERE c.lawyer_unread <> (
             SELECT count(*) FROM messages m
             WHERE m.conversation_id = c.id AND m.id > c.lawyer_read_id
               AND m.sender_id = c.client_id AND m.deleted_at IS NULL)",
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

/// Looks at everything.
///
/// # Errors
/// When the file is not a database of ours or cannot be read at all; damage that can be read around is in the report.
pub fn check(path: &Path) -> Result<Report, CopyError> {
    let conn = backup::open_ours(path)?;
    let mut report = Report::default();
    conn.execute_batch("PRAGMA query_only = ON; BEGIN")?;
    report.faults.extend(structure(&conn)?);
    report.faults.extend(references(&conn)?);
    if report.faults.is_empty() {
        for (fault, rows) in RULES {
            report.faults.extend(broken(&conn, fault, rows)?);
        }
        report.files = files(&conn, &mut report.faults)?;
        let count = |table: &str| conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
        report.conversations = count("conversations")?;
        report.messages = count("messages")?;
    }
    conn.execute_batch("COMMIT; PRAGMA query_only = OFF")?;
    report.faults.extend(words(&conn)?);
    Ok(report)
}

fn structure(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = conn.prepare(&format!("PRAGMA integrity_check({TOLD_MAX})"))?;
    let lines: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").map(|line| format!("structure: {line}")).collect())
}

fn references(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = conn.prepare("PRAGMA foreign_key_check")?;
    let told = statement.query_map([], |row| {
        let (table, to): (String, String) = (row.get(0)?, row.get(2)?);
        Ok(format!("reference: a row of {table} names a row of {to} that is not there"))
    })?;
    told.take(TOLD_MAX).collect()
}

fn broken(conn: &Connection, fault: &str, rows: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = conn.prepare(rows)?;
    let ids = statement.query_map([], |row| row.get::<_, i64>(0))?;
    ids.take(TOLD_MAX).map(|id| Ok(fault.replace("{}", &id?.to_string()))).collect()
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

/// Compares the search index with the texts. SQLite asks for it as a write that writes nothing.
fn words(conn: &Connection) -> rusqlite::Result<Option<String>> {
    let compared = conn.execute("INSERT INTO message_words (message_words, rank) VALUES ('integrity-check', 1)", []);
    match compared {
        Ok(_) => Ok(None),
        Err(cause) if cause.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt) => {
            Ok(Some("search: the index does not agree with the messages".to_owned()))
        }
        Err(cause) => Err(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::db::{Db, Missing, Settings};

    const CONTENT: &str = "
        INSERT INTO conversations (id, client_id, lawyer_id, rev, last_message_id, active_at, client_unread, lawyer_unread,
            client_read_id, lawyer_read_id, created_at, updated_at)
        VALUES (1, 1, 6, 0, NULL, 1, 0, 0, 0, 0, 1, 1);
        INSERT INTO messages (id, conversation_id, sender_id, sent_rev, rev, content, created_at)
        VALUES (1, 1, 1, 1, 3, 'Bonjour Maître', 1), (2, 1, 6, 2, 2, 'Bonjour', 2);
        UPDATE conversations SET rev = 3, last_message_id = 2, client_unread = 1, lawyer_unread = 1 WHERE id = 1;
        UPDATE indexing SET message_id = 2;
        INSERT INTO message_words (rowid, content, members) SELECT id, content, members FROM searchable_messages;
        INSERT INTO attachments (id, uploader_id, conversation_id, message_id, place, name, size, mime_type, sha256,
            created_at)
        VALUES (1, 1, 1, 1, 0, 'a.txt', 5, 'application/octet-stream',
            x'2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824', 1);
        INSERT INTO attachment_chunks (attachment_id, start, bytes)
        VALUES (1, 0, CAST('hel' AS BLOB)), (1, 3, CAST('lo' AS BLOB));";

    fn faults_after(harm: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lexchat.db");
        let settings = Settings { path: path.clone(), missing: Missing::CreateDemo, readers_max: 1 };
        drop(Db::open(&settings).unwrap());
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        conn.execute_batch(CONTENT).unwrap();
        conn.execute_batch(harm).unwrap();
        drop(conn);
        check(&path).unwrap().faults
    }

    #[test]
    fn a_sound_database_has_no_faults() {
        assert_eq!(faults_after(""), Vec::<String>::new());
    }

    #[test]
    fn each_harm_is_told() {
        for (harm, told) in [
            ("UPDATE conversations SET rev = 4", "conversation 1: its rev is not that of its latest change"),
            ("UPDATE messages SET rev = 2 WHERE id = 1", "conversation 1: two messages bear the same rev"),
            (
                "UPDATE messages SET sent_rev = 0 WHERE id = 2",
                "conversation 1: its messages are not numbered in the order of their ids",
            ),
            ("UPDATE conversations SET last_message_id = 1", "conversation 1: its last message is another one"),
            (
                "UPDATE conversations SET client_unread = 0",
                "conversation 1: the client's unread messages are miscounted",
            ),
            (
                "UPDATE conversations SET lawyer_unread = 9",
                "conversation 1: the juriste's unread messages are miscounted",
            ),
            ("UPDATE messages SET sender_id = 2 WHERE id = 1", "message 1: its sender is not a member"),
            ("UPDATE messages SET deleted_at = 1 WHERE id = 1", "message 1: it is deleted and something of it is left"),
            ("UPDATE attachments SET size = 6", "file 1: its size is not that of its parts"),
            ("UPDATE attachment_chunks SET start = 4 WHERE start = 3", "file 1: its parts do not follow each other"),
            (
                "UPDATE attachment_chunks SET bytes = CAST('hex' AS BLOB) WHERE start = 0",
                "file 1: its bytes are not those that were sent",
            ),
            (
                "DELETE FROM users WHERE id = 6",
                "reference: a row of conversations names a row of users that is not there",
            ),
            (
                "UPDATE messages SET content = 'Adieu' WHERE id = 1",
                "search: the index does not agree with the messages",
            ),
        ] {
            let faults = faults_after(harm);
            assert!(faults.iter().any(|fault| fault == told), "{harm}: {faults:?}");
        }
    }

    #[test]
    fn a_check_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lexchat.db");
        let settings = Settings { path: path.clone(), missing: Missing::CreateDemo, readers_max: 1 };
        drop(Db::open(&settings).unwrap());
        let before = std::fs::read(&path).unwrap();
        assert_eq!(check(&path).unwrap().faults, Vec::<String>::new());
        assert!(std::fs::read(&path).unwrap() == before);
    }
}
