//! The same rules without a server: what the command line does to a database, whether or not one is serving it.
//!
//! A change goes through the rule that a server would use, in one synced transaction. A server that has the database
//! open notices within a second (see `maintenance`): whoever is disabled here loses their sockets there.

use std::iter;
use std::path::Path;
use std::sync::Arc;

use crate::auth::actor::Actor;
use crate::auth::password;
use crate::chat::access::keys;
use crate::chat::contract::command::Command;
use crate::chat::contract::command::people::{AddUser, CreateSetupLink, SetPassword, UpdateUser};
use crate::chat::contract::command::system::RotateKeys;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::presence::Presence;
use crate::chat::contract::reply::SetupLink;
use crate::chat::contract::request::{Ask, Request, Settled};
use crate::chat::contract::seats::Seats;
use crate::chat::contract::settings::Settings;
use crate::chat::handle::queue::Job;
use crate::chat::people::accounts;
use crate::chat::people::administration::{self, AccountQuery};
use crate::chat::writer::batch;
use crate::chat::writer::dispatch::Rules;
use crate::model::account::Account;
use crate::model::email;
use crate::model::id::UserId;
use crate::model::text::nfc::nfc;
use crate::model::text::visible;
use crate::model::user::{PasswordHash, Profile, Role};
use crate::store::database::error::OpenError;
use crate::store::database::open::Db;
use crate::store::database::settings::{self, Missing};
use crate::store::database::writer::Writer;
use crate::store::devices::{self, Reach};
use crate::store::users;

/// Accounts read at a time.
const PAGE: usize = administration::LIMIT_MAX;

/// A database in the hands of the one who owns the machine.
#[derive(Debug)]
pub struct LocalAdmin {
    writer: Writer,
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

/// How somebody is pushed to.
pub struct Reached {
    /// A key pair in PKCS #8.
    pub vapid: Vec<u8>,
    /// Their devices, by name.
    pub devices: Vec<(Option<String>, Reach)>,
}

impl LocalAdmin {
    /// Opens a database that exists.
    ///
    /// # Errors
    /// One clear line that says why the file is refused.
    pub fn open(path: &Path) -> Result<LocalAdmin, OpenError> {
        let settings = settings::Settings { path: path.to_owned(), missing: Missing::Refuse, readers_max: 1 };
        let writer = Db::open(&settings)?.writer;
        Ok(LocalAdmin {
            writer,
            rules: Rules::new(Arc::new(Settings::default()), Presence::default(), Seats::default(), Arc::default()),
        })
    }

    /// Gives somebody an account.
    ///
    /// # Errors
    /// `INVALID`; `CONFLICT` if the address has an account.
    pub fn add_user(&mut self, person: NewPerson) -> Result<Profile, Error> {
        let NewPerson { name, email, role, specialty, password } = person;
        let (name, email) = accounts::check(&name, &email, &password)?;
        let specialty =
            specialty.map(|text| nfc(visible::trim(&text)).into_owned()).filter(|text| visible::has_visible(text));
        let password = hash(&password)?;
        let command = AddUser { name, email, role, specialty, password };
        self.carry_out(command)
    }

    /// Everybody, in the order of their ids.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub fn list_users(&mut self) -> Result<Vec<Account>, Error> {
        let mut everybody = Vec::new();
        let mut query = AccountQuery { limit: Some(PAGE), ..AccountQuery::default() };
        loop {
            let page = administration::list(&self.writer.conn, &query, &Presence::default())?;
            everybody.extend(page.users);
            query.cursor = page.next_cursor.map(UserId::as_i64);
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
        self.carry_out(command).map(drop)
    }

    /// Closes somebody's account, which ends their sessions, or opens it again.
    ///
    /// # Errors
    /// `NOT_FOUND`; `CONFLICT` if no active administrator would be left.
    pub fn set_active(&mut self, email: &str, is_active: bool) -> Result<(), Error> {
        let user_id = self.find(email)?;
        let command = UpdateUser { user_id, is_active: Some(is_active), role: None, name: None };
        self.carry_out(command).map(drop)
    }

    /// Makes a link for the first administrator; earlier ones stop working.
    ///
    /// # Errors
    /// `CONFLICT` if there is an administrator.
    pub fn create_setup_link(&mut self) -> Result<SetupLink, Error> {
        self.carry_out(CreateSetupLink)
    }

    /// Puts new signing keys into use. Nobody is signed out: what the earlier ones signed is good until it expires.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub fn rotate_keys(&mut self) -> Result<(), Error> {
        self.carry_out(RotateKeys).map(drop)
    }

    /// Somebody's devices, and what pushes to browsers are signed with.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub fn reach(&mut self, email: &str) -> Result<Reached, Error> {
        let user_id = self.find(email)?;
        let conn = &self.writer.conn;
        Ok(Reached { vapid: keys::load_vapid(conn)?, devices: devices::list_reached(conn, user_id)? })
    }

    fn find(&mut self, email: &str) -> Result<UserId, Error> {
        let email = email::spelling(email);
        users::find_by_email(&self.writer.conn, &email)?
            .map(|account| account.profile.id)
            .ok_or_else(|| Reason::NotFound.into())
    }

    /// One command in a transaction of its own, which is on disk when this returns.
    fn carry_out<R: Request>(&mut self, request: R) -> Result<R::Reply, Error>
    where
        Command: From<Ask<R>>,
    {
        let (ask, mut pending) = Ask::new(request);
        let mut jobs = iter::once(Job { actor: Actor::System, command: ask.into() });
        let settled = batch::carry_out(&mut self.writer, &mut self.rules, &mut jobs, false);
        settled.map_err(|lost| batch::unwritten(lost.cause))?.into_iter().for_each(Settled::complete);
        pending.take()
    }
}

fn hash(password: &str) -> Result<PasswordHash, Error> {
    password::hash(password).map(PasswordHash).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::contract::error::Code;

    fn admin(missing: Missing) -> (tempfile::TempDir, LocalAdmin) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lexchat.db");
        let settings = settings::Settings { path: path.clone(), missing, readers_max: 1 };
        drop(Db::open(&settings).unwrap());
        let admin = LocalAdmin::open(&path).unwrap();
        (folder, admin)
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
        let (_folder, mut admin) = admin(Missing::CreateEmpty);
        assert_eq!(admin.add_user(anne("trop court")).unwrap_err().code(), Code::Invalid);
        let profile = admin.add_user(anne("une phrase assez longue")).unwrap();
        assert_eq!((profile.email.as_str(), profile.role), ("anne@cabinet.example", Role::Juriste));
        assert_eq!(admin.add_user(anne("une phrase assez longue")).unwrap_err().code(), Code::Conflict);
        let everybody = admin.list_users().unwrap();
        assert_eq!(everybody.len(), 1);
        assert_eq!(everybody[0].specialty.as_deref(), Some("Droit du travail"));
    }

    #[test]
    fn a_new_password_makes_a_demo_account_an_ordinary_one() {
        let (_folder, mut admin) = admin(Missing::CreateDemo);
        assert_eq!(admin.set_password("client1@example.com", "Pass123!").unwrap_err().code(), Code::Invalid);
        assert_eq!(admin.set_password("nobody@example.com", "long enough, surely").unwrap_err().code(), Code::NotFound);
        admin.set_password("Client1@example.com ", "long enough, surely").unwrap();
        let demo: Vec<bool> = admin.list_users().unwrap().iter().map(|account| account.is_demo).collect();
        assert_eq!(demo.iter().filter(|is_demo| **is_demo).count(), 10);
        assert!(!demo[0]);
    }

    #[test]
    fn the_last_administrator_cannot_be_disabled() {
        let (_folder, mut admin) = admin(Missing::CreateDemo);
        assert_eq!(admin.set_active("admin@example.com", false).unwrap_err().code(), Code::Conflict);
        admin.set_active("client1@example.com", false).unwrap();
        assert!(!admin.list_users().unwrap()[0].is_active);
        admin.set_active("client1@example.com", true).unwrap();
        assert!(admin.list_users().unwrap()[0].is_active);
    }

    #[test]
    fn a_setup_link_is_for_the_first_administrator() {
        let (_folder, mut demo) = admin(Missing::CreateDemo);
        assert!(demo.create_setup_link().is_err_and(|refusal| refusal.code() == Code::Conflict));
        let (_folder, mut empty) = admin(Missing::CreateEmpty);
        let link = empty.create_setup_link().unwrap_or_else(|refusal| panic!("{refusal}"));
        assert_eq!(link.token.len(), 64);
        assert!(empty.rotate_keys().is_ok());
    }

    #[test]
    fn there_must_be_a_database() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(LocalAdmin::open(&folder.path().join("none.db")), Err(OpenError::Missing { .. })));
    }
}
