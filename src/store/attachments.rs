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
    /// Bytes that will have arrived when it is complete, where it comes in several requests.
    pub announced_size: Option<i64>,
    /// Whether it is what was recorded of a call: nobody's upload.
    pub is_recording: bool,
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

const COLUMNS: &str = "id, uploader_id, conversation_id, message_id, name, size, mime_type, sha256, width, height, announced_size, is_recording";

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

/// The files that went with messages of a conversation, the newest first, and when each arrived: at most `limit` of those
/// with a number below `before`.
pub fn list_of_conversation(
    conn: &Connection,
    conversation_id: ConversationId,
    before: Option<i64>,
    limit: i64,
) -> rusqlite::Result<Vec<(AttachmentRow, Timestamp)>> {
    conn.prepare_cached(&format!(
        "SELECT {COLUMNS}, created_at
        FROM attachments
        WHERE conversation_id = :conversation_id
          AND message_id IS NOT NULL
          AND (:before IS NULL OR id < :before)
        ORDER BY id DESC
        LIMIT :limit"
    ))?
    .query_map(named_params! {":conversation_id": conversation_id, ":before": before, ":limit": limit}, |row| {
        Ok((read(row)?, row.get(12)?))
    })?
    .collect()
}

/// How many bytes somebody stores, arriving files included; what was recorded of calls is not theirs.
pub fn sum_bytes(conn: &Connection, uploader_id: UserId) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "SELECT coalesce(sum(size), 0) FROM attachments WHERE uploader_id = :uploader_id AND is_recording = 0",
    )?
    .query_row(named_params! {":uploader_id": uploader_id}, |row| row.get(0))
}

/// How many of somebody's files are arriving or wait for a message.
pub fn count_loose(conn: &Connection, uploader_id: UserId) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "SELECT count(*)
        FROM attachments
        WHERE message_id IS NULL
          AND is_recording = 0
          AND uploader_id = :uploader_id",
    )?
    .query_row(named_params! {":uploader_id": uploader_id}, |row| row.get(0))
}

/// Announces a file of which no byte has arrived; `size` where it may come in several requests.
pub fn insert(
    conn: &Connection,
    uploader_id: UserId,
    conversation_id: ConversationId,
    name: &str,
    size: Option<u64>,
    now: Timestamp,
) -> rusqlite::Result<AttachmentId> {
    conn.prepare_cached(
        "INSERT INTO attachments (uploader_id, conversation_id, name, announced_size, created_at)
        VALUES (:uploader_id, :conversation_id, :name, :size, :now)
        RETURNING id",
    )?
    .query_row(
        named_params! {
            ":uploader_id": uploader_id,
            ":conversation_id": conversation_id,
            ":name": name,
            ":size": size.map(|size| i64::try_from(size).unwrap_or(i64::MAX)),
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

/// Removes a file; its bytes by and by, see [`remove_discarded`].
pub fn delete(conn: &Connection, id: AttachmentId) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM attachments WHERE id = :id")?.execute(named_params! {":id": id})?;
    Ok(())
}

/// Removes the files of a message; their bytes by and by, see [`remove_discarded`].
pub fn delete_of_message(conn: &Connection, message_id: MessageId) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM attachments WHERE message_id = :message_id")?
        .execute(named_params! {":message_id": message_id})?;
    Ok(())
}

/// Removes at most `limit` files that no message took and that were announced before `before`; returns how many.
pub fn delete_loose(conn: &Connection, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    conn.prepare_cached(
        "DELETE FROM attachments
        WHERE id IN (
            SELECT id
            FROM attachments
            WHERE message_id IS NULL
              AND is_recording = 0
              AND created_at < :before
            ORDER BY created_at
            LIMIT :limit
        )",
    )?
    .execute(named_params! {":before": before, ":limit": i64::try_from(limit).unwrap_or(i64::MAX)})
}

/// Removes at most `limit` parts of files that are gone, the last of each first, so that those that are left follow each
/// other; returns whether there are more.
///
/// # Errors
/// When SQLite fails.
pub fn remove_discarded(conn: &Connection, limit: usize) -> rusqlite::Result<bool> {
    let Some(id) = conn
        .prepare_cached("SELECT min(attachment_id) FROM discarded_files")?
        .query_row([], |row| row.get::<_, Option<i64>>(0))?
    else {
        return Ok(false);
    };
    let removed = conn
        .prepare_cached(
            "DELETE FROM attachment_chunks
            WHERE rowid IN (
                SELECT rowid
                FROM attachment_chunks
                WHERE attachment_id = :id
                ORDER BY start DESC
                LIMIT :limit
            )",
        )?
        .execute(named_params! {":id": id, ":limit": i64::try_from(limit).unwrap_or(i64::MAX)})?;
    if removed < limit {
        conn.prepare_cached("DELETE FROM discarded_files WHERE attachment_id = :id")?
            .execute(named_params! {":id": id})?;
    }
    Ok(true)
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
        announced_size: row.get(10)?,
        is_recording: row.get(11)?,
        facts,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::store::database::check::check;
    use crate::store::database::open::Db;
    use crate::store::database::settings::{Missing, Settings};

    /// What each part begins with.
    const MARK: &[u8] = b"a word that stands nowhere else";

    #[test]
    fn a_deleted_file_leaves_no_byte_and_takes_no_long_change_to_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lexchat.db");
        let settings = Settings { path: path.clone(), missing: Missing::CreateDemo, readers_max: 1 };
        let mut db = Db::open(&settings).unwrap();
        let mut batch = db.writer.begin().unwrap();
        let stored = batch.change(|conn| {
            let (uploader, conversation) = (UserId::try_from(1).unwrap(), ConversationId::try_from(1).unwrap());
            let id = insert(conn, uploader, conversation, "a.bin", None, Timestamp::default())?;
            for _ in 0..50 {
                let bytes: Vec<u8> = MARK.iter().copied().cycle().take(60_000).collect();
                append(conn, id, &bytes)?;
            }
            Ok::<_, rusqlite::Error>(id)
        });
        let id = stored.unwrap();
        batch.commit().unwrap();
        let mut batch = db.writer.begin().unwrap();
        batch.change(|conn| delete(conn, id)).unwrap();
        assert!(find(batch.conn(), id).unwrap().is_none(), "it is gone at once");
        batch.commit().unwrap();
        let mut steps = 0;
        loop {
            let mut batch = db.writer.begin().unwrap();
            let is_more = batch.change(|conn| remove_discarded(conn, 16)).unwrap();
            batch.commit().unwrap();
            assert_eq!(check(&path).unwrap().faults, Vec::<String>::new(), "what is half removed is no damage");
            if !is_more {
                break;
            }
            steps += 1;
        }
        assert_eq!(steps, 4, "so many parts at a time");
        db.writer.close().unwrap();
        drop(db.readers);
        for name in fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()) {
            let bytes = fs::read(&name).unwrap();
            assert!(!bytes.windows(MARK.len()).any(|part| part == MARK), "something is left in {}", name.display());
        }
    }
}
