//! What an operator does beside serving: looks after accounts, makes and restores copies, checks, asks whether the server
//! is well. All of it works while a server runs on the same database.

use std::path::Path;

use serde::Serialize;

use crate::api::openapi;
use crate::auth::actor::Actor;
use crate::auth::password;
use crate::chat::accounts;
use crate::chat::administration::AccountQuery;
use crate::chat::command::{AddUser, Command, CreateSetupLink, SetPassword, UpdateUser};
use crate::chat::error;
use crate::chat::execute::{self, Chat};
use crate::chat::reply::Reply;
use crate::chat::{administration, credentials};
use crate::http::listener::Listen;
use crate::http::probe;
use crate::model::account::Account;
use crate::model::email::Email;
use crate::model::locale::Locale;
use crate::model::user::{PasswordHash, Role};
use crate::store::backup::{self, CopyError};
use crate::store::check::{self, Depth, Finding};
use crate::store::db::{Db, Missing, OpenError, Settings};

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is refused.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// A copy was not made.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The database could not be read.
    #[error("the database could not be checked")]
    Unreadable(#[from] rusqlite::Error),
    /// The rules refuse it; what is wrong, in words.
    #[error("{0}")]
    Refused(String),
}

impl From<error::Error> for Error {
    fn from(error: error::Error) -> Error {
        let details = error.shown_details(Locale::English).map(|detail| format!("{} {}", detail.field, detail.message));
        let details: Vec<String> = details.collect();
        let text = error.text(Locale::English);
        Error::Refused(if details.is_empty() { text.into_owned() } else { details.join("; ") })
    }
}

/// An account to be opened.
pub struct NewUser {
    /// Full name.
    pub name: String,
    /// Address to sign in with.
    pub email: String,
    /// `client`, `juriste` or `admin`.
    pub role: String,
    /// A juriste's field of law.
    pub specialty: Option<String>,
    /// In the clear.
    pub password: String,
}

/// Somebody's account in a listing.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Listed(Account);

impl Listed {
    /// One line for people: id, state, role, e-mail, name.
    pub fn line(&self) -> String {
        let Account { id, is_active, is_demo, role, email, name, .. } = &self.0;
        let state = if *is_active { "active" } else { "disabled" };
        let demo = if *is_demo { "  (demo password)" } else { "" };
        format!("{id:>5}  {state:<8}  {:<7}  {email}  {name}{demo}", role.as_str())
    }
}

/// A database that somebody works on by hand.
pub struct Operator {
    chat: Chat,
}

impl Operator {
    /// Opens a database that exists.
    pub fn open(path: &Path) -> Result<Operator, Error> {
        let db = Db::open(&Settings { path: path.to_owned(), missing: Missing::Refuse, readers_max: 1 })?;
        let (chat, mut outcomes) = Chat::new(db, execute::Settings::default())?;
        // Nobody is there to be told anything; taking the outcomes lets the answers go.
        tokio::spawn(async move { while outcomes.recv().await.is_some() {} });
        Ok(Operator { chat })
    }

    /// Opens an account.
    pub async fn add_user(&self, user: NewUser) -> Result<(), Error> {
        let role: Role = user.role.parse().map_err(|wrong| Error::Refused(format!("--role: {wrong}")))?;
        let (name, email) = accounts::check(&user.name, &user.email, &user.password)?;
        let password = self.hash(user.password).await?;
        let command = AddUser { name, email, role, specialty: user.specialty, password };
        self.execute(Command::AddUser(command)).await.map(drop)
    }

    /// Everybody, in the order of their ids.
    pub async fn list_users(&self) -> Result<Vec<Listed>, Error> {
        let presence = self.chat.presence().clone();
        let listed = self.chat.ask(move |conn, _| {
            let mut people = Vec::new();
            let mut cursor = None;
            loop {
                let query = AccountQuery { limit: Some(administration::LIMIT_MAX), cursor, ..AccountQuery::default() };
                let page = administration::list(conn, &query, &presence)?;
                people.extend(page.users.into_iter().map(Listed));
                cursor = page.next_cursor;
                if cursor.is_none() {
                    return Ok(people);
                }
            }
        });
        Ok(listed.await?)
    }

    /// Sets somebody's password; their sessions end.
    pub async fn set_password(&self, email: &str, password: String) -> Result<(), Error> {
        let account = self.find(email).await?;
        password::check(&password, email)
            .map_err(|weakness| Error::Refused(accounts::weakness_text(weakness).show(Locale::English).to_owned()))?;
        let password = self.hash(password).await?;
        self.execute(Command::SetPassword(SetPassword { user_id: account.id, password })).await.map(drop)
    }

    /// Closes somebody's account, or opens it again.
    pub async fn set_active(&self, email: &str, is_active: bool) -> Result<(), Error> {
        let user_id = self.find(email).await?.id;
        let command = UpdateUser { user_id, is_active: Some(is_active), role: None, name: None };
        self.execute(Command::UpdateUser(command)).await.map(drop)
    }

    /// A new one-time link by which the first administrator opens their account; earlier ones stop working.
    pub async fn setup_link(&self, url: &str) -> Result<String, Error> {
        match self.execute(Command::CreateSetupLink(CreateSetupLink {})).await? {
            Reply::SetupLink { token, .. } => Ok(format!("{}/installation/{token}", url.trim_end_matches('/'))),
            _ => Err(Error::Refused("no link was made".to_owned())),
        }
    }

    /// Puts the database down.
    pub async fn close(self) {
        self.chat.close().await;
    }

    async fn execute(&self, command: Command) -> Result<Reply, Error> {
        Ok(self.chat.execute(Actor::System, command).await?)
    }

    async fn hash(&self, password: String) -> Result<PasswordHash, Error> {
        let hashed = self.chat.credentials().hasher.hash(password).await.map_err(credentials::refused)?;
        Ok(PasswordHash(hashed))
    }

    async fn find(&self, email: &str) -> Result<Account, Error> {
        let email: Email = email.parse().map_err(|_| Error::Refused(format!("{email} is not an e-mail address")))?;
        let people = self.list_users().await?.into_iter().map(|listed| listed.0);
        let mut named = people.filter(|account| account.email == email.as_str());
        named.next().ok_or_else(|| Error::Refused(format!("nobody has the address {}", email.as_str())))
    }
}

/// Copies the database while it is served.
pub fn backup(database: &Path, file: &Path) -> Result<(), Error> {
    Ok(backup::copy(database, file)?)
}

/// Puts a backup where there is no database.
pub fn restore(file: &Path, database: &Path) -> Result<(), Error> {
    Ok(backup::restore(file, database)?)
}

/// Everything that is wrong with the database.
pub fn check(database: &Path) -> Result<Vec<Finding>, Error> {
    if !database.is_file() {
        return Err(OpenError::Missing { path: database.to_owned() }.into());
    }
    Ok(check::look(database, Depth::Everything)?)
}

/// Whether a server of ours is running there.
pub fn is_running(listen: &Listen) -> bool {
    probe::ask(listen, "/healthz").is_some_and(|(status, body)| status == 200 && body == "ok\n")
}

/// What keeps the server at `listen` from working; nothing if it is ready. Fails on what is no address.
pub fn unreadiness(listen: &str) -> Result<Option<String>, String> {
    let listen: Listen = listen.parse()?;
    Ok(match probe::ask(&listen, "/readyz") {
        None => Some(format!("nobody answers at {listen}")),
        Some((200, _)) => None,
        Some((status, body)) => Some(format!("{status}: {}", body.trim())),
    })
}

/// The HTTP contract as OpenAPI 3.1.
pub fn openapi() -> &'static str {
    openapi::DOCUMENT
}
