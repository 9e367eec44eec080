//! Copies of the database, checks, questions about a server.

use std::path::PathBuf;

use clap::Args;

use crate::cli::billing::Billing;
use crate::cli::calls::Calls;
use crate::cli::database::Database;
use crate::cli::notices::Notices;
use crate::cli::value::at_least;

/// `lexchat backup`.
#[derive(Debug, Args)]
pub struct Backup {
    /// The copy, which must not exist yet; with --keep the folder of the copies
    #[arg(value_name = "FILE|DIR")]
    pub target: PathBuf,
    /// Name the copy in that folder after its moment, and remove the oldest beyond so many
    #[arg(long, value_name = "N", value_parser = at_least::<usize>(1))]
    pub keep: Option<usize>,
    /// Leave out what was recorded of calls
    #[arg(long)]
    pub without_recordings: bool,
    /// Where the database is.
    #[command(flatten)]
    pub database: Database,
}

/// `lexchat restore`.
#[derive(Debug, Args)]
pub struct Restore {
    /// The backup
    pub file: PathBuf,
    /// Where the database is.
    #[command(flatten)]
    pub database: Database,
}

/// `lexchat check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Where the database is.
    #[command(flatten)]
    pub database: Database,
}

/// `lexchat healthcheck`.
#[derive(Debug, Args)]
pub struct Healthcheck {
    /// Where the server listens, with or without a certificate of its own
    #[arg(long, value_name = "ADDR:PORT", env = "LEXCHAT_LISTEN", default_value = "localhost:3000")]
    pub listen: String,
}

/// `lexchat doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// The address that people use: it is asked for as a browser would
    #[arg(long, value_name = "URL", env = "LEXCHAT_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Where the server listens
    #[arg(long, value_name = "ADDR:PORT", env = "LEXCHAT_LISTEN", default_value = "localhost:3000")]
    pub listen: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Where the database is.
    #[command(flatten)]
    pub database: Database,
    /// How notices leave: relay and push services are asked.
    #[command(flatten)]
    pub notices: Notices,
    /// Payments: Stripe is asked.
    #[command(flatten)]
    pub billing: Billing,
    /// Calls: a Jitsi server is asked.
    #[command(flatten)]
    pub calls: Calls,
}
