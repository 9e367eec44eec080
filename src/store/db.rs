//! Opening the database: what is ours is created, migrated and seeded; what is not is refused by name.

use std::path::PathBuf;

use rusqlite::Connection;

use crate::store::writer::Pen;

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
    pub fn open(_settings: &Settings) -> Result<Self, OpenError> {
        Err(OpenError::Unreadable { path: PathBuf::new(), cause: String::new() })
    }
}

/// Why a database is refused.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is none, and none was to be made.
    #[error("there is no database at {path}", path = path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be opened, read or written.
    #[error("the database {path} cannot be used: {cause}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: String,
    },
}

/// The readers: read-only connections behind a semaphore.
#[derive(Clone, Debug)]
pub struct Readers {}

impl Readers {
    /// Runs a question on a thread for blocking work, in one snapshot of the database.
    ///
    /// # Errors
    /// What the question itself answers, or why no reader could be had.
    pub async fn read<T, E, F>(&self, question: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<rusqlite::Error> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let _question = question;
        Err(E::from(rusqlite::Error::InvalidQuery))
    }
}
