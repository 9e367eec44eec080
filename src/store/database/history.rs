//! Which history the numbers and revs of a database belong to.
//!
//! A backup that is put in a database's place takes numbers and revs back, and gives them out again for other messages. A
//! client that knew the later ones must not take the new ones for them: so each copy of a database is a history of its
//! own, with a name that clients know.

use rusqlite::Connection;

/// The name of this database's history: 16 hexadecimal digits.
///
/// # Errors
/// SQLite's; it has one since version 3.
pub fn load(conn: &Connection) -> rusqlite::Result<String> {
    conn.query_row("SELECT value FROM settings WHERE name = 'history'", [], |row| row.get(0))
}

/// Gives the history another name, in a database of any version.
pub(crate) fn renew(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute("INSERT OR REPLACE INTO settings (name, value) VALUES ('history', lower(hex(randomblob(8))))", [])
        .map(drop)
}
