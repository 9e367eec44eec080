//! Statements about read marks.

use rusqlite::{Connection, named_params};

use crate::model::id::{ConversationId, MessageId, UserId};
use crate::model::message::ReadMark;

/// Notes that somebody has read up to a message. The mark before it stays: it says when that was.
///
/// # Errors
/// When SQLite fails.
pub fn insert(conn: &Connection, conversation_id: ConversationId, mark: ReadMark) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO read_marks (conversation_id, user_id, message_id, read_at)
         VALUES (:conversation, :user, :message, :at)",
    )?
    .execute(named_params! {
        ":conversation": conversation_id, ":user": mark.user_id, ":message": mark.message_id, ":at": mark.at,
    })
    .map(drop)
}

/// How far somebody has read.
///
/// # Errors
/// When SQLite fails.
pub fn find_latest(
    conn: &Connection,
    conversation_id: ConversationId,
    user_id: UserId,
) -> rusqlite::Result<Option<ReadMark>> {
    conn.prepare_cached(
        "SELECT message_id, read_at
         FROM read_marks
         WHERE conversation_id = :conversation
           AND user_id = :user
         ORDER BY message_id DESC
         LIMIT 1",
    )?
    .query_map(named_params! { ":conversation": conversation_id, ":user": user_id }, |row| {
        Ok(ReadMark { user_id, message_id: row.get(0)?, at: row.get(1)? })
    })?
    .next()
    .transpose()
}

/// Messages that the other party sent after the place of `after` (0: from the beginning) up to the place of `up_to`,
/// and that still say something.
///
/// # Errors
/// When SQLite fails.
pub fn count_unread_between(
    conn: &Connection,
    conversation_id: ConversationId,
    reader_id: UserId,
    after: i64,
    up_to: MessageId,
) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "SELECT count(*)
         FROM messages
         WHERE conversation_id = :conversation
           AND sent_rev > coalesce((SELECT sent_rev FROM messages WHERE id = :after), 0)
           AND sent_rev <= (SELECT sent_rev FROM messages WHERE id = :up_to)
           AND sender_id <> :reader
           AND counts_unread = 1
           AND deleted_at IS NULL",
    )?
    .query_row(
        named_params! { ":conversation": conversation_id, ":after": after, ":up_to": up_to, ":reader": reader_id },
        |row| row.get(0),
    )
}
