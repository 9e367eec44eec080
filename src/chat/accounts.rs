//! Accounts: opening one's own, and what its owner may change.

use std::sync::atomic::Ordering;

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
use crate::chat::rates::Rates;
use crate::chat::reply::Reply;
use crate::chat::sign_in::{self, SignedIn};
use crate::chat::{access, conversations, credentials, sessions, throttle};
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

    /// Whether one of the passwords that everybody knows still opens an account; [`Chat::demo_accounts`] says the same
    /// from then on.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub async fn look_for_demo_accounts(&self) -> Result<bool, Error> {
        let found = self.ask(|conn, _| Ok(users::any_demo(conn)?)).await?;
        self.demo_accounts().store(found, Ordering::Relaxed);
        Ok(found)
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

/// The rule of [`Command::UpdateProfile`]. Their conversations show another name from then on; since all that they talk
/// with are told of it, a new name counts as a message does.
///
/// # Errors
/// `UNAUTHENTICATED`, `RATE_LIMITED`.
pub fn update_profile(
    conn: &Connection,
    actor: Actor,
    command: UpdateProfile,
    now: Timestamp,
    rates: &mut Rates,
) -> Result<Outcome, Error> {
    let member = access::require_member(conn, actor, now)?;
    let before = load(conn, member.user_id)?;
    let profile = Profile {
        name: command.name.map_or_else(|| before.name.clone(), |name| name.to_string()),
        locale: command.locale.unwrap_or(before.locale),
        updated_at: now,
        ..before.clone()
    };
    let is_renamed = profile.name != before.name;
    if is_renamed {
        rates.take(profile.id, now)?;
    }
    users::set_profile(conn, &profile, now)?;
    let events = if is_renamed { conversations::updated_of(conn, profile.id, now)? } else { Vec::new() };
    Ok(Outcome { reply: Reply::Profile(profile), events })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::error::Code;
    use crate::chat::execute::Settings;
    use crate::chat::stage::{DEMO_PASSWORD, Stage, device};
    use crate::chat::trial::Trial;
    use crate::store::db::Missing;

    const NEXT: &str = "une phrase assez longue";

    fn someone(name: &str, email: &str, password: &str) -> NewAccount {
        NewAccount {
            name: name.to_owned(),
            email: email.to_owned(),
            password: password.to_owned(),
            locale: Locale::French,
            device: device("192.0.2.1"),
        }
    }

    #[tokio::test]
    async fn whoever_signs_up_is_a_client_with_a_session() {
        let stage = Stage::demo();
        let new = || someone("  Léa   Petit ", "Lea@Example.com", NEXT);
        let signed_in = stage.chat.sign_up(new(), None).await.unwrap();
        let user = stage.chat.load_profile(stage.actor(&signed_in)).await.unwrap();
        assert_eq!(
            (user.name.as_str(), user.email.as_str(), user.role),
            ("Léa Petit", "lea@example.com", Role::Client)
        );
        assert_eq!(stage.chat.sign_up(new(), None).await.unwrap_err().reason, Reason::EmailTaken);
        assert!(stage.try_sign_in("lea@example.com", NEXT, "192.0.2.1").await.is_ok());
    }

    #[tokio::test]
    async fn everything_that_is_wrong_is_named_at_once() {
        let stage = Stage::demo();
        let refused = stage.chat.sign_up(someone(" ", "nobody", "short"), None).await.unwrap_err();
        let fields: Vec<&str> = refused.details.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!((refused.code(), fields), (Code::Invalid, vec!["name", "email", "password"]));
        for role in [Role::Juriste, Role::Admin] {
            let refused = stage.chat.sign_up(someone("Léa", "lea@example.com", NEXT), Some(role)).await.unwrap_err();
            assert_eq!(refused.details[0].field, "role");
        }
    }

    #[tokio::test]
    async fn the_operator_can_close_sign_up() {
        let stage = Stage::with(Settings { sign_up_open: false, ..Settings::default() }, Missing::CreateDemo);
        let refused = stage.chat.sign_up(someone("Léa", "lea@example.com", NEXT), None).await.unwrap_err();
        assert_eq!(refused.reason, Reason::SignUpClosed);
    }

    #[tokio::test]
    async fn a_new_password_ends_the_other_sessions_and_the_demo() {
        let stage = Stage::demo();
        let (here, there) = (stage.sign_in("client1").await, stage.sign_in("client1").await);
        let change = |current: &str, next: &str| {
            let (current, next) = (current.to_owned(), next.to_owned());
            let (chat, actor) = (stage.chat.clone(), stage.actor(&here));
            async move { chat.change_password(actor, current, next, &device("192.0.2.1")).await }
        };
        assert_eq!(change("wrong", NEXT).await.unwrap_err().details[0].field, "current");
        for weak in ["Pass123!", "client1@example.com", "azertyuiop123"] {
            assert_eq!(change(DEMO_PASSWORD, weak).await.unwrap_err().details[0].field, "next", "{weak}");
        }
        assert!(stage.is_live(&there).await, "a refused change changes nothing");
        change(DEMO_PASSWORD, NEXT).await.unwrap();
        assert!(stage.is_live(&here).await && !stage.is_live(&there).await);
        assert_eq!(stage.endings(), [SessionEnding::PasswordChanged]);
        assert!(stage.try_sign_in("client1@example.com", DEMO_PASSWORD, "192.0.2.1").await.is_err());
        assert!(stage.try_sign_in("client1@example.com", NEXT, "192.0.2.1").await.is_ok());
        let conn = Connection::open(stage.path()).unwrap();
        assert!(!users::find(&conn, UserId::new(1).unwrap()).unwrap().unwrap().is_demo);
    }

    #[tokio::test]
    async fn the_current_password_cannot_be_guessed_with_a_stolen_token() {
        let stage = Stage::demo();
        let stolen = stage.sign_in("client1").await;
        let mut codes = Vec::new();
        for _ in 0..8 {
            let (actor, guess) = (stage.actor(&stolen), "guess".to_owned());
            let refused = stage.chat.change_password(actor, guess, NEXT.to_owned(), &device("192.0.2.1")).await;
            codes.push(refused.unwrap_err().code());
        }
        assert_eq!(codes.first(), Some(&Code::Invalid));
        assert_eq!(codes.last(), Some(&Code::RateLimited));
    }

    #[tokio::test]
    async fn a_profile_changes_in_name_and_language_only() {
        let stage = Stage::demo();
        let signed_in = stage.sign_in("juriste1").await;
        let before = stage.chat.load_profile(stage.actor(&signed_in)).await.unwrap();
        let command = UpdateProfile { name: Some("Maître Roy".parse().unwrap()), locale: Some(Locale::English) };
        stage.chat.execute(stage.actor(&signed_in), Command::UpdateProfile(command)).await.unwrap();
        let after = stage.chat.load_profile(stage.actor(&signed_in)).await.unwrap();
        assert_eq!((after.name.as_str(), after.locale), ("Maître Roy", Locale::English));
        assert_eq!((after.email, after.role, after.specialty), (before.email, before.role, before.specialty));
    }

    #[test]
    fn a_new_name_counts_as_a_message_does_and_the_same_one_does_not() {
        let mut trial = Trial::with(Settings { message_rate: 1, message_burst: 2, ..Settings::default() });
        let client = trial.actor(1);
        let mut rename = |name: &str| {
            let command = UpdateProfile { name: Some(name.parse().unwrap()), locale: None };
            trial.run(client, Command::UpdateProfile(command)).map(drop).map_err(|error| error.code())
        };
        for name in ["Un", "Deux", "Deux"] {
            assert_eq!(rename(name), Ok(()), "{name}");
        }
        assert_eq!(rename("Trois"), Err(Code::RateLimited));
    }

    #[tokio::test]
    async fn demo_accounts_are_active_until_the_last_of_their_passwords_is_changed_or_closed() {
        let stage = Stage::demo();
        assert!(stage.chat.look_for_demo_accounts().await.unwrap());
        let conn = Connection::open(stage.path()).unwrap();
        conn.execute("UPDATE users SET is_active = 0 WHERE id > 1", []).unwrap();
        assert!(stage.chat.look_for_demo_accounts().await.unwrap());
        let password = PasswordHash("another".to_owned());
        users::set_password(&conn, UserId::new(1).unwrap(), &password, Timestamp::now()).unwrap();
        assert!(!stage.chat.look_for_demo_accounts().await.unwrap());
        let empty = Stage::with(Settings::default(), Missing::CreateEmpty);
        assert!(!empty.chat.look_for_demo_accounts().await.unwrap());
    }

    #[tokio::test]
    async fn what_only_the_program_itself_may_do_is_refused_to_everybody_else() {
        let stage = Stage::demo();
        let admin = stage.sign_in("admin").await;
        let user_id = UserId::new(1).unwrap();
        let hash = || PasswordHash("x".to_owned());
        for actor in [Actor::Anonymous, stage.actor(&admin)] {
            for command in [
                Command::SetPassword(SetPassword { user_id, password: hash() }),
                Command::Rehash(Rehash { user_id, current: hash(), next: hash() }),
                Command::RecordLastSeen(RecordLastSeen { user_id }),
                Command::RotateKeys,
                Command::Notice,
                Command::Tidy,
            ] {
                assert_eq!(stage.chat.execute(actor, command).await.unwrap_err().reason, Reason::NotAllowed);
            }
        }
    }
}
