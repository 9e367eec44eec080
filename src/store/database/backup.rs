//! Copies of the whole database: a backup while others write, and a restore into a place where there is none.
//!
//! Both are one act: read one snapshot, write it whole under a passing name, check it, sync it, and only then give it
//! its name. A copy that was interrupted never bears that name. It is its owner's alone (mode 0600) from its first byte.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags};

use crate::store::database::error::{self, OpenError, WriteError};
use crate::store::database::file::{self, companion};
use crate::store::database::schema::{self, Found};
use crate::store::database::{history, lock, pragmas, without_recordings};

/// How long a copy that was cut off is left lying: it may still be at work.
const LEFTOVER_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

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
    /// A server has it by another name, and its WAL as well.
    #[error("{path} is another name of a database that is being served: use the name that the server was started with", path = path.display())]
    OtherName {
        /// The source.
        path: PathBuf,
    },
    /// Nothing is ever overwritten.
    #[error("{path} exists already: nothing was overwritten", path = path.display())]
    Exists {
        /// The target.
        path: PathBuf,
    },
    /// What is to be copied, or looked at, is damaged.
    #[error("{path} is damaged ({cause}): put a backup in its place with `lexchat restore`", path = path.display())]
    Corrupt {
        /// The source.
        path: PathBuf,
        /// What SQLite says.
        cause: String,
    },
    /// The copy is not as it must be; it was thrown away.
    #[error("the copy is damaged ({cause}): check the database with `lexchat check`")]
    Damaged {
        /// What is wrong.
        cause: String,
    },
    /// There is no room beside the database, or for the copy.
    #[error("{}", WriteError::Full)]
    Full,
    /// The database could not be read, or the copy not be written.
    #[error("the database could not be read, or the copy not be written")]
    Sql(#[source] rusqlite::Error),
    /// What is to be copied, or looked at, is no file, or cannot be reached.
    #[error(transparent)]
    Unusable(OpenError),
    /// The system refused.
    #[error("{path} cannot be written", path = path.display())]
    System {
        /// The target.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl From<rusqlite::Error> for CopyError {
    fn from(cause: rusqlite::Error) -> Self {
        if error::is_full(&cause) { Self::Full } else { Self::Sql(cause) }
    }
}

impl CopyError {
    /// What SQLite says about the database at `path`.
    pub(crate) fn of(path: &Path, cause: rusqlite::Error) -> Self {
        if speaks_of_damage(&cause) {
            Self::Corrupt { path: path.to_owned(), cause: cause.to_string().replace('\n', " ") }
        } else {
            cause.into()
        }
    }

    /// Whether what was to be copied is refused: it is not there, not ours, or not for this program.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Missing { .. }
                | Self::Unusable(_)
                | Self::Foreign { .. }
                | Self::Newer { .. }
                | Self::OtherName { .. }
        )
    }
}

/// Whether an error of SQLite's is about what stands in a database: our own questions fit to whatever is sound. Any other is
/// about the machine.
fn speaks_of_damage(cause: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{ConstraintViolation, DatabaseCorrupt, NotADatabase, TypeMismatch, Unknown};
    match cause.sqlite_error() {
        Some(error) => {
            matches!(error.code, DatabaseCorrupt | NotADatabase | ConstraintViolation | TypeMismatch | Unknown)
        }
        None => true,
    }
}

/// What a copy has of the database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Contents {
    /// All of it.
    All,
    /// All but what was recorded of calls.
    WithoutRecordings,
}

/// Copies the database `source`, which others may be writing to, to the new file `target`. All that was acknowledged
/// before the call is in the copy.
///
/// # Errors
/// Nothing is at `target` then that was not there before.
pub fn copy(source: &Path, target: &Path) -> Result<(), CopyError> {
    copy_of(source, target, Contents::All)
}

/// The same of a part of it.
///
/// # Errors
/// As [`copy`].
pub fn copy_of(source: &Path, target: &Path, contents: Contents) -> Result<(), CopyError> {
    let (source, target) = (&file::as_file(source), &file::as_file(target));
    if target.symlink_metadata().is_ok() {
        return Err(CopyError::Exists { path: target.clone() });
    }
    remove_leftovers(target);
    let conn = open_ours(source)?;
    let part = Part::create(target)?;
    conn.execute("VACUUM INTO ?1", [name_for_sql(&part.path)]).map_err(|cause| CopyError::of(source, cause))?;
    drop(conn);
    if contents == Contents::WithoutRecordings {
        without_recordings::leave_out(&part.path)?;
    }
    part.make_sound()?;
    part.keep(target)
}

/// Makes a database out of a backup, where there is none.
///
/// # Errors
/// As [`copy`]. A write-ahead log that belongs to no database is not overwritten either: it would become part of this
/// one. What root restores belongs to whoever owns the folder: a service that runs as somebody else must be able to
/// open it.
pub fn restore(backup: &Path, target: &Path) -> Result<(), CopyError> {
    let target = &file::as_file(target);
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
    let path = &file::as_file(path);
    match file::require(path) {
        Ok(_) => {}
        Err(OpenError::Missing { path }) => return Err(CopyError::Missing { path }),
        Err(refusal) => return Err(CopyError::Unusable(refusal)),
    }
    if lock::is_served_by_another_name(path) {
        return Err(CopyError::OtherName { path: path.clone() });
    }
    let foreign = || CopyError::Foreign { path: path.clone() };
    // Without the right to write, the WAL of a live database could not be read. Nothing is written all the same.
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(pragmas::BUSY_TIMEOUT)?;
    let found = schema::identify(&conn).map_err(|cause| match cause.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => foreign(),
        _ => CopyError::of(path, cause),
    })?;
    match found {
        Found::Ours(version) if version <= schema::VERSION => Ok(conn),
        Found::Ours(found) => Err(CopyError::Newer { path: path.clone(), found, known: schema::VERSION }),
        Found::Hollow => Err(CopyError::Corrupt { path: path.clone(), cause: schema::HOLLOW.to_owned() }),
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

    /// Sees to it that the copy is whole, and makes it a history of its own.
    fn make_sound(&self) -> Result<(), CopyError> {
        let damaged = |cause: String| CopyError::Damaged { cause };
        let conn = open_ours(&self.path)?;
        // Nobody else knows of it yet, and it is synced before it gets its name.
        conn.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;")?;
        history::renew(&conn)?;
        let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Err(damaged(verdict.replace('\n', " ")));
        }
        let pages: i64 = conn.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        let page_size: i64 = conn.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        drop(conn);
        let stored = fs::metadata(&self.path).map_or(0, |file| file.len());
        let copied = u64::try_from(pages * page_size).unwrap_or(0);
        if stored == 0 || stored != copied {
            return Err(damaged(format!("it has {stored} bytes where {copied} are expected")));
        }
        Ok(())
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

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file's name as SQL has it. On Unix names are bytes, and SQLite opens what it is given.
#[cfg(unix)]
fn name_for_sql(path: &Path) -> ToSqlOutput<'_> {
    use std::os::unix::ffi::OsStrExt as _;
    ToSqlOutput::Borrowed(ValueRef::Text(path.as_os_str().as_bytes()))
}

#[cfg(not(unix))]
fn name_for_sql(path: &Path) -> ToSqlOutput<'_> {
    ToSqlOutput::Owned(path.to_string_lossy().into_owned().into())
}

/// Removes what copies that were cut off left beside `target`, a day ago and longer. What cannot be removed stays.
fn remove_leftovers(target: &Path) {
    let Ok(entries) = fs::read_dir(folder_of(target)) else { return };
    for entry in entries.flatten() {
        let is_old = || {
            let modified = entry.metadata().and_then(|file| file.modified()).ok()?;
            Some(modified.elapsed().ok()? > LEFTOVER_LIFE)
        };
        if is_part(&entry.file_name().to_string_lossy()) && is_old() == Some(true) && is_ours(&entry.path()) {
            let _stays = fs::remove_file(entry.path());
        }
    }
}

/// Whether a name is one that [`Part`] gives, or SQLite gives a file beside it.
fn is_part(name: &str) -> bool {
    let name = ["-journal", "-wal", "-shm"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    let random = name.strip_suffix(".part").and_then(|name| name.rsplit_once('.')).map(|(_, random)| random);
    random.is_some_and(|random| random.len() == 8 && random.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether a file of such a name holds what SQLite writes, or nothing yet.
fn is_ours(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(16).read_to_end(&mut head));
    let is_beside = path.extension().is_none_or(|ending| ending != "part");
    read.is_ok() && (is_beside || head.iter().all(|byte| *byte == 0) || head.starts_with(b"SQLite format 3\0"))
}

#[cfg(test)]
mod tests;
