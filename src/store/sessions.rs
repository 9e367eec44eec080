//! The `sessions` and `refresh_tokens` tables: signed-in devices and how they stay signed in.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

use crate::model::id::{SessionId, UserId};
use crate::model::session::SessionNonce;
use crate::model::timestamp::Timestamp;
use crate::model::user::Role;

/// Whose a live session is, and what they may do now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Live {
    /// Whose.
    pub user_id: UserId,
    /// Their role at this moment, which may differ from the one in the token.
    pub role: Role,
}

/// A row of `sessions` as its owner sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionRow {
    /// Which.
    pub id: SessionId,
    /// What the device's program calls itself.
    pub user_agent: Option<String>,
    /// Where it was last seen.
    pub address: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
    /// When its tokens were last renewed.
    pub last_used_at: Timestamp,
    /// Until when they can be renewed.
    pub expires_at: Timestamp,
}

/// A row of `refresh_tokens` with what its session says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RefreshToken {
    /// Of which session.
    pub session_id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// When it was traded for its successor; `None` while it works.
    pub used_at: Option<Timestamp>,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// Whether the session has not ended and neither is past its time.
    pub is_live: bool,
}

/// The session with this number and nonce, if it is neither ended nor expired and its owner is active.
pub fn find_live(
    conn: &Connection,
    id: SessionId,
    nonce: SessionNonce,
    now: Timestamp,
) -> rusqlite::Result<Option<Live>> {
    conn.prepare_cached(
        "SELECT u.id, u.role
        FROM sessions s
        JOIN users u ON u.id = s.user_id
        WHERE s.id = :id
          AND s.nonce = :nonce
          AND s.ended_at IS NULL
          AND s.expires_at > :now
          AND u.is_active = 1",
    )?
    .query_row(named_params! {":id": id, ":nonce": nonce, ":now": now}, |row| {
        Ok(Live { user_id: row.get(0)?, role: row.get(1)? })
    })
    .optional()
}

/// Somebody's live sessions, the latest used first.
pub fn list_live(conn: &Connection, user_id: UserId, now: Timestamp) -> rusqlite::Result<Vec<SessionRow>> {
    conn.prepare_cached(
        "SELECT id, user_agent, address, created_at, last_used_at, expires_at
        FROM sessions
        WHERE user_id = :user_id
          AND ended_at IS NULL
          AND expires_at > :now
        ORDER BY last_used_at DESC, id DESC",
    )?
    .query_map(named_params! {":user_id": user_id, ":now": now}, read)?
    .collect()
}

/// What the programs call themselves that somebody has signed in with, as far as it is remembered.
pub fn list_programs(conn: &Connection, user_id: UserId) -> rusqlite::Result<Vec<Option<String>>> {
    conn.prepare_cached("SELECT DISTINCT user_agent FROM sessions WHERE user_id = :user_id")?
        .query_map(named_params! {":user_id": user_id}, |row| row.get(0))?
        .collect()
}

/// Whether somebody has signed in successfully from this address before, in a session that is still remembered.
pub fn knows_address(conn: &Connection, user_id: UserId, address: &str) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT EXISTS (
            SELECT 1
            FROM sessions
            WHERE user_id = :user_id
              AND address = :address
        )",
    )?
    .query_row(named_params! {":user_id": user_id, ":address": address}, |row| row.get(0))
}

/// Opens a session.
pub fn insert(
    conn: &Connection,
    user_id: UserId,
    user_agent: Option<&str>,
    address: Option<&str>,
    now: Timestamp,
    expires_at: Timestamp,
) -> rusqlite::Result<(SessionId, SessionNonce)> {
    conn.prepare_cached(
        "INSERT INTO sessions (user_id, nonce, user_agent, address, created_at, last_used_at, expires_at)
        VALUES (:user_id, randomblob(16), :user_agent, :address, :now, :now, :expires_at)
        RETURNING id, nonce",
    )?
    .query_row(
        named_params! {
            ":user_id": user_id,
            ":user_agent": user_agent,
            ":address": address,
            ":now": now,
            ":expires_at": expires_at,
        },
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// Notes that the session's tokens were renewed, and from where; gives it a nonce if it has none.
pub fn set_used(
    conn: &Connection,
    id: SessionId,
    address: Option<&str>,
    now: Timestamp,
    expires_at: Timestamp,
) -> rusqlite::Result<SessionNonce> {
    conn.prepare_cached(
        "UPDATE sessions
        SET address = coalesce(:address, address), last_used_at = :now, expires_at = :expires_at,
            nonce = coalesce(nonce, randomblob(16))
        WHERE id = :id
        RETURNING nonce",
    )?
    .query_row(named_params! {":id": id, ":address": address, ":now": now, ":expires_at": expires_at}, |row| row.get(0))
}

/// Ends one of somebody's sessions; returns whether it was going on.
pub fn end(conn: &Connection, user_id: UserId, id: SessionId, reason: &str, now: Timestamp) -> rusqlite::Result<bool> {
    let ended = conn
        .prepare_cached(
            "UPDATE sessions
            SET ended_at = :now, end_reason = :reason
            WHERE id = :id
              AND user_id = :user_id
              AND ended_at IS NULL",
        )?
        .execute(named_params! {":id": id, ":user_id": user_id, ":reason": reason, ":now": now})?;
    Ok(ended > 0)
}

/// Ends all of somebody's sessions but `except`; returns which were going on.
pub fn end_all(
    conn: &Connection,
    user_id: UserId,
    except: Option<SessionId>,
    reason: &str,
    now: Timestamp,
) -> rusqlite::Result<Vec<SessionId>> {
    conn.prepare_cached(
        "UPDATE sessions
        SET ended_at = :now, end_reason = :reason
        WHERE user_id = :user_id
          AND ended_at IS NULL
          AND id IS NOT :except
        RETURNING id",
    )?
    .query_map(named_params! {":user_id": user_id, ":except": except, ":reason": reason, ":now": now}, |row| {
        row.get(0)
    })?
    .collect()
}

/// The sessions that ended from `since` on: whose, which and why.
pub fn list_ended(conn: &Connection, since: Timestamp) -> rusqlite::Result<Vec<(UserId, SessionId, String)>> {
    conn.prepare_cached(
        "SELECT user_id, id, end_reason
        FROM sessions
        WHERE ended_at >= :since",
    )?
    .query_map(named_params! {":since": since}, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
    .collect()
}

/// All live sessions: whose and which.
pub fn list_all_live(conn: &Connection, now: Timestamp) -> rusqlite::Result<Vec<(UserId, SessionId)>> {
    conn.prepare_cached(
        "SELECT user_id, id
        FROM sessions
        WHERE ended_at IS NULL
          AND expires_at > :now",
    )?
    .query_map(named_params! {":now": now}, |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

/// Takes its nonce from each session, and with it the worth of every access token and signed link; the session goes on, and
/// gets another nonce when its tokens are renewed.
pub fn forget_nonces(conn: &Connection) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE sessions SET nonce = NULL WHERE nonce IS NOT NULL")?.execute([])?;
    Ok(())
}

/// A number that changes when another process has written to the database, and only then.
pub fn data_version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

/// Forgets the sessions, and their tokens, that ended or expired before `before`.
pub fn delete_over(conn: &Connection, before: Timestamp) -> rusqlite::Result<usize> {
    conn.prepare_cached(
        "DELETE FROM sessions
        WHERE expires_at < :before
           OR ended_at < :before",
    )?
    .execute(named_params! {":before": before})
}

/// Stores a token that was given out.
pub fn insert_token(
    conn: &Connection,
    hash: &[u8; 32],
    session_id: SessionId,
    now: Timestamp,
    expires_at: Timestamp,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO refresh_tokens (hash, session_id, created_at, expires_at)
        VALUES (:hash, :session_id, :now, :expires_at)",
    )?
    .execute(named_params! {":hash": hash, ":session_id": session_id, ":now": now, ":expires_at": expires_at})?;
    Ok(())
}

/// The token with this hash.
pub fn find_token(conn: &Connection, hash: &[u8; 32], now: Timestamp) -> rusqlite::Result<Option<RefreshToken>> {
    conn.prepare_cached(
        "SELECT s.id, s.user_id, t.used_at, t.expires_at,
            s.ended_at IS NULL AND s.expires_at > :now AND t.expires_at > :now
        FROM refresh_tokens t
        JOIN sessions s ON s.id = t.session_id
        WHERE t.hash = :hash",
    )?
    .query_row(named_params! {":hash": hash, ":now": now}, |row| {
        Ok(RefreshToken {
            session_id: row.get(0)?,
            user_id: row.get(1)?,
            used_at: row.get(2)?,
            expires_at: row.get(3)?,
            is_live: row.get(4)?,
        })
    })
    .optional()
}

/// Notes that the token was traded for the next one.
pub fn set_token_used(conn: &Connection, hash: &[u8; 32], now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE refresh_tokens SET used_at = :now WHERE hash = :hash")?
        .execute(named_params! {":hash": hash, ":now": now})?;
    Ok(())
}

/// Forgets the tokens that have expired.
pub fn delete_expired_tokens(conn: &Connection, now: Timestamp) -> rusqlite::Result<usize> {
    conn.prepare_cached("DELETE FROM refresh_tokens WHERE expires_at < :now")?.execute(named_params! {":now": now})
}

fn read(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        id: row.get(0)?,
        user_agent: row.get(1)?,
        address: row.get(2)?,
        created_at: row.get(3)?,
        last_used_at: row.get(4)?,
        expires_at: row.get(5)?,
    })
}
