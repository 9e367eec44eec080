//! Copies of the whole database: a backup while others write, and a restore into a place where there is none.
//!
//! Both are one act: read one snapshot, write it whole under a passing name, check it, sync it, and only then give it
//! its name. A copy that was interrupted never bears that name. It is its owner's alone (mode 0600) from its first byte.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::store::file::companion;
use crate::store::migrate::{self, Found};

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// There is nothing to copy.
    #[error("there is no file {path}", path = path.display())]
    Missing {
        /// The source.
        path: PathBuf,
    },
    /// What is to be copied is not a database of ours.
    #[error("{path} is not a lexchat database", path = path.display())]
    Foreign {
        /// The source.
        path: PathBuf,
    },
    /// What is to be copied was made by a later program.
    #[error("{path} has version {found}, and this program knows versions up to {known}", path = path.display())]
    Newer {
        /// The source.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Nothing is ever overwritten.
    #[error("{path} exists already: nothing was overwritten", path = path.display())]
    Exists {
        /// The target.
        path: PathBuf,
    },
    /// The copy is not as it must be; it was thrown away.
    #[error("the copy is damaged ({cause}): check the database with `lexchat check`")]
    Damaged {
        /// What is wrong.
        cause: String,
    },
    /// The database could not be read, or the copy not be written.
    #[error("the copy could not be made")]
    Sql(#[from] rusqlite::Error),
    /// The system refused.
    #[error("{path} cannot be written", path = path.display())]
    System {
        /// The target.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl CopyError {
    /// Whether what was to be copied is refused: it is not there, not ours, or not for this program.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Foreign { .. } | Self::Newer { .. })
    }
}

/// Copies the database `source`, which others may be writing to, to the new file `target`. All that was acknowledged
/// before the call is in the copy.
///
/// # Errors
/// Nothing is at `target` then that was not there before.
pub fn copy(source: &Path, target: &Path) -> Result<(), CopyError> {
    if target.symlink_metadata().is_ok() {
        return Err(CopyError::Exists { path: target.to_owned() });
    }
    let conn = open_ours(source)?;
    let part = Part::create(target)?;
    conn.execute("VACUUM INTO ?1", [part.path.to_string_lossy()])?;
    drop(conn);
    check(&part.path)?;
    part.keep(target)
}

/// Makes a database out of a backup, where there is none.
///
/// # Errors
/// As [`copy`]. A write-ahead log that belongs to no database is not overwritten either: it would become part of this
/// one. What root restores belongs to whoever owns the folder: a service that runs as somebody else must be able to
/// open it.
pub fn restore(backup: &Path, target: &Path) -> Result<(), CopyError> {
    for ending in ["-wal", "-shm", "-journal"] {
        let leftover = companion(target, ending);
        if leftover.exists() {
            return Err(CopyError::Exists { path: leftover });
        }
    }
    copy(backup, target)?;
    give_to_owner_of_folder(target).map_err(|source| CopyError::System { path: target.to_owned(), source })
}

/// A database of ours, to be looked at.
pub(crate) fn open_ours(path: &Path) -> Result<Connection, CopyError> {
    if !path.is_file() {
        return Err(CopyError::Missing { path: path.to_owned() });
    }
    let foreign = || CopyError::Foreign { path: path.to_owned() };
    // Without the right to write, the log of a live database could not be read. Nothing is written all the same.
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(std::time::Duration::from_secs(10))?;
    let found = migrate::identify(&conn).map_err(|cause| match cause.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => foreign(),
        _ => CopyError::Sql(cause),
    })?;
    match found {
        Found::Ours(version) if version <= migrate::VERSION => Ok(conn),
        Found::Ours(found) => Err(CopyError::Newer { path: path.to_owned(), found, known: migrate::VERSION }),
        Found::Blank | Found::Foreign => Err(foreign()),
    }
}

/// A copy under a passing name. Dropping it removes it.
struct Part {
    path: PathBuf,
}

impl Part {
    fn create(target: &Path) -> Result<Part, CopyError> {
        let mut random = [0; 4];
        let _time_is_unique_enough = getrandom::fill(&mut random);
        let path = companion(target, &format!(".{:08x}.part", u32::from_be_bytes(random)));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(_) => Ok(Part { path }),
            Err(source) => Err(CopyError::System { path, source }),
        }
    }

    /// Syncs the copy and gives it its name, which must be free.
    fn keep(self, target: &Path) -> Result<(), CopyError> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => CopyError::Exists { path: target.to_owned() },
            _ => CopyError::System { path: target.to_owned(), source },
        };
        File::options().write(true).open(&self.path).and_then(|file| file.sync_all()).map_err(failed)?;
        name_anew(&self.path, target).map_err(failed)?;
        sync_folder(target).map_err(failed)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        for ending in ["", "-journal", "-wal", "-shm"] {
            let _not_there = fs::remove_file(companion(&self.path, ending));
        }
    }
}

/// A second name that must be free; where the file system has no second names, the only one.
fn name_anew(path: &Path, target: &Path) -> io::Result<()> {
    match fs::hard_link(path, target) {
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Err(cause),
        Err(_) if !target.exists() => fs::rename(path, target),
        other => other,
    }
}

#[cfg(unix)]
fn sync_folder(file: &Path) -> io::Result<()> {
    File::open(folder_of(file))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_file: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn give_to_owner_of_folder(file: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, lchown};
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let folder = fs::metadata(folder_of(file))?;
    lchown(file, Some(folder.uid()), Some(folder.gid()))
}

#[cfg(not(unix))]
fn give_to_owner_of_folder(_file: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn check(copy: &Path) -> Result<(), CopyError> {
    let conn = open_ours(copy)?;
    let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(CopyError::Damaged { cause: verdict.replace('\n', " ") }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::db::{Db, Missing, Settings};

    struct Place {
        folder: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Place {
            Place { folder: tempfile::tempdir().unwrap() }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn database(&self) -> Db {
            let settings = Settings { path: self.path("lexchat.db"), missing: Missing::CreateDemo, readers_max: 1 };
            Db::open(&settings).unwrap()
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(self.folder.path()).unwrap();
            let mut names: Vec<String> =
                entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
            names.retain(|name| !name.starts_with("lexchat.db"));
            names.sort();
            names
        }
    }

    fn users(path: &Path) -> i64 {
        let conn = Connection::open(path).unwrap();
        conn.query_row("SELECT count(*) FROM users", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_backup_holds_what_was_committed_while_the_database_is_open() {
        let place = Place::new();
        let mut db = place.database();
        let mut batch = db.pen.begin().unwrap();
        let renamed = batch.change(|conn| conn.execute("UPDATE users SET name = 'Après' WHERE id = 1", []));
        assert!(renamed.is_ok());
        batch.commit().unwrap();
        copy(&place.path("lexchat.db"), &place.path("copy.db")).unwrap();
        let conn = Connection::open(place.path("copy.db")).unwrap();
        let name: String = conn.query_row("SELECT name FROM users WHERE id = 1", [], |row| row.get(0)).unwrap();
        assert_eq!(name, "Après");
        assert_eq!(migrate::identify(&conn).unwrap(), Found::Ours(migrate::VERSION));
        assert_eq!(place.names(), ["copy.db"], "nothing is left lying about");
    }

    #[cfg(unix)]
    #[test]
    fn a_backup_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = Place::new();
        let _db = place.database();
        copy(&place.path("lexchat.db"), &place.path("copy.db")).unwrap();
        assert_eq!(fs::metadata(place.path("copy.db")).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn nothing_is_ever_overwritten() {
        let place = Place::new();
        let _db = place.database();
        fs::write(place.path("copy.db"), "mine").unwrap();
        let refused = copy(&place.path("lexchat.db"), &place.path("copy.db"));
        assert!(matches!(refused, Err(CopyError::Exists { .. })));
        assert_eq!(fs::read(place.path("copy.db")).unwrap(), b"mine");
        copy(&place.path("lexchat.db"), &place.path("good.db")).unwrap();
        let onto_itself = restore(&place.path("good.db"), &place.path("lexchat.db"));
        assert!(matches!(onto_itself, Err(CopyError::Exists { .. })));
        fs::write(place.path("new.db-wal"), "of another database").unwrap();
        assert!(matches!(restore(&place.path("good.db"), &place.path("new.db")), Err(CopyError::Exists { .. })));
    }

    #[test]
    fn a_restored_database_opens_and_holds_everything() {
        let place = Place::new();
        drop(place.database());
        copy(&place.path("lexchat.db"), &place.path("copy.db")).unwrap();
        restore(&place.path("copy.db"), &place.path("restored.db")).unwrap();
        let settings = Settings { path: place.path("restored.db"), missing: Missing::Refuse, readers_max: 1 };
        assert!(!Db::open(&settings).unwrap().created);
        assert_eq!(users(&place.path("restored.db")), 11);
    }

    #[test]
    fn what_is_not_ours_is_refused_and_leaves_nothing_behind() {
        let place = Place::new();
        fs::write(place.path("text.db"), "no database, but long enough to look at".repeat(50)).unwrap();
        fs::write(place.path("empty.db"), "").unwrap();
        Connection::open(place.path("other.db")).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
        for name in ["text.db", "empty.db", "other.db"] {
            let refused = restore(&place.path(name), &place.path("new.db"));
            assert!(matches!(refused, Err(CopyError::Foreign { .. })), "{name}: {refused:?}");
        }
        assert!(matches!(restore(&place.path("none.db"), &place.path("new.db")), Err(CopyError::Missing { .. })));
        assert_eq!(place.names(), ["empty.db", "other.db", "text.db"]);
    }

    #[test]
    fn a_damaged_database_gives_no_copy() {
        let place = Place::new();
        drop(place.database());
        let path = place.path("lexchat.db");
        let mut bytes = fs::read(&path).unwrap();
        let schema_end = bytes.len() / 2;
        bytes[schema_end..].fill(0x55);
        fs::write(&path, bytes).unwrap();
        assert!(copy(&path, &place.path("copy.db")).is_err());
        assert_eq!(place.names(), Vec::<String>::new());
    }
}
