//! From whatever version a database has to the one that this program knows.
//!
//! A fresh database is exactly `schema.sql`, stamped with `application_id` and `user_version`. An older one is walked
//! step by step, each step in its own transaction, after a copy of the file as it was. A newer one is refused: what
//! it holds may mean something else than this program thinks.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use crate::store::backup::{self, CopyError};
use crate::store::db::OpenError;

/// The whole current schema.
pub const SCHEMA: &str = include_str!("../../schema.sql");

/// The demo accounts.
pub const SEED: &str = include_str!("../../seed.sql");

/// The version that `schema.sql` describes.
pub const VERSION: i64 = 2;

/// `LXCH`: says in the file's header that a database is ours.
pub const APPLICATION_ID: i64 = 0x4C58_4348;

/// One step: the version that it leads to, and how.
struct Step {
    to: i64,
    sql: &'static str,
}

/// The steps in order, from `src/store/migrations/{to}.sql`; version 1 was the first.
const STEPS: &[Step] = &[Step { to: 2, sql: include_str!("migrations/2.sql") }];

/// What a file is before anything is done to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// Nothing is in it.
    Blank,
    /// A database of ours, of this version.
    Ours(i64),
    /// Somebody else's database.
    Foreign,
}

/// Looks at what a file is, without changing it.
///
/// # Errors
/// When it cannot be read as a database.
pub fn identify(conn: &Connection) -> rusqlite::Result<Found> {
    let application: i64 = conn.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let objects: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match (application, objects) {
        (APPLICATION_ID, 1..) => Found::Ours(version),
        (0 | APPLICATION_ID, 0) => Found::Blank,
        _ => Found::Foreign,
    })
}

/// Fills a blank database. Of two processes that try at once one does it; the other finds it done.
///
/// # Errors
/// When it cannot be written; it is blank then.
pub fn create(conn: &mut Connection, with_demo: bool) -> rusqlite::Result<bool> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if identify(&tx)? != Found::Blank {
        return Ok(false);
    }
    tx.execute_batch(SCHEMA)?;
    if with_demo {
        tx.execute_batch(SEED)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", VERSION)?;
    tx.commit()?;
    Ok(true)
}

/// Walks an older database to the current version; before the first step, copies it beside itself.
///
/// # Errors
/// When it is newer than this program, or a step fails: it is left at the version before that step.
pub fn migrate(conn: &mut Connection, path: &Path, found: i64) -> Result<(), OpenError> {
    if found > VERSION {
        return Err(OpenError::Newer { path: path.to_owned(), found, known: VERSION });
    }
    if found == VERSION {
        return Ok(());
    }
    let failed = |source| OpenError::Migration { path: path.to_owned(), found, source };
    match backup::copy(path, &copy_path(path, found)) {
        Ok(()) | Err(CopyError::Exists { .. }) => {}
        Err(cause) => return Err(failed(cause.into())),
    }
    for step in STEPS.iter().filter(|step| step.to > found) {
        walk(conn, step).map_err(|cause| failed(cause.into()))?;
    }
    Ok(())
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

/// Where the copy of a database goes before it is migrated: `lexchat.db.v1`.
fn copy_path(path: &Path, version: i64) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".v{version}"));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// The schema as it was in each version that was ever in use.
    const EARLIER: [(i64, &str); 1] = [(1, include_str!("migrations/1.sql"))];

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
        fresh.execute_batch(SCHEMA).unwrap();
        let folder = TempDir::new().unwrap();
        for (version, schema) in EARLIER {
            let path = folder.path().join(format!("from{version}.db"));
            let mut conn = Connection::open(&path).unwrap();
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
            let copy = Connection::open(copy_path(&path, version)).unwrap();
            assert_eq!(identify(&copy).unwrap(), Found::Ours(version), "the copy is as it was");
        }
    }
}
