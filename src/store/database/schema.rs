//! The whole current schema, and what a file is that may or may not have it.
//!
//! A fresh database is exactly `schema.sql`, stamped with `application_id` and `user_version`.

use rusqlite::{Connection, TransactionBehavior};

/// The whole current schema.
pub const SCHEMA: &str = include_str!("../../../schema.sql");

/// The demo accounts.
pub const SEED: &str = include_str!("../../../seed.sql");

/// The conversation between two of the demo accounts that a fresh database begins with.
const SEED_CONVERSATION: &str = include_str!("../../../seed_conversation.sql");

/// One step from an older version.
#[derive(Debug)]
pub(crate) struct Step {
    /// The version that it leads to.
    pub to: i64,
    /// What it does.
    pub sql: &'static str,
}

/// The steps in order, from `migrations/to_{to}.sql`; version 1 was the first. One from version 5 on that frees pages begins
/// by overwriting the free ones, as `free_pages.rs` does it: words may stand in them, and among many they are not looked for.
pub(crate) const STEPS: &[Step] = &[
    Step { to: 2, sql: include_str!("migrations/to_2.sql") },
    Step { to: 3, sql: include_str!("migrations/to_3.sql") },
    Step { to: 4, sql: include_str!("migrations/to_4.sql") },
    Step { to: 5, sql: include_str!("migrations/to_5.sql") },
    Step { to: 6, sql: include_str!("migrations/to_6.sql") },
];

/// The version that `schema.sql` describes: where the last step leads.
pub const VERSION: i64 = STEPS[STEPS.len() - 1].to;

/// `LXCH`: says in the file's header that a database is ours.
pub const APPLICATION_ID: i64 = 0x4C58_4348;

/// What is wrong with a [`Found::Hollow`] file.
pub(crate) const HOLLOW: &str = "there are no tables in it: its -wal file is missing";

/// What a file is before anything is done to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// Nothing is in it.
    Blank,
    /// A database without a table: its WAL, which had them, is missing.
    Hollow,
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
    let pages: i64 = conn.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let objects: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match (application, objects) {
        (APPLICATION_ID, 1..) => Found::Ours(version),
        (0 | APPLICATION_ID, 0) if pages == 0 => Found::Blank,
        (0 | APPLICATION_ID, 0) => Found::Hollow,
        _ => Found::Foreign,
    })
}

/// Fills a blank database. Of two processes that try at once one does it; the other finds it done.
///
/// # Errors
/// When it cannot be written; it is blank then.
pub fn create(conn: &mut Connection, with_demo: bool) -> rusqlite::Result<bool> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // To begin a transaction that writes has made a blank file's first page.
    if !matches!(identify(&tx)?, Found::Blank | Found::Hollow) {
        return Ok(false);
    }
    tx.execute_batch(SCHEMA)?;
    if with_demo {
        tx.execute_batch(SEED)?;
        tx.execute_batch(SEED_CONVERSATION)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", VERSION)?;
    tx.commit()?;
    Ok(true)
}
