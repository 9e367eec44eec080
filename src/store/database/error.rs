//! Why a database is refused, in one line each that also says what to do; and what a failure to write means: a full
//! disk passes, a commit or sync that failed does not.

use std::error::Error;
use std::path::{Path, PathBuf};

use rusqlite::{ErrorCode, ffi};

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
    /// A server has it.
    #[error("another lexchat serves the database {path}: stop that one, or choose another file with --db", path = path.display())]
    Served {
        /// The file.
        path: PathBuf,
    },
    /// A server has it by another name, and its WAL as well.
    #[error("{path} is another name of a database that is being served: use the name that the server was started with", path = path.display())]
    OtherName {
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
    /// An earlier program made it, and a server that runs on it may be that one.
    #[error(
        "the database {path} has version {found}, and this program works with version {known}: start `lexchat serve` once, \
         which keeps a copy and brings it up to date",
        path = path.display()
    )]
    Older {
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

/// What SQLite says when it cannot work with the file, in our words.
pub(crate) fn refusal(path: &Path, cause: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match cause.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::Foreign { path },
        Some(ErrorCode::DatabaseCorrupt) => OpenError::Corrupt { path, cause: cause.to_string() },
        Some(ErrorCode::ReadOnly) => OpenError::ReadOnly { path },
        Some(ErrorCode::DatabaseBusy) => OpenError::Busy { path },
        // Even reading takes a little room beside the file; SQLite calls that a disk I/O error.
        _ if is_full(&cause) => OpenError::Unusable { path, cause: WriteError::Full.to_string() },
        _ => OpenError::Unusable { path, cause: cause.to_string() },
    }
}

/// Why a batch, or all writing, is over.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// There is no space, or no more of it for us: a quota, a limit on the size of files. It can be tried again.
    #[error("the disk takes nothing more: it is full, or a quota or a limit on files is reached")]
    Full,
    /// Another process held the write lock for too long. It can be tried again.
    #[error("the database is in use by another process")]
    Busy,
    /// A change broke off in the middle, and nobody knows where. It can be tried again.
    #[error("a change broke off")]
    BrokenOff,
    /// What is written goes into a file that nobody will find again.
    #[error("the file {path} was removed or replaced while it was in use", path = path.display())]
    Replaced {
        /// The database's file, or one of its companions.
        path: PathBuf,
    },
    /// What was written may or may not be on disk: nothing can be promised any more.
    #[error("{0}")]
    Failed(rusqlite::Error),
}

impl From<rusqlite::Error> for WriteError {
    fn from(cause: rusqlite::Error) -> Self {
        match cause.sqlite_error_code() {
            _ if is_full(&cause) => Self::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            _ => Self::Failed(cause),
        }
    }
}

/// Whether SQLite could not write for want of room. The system's words for that are several, of which SQLite knows one; a
/// write that failed otherwise has written nothing either, and may be tried again. It is syncs that may not.
#[must_use]
pub fn is_full(cause: &rusqlite::Error) -> bool {
    const UNWRITTEN: [i32; 3] = [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_SHMSIZE];
    cause.sqlite_error().is_some_and(|error| UNWRITTEN.contains(&error.extended_code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_room_is_called_so_whatever_sqlite_calls_it() {
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_SHMSIZE] {
            let cause = || rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert!(refusal(Path::new("x.db"), cause()).to_string().contains("the disk takes nothing more"), "{code}");
            let copy = crate::store::database::backup::CopyError::from(cause());
            assert!(copy.to_string().starts_with("the disk takes nothing more"), "{code}: {copy}");
        }
        let other = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR_READ), None);
        assert!(!refusal(Path::new("x.db"), other).to_string().contains("takes nothing"));
    }
}
