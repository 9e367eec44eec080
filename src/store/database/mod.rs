//! The database as a file: opening, refusing, migrating, copying, checking it; the connection that writes and those
//! that read. Knows no noun: what is in the tables is the business of the files beside this folder.

pub mod backup;
pub mod batch;
pub mod check;
mod damage;
pub mod error;
pub mod file;
pub mod functions;
pub mod history;
mod identity;
mod lock;
pub mod migrate;
pub mod open;
pub mod pragmas;
pub mod readers;
pub mod rotation;
pub mod schema;
#[cfg(test)]
pub mod scratch;
pub mod settings;
pub mod wal;
pub mod without_recordings;
pub mod writer;
