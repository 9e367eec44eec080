//! The WAL's length, and who empties it.
//!
//! It never becomes longer than [`BYTES_MAX`] while this process alone uses the database:
//!
//! ```text
//! a batch begins only while the WAL has at most      40 MiB   BATCH_BEGINS_AT_MOST, else it is emptied first
//! and takes no more changes once it has more than that; until then its pages
//! are in the writer's cache, or the cache has spilled them into the WAL:
//!   the changes between two looks at the length, at most    8 MiB   LOOK_EVERY small ones, or one large one
//!   the cache, written by the commit, at most               8 MiB   `cache_size`
//!   the full-text index, which follows the changes, or free pages
//!   that are overwritten in its place, at most              8 MiB
//!                                                    = 64 MiB
//! ```
//!
//! It is emptied from 16 MiB on, beside the writing, as far as readers allow. At 40 MiB the writer waits for the
//! readers to end, at most [`crate::store::database::readers::READ_TIME_MAX`], keeps new ones out, and empties it
//! whole. It is also emptied whole when nothing was written for five seconds: what was deleted leaves it then, and a
//! database file that is copied without its WAL lacks little. A reader of **another** process (a backup, a check) cannot
//! be asked to wait: while it reads, the WAL grows by what is written meanwhile, and is emptied when it has ended.

use std::cell::OnceCell;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::store::database::error::WriteError;
use crate::store::database::file;
use crate::store::database::pragmas;
use crate::store::database::readers::Gate;

/// What the file has at most, while this process alone uses the database.
pub const BYTES_MAX: u64 = 64 << 20;

/// With more than this in the file no batch begins, and none takes more changes.
const BATCH_BEGINS_AT_MOST: u64 = 40 << 20;

/// What a batch may add where another process keeps the WAL from being emptied.
const BATCH_BYTES: u64 = 8 << 20;

/// Small changes between two looks at the file's length.
pub const LOOK_EVERY: usize = 16;

/// From this many pages (16 MiB) on, the WAL is emptied beside the writing.
const PAGES_WANTED: i32 = 4_096;

/// How long nothing must be written for the WAL to be emptied whole.
const IDLE: Duration = Duration::from_secs(5);

/// How long other processes' readers are waited for.
const OTHERS_WAIT: Duration = Duration::from_millis(50);

/// After how long it is tried again where another process did not let go.
const OTHERS_PAUSE: Duration = Duration::from_secs(1);

/// The WAL of an open database.
#[derive(Debug)]
pub(crate) struct Wal {
    database: PathBuf,
    file: WalFile,
    gate: Gate,
    /// Pages in it, as of the last commit.
    pages: Arc<AtomicI32>,
    /// Commits that wrote something.
    commits: Arc<AtomicU32>,
    /// From this many pages on, emptying it is tried again.
    pages_next: i32,
    /// Who empties it at the moment.
    checkpointer: Option<JoinHandle<rusqlite::Result<()>>>,
    /// How many commits had been seen when the time below was taken.
    commits_seen: u32,
    /// Since when nothing was written.
    idle_since: Instant,
    /// Until when another process is left alone.
    others_until: Option<Instant>,
}

impl Wal {
    /// The WAL beside the file `database`, a path without links, which `conn` writes.
    pub(crate) fn new(conn: &mut Connection, database: &Path, gate: Gate) -> rusqlite::Result<Self> {
        let (pages, commits) = (Arc::new(AtomicI32::new(0)), Arc::new(AtomicU32::new(0)));
        let (pages_seen, commits_made) = (Arc::clone(&pages), Arc::clone(&commits));
        conn.wal_hook(Some(move |_wal: &mut rusqlite::hooks::Wal, pages| {
            pages_seen.store(pages, Ordering::Relaxed);
            commits_made.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self {
            database: database.to_owned(),
            file: WalFile::of(database),
            gate,
            pages,
            commits,
            pages_next: PAGES_WANTED,
            checkpointer: None,
            commits_seen: 0,
            idle_since: Instant::now(),
            others_until: None,
        })
    }

    /// To be called before a batch: empties the WAL where it is too long for one more. Returns up to which length of
    /// [`Wal::file`] the batch takes changes.
    pub(crate) fn make_room(&mut self, conn: &Connection) -> Result<u64, WriteError> {
        let mut bytes = self.file.bytes();
        if bytes > BATCH_BEGINS_AT_MOST && self.others_until.is_none_or(|until| until <= Instant::now()) {
            let gate = Arc::clone(&self.gate);
            self.join_checkpointer()?;
            let _alone = gate.write().unwrap_or_else(PoisonError::into_inner);
            self.empty(conn, OTHERS_WAIT)?;
            bytes = self.file.bytes();
            self.others_until = (bytes > 0).then(|| Instant::now() + OTHERS_PAUSE);
        }
        Ok(BATCH_BEGINS_AT_MOST.max(bytes + if self.others_until.is_some() { BATCH_BYTES } else { 0 }))
    }

    /// To be called after a batch: has the WAL emptied where it has grown, or where nothing was written for a while.
    pub(crate) fn follow(&mut self, conn: &Connection) -> Result<(), WriteError> {
        if self.checkpointer.as_ref().is_some_and(JoinHandle::is_finished) {
            self.join_checkpointer()?;
            // What came in the meantime is little; once it is copied too, the WAL begins anew.
            self.run(conn, CheckpointMode::PASSIVE)?;
        }
        let pages = self.pages.load(Ordering::Relaxed);
        if pages >= self.pages_next {
            self.pages_next = pages.saturating_add(PAGES_WANTED);
            return self.start_checkpointer(conn);
        }
        let commits = self.commits.load(Ordering::Relaxed);
        if commits != self.commits_seen {
            (self.commits_seen, self.idle_since) = (commits, Instant::now());
        } else if self.idle_since.elapsed() >= IDLE {
            self.idle_since = Instant::now();
            return self.empty_when_idle(conn);
        }
        Ok(())
    }

    /// Empties the WAL before the connection is closed.
    pub(crate) fn close(&mut self, conn: &Connection) -> Result<(), WriteError> {
        // Whoever closes the database last removes the file.
        self.file.open.take();
        self.join_checkpointer()?;
        self.run(conn, CheckpointMode::TRUNCATE)
    }

    /// The file.
    pub(crate) fn file(&self) -> &WalFile {
        &self.file
    }

    /// Nobody waits for this: where somebody reads, it is left for later.
    fn empty_when_idle(&mut self, conn: &Connection) -> Result<(), WriteError> {
        let gate = Arc::clone(&self.gate);
        let Ok(_alone) = gate.try_write() else { return Ok(()) };
        if self.file.bytes() == 0 || self.checkpointer.is_some() {
            return Ok(());
        }
        self.empty(conn, Duration::ZERO)
    }

    /// Empties the WAL whole; to be called while none of our readers reads.
    fn empty(&mut self, conn: &Connection, others_wait: Duration) -> Result<(), WriteError> {
        conn.busy_timeout(others_wait)?;
        let emptied = self.run(conn, CheckpointMode::TRUNCATE);
        conn.busy_timeout(pragmas::BUSY_TIMEOUT)?;
        emptied
    }

    fn start_checkpointer(&mut self, conn: &Connection) -> Result<(), WriteError> {
        if self.checkpointer.is_some() {
            return Ok(());
        }
        let path = self.database.clone();
        match thread::Builder::new().name("checkpoint".to_owned()).spawn(move || checkpoint_file(&path)) {
            Ok(thread) => self.checkpointer = Some(thread),
            Err(_no_thread) => self.run(conn, CheckpointMode::PASSIVE)?,
        }
        Ok(())
    }

    /// Waits for who empties the WAL, if anybody does.
    fn join_checkpointer(&mut self) -> Result<(), WriteError> {
        let Some(thread) = self.checkpointer.take() else { return Ok(()) };
        // Its panic becomes that of the writer's thread, and nobody goes on with a WAL that is in an unknown state.
        let ended = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        match ended.map_err(WriteError::from) {
            Err(WriteError::Busy | WriteError::Full) => Ok(()),
            outcome => outcome,
        }
    }

    fn run(&mut self, conn: &Connection, mode: CheckpointMode) -> Result<(), WriteError> {
        match conn.wal_checkpoint_v2(None::<&str>, mode) {
            Ok((in_wal, emptied)) => {
                let left = if in_wal == emptied { 0 } else { in_wal };
                self.pages.store(left, Ordering::Relaxed);
                self.pages_next = left.saturating_add(PAGES_WANTED);
                Ok(())
            }
            Err(cause) => match WriteError::from(cause) {
                WriteError::Busy | WriteError::Full => Ok(()),
                failed => Err(failed),
            },
        }
    }
}

#[cfg(test)]
impl Wal {
    /// Puts a thread that panics in the place of the one that empties the WAL.
    pub(crate) fn break_checkpointer(&mut self) {
        let broken = thread::Builder::new().name("checkpoint".to_owned()).spawn(|| panic!("on purpose"));
        self.checkpointer = Some(broken.expect("a thread"));
    }
}

/// The file, whose length is asked for several times in each batch.
///
/// By the place of its end: where the file system is asked for what it knows of a file, the times of its changes too, Linux
/// keeps these so exactly from then on that the next sync has to write them.
#[derive(Debug)]
pub(crate) struct WalFile {
    path: PathBuf,
    open: OnceCell<File>,
}

impl WalFile {
    fn of(database: &Path) -> Self {
        Self { path: file::companion(database, "-wal"), open: OnceCell::new() }
    }

    /// How long it is; nothing where there is none.
    pub(crate) fn bytes(&self) -> u64 {
        if self.open.get().is_none()
            && let Ok(file) = File::open(&self.path)
        {
            self.open.get_or_init(|| file);
        }
        self.open.get().and_then(|mut file| file.seek(SeekFrom::End(0)).ok()).unwrap_or(0)
    }
}

/// Copies what is in the WAL into the database, as far as readers allow. Where the files cannot be opened once more
/// nothing is done: the writer itself will do it.
fn checkpoint_file(path: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let emptied = Connection::open_with_flags(path, flags).and_then(|conn| {
        // The WAL is synced before its pages are copied, the database before the WAL is given up.
        conn.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;")?;
        conn.wal_checkpoint_v2(None::<&str>, CheckpointMode::PASSIVE).map(drop)
    });
    match emptied {
        Err(cause) if cause.sqlite_error_code() == Some(ErrorCode::CannotOpen) => Ok(()),
        emptied => emptied,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::AtomicBool;

    use tempfile::TempDir;

    use super::*;
    use crate::store::database::open::Db;
    use crate::store::database::readers::{ReadError, Readers};
    use crate::store::database::settings::{Missing, Settings};

    fn bytes_of(wal: &Path) -> u64 {
        fs::metadata(wal).unwrap().len()
    }

    fn open(folder: &TempDir) -> (Db, PathBuf) {
        let path = folder.path().join("lexchat.db");
        let db = Db::open(&Settings { path: path.clone(), missing: Missing::CreateEmpty, readers_max: 4 }).unwrap();
        db.writer.conn.execute_batch("CREATE TABLE notes (text TEXT) STRICT").unwrap();
        (db, file::companion(&path, "-wal"))
    }

    fn note(conn: &Connection, text: &str) -> rusqlite::Result<usize> {
        conn.execute("INSERT INTO notes VALUES (?1)", [text])
    }

    fn read(readers: &Readers) -> i64 {
        let counted = readers.read_here::<i64, ReadError>(|conn| {
            Ok(conn.query_row("SELECT count(*) + coalesce(sum(length(text)), 0) FROM notes", [], |row| row.get(0))?)
        });
        counted.unwrap()
    }

    #[test]
    fn it_stays_bounded_although_somebody_is_always_reading() {
        let folder = TempDir::new().unwrap();
        let (mut db, wal) = open(&folder);
        let over = AtomicBool::new(false);
        let mut longest = 0;
        thread::scope(|scope| {
            // Three, so that a checkpoint beside them never finds a moment when nobody reads.
            for readers in [&db.readers; 3].map(Readers::clone) {
                let over = &over;
                scope.spawn(move || while !over.load(Ordering::Relaxed) && read(&readers) >= 0 {});
            }
            let text = "x".repeat(1 << 20);
            for _ in 0..100 {
                let mut batch = db.writer.begin().unwrap();
                batch.change(|conn| note(conn, &text)).unwrap();
                batch.commit().unwrap();
                longest = longest.max(bytes_of(&wal));
                db.writer.checkpoint().unwrap();
            }
            over.store(true, Ordering::Relaxed);
        });
        assert!(longest <= BYTES_MAX, "the WAL grew to {longest} bytes");
        assert!(longest > 8 << 20, "and this was no test of it: {longest} bytes");
        db.writer.close().unwrap();
        assert_eq!(bytes_of(&wal), 0);
    }

    #[test]
    fn a_batch_ends_before_it_makes_it_too_long() {
        let folder = TempDir::new().unwrap();
        let (mut db, wal) = open(&folder);
        let text = "x".repeat(1 << 20);
        for _ in 0..3 {
            let mut batch = db.writer.begin().unwrap();
            let mut changes = 0;
            while !batch.is_long() {
                batch.change(|conn| note(conn, &text)).unwrap();
                changes += 1;
                assert!(changes <= 64, "it takes everything");
            }
            batch.commit().unwrap();
            assert!((BATCH_BEGINS_AT_MOST..=BYTES_MAX).contains(&bytes_of(&wal)), "{}", bytes_of(&wal));
        }
    }

    #[test]
    fn another_process_that_reads_stops_nobody_and_once_it_has_ended_the_bound_holds_again() {
        let folder = TempDir::new().unwrap();
        let (mut db, wal) = open(&folder);
        let backup = Connection::open(folder.path().join("lexchat.db")).unwrap();
        backup.execute_batch("BEGIN; SELECT count(*) FROM notes").unwrap();
        let text = "x".repeat(1 << 20);
        let write = |db: &mut Db| {
            let mut batch = db.writer.begin().unwrap();
            batch.change(|conn| note(conn, &text)).unwrap();
            assert!(!batch.is_long(), "there is room for more than one change");
            batch.commit().unwrap();
            db.writer.checkpoint().unwrap();
        };
        for _ in 0..80 {
            write(&mut db);
        }
        assert!(bytes_of(&wal) > BYTES_MAX);
        backup.execute_batch("COMMIT").unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while bytes_of(&wal) > BATCH_BEGINS_AT_MOST {
            assert!(Instant::now() < deadline, "{} bytes", bytes_of(&wal));
            write(&mut db);
        }
    }

    #[test]
    fn nothing_of_it_is_left_when_nothing_was_written_for_a_while() {
        let folder = TempDir::new().unwrap();
        let (mut db, wal) = open(&folder);
        let mut batch = db.writer.begin().unwrap();
        batch.change(|conn| note(conn, "bientôt effacé")).unwrap();
        batch.change(|conn| conn.execute("DELETE FROM notes", [])).unwrap();
        batch.commit().unwrap();
        let (began, deadline) = (Instant::now(), Instant::now() + Duration::from_secs(20));
        while bytes_of(&wal) > 0 {
            assert!(Instant::now() < deadline, "it is never emptied");
            // What the server's maintenance does, which writes nothing.
            drop(db.writer.begin().unwrap());
            db.writer.checkpoint().unwrap();
            thread::sleep(Duration::from_millis(50));
        }
        assert!(began.elapsed() >= IDLE, "it is emptied while people write");
        let bytes = fs::read(folder.path().join("lexchat.db")).unwrap();
        assert!(!bytes.windows(12).any(|text| text == "bientôt eff".as_bytes()), "a deleted text is in the file");
    }
}
