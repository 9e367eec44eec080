//! The `mail_tokens` table: links that were mailed to somebody and prove that they read it.

use rusqlite::{Connection, OptionalExtension as _, named_params};

use crate::model::id::UserId;
use crate::model::timestamp::Timestamp;

/// What a link is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Sets another password.
    Password,
    /// Confirms an address, or moves the account to it.
    Email,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Email => "email",
        }
    }
}

/// A link that works.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Live {
    pub user_id: UserId,
    /// Where it was mailed to.
    pub email: String,
}

/// Stores a link; those before it for the same purpose stop working.
pub fn insert(
    conn: &Connection,
    hash: &[u8; 32],
    (user_id, purpose): (UserId, Purpose),
    email: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE mail_tokens
        SET used_at = :now
        WHERE user_id = :user_id
          AND purpose = :purpose
          AND used_at IS NULL",
    )?
    .execute(named_params! {":user_id": user_id, ":purpose": purpose.as_str(), ":now": now})?;
    conn.prepare_cached(
        "INSERT INTO mail_tokens (hash, user_id, purpose, email, created_at, expires_at)
        VALUES (:hash, :user_id, :purpose, :email, :now, :expires_at)",
    )?
    .execute(named_params! {
        ":hash": hash,
        ":user_id": user_id,
        ":purpose": purpose.as_str(),
        ":email": email,
        ":now": now,
        ":expires_at": expires_at,
    })
    .map(drop)
}

/// The link with this hash, if it works: of an account that does, neither used nor too old.
pub fn find(conn: &Connection, hash: &[u8; 32], purpose: Purpose, now: Timestamp) -> rusqlite::Result<Option<Live>> {
    conn.prepare_cached(
        "SELECT t.user_id, t.email
        FROM mail_tokens t
        JOIN users u ON u.id = t.user_id
        WHERE t.hash = :hash
          AND t.purpose = :purpose
          AND t.used_at IS NULL
          AND t.expires_at > :now
          AND u.is_active = 1",
    )?
    .query_row(named_params! {":hash": hash, ":purpose": purpose.as_str(), ":now": now}, |row| {
        Ok(Live { user_id: row.get(0)?, email: row.get(1)? })
    })
    .optional()
}

/// Notes that the link was used.
pub fn set_used(conn: &Connection, hash: &[u8; 32], now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE mail_tokens SET used_at = :now WHERE hash = :hash")?
        .execute(named_params! {":hash": hash, ":now": now})
        .map(drop)
}

/// Has none of somebody's links work any more, whatever they are for.
pub fn revoke_all(conn: &Connection, user_id: UserId, now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE mail_tokens SET used_at = :now WHERE user_id = :user_id AND used_at IS NULL")?
        .execute(named_params! {":user_id": user_id, ":now": now})
        .map(drop)
}

/// How many somebody was sent since this moment.
pub fn count_since(conn: &Connection, user_id: UserId, purpose: Purpose, since: Timestamp) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "SELECT count(*)
        FROM mail_tokens
        WHERE user_id = :user_id
          AND purpose = :purpose
          AND created_at > :since",
    )?
    .query_row(named_params! {":user_id": user_id, ":purpose": purpose.as_str(), ":since": since}, |row| row.get(0))
}

/// Forgets the links that expired before this moment.
pub fn delete_over(conn: &Connection, before: Timestamp) -> rusqlite::Result<usize> {
    conn.prepare_cached("DELETE FROM mail_tokens WHERE expires_at < :before")?
        .execute(named_params! {":before": before})
}
