//! Statements about the index of words. Row ids are message ids.
//!
//! The index follows the messages at some distance and is brought up to date many messages at a time. It must not be
//! written between the savepoints of a batch: each of them makes FTS5 write out what it has gathered.

use rusqlite::{Connection, OptionalExtension, named_params};

use crate::model::conversation::Members;
use crate::model::id::MessageId;

/// Messages indexed in one go: more would make others wait for the pen.
const STEP_MAX: i64 = 2048;

/// Whether there are messages that the index does not know yet.
///
/// # Errors
/// SQLite's.
pub fn is_behind(conn: &Connection) -> rusqlite::Result<bool> {
    lag(conn).map(|(_, messages)| messages > 0)
}

/// Brings the index up to date, by one great step at most; does nothing while no more than `lag_max` messages wait.
///
/// # Errors
/// SQLite's.
pub fn catch_up(conn: &Connection, lag_max: i64) -> rusqlite::Result<()> {
    let (indexed, messages) = lag(conn)?;
    if messages <= lag_max {
        return Ok(());
    }
    conn.prepare_cached("UPDATE indexing SET message_id = :last")?
        .execute(named_params! { ":last": indexed + messages.min(STEP_MAX) })?;
    conn.prepare_cached(
        "INSERT INTO message_words (rowid, content, members)
         SELECT id, content, members
         FROM searchable_messages
         WHERE id > :indexed",
    )?
    .execute(named_params! { ":indexed": indexed })
    .map(drop)
}

/// Writes what is there already: whether anything can be written shows at the commit.
///
/// # Errors
/// SQLite's.
pub fn touch(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute("UPDATE indexing SET message_id = message_id", []).map(drop)
}

/// The last message that is indexed, and how many have come since.
fn lag(conn: &Connection) -> rusqlite::Result<(i64, i64)> {
    conn.prepare_cached(
        "SELECT message_id, coalesce((SELECT max(id) FROM messages), 0) - message_id
         FROM indexing",
    )?
    .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Gives a message another text in the index, an empty one for none. `before` must be exactly what it was.
///
/// # Errors
/// SQLite's.
pub fn replace(
    conn: &Connection,
    id: MessageId,
    before: &str,
    content: &str,
    members: Members,
) -> rusqlite::Result<()> {
    let is_indexed = conn
        .prepare_cached("SELECT 1 FROM indexing WHERE message_id >= :id")?
        .query_row(named_params! { ":id": id }, |_| Ok(()))
        .optional()?;
    if is_indexed.is_none() {
        return Ok(());
    }
    let members = format!("u{} u{}", members.client_id, members.lawyer_id);
    if !before.is_empty() {
        conn.prepare_cached(
            "INSERT INTO message_words (message_words, rowid, content, members)
             VALUES ('delete', :id, :content, :members)",
        )?
        .execute(named_params! { ":id": id, ":content": before, ":members": members })?;
    }
    if !content.is_empty() {
        conn.prepare_cached("INSERT INTO message_words (rowid, content, members) VALUES (:id, :content, :members)")?
            .execute(named_params! { ":id": id, ":content": content, ":members": members })?;
    }
    Ok(())
}
