//! The `keys` table: the secrets of this installation, one for each purpose.

use rusqlite::{Connection, OptionalExtension as _, named_params};

use crate::model::timestamp::Timestamp;

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Signs access tokens.
    Token,
    /// Signs addresses of files.
    Link,
    /// Derives the successors of refresh tokens.
    Refresh,
    /// Signs pushes: a key pair in PKCS #8.
    Vapid,
    /// Tags notices.
    Notice,
}

/// A row of the table. There is no `Debug`: a key is never shown.
pub struct KeyRow {
    /// Its public number; a later key has a greater one.
    pub id: i64,
    /// The key itself.
    pub secret: Vec<u8>,
}

impl Purpose {
    /// Every purpose; there is always a key for each.
    pub const ALL: [Purpose; 5] = [Purpose::Token, Purpose::Link, Purpose::Refresh, Purpose::Vapid, Purpose::Notice];

    /// Those that are replaced when somebody may have seen them. Browsers are subscribed for the pushes' key pair, and
    /// nothing that was said can be read with either of the other two.
    pub const ROTATED: [Purpose; 3] = [Purpose::Token, Purpose::Link, Purpose::Refresh];

    fn as_str(self) -> &'static str {
        match self {
            Purpose::Token => "token",
            Purpose::Link => "link",
            Purpose::Refresh => "refresh",
            Purpose::Vapid => "vapid",
            Purpose::Notice => "notice",
        }
    }
}

/// The key for a purpose.
pub fn find(conn: &Connection, purpose: Purpose) -> rusqlite::Result<Option<KeyRow>> {
    conn.prepare_cached("SELECT id, secret FROM keys WHERE purpose = :purpose")?
        .query_row(named_params! {":purpose": purpose.as_str()}, |row| {
            Ok(KeyRow { id: row.get(0)?, secret: row.get(1)? })
        })
        .optional()
}

/// Puts a new key into use; the one before is gone.
pub fn replace(conn: &Connection, purpose: Purpose, secret: &[u8], now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM keys WHERE purpose = :purpose")?
        .execute(named_params! {":purpose": purpose.as_str()})?;
    conn.prepare_cached(
        "INSERT INTO keys (purpose, secret, created_at)
        VALUES (:purpose, :secret, :now)",
    )?
    .execute(named_params! {":purpose": purpose.as_str(), ":secret": secret, ":now": now})?;
    Ok(())
}
