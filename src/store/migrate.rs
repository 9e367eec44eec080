//! From whatever version a database has to the one that this program knows.
//!
//! A fresh database is exactly `schema.sql`, stamped with `application_id` and `user_version`. An older one is walked
//! step by step, each step in its own transaction, after a copy of the file as it was. A newer one is refused: what
//! it holds may mean something else than this program thinks.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use crate::store::db::OpenError;

/// The whole current schema.
pub const SCHEMA: &str = include_str!("../../schema.sql");

/// The demo accounts.
pub const SEED: &str = include_str!("../../seed.sql");

/// The version that `schema.sql` describes.
pub const VERSION: i64 = 1;

/// `LXCH`: says in the file's header that a database is ours.
pub const APPLICATION_ID: i64 = 0x4C58_4348;

/// One step: the version that it leads to, and how.
struct Step {
    to: i64,
    sql: &'static str,
}

/// The steps in order, from `src/store/migrations/{to}.sql`.
const STEPS: &[Step] = &[];

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
    let failed = |cause: rusqlite::Error| OpenError::Migration { path: path.to_owned(), found, cause };
    let copy = copy_path(path, found);
    if !copy.exists() {
        conn.execute("VACUUM INTO ?1", [copy.to_string_lossy()]).map_err(failed)?;
    }
    for step in STEPS.iter().filter(|step| step.to > found) {
        walk(conn, step).map_err(failed)?;
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
