//! The `attachments` and `attachment_chunks` tables: files, and their bytes in parts.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

use crate::model::attachment::{self, FileRef};
use crate::model::id::{AttachmentId, ConversationId, MessageId, UserId};
use crate::model::timestamp::Timestamp;

/// A row of `attachments`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttachmentRow {
    /// Which.
    pub id: AttachmentId,
    /// Who sent it.
    pub uploader_id: UserId,
    /// Whose members may see it once a message took it.
    pub conversation_id: ConversationId,
    /// The message that took it.
    pub message_id: Option<MessageId>,
    /// What it is called.
    pub name: String,
    /// Bytes that have arrived.
    pub size: i64,
    /// What was found out when it was complete; nothing before.
    pub facts: Option<Facts>,
}

/// What is known of a complete file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// The type seen in its bytes.
    pub mime_type: String,
    /// Of all its bytes.
    pub sha256: [u8; 32],
    /// Width and height in pixels, for images.
    pub dimensions: Option<(u32, u32)>,
}

const COLUMNS: &str = "id, uploader_id, conversation_id, message_id, name, size, mime_type, sha256, width, height";

impl AttachmentRow {
    /// The file as clients see it; `None` until it is complete.
    #[must_use]
    pub fn file_ref(&self) -> Option<FileRef> {
        let facts = self.facts.as_ref()?;
        Some(FileRef {
            id: self.id,
            url: attachment::url(self.id, &self.name),
            name: self.name.clone(),
            size: self.size,
            mime_type: facts.mime_type.clone(),
            sha256: facts.sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
            width: facts.dimensions.map(|(width, _)| width),
            height: facts.dimensions.map(|(_, height)| height),
        })
    }
}

/// The file with this id, complete or not.
pub fn find(conn: &Connection, id: AttachmentId) -> rusqlite::Result<Option<AttachmentRow>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM attachments WHERE id = :id"))?
        .query_row(named_params! {":id": id}, read)
        .optional()
}

/// The files of a message, in its order.
pub fn list_of_message(conn: &Connection, message_id: MessageId) -> rusqlite::Result<Vec<AttachmentRow>> {
    conn.prepare_cached(&format!(
        "SELECT {COLUMNS}
        FROM attachments
        WHERE message_id = :message_id
        ORDER BY place"
    ))?
    .query_map(named_params! {":message_id": message_id}, read)?
    .collect()
}

/// How many bytes somebody stores, arriving files included.
pub fn sum_bytes(conn: &Connection, uploader_id: UserId) -> rusqlite::Result<i64> {
    conn.prepare_cached("SELECT coalesce(sum(size), 0) FROM attachments WHERE uploader_id = :uploader_id")?
        .query_row(named_params! {":uploader_id": uploader_id}, |row| row.get(0))
}

/// How many of somebody's files are arriving or wait for a message.
pub fn count_loose(conn: &Connection, uploader_id: UserId) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "SELECT count(*)
        FROM attachments
        WHERE message_id IS NULL
          AND uploader_id = :uploader_id",
    )?
    .query_row(named_params! {":uploader_id": uploader_id}, |row| row.get(0))
}

/// Announces a file of which no byte has arrived.
pub fn insert(
    conn: &Connection,
    uploader_id: UserId,
    conversation_id: ConversationId,
    name: &str,
    now: Timestamp,
) -> rusqlite::Result<AttachmentId> {
    conn.prepare_cached(
        "INSERT INTO attachments (uploader_id, conversation_id, name, created_at)
        VALUES (:uploader_id, :conversation_id, :name, :now)
        RETURNING id",
    )?
    .query_row(
        named_params! {
            ":uploader_id": uploader_id,
            ":conversation_id": conversation_id,
            ":name": name,
            ":now": now,
        },
        |row| row.get(0),
    )
}

/// Stores the next bytes of a file that is still arriving. `bytes` is not empty.
pub fn append(conn: &Connection, id: AttachmentId, bytes: &[u8]) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO attachment_chunks (attachment_id, start, bytes)
        SELECT id, size, :bytes
        FROM attachments
        WHERE id = :id",
    )?
    .execute(named_params! {":id": id, ":bytes": bytes})?;
    conn.prepare_cached("UPDATE attachments SET size = size + :count WHERE id = :id")?
        .execute(named_params! {":id": id, ":count": i64::try_from(bytes.len()).unwrap_or(i64::MAX)})?;
    Ok(())
}

/// Notes that a file is complete.
pub fn set_complete(conn: &Connection, id: AttachmentId, facts: &Facts) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE attachments
        SET mime_type = :mime_type, sha256 = :sha256, width = :width, height = :height
        WHERE id = :id",
    )?
    .execute(named_params! {
        ":id": id,
        ":mime_type": facts.mime_type,
        ":sha256": facts.sha256,
        ":width": facts.dimensions.map(|(width, _)| width),
        ":height": facts.dimensions.map(|(_, height)| height),
    })?;
    Ok(())
}

/// Gives a complete file to a message, as its `place`th.
pub fn set_message(conn: &Connection, id: AttachmentId, message_id: MessageId, place: i64) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE attachments
        SET message_id = :message_id, place = :place
        WHERE id = :id",
    )?
    .execute(named_params! {":id": id, ":message_id": message_id, ":place": place})?;
    Ok(())
}

/// The part of a file in which the byte at `offset` stands: where the part starts, and its bytes.
pub fn find_chunk(conn: &Connection, id: AttachmentId, offset: i64) -> rusqlite::Result<Option<(i64, Vec<u8>)>> {
    conn.prepare_cached(
        "SELECT start, bytes
        FROM attachment_chunks
        WHERE attachment_id = :id
          AND start <= :offset
        ORDER BY start DESC
        LIMIT 1",
    )?
    .query_row(named_params! {":id": id, ":offset": offset}, |row| Ok((row.get(0)?, row.get(1)?)))
    .optional()
}

/// Removes a file and its bytes.
pub fn delete(conn: &Connection, id: AttachmentId) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM attachments WHERE id = :id")?.execute(named_params! {":id": id})?;
    Ok(())
}

/// Removes the files of a message and their bytes.
pub fn delete_of_message(conn: &Connection, message_id: MessageId) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM attachments WHERE message_id = :message_id")?
        .execute(named_params! {":message_id": message_id})?;
    Ok(())
}

/// Removes at most `limit` files that no message took and that were announced before `before`; tells how many.
pub fn delete_loose(conn: &Connection, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    conn.prepare_cached(
        "DELETE FROM attachments
        WHERE id IN (
            SELECT id
            FROM attachments
            WHERE message_id IS NULL
              AND created_at < :before
            ORDER BY created_at
            LIMIT :limit
        )",
    )?
    .execute(named_params! {":before": before, ":limit": i64::try_from(limit).unwrap_or(i64::MAX)})
}

fn read(row: &Row<'_>) -> rusqlite::Result<AttachmentRow> {
    let dimensions = row.get::<_, Option<u32>>(8)?.zip(row.get::<_, Option<u32>>(9)?);
    let facts = match row.get::<_, Option<String>>(6)? {
        Some(mime_type) => Some(Facts { mime_type, sha256: row.get(7)?, dimensions }),
        None => None,
    };
    Ok(AttachmentRow {
        id: row.get(0)?,
        uploader_id: row.get(1)?,
        conversation_id: row.get(2)?,
        message_id: row.get(3)?,
        name: row.get(4)?,
        size: row.get(5)?,
        facts,
    })
}
