//! What an operator does beside serving: looks after accounts, makes and restores copies, checks, asks whether the server
//! is well. All of it works while a server runs on the same database.

pub mod doctor;
mod remedies;
mod services;
pub mod test;

use std::fmt;
use std::io::{BufRead as _, IsTerminal as _};
use std::path::Path;

use crate::api::openapi;
use crate::chat::contract::error;
use crate::chat::writer::local_admin::{LocalAdmin, NewPerson};
use crate::cli::database::Database;
use crate::cli::maintenance::{Backup, Check, Doctor, Healthcheck, Restore};
use crate::cli::people::{self, Password, SetupLink, UserCommand};
use crate::config::{origins, place};
use crate::console::{prompt, say};
use crate::http::listener::Listen;
use crate::http::probe;
use crate::model::account::Account;
use crate::model::finding::{Finding, Verdict};
use crate::model::locale::Locale;
use crate::model::user::Role;
use crate::store::database::backup::{self, Contents, CopyError};
use crate::store::database::error::OpenError;
use crate::store::database::{check, file, rotation};

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
    /// Something is set up wrong.
    #[error("{0} of these keep people from using it")]
    Unwell(usize),
    /// A test did not arrive.
    #[error("{0}")]
    Undelivered(String),
    /// The server does not answer as it should.
    #[error("{0}")]
    Unready(String),
    /// The rules refuse it.
    #[error("{0}")]
    Refused(Refusal),
    /// The terminal or standard input broke.
    #[error("the password could not be read")]
    Input(#[from] std::io::Error),
    /// What was to be printed is nowhere.
    #[error("the output could not be written: {0}")]
    Output(&'static std::io::Error),
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
            let people::UserAdd { name, email, specialty, database, .. } = typed;
            let person = NewPerson { name, email, role, specialty, password };
            let profile = admin(&database)?.add_user(person)?;
            say(&format!("{} {}", profile.id, profile.email));
        }
        UserCommand::List(typed) => {
            let people = admin(&typed.database)?.list_users()?;
            if typed.json {
                say(&serde_json::to_string_pretty(&people).expect("plain data"));
            } else {
                say(&people.iter().map(line).collect::<Vec<_>>().join("\n"));
            }
        }
        UserCommand::Passwd(typed) => {
            let password = password(&typed.password)?;
            admin(&typed.database)?.set_password(&typed.email, &password)?;
        }
        UserCommand::Disable(typed) => admin(&typed.database)?.set_active(&typed.email, false)?,
        UserCommand::Enable(typed) => admin(&typed.database)?.set_active(&typed.email, true)?,
    }
    Ok(())
}

/// `lexchat setup-link`
pub fn setup_link(typed: &SetupLink) -> Result<(), Error> {
    let url = origins::url_origin(&typed.public_url).map_err(|wrong| Error::Usage(format!("--public-url: {wrong}")))?;
    let secret = admin(&typed.database)?.create_setup_link()?;
    say(&format!("{url}/installation/{}", secret.token));
    Ok(())
}

/// `lexchat rotate-keys`
pub fn rotate_keys(database: &Database) -> Result<(), Error> {
    Ok(admin(database)?.rotate_keys()?)
}

/// `lexchat backup FILE`, `lexchat backup --keep N DIR`
pub fn backup(typed: &Backup) -> Result<(), Error> {
    let database = place::database_of(&typed.database);
    let contents = if typed.without_recordings { Contents::WithoutRecordings } else { Contents::All };
    match typed.keep {
        None => backup::copy_of(&database, &typed.target, contents)?,
        Some(keep) => say(&rotation::copy_into(&database, &typed.target, keep, contents)?.display().to_string()),
    }
    rotation::record(&database);
    Ok(())
}

/// `lexchat restore FILE`
pub fn restore(typed: &Restore) -> Result<(), Error> {
    Ok(backup::restore(&typed.file, &place::database_of(&typed.database))?)
}

/// `lexchat check`
pub fn check(typed: &Check) -> Result<(), Error> {
    let path = place::database_of(&typed.database);
    file::require(&path)?;
    let report = check::check(&path)?;
    if typed.json {
        say(&serde_json::to_string_pretty(&report).expect("plain data"));
    } else {
        report.faults.iter().chain(&report.unchecked).for_each(|line| say(line));
        say(&format!("{} conversations, {} messages, {} files", report.conversations, report.messages, report.files));
    }
    if report.faults.is_empty() { Ok(()) } else { Err(Error::Unsound(report.faults.len())) }
}

/// `lexchat healthcheck`
pub fn healthcheck(typed: &Healthcheck) -> Result<(), Error> {
    let listen: Listen = typed.listen.parse().map_err(|wrong| Error::Usage(format!("--listen: {wrong}")))?;
    match probe::ask(&listen, "/readyz") {
        None => Err(Error::Unready(format!("nobody answers at {listen}"))),
        Some(answer) if answer.status == 200 => Ok(()),
        Some(answer) => Err(Error::Unready(answer.body.trim().to_owned())),
    }
}

/// `lexchat doctor`
pub fn doctor(typed: &Doctor) -> Result<(), Error> {
    let findings = doctor::examine(typed).map_err(Error::Usage)?;
    if typed.json {
        say(&serde_json::to_string_pretty(&findings).expect("plain data"));
    } else {
        findings.iter().for_each(|finding| say(&row(finding)));
    }
    let bad = findings.iter().filter(|finding| finding.verdict == Verdict::Bad).count();
    if bad == 0 { Ok(()) } else { Err(Error::Unwell(bad)) }
}

/// A finding and what mends it.
fn row(Finding { check, verdict, text, remedy }: &Finding) -> String {
    let mark = match verdict {
        Verdict::Good => "ok     ",
        Verdict::Warning => "warning",
        Verdict::Bad => "bad    ",
    };
    let remedy = remedy.as_ref().map(|remedy| format!("\n                       {remedy}")).unwrap_or_default();
    format!("{mark}  {check:<12}  {text}{remedy}")
}

/// `lexchat openapi`
pub fn openapi() {
    say(openapi::DOCUMENT.trim_end());
}

/// The address of the page of a server of ours that is running there.
pub fn find_running(listen: &Listen) -> Option<String> {
    let answer = probe::ask(listen, "/healthz").filter(|answer| answer.status == 200 && answer.body == "ok\n")?;
    let first = listen.addresses().first().filter(|address| !address.ip().is_unspecified());
    let host = first.filter(|_| listen.host() != "localhost").map(|_| listen.host()).unwrap_or("localhost");
    Some(format!("{}://{host}:{}/", answer.scheme, listen.port()))
}

fn admin(database: &Database) -> Result<LocalAdmin, OpenError> {
    LocalAdmin::open(Path::new(&place::database_of(database)))
}

/// One line for people: id, state, role, e-mail, name.
fn line(account: &Account) -> String {
    let Account { id, is_active, is_demo, role, email, name, .. } = account;
    let state = if *is_active { "active" } else { "disabled" };
    let demo = if *is_demo { "  (demo password)" } else { "" };
    format!("{id:>5}  {state:<8}  {:<7}  {email}  {name}{demo}", role.as_str())
}

/// A password, from standard input if that was asked for, else from the terminal without showing it.
fn password(typed: &Password) -> Result<String, Error> {
    let stdin = std::io::stdin();
    if typed.password_stdin {
        return Ok(read_line()?);
    }
    if !stdin.is_terminal() {
        return Err(Error::Usage("there is no terminal to ask for the password: use --password-stdin".to_owned()));
    }
    prompt("Password: ");
    Ok(rpassword::read_password()?)
}

fn read_line() -> std::io::Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    // Some systems put one before whatever they pipe.
    let line = line.strip_prefix('\u{feff}').unwrap_or(&line);
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
