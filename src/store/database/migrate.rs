//! From whatever version a database has to the one that this program knows.
//!
//! An older database is walked step by step, each step in its own transaction, after a copy of the file as it was. A
//! newer one is refused: what it holds may mean something else than this program thinks.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use crate::store::database::backup::{self, CopyError};
use crate::store::database::error::OpenError;
use crate::store::database::file;
use crate::store::database::schema::{STEPS, Step, VERSION};

/// That a database was brought up to date.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Migrated {
    /// Its version before.
    pub from: i64,
    /// Its version now.
    pub to: i64,
    /// Where it lies as it was.
    pub copy: PathBuf,
}

/// Walks an older database to the current version; before the first step, copies it beside itself. `None` if it is current.
///
/// # Errors
/// When it is newer than this program, or a step fails: it is left at the version before that step.
pub fn migrate(conn: &mut Connection, path: &Path, found: i64) -> Result<Option<Migrated>, OpenError> {
    if found > VERSION {
        return Err(OpenError::Newer { path: path.to_owned(), found, known: VERSION });
    }
    if found == VERSION {
        return Ok(None);
    }
    let failed = |source| OpenError::Migration { path: path.to_owned(), found, source };
    let copy = copy_aside(path, found).map_err(|cause| failed(cause.into()))?;
    tracing::info!(from = found, to = VERSION, copy = %copy.display(), "the database is brought up to date");
    for step in STEPS.iter().filter(|step| step.to > found) {
        walk(conn, step).map_err(|cause| failed(cause.into()))?;
    }
    Ok(Some(Migrated { from: found, to: VERSION, copy }))
}

fn walk(conn: &mut Connection, step: &Step) -> rusqlite::Result<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let at: i64 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if at >= step.to {
        return Ok(());
    }
    tx.execute_batch(step.sql)?;
    tx.pragma_update(None, "user_version", step.to)?;
    tx.commit()
}

/// Copies the database as it is to a free name beside it: `lexchat.db.v1`, or `lexchat.db.v1-2`, `…-3` where there is one
/// already. What lies there may be anything: it is neither trusted nor overwritten.
fn copy_aside(path: &Path, version: i64) -> Result<PathBuf, CopyError> {
    let mut number = 1;
    loop {
        let ending = if number == 1 { format!(".v{version}") } else { format!(".v{version}-{number}") };
        let copy = file::companion(path, &ending);
        match backup::copy(path, &copy) {
            Err(CopyError::Exists { .. }) => number += 1,
            outcome => return outcome.map(|()| copy),
        }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::store::database::functions;
    use crate::store::database::schema::{APPLICATION_ID, Found, SCHEMA, SEED, identify};

    /// The schema as it was in each version that was ever in use.
    const EARLIER: [(i64, &str); 3] = [
        (1, include_str!("testing/schema_1.sql")),
        (2, include_str!("testing/schema_2.sql")),
        (5, include_str!("testing/schema_5.sql")),
    ];

    /// Each column of each table, how each index and view is made, and how the index of words is set.
    fn shape(conn: &Connection) -> Vec<String> {
        let mut shapes = conn
            .prepare(
                "SELECT t.name || '.' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' || coalesce(c.dflt_value, '')
                 FROM pragma_table_list t
                 JOIN pragma_table_xinfo(t.name) c
                 UNION ALL
                 SELECT name || ': ' || sql
                 FROM sqlite_schema
                 WHERE type <> 'table'
                   AND sql IS NOT NULL
                 UNION ALL
                 SELECT t.name || '.' || f.\"from\" || ' → ' || f.\"table\" || ' ' || f.on_delete
                 FROM pragma_table_list t
                 JOIN pragma_foreign_key_list(t.name) f
                 UNION ALL
                 SELECT 'message_words ' || k || ': ' || v
                 FROM message_words_config
                 ORDER BY 1",
            )
            .unwrap();
        let shapes = shapes.query_map([], |row| row.get(0)).unwrap();
        shapes.map(Result::unwrap).collect()
    }

    #[test]
    fn every_earlier_version_becomes_what_a_fresh_database_is_and_keeps_what_is_in_it() {
        let fresh = Connection::open_in_memory().unwrap();
        functions::register(&fresh).unwrap();
        fresh.execute_batch(SCHEMA).unwrap();
        let folder = TempDir::new().unwrap();
        for (version, schema) in EARLIER {
            let path = folder.path().join(format!("from{version}.db"));
            let mut conn = Connection::open(&path).unwrap();
            functions::register(&conn).unwrap();
            conn.execute_batch(schema).unwrap();
            conn.execute_batch(SEED).unwrap();
            conn.execute_batch(
                "INSERT INTO conversations (id, client_id, lawyer_id, rev, active_at, created_at, updated_at)
                 VALUES (1, 1, 6, 1, 0, 0, 0);
                 INSERT INTO messages (conversation_id, sender_id, sent_rev, rev, content, client_message_id, created_at)
                 VALUES (1, 1, 1, 1, 'gardé', 'mine', 0);",
            )
            .unwrap();
            conn.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
            conn.pragma_update(None, "user_version", version).unwrap();
            migrate(&mut conn, &path, version).unwrap();
            assert_eq!(identify(&conn).unwrap(), Found::Ours(VERSION));
            assert_eq!(shape(&conn), shape(&fresh), "from version {version}");
            let kept: String = conn
                .query_row("SELECT content FROM messages WHERE client_message_id = 'mine'", [], |row| row.get(0))
                .unwrap();
            assert_eq!(kept, "gardé");
            let copy = Connection::open(file::companion(&path, &format!(".v{version}"))).unwrap();
            assert_eq!(identify(&copy).unwrap(), Found::Ours(version), "the copy is as it was");
        }
    }

    #[test]
    fn what_lies_where_the_copy_belongs_is_neither_trusted_nor_touched() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("lexchat.db");
        let mut conn = Connection::open(&path).unwrap();
        functions::register(&conn).unwrap();
        conn.execute_batch(EARLIER[1].1).unwrap();
        conn.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        conn.pragma_update(None, "user_version", 2).unwrap();
        std::fs::write(file::companion(&path, ".v2"), "no database at all").unwrap();
        std::fs::write(file::companion(&path, ".v2-2"), "").unwrap();
        migrate(&mut conn, &path, 2).unwrap();
        assert_eq!(std::fs::read(file::companion(&path, ".v2")).unwrap(), b"no database at all");
        assert_eq!(std::fs::read(file::companion(&path, ".v2-2")).unwrap(), b"");
        let copy = Connection::open(file::companion(&path, ".v2-3")).unwrap();
        assert_eq!(identify(&copy).unwrap(), Found::Ours(2));
    }

    #[test]
    fn a_migrated_file_loses_its_parts_step_by_step_too() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("lexchat.db");
        let mut conn = Connection::open(&path).unwrap();
        functions::register(&conn).unwrap();
        conn.execute_batch(EARLIER[1].1).unwrap();
        conn.execute_batch(SEED).unwrap();
        conn.execute_batch(
            "INSERT INTO conversations (id, client_id, lawyer_id, active_at, created_at, updated_at)
             VALUES (1, 1, 6, 0, 0, 0);
             INSERT INTO attachments (id, uploader_id, conversation_id, name, size, created_at)
             VALUES (7, 1, 1, 'a', 1, 0);
             INSERT INTO attachment_chunks (attachment_id, start, bytes) VALUES (7, 0, x'41');",
        )
        .unwrap();
        conn.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        conn.pragma_update(None, "user_version", 2).unwrap();
        migrate(&mut conn, &path, 2).unwrap();
        drop(conn);
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch("PRAGMA foreign_keys = ON; DELETE FROM attachments WHERE id = 7").unwrap();
        let counts = "SELECT (SELECT count(*) FROM attachment_chunks), (SELECT count(*) FROM discarded_files)";
        let left = conn.query_row(counts, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(left, (1_i64, 1_i64));
        let whole: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(whole, "ok");
    }

    #[test]
    fn what_was_left_in_free_pages_is_gone_before_there_are_many() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("lexchat.db");
        let mut conn = Connection::open(&path).unwrap();
        functions::register(&conn).unwrap();
        conn.execute_batch(EARLIER[2].1).unwrap();
        conn.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        conn.pragma_update(None, "user_version", 5).unwrap();
        conn.execute_batch(
            "PRAGMA secure_delete = FAST;
             CREATE TABLE moved (text TEXT);
             INSERT INTO moved VALUES (printf('%.*c', 40000, 'z'));
             DROP TABLE moved;
             PRAGMA secure_delete = ON;",
        )
        .unwrap();
        let is_there = |path: &Path| std::fs::read(path).unwrap().windows(64).any(|here| here == [b'z'; 64]);
        assert!(is_there(&path), "this is no test");
        migrate(&mut conn, &path, 5).unwrap();
        assert!(!is_there(&path));
    }

    #[test]
    fn addresses_that_were_stored_as_typed_are_found_by_their_one_spelling() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("lexchat.db");
        let mut conn = Connection::open(&path).unwrap();
        functions::register(&conn).unwrap();
        conn.execute_batch(EARLIER[1].1).unwrap();
        let typed = [
            "e\u{301}lodie@exemple.fr",
            "noe\u{308}l@exemple.fr",
            "noël@exemple.fr",
            "zed@exemple.fr\u{200b}",
            "zed@xn--socit-esab.fr",
        ];
        for (id, email) in (1..).zip(typed) {
            let new = "INSERT INTO users (id, name, email, password_hash, role, created_at, updated_at)
                       VALUES (?1, 'A', ?2, 'x', 'client', 0, 0)";
            conn.execute(new, rusqlite::params![id, email]).unwrap();
        }
        conn.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        conn.pragma_update(None, "user_version", 2).unwrap();
        migrate(&mut conn, &path, 2).unwrap();
        let mut all = conn.prepare("SELECT email FROM users ORDER BY id").unwrap();
        let stored: Vec<String> = all.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let expected = ["élodie@exemple.fr", typed[1], "noël@exemple.fr", "zed@exemple.fr", "zed@société.fr"];
        assert_eq!(stored, expected, "an address that is taken stays another one");
    }
}
