//! Which database is meant.

use std::path::PathBuf;

use clap::Args;

/// Where the database is.
#[derive(Clone, Debug, Args)]
pub struct Database {
    /// The one file that holds all state [default: lexchat.db in the working directory]
    #[arg(long, value_name = "FILE", env = "LEXCHAT_DB")]
    pub db: Option<PathBuf>,
}
