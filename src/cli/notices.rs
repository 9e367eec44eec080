//! How notices leave: mail, pushes to browsers, pushes to apps. With none of these flags nothing leaves.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::cli::value::span;

/// How notices leave.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Notices")]
pub struct Notices {
    /// The relay that takes mail: smtps://user@host:465, or smtp://user@host:587 with STARTTLS
    #[arg(long, value_name = "URL", env = "LEXCHAT_SMTP", requires = "mail_from")]
    pub smtp: Option<String>,
    /// A file with the password of the relay's user
    #[arg(long, value_name = "FILE", env = "LEXCHAT_SMTP_PASSWORD_FILE", requires = "smtp")]
    pub smtp_password_file: Option<PathBuf>,
    /// From whom mail comes: 'Cabinet Dupré <avis@cabinet.example>'; the name also signs pushes
    #[arg(long, value_name = "MAILBOX", env = "LEXCHAT_MAIL_FROM")]
    pub mail_from: Option<String>,
    /// Authorities (PEM) that outgoing TLS trusts beside the usual ones
    #[arg(long, value_name = "FILE", env = "LEXCHAT_EXTRA_CA")]
    pub extra_ca: Option<PathBuf>,
    /// Push to browsers; push services write to this address (mailto: or https:) when something is wrong
    #[arg(long, value_name = "CONTACT", env = "LEXCHAT_PUSH_CONTACT")]
    pub push_contact: Option<String>,
    /// One more push service that browsers may name (repeatable)
    #[arg(long, value_name = "ORIGIN", env = "LEXCHAT_PUSH_HOST", value_delimiter = ',', requires = "push_contact")]
    pub push_host: Vec<String>,
    /// Push to apps; the JSON file of a service account of Firebase
    #[arg(long, value_name = "FILE", env = "LEXCHAT_FCM_ACCOUNT")]
    pub fcm_account: Option<PathBuf>,
    /// Another address than Google's for pushes to apps
    #[arg(long, value_name = "ORIGIN", env = "LEXCHAT_FCM_API", requires = "fcm_account")]
    pub fcm_api: Option<String>,
    /// The most that a notice may tell of a message, if its recipient wants that
    #[arg(long, value_name = "DETAIL", env = "LEXCHAT_NOTIFY_DETAIL", default_value = "none")]
    pub notify_detail: NotifyDetail,
    /// How long after a message a push leaves, if nobody looks
    #[arg(long, value_name = "SPAN", env = "LEXCHAT_PUSH_AFTER", default_value = "5s", value_parser = span)]
    pub push_after: Duration,
    /// How long after a message a mail leaves, if it is not read: what "10m" means
    #[arg(long, value_name = "SPAN", env = "LEXCHAT_MAIL_AFTER", default_value = "10m", value_parser = span)]
    pub mail_after: Duration,
    /// Where the practice's clock hangs
    #[arg(long, value_name = "ZONE", env = "LEXCHAT_TIME_ZONE", default_value = "Europe/Paris")]
    pub time_zone: String,
}

/// How much of a message a notice may tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum NotifyDetail {
    /// That there is one.
    None,
    /// Who sent it.
    Sender,
    /// How it begins.
    Preview,
}
