//! The database: one pen, many readers, and every line of SQL.
//!
//! One SQLite file holds all state. `db` opens it and refuses what is not ours; `writer` is the one connection
//! that writes; `readers` are those that cannot; the other files hold the statements, one file per noun, as functions
//! over `&Connection` that work in a read, a write and a test alike. Nothing in here knows a rule.

pub mod attachments;
pub mod backup;
pub mod check;
pub mod columns;
pub mod conversations;
pub mod db;
pub mod file;
pub mod invitations;
pub mod keys;
pub mod members;
pub mod messages;
pub mod migrate;
pub mod reactions;
pub mod readers;
pub mod reads;
#[cfg(test)]
pub mod scratch;
pub mod search;
pub mod sessions;
pub mod statistics;
pub mod throttles;
pub mod users;
pub mod words;
pub mod writer;
