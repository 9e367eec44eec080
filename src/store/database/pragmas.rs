//! How SQLite is set, and which SQLite it must be.

use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::store::database::functions;

/// Older ones can lose committed transactions.
pub(crate) const SQLITE_MIN: i32 = 3_051_003;

/// How long another process may hold the write lock before a write gives up.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The writer's settings. WAL with FULL: a commit returns after the sync that covers it. What is deleted is overwritten,
/// pages that become free included.
pub(crate) fn set_up(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -8000;",
    )?;
    conn.set_prepared_statement_cache_capacity(256);
    functions::register(conn)?;
    plan_once(conn)
}

/// Plans a statement when it is prepared and never by what is bound to it: SQLite would otherwise prepare some anew for
/// each value, which costs more than running them.
pub(crate) fn plan_once(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}
