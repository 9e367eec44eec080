//! The one connection that writes.
//!
//! Changes are made in batches: [`Writer::begin`], one change after the other, one [`Batch::commit`], which returns after
//! the sync that covers all of them. Between two batches the WAL is kept short (see `wal`), and it is seen whether the
//! files are still there.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use crate::store::database::batch::Batch;
use crate::store::database::error::WriteError;
use crate::store::database::identity::Identity;
use crate::store::database::lock::ServerLock;
use crate::store::database::readers::Gate;
use crate::store::database::wal::Wal;

/// The writing connection. There is one per open database.
#[derive(Debug)]
pub struct Writer {
    pub(crate) conn: Connection,
    wal: Wal,
    identity: Identity,
    /// What keeps other servers away; let go of last.
    lock: Option<ServerLock>,
}

impl Writer {
    pub(crate) fn new(
        mut conn: Connection,
        path: &Path,
        gate: Gate,
        lock: Option<ServerLock>,
    ) -> rusqlite::Result<Self> {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let wal = Wal::new(&mut conn, &path, gate)?;
        Ok(Self { conn, wal, identity: Identity::of(&path), lock })
    }

    /// Begins a batch. Until it is committed or dropped nobody else writes. Where the WAL has become too long for one
    /// more batch, it is emptied first.
    ///
    /// # Errors
    /// When the write lock cannot be had, or the database's files are not those that were opened.
    pub fn begin(&mut self) -> Result<Batch<'_>, WriteError> {
        self.identity.check()?;
        let wal_bytes_max = self.wal.make_room(&self.conn)?;
        Ok(Batch::begin(&self.conn, self.wal.file(), wal_bytes_max)?)
    }

    /// Has the WAL emptied where it has grown, or where nothing was written for a while. To be called between batches.
    ///
    /// # Errors
    /// When the database could not be written or synced.
    pub fn checkpoint(&mut self) -> Result<(), WriteError> {
        self.wal.follow(&self.conn)
    }

    /// Writes everything into the database file proper and closes the connection.
    ///
    /// # Errors
    /// When the database could not be written or synced. Nothing is lost: the WAL is still there.
    pub fn close(mut self) -> Result<(), WriteError> {
        self.wal.close(&self.conn)?;
        self.conn.close().map_err(|(_, cause)| WriteError::from(cause))?;
        drop(self.lock);
        Ok(())
    }
}

#[cfg(test)]
impl Writer {
    /// Puts a thread that panics in the place of the one that empties the WAL.
    pub(crate) fn with_broken_checkpointer(mut self) -> Self {
        self.wal.break_checkpointer();
        self
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::{Duration, Instant};

    use rusqlite::ErrorCode;
    use tempfile::TempDir;

    use super::*;
    use crate::store::database::batch::Undone;
    use crate::store::database::file;
    use crate::store::database::open::Db;
    use crate::store::database::readers::ReadError;
    use crate::store::database::settings::{Missing, Settings};

    fn open(folder: &TempDir) -> Db {
        let path = folder.path().join("lexchat.db");
        let db = Db::open(&Settings { path, missing: Missing::CreateEmpty, readers_max: 2 }).unwrap();
        db.writer.conn.execute_batch("CREATE TABLE notes (text TEXT) STRICT").unwrap();
        db
    }

    fn note(conn: &Connection, text: &str) -> rusqlite::Result<usize> {
        conn.execute("INSERT INTO notes VALUES (?1)", [text])
    }

    fn notes(db: &Db) -> Vec<String> {
        let all = db.readers.read_here::<_, ReadError>(|conn| {
            let mut all = conn.prepare("SELECT text FROM notes ORDER BY rowid")?;
            let texts = all.query_map([], |row| row.get(0))?;
            Ok(texts.collect::<rusqlite::Result<_>>()?)
        });
        all.unwrap()
    }

    #[test]
    fn a_change_that_errs_or_panics_leaves_its_batch_mates_alone() {
        let folder = TempDir::new().unwrap();
        let mut db = open(&folder);
        let mut batch = db.writer.begin().unwrap();
        batch.change(|conn| note(conn, "one")).unwrap();
        let refused = batch.change(|conn| note(conn, "two").map_err(|_| "sqlite").and(Err::<(), _>("changed my mind")));
        assert!(matches!(refused, Err(Undone::Refused("changed my mind"))));
        let panicked = batch.change(|conn| {
            note(conn, "three").unwrap();
            assert!(conn.is_autocommit(), "a panic in a rule");
            Ok::<(), rusqlite::Error>(())
        });
        assert!(matches!(panicked, Err(Undone::Panicked)));
        batch.change(|conn| note(conn, "four")).unwrap();
        batch.commit().unwrap();
        assert_eq!(notes(&db), ["one", "four"]);
    }

    #[test]
    fn a_change_without_a_savepoint_refuses_alone_unless_it_has_written() {
        let folder = TempDir::new().unwrap();
        let mut db = open(&folder);
        let mut batch = db.writer.begin().unwrap();
        batch.change_at_once(|conn| note(conn, "one")).unwrap();
        let refused = batch.change_at_once(|_| Err::<(), _>("changed my mind"));
        assert!(matches!(refused, Err(Undone::Refused("changed my mind"))));
        let panicked = batch.change_at_once(|conn| {
            assert!(conn.is_autocommit(), "a panic in a rule");
            Ok::<(), rusqlite::Error>(())
        });
        assert!(matches!(panicked, Err(Undone::Panicked)));
        batch.change_at_once(|conn| note(conn, "two")).unwrap();
        batch.commit().unwrap();
        let mut batch = db.writer.begin().unwrap();
        batch.change_at_once(|conn| note(conn, "three")).unwrap();
        let torn = batch.change_at_once(|conn| note(conn, "four").map_err(|_| "sqlite").and(Err::<(), _>("too late")));
        assert!(matches!(torn, Err(Undone::Lost(WriteError::BrokenOff))));
        drop(batch);
        assert_eq!(notes(&db), ["one", "two"]);
    }

    #[test]
    fn nobody_sees_a_batch_before_its_commit_and_a_dropped_one_never_was() {
        let folder = TempDir::new().unwrap();
        let mut db = open(&folder);
        let mut batch = db.writer.begin().unwrap();
        batch.change(|conn| note(conn, "draft")).unwrap();
        drop(batch);
        assert!(notes(&db).is_empty());
        let mut batch = db.writer.begin().unwrap();
        batch.change(|conn| note(conn, "kept")).unwrap();
        batch.commit().unwrap();
        assert_eq!(notes(&db), ["kept"]);
    }

    #[test]
    fn a_full_disk_takes_the_batch_back_and_passes() {
        let folder = TempDir::new().unwrap();
        let mut db = open(&folder);
        let pages: i64 = db.writer.conn.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        let set_room = |db: &Db, pages: i64| {
            db.writer.conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
        };
        set_room(&db, pages + 2);
        let mut batch = db.writer.begin().unwrap();
        let outcome = batch.change(|conn| note(conn, &"x".repeat(1 << 20)));
        let is_full = match &outcome {
            Err(Undone::Lost(WriteError::Full)) => true,
            Err(Undone::Refused(cause)) => cause.sqlite_error_code() == Some(ErrorCode::DiskFull),
            _ => false,
        };
        assert!(is_full, "{outcome:?}");
        drop(batch);
        set_room(&db, 1 << 20);
        let mut batch = db.writer.begin().unwrap();
        batch.change(|conn| note(conn, "room again")).unwrap();
        batch.commit().unwrap();
        assert_eq!(notes(&db), ["room again"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_was_removed_or_replaced_takes_no_more_batches() {
        for ending in ["", "-wal", "-shm"] {
            for is_replaced in [false, true] {
                let folder = TempDir::new().unwrap();
                let mut db = open(&folder);
                let path = file::companion(&folder.path().join("lexchat.db"), ending);
                let copy = folder.path().join("copy");
                fs::copy(&path, &copy).unwrap();
                assert!(db.writer.begin().is_ok());
                if is_replaced {
                    fs::rename(&copy, &path).unwrap();
                } else {
                    fs::remove_file(&path).unwrap();
                }
                let deadline = Instant::now() + Duration::from_secs(5);
                let refused = loop {
                    match db.writer.begin() {
                        Ok(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(10)),
                        outcome => break outcome.err(),
                    }
                };
                assert!(matches!(refused, Some(WriteError::Replaced { .. })), "{ending} {is_replaced}: {refused:?}");
            }
        }
    }
}
