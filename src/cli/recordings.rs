//! Recordings of calls, as typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::cli::value::{bytes, span};

/// Whether calls are recorded, how much of them is kept, and for how long.
#[derive(Debug, Args)]
#[command(next_help_heading = "Recordings")]
pub struct Recordings {
    /// Whether calls may be recorded
    #[arg(long, value_name = "WHEN", env = "LEXCHAT_RECORDINGS", default_value = "off")]
    pub recordings: When,
    /// Largest recording, such as 2GiB
    #[arg(long, value_name = "SIZE", env = "LEXCHAT_RECORDING_SIZE", default_value = "2GiB", value_parser = bytes)]
    pub recording_size: u64,
    /// Size of all recordings together, such as 50GiB
    #[arg(long, value_name = "SIZE", env = "LEXCHAT_RECORDINGS_TOTAL", default_value = "50GiB", value_parser = bytes)]
    pub recordings_total: u64,
    /// For how long a recording is kept, such as 90d; the question that people answer says so
    #[arg(long, value_name = "SPAN", env = "LEXCHAT_RECORDINGS_KEEP", default_value = "90d", value_parser = span)]
    pub recordings_keep: Duration,
    /// A file with the token that Jibri's finalize script shows
    #[arg(long, value_name = "FILE", env = "LEXCHAT_JIBRI_TOKEN_FILE", requires = "jitsi_url")]
    pub jibri_token_file: Option<PathBuf>,
    /// A file with the secret that 8x8 signs webhooks with (repeatable, for a change)
    #[arg(long, value_name = "FILE", env = "LEXCHAT_JAAS_SECRET_FILE", value_delimiter = ',', requires = "jitsi_url")]
    pub jaas_secret_file: Vec<PathBuf>,
    /// One more host that recordings are fetched from (repeatable)
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "LEXCHAT_JAAS_HOST",
        value_delimiter = ',',
        requires = "jaas_secret_file"
    )]
    pub jaas_host: Vec<String>,
}

/// Whether calls may be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// Never.
    Off,
    /// When everybody in the call has agreed.
    Consent,
}
