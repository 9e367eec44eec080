//! What may be typed on the command line: clap types and help texts, nothing decided.
//!
//! Every flag has a variable; a flag wins over its variable, and that over the default. A variable that is empty is one
//! that is not set, as it is in a file of settings whose value was left out.

use std::ffi::{OsStr, OsString};

use clap::builder::Resettable;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use clap_complete::Shell;

use crate::cli::database::Database;
use crate::cli::maintenance::{Backup, Check, Doctor, Healthcheck, Restore};
use crate::cli::people::{SetupLink, User};
use crate::cli::serve::Serve;
use crate::cli::test::Test;

pub mod billing;
pub mod calls;
pub mod database;
pub mod limits;
pub mod logs;
pub mod maintenance;
pub mod notices;
pub mod people;
pub mod recordings;
pub mod serve;
pub mod test;
mod value;

/// Real-time messaging between the clients and the jurists of a legal practice.
///
/// Without a command: serve, and open the web page in the browser.
#[derive(Debug, Parser)]
#[command(name = "lexchat", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const AFTER_HELP: &str = "\
Examples:
  lexchat                                   try it: demo accounts, page opened in the browser
  lexchat serve --no-demo --db /srv/lexchat.db
  lexchat user add --email anne@cabinet.example --name 'Anne Roy' --role juriste
  lexchat backup --keep 30 /backups
  lexchat doctor --public-url https://chat.cabinet.example

Exit codes: 0 fine, 1 failure while running, 2 wrong usage, 3 configuration or database refused.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the page, the API and the sockets
    Serve(Box<Serve>),
    /// Look after people's accounts
    User(User),
    /// Print a new one-time link by which the first administrator sets the practice up
    SetupLink(SetupLink),
    /// Sign with new keys from now on; nobody is signed out
    RotateKeys(Database),
    /// Copy the database into a file, or with --keep into a folder, while the server goes on serving
    Backup(Backup),
    /// Bring a backup to a place where there is no database yet
    Restore(Restore),
    /// Check the database: structure, references, gaps
    Check(Check),
    /// Exit 0 if the server is ready (for containers and service managers)
    Healthcheck(Healthcheck),
    /// Look at the installation from outside and say what is set up wrong, and by which flag it is mended
    Doctor(Box<Doctor>),
    /// Mail or push a test, and say what was answered
    Test(Test),
    /// Print the HTTP contract as OpenAPI 3.1
    Openapi,
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
}

impl Cli {
    /// What this process was started with. On wrong usage, help and the like it prints and ends the process.
    pub fn read() -> Cli {
        Cli::read_from(std::env::args_os(), |name| std::env::var_os(name))
    }

    /// The command typed; without one, that of a double click.
    pub fn typed(self) -> Command {
        let double_click = || Cli::read_from(["lexchat", "serve", "--open"], |name| std::env::var_os(name)).command;
        self.command.or_else(double_click).expect("`serve` was just parsed")
    }

    fn read_from<W: Into<OsString> + Clone>(
        words: impl IntoIterator<Item = W>,
        variable: impl Fn(&OsStr) -> Option<OsString>,
    ) -> Cli {
        let is_empty = |value: OsString| value.to_str().is_some_and(|text| text.trim().is_empty());
        let command = without_variables(Cli::command(), &|name| variable(name).is_some_and(is_empty));
        Cli::from_arg_matches(&command.get_matches_from(words)).unwrap_or_else(|error| error.exit())
    }
}

/// The same command line, but those variables are not asked.
fn without_variables(command: clap::Command, is_left_out: &impl Fn(&OsStr) -> bool) -> clap::Command {
    let subcommands: Vec<String> = command.get_subcommands().map(|one| one.get_name().to_owned()).collect();
    let command = command.mut_args(|argument| match argument.get_env() {
        Some(name) if is_left_out(name) => argument.env(Resettable::Reset),
        _ => argument,
    });
    subcommands
        .into_iter()
        .fold(command, |command, name| command.mut_subcommand(name, |one| without_variables(one, is_left_out)))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Cli, Command};

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_command_means_serve_and_open() {
        let Command::Serve(serve) = Cli::parse_from(["lexchat"]).typed() else { panic!("not serve") };
        assert!(serve.open);
        assert_eq!(serve.listen, "localhost:3000");
    }

    #[test]
    fn a_limit_with_which_nothing_would_work_is_wrong_usage() {
        for (flag, value) in [
            ("--message-burst", "0"),
            ("--max-payload", "0"),
            ("--files-per-message", "1001"),
            ("--sockets-per-user", "0"),
            ("--sockets-per-address", "0"),
            ("--socket-queue", "4096"),
            ("--ping-interval", "0"),
            ("--ping-timeout", "0"),
        ] {
            assert!(Cli::try_parse_from(["lexchat", "serve", flag, value]).is_err(), "{flag} {value}");
        }
    }

    #[test]
    fn every_flag_of_serve_has_a_variable_of_its_name() {
        let cli = Cli::command();
        let serve = cli.find_subcommand("serve").unwrap();
        for flag in serve.get_arguments().filter(|flag| flag.get_id() != "help") {
            let variable = format!("LEXCHAT_{}", flag.get_long().unwrap().replace('-', "_").to_uppercase());
            assert_eq!(flag.get_env().and_then(|name| name.to_str()), Some(variable.as_str()));
        }
    }
}
