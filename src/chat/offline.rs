//! The same rules without a server: what the command line does to a database, whether or not one is serving it.
//!
//! A change goes through the rule that a server would use, in one synced transaction. A server that has the database
//! open notices within a second (see `upkeep`): whoever is disabled here loses their sockets there.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::auth::password;
use crate::chat::accounts;
use crate::chat::administration::{self, AccountQuery};
use crate::chat::command::{AddUser, Command, CreateSetupLink, SetPassword, UpdateUser};
use crate::chat::error::{Error, Reason};
use crate::chat::execute::Settings;
use crate::chat::presence::Presence;
use crate::chat::reply::Reply;
use crate::chat::rules::Rules;
use crate::model::account::Account;
use crate::model::id::UserId;
use crate::model::timestamp::Timestamp;
use crate::model::user::{PasswordHash, Profile, Role};
use crate::store::db::{self, Db, Missing, OpenError};
use crate::store::users;
use crate::store::writer::{Pen, Undone, WriteError};

/// Accounts read at a time.
const PAGE: usize = administration::LIMIT_MAX;

/// A database in the hands of the one who owns the machine.
#[derive(Debug)]
pub struct Office {
    pen: Pen,
    rules: Rules,
}

/// Somebody to be given an account.
pub struct NewPerson {
    /// Full name.
    pub name: String,
    /// Address to sign in with.
    pub email: String,
    /// What they are to the practice.
    pub role: Role,
    /// A juriste's field of law.
    pub specialty: Option<String>,
    /// In the clear.
    pub password: String,
}

/// A one-time link for the first administrator.
#[derive(Clone, PartialEq, Eq)]
pub struct SetupSecret {
    /// What the link must carry; it is told this once.
    pub token: String,
    /// Until when it works.
    pub expires_at: Timestamp,
}

impl Office {
    /// Opens a database that exists.
    ///
    /// # Errors
    /// One clear line that says why the file is refused.
    pub fn open(path: &Path) -> Result<Office, OpenError> {
        let settings = db::Settings { path: path.to_owned(), missing: Missing::Refuse, readers_max: 1 };
        let pen = Db::open(&settings)?.pen;
        Ok(Office { pen, rules: Rules::new(Arc::new(Settings::default()), Presence::default()) })
    }

    /// Gives somebody an account.
    ///
    /// # Errors
    /// `INVALID`; `CONFLICT` if the address has an account.
    pub fn add_user(&mut self, person: NewPerson) -> Result<Profile, Error> {
        let NewPerson { name, email, role, specialty, password } = person;
        let (name, email) = accounts::check(&name, &email, &password)?;
        let specialty = specialty.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let password = hash(&password)?;
        let command = AddUser { name, email, role, specialty, password };
        match self.carry_out(Command::AddUser(command))? {
            Reply::Profile(profile) => Ok(profile),
            _ => Err(Error::internal("a profile was expected")),
        }
    }

    /// Everybody, in the order of their ids.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub fn list_users(&mut self) -> Result<Vec<Account>, Error> {
        let mut everybody = Vec::new();
        let mut query = AccountQuery { limit: Some(PAGE), ..AccountQuery::default() };
        loop {
            let page = self.change(|_, conn| administration::list(conn, &query, &Presence::default()))?;
            everybody.extend(page.users);
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                return Ok(everybody);
            }
        }
    }

    /// Sets somebody's password; their sessions end.
    ///
    /// # Errors
    /// `NOT_FOUND`, `INVALID`.
    pub fn set_password(&mut self, email: &str, password: &str) -> Result<(), Error> {
        let user_id = self.find(email)?;
        password::check(password, email)
            .map_err(|weakness| Error::invalid("password", accounts::weakness_text(weakness)))?;
        let command = SetPassword { user_id, password: hash(password)? };
        self.carry_out(Command::SetPassword(command)).map(drop)
    }

    /// Closes somebody's account, which ends their sessions, or opens it again.
    ///
    /// # Errors
    /// `NOT_FOUND`; `CONFLICT` if no active administrator would be left.
    pub fn set_active(&mut self, email: &str, is_active: bool) -> Result<(), Error> {
        let user_id = self.find(email)?;
        let command = UpdateUser { user_id, is_active: Some(is_active), role: None, name: None };
        self.carry_out(Command::UpdateUser(command)).map(drop)
    }

    /// Makes a link for the first administrator; earlier ones stop working.
    ///
    /// # Errors
    /// `CONFLICT` if there is an administrator.
    pub fn create_setup_link(&mut self) -> Result<SetupSecret, Error> {
        match self.carry_out(Command::CreateSetupLink(CreateSetupLink {}))? {
            Reply::SetupLink { token, expires_at } => Ok(SetupSecret { token, expires_at }),
            _ => Err(Error::internal("a setup link was expected")),
        }
    }

    /// Puts new signing keys into use. Nobody is signed out: what the earlier ones signed is good until it expires.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub fn rotate_keys(&mut self) -> Result<(), Error> {
        self.carry_out(Command::RotateKeys).map(drop)
    }

    fn find(&mut self, email: &str) -> Result<UserId, Error> {
        let email = email.trim().to_lowercase();
        let found = self.change(|_, conn| Ok(users::find_by_email(conn, &email)?))?;
        found.map(|account| account.profile.id).ok_or_else(|| Reason::NotFound.into())
    }

    fn carry_out(&mut self, command: Command) -> Result<Reply, Error> {
        self.change(|rules, conn| {
            let now = rules.next_now();
            rules.carry_out(conn, Actor::System, command, now).map(|outcome| outcome.reply)
        })
    }

    /// One change in a transaction of its own, which is on disk when this returns.
    fn change<T>(&mut self, change: impl FnOnce(&mut Rules, &Connection) -> Result<T, Error>) -> Result<T, Error> {
        let rules = &mut self.rules;
        let mut batch = self.pen.begin().map_err(unwritten)?;
        let done = batch.change(|conn| change(rules, conn)).map_err(|undone| match undone {
            Undone::Refused(refusal) => refusal,
            Undone::Panicked => Error::internal("a rule panicked"),
            Undone::Lost(cause) => unwritten(cause),
        })?;
        batch.commit().map_err(unwritten)?;
        Ok(done)
    }
}

fn hash(password: &str) -> Result<PasswordHash, Error> {
    password::hash(password).map(PasswordHash).map_err(Error::internal)
}

fn unwritten(cause: WriteError) -> Error {
    let reason = match cause {
        WriteError::Full => Reason::StorageFull,
        WriteError::Busy | WriteError::BrokenOff | WriteError::Failed(_) => Reason::Unavailable,
    };
    Error { cause: Some(Box::new(cause)), ..Error::from(reason) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::error::Code;

    fn office(missing: Missing) -> (tempfile::TempDir, Office) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lexchat.db");
        let settings = db::Settings { path: path.clone(), missing, readers_max: 1 };
        drop(Db::open(&settings).unwrap());
        let office = Office::open(&path).unwrap();
        (folder, office)
    }

    fn anne(password: &str) -> NewPerson {
        NewPerson {
            name: "Anne Roy".to_owned(),
            email: " Anne@Cabinet.example".to_owned(),
            role: Role::Juriste,
            specialty: Some("Droit du travail".to_owned()),
            password: password.to_owned(),
        }
    }

    #[test]
    fn a_person_is_added_once_and_listed() {
        let (_folder, mut office) = office(Missing::CreateEmpty);
        assert_eq!(office.add_user(anne("trop court")).unwrap_err().code(), Code::Invalid);
        let profile = office.add_user(anne("une phrase assez longue")).unwrap();
        assert_eq!((profile.email.as_str(), profile.role), ("anne@cabinet.example", Role::Juriste));
        assert_eq!(office.add_user(anne("une phrase assez longue")).unwrap_err().code(), Code::Conflict);
        let everybody = office.list_users().unwrap();
        assert_eq!(everybody.len(), 1);
        assert_eq!(everybody[0].specialty.as_deref(), Some("Droit du travail"));
    }

    #[test]
    fn a_new_password_makes_a_demo_account_an_ordinary_one() {
        let (_folder, mut office) = office(Missing::CreateDemo);
        assert_eq!(office.set_password("client1@example.com", "Pass123!").unwrap_err().code(), Code::Invalid);
        assert_eq!(
            office.set_password("nobody@example.com", "long enough, surely").unwrap_err().code(),
            Code::NotFound
        );
        office.set_password("Client1@example.com ", "long enough, surely").unwrap();
        let demo: Vec<bool> = office.list_users().unwrap().iter().map(|account| account.is_demo).collect();
        assert_eq!(demo.iter().filter(|is_demo| **is_demo).count(), 10);
        assert!(!demo[0]);
    }

    #[test]
    fn the_last_administrator_cannot_be_disabled() {
        let (_folder, mut office) = office(Missing::CreateDemo);
        assert_eq!(office.set_active("admin@example.com", false).unwrap_err().code(), Code::Conflict);
        office.set_active("client1@example.com", false).unwrap();
        assert!(!office.list_users().unwrap()[0].is_active);
        office.set_active("client1@example.com", true).unwrap();
        assert!(office.list_users().unwrap()[0].is_active);
    }

    #[test]
    fn a_setup_link_is_for_the_first_administrator() {
        let (_folder, mut demo) = office(Missing::CreateDemo);
        assert!(demo.create_setup_link().is_err_and(|refusal| refusal.code() == Code::Conflict));
        let (_folder, mut empty) = office(Missing::CreateEmpty);
        let link = empty.create_setup_link().unwrap_or_else(|refusal| panic!("{refusal}"));
        assert_eq!(link.token.len(), 64);
        assert!(empty.rotate_keys().is_ok());
    }

    #[test]
    fn there_must_be_a_database() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Office::open(&folder.path().join("none.db")), Err(OpenError::Missing { .. })));
    }
}
