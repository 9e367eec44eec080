//! What is logged, and in which form.

use clap::{Args, ValueEnum};

/// What is written to the log.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Logs")]
pub struct Logs {
    /// Readable text, or one JSON object per line
    #[arg(long, value_name = "FORMAT", env = "LEXCHAT_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// What is logged: error, warn, info, debug, or finer (lexchat::http=debug)
    #[arg(long, value_name = "FILTER", env = "LEXCHAT_LOG", default_value = "info")]
    pub log: String,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}
