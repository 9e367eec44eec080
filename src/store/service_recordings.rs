//! Statements about recordings that a service made: those that wait to be fetched, and those that nobody had agreed to.

use rusqlite::{Connection, OptionalExtension as _, named_params};

use crate::model::call::RoomBits;
use crate::model::id::CallId;
use crate::model::timestamp::Timestamp;

/// A recording that waits at 8x8. `Debug` shows no address: who has it has the recording.
#[derive(Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The event that told of it.
    pub event_id: String,
    /// Its id at 8x8.
    pub service_id: String,
    pub room: RoomBits,
    pub link: String,
    pub attempts: u32,
    pub told_at: Timestamp,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Waiting({})", self.service_id)
    }
}

/// The call of a room.
pub fn find_call(conn: &Connection, room: RoomBits) -> rusqlite::Result<Option<CallId>> {
    conn.prepare_cached("SELECT id FROM calls WHERE room = :room")?
        .query_row(named_params! {":room": room.0}, |row| row.get(0))
        .optional()
}

/// Notes a recording that waits, unless the same event, or the same recording, was told before.
pub fn insert_waiting(conn: &Connection, new: &Waiting) -> rusqlite::Result<bool> {
    let stored = conn
        .prepare_cached(
            "INSERT INTO waiting_recordings (event_id, service_id, room, link, due_at, told_at)
             VALUES (:event, :service, :room, :link, :now, :now)
             ON CONFLICT DO NOTHING",
        )?
        .execute(named_params! {
            ":event": new.event_id,
            ":service": new.service_id,
            ":room": new.room.0,
            ":link": new.link,
            ":now": new.told_at,
        })?;
    Ok(stored == 1)
}

/// What is to be fetched by now, the longest due first.
pub fn list_waiting(conn: &Connection, now: Timestamp, limit: i64) -> rusqlite::Result<Vec<Waiting>> {
    conn.prepare_cached(
        "SELECT event_id, service_id, room, link, attempts, told_at
         FROM waiting_recordings
         WHERE link IS NOT NULL
           AND due_at <= :now
         ORDER BY due_at
         LIMIT :limit",
    )?
    .query_map(named_params! {":now": now, ":limit": limit}, |row| {
        Ok(Waiting {
            event_id: row.get(0)?,
            service_id: row.get(1)?,
            room: RoomBits(row.get(2)?),
            link: row.get(3)?,
            attempts: row.get(4)?,
            told_at: row.get(5)?,
        })
    })?
    .collect()
}

/// Has it be tried again at this moment; for `None` it is over, and its address is forgotten.
pub fn set_due(conn: &Connection, event_id: &str, at: Option<Timestamp>) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE waiting_recordings
         SET attempts = attempts + 1,
             due_at = coalesce(:at, due_at),
             link = CASE WHEN :at IS NULL THEN NULL ELSE link END
         WHERE event_id = :event",
    )?
    .execute(named_params! {":at": at, ":event": event_id})
    .map(drop)
}

/// Notes that a recording came to which nobody had agreed. Whether that is news.
pub fn insert_refused(
    conn: &Connection,
    service_id: &str,
    call_id: Option<CallId>,
    at: Timestamp,
) -> rusqlite::Result<bool> {
    let noted = conn
        .prepare_cached(
            "INSERT INTO refused_recordings (service_id, call_id, came_at)
             VALUES (:service, :call, :at)
             ON CONFLICT DO NOTHING",
        )?
        .execute(named_params! {":service": service_id, ":call": call_id, ":at": at})?;
    Ok(noted == 1)
}

/// Forgets what is over since `before`: events that were told, and recordings that were refused.
pub fn delete_over(conn: &Connection, before: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM waiting_recordings WHERE told_at < :before")?
        .execute(named_params! {":before": before})?;
    conn.prepare_cached("DELETE FROM refused_recordings WHERE came_at < :before")?
        .execute(named_params! {":before": before})
        .map(drop)
}
