//! The `keys` table: the secrets that this installation signs with.

use rusqlite::{Connection, named_params};

use crate::model::timestamp::Timestamp;

/// What a key signs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Access tokens.
    Token,
    /// Addresses of files.
    Link,
}

/// A row of the table. There is no `Debug`: a key is never shown.
pub struct KeyRow {
    /// Its public number.
    pub id: i64,
    /// The key itself.
    pub secret: Vec<u8>,
    /// Whether it signs; else it only verifies.
    pub is_current: bool,
}

impl Purpose {
    /// Every purpose; there is always a current key for each.
    pub const ALL: [Purpose; 2] = [Purpose::Token, Purpose::Link];

    fn as_str(self) -> &'static str {
        match self {
            Purpose::Token => "token",
            Purpose::Link => "link",
        }
    }
}

/// The keys that verify at `now`, the current one first.
pub fn list(conn: &Connection, purpose: Purpose, now: Timestamp) -> rusqlite::Result<Vec<KeyRow>> {
    conn.prepare_cached(
        "SELECT id, secret, retires_at IS NULL
        FROM keys
        WHERE purpose = :purpose
          AND (retires_at IS NULL OR retires_at > :now)
        ORDER BY retires_at IS NULL DESC, id DESC",
    )?
    .query_map(named_params! {":purpose": purpose.as_str(), ":now": now}, |row| {
        Ok(KeyRow { id: row.get(0)?, secret: row.get(1)?, is_current: row.get(2)? })
    })?
    .collect()
}

/// Puts a new key into use; the one before verifies until `retires_at`.
pub fn insert(
    conn: &Connection,
    purpose: Purpose,
    secret: &[u8; 32],
    now: Timestamp,
    retires_at: Timestamp,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE keys
        SET retires_at = :retires_at
        WHERE purpose = :purpose
          AND retires_at IS NULL",
    )?
    .execute(named_params! {":purpose": purpose.as_str(), ":retires_at": retires_at})?;
    conn.prepare_cached(
        "INSERT INTO keys (purpose, secret, created_at)
        VALUES (:purpose, :secret, :now)",
    )?
    .execute(named_params! {":purpose": purpose.as_str(), ":secret": secret, ":now": now})?;
    Ok(())
}

/// Forgets the keys that verify nothing any more.
pub fn delete_retired(conn: &Connection, now: Timestamp) -> rusqlite::Result<usize> {
    conn.prepare_cached("DELETE FROM keys WHERE retires_at <= :now")?.execute(named_params! {":now": now})
}
