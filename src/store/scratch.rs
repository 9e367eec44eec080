//! A database in memory with schema and seed, for tests of statements and rules.

use rusqlite::Connection;

use crate::store::migrate;

/// A fresh database with the demo accounts.
pub fn open() -> Connection {
    let conn = Connection::open_in_memory().expect("memory");
    conn.execute_batch("PRAGMA foreign_keys = ON").expect("a pragma");
    conn.execute_batch(migrate::SCHEMA).expect("schema.sql");
    conn.execute_batch(migrate::SEED).expect("seed.sql");
    conn
}
