//! Statements about reactions.

use rusqlite::{Connection, named_params};

use crate::model::id::{MessageId, UserId};
use crate::model::message::Reaction;
use crate::model::text::emoji;

/// Adds somebody's emoji.
///
/// # Errors
/// SQLite's; it may be there only once.
pub fn insert(conn: &Connection, message_id: MessageId, emoji: &str, user_id: UserId) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT INTO reactions (message_id, emoji, user_id) VALUES (:message, :emoji, :user)")?
        .execute(named_params! { ":message": message_id, ":emoji": emoji, ":user": user_id })
        .map(drop)
}

/// Takes somebody's emoji back, and whatever of theirs looks like it.
///
/// # Errors
/// When SQLite fails.
pub fn delete(conn: &Connection, message_id: MessageId, emoji: &str, user_id: UserId) -> rusqlite::Result<()> {
    let mut theirs = conn.prepare_cached(
        "SELECT id, emoji
         FROM reactions
         WHERE message_id = :message
           AND user_id = :user",
    )?;
    let rows = theirs.query_map(named_params! { ":message": message_id, ":user": user_id }, |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    for (id, _) in rows.iter().filter(|(_, other)| emoji::look_alike(other, emoji)) {
        conn.prepare_cached("DELETE FROM reactions WHERE id = :id")?.execute(named_params! { ":id": id })?;
    }
    Ok(())
}

/// Takes back all of a message's.
///
/// # Errors
/// When SQLite fails.
pub fn delete_of_message(conn: &Connection, message_id: MessageId) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM reactions WHERE message_id = :message")?
        .execute(named_params! { ":message": message_id })
        .map(drop)
}

/// A message's reactions, in order of first use. What looks alike is one, in the form first used.
///
/// # Errors
/// When SQLite fails.
pub fn list_of(conn: &Connection, message_id: MessageId) -> rusqlite::Result<Vec<Reaction>> {
    let mut reactions: Vec<Reaction> = Vec::new();
    let mut statement = conn.prepare_cached(
        "SELECT emoji, user_id
         FROM reactions
         WHERE message_id = :message
         ORDER BY id",
    )?;
    let mut rows = statement.query(named_params! { ":message": message_id })?;
    while let Some(row) = rows.next()? {
        let emoji = row.get_ref(0)?.as_str()?;
        let user_id = row.get(1)?;
        match reactions.iter_mut().find(|reaction| emoji::look_alike(&reaction.emoji, emoji)) {
            Some(reaction) if reaction.user_ids.contains(&user_id) => {}
            Some(reaction) => reaction.user_ids.push(user_id),
            None => reactions.push(Reaction { emoji: emoji.to_owned(), user_ids: vec![user_id] }),
        }
    }
    Ok(reactions)
}
