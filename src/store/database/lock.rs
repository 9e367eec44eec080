//! One server per database.
//!
//! Two servers on one file would store everything and announce half of it: each to its own sockets only. So a server holds
//! an advisory lock for as long as it has the database open. The command line takes none, it goes on beside a server.
//!
//! On Linux the lock is on the database file itself (`flock`, which SQLite's own locks never meet), so that it holds under
//! whatever name the file is opened: a link of either kind, a path that leads around. Elsewhere such a lock would meet
//! SQLite's; there it is on a file beside the database, which links of the file system's own kind are not seen through.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::store::database::error::OpenError;
use crate::store::database::file::companion;

/// How long a server that is just ending is waited for.
const PATIENCE: Duration = Duration::from_millis(500);

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// The right to serve a database, until it is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct ServerLock {
    file: Option<File>,
}

impl ServerLock {
    /// Takes the lock of the database at `path`, which exists.
    ///
    /// # Errors
    /// [`OpenError::Served`] when another server has it.
    pub(crate) fn take(path: &Path) -> Result<Self, OpenError> {
        let unusable = |cause: io::Error| OpenError::Unusable { path: path.to_owned(), cause: cause.to_string() };
        let file = open_lock_file(path).map_err(unusable)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(OpenError::Served { path: path.to_owned() }),
                // A file system without such locks: nobody can be kept out there.
                Err(TryLockError::Error(_)) => break,
            }
        }
        Ok(Self { file: Some(file) })
    }
}

impl Drop for ServerLock {
    fn drop(&mut self) {
        let Some(file) = self.file.take() else { return };
        let _ends_with_the_process = file.unlock();
        // Closed it must not be: the system would take SQLite's own locks on the same file from the connections that
        // this process still has.
        std::mem::forget(file);
    }
}

/// Whether a server has the database at `path` open by another name that the file system gave it (a hard link). SQLite calls
/// the WAL after the database: by this name what stands in the server's WAL would be missed, and written over.
#[cfg(target_os = "linux")]
pub(crate) fn is_served_by_another_name(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let Ok(path) = std::fs::canonicalize(path) else { return false };
    let has_names = std::fs::metadata(&path).is_ok_and(|file| file.nlink() > 1);
    if !has_names || companion(&path, "-wal").exists() {
        return false;
    }
    let Ok(file) = File::open(&path) else { return false };
    let is_served = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
    drop(ServerLock { file: Some(file) });
    is_served
}

/// Only where the lock is on the file itself can it be known.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_served_by_another_name(_path: &Path) -> bool {
    false
}

#[cfg(target_os = "linux")]
fn open_lock_file(database: &Path) -> io::Result<File> {
    File::open(database)
}

#[cfg(not(target_os = "linux"))]
fn open_lock_file(database: &Path) -> io::Result<File> {
    let database = std::fs::canonicalize(database)?;
    let path = companion(&database, "-server");
    File::options().write(true).create(true).truncate(false).open(path)
}
