//! A database in memory with schema and seed, for tests of statements and rules.

use rusqlite::Connection;

use crate::store::database::{functions, schema};

/// A fresh database with the demo accounts.
pub fn open() -> Connection {
    let conn = Connection::open_in_memory().expect("memory");
    conn.execute_batch("PRAGMA foreign_keys = ON").expect("a pragma");
    functions::register(&conn).expect("a function");
    conn.execute_batch(schema::SCHEMA).expect("schema.sql");
    conn.execute_batch(schema::SEED).expect("seed.sql");
    conn
}
