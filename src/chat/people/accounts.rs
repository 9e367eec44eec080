//! Accounts: opening one's own, and what its owner may change.

use std::sync::atomic::Ordering;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::auth::hasher::Asker;
use crate::auth::password::{self, Weakness};
use crate::chat::access::memberships::Memberships;
use crate::chat::access::rates::Rates;
use crate::chat::access::{caller, credentials, throttle};
use crate::chat::contract::command::people::{AddUser, Device, RecordLastSeen, SignUp, UpdateProfile};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::reply::SessionOpened;
use crate::chat::conversations::conversation;
use crate::chat::handle::chat::Chat;
use crate::chat::people::sign_in::{self, SignedIn};
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
    /// The language of what they get to read.
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
            let message = Text::new("seul « client » est possible sans invitation", "only `client` goes uninvited");
            return Err(Error::invalid("role", message));
        }
        if !self.settings().sign_up_open {
            return Err(Reason::SignUpClosed.into());
        }
        self.admit(&account.device).await?;
        let Opening { name, email, password, locale, device } = self.prepare(account).await?;
        let command = SignUp { name, email, role: Role::Client, password, locale, device };
        self.open_session(command).await
    }

    /// The caller's own profile.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    pub async fn load_profile(&self, actor: Actor) -> Result<Profile, Error> {
        Ok(self.load_own(actor).await?.profile)
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
        let hash = self.credentials().hasher.hash(password, Asker::Stranger).await.map_err(credentials::refused)?;
        Ok(Opening { name, email, password: PasswordHash(hash), locale, device })
    }

    /// The caller's own account, its password hash included.
    pub(in crate::chat) async fn load_own(&self, actor: Actor) -> Result<Account, Error> {
        self.ask(move |conn, now| {
            let member = caller::require_member(conn, actor, now)?;
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
        Weakness::Email => Text::new("ne doit pas être l’adresse e-mail", "must not be the e-mail address"),
    }
}

/// The rule of [`SignUp`]: the new account is a stranger's until a juriste has answered them.
///
/// # Errors
/// `CONFLICT` if the address has an account; `RATE_LIMITED` where too many came from the same place.
pub fn sign_up(
    conn: &Connection,
    command: SignUp,
    per_day_max: u32,
    now: Timestamp,
) -> Result<Outcome<SessionOpened>, Error> {
    let user = NewUser {
        name: command.name.as_str(),
        email: command.email.as_str(),
        password: &command.password,
        role: command.role,
        specialty: None,
        locale: command.locale,
    };
    let profile = insert(conn, &user, now)?;
    throttle::admit_account(conn, command.device.address, per_day_max, now)?;
    users::set_stranger(conn, profile.id)?;
    users::set_last_sign_in(conn, profile.id, now)?;
    sign_in::start(conn, profile, &command.device, now)
}

/// The rule of [`AddUser`].
///
/// # Errors
/// `FORBIDDEN` for all but the system; `CONFLICT` if the address has an account.
pub fn add(conn: &Connection, actor: Actor, command: &AddUser, now: Timestamp) -> Result<Outcome<Profile>, Error> {
    caller::require_system(actor)?;
    let user = NewUser {
        name: command.name.as_str(),
        email: command.email.as_str(),
        password: &command.password,
        role: command.role,
        specialty: command.specialty.as_deref(),
        locale: Locale::default(),
    };
    Ok(insert(conn, &user, now)?.into())
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

/// The rule of [`UpdateProfile`]. Their conversations show another name from then on; since all that they talk
/// with see it, a new name counts as a message does.
///
/// # Errors
/// `UNAUTHENTICATED`, `RATE_LIMITED`.
pub fn update_profile(
    conn: &Connection,
    actor: Actor,
    command: UpdateProfile,
    now: Timestamp,
    rates: &mut Rates,
) -> Result<Outcome<Profile>, Error> {
    let member = caller::require_member(conn, actor, now)?;
    let before = load(conn, member.user_id)?;
    let profile = Profile {
        name: command.name.map_or_else(|| before.name.clone(), |name| name.to_string()),
        locale: command.locale.unwrap_or(before.locale),
        updated_at: now,
        ..before.clone()
    };
    let is_renamed = profile.name != before.name;
    if is_renamed {
        rates.take(profile.id)?;
    }
    users::set_profile(conn, &profile, now)?;
    let events = if is_renamed { conversation::updated_of(conn, profile.id, now)? } else { Vec::new() };
    Ok(Outcome { reply: profile, events })
}

/// The rule of [`RecordLastSeen`].
///
/// # Errors
/// `FORBIDDEN` for all but the system.
pub fn record_last_seen(
    conn: &Connection,
    actor: Actor,
    command: &RecordLastSeen,
    now: Timestamp,
    memberships: &mut Memberships,
) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    users::set_last_seen(conn, command.user_id, now)?;
    memberships.set_last_seen(command.user_id, now);
    Ok(().into())
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
    use crate::chat::contract::command::Command;
    use crate::chat::contract::command::people::{Rehash, SetPassword};
    use crate::chat::contract::command::system::{
        DetectOutsideWrites, IndexMessages, RemoveDiscarded, RotateKeys, Tidy,
    };
    use crate::chat::contract::error::Code;
    use crate::chat::contract::request::{Ask, Request};
    use crate::chat::contract::settings::Settings;
    use crate::chat::testing::fixtures::RulesFixture;
    use crate::chat::testing::fixtures::{ChatFixture, device};
    use crate::store::database::settings::Missing;

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
        let fixture = ChatFixture::demo();
        let new = || someone("  Léa   Petit ", "Lea@Example.com", NEXT);
        let signed_in = fixture.chat.sign_up(new(), None).await.unwrap();
        let user = fixture.chat.load_profile(fixture.actor(&signed_in)).await.unwrap();
        assert_eq!(
            (user.name.as_str(), user.email.as_str(), user.role),
            ("Léa Petit", "lea@example.com", Role::Client)
        );
        assert_eq!(fixture.chat.sign_up(new(), None).await.unwrap_err().reason, Reason::EmailTaken);
        assert!(fixture.try_sign_in("lea@example.com", NEXT, "192.0.2.1").await.is_ok());
    }

    #[tokio::test]
    async fn everything_that_is_wrong_is_named_at_once() {
        let fixture = ChatFixture::demo();
        let refused = fixture.chat.sign_up(someone(" ", "nobody", "short"), None).await.unwrap_err();
        let fields: Vec<&str> = refused.details.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!((refused.code(), fields), (Code::Invalid, vec!["name", "email", "password"]));
        for role in [Role::Juriste, Role::Admin] {
            let refused = fixture.chat.sign_up(someone("Léa", "lea@example.com", NEXT), Some(role)).await.unwrap_err();
            assert_eq!(refused.details[0].field, "role");
        }
    }

    #[tokio::test]
    async fn the_operator_can_close_sign_up() {
        let fixture = ChatFixture::with(Settings { sign_up_open: false, ..Settings::default() }, Missing::CreateDemo);
        let refused = fixture.chat.sign_up(someone("Léa", "lea@example.com", NEXT), None).await.unwrap_err();
        assert_eq!(refused.reason, Reason::SignUpClosed);
    }

    #[tokio::test]
    async fn a_profile_changes_in_name_and_language_only() {
        let fixture = ChatFixture::demo();
        let signed_in = fixture.sign_in("juriste1").await;
        let before = fixture.chat.load_profile(fixture.actor(&signed_in)).await.unwrap();
        let command = UpdateProfile { name: Some("Maître Roy".parse().unwrap()), locale: Some(Locale::English) };
        fixture.chat.execute(fixture.actor(&signed_in), command).await.unwrap();
        let after = fixture.chat.load_profile(fixture.actor(&signed_in)).await.unwrap();
        assert_eq!((after.name.as_str(), after.locale), ("Maître Roy", Locale::English));
        assert_eq!((after.email, after.role, after.specialty), (before.email, before.role, before.specialty));
    }

    #[test]
    fn a_new_name_counts_as_a_message_does_and_the_same_one_does_not() {
        let mut fixture = RulesFixture::with(Settings { message_rate: 1, message_burst: 2, ..Settings::default() });
        let client = fixture.actor(1);
        let mut rename = |name: &str| {
            let command = UpdateProfile { name: Some(name.parse().unwrap()), locale: None };
            fixture.run(client, command).map(drop).map_err(|error| error.code())
        };
        for name in ["Un", "Deux", "Deux"] {
            assert_eq!(rename(name), Ok(()), "{name}");
        }
        assert_eq!(rename("Trois"), Err(Code::RateLimited));
    }

    #[tokio::test]
    async fn demo_accounts_are_active_until_the_last_of_their_passwords_is_changed_or_closed() {
        let fixture = ChatFixture::demo();
        assert!(fixture.chat.look_for_demo_accounts().await.unwrap());
        let conn = Connection::open(fixture.path()).unwrap();
        conn.execute("UPDATE users SET is_active = 0 WHERE id > 1", []).unwrap();
        assert!(fixture.chat.look_for_demo_accounts().await.unwrap());
        let password = PasswordHash("another".to_owned());
        users::set_password(&conn, UserId::new(1).unwrap(), &password, Timestamp::now()).unwrap();
        assert!(!fixture.chat.look_for_demo_accounts().await.unwrap());
        let empty = ChatFixture::with(Settings::default(), Missing::CreateEmpty);
        assert!(!empty.chat.look_for_demo_accounts().await.unwrap());
    }

    #[tokio::test]
    async fn what_only_the_program_itself_may_do_is_refused_to_everybody_else() {
        async fn refused<R: Request>(fixture: &ChatFixture, actor: Actor, request: R) -> Option<Reason>
        where
            Command: From<Ask<R>>,
        {
            fixture.chat.execute(actor, request).await.err().map(|error| error.reason)
        }
        let fixture = ChatFixture::demo();
        let admin = fixture.sign_in("admin").await;
        let user_id = UserId::new(1).unwrap();
        let hash = || PasswordHash("x".to_owned());
        for actor in [Actor::Anonymous, fixture.actor(&admin)] {
            let reasons = [
                refused(&fixture, actor, SetPassword { user_id, password: hash() }).await,
                refused(&fixture, actor, Rehash { user_id, current: hash(), next: hash() }).await,
                refused(&fixture, actor, RecordLastSeen { user_id }).await,
                refused(&fixture, actor, RotateKeys).await,
                refused(&fixture, actor, DetectOutsideWrites { keys_in_use: 0 }).await,
                refused(&fixture, actor, IndexMessages).await,
                refused(&fixture, actor, RemoveDiscarded).await,
                refused(&fixture, actor, Tidy).await,
            ];
            assert_eq!(reasons, [Some(Reason::NotAllowed); 8]);
        }
    }
}
