//! How much there is of everything.

use rusqlite::{Connection, named_params};
use serde::Serialize;

use crate::model::timestamp::Timestamp;

/// Counts and sizes of one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Statistics {
    /// Accounts, disabled ones included.
    pub users: i64,
    /// Accounts that work.
    pub active_users: i64,
    /// Sessions that are going on.
    pub sessions: i64,
    /// Conversations.
    pub conversations: i64,
    /// Messages, tombstones included.
    pub messages: i64,
    /// Files.
    pub attachments: i64,
    /// Bytes of all files.
    pub attachment_bytes: i64,
    /// Calls, answered or not.
    pub calls: i64,
    /// Of these, those that go on.
    pub live_calls: i64,
    /// What was recorded of calls, and is there.
    pub recordings: i64,
    /// Bytes of that.
    pub recording_bytes: i64,
    /// Recordings that came and that not everybody had agreed to, lately.
    pub refused_recordings: i64,
    /// Bytes of the database file.
    pub database_bytes: i64,
    /// Of these, how many are free for new content.
    pub free_bytes: i64,
}

/// The counts and sizes as they are now.
pub fn load(conn: &Connection, now: Timestamp) -> rusqlite::Result<Statistics> {
    let pragma = |name: &str| conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let page_size = pragma("page_size")?;
    let (pages, free) = (pragma("page_count")?, pragma("freelist_count")?);
    conn.prepare_cached(
        "SELECT
            (SELECT count(*) FROM users),
            (SELECT count(*) FROM users WHERE is_active = 1),
            (SELECT count(*) FROM sessions WHERE ended_at IS NULL AND expires_at > :now),
            (SELECT count(*) FROM conversations),
            (SELECT coalesce(max(id), 0) FROM messages),
            (SELECT count(*) FROM attachments),
            (SELECT coalesce(sum(size), 0) FROM attachments),
            (SELECT coalesce(max(id), 0) FROM calls),
            (SELECT count(*) FROM calls WHERE state IN ('ringing', 'ongoing')),
            (SELECT count(attachment_id) FROM call_recordings),
            (SELECT coalesce(sum(a.size), 0) FROM call_recordings r JOIN attachments a ON a.id = r.attachment_id),
            (SELECT count(*) FROM refused_recordings)",
    )?
    .query_row(named_params! {":now": now}, |row| {
        Ok(Statistics {
            users: row.get(0)?,
            active_users: row.get(1)?,
            sessions: row.get(2)?,
            conversations: row.get(3)?,
            // Rows are never removed and their ids have no gaps, so the last one counts them all.
            messages: row.get(4)?,
            attachments: row.get(5)?,
            attachment_bytes: row.get(6)?,
            calls: row.get(7)?,
            live_calls: row.get(8)?,
            recordings: row.get(9)?,
            recording_bytes: row.get(10)?,
            refused_recordings: row.get(11)?,
            database_bytes: pages * page_size,
            free_bytes: free * page_size,
        })
    })
}
