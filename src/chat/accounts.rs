//! Accounts: opening one's own, and what its owner may change.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::auth::password::{self, Weakness};
use crate::chat::command::{
    AddUser, ChangePassword, Command, Device, FailSignIn, RecordLastSeen, Rehash, SetPassword, SignUp, UpdateProfile,
};
use crate::chat::error::{Error, Reason};
use crate::chat::event::SessionEnding;
use crate::chat::execute::Chat;
use crate::chat::outcome::Outcome;
use crate::chat::reply::Reply;
use crate::chat::sign_in::{self, SignedIn};
use crate::chat::{access, credentials, sessions, throttle};
use crate::model::email::Email;
use crate::model::fields::Fault;
use crate::model::id::UserId;
use crate::model::locale::{Locale, Text};
use crate::model::person_name::PersonName;
use crate::model::timestamp::Timestamp;
use crate::model::user::{PasswordHash, Profile, Role};
use crate::store::users::{self, Account, NewUser};

/// What somebody types to open an account.
pub struct NewAccount {
    /// Full name.
    pub name: String,
    /// Address to sign in with.
    pub email: String,
    /// In the clear; it goes no further than the hasher.
    pub password: String,
    /// The language of what they are told.
    pub locale: Locale,
    /// Where from.
    pub device: Device,
}

/// A [`NewAccount`] that was found good, its password hashed.
pub(in crate::chat) struct Opening {
    pub name: PersonName,
    pub email: Email,
    pub password: PasswordHash,
    pub locale: Locale,
    pub device: Device,
}

impl Chat {
    /// Opens a client's account for whoever asks, and signs them in.
    ///
    /// # Errors
    /// `INVALID`; `FORBIDDEN` where the operator closed sign-up; `CONFLICT` if the address has an account;
    /// `RATE_LIMITED`.
    pub async fn sign_up(&self, account: NewAccount, role: Option<Role>) -> Result<SignedIn, Error> {
        if role.is_some_and(|role| role != Role::Client) {
            let message = Text::new("seul « client » est possible sans invitation", "only `client` goes uninvited");
            return Err(Error::invalid("role", message));
        }
        if !self.settings().sign_up_open {
            return Err(Reason::SignUpClosed.into());
        }
        self.admit(&account.device).await?;
        let Opening { name, email, password, locale, device } = self.prepare(account).await?;
        let command = SignUp { name, email, role: Role::Client, password, locale, device };
        self.open_session(Command::SignUp(command)).await
    }

    /// The caller's own profile.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    pub async fn load_profile(&self, actor: Actor) -> Result<Profile, Error> {
        Ok(self.load_own(actor).await?.profile)
    }

    /// Sets another password for the caller; their other sessions end.
    ///
    /// # Errors
    /// `INVALID` for a wrong current or a bad next password; `RATE_LIMITED` after too many wrong ones.
    pub async fn change_password(
        &self,
        actor: Actor,
        current: String,
        next: String,
        device: &Device,
    ) -> Result<(), Error> {
        let account = self.load_own(actor).await?;
        let email = account.profile.email;
        password::check(&next, &email).map_err(|weakness| Error::invalid("next", weakness_text(weakness)))?;
        let credentials = self.credentials();
        let turn = credentials.turn(&email).await;
        let (tried, address) = (email.clone(), device.address);
        self.ask(move |conn, now| throttle::check_account(conn, &tried, address, now)).await?;
        let stored = Some(account.password.0.clone());
        if !credentials.hasher.verify(current, stored).await.map_err(credentials::refused)?.matches {
            self.execute(Actor::Anonymous, Command::FailSignIn(FailSignIn { email, address })).await?;
            return Err(Error::invalid("current", Text::new("est incorrect", "is incorrect")));
        }
        drop(turn);
        let next = PasswordHash(credentials.hasher.hash(next).await.map_err(credentials::refused)?);
        let command = ChangePassword { current: account.password, next };
        self.execute(actor, Command::ChangePassword(command)).await.map(drop)
    }

    /// Whether one of the passwords that everybody knows still opens an account.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub async fn has_demo_accounts(&self) -> Result<bool, Error> {
        self.ask(|conn, _| Ok(users::any_demo(conn)?)).await
    }

    /// Judges what was typed and hashes the password.
    pub(in crate::chat) async fn prepare(&self, account: NewAccount) -> Result<Opening, Error> {
        let NewAccount { name, email, password, locale, device } = account;
        let (name, email) = check(&name, &email, &password)?;
        let hash = self.credentials().hasher.hash(password).await.map_err(credentials::refused)?;
        Ok(Opening { name, email, password: PasswordHash(hash), locale, device })
    }

    async fn load_own(&self, actor: Actor) -> Result<Account, Error> {
        self.ask(move |conn, now| {
            let member = access::require_member(conn, actor, now)?;
            users::find(conn, member.user_id)?.ok_or_else(|| Error::from(Reason::TokenInvalid))
        })
        .await
    }
}

/// The name and address of a new account, if they and the password are good; else everything that is wrong.
///
/// # Errors
/// `INVALID`.
pub fn check(name: &str, email: &str, password: &str) -> Result<(PersonName, Email), Error> {
    let mut faults = Vec::new();
    let name = name.parse::<PersonName>().map_err(|_| faults.push(Fault::new("name", name_text()))).ok();
    let weakness = password::check(password, email).err();
    let email = email.parse::<Email>().map_err(|_| faults.push(Fault::new("email", email_text()))).ok();
    faults.extend(weakness.map(|weakness| Fault::new("password", weakness_text(weakness))));
    match (name, email) {
        (Some(name), Some(email)) if faults.is_empty() => Ok((name, email)),
        _ => Err(faults.into()),
    }
}

/// What a name must be.
#[must_use]
pub fn name_text() -> Text {
    Text::new("doit avoir de 1 à 100 caractères visibles", "must have 1 to 100 visible characters")
}

/// What an address must be.
#[must_use]
pub fn email_text() -> Text {
    Text::new("doit être une adresse e-mail", "must be an e-mail address")
}

/// Why a password may not be chosen.
#[must_use]
pub fn weakness_text(weakness: Weakness) -> Text {
    match weakness {
        Weakness::TooShort => Text::new("doit avoir au moins 12 caractères", "must have at least 12 characters"),
        Weakness::TooLong => Text::new("doit avoir au plus 128 caractères", "must have at most 128 characters"),
        Weakness::Common => Text::new("est trop courant", "is too common"),
        Weakness::Email => Text::new("ne doit pas être l'adresse e-mail", "must not be the e-mail address"),
    }
}

/// The rule of [`Command::SignUp`].
///
/// # Errors
/// `CONFLICT` if the address has an account.
pub fn sign_up(conn: &Connection, command: SignUp, now: Timestamp) -> Result<Outcome, Error> {
    let user = NewUser {
        name: command.name.as_str(),
        email: command.email.as_str(),
        password: &command.password,
        role: command.role,
        specialty: None,
        locale: command.locale,
    };
    let profile = insert(conn, &user, now)?;
    users::set_last_sign_in(conn, profile.id, now)?;
    sign_in::start(conn, profile, &command.device, now)
}

/// The rule of [`Command::AddUser`].
///
/// # Errors
/// `FORBIDDEN` for all but the system; `CONFLICT` if the address has an account.
pub fn add(conn: &Connection, actor: Actor, command: &AddUser, now: Timestamp) -> Result<Outcome, Error> {
    access::require_system(actor)?;
    let user = NewUser {
        name: command.name.as_str(),
        email: command.email.as_str(),
        password: &command.password,
        role: command.role,
        specialty: command.specialty.as_deref(),
        locale: Locale::default(),
    };
    Ok(Reply::Profile(insert(conn, &user, now)?).into())
}

/// Opens an account.
///
/// # Errors
/// `CONFLICT` if the address has one.
pub fn insert(conn: &Connection, user: &NewUser<'_>, now: Timestamp) -> Result<Profile, Error> {
    if users::find_by_email(conn, user.email)?.is_some() {
        return Err(Reason::EmailTaken.into());
    }
    load(conn, users::insert(conn, user, now)?)
}

/// The rule of [`Command::UpdateProfile`].
///
/// # Errors
/// `UNAUTHENTICATED`.
pub fn update_profile(
    conn: &Connection,
    actor: Actor,
    command: UpdateProfile,
    now: Timestamp,
) -> Result<Outcome, Error> {
    let member = access::require_member(conn, actor, now)?;
    let mut profile = load(conn, member.user_id)?;
    if let Some(name) = command.name {
        profile.name = name.to_string();
    }
    profile.locale = command.locale.unwrap_or(profile.locale);
    profile.updated_at = now;
    users::set_profile(conn, &profile, now)?;
    Ok(Reply::Profile(profile).into())
}

/// The rule of [`Command::ChangePassword`].
///
/// # Errors
/// `UNAUTHENTICATED`; `INVALID` if the password was changed since it was checked.
pub fn change_password(
    conn: &Connection,
    actor: Actor,
    command: &ChangePassword,
    now: Timestamp,
) -> Result<Outcome, Error> {
    let member = access::require_member(conn, actor, now)?;
    let account = users::find(conn, member.user_id)?.ok_or(Reason::TokenInvalid)?;
    if account.password != command.current {
        return Err(Error::invalid("current", Text::new("est incorrect", "is incorrect")));
    }
    users::set_password(conn, member.user_id, &command.next, now)?;
    let reason = SessionEnding::PasswordChanged;
    Ok(Outcome::done(sessions::end_all(conn, member.user_id, Some(member.session_id), reason, now)?))
}

/// The rule of [`Command::SetPassword`]: whoever forgot theirs starts afresh, on every device.
///
/// # Errors
/// `FORBIDDEN` for all but the system; `NOT_FOUND`.
pub fn set_password(conn: &Connection, actor: Actor, command: &SetPassword, now: Timestamp) -> Result<Outcome, Error> {
    access::require_system(actor)?;
    let profile = load(conn, command.user_id)?;
    users::set_password(conn, profile.id, &command.password, now)?;
    throttle::forgive(conn, &profile.email, None)?;
    Ok(Outcome::done(sessions::end_all(conn, profile.id, None, SessionEnding::PasswordChanged, now)?))
}

/// The rule of [`Command::Rehash`].
///
/// # Errors
/// `FORBIDDEN` for all but the system.
pub fn rehash(conn: &Connection, actor: Actor, command: &Rehash) -> Result<Outcome, Error> {
    access::require_system(actor)?;
    users::set_stronger_hash(conn, command.user_id, &command.current, &command.next)?;
    Ok(Reply::Done.into())
}

/// The rule of [`Command::RecordLastSeen`].
///
/// # Errors
/// `FORBIDDEN` for all but the system.
pub fn record_last_seen(
    conn: &Connection,
    actor: Actor,
    command: &RecordLastSeen,
    now: Timestamp,
) -> Result<Outcome, Error> {
    access::require_system(actor)?;
    users::set_last_seen(conn, command.user_id, now)?;
    Ok(Reply::Done.into())
}

/// Somebody's profile.
///
/// # Errors
/// `NOT_FOUND`.
pub fn load(conn: &Connection, id: UserId) -> Result<Profile, Error> {
    let account = users::find(conn, id)?.ok_or(Reason::NotFound)?;
    Ok(account.profile)
}
