//! The pen: the one connection that writes.

use rusqlite::Connection;

/// The writing connection. There is one per open database.
#[derive(Debug)]
pub struct Pen {
    /// The connection.
    pub(crate) conn: Connection,
}
