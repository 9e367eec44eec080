//! Statements about the index of words. Row ids are message ids.

use rusqlite::{Connection, named_params};

use crate::model::conversation::Members;
use crate::model::id::MessageId;

/// Makes a text findable by the two people of its conversation.
///
/// # Errors
/// SQLite's.
pub fn insert(conn: &Connection, id: MessageId, content: &str, members: Members) -> rusqlite::Result<()> {
    if content.is_empty() {
        return Ok(());
    }
    conn.prepare_cached("INSERT INTO message_words (rowid, content, members) VALUES (:id, :content, :members)")?
        .execute(named_params! { ":id": id, ":content": content, ":members": members_words(members) })
        .map(drop)
}

/// Takes a text out of the index. It must be exactly the one that was put in.
///
/// # Errors
/// SQLite's.
pub fn delete(conn: &Connection, id: MessageId, content: &str, members: Members) -> rusqlite::Result<()> {
    if content.is_empty() {
        return Ok(());
    }
    conn.prepare_cached(
        "INSERT INTO message_words (message_words, rowid, content, members)
         VALUES ('delete', :id, :content, :members)",
    )?
    .execute(named_params! { ":id": id, ":content": content, ":members": members_words(members) })
    .map(drop)
}

fn members_words(members: Members) -> String {
    format!("u{} u{}", members.client_id, members.lawyer_id)
}
