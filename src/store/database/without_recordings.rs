//! A copy of the database without what was recorded of calls: it is a tenth of the size, and may be kept for longer than
//! recordings may.

use std::path::Path;

use rusqlite::Connection;

/// What a copy says of a recording that it has not: that it is gone. What was under way has come to nothing.
const LEAVE_OUT: &str = "
BEGIN;
UPDATE messages
SET state = json_set(
    state,
    '$.recording.state', 'deleted',
    '$.recording.attachmentId', NULL,
    '$.recording.deletedAt', strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
)
WHERE kind = 'call'
  AND state ->> '$.recording.state' = 'stored';
UPDATE messages
SET state = json_set(state, '$.recording.state', 'off')
WHERE kind = 'call'
  AND state ->> '$.recording.state' IN ('asked', 'on');
UPDATE call_recordings
SET attachment_id = NULL,
    deleted_at = CASE state WHEN 'stored' THEN CAST(unixepoch('subsec') * 1000 AS INTEGER) ELSE deleted_at END,
    state = CASE state WHEN 'stored' THEN 'deleted' ELSE 'off' END
WHERE state IN ('asked', 'on', 'stored');
DELETE FROM recording_parts;
DELETE FROM attachment_chunks WHERE attachment_id IN (SELECT id FROM attachments WHERE is_recording = 1);
UPDATE attachments SET size = 0 WHERE is_recording = 1;
DELETE FROM attachments WHERE is_recording = 1;
COMMIT;
VACUUM;";

/// The first version that knows recordings.
const SINCE: i64 = 5;

/// Removes the recordings from the database at `path`, which nobody else has open.
///
/// # Errors
/// When SQLite fails.
pub fn leave_out(path: &Path) -> rusqlite::Result<()> {
    let conn = Connection::open(path)?;
    let version: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version < SINCE {
        return Ok(());
    }
    // Nobody else knows of it yet, and it is synced before it gets its name.
    conn.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;")?;
    conn.execute_batch(LEAVE_OUT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::database::backup::{self, Contents};
    use crate::store::database::check::check;
    use crate::store::database::open::Db;
    use crate::store::database::settings::{Missing, Settings};

    const MARK: &[u8] = b"what was said and recorded";

    #[test]
    fn a_copy_without_recordings_is_sound_has_none_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lexchat.db");
        let settings = Settings { path: path.clone(), missing: Missing::CreateDemo, readers_max: 1 };
        let db = Db::open(&settings).unwrap();
        db.writer.conn.execute_batch(include_str!("testing/recording.sql")).unwrap();
        db.writer.close().unwrap();
        drop(db.readers);
        let (whole, without) = (folder.path().join("whole.db"), folder.path().join("without.db"));
        backup::copy(&path, &whole).unwrap();
        backup::copy_of(&path, &without, Contents::WithoutRecordings).unwrap();
        let holds = |path: &Path| std::fs::read(path).unwrap().windows(MARK.len()).any(|part| part == MARK);
        assert!(holds(&whole) && !holds(&without), "not a byte of it");
        for path in [&whole, &without] {
            assert_eq!(check(path).unwrap().faults, Vec::<String>::new(), "{}", path.display());
        }
        let conn = Connection::open(&without).unwrap();
        let told: (String, String, Option<i64>) = conn
            .query_row(
                "SELECT r.state, m.state ->> '$.recording.state', m.state ->> '$.recording.attachmentId'
                 FROM call_recordings r
                 JOIN calls k ON k.id = r.call_id
                 JOIN messages m ON m.id = k.message_id",
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .unwrap();
        assert_eq!(told, ("deleted".to_owned(), "deleted".to_owned(), None));
    }
}
