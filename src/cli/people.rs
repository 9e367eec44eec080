//! What an operator types about people's accounts.

use clap::{Args, Subcommand};

use crate::cli::database::Database;

/// `lexchat user`.
#[derive(Debug, Args)]
pub struct User {
    /// What to do.
    #[command(subcommand)]
    pub command: UserCommand,
}

/// What can be done with people's accounts.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Open an account
    Add(UserAdd),
    /// List everybody
    List(UserList),
    /// Set somebody's password and end their sessions
    Passwd(UserPasswd),
    /// Close somebody's account: they cannot sign in, and their sockets are closed
    Disable(UserNamed),
    /// Open a closed account again
    Enable(UserNamed),
}

/// `lexchat user add`.
#[derive(Debug, Args)]
pub struct UserAdd {
    /// The address to sign in with
    #[arg(long)]
    pub email: String,
    /// Full name
    #[arg(long)]
    pub name: String,
    /// client, juriste or admin
    #[arg(long)]
    pub role: String,
    /// A jurist's field of law
    #[arg(long)]
    pub specialty: Option<String>,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: Password,
    /// Where the database is.
    #[command(flatten)]
    pub database: Database,
}

/// Where a password comes from: never the command line, which others can see.
#[derive(Debug, Args)]
pub struct Password {
    /// Read the password from the first line of standard input instead of asking for it
    #[arg(long)]
    pub password_stdin: bool,
}

/// `lexchat user list`.
#[derive(Debug, Args)]
pub struct UserList {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Where the database is.
    #[command(flatten)]
    pub database: Database,
}

/// `lexchat user passwd`.
#[derive(Debug, Args)]
pub struct UserPasswd {
    /// The address that they sign in with
    pub email: String,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: Password,
    /// Where the database is.
    #[command(flatten)]
    pub database: Database,
}

/// `lexchat user disable`, `lexchat user enable`.
#[derive(Debug, Args)]
pub struct UserNamed {
    /// The address that they sign in with
    pub email: String,
    /// Where the database is.
    #[command(flatten)]
    pub database: Database,
}

/// `lexchat setup-link`.
#[derive(Debug, Args)]
pub struct SetupLink {
    /// The address that people use
    #[arg(long, value_name = "URL", env = "LEXCHAT_PUBLIC_URL", default_value = "http://localhost:3000")]
    pub public_url: String,
    /// Where the database is.
    #[command(flatten)]
    pub database: Database,
}
