//! The `invitations` and `setup_tokens` tables: one-time links that open accounts.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

use crate::model::id::{InvitationId, UserId};
use crate::model::timestamp::Timestamp;
use crate::model::user::Role;

/// A row of `invitations`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvitationRow {
    /// Which.
    pub id: InvitationId,
    /// Who invites.
    pub inviter_id: UserId,
    /// What the guest will be.
    pub role: Role,
    /// What the inviter calls the guest.
    pub name: Option<String>,
    /// The guest's address, if it is known.
    pub email: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// When it was used.
    pub accepted_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

/// What a new invitation says.
#[derive(Debug)]
pub struct NewInvitation<'a> {
    /// What is kept of its secret.
    pub token_hash: &'a [u8; 32],
    /// Who invites.
    pub inviter_id: UserId,
    /// What the guest will be.
    pub role: Role,
    /// What the inviter calls the guest.
    pub name: Option<&'a str>,
    /// The guest's address, if it is known.
    pub email: Option<&'a str>,
}

const COLUMNS: &str = "id, inviter_id, role, name, email, created_at, expires_at, accepted_at, revoked_at";

/// Stores an invitation.
pub fn insert(
    conn: &Connection,
    invitation: &NewInvitation<'_>,
    now: Timestamp,
    expires_at: Timestamp,
) -> rusqlite::Result<InvitationId> {
    conn.prepare_cached(
        "INSERT INTO invitations (token_hash, inviter_id, role, name, email, created_at, expires_at)
        VALUES (:token_hash, :inviter_id, :role, :name, :email, :now, :expires_at)
        RETURNING id",
    )?
    .query_row(
        named_params! {
            ":token_hash": invitation.token_hash,
            ":inviter_id": invitation.inviter_id,
            ":role": invitation.role,
            ":name": invitation.name,
            ":email": invitation.email,
            ":now": now,
            ":expires_at": expires_at,
        },
        |row| row.get(0),
    )
}

/// The invitation with this secret, if it still opens an account: neither used, nor taken back, nor expired, and its
/// inviter still active.
pub fn find_open(conn: &Connection, token_hash: &[u8; 32], now: Timestamp) -> rusqlite::Result<Option<InvitationRow>> {
    conn.prepare_cached(&format!(
        "SELECT {COLUMNS}
        FROM invitations
        WHERE token_hash = :token_hash
          AND accepted_at IS NULL
          AND revoked_at IS NULL
          AND expires_at > :now
          AND EXISTS (SELECT 1 FROM users WHERE users.id = inviter_id AND users.is_active = 1)"
    ))?
    .query_row(named_params! {":token_hash": token_hash, ":now": now}, read)
    .optional()
}

/// The invitation with this id.
pub fn find(conn: &Connection, id: InvitationId) -> rusqlite::Result<Option<InvitationRow>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM invitations WHERE id = :id"))?
        .query_row(named_params! {":id": id}, read)
        .optional()
}

/// The invitations that somebody gave out and that can still be used, the latest first; everybody's without an
/// inviter.
pub fn list_open(
    conn: &Connection,
    inviter_id: Option<UserId>,
    now: Timestamp,
) -> rusqlite::Result<Vec<InvitationRow>> {
    conn.prepare_cached(&format!(
        "SELECT {COLUMNS}
        FROM invitations
        WHERE (:inviter_id IS NULL OR inviter_id = :inviter_id)
          AND accepted_at IS NULL
          AND revoked_at IS NULL
          AND expires_at > :now
          AND EXISTS (SELECT 1 FROM users WHERE users.id = inviter_id AND users.is_active = 1)
        ORDER BY id DESC"
    ))?
    .query_map(named_params! {":inviter_id": inviter_id, ":now": now}, read)?
    .collect()
}

/// Notes that its link was given to the post.
pub fn set_mailed(conn: &Connection, id: InvitationId, now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE invitations SET mailed_at = :now WHERE id = :id")?
        .execute(named_params! {":id": id, ":now": now})?;
    Ok(())
}

/// Whether its link was mailed to this address.
pub fn was_mailed_to(conn: &Connection, id: InvitationId, email: &str) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT EXISTS (
            SELECT 1
            FROM invitations
            WHERE id = :id
              AND email = :email
              AND mailed_at IS NOT NULL
        )",
    )?
    .query_row(named_params! {":id": id, ":email": email}, |row| row.get(0))
}

/// Takes back the invitations of somebody that can still be used and are for this role.
pub fn revoke_open(conn: &Connection, inviter_id: UserId, role: Role, now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE invitations
        SET revoked_at = :now
        WHERE inviter_id = :inviter_id
          AND role = :role
          AND accepted_at IS NULL
          AND revoked_at IS NULL",
    )?
    .execute(named_params! {":inviter_id": inviter_id, ":role": role, ":now": now})?;
    Ok(())
}

/// How many invitations of somebody can still be used.
pub fn count_open(conn: &Connection, inviter_id: UserId, now: Timestamp) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "SELECT count(*)
        FROM invitations
        WHERE inviter_id = :inviter_id
          AND accepted_at IS NULL
          AND revoked_at IS NULL
          AND expires_at > :now",
    )?
    .query_row(named_params! {":inviter_id": inviter_id, ":now": now}, |row| row.get(0))
}

/// Notes that it was used, and whose account it opened.
pub fn set_accepted(conn: &Connection, id: InvitationId, by: UserId, now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE invitations SET accepted_at = :now, accepted_by = :by WHERE id = :id")?
        .execute(named_params! {":id": id, ":by": by, ":now": now})?;
    Ok(())
}

/// Takes it back.
pub fn set_revoked(conn: &Connection, id: InvitationId, now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE invitations SET revoked_at = :now WHERE id = :id")?
        .execute(named_params! {":id": id, ":now": now})?;
    Ok(())
}

/// Forgets the invitations that were not used and expired before `before`.
pub fn delete_over(conn: &Connection, before: Timestamp) -> rusqlite::Result<usize> {
    conn.prepare_cached(
        "DELETE FROM invitations
        WHERE accepted_at IS NULL
          AND expires_at < :before",
    )?
    .execute(named_params! {":before": before})
}

/// Stores a setup link; earlier ones stop working.
pub fn insert_setup(conn: &Connection, hash: &[u8; 32], now: Timestamp, expires_at: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM setup_tokens")?.execute([])?;
    conn.prepare_cached(
        "INSERT INTO setup_tokens (hash, created_at, expires_at)
        VALUES (:hash, :now, :expires_at)",
    )?
    .execute(named_params! {":hash": hash, ":now": now, ":expires_at": expires_at})?;
    Ok(())
}

/// Whether a setup link works.
pub fn knows_setup(conn: &Connection, hash: &[u8; 32], now: Timestamp) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT EXISTS (
            SELECT 1
            FROM setup_tokens
            WHERE hash = :hash
              AND used_at IS NULL
              AND expires_at > :now
        )",
    )?
    .query_row(named_params! {":hash": hash, ":now": now}, |row| row.get(0))
}

/// Uses up a setup link; returns whether it worked.
pub fn use_setup(conn: &Connection, hash: &[u8; 32], now: Timestamp) -> rusqlite::Result<bool> {
    let used = conn
        .prepare_cached(
            "UPDATE setup_tokens
            SET used_at = :now
            WHERE hash = :hash
              AND used_at IS NULL
              AND expires_at > :now",
        )?
        .execute(named_params! {":hash": hash, ":now": now})?;
    Ok(used > 0)
}

fn read(row: &Row<'_>) -> rusqlite::Result<InvitationRow> {
    Ok(InvitationRow {
        id: row.get(0)?,
        inviter_id: row.get(1)?,
        role: row.get(2)?,
        name: row.get(3)?,
        email: row.get(4)?,
        created_at: row.get(5)?,
        expires_at: row.get(6)?,
        accepted_at: row.get(7)?,
        revoked_at: row.get(8)?,
    })
}
