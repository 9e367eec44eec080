//! Changes that are on disk together or not at all. A change that errs or panics is taken back alone, by a savepoint
//! unless it needs none.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{CachedStatement, Connection};

use crate::store::database::error::WriteError;
use crate::store::database::wal::WalFile;

/// Changes that will be on disk together or not at all. Dropping it takes all of them back.
pub struct Batch<'writer> {
    conn: &'writer Connection,
    open: bool,
    wal_file: &'writer WalFile,
    wal_bytes_max: u64,
    /// Said with each change, and therefore kept at hand.
    save: CachedStatement<'writer>,
    release: CachedStatement<'writer>,
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

impl<'writer> Batch<'writer> {
    /// Begins a batch. Until it is committed or dropped nobody else writes.
    pub(crate) fn begin(
        conn: &'writer Connection,
        wal_file: &'writer WalFile,
        wal_bytes_max: u64,
    ) -> rusqlite::Result<Self> {
        let save = conn.prepare_cached("SAVEPOINT change")?;
        let release = conn.prepare_cached("RELEASE change")?;
        conn.prepare_cached("BEGIN IMMEDIATE")?.raw_execute()?;
        Ok(Self { conn, open: true, wal_file, wal_bytes_max, save, release })
    }

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

    /// Whether it should be committed before it takes more changes, so that the WAL stays short. To be asked after each
    /// large change, and after [`LOOK_EVERY`](crate::store::database::wal::LOOK_EVERY) small ones.
    #[must_use]
    pub fn is_long(&self) -> bool {
        self.wal_file.bytes() > self.wal_bytes_max
    }

    /// What the batch has made of the database so far.
    #[must_use]
    pub fn conn(&self) -> &'writer Connection {
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
