//! The `sign_in_throttles` table: where sign-in failed lately, and until when nothing is tried there.

use rusqlite::{Connection, OptionalExtension as _, named_params};

use crate::model::timestamp::Timestamp;

/// What is being counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Failures for an account, from wherever it was never signed in to.
    Account,
    /// Failures for an account from one address where it was signed in to before.
    Familiar,
    /// Attempts from an address, whatever the account.
    Address,
    /// New accounts from an address.
    SignUp,
    /// Forgotten passwords from an address.
    Forgotten,
}

/// A row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Throttle {
    /// How often, since `since_at`.
    pub count: i64,
    /// When counting began.
    pub since_at: Timestamp,
    /// No attempt is looked at before this.
    pub blocked_until_at: Timestamp,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::Account => "account",
            Kind::Familiar => "familiar",
            Kind::Address => "address",
            Kind::SignUp => "sign_up",
            Kind::Forgotten => "forgotten",
        }
    }
}

/// What was counted under this key.
pub fn find(conn: &Connection, kind: Kind, key: &str) -> rusqlite::Result<Option<Throttle>> {
    conn.prepare_cached(
        "SELECT count, since_at, blocked_until_at
        FROM sign_in_throttles
        WHERE kind = :kind
          AND key = :key",
    )?
    .query_row(named_params! {":kind": kind.as_str(), ":key": key}, |row| {
        Ok(Throttle { count: row.get(0)?, since_at: row.get(1)?, blocked_until_at: row.get(2)? })
    })
    .optional()
}

/// Stores what was counted under this key.
pub fn set(conn: &Connection, kind: Kind, key: &str, throttle: Throttle) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO sign_in_throttles (kind, key, count, since_at, blocked_until_at)
        VALUES (:kind, :key, :count, :since_at, :blocked_until_at)
        ON CONFLICT (kind, key) DO UPDATE
        SET count = :count, since_at = :since_at, blocked_until_at = :blocked_until_at",
    )?
    .execute(named_params! {
        ":kind": kind.as_str(),
        ":key": key,
        ":count": throttle.count,
        ":since_at": throttle.since_at,
        ":blocked_until_at": throttle.blocked_until_at,
    })?;
    Ok(())
}

/// Forgets what was counted under this key.
pub fn delete(conn: &Connection, kind: Kind, key: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "DELETE FROM sign_in_throttles
        WHERE kind = :kind
          AND key = :key",
    )?
    .execute(named_params! {":kind": kind.as_str(), ":key": key})?;
    Ok(())
}

/// Forgets the failures for an account, from wherever; `account` is the head of their keys.
pub fn delete_of_account(conn: &Connection, account: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "DELETE FROM sign_in_throttles
        WHERE kind IN ('account', 'familiar')
          AND key >= :account
          AND key < :account || '!'",
    )?
    .execute(named_params! {":account": account})?;
    Ok(())
}

/// Forgets what ended before `before`.
pub fn delete_over(conn: &Connection, before: Timestamp) -> rusqlite::Result<usize> {
    conn.prepare_cached("DELETE FROM sign_in_throttles WHERE blocked_until_at < :before")?
        .execute(named_params! {":before": before})
}
