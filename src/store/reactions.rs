//! Statements about reactions.

use rusqlite::{Connection, named_params};

use crate::model::id::{MessageId, UserId};
use crate::model::message::Reaction;

/// Adds somebody's emoji.
///
/// # Errors
/// SQLite's; it may be there only once.
pub fn insert(conn: &Connection, message_id: MessageId, emoji: &str, user_id: UserId) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT INTO reactions (message_id, emoji, user_id) VALUES (:message, :emoji, :user)")?
        .execute(named_params! { ":message": message_id, ":emoji": emoji, ":user": user_id })
        .map(drop)
}

/// Takes somebody's emoji back.
///
/// # Errors
/// SQLite's.
pub fn delete(conn: &Connection, message_id: MessageId, emoji: &str, user_id: UserId) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "DELETE FROM reactions
         WHERE message_id = :message
           AND emoji = :emoji
           AND user_id = :user",
    )?
    .execute(named_params! { ":message": message_id, ":emoji": emoji, ":user": user_id })
    .map(drop)
}

/// Takes back all of a message's.
///
/// # Errors
/// SQLite's.
pub fn delete_of_message(conn: &Connection, message_id: MessageId) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM reactions WHERE message_id = :message")?
        .execute(named_params! { ":message": message_id })
        .map(drop)
}

/// A message's reactions, in order of first use.
///
/// # Errors
/// SQLite's.
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
        match reactions.iter_mut().find(|reaction| reaction.emoji == emoji) {
            Some(reaction) => reaction.user_ids.push(user_id),
            None => reactions.push(Reaction { emoji: emoji.to_owned(), user_ids: vec![user_id] }),
        }
    }
    Ok(reactions)
}
