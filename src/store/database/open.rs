//! Opening the database: what is ours is created, seeded or migrated; what is not is refused by name.
//!
//! Whatever is wrong with a file is said here, in one line that also says what to do, before the server listens. The
//! file and its companions can be read by their owner alone, whatever the umask.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::store::database::damage::look_for_damage;
use crate::store::database::error::{OpenError, refusal};
use crate::store::database::file;
use crate::store::database::lock::{self, ServerLock};
use crate::store::database::migrate::{self, Migrated};
use crate::store::database::pragmas::{self, BUSY_TIMEOUT};
use crate::store::database::readers::Readers;
use crate::store::database::schema::{self, Found};
use crate::store::database::settings::{Missing, Settings};
use crate::store::database::writer::Writer;
use crate::store::fulltext;

/// Between two attempts to open a file that another process holds.
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// An open database.
#[derive(Debug)]
pub struct Db {
    /// The one that writes.
    pub writer: Writer,
    /// Those that read.
    pub readers: Readers,
    /// Whether it was created by this very opening.
    pub created: bool,
    /// Whether this opening brought it up to date.
    pub migrated: Option<Migrated>,
}

/// What an opening may do to a database that is there, and what it did.
struct Opening {
    may_migrate: bool,
    created: bool,
    migrated: Option<Migrated>,
}

impl Db {
    /// Opens the database, creating and seeding it where needed. One of an older version is left to the server: one that
    /// runs on it would not know what this program makes of it.
    ///
    /// # Errors
    /// One clear line that says why the file is refused.
    pub fn open(settings: &Settings) -> Result<Self, OpenError> {
        Self::open_with(settings, false, |path| match lock::is_served_by_another_name(path) {
            true => Err(OpenError::OtherName { path: path.to_owned() }),
            false => Ok(None),
        })
    }

    /// As [`Db::open`], for a server: it is the only one until the writer is closed, and brings it up to date.
    ///
    /// # Errors
    /// As [`Db::open`], and [`OpenError::Served`].
    pub fn open_to_serve(settings: &Settings) -> Result<Self, OpenError> {
        Self::open_with(settings, true, |path| ServerLock::take(path).map(Some))
    }

    fn open_with(
        settings: &Settings,
        may_migrate: bool,
        lock: impl FnOnce(&Path) -> Result<Option<ServerLock>, OpenError>,
    ) -> Result<Self, OpenError> {
        if rusqlite::version_number() < pragmas::SQLITE_MIN {
            return Err(OpenError::SqliteTooOld { found: rusqlite::version() });
        }
        let settings = &Settings { path: file::as_file(&settings.path), ..settings.clone() };
        file::prepare(&settings.path, settings.missing)?;
        let lock = lock(&settings.path)?;
        let mut opening = Opening { may_migrate, created: false, migrated: None };
        let deadline = Instant::now() + BUSY_TIMEOUT;
        let (conn, readers) = loop {
            match attempt(settings, &mut opening) {
                Err(OpenError::Busy { .. }) if Instant::now() < deadline => thread::sleep(BUSY_PAUSE),
                outcome => break outcome?,
            }
        };
        let writer = Writer::new(conn, &settings.path, readers.gate(), lock);
        let writer = writer.map_err(|cause| refusal(&settings.path, cause))?;
        Ok(Self { writer, readers, created: opening.created, migrated: opening.migrated })
    }
}

/// One attempt. Where another process creates or closes the file at the same moment, SQLite refuses at some points
/// without waiting; nothing is half done then.
fn attempt(settings: &Settings, opening: &mut Opening) -> Result<(Connection, Readers), OpenError> {
    let path = &settings.path;
    let refuse = |cause| refusal(path, cause);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags).map_err(refuse)?;
    settle(&mut conn, settings, opening)?;
    let readers = Readers::new(path, settings.readers_max).map_err(refuse)?;
    Ok((conn, readers))
}

/// Brings the file to the current version, or says why not.
fn settle(conn: &mut Connection, settings: &Settings, opening: &mut Opening) -> Result<(), OpenError> {
    let path = &settings.path;
    let refuse = |cause| refusal(path, cause);
    conn.busy_timeout(BUSY_TIMEOUT).map_err(refuse)?;
    match look(conn).map_err(refuse)? {
        Found::Foreign => Err(OpenError::Foreign { path: path.clone() }),
        Found::Hollow => Err(OpenError::Corrupt { path: path.clone(), cause: schema::HOLLOW.to_owned() }),
        Found::Blank if settings.missing == Missing::Refuse => Err(OpenError::Missing { path: path.clone() }),
        Found::Blank => {
            // Before there is a WAL: a file that has once been ours holds its tables itself from then on.
            opening.created |= schema::create(conn, settings.missing == Missing::CreateDemo).map_err(refuse)?;
            pragmas::set_up(conn).map_err(refuse)
        }
        Found::Ours(found) if found > schema::VERSION => {
            Err(OpenError::Newer { path: path.clone(), found, known: schema::VERSION })
        }
        Found::Ours(found) if found < schema::VERSION && !opening.may_migrate => {
            Err(OpenError::Older { path: path.clone(), found, known: schema::VERSION })
        }
        Found::Ours(version) => {
            pragmas::set_up(conn).map_err(refuse)?;
            look_for_damage(conn, path)?;
            // A later attempt of this opening finds it done.
            opening.migrated = migrate::migrate(conn, path, version)?.or(opening.migrated.take());
            let checkpoint = |conn: &Connection| conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            fulltext::complete(conn, checkpoint).map_err(refuse)
        }
    }
}

/// What the file is, in one snapshot of it: another process may be creating it.
fn look(conn: &mut Connection) -> rusqlite::Result<Found> {
    let snapshot = conn.transaction()?;
    let found = schema::identify(&snapshot)?;
    snapshot.finish()?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Seek, SeekFrom, Write};

    use rusqlite::StatementStatus;
    use tempfile::TempDir;

    use super::*;
    use crate::store::database::backup::{self, CopyError};
    use crate::store::database::readers::ReadError;

    fn settings(folder: &TempDir, missing: Missing) -> Settings {
        Settings { path: folder.path().join("data/lexchat.db"), missing, readers_max: 2 }
    }

    fn people(db: &Db) -> Vec<(i64, String)> {
        let mut all = db.writer.conn.prepare("SELECT id, email FROM users ORDER BY id").unwrap();
        all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    }

    /// A database that was used and closed.
    fn used(folder: &TempDir) -> Settings {
        let settings = settings(folder, Missing::CreateDemo);
        Db::open(&settings).unwrap().writer.close().unwrap();
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
            let set: i64 = db.writer.conn.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0)).unwrap();
            assert_eq!(set, expected, "{pragma}");
        }
        let mode: String = db.writer.conn.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
        let whole: String = db.writer.conn.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
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
        #[cfg(unix)]
        let mode = || std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777;
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        assert!(matches!(Db::open(&settings), Err(OpenError::Foreign { .. })));
        #[cfg(unix)]
        assert_eq!(mode(), 0o644);
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
        let newer = schema::VERSION + 1;
        Connection::open(&settings.path).unwrap().pragma_update(None, "user_version", newer).unwrap();
        match Db::open(&settings) {
            Err(OpenError::Newer { found, known, .. }) => assert_eq!((found, known), (newer, schema::VERSION)),
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
        assert_eq!(db.writer.begin().unwrap().change(plans).unwrap(), 0);
        assert_eq!(db.readers.read_here(|conn| plans(conn).map_err(ReadError::from)).unwrap(), 0);
    }

    #[test]
    fn a_killed_database_without_its_wal_is_never_taken_for_a_new_one() {
        let folder = TempDir::new().unwrap();
        let settings = settings(&folder, Missing::CreateDemo);
        let _open = Db::open(&settings).unwrap();
        let alone = Settings { path: folder.path().join("alone.db"), ..settings.clone() };
        fs::copy(&settings.path, &alone.path).unwrap();
        let db = Db::open(&alone).unwrap();
        assert!(!db.created, "the file itself says what it is, from its first moment");
        assert_eq!(people(&db).len(), 11);

        let path = folder.path().join("hollow.db");
        let conn = Connection::open(folder.path().join("full.db")).unwrap();
        conn.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE users (id INTEGER)").unwrap();
        fs::copy(folder.path().join("full.db"), &path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 4096);
        let before = fs::read(&path).unwrap();
        match Db::open(&Settings { path: path.clone(), ..settings }) {
            Err(refusal @ OpenError::Corrupt { .. }) => assert!(refusal.to_string().contains("-wal"), "{refusal}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn there_is_one_server_under_whatever_name_and_the_command_line_goes_on_beside_it() {
        let folder = TempDir::new().unwrap();
        let settings = settings(&folder, Missing::CreateDemo);
        let serving = Db::open_to_serve(&settings).unwrap();
        let mut names = vec![settings.path.clone(), folder.path().join("data/../data/lexchat.db")];
        #[cfg(unix)]
        {
            names.push(folder.path().join("link.db"));
            std::os::unix::fs::symlink(&settings.path, names.last().unwrap()).unwrap();
        }
        #[cfg(target_os = "linux")]
        {
            names.push(folder.path().join("second.db"));
            fs::hard_link(&settings.path, names.last().unwrap()).unwrap();
        }
        for path in names {
            match Db::open_to_serve(&Settings { path, ..settings.clone() }) {
                Err(refusal @ OpenError::Served { .. }) => assert!(refusal.to_string().contains("--db"), "{refusal}"),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(people(&Db::open(&settings).unwrap()).len(), 11);
        #[cfg(target_os = "linux")]
        {
            let path = folder.path().join("second.db");
            let copied = backup::copy(&path, &folder.path().join("copy.db"));
            assert!(matches!(copied, Err(CopyError::OtherName { .. })), "{copied:?}");
            let opened = Db::open(&Settings { path, ..settings.clone() });
            assert!(matches!(opened, Err(OpenError::OtherName { .. })), "what stands in the WAL would be missed");
        }
        drop(serving.readers);
        serving.writer.close().unwrap();
        assert!(Db::open_to_serve(&settings).is_ok());
    }
}
