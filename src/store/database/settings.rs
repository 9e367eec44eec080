//! What opening a database depends on.

use std::path::PathBuf;

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
