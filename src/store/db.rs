//! Opening the database: what is ours is created, seeded or migrated; what is not is refused by name.
//!
//! Whatever is wrong with a file is said here, in one line that also says what to do, before the server listens. The
//! file and its companions can be read by their owner alone, whatever the umask.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::store::file;
use crate::store::migrate::{self, Found};
use crate::store::readers::Readers;
use crate::store::writer::Pen;

/// Older ones can lose committed transactions.
const SQLITE_MIN: i32 = 3_051_003;

/// A database up to this size is checked whole at each opening.
const CHECKED_BYTES_MAX: u64 = 16 << 20;

/// How long another process may hold the pen before a write gives up.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Between two attempts to open a file that another process holds.
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// Where the database is and how it begins.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file.
    pub path: PathBuf,
    /// What to do where there is none.
    pub missing: Missing,
    /// How many may read at once.
    pub readers_max: u32,
}

/// What to do where there is no database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missing {
    /// Refuse.
    Refuse,
    /// Create it without anybody in it.
    CreateEmpty,
    /// Create it with the demo accounts.
    CreateDemo,
}

/// An open database.
#[derive(Debug)]
pub struct Db {
    /// The one that writes.
    pub pen: Pen,
    /// Those that read.
    pub readers: Readers,
    /// Whether it was created by this very opening.
    pub created: bool,
}

impl Db {
    /// Opens the database, creating, seeding or migrating it where needed.
    ///
    /// # Errors
    /// One clear line that says why the file is refused.
    pub fn open(settings: &Settings) -> Result<Self, OpenError> {
        if rusqlite::version_number() < SQLITE_MIN {
            return Err(OpenError::SqliteTooOld { found: rusqlite::version() });
        }
        let path = &settings.path;
        file::prepare(path, settings.missing)?;
        let deadline = Instant::now() + BUSY_TIMEOUT;
        loop {
            match Self::attempt(settings) {
                Err(OpenError::Busy { .. }) if Instant::now() < deadline => thread::sleep(BUSY_PAUSE),
                outcome => return outcome,
            }
        }
    }

    /// One attempt. Where another process creates or closes the file at the same moment, SQLite refuses at some points
    /// without waiting; nothing is half done then.
    fn attempt(settings: &Settings) -> Result<Self, OpenError> {
        let path = &settings.path;
        let refuse = |cause| refusal(path, cause);
        let mut conn =
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
                .map_err(refuse)?;
        let created = settle(&mut conn, settings)?;
        let readers = Readers::new(path, settings.readers_max).map_err(refuse)?;
        let pen = Pen::new(conn, readers.gate()).map_err(refuse)?;
        Ok(Self { pen, readers, created })
    }
}

/// Why a database is refused.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is none, and none was to be made.
    #[error("there is no database at {path}: say where it is with --db FILE, or make one with `lexchat serve`", path = path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The system does not let us read or write it.
    #[error("the database {path} cannot be used: {cause}", path = path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: String,
    },
    /// Another process holds it, and did not let go in time.
    #[error("the database {path} is in use by another process: stop that one, or choose another file with --db", path = path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error("the database {path} is read-only: make the file and its folder writable for this user", path = path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// It is no database, or another program's.
    #[error("{path} is not a lexchat database: choose another file with --db", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A later program made it.
    #[error("the database {path} has version {found}, and this program knows versions up to {known}: use a newer lexchat", path = path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// It is damaged.
    #[error("the database {path} is damaged ({cause}): put a backup in its place with `lexchat restore`", path = path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// It is too old, and could not be brought up to date.
    #[error("the database {path} of version {found} could not be brought up to date", path = path.display())]
    Migration {
        /// The file.
        path: PathBuf,
        /// Its version before.
        found: i64,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The library would put data at risk.
    #[error("SQLite {found} is too old: 3.51.3 or later is needed")]
    SqliteTooOld {
        /// Its version.
        found: &'static str,
    },
}

/// Brings the file to the current version, or says why not. Tells whether it was blank.
fn settle(conn: &mut Connection, settings: &Settings) -> Result<bool, OpenError> {
    let path = &settings.path;
    let refuse = |cause| refusal(path, cause);
    conn.busy_timeout(BUSY_TIMEOUT).map_err(refuse)?;
    match look(conn).map_err(refuse)? {
        Found::Foreign => Err(OpenError::Foreign { path: path.clone() }),
        Found::Blank if settings.missing == Missing::Refuse => Err(OpenError::Missing { path: path.clone() }),
        Found::Blank => {
            set_up(conn).map_err(refuse)?;
            migrate::create(conn, settings.missing == Missing::CreateDemo).map_err(refuse)
        }
        Found::Ours(version) if version > migrate::VERSION => migrate::migrate(conn, path, version).map(|()| false),
        Found::Ours(version) => {
            set_up(conn).map_err(refuse)?;
            check(conn, path)?;
            migrate::migrate(conn, path, version)?;
            Ok(false)
        }
    }
}

/// What the file is, in one snapshot of it: another process may be creating it.
fn look(conn: &mut Connection) -> rusqlite::Result<Found> {
    let snapshot = conn.transaction()?;
    let found = migrate::identify(&snapshot)?;
    snapshot.finish()?;
    Ok(found)
}

/// The pen's settings. WAL with FULL: a commit returns after the sync that covers it.
fn set_up(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = FAST;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -8000;",
    )?;
    conn.set_prepared_statement_cache_capacity(256);
    plan_once(conn)
}

/// Plans a statement when it is prepared and never by what is bound to it: SQLite would otherwise prepare some anew for
/// each value, which costs more than running them.
pub(crate) fn plan_once(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// Looks for damage: the length of the file and the root of every table always, all of it where it is small.
fn check(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    let refuse = |cause| refusal(path, cause);
    let corrupt = |cause: String| Err(OpenError::Corrupt { path: path.to_owned(), cause });
    let pages: i64 = conn.query_row("PRAGMA page_count", [], |row| row.get(0)).map_err(refuse)?;
    let page_size: i64 = conn.query_row("PRAGMA page_size", [], |row| row.get(0)).map_err(refuse)?;
    let bytes = u64::try_from(pages * page_size).unwrap_or(0);
    let stored = fs::metadata(path).map_or(0, |file| file.len());
    let has_wal = fs::metadata(file::companion(path, "-wal")).is_ok_and(|wal| wal.len() > 0);
    if stored < bytes && !has_wal {
        return corrupt(format!("{stored} bytes where {bytes} are expected"));
    }
    let mut tables = conn
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'")
        .map_err(refuse)?;
    let names = tables.query_map([], |row| row.get::<_, String>(0)).map_err(refuse)?;
    for name in names {
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM \"{}\" LIMIT 1)", name.map_err(refuse)?);
        conn.query_row(&sql, [], |row| row.get::<_, i64>(0)).map_err(refuse)?;
    }
    if bytes <= CHECKED_BYTES_MAX {
        let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(refuse)?;
        if verdict != "ok" {
            return corrupt(verdict.replace('\n', " "));
        }
    }
    Ok(())
}

fn refusal(path: &Path, cause: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match cause.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::Foreign { path },
        Some(ErrorCode::DatabaseCorrupt) => OpenError::Corrupt { path, cause: cause.to_string() },
        Some(ErrorCode::ReadOnly) => OpenError::ReadOnly { path },
        Some(ErrorCode::DatabaseBusy) => OpenError::Busy { path },
        _ => OpenError::Unusable { path, cause: cause.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom, Write};

    use rusqlite::StatementStatus;
    use tempfile::TempDir;

    use super::*;
    use crate::store::readers::ReadError;

    fn settings(folder: &TempDir, missing: Missing) -> Settings {
        Settings { path: folder.path().join("data/lexchat.db"), missing, readers_max: 2 }
    }

    fn people(db: &Db) -> Vec<(i64, String)> {
        let mut all = db.pen.conn.prepare("SELECT id, email FROM users ORDER BY id").unwrap();
        all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    }

    /// A database that was used and closed.
    fn used(folder: &TempDir) -> Settings {
        let settings = settings(folder, Missing::CreateDemo);
        Db::open(&settings).unwrap().pen.close().unwrap();
        settings
    }

    #[test]
    fn a_fresh_database_holds_the_demo_accounts_under_their_numbers_and_opens_again() {
        let folder = TempDir::new().unwrap();
        let settings = settings(&folder, Missing::CreateDemo);
        let db = Db::open(&settings).unwrap();
        assert!(db.created);
        let people = people(&db);
        assert_eq!(people.len(), 11);
        assert_eq!(people[0], (1, "client1@example.com".to_owned()));
        assert_eq!(people[5], (6, "juriste1@example.com".to_owned()));
        assert_eq!(people[10], (11, "admin@example.com".to_owned()));
        drop(db);
        assert!(!Db::open(&settings).unwrap().created);
    }

    #[test]
    fn without_demo_nobody_is_there() {
        let folder = TempDir::new().unwrap();
        let db = Db::open(&settings(&folder, Missing::CreateEmpty)).unwrap();
        assert_eq!(people(&db), []);
    }

    #[test]
    fn every_commit_is_synced_and_constraints_hold() {
        let folder = TempDir::new().unwrap();
        let db = Db::open(&settings(&folder, Missing::CreateDemo)).unwrap();
        for (pragma, expected) in [("synchronous", 2), ("foreign_keys", 1), ("wal_autocheckpoint", 0)] {
            let set: i64 = db.pen.conn.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0)).unwrap();
            assert_eq!(set, expected, "{pragma}");
        }
        let mode: String = db.pen.conn.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
        let whole: String = db.pen.conn.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(whole, "ok");
        let denied = db.readers.read_here::<_, ReadError>(|conn| Ok(conn.execute("DELETE FROM users", []).is_err()));
        assert!(denied.unwrap(), "a reader can write");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_the_files() {
        use std::os::unix::fs::PermissionsExt;
        let folder = TempDir::new().unwrap();
        let settings = settings(&folder, Missing::CreateDemo);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let db = Db::open(&settings).unwrap();
        assert_eq!(mode(settings.path.parent().unwrap()), 0o700);
        for ending in ["", "-wal", "-shm"] {
            assert_eq!(mode(&file::companion(&settings.path, ending)), 0o600, "{ending}");
        }
        drop(db);
        fs::set_permissions(&settings.path, fs::Permissions::from_mode(0o644)).unwrap();
        let _again = Db::open(&settings).unwrap();
        assert_eq!(mode(&settings.path), 0o600);
    }

    #[test]
    fn what_is_not_there_is_not_made_unless_asked() {
        let folder = TempDir::new().unwrap();
        let settings = settings(&folder, Missing::Refuse);
        assert!(matches!(Db::open(&settings), Err(OpenError::Missing { .. })));
        assert!(!settings.path.exists());
    }

    #[test]
    fn what_is_not_ours_is_refused_and_left_as_it_was() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("other");
        let settings = Settings { path: path.clone(), missing: Missing::CreateDemo, readers_max: 1 };
        assert!(matches!(
            Db::open(&Settings { path: folder.path().to_owned(), ..settings.clone() }),
            Err(OpenError::Unusable { .. })
        ));
        fs::write(&path, "Cher Maître, ceci n'est pas une base de données.").unwrap();
        assert!(matches!(Db::open(&settings), Err(OpenError::Foreign { .. })));
        fs::remove_file(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
        let before = fs::read(&path).unwrap();
        assert!(matches!(Db::open(&settings), Err(OpenError::Foreign { .. })));
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_newer_database_is_refused_by_its_version() {
        let folder = TempDir::new().unwrap();
        let settings = used(&folder);
        let newer = migrate::VERSION + 1;
        Connection::open(&settings.path).unwrap().pragma_update(None, "user_version", newer).unwrap();
        match Db::open(&settings) {
            Err(OpenError::Newer { found, known, .. }) => assert_eq!((found, known), (newer, migrate::VERSION)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_damaged_database_is_refused() {
        for damage in ["cut short", "overwritten"] {
            let folder = TempDir::new().unwrap();
            let settings = used(&folder);
            let mut file = fs::OpenOptions::new().write(true).open(&settings.path).unwrap();
            let length = file.metadata().unwrap().len();
            if damage == "cut short" {
                file.set_len(length / 2).unwrap();
            } else {
                file.seek(SeekFrom::Start(length / 2)).unwrap();
                file.write_all(&[0xff; 20_000]).unwrap();
            }
            match Db::open(&settings) {
                Err(refusal @ OpenError::Corrupt { .. }) => assert!(!refusal.to_string().contains('\n'), "{refusal}"),
                other => panic!("{damage}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_read_only_database_is_refused() {
        let folder = TempDir::new().unwrap();
        let settings = used(&folder);
        let mut permissions = fs::metadata(&settings.path).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&settings.path, permissions).unwrap();
        assert!(matches!(Db::open(&settings), Err(OpenError::ReadOnly { .. })));
    }

    #[test]
    fn of_two_first_starts_at_once_one_creates_and_both_open() {
        for _ in 0..5 {
            let folder = TempDir::new().unwrap();
            let settings = settings(&folder, Missing::CreateDemo);
            let open = || Db::open(&settings).map(|db| (db.created, people(&db).len()));
            let (one, other) = thread::scope(|scope| {
                let (one, other) = (scope.spawn(open), scope.spawn(open));
                (one.join().unwrap().unwrap(), other.join().unwrap().unwrap())
            });
            assert_eq!((one.1, other.1), (11, 11));
            assert!(one.0 != other.0, "both or neither created it");
        }
    }

    /// How often SQLite plans a question anew that is asked for one session after the other.
    fn plans(conn: &Connection) -> rusqlite::Result<i32> {
        let mut asked =
            conn.prepare("SELECT u.id FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = :id")?;
        for id in 1..100 {
            let _nobody = asked.exists([id])?;
        }
        Ok(asked.get_status(StatementStatus::RePrepare))
    }

    #[test]
    fn a_statement_is_planned_once_whatever_is_bound_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lexchat.db");
        let mut db = Db::open(&Settings { path, missing: Missing::CreateDemo, readers_max: 1 }).unwrap();
        assert_eq!(db.pen.begin().unwrap().change(plans).unwrap(), 0);
        assert_eq!(db.readers.read_here(|conn| plans(conn).map_err(ReadError::from)).unwrap(), 0);
    }
}
