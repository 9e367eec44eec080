//! `lexchat test`: whether what leaves the house arrives.

use clap::{Args, Subcommand};

use crate::cli::database::Database;
use crate::cli::notices::Notices;

/// `lexchat test`.
#[derive(Debug, Args)]
pub struct Test {
    /// What to try.
    #[command(subcommand)]
    pub command: TestCommand,
}

/// What can be tried.
#[derive(Debug, Subcommand)]
pub enum TestCommand {
    /// Mail a test, with the flags or variables of `lexchat serve`
    Email(TestEmail),
    /// Push a test to the devices of somebody, with the flags or variables of `lexchat serve`
    Push(TestPush),
}

/// `lexchat test email`.
#[derive(Debug, Args)]
pub struct TestEmail {
    /// Where to
    pub to: String,
    /// How mail leaves.
    #[command(flatten)]
    pub notices: Notices,
}

/// `lexchat test push`.
#[derive(Debug, Args)]
pub struct TestPush {
    /// The address that they sign in with
    pub email: String,
    /// How pushes leave.
    #[command(flatten)]
    pub notices: Notices,
    /// Where the database is.
    #[command(flatten)]
    pub database: Database,
}
