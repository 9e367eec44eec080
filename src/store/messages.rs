//! Statements about messages that are stored: changing them, and pages of them.

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use crate::model::conversation::Members;
use crate::model::id::{ConversationId, MessageId, UserId};
use crate::model::message::{Message, Revision};
use crate::model::timestamp::Timestamp;
use crate::store::attachments::{self, AttachmentRow};
use crate::store::{entries, reactions};

/// What a sender's own id was used for.
#[derive(Debug)]
pub struct Earlier {
    /// The message.
    pub id: MessageId,
    /// Where it is.
    pub conversation_id: ConversationId,
    /// What it was first sent with; `None` once deleted.
    pub body_digest: Option<Vec<u8>>,
}

/// The message that its sender knows by this id.
///
/// # Errors
/// When SQLite fails.
pub fn find_by_client_id(conn: &Connection, sender_id: UserId, client_id: &str) -> rusqlite::Result<Option<Earlier>> {
    conn.prepare_cached(
        "SELECT id, conversation_id, body_digest
         FROM messages
         WHERE sender_id = :sender
           AND client_message_id = :client_id",
    )?
    .query_row(named_params! { ":sender": sender_id, ":client_id": client_id }, |row| {
        Ok(Earlier { id: row.get(0)?, conversation_id: row.get(1)?, body_digest: row.get(2)? })
    })
    .optional()
}

/// The conversation that a message is in.
///
/// # Errors
/// When SQLite fails.
pub fn find_conversation(conn: &Connection, id: MessageId) -> rusqlite::Result<Option<ConversationId>> {
    conn.prepare_cached("SELECT conversation_id FROM messages WHERE id = :id")?
        .query_row(named_params! { ":id": id }, |row| row.get(0))
        .optional()
}

/// A message's place in a conversation; `None` if it is not in it.
///
/// # Errors
/// When SQLite fails.
pub fn find_place(conn: &Connection, conversation_id: ConversationId, id: MessageId) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT sent_rev FROM messages WHERE id = :id AND conversation_id = :conversation")?
        .query_row(named_params! { ":id": id, ":conversation": conversation_id }, |row| row.get(0))
        .optional()
}

/// The place of the first message of a conversation whose id is not below a position; `None` behind the last one. Found by
/// halving, because ids rise with places: what others say elsewhere is not looked at.
///
/// # Errors
/// SQLite's.
pub fn find_place_from(
    conn: &Connection,
    conversation_id: ConversationId,
    position: i64,
) -> rusqlite::Result<Option<i64>> {
    let mut next = conn.prepare_cached(
        "SELECT sent_rev, id
         FROM messages
         WHERE conversation_id = :conversation
           AND sent_rev >= :place
         ORDER BY sent_rev
         LIMIT 1",
    )?;
    let (mut low, mut high) = (0, find_last_place(conn, conversation_id)? + 1);
    let mut found = None;
    while low < high {
        let middle = low + (high - low) / 2;
        let known: Option<(i64, i64)> = next
            .query_row(named_params! { ":conversation": conversation_id, ":place": middle }, |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        match known {
            Some((place, id)) if id < position => low = place + 1,
            Some((place, _)) => (found, high) = (Some(place), middle),
            None => high = middle,
        }
    }
    Ok(found)
}

/// The place of a conversation's latest message; 0 before the first one.
///
/// # Errors
/// SQLite's.
pub fn find_last_place(conn: &Connection, conversation_id: ConversationId) -> rusqlite::Result<i64> {
    conn.prepare_cached("SELECT coalesce(max(sent_rev), 0) FROM messages WHERE conversation_id = :conversation")?
        .query_row(named_params! { ":conversation": conversation_id }, |row| row.get(0))
}

/// The message in front of a place of a conversation; `None` in front of the first one.
///
/// # Errors
/// SQLite's.
pub fn find_before(
    conn: &Connection,
    conversation_id: ConversationId,
    place: i64,
) -> rusqlite::Result<Option<MessageId>> {
    conn.prepare_cached(
        "SELECT id
         FROM messages
         WHERE conversation_id = :conversation
           AND sent_rev < :place
         ORDER BY sent_rev DESC
         LIMIT 1",
    )?
    .query_row(named_params! { ":conversation": conversation_id, ":place": place }, |row| row.get(0))
    .optional()
}

/// Whose eyes messages are read with, and in which conversation.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Its two people.
    pub members: Members,
    /// The one who looks.
    pub viewer_id: UserId,
}

macro_rules! select_message {
    ($rest:literal) => {
        concat!(
            "SELECT
               m.id, m.conversation_id, m.sender_id, m.content, m.links, m.reply_to_id,
               CASE m.sender_id WHEN :viewer THEN m.client_message_id END,
               m.rev, m.created_at, m.edited_at, m.deleted_at, m.kind, m.state,
               (SELECT r.read_at
                FROM read_marks r
                WHERE r.conversation_id = m.conversation_id
                  AND r.user_id = CASE m.sender_id WHEN :client THEN :lawyer ELSE :client END
                  AND r.message_id >= m.id
                ORDER BY r.message_id
                LIMIT 1)
             FROM messages m ",
            $rest
        )
    };
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let links: Option<String> = row.get(4)?;
    let attachments = links
        .map(|json| serde_json::from_str(&json))
        .transpose()
        .map_err(|cause| rusqlite::Error::FromSqlConversionFailure(4, rusqlite::types::Type::Text, Box::new(cause)))?;
    let deleted_at: Option<Timestamp> = row.get(10)?;
    let read_at: Option<Timestamp> = row.get(13)?;
    Ok(Message {
        id: row.get(0)?,
        conversation_id: row.get(1)?,
        kind: entries::kind(row, 11)?,
        sender_id: row.get(2)?,
        content: row.get(3)?,
        attachments,
        files: Vec::new(),
        reply_to_id: row.get(5)?,
        reactions: Vec::new(),
        is_read: read_at.is_some(),
        read_at,
        is_deleted: deleted_at.is_some(),
        deleted_at,
        edited_at: row.get(9)?,
        created_at: row.get(8)?,
        client_message_id: row.get(6)?,
        rev: row.get(7)?,
    })
}

/// One message of the view's conversation.
///
/// # Errors
/// When SQLite fails.
pub fn find(conn: &Connection, view: View, id: MessageId) -> rusqlite::Result<Option<Message>> {
    let found = conn
        .prepare_cached(select_message!("WHERE m.id = :id AND m.conversation_id = :conversation"))?
        .query_row(
            named_params! {
                ":id": id,
                ":conversation": view.conversation_id,
                ":viewer": view.viewer_id,
                ":client": view.members.client_id,
                ":lawyer": view.members.lawyer_id,
            },
            message,
        )
        .optional()?;
    found.map(|found| complete(conn, found)).transpose()
}

/// At most `limit` messages before a place, newest first.
///
/// # Errors
/// When SQLite fails.
pub fn list_before(conn: &Connection, view: View, place: i64, limit: usize) -> rusqlite::Result<Vec<Message>> {
    list(
        conn,
        view,
        place,
        limit,
        select_message!(
            "WHERE m.conversation_id = :conversation
               AND m.sent_rev < :place
             ORDER BY m.sent_rev DESC
             LIMIT :limit"
        ),
    )
}

/// At most `limit` messages after a place, oldest first.
///
/// # Errors
/// When SQLite fails.
pub fn list_after(conn: &Connection, view: View, place: i64, limit: usize) -> rusqlite::Result<Vec<Message>> {
    list(
        conn,
        view,
        place,
        limit,
        select_message!(
            "WHERE m.conversation_id = :conversation
               AND m.sent_rev > :place
             ORDER BY m.sent_rev
             LIMIT :limit"
        ),
    )
}

/// At most `limit` messages whose latest change is later than `rev`, by that change.
///
/// # Errors
/// When SQLite fails.
pub fn list_changed(conn: &Connection, view: View, rev: i64, limit: usize) -> rusqlite::Result<Vec<Message>> {
    let mut sent = list(
        conn,
        view,
        rev,
        limit,
        select_message!(
            "WHERE m.conversation_id = :conversation
               AND m.sent_rev > :place
               AND m.rev = m.sent_rev
             ORDER BY m.sent_rev
             LIMIT :limit"
        ),
    )?;
    let changed = list(
        conn,
        view,
        rev,
        limit,
        select_message!(
            "WHERE m.conversation_id = :conversation
               AND m.rev > :place
               AND m.rev > m.sent_rev
             ORDER BY m.rev
             LIMIT :limit"
        ),
    )?;
    sent.extend(changed);
    sent.sort_unstable_by_key(|message| message.rev);
    sent.truncate(limit);
    Ok(sent)
}

fn list(conn: &Connection, view: View, place: i64, limit: usize, sql: &str) -> rusqlite::Result<Vec<Message>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map(
        named_params! {
            ":conversation": view.conversation_id,
            ":place": place,
            ":limit": limit,
            ":viewer": view.viewer_id,
            ":client": view.members.client_id,
            ":lawyer": view.members.lawyer_id,
        },
        message,
    )?;
    rows.map(|row| complete(conn, row?)).collect()
}

/// Adds what stands in other tables: files and reactions.
fn complete(conn: &Connection, mut message: Message) -> rusqlite::Result<Message> {
    if message.is_deleted {
        return Ok(message);
    }
    message.reactions = reactions::list_of(conn, message.id)?;
    let files = attachments::list_of_message(conn, message.id)?;
    message.files = files.iter().filter_map(AttachmentRow::file_ref).collect();
    if !message.files.is_empty() {
        let urls = message.files.iter().map(|file| file.url.clone());
        message.attachments.get_or_insert_default().extend(urls);
    }
    Ok(message)
}

/// The texts that a message had before, oldest first.
///
/// # Errors
/// When SQLite fails.
pub fn list_revisions(conn: &Connection, id: MessageId) -> rusqlite::Result<Vec<Revision>> {
    conn.prepare_cached(
        "SELECT content, written_at
         FROM message_revisions
         WHERE message_id = :id
         ORDER BY number",
    )?
    .query_map(named_params! { ":id": id }, |row| Ok(Revision { content: row.get(0)?, at: row.get(1)? }))?
    .collect()
}

/// Keeps the text that a message has had since `written_at`.
///
/// # Errors
/// When SQLite fails.
pub fn insert_revision(conn: &Connection, id: MessageId, content: &str, written_at: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO message_revisions (message_id, number, content, written_at)
         SELECT :id, coalesce(max(number), 0) + 1, :content, :written_at
         FROM message_revisions
         WHERE message_id = :id",
    )?
    .execute(named_params! { ":id": id, ":content": content, ":written_at": written_at })
    .map(drop)
}

/// Gives a message another text.
///
/// # Errors
/// When SQLite fails.
pub fn set_content(conn: &Connection, id: MessageId, content: &str, at: Timestamp, rev: i64) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE messages
         SET content = :content,
             edited_at = :at,
             rev = :rev
         WHERE id = :id",
    )?
    .execute(named_params! { ":content": content, ":at": at, ":rev": rev, ":id": id })
    .map(drop)
}

/// Leaves only the tombstone of a message: no text, no addresses, no reactions, no revisions.
///
/// # Errors
/// When SQLite fails.
pub fn set_deleted(conn: &Connection, id: MessageId, at: Timestamp, rev: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM message_revisions WHERE message_id = :id")?
        .execute(named_params! { ":id": id })?;
    reactions::delete_of_message(conn, id)?;
    conn.prepare_cached(
        "UPDATE messages
         SET content = '',
             links = NULL,
             body_digest = NULL,
             edited_at = NULL,
             deleted_at = :at,
             rev = :rev
         WHERE id = :id",
    )?
    .execute(named_params! { ":at": at, ":rev": rev, ":id": id })
    .map(drop)
}

/// Gives a message the number of its latest change.
///
/// # Errors
/// When SQLite fails.
pub fn set_rev(conn: &Connection, id: MessageId, rev: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE messages SET rev = :rev WHERE id = :id")?
        .execute(named_params! { ":rev": rev, ":id": id })
        .map(drop)
}
