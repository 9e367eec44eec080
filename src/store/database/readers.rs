//! The readers: connections that cannot write, lent out a few at a time.
//!
//! A question runs on a thread for blocking work, in one snapshot of the database, and is cut off after
//! [`READ_TIME_MAX`], so that none can keep the write-ahead log from being emptied.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use r2d2::{ManageConnection, Pool};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use crate::store::database::{functions, pragmas};

/// The longest that one question may take.
pub const READ_TIME_MAX: Duration = Duration::from_secs(5);

/// How many may wait for a reader; whoever comes after them is turned away.
const WAITING_MAX: usize = 4096;

/// How many virtual machine steps lie between two looks at the clock.
const STEPS_BETWEEN_LOOKS: i32 = 1_000;

/// Held by each reader while it reads, and by the writer while it must be alone.
pub type Gate = Arc<RwLock<()>>;

/// The readers of one database. Clones share them.
#[derive(Clone)]
pub struct Readers {
    pool: Pool<Opener>,
    turns: Arc<Semaphore>,
    /// Of these, at most half are for searches.
    searches: Arc<Semaphore>,
    places: Arc<Semaphore>,
    gate: Gate,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Too many wait already.
    #[error("too many are waiting to read")]
    TooMany,
    /// No connection could be opened.
    #[error("no reader could be opened: {0}")]
    Pool(#[from] r2d2::Error),
    /// SQLite refused.
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    /// The question panicked.
    #[error("a question panicked")]
    Panicked,
}

impl Readers {
    /// Readers of the database at `path`, which must exist; connections are opened when first needed.
    pub(crate) fn new(path: &Path, readers_max: u32) -> rusqlite::Result<Self> {
        let count = readers_max.max(1);
        let opener = Opener { path: path.to_owned(), started: Instant::now() };
        drop(opener.connect()?);
        let pool = Pool::builder()
            .max_size(count)
            .min_idle(Some(0))
            .max_lifetime(None)
            .idle_timeout(None)
            .test_on_check_out(false)
            .build_unchecked(opener);
        let turns = usize::try_from(count).unwrap_or(1);
        Ok(Self {
            pool,
            turns: Arc::new(Semaphore::new(turns)),
            searches: Arc::new(Semaphore::new((turns / 2).max(1))),
            places: Arc::new(Semaphore::new(turns + WAITING_MAX)),
            gate: Gate::default(),
        })
    }

    /// Runs a question in one snapshot of the database.
    ///
    /// # Errors
    /// What the question itself answers, or why it could not be asked.
    pub async fn read<T, E, F>(&self, question: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<ReadError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let _place = self.places.try_acquire().map_err(|_| ReadError::TooMany)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| ReadError::TooMany)?;
        let readers = self.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            readers.read_here(question)
        });
        asked.await.unwrap_or_else(|_| Err(ReadError::Panicked.into()))
    }

    /// As [`Readers::read`], for what may take long: at most half of the readers do it at once, and each for `span` at
    /// most. Whoever waits for a turn waits no longer than others may read.
    ///
    /// # Errors
    /// What the question itself answers, or why it could not be asked.
    pub async fn search<T, E, F>(&self, span: Duration, question: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<ReadError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let _place = self.places.try_acquire().map_err(|_| ReadError::TooMany)?;
        let turns =
            async { (Arc::clone(&self.searches).acquire_owned().await, Arc::clone(&self.turns).acquire_owned().await) };
        let turns = tokio::time::timeout(READ_TIME_MAX, turns).await.map_err(|_| ReadError::TooMany)?;
        let readers = self.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let _turns = turns;
            readers.read_within(span, question)
        });
        asked.await.unwrap_or_else(|_| Err(ReadError::Panicked.into()))
    }

    /// As [`Readers::read`], for a look at a row or two: done here and now if a reader is free, because the way to
    /// another thread and back costs more than the look.
    ///
    /// # Errors
    /// What the question itself answers, or why it could not be asked.
    pub async fn peek<T, E, F>(&self, question: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<ReadError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let is_open = self.gate.try_read().is_ok();
        let turn = if is_open { Arc::clone(&self.turns).try_acquire_owned().ok() } else { None };
        match turn {
            Some(_turn) => self.read_here(question),
            None => self.read(question).await,
        }
    }

    /// As [`Readers::read`], on the calling thread.
    ///
    /// # Errors
    /// What the question itself answers, or why it could not be asked.
    pub fn read_here<T, E: From<ReadError>>(&self, question: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E> {
        self.read_within(READ_TIME_MAX, question)
    }

    fn read_within<T, E: From<ReadError>>(
        &self,
        span: Duration,
        question: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let reader = self.pool.get().map_err(ReadError::from)?;
        let _open = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        reader.deadline_ms.store(reader.elapsed_ms() + millis(span), Ordering::Relaxed);
        let snapshot = reader.conn.unchecked_transaction().map_err(ReadError::from)?;
        let answer = question(&snapshot);
        snapshot.finish().map_err(ReadError::from)?;
        answer
    }

    pub(crate) fn gate(&self) -> Gate {
        Arc::clone(&self.gate)
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").field("state", &self.pool.state()).finish_non_exhaustive()
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[derive(Debug)]
struct Opener {
    path: PathBuf,
    started: Instant,
}

/// A connection that cannot write, and until when its present question may run.
struct Reader {
    conn: Connection,
    started: Instant,
    deadline_ms: Arc<AtomicU64>,
}

impl Reader {
    fn elapsed_ms(&self) -> u64 {
        millis(self.started.elapsed())
    }
}

impl ManageConnection for Opener {
    type Connection = Reader;
    type Error = rusqlite::Error;

    fn connect(&self) -> Result<Reader, rusqlite::Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut conn = Connection::open_with_flags(&self.path, flags)?;
        conn.busy_timeout(READ_TIME_MAX)?;
        conn.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -2000; PRAGMA temp_store = MEMORY;")?;
        conn.set_prepared_statement_cache_capacity(128);
        functions::register(&conn)?;
        pragmas::plan_once(&conn)?;
        let deadline_ms = Arc::new(AtomicU64::new(u64::MAX));
        let (started, until) = (self.started, Arc::clone(&deadline_ms));
        let is_over = move || millis(started.elapsed()) > until.load(Ordering::Relaxed);
        conn.progress_handler(STEPS_BETWEEN_LOOKS, Some(is_over))?;
        Ok(Reader { conn, started, deadline_ms })
    }

    fn is_valid(&self, _reader: &mut Reader) -> Result<(), rusqlite::Error> {
        Ok(())
    }

    fn has_broken(&self, reader: &mut Reader) -> bool {
        !reader.conn.is_autocommit()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use rusqlite::Connection;

    use super::{READ_TIME_MAX, ReadError, Readers};
    use crate::store::database::open::Db;
    use crate::store::database::settings::{Missing, Settings};

    #[tokio::test]
    async fn a_question_that_panics_gives_its_reader_back() {
        let folder = tempfile::tempdir().unwrap();
        let settings =
            Settings { path: folder.path().join("lexchat.db"), missing: Missing::CreateDemo, readers_max: 1 };
        let readers: Readers = Db::open(&settings).unwrap().readers;
        for _ in 0..3 {
            let answer = readers.read(|_| -> Result<(), ReadError> { panic!("on purpose") }).await;
            assert!(matches!(answer, Err(ReadError::Panicked)));
        }
        let count = |conn: &Connection| -> Result<i64, ReadError> {
            Ok(conn.query_row("SELECT count(*) FROM users", [], |row| row.get(0))?)
        };
        assert!(matches!(readers.read(count).await, Ok(11)));
    }

    #[tokio::test]
    async fn searches_leave_half_of_the_readers_to_others_and_end_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let settings =
            Settings { path: folder.path().join("lexchat.db"), missing: Missing::CreateDemo, readers_max: 2 };
        let readers: Readers = Db::open(&settings).unwrap().readers;
        let endless = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT count(*) FROM n";
        let span = Duration::from_secs(1);
        let started = Instant::now();
        let search = |readers: Readers| async move {
            readers.search(span, move |conn| Ok::<i64, ReadError>(conn.query_row(endless, [], |row| row.get(0))?)).await
        };
        let searches: Vec<_> = (0..3).map(|_| tokio::spawn(search(readers.clone()))).collect();
        let count = |conn: &Connection| -> Result<i64, ReadError> {
            Ok(conn.query_row("SELECT count(*) FROM users", [], |row| row.get(0))?)
        };
        while readers.searches.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(readers.read(count).await, Ok(11)), "a reader is left");
        assert!(!searches.iter().all(tokio::task::JoinHandle::is_finished), "while searches still run");
        for search in searches {
            assert!(matches!(search.await.unwrap(), Err(ReadError::Sql(_))), "cut off");
        }
        // One after the other, and each longer if nobody cut it off.
        assert!(started.elapsed() < READ_TIME_MAX * 2);
    }
}
