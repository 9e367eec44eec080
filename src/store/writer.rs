//! The pen: the one connection that writes.
//!
//! Changes are made in batches: [`Pen::begin`], one change after the other, one [`Batch::commit`], which returns after
//! the sync that covers all of them. A change that errs or panics is taken back alone, by a savepoint unless it needs none.
//! What a failure means is decided here: a full disk passes, a commit or sync that failed does not. The pen alone has the
//! write-ahead log emptied: by a thread of its own, since copying and syncing megabytes takes longer than many commits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::wal::CheckpointMode;
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags};

use crate::store::db;
use crate::store::readers::Gate;

/// From this many pages (16 MiB) in the log on, it is emptied as far as readers allow, beside the writing.
const LOG_PAGES_WANTED: i32 = 4_096;

/// From this many pages (48 MiB) in the log on, the readers are asked to pause so that it can be emptied.
const LOG_PAGES_MAX: i32 = 12_288;

/// How long other processes' readers are waited for when the log must be emptied.
const OTHERS_WAIT: Duration = Duration::from_millis(100);

/// The writing connection. There is one per open database.
#[derive(Debug)]
pub struct Pen {
    pub(crate) conn: Connection,
    gate: Gate,
    log_pages: Arc<AtomicI32>,
    /// From this many pages in the log on, emptying it is tried again.
    log_pages_next: i32,
    /// Who empties the log at the moment.
    emptying: Option<JoinHandle<rusqlite::Result<()>>>,
}

/// Why a batch, or all writing, is over.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// There is no space. It can be tried again.
    #[error("the disk is full")]
    Full,
    /// Another process held the pen for too long. It can be tried again.
    #[error("the database is in use by another process")]
    Busy,
    /// A change broke off in the middle, and nobody knows where. It can be tried again.
    #[error("a change broke off")]
    BrokenOff,
    /// What was written may or may not be on disk: nothing can be promised any more.
    #[error("{0}")]
    Failed(rusqlite::Error),
}

impl From<rusqlite::Error> for WriteError {
    fn from(cause: rusqlite::Error) -> Self {
        match cause.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            _ => Self::Failed(cause),
        }
    }
}

/// Why a change was taken back.
#[derive(Debug)]
pub enum Undone<E> {
    /// The change itself refused.
    Refused(E),
    /// The change panicked.
    Panicked,
    /// The whole batch is lost with it.
    Lost(WriteError),
}

impl Pen {
    pub(crate) fn new(mut conn: Connection, gate: Gate) -> rusqlite::Result<Self> {
        let log_pages = Arc::new(AtomicI32::new(0));
        let seen = Arc::clone(&log_pages);
        conn.wal_hook(Some(move |_log: &mut rusqlite::hooks::Wal, pages| {
            seen.store(pages, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self { conn, gate, log_pages, log_pages_next: LOG_PAGES_WANTED, emptying: None })
    }

    /// Begins a batch. Until it is committed or dropped nobody else writes.
    ///
    /// # Errors
    /// When the pen cannot be had.
    pub fn begin(&mut self) -> Result<Batch<'_>, WriteError> {
        let save = self.conn.prepare_cached("SAVEPOINT change")?;
        let release = self.conn.prepare_cached("RELEASE change")?;
        self.conn.prepare_cached("BEGIN IMMEDIATE")?.raw_execute()?;
        Ok(Batch { conn: &self.conn, open: true, save, release })
    }

    /// Has the write-ahead log emptied where it has grown. To be called between batches.
    ///
    /// # Errors
    /// When the database could not be written or synced.
    pub fn checkpoint(&mut self) -> Result<(), WriteError> {
        if self.emptying.as_ref().is_some_and(JoinHandle::is_finished) {
            self.join_emptying()?;
            // What came in the meantime is little; once it is copied too, the log begins anew.
            self.empty_log(CheckpointMode::PASSIVE)?;
        }
        let pages = self.log_pages.load(Ordering::Relaxed);
        if pages < self.log_pages_next {
            return Ok(());
        }
        if pages < LOG_PAGES_MAX {
            self.log_pages_next = next_try(pages);
            return self.start_emptying();
        }
        self.join_emptying()?;
        let gate = Arc::clone(&self.gate);
        let _alone = gate.write().unwrap_or_else(PoisonError::into_inner);
        self.conn.busy_timeout(OTHERS_WAIT)?;
        let emptied = self.empty_log(CheckpointMode::TRUNCATE);
        self.conn.busy_timeout(db::BUSY_TIMEOUT)?;
        emptied
    }

    /// Writes everything into the database file proper and puts the pen down.
    ///
    /// # Errors
    /// When the database could not be written or synced. Nothing is lost: the log is still there.
    pub fn close(mut self) -> Result<(), WriteError> {
        self.join_emptying()?;
        self.empty_log(CheckpointMode::TRUNCATE)?;
        self.conn.close().map_err(|(_, cause)| cause.into())
    }

    fn start_emptying(&mut self) -> Result<(), WriteError> {
        if self.emptying.is_some() {
            return Ok(());
        }
        let path = PathBuf::from(self.conn.path().unwrap_or_default());
        match thread::Builder::new().name("log".to_owned()).spawn(move || empty_log_of(&path)) {
            Ok(thread) => self.emptying = Some(thread),
            Err(_no_thread) => self.empty_log(CheckpointMode::PASSIVE)?,
        }
        Ok(())
    }

    /// Waits for who empties the log, if anybody does.
    fn join_emptying(&mut self) -> Result<(), WriteError> {
        let Some(thread) = self.emptying.take() else { return Ok(()) };
        match thread.join().unwrap_or(Ok(())).map_err(WriteError::from) {
            Err(WriteError::Busy | WriteError::Full) => Ok(()),
            outcome => outcome,
        }
    }

    fn empty_log(&mut self, mode: CheckpointMode) -> Result<(), WriteError> {
        match self.conn.wal_checkpoint_v2(None::<&str>, mode) {
            Ok((in_log, emptied)) => {
                let left = if in_log == emptied { 0 } else { in_log };
                self.log_pages.store(left, Ordering::Relaxed);
                self.log_pages_next = next_try(left);
                Ok(())
            }
            Err(cause) => match WriteError::from(cause) {
                WriteError::Busy | WriteError::Full => {
                    let pages = self.log_pages.load(Ordering::Relaxed);
                    self.log_pages_next = next_try(pages);
                    Ok(())
                }
                failed => Err(failed),
            },
        }
    }
}

/// At how many pages in the log emptying it is tried again, when so many are left.
fn next_try(pages: i32) -> i32 {
    let next = pages.saturating_add(LOG_PAGES_WANTED);
    if pages < LOG_PAGES_MAX { next.min(LOG_PAGES_MAX) } else { next }
}

/// Copies what is in the log into the database, as far as readers allow. Where the files cannot be opened once more
/// nothing is done: the pen will do it.
fn empty_log_of(path: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let emptied = Connection::open_with_flags(path, flags).and_then(|conn| {
        // The log is synced before its pages are copied, the database before the log is given up.
        conn.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;")?;
        conn.wal_checkpoint_v2(None::<&str>, CheckpointMode::PASSIVE).map(drop)
    });
    match emptied {
        Err(cause) if cause.sqlite_error_code() == Some(ErrorCode::CannotOpen) => Ok(()),
        emptied => emptied,
    }
}

/// Changes that will be on disk together or not at all. Dropping it takes all of them back.
pub struct Batch<'pen> {
    conn: &'pen Connection,
    open: bool,
    /// Said with each change, and therefore kept at hand.
    save: CachedStatement<'pen>,
    release: CachedStatement<'pen>,
}

impl Batch<'_> {
    /// Makes one change, of which all is kept or nothing.
    ///
    /// # Errors
    /// Why it was taken back. After [`Undone::Lost`] the whole batch must be dropped.
    pub fn change<T, E>(&mut self, change: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, Undone<E>> {
        let lost = |cause: rusqlite::Error| Undone::Lost(cause.into());
        self.save.raw_execute().map_err(lost)?;
        let outcome = catch_unwind(AssertUnwindSafe(|| change(self.conn)));
        if self.conn.is_autocommit() {
            // SQLite has rolled back everything by itself: the disk is full or does not answer.
            return Err(Undone::Lost(WriteError::Full));
        }
        let undone = match outcome {
            Ok(Ok(done)) => {
                self.release.raw_execute().map_err(lost)?;
                return Ok(done);
            }
            Ok(Err(refusal)) => Undone::Refused(refusal),
            Err(_) => Undone::Panicked,
        };
        self.conn.prepare_cached("ROLLBACK TO change").and_then(|mut back| back.raw_execute()).map_err(lost)?;
        self.release.raw_execute().map_err(lost)?;
        Err(undone)
    }

    /// Makes one change that writes nothing before it is sure of itself: one that errs has changed nothing. It is spared the
    /// savepoint of [`Batch::change`], which copies each page that is written.
    ///
    /// # Errors
    /// Why it was not made. After [`Undone::Lost`], which one that changed something and then erred or panicked comes to,
    /// the whole batch must be dropped.
    pub fn change_at_once<T, E>(&mut self, change: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, Undone<E>> {
        let before = self.conn.total_changes();
        let undone = match catch_unwind(AssertUnwindSafe(|| change(self.conn))) {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(refusal)) => Undone::Refused(refusal),
            Err(_) => Undone::Panicked,
        };
        if self.conn.is_autocommit() {
            // See `change`.
            return Err(Undone::Lost(WriteError::Full));
        }
        if self.conn.total_changes() != before {
            return Err(Undone::Lost(WriteError::BrokenOff));
        }
        Err(undone)
    }

    /// What the batch has made of the database so far.
    #[must_use]
    pub fn conn(&self) -> &Connection {
        self.conn
    }

    /// Puts the batch on disk. When this returns, it survives a power cut.
    ///
    /// # Errors
    /// Nothing of the batch may be acknowledged then.
    pub fn commit(mut self) -> Result<(), WriteError> {
        self.conn.prepare_cached("COMMIT")?.raw_execute()?;
        self.open = false;
        Ok(())
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if self.open && !self.conn.is_autocommit() {
            let _already_gone = self.conn.execute_batch("ROLLBACK");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::store::db::{Db, Missing, Settings};
    use crate::store::file;
    use crate::store::readers::ReadError;

    fn open(folder: &TempDir) -> Db {
        let path = folder.path().join("lexchat.db");
        let db = Db::open(&Settings { path, missing: Missing::CreateEmpty, readers_max: 2 }).unwrap();
        db.pen.conn.execute_batch("CREATE TABLE notes (text TEXT) STRICT").unwrap();
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
        let mut batch = db.pen.begin().unwrap();
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
        let mut batch = db.pen.begin().unwrap();
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
        let mut batch = db.pen.begin().unwrap();
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
        let mut batch = db.pen.begin().unwrap();
        batch.change(|conn| note(conn, "draft")).unwrap();
        drop(batch);
        assert!(notes(&db).is_empty());
        let mut batch = db.pen.begin().unwrap();
        batch.change(|conn| note(conn, "kept")).unwrap();
        batch.commit().unwrap();
        assert_eq!(notes(&db), ["kept"]);
    }

    #[test]
    fn a_full_disk_takes_the_batch_back_and_passes() {
        let folder = TempDir::new().unwrap();
        let mut db = open(&folder);
        let pages: i64 = db.pen.conn.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        let set_room = |db: &Db, pages: i64| {
            db.pen.conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
        };
        set_room(&db, pages + 2);
        let mut batch = db.pen.begin().unwrap();
        let outcome = batch.change(|conn| note(conn, &"x".repeat(1 << 20)));
        let is_full = match &outcome {
            Err(Undone::Lost(WriteError::Full)) => true,
            Err(Undone::Refused(cause)) => cause.sqlite_error_code() == Some(ErrorCode::DiskFull),
            _ => false,
        };
        assert!(is_full, "{outcome:?}");
        drop(batch);
        set_room(&db, 1 << 20);
        let mut batch = db.pen.begin().unwrap();
        batch.change(|conn| note(conn, "room again")).unwrap();
        batch.commit().unwrap();
        assert_eq!(notes(&db), ["room again"]);
    }

    #[test]
    fn the_log_stays_bounded_although_somebody_is_always_reading() {
        let folder = TempDir::new().unwrap();
        let mut db = open(&folder);
        let log = file::companion(&folder.path().join("lexchat.db"), "-wal");
        let readers = db.readers.clone();
        let over = std::sync::atomic::AtomicBool::new(false);
        let mut longest = 0;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let counted = readers.read_here::<i64, ReadError>(|conn| {
                        let count = "SELECT count(*) + coalesce(sum(length(text)), 0) FROM notes";
                        Ok(conn.query_row(count, [], |row| row.get(0))?)
                    });
                    counted.unwrap();
                }
            });
            let text = "x".repeat(1 << 20);
            for _ in 0..100 {
                let mut batch = db.pen.begin().unwrap();
                batch.change(|conn| note(conn, &text)).unwrap();
                batch.commit().unwrap();
                db.pen.checkpoint().unwrap();
                longest = longest.max(fs::metadata(&log).unwrap().len());
            }
            over.store(true, Ordering::Relaxed);
        });
        assert!(longest <= 64 << 20, "the log grew to {longest} bytes");
        assert_eq!(notes(&db).len(), 100);
        db.pen.close().unwrap();
        assert_eq!(fs::metadata(&log).map_or(0, |log| log.len()), 0);
    }
}
