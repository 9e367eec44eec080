//! Statements about recordings of calls: the questions, the answers, the parts and the files.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

use crate::model::id::{AttachmentId, CallId, SessionId, UserId};
use crate::model::recording::{Consent, Recording, RecordingState, Unsealed};
use crate::model::timestamp::Timestamp;

/// A row of `call_recordings`, with the answers to its question.
#[derive(Clone, Debug)]
pub struct RecordingRow {
    pub call_id: CallId,
    pub question: i64,
    /// Which device records.
    pub session_id: SessionId,
    pub by_service: bool,
    pub keep_s: i64,
    pub service_id: Option<String>,
    /// The file, complete or not.
    pub attachment_id: Option<AttachmentId>,
    /// As members see it; its file only once it is complete.
    pub shown: Recording,
}

/// A question.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    pub call_id: CallId,
    pub asked_by: UserId,
    pub session_id: SessionId,
    pub asked_at: Timestamp,
    pub by_service: bool,
    pub keep_s: i64,
}

macro_rules! select_recording {
    ($rest:literal) => {
        concat!(
            "SELECT r.call_id, r.state, r.question, r.asked_by, r.session_id, r.asked_at, r.by_service, r.keep_s,
               r.attachment_id, r.service_id, r.kept_until, r.deleted_by, r.deleted_at, a.sha256 IS NOT NULL
             FROM call_recordings r
             LEFT JOIN attachments a ON a.id = r.attachment_id ",
            $rest
        )
    };
}

fn recording(row: &Row<'_>) -> rusqlite::Result<RecordingRow> {
    let attachment_id: Option<AttachmentId> = row.get(8)?;
    let is_complete: bool = row.get(13)?;
    Ok(RecordingRow {
        call_id: row.get(0)?,
        question: row.get(2)?,
        session_id: row.get(4)?,
        by_service: row.get(6)?,
        keep_s: row.get(7)?,
        service_id: row.get(9)?,
        attachment_id,
        shown: Recording {
            state: row.get(1)?,
            asked_by: row.get(3)?,
            asked_at: row.get(5)?,
            consents: Vec::new(),
            attachment_id: attachment_id.filter(|_| is_complete),
            kept_until: row.get(10)?,
            deleted_by: row.get(11)?,
            deleted_at: row.get(12)?,
        },
    })
}

/// What became of recording a call; `None` where nobody ever asked.
pub fn find(conn: &Connection, call_id: CallId) -> rusqlite::Result<Option<RecordingRow>> {
    let found = conn
        .prepare_cached(select_recording!("WHERE r.call_id = :call"))?
        .query_row(named_params! {":call": call_id}, recording)
        .optional()?;
    let Some(mut row) = found else { return Ok(None) };
    row.shown.consents = conn
        .prepare_cached(
            "SELECT user_id, answer, max(answered_at)
             FROM recording_consents
             WHERE id IN (
                 SELECT max(id)
                 FROM recording_consents
                 WHERE call_id = :call
                   AND question = :question
                 GROUP BY user_id
             )
             GROUP BY user_id
             ORDER BY id",
        )?
        .query_map(named_params! {":call": call_id, ":question": row.question}, |row| {
            Ok(Consent { user_id: row.get(0)?, answer: row.get(1)?, at: row.get(2)? })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(row))
}

/// The calls whose recording runs or waits for an answer.
pub fn list_open(conn: &Connection) -> rusqlite::Result<Vec<CallId>> {
    conn.prepare_cached("SELECT call_id FROM call_recordings WHERE state IN ('asked', 'on')")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Asks anew: what was answered before no longer counts.
pub fn ask(conn: &Connection, new: &Question) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO call_recordings (call_id, state, question, asked_by, session_id, asked_at, by_service, keep_s)
         VALUES (:call, 'asked', 1, :asked_by, :session, :asked_at, :by_service, :keep_s)
         ON CONFLICT (call_id) DO UPDATE
         SET state = 'asked',
             question = question + 1,
             asked_by = :asked_by,
             session_id = :session,
             asked_at = :asked_at,
             by_service = :by_service,
             keep_s = :keep_s",
    )?
    .execute(named_params! {
        ":call": new.call_id,
        ":asked_by": new.asked_by,
        ":session": new.session_id,
        ":asked_at": new.asked_at,
        ":by_service": new.by_service,
        ":keep_s": new.keep_s,
    })
    .map(drop)
}

/// Notes an answer to the present question.
pub fn insert_consent(
    conn: &Connection,
    row: &RecordingRow,
    user_id: UserId,
    (answer, wording): (bool, i64),
    at: Timestamp,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO recording_consents (call_id, question, user_id, answer, wording, keep_s, answered_at)
         VALUES (:call, :question, :user, :answer, :wording, :keep_s, :at)",
    )?
    .execute(named_params! {
        ":call": row.call_id,
        ":question": row.question,
        ":user": user_id,
        ":answer": answer,
        ":wording": wording,
        ":keep_s": row.keep_s,
        ":at": at,
    })
    .map(drop)
}

/// Gives it another state.
pub fn set_state(conn: &Connection, call_id: CallId, state: RecordingState) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE call_recordings SET state = :state WHERE call_id = :call")?
        .execute(named_params! {":state": state, ":call": call_id})
        .map(drop)
}

/// Notes that it has ended and until when it is kept.
pub fn set_stored(conn: &Connection, call_id: CallId, kept_until: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE call_recordings SET state = 'stored', kept_until = :until WHERE call_id = :call")?
        .execute(named_params! {":until": kept_until, ":call": call_id})
        .map(drop)
}

/// Notes who deleted it; nobody where its time was over.
pub fn set_deleted(conn: &Connection, call_id: CallId, by: Option<UserId>, at: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE call_recordings
         SET state = 'deleted',
             deleted_by = :by,
             deleted_at = :at
         WHERE call_id = :call",
    )?
    .execute(named_params! {":by": by, ":at": at, ":call": call_id})
    .map(drop)
}

/// Announces the file of a recording, of which nothing has come.
pub fn insert_file(
    conn: &Connection,
    call_id: CallId,
    uploader_id: UserId,
    name: &str,
    now: Timestamp,
) -> rusqlite::Result<AttachmentId> {
    let id = conn
        .prepare_cached(
            "INSERT INTO attachments (uploader_id, conversation_id, name, created_at, is_recording)
             SELECT :uploader, conversation_id, :name, :now, 1
             FROM calls
             WHERE id = :call
             RETURNING id",
        )?
        .query_row(named_params! {":uploader": uploader_id, ":name": name, ":now": now, ":call": call_id}, |row| {
            row.get(0)
        })?;
    conn.prepare_cached("UPDATE call_recordings SET attachment_id = :id WHERE call_id = :call")?
        .execute(named_params! {":id": id, ":call": call_id})?;
    Ok(id)
}

/// Notes the recording's id at the service that made it.
pub fn set_service_id(conn: &Connection, call_id: CallId, service_id: &str) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE call_recordings SET service_id = :id WHERE call_id = :call")?
        .execute(named_params! {":id": service_id, ":call": call_id})
        .map(drop)
}

/// What a part that has come was: the digest of its bytes.
pub fn find_part(conn: &Connection, call_id: CallId, number: u32) -> rusqlite::Result<Option<[u8; 32]>> {
    conn.prepare_cached("SELECT sha256 FROM recording_parts WHERE call_id = :call AND number = :number")?
        .query_row(named_params! {":call": call_id, ":number": number}, |row| row.get(0))
        .optional()
}

/// The number of the part that is to come.
pub fn next_part(conn: &Connection, call_id: CallId) -> rusqlite::Result<u32> {
    conn.prepare_cached("SELECT coalesce(max(number) + 1, 0) FROM recording_parts WHERE call_id = :call")?
        .query_row(named_params! {":call": call_id}, |row| row.get(0))
}

/// Notes a part that has come.
pub fn insert_part(conn: &Connection, call_id: CallId, number: u32, sha256: [u8; 32]) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT INTO recording_parts (call_id, number, sha256) VALUES (:call, :number, :sha256)")?
        .execute(named_params! {":call": call_id, ":number": number, ":sha256": sha256})
        .map(drop)
}

/// Forgets the parts: the file is complete, or gone.
pub fn delete_parts(conn: &Connection, call_id: CallId) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM recording_parts WHERE call_id = :call")?
        .execute(named_params! {":call": call_id})
        .map(drop)
}

/// Bytes of all recordings, arriving ones included.
pub fn sum_bytes(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "SELECT coalesce(sum(a.size), 0)
         FROM call_recordings r
         JOIN attachments a ON a.id = r.attachment_id",
    )?
    .query_row([], |row| row.get(0))
}

/// What has ended and is to be made a file that seeks.
pub fn list_unsealed(conn: &Connection) -> rusqlite::Result<Vec<Unsealed>> {
    conn.prepare_cached(
        "SELECT r.call_id, r.attachment_id, a.size
         FROM call_recordings r
         JOIN attachments a ON a.id = r.attachment_id
         WHERE r.state = 'stored'
           AND r.by_service = 0
           AND a.sha256 IS NULL",
    )?
    .query_map([], |row| {
        let size: i64 = row.get(2)?;
        Ok(Unsealed { call_id: row.get(0)?, attachment_id: row.get(1)?, size: u64::try_from(size).unwrap_or(0) })
    })?
    .collect()
}

/// The calls whose recording is kept no longer than `now`, at most `limit`.
pub fn list_over(conn: &Connection, now: Timestamp, limit: usize) -> rusqlite::Result<Vec<CallId>> {
    conn.prepare_cached(
        "SELECT call_id
         FROM call_recordings
         WHERE state = 'stored'
           AND kept_until <= :now
         ORDER BY kept_until
         LIMIT :limit",
    )?
    .query_map(named_params! {":now": now, ":limit": i64::try_from(limit).unwrap_or(i64::MAX)}, |row| row.get(0))?
    .collect()
}

/// The calls whose recording was promised by a service, ended before `before`, and never came.
pub fn list_never_came(conn: &Connection, before: Timestamp) -> rusqlite::Result<Vec<CallId>> {
    conn.prepare_cached(
        "SELECT call_id
         FROM call_recordings
         WHERE state = 'stored'
           AND by_service = 1
           AND attachment_id IS NULL
           AND kept_until - keep_s * 1000 < :before",
    )?
    .query_map(named_params! {":before": before}, |row| row.get(0))?
    .collect()
}

/// Writes over bytes of a file that is not complete, from its beginning on.
pub fn overwrite_head(conn: &Connection, id: AttachmentId, head: &[u8]) -> rusqlite::Result<()> {
    let mut done = 0;
    while let Some(rest) = head.get(done..).filter(|rest| !rest.is_empty()) {
        let found = super::attachments::find_chunk(conn, id, i64::try_from(done).unwrap_or(i64::MAX))?;
        let (start, mut bytes) = found.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let within = done - usize::try_from(start).unwrap_or(0);
        let count = rest.len().min(bytes.len().saturating_sub(within));
        if count == 0 {
            return Err(rusqlite::Error::QueryReturnedNoRows);
        }
        bytes[within..within + count].copy_from_slice(&rest[..count]);
        conn.prepare_cached(
            "UPDATE attachment_chunks SET bytes = :bytes WHERE attachment_id = :id AND start = :start",
        )?
        .execute(named_params! {":bytes": bytes, ":id": id, ":start": start})?;
        done += count;
    }
    Ok(())
}

/// Cuts a file that is not complete off after `size` bytes.
pub fn truncate(conn: &Connection, id: AttachmentId, size: u64) -> rusqlite::Result<()> {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    conn.prepare_cached("DELETE FROM attachment_chunks WHERE attachment_id = :id AND start >= :size")?
        .execute(named_params! {":id": id, ":size": size})?;
    conn.prepare_cached(
        "UPDATE attachment_chunks
         SET bytes = substr(bytes, 1, :size - start)
         WHERE attachment_id = :id
           AND start < :size
           AND start + length(bytes) > :size",
    )?
    .execute(named_params! {":id": id, ":size": size})?;
    conn.prepare_cached("UPDATE attachments SET size = min(size, :size) WHERE id = :id")?
        .execute(named_params! {":id": id, ":size": size})
        .map(drop)
}
