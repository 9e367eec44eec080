//! What an operator does beside serving: looks after accounts, makes and restores copies, checks, asks whether the server
//! is well. All of it works while a server runs on the same database.

use std::fmt;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use crate::api::openapi;
use crate::chat::error;
use crate::chat::offline::{NewPerson, Office};
use crate::cli::{self, UserCommand};
use crate::config;
use crate::http::listener::Listen;
use crate::http::probe;
use crate::model::account::Account;
use crate::model::locale::Locale;
use crate::model::user::Role;
use crate::store::backup::{self, CopyError};
use crate::store::check;
use crate::store::db::OpenError;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was typed makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The database is refused.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// A copy was not made, or could not be looked at.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// It was looked at, and is not as it must be.
    #[error("{0} findings: put a backup in its place (lexchat restore)")]
    Unsound(usize),
    /// The server does not answer as it should.
    #[error("{0}")]
    Unready(String),
    /// The rules refuse it.
    #[error("{0}")]
    Refused(Refusal),
    /// The terminal or standard input broke.
    #[error("the password could not be read")]
    Input(#[from] std::io::Error),
}

/// A refusal by the rules, in words for the operator.
#[derive(Debug)]
pub struct Refusal(error::Error);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details: Vec<String> = self
            .0
            .shown_details(Locale::English)
            .map(|detail| format!("{} {}", detail.field, detail.message))
            .collect();
        if details.is_empty() { f.write_str(&self.0.text(Locale::English)) } else { f.write_str(&details.join("; ")) }
    }
}

impl From<error::Error> for Error {
    fn from(error: error::Error) -> Error {
        Error::Refused(Refusal(error))
    }
}

/// `lexchat user …`
pub fn user(command: UserCommand) -> Result<(), Error> {
    match command {
        UserCommand::Add(typed) => {
            let role: Role = typed.role.parse().map_err(|wrong| Error::Usage(format!("--role: {wrong}")))?;
            let password = password(&typed.password)?;
            let cli::UserAdd { name, email, specialty, database, .. } = typed;
            let person = NewPerson { name, email, role, specialty, password };
            let profile = office(&database)?.add_user(person)?;
            say(&format!("{} {}", profile.id, profile.email));
        }
        UserCommand::List(typed) => {
            let people = office(&typed.database)?.list_users()?;
            if typed.json {
                say(&serde_json::to_string_pretty(&people).expect("plain data"));
            } else {
                say(&people.iter().map(line).collect::<Vec<_>>().join("\n"));
            }
        }
        UserCommand::Passwd(typed) => {
            let password = password(&typed.password)?;
            office(&typed.database)?.set_password(&typed.email, &password)?;
        }
        UserCommand::Disable(typed) => office(&typed.database)?.set_active(&typed.email, false)?,
        UserCommand::Enable(typed) => office(&typed.database)?.set_active(&typed.email, true)?,
    }
    Ok(())
}

/// `lexchat setup-link`
pub fn setup_link(typed: &cli::SetupLink) -> Result<(), Error> {
    let secret = office(&typed.database)?.create_setup_link()?;
    say(&format!("{}/installation/{}", typed.public_url.trim_end_matches('/'), secret.token));
    Ok(())
}

/// `lexchat rotate-keys`
pub fn rotate_keys(database: &cli::Database) -> Result<(), Error> {
    Ok(office(database)?.rotate_keys()?)
}

/// `lexchat backup FILE`
pub fn backup(typed: &cli::Backup) -> Result<(), Error> {
    Ok(backup::copy(&config::database_of(&typed.database), &typed.file)?)
}

/// `lexchat restore FILE`
pub fn restore(typed: &cli::Restore) -> Result<(), Error> {
    Ok(backup::restore(&typed.file, &config::database_of(&typed.database))?)
}

/// `lexchat check`
pub fn check(typed: &cli::Check) -> Result<(), Error> {
    let path = config::database_of(&typed.database);
    if !path.is_file() {
        return Err(OpenError::Missing { path }.into());
    }
    let report = check::check(&path)?;
    if typed.json {
        say(&serde_json::to_string_pretty(&report).expect("plain data"));
    } else {
        report.faults.iter().for_each(|fault| say(fault));
        say(&format!("{} conversations, {} messages, {} files", report.conversations, report.messages, report.files));
    }
    if report.faults.is_empty() { Ok(()) } else { Err(Error::Unsound(report.faults.len())) }
}

/// `lexchat healthcheck`
pub fn healthcheck(typed: &cli::Healthcheck) -> Result<(), Error> {
    let listen: Listen = typed.listen.parse().map_err(|wrong| Error::Usage(format!("--listen: {wrong}")))?;
    match probe::ask(&listen, "/readyz") {
        None => Err(Error::Unready(format!("nobody answers at {listen}"))),
        Some(answer) if answer.status == 200 => Ok(()),
        Some(answer) => Err(Error::Unready(answer.body.trim().to_owned())),
    }
}

/// `lexchat openapi`
pub fn openapi() {
    say(openapi::DOCUMENT.trim_end());
}

/// The address of the page of a server of ours that is running there.
pub fn find_running(listen: &Listen) -> Option<String> {
    let answer = probe::ask(listen, "/healthz").filter(|answer| answer.status == 200 && answer.body == "ok\n")?;
    Some(format!("{}://localhost:{}/", answer.scheme, listen.port()))
}

/// Prints a line. Whoever does not read on (`lexchat user list | head`) has seen enough.
fn say(line: &str) {
    let _read_no_further = writeln!(std::io::stdout(), "{line}");
}

fn office(database: &cli::Database) -> Result<Office, OpenError> {
    Office::open(Path::new(&config::database_of(database)))
}

/// One line for people: id, state, role, e-mail, name.
fn line(account: &Account) -> String {
    let Account { id, is_active, is_demo, role, email, name, .. } = account;
    let state = if *is_active { "active" } else { "disabled" };
    let demo = if *is_demo { "  (demo password)" } else { "" };
    format!("{id:>5}  {state:<8}  {:<7}  {email}  {name}{demo}", role.as_str())
}

/// A password, from standard input if that was asked for, else from the terminal without showing it.
fn password(typed: &cli::Password) -> Result<String, Error> {
    let stdin = std::io::stdin();
    if typed.password_stdin {
        return Ok(read_line()?);
    }
    if !stdin.is_terminal() {
        return Err(Error::Usage("there is no terminal to ask for the password: use --password-stdin".to_owned()));
    }
    eprint!("Password: ");
    std::io::stderr().flush()?;
    let read = read_hidden(&stdin);
    eprintln!();
    Ok(read?)
}

fn read_line() -> std::io::Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(unix)]
fn read_hidden(stdin: &std::io::Stdin) -> std::io::Result<String> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let shown = tcgetattr(stdin)?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(stdin, OptionalActions::Flush, &hidden)?;
    let line = read_line();
    tcsetattr(stdin, OptionalActions::Flush, &shown)?;
    line
}

#[cfg(not(unix))]
fn read_hidden(_stdin: &std::io::Stdin) -> std::io::Result<String> {
    read_line()
}
