//! Whether the files of an open database are still those that were opened.
//!
//! A file that was removed or replaced goes on taking writes through the connection that holds it, and all of them are
//! gone when the process ends. So it is asked every now and then whether the names still lead to the same files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::store::database::error::WriteError;
use crate::store::database::file;

/// At most so often the file system is asked. The server's maintenance writes twice a second.
const BETWEEN_LOOKS: Duration = Duration::from_millis(400);

/// The files of an open database.
#[derive(Debug)]
pub(crate) struct Identity {
    files: Vec<(PathBuf, FileId)>,
    looked_at: Instant,
}

impl Identity {
    /// The files that are there now: the database at this path without links, its WAL and the WAL's index.
    pub(crate) fn of(database: &Path) -> Self {
        let paths = ["", "-wal", "-shm"].map(|ending| file::companion(database, ending));
        let files = paths.into_iter().filter_map(|path| Some((FileId::find(&path)?, path)));
        Self { files: files.map(|(id, path)| (path, id)).collect(), looked_at: Instant::now() }
    }

    /// Looks again, if the last look is a while ago.
    ///
    /// # Errors
    /// [`WriteError::Replaced`] when a file is not there any more, or is another one.
    pub(crate) fn check(&mut self) -> Result<(), WriteError> {
        if self.looked_at.elapsed() < BETWEEN_LOOKS {
            return Ok(());
        }
        self.looked_at = Instant::now();
        match self.files.iter().find(|(path, id)| FileId::find(path).as_ref() != Some(id)) {
            Some((path, _)) => Err(WriteError::Replaced { path: path.clone() }),
            None => Ok(()),
        }
    }
}

/// What tells a file from another one that has its name. Where the system lets nobody replace an open file, there is
/// nothing to compare.
#[derive(PartialEq, Eq, Debug)]
struct FileId(#[cfg(unix)] (u64, u64));

impl FileId {
    fn find(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            Some(Self((found.dev(), found.ino())))
        }
        #[cfg(not(unix))]
        {
            drop(found);
            Some(Self())
        }
    }
}
