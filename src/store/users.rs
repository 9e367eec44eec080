//! The `users` table: everybody who has, or had, an account.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

use crate::model::email;
use crate::model::id::UserId;
use crate::model::locale::Locale;
use crate::model::timestamp::Timestamp;
use crate::model::user::{PasswordHash, Profile, Role};

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Account {
    /// What its owner may see of it.
    pub profile: Profile,
    /// How the password is kept.
    pub password: PasswordHash,
    /// Made by `seed.sql` with the password that everybody knows, and not changed since.
    pub is_demo: bool,
    /// When they last signed in with their password.
    pub last_sign_in_at: Option<Timestamp>,
    /// When their last socket left.
    pub last_seen_at: Option<Timestamp>,
}

/// What a new account starts with.
#[derive(Debug)]
pub struct NewUser<'a> {
    /// Full name.
    pub name: &'a str,
    /// In the spelling of `model::email::Email`.
    pub email: &'a str,
    /// How the password is kept.
    pub password: &'a PasswordHash,
    /// What they are to the practice.
    pub role: Role,
    /// A juriste's field of law.
    pub specialty: Option<&'a str>,
    /// The language that they read.
    pub locale: Locale,
}

const COLUMNS: &str = "id, name, email, password_hash, role, specialty, locale, is_active, is_demo,
    last_sign_in_at, last_seen_at, created_at, updated_at";

/// The account with this id.
pub fn find(conn: &Connection, id: UserId) -> rusqlite::Result<Option<Account>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE id = :id"))?
        .query_row(named_params! {":id": id}, read)
        .optional()
}

/// The account with this address, spelled as `model::email::Email` does. One that was stored in Punycode, before that was
/// known to be the same, is found by it as well.
pub fn find_by_email(conn: &Connection, email: &str) -> rusqlite::Result<Option<Account>> {
    match (find_stored(conn, email)?, email::in_punycode(email)) {
        (None, Some(in_punycode)) => find_stored(conn, &in_punycode),
        (found, _) => Ok(found),
    }
}

fn find_stored(conn: &Connection, email: &str) -> rusqlite::Result<Option<Account>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE email = :email"))?
        .query_row(named_params! {":email": email}, read)
        .optional()
}

/// The active people of one role in the order of their names, as far as `keep` wants them, at most `limit`.
pub fn list_active(
    conn: &Connection,
    role: Role,
    limit: usize,
    mut keep: impl FnMut(&Account) -> bool,
) -> rusqlite::Result<Vec<Account>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS}
        FROM users
        WHERE role = :role
          AND is_active = 1
        ORDER BY name, id"
    ))?;
    let mut rows = statement.query(named_params! {":role": role})?;
    collect(&mut rows, limit, &mut keep)
}

/// Everybody with an id greater than `after` in the order of ids, as far as `keep` wants them, at most `limit`.
pub fn list_after(
    conn: &Connection,
    after: Option<i64>,
    limit: usize,
    mut keep: impl FnMut(&Account) -> bool,
) -> rusqlite::Result<Vec<Account>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS}
        FROM users
        WHERE id > :after
        ORDER BY id"
    ))?;
    let mut rows = statement.query(named_params! {":after": after.unwrap_or(0)})?;
    collect(&mut rows, limit, &mut keep)
}

/// How many active people have this role.
pub fn count_active(conn: &Connection, role: Role) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "SELECT count(*)
        FROM users
        WHERE role = :role
          AND is_active = 1",
    )?
    .query_row(named_params! {":role": role}, |row| row.get(0))
}

/// Whether somebody may still sign in with the password that everybody knows.
pub fn any_demo(conn: &Connection) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT EXISTS (
            SELECT 1
            FROM users
            WHERE is_demo = 1
              AND is_active = 1
        )",
    )?
    .query_row([], |row| row.get(0))
}

/// Opens an account. The address must be free.
pub fn insert(conn: &Connection, user: &NewUser<'_>, now: Timestamp) -> rusqlite::Result<UserId> {
    conn.prepare_cached(
        "INSERT INTO users (name, email, password_hash, role, specialty, locale, created_at, updated_at)
        VALUES (:name, :email, :password, :role, :specialty, :locale, :now, :now)
        RETURNING id",
    )?
    .query_row(
        named_params! {
            ":name": user.name,
            ":email": user.email,
            ":password": user.password,
            ":role": user.role,
            ":specialty": user.specialty,
            ":locale": user.locale,
            ":now": now,
        },
        |row| row.get(0),
    )
}

/// Notes that nobody of the practice knows this account yet.
pub fn set_stranger(conn: &Connection, id: UserId) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE users SET is_stranger = 1 WHERE id = :id")?.execute(named_params! {":id": id})?;
    Ok(())
}

/// Whether somebody signed up uninvited and no juriste has ever answered them. An answer is looked for only while they
/// count as a stranger.
pub fn is_stranger(conn: &Connection, id: UserId) -> rusqlite::Result<bool> {
    let is_marked: bool = conn
        .prepare_cached("SELECT is_stranger FROM users WHERE id = :id")?
        .query_row(named_params! {":id": id}, |row| row.get(0))?;
    if !is_marked {
        return Ok(false);
    }
    let is_answered: bool = conn
        .prepare_cached(
            "SELECT EXISTS (
                SELECT 1
                FROM conversations c
                JOIN messages m ON m.conversation_id = c.id
                WHERE c.client_id = :id
                  AND m.sender_id = c.lawyer_id
            )",
        )?
        .query_row(named_params! {":id": id}, |row| row.get(0))?;
    if is_answered {
        conn.prepare_cached("UPDATE users SET is_stranger = 0 WHERE id = :id")?.execute(named_params! {":id": id})?;
    }
    Ok(!is_answered)
}

/// Stores what may change of a profile: name, role, specialty, language and whether it is active.
pub fn set_profile(conn: &Connection, profile: &Profile, now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE users
        SET name = :name, role = :role, specialty = :specialty, locale = :locale, is_active = :is_active,
            updated_at = :now
        WHERE id = :id",
    )?
    .execute(named_params! {
        ":id": profile.id,
        ":name": profile.name,
        ":role": profile.role,
        ":specialty": profile.specialty,
        ":locale": profile.locale,
        ":is_active": profile.is_active,
        ":now": now,
    })?;
    Ok(())
}

/// Sets another password: the account is no demo account any more.
pub fn set_password(conn: &Connection, id: UserId, password: &PasswordHash, now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE users
        SET password_hash = :password, is_demo = 0, updated_at = :now
        WHERE id = :id",
    )?
    .execute(named_params! {":id": id, ":password": password, ":now": now})?;
    Ok(())
}

/// Replaces a hash by another one of the same password, unless it was replaced meanwhile.
pub fn set_stronger_hash(
    conn: &Connection,
    id: UserId,
    current: &PasswordHash,
    next: &PasswordHash,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE users
        SET password_hash = :next
        WHERE id = :id
          AND password_hash = :current",
    )?
    .execute(named_params! {":id": id, ":current": current, ":next": next})?;
    Ok(())
}

/// Notes that they read what is mailed to their address.
pub fn set_email_confirmed(conn: &Connection, id: UserId, at: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE users
        SET email_confirmed_at = coalesce(email_confirmed_at, :at), email_failed_at = NULL
        WHERE id = :id",
    )?
    .execute(named_params! {":id": id, ":at": at})?;
    Ok(())
}

/// Moves an account to another address, which its owner has shown to read. The address must be free.
pub fn set_email(conn: &Connection, id: UserId, email: &str, at: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE users
        SET email = :email, email_confirmed_at = :at, email_failed_at = NULL, updated_at = :at
        WHERE id = :id",
    )?
    .execute(named_params! {":id": id, ":email": email, ":at": at})?;
    Ok(())
}

/// Notes that a relay said that there is nobody at this address.
pub fn set_email_failed(conn: &Connection, email: &str, at: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE users SET email_failed_at = :at WHERE email = :email")?
        .execute(named_params! {":email": email, ":at": at})?;
    Ok(())
}

/// Whose mail about messages this token ends.
pub fn find_by_unsubscribe(conn: &Connection, token: &str) -> rusqlite::Result<Option<UserId>> {
    conn.prepare_cached("SELECT id FROM users WHERE unsubscribe_token = :token")?
        .query_row(named_params! {":token": token}, |row| row.get(0))
        .optional()
}

/// What ends somebody's mail about messages, once there was one.
pub fn find_unsubscribe_token(conn: &Connection, id: UserId) -> rusqlite::Result<Option<String>> {
    let found = conn
        .prepare_cached("SELECT unsubscribe_token FROM users WHERE id = :id")?
        .query_row(named_params! {":id": id}, |row| row.get(0))
        .optional()?;
    Ok(found.flatten())
}

/// What ends somebody's mail about messages; made with the first one.
pub fn unsubscribe_token(conn: &Connection, id: UserId) -> rusqlite::Result<String> {
    conn.prepare_cached(
        "UPDATE users
        SET unsubscribe_token = coalesce(unsubscribe_token, lower(hex(randomblob(24))))
        WHERE id = :id
        RETURNING unsubscribe_token",
    )?
    .query_row(named_params! {":id": id}, |row| row.get(0))
}

/// Notes that they signed in with their password.
pub fn set_last_sign_in(conn: &Connection, id: UserId, at: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE users SET last_sign_in_at = :at WHERE id = :id")?
        .execute(named_params! {":id": id, ":at": at})?;
    Ok(())
}

/// Notes that their last socket left.
pub fn set_last_seen(conn: &Connection, id: UserId, at: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE users SET last_seen_at = :at WHERE id = :id")?
        .execute(named_params! {":id": id, ":at": at})?;
    Ok(())
}

fn collect(
    rows: &mut rusqlite::Rows<'_>,
    limit: usize,
    keep: &mut impl FnMut(&Account) -> bool,
) -> rusqlite::Result<Vec<Account>> {
    let mut kept = Vec::new();
    while kept.len() < limit
        && let Some(row) = rows.next()?
    {
        let account = read(row)?;
        if keep(&account) {
            kept.push(account);
        }
    }
    Ok(kept)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        profile: Profile {
            id: row.get(0)?,
            name: row.get(1)?,
            email: row.get(2)?,
            role: row.get(4)?,
            specialty: row.get(5)?,
            locale: row.get(6)?,
            is_active: row.get(7)?,
            created_at: row.get(11)?,
            updated_at: row.get(12)?,
        },
        password: row.get(3)?,
        is_demo: row.get(8)?,
        last_sign_in_at: row.get(9)?,
        last_seen_at: row.get(10)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::database::scratch;

    #[test]
    fn an_address_that_was_stored_in_punycode_is_found_by_its_letters() {
        let conn = scratch::open();
        conn.execute("UPDATE users SET email = 'zed@xn--socit-esab.fr' WHERE id = 1", []).unwrap();
        let found = |email| find_by_email(&conn, email).unwrap().map(|account| account.profile.id);
        assert_eq!(found("zed@société.fr"), UserId::new(1));
        assert_eq!(found("zed@societe.fr"), None);
        conn.execute("UPDATE users SET email = 'zed@société.fr' WHERE id = 2", []).unwrap();
        assert_eq!(found("zed@société.fr"), UserId::new(2), "who has it to the letter comes first");
    }
}
