//! Signing in: from an e-mail and a password to a session with its tokens.
//!
//! ```text
//! AdmitAttempt ── a turn for the account ── pause? ── hash ──┬─ right ── OpenSession ── tokens
//!  (address)                                 (account)       └─ wrong ── FailSignIn ── the one refusal
//! ```
//!
//! An unknown person, a wrong password and a disabled account take the same way, the same work and get the same
//! answer. What is counted is on disk before the answer is given, so restarting the server forgives nothing.

use std::fmt;
use std::time::Duration;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::auth::hasher::Asker;
use crate::auth::secret::Secret;
use crate::auth::token;
use crate::chat::access::{credentials, throttle};
use crate::chat::contract::command::Command;
use crate::chat::contract::command::people::{AdmitAttempt, Device, FailSignIn, OpenSession, Rehash};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::reply::SessionOpened;
use crate::chat::contract::request::{Ask, Request};
use crate::chat::handle::chat::Chat;
use crate::chat::notices::post::{Letter, MAIL_LIFE, Post};
use crate::model::delivery::DeliveryKind;
use crate::model::email;
use crate::model::notices::AddressState;
use crate::model::timestamp::Timestamp;
use crate::model::user::{PasswordHash, Profile};
use crate::store::users::Account;
use crate::store::{notices, sessions, users};

/// How long a session lives after its tokens were last renewed.
pub const SESSION_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// An attempt to sign in.
pub struct SignIn {
    /// As typed.
    pub email: String,
    /// As typed.
    pub password: String,
    /// Where from.
    pub device: Device,
}

/// Somebody with a fresh session.
#[derive(Clone)]
pub struct SignedIn {
    /// For `Authorization`.
    pub access_token: String,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// For the next pair of tokens, once.
    pub refresh_token: String,
    /// Themselves.
    pub user: Profile,
}

impl Chat {
    /// Signs somebody in.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` without saying what was wrong; `RATE_LIMITED` for the account, the address, or because too
    /// many others are signing in.
    pub async fn sign_in(&self, attempt: SignIn) -> Result<SignedIn, Error> {
        let SignIn { email, password, device } = attempt;
        let email = email::spelling(&email);
        self.admit(&device).await?;
        let credentials = self.credentials();
        let turn = credentials.turn(&email).await;
        let (account, asker) = self.look_up(email.clone(), device.clone()).await?;
        let stored = account.as_ref().map(|account| account.password.0.clone());
        let verdict = credentials.hasher.verify(password.clone(), stored, asker).await.map_err(credentials::refused)?;
        let Some(account) = account.filter(|account| verdict.matches && account.profile.is_active) else {
            let failed = FailSignIn { email, address: device.address };
            self.execute(Actor::Anonymous, failed).await?;
            return Err(Reason::CredentialsWrong.into());
        };
        let (user_id, current) = (account.profile.id, account.password);
        let open = OpenSession { user_id, password: current.clone(), device };
        let signed_in = self.open_session(open).await?;
        drop(turn);
        if verdict.is_stale {
            let next = credentials.hasher.hash(password, Asker::Known).await.map_err(credentials::refused)?;
            let rehash = Rehash { user_id, current, next: PasswordHash(next) };
            self.execute(Actor::System, rehash).await?;
        }
        Ok(signed_in)
    }

    /// Counts an attempt to prove who one is against the address it comes from.
    pub(in crate::chat) async fn admit(&self, device: &Device) -> Result<(), Error> {
        let admit = AdmitAttempt { address: device.address };
        self.execute(Actor::Anonymous, admit).await.map(drop)
    }

    /// Carries out a command of somebody unknown that answers with a session, and signs its access token.
    pub(in crate::chat) async fn open_session<R>(&self, request: R) -> Result<SignedIn, Error>
    where
        R: Request<Reply = SessionOpened>,
        Command: From<Ask<R>>,
    {
        let opened = self.execute(Actor::Anonymous, request).await?;
        self.sign(opened)
    }

    /// Signs the access token of a session.
    pub(in crate::chat) fn sign(&self, opened: SessionOpened) -> Result<SignedIn, Error> {
        let SessionOpened { user, session_id, nonce, refresh_token, .. } = opened;
        let life = self.settings().access_token_life;
        let keyring = &self.credentials().tokens;
        let session = (session_id, nonce);
        let issued = token::issue(keyring, user.id, &user.email, user.role, session, life, Timestamp::now());
        let (access_token, expires_at) = issued.map_err(Error::internal)?;
        Ok(SignedIn { access_token, expires_at, refresh_token, user })
    }

    /// The account with this address, and whether its owner was where the attempt comes from.
    async fn look_up(&self, email: String, device: Device) -> Result<(Option<Account>, Asker), Error> {
        self.ask(move |conn, now| {
            throttle::check_account(conn, &email, device.address, now)?;
            let account = users::find_by_email(conn, &email)?;
            let is_known = match (&account, device.address) {
                (Some(account), Some(address)) => throttle::is_familiar(conn, account.profile.id, address)?,
                _ => false,
            };
            Ok((account, if is_known { Asker::Known } else { Asker::Stranger }))
        })
        .await
    }
}

/// The rule of [`AdmitAttempt`].
///
/// # Errors
/// `RATE_LIMITED`.
pub fn admit(
    conn: &Connection,
    command: &AdmitAttempt,
    per_minute_max: u32,
    now: Timestamp,
) -> Result<Outcome<()>, Error> {
    throttle::admit(conn, command.address, per_minute_max, now)?;
    Ok(().into())
}

/// The rule of [`FailSignIn`].
///
/// # Errors
/// `INTERNAL`.
pub fn fail(conn: &Connection, command: &FailSignIn, now: Timestamp) -> Result<Outcome<()>, Error> {
    throttle::count_failure(conn, &command.email, command.address, now)?;
    Ok(().into())
}

/// The rule of [`OpenSession`].
///
/// # Errors
/// `UNAUTHENTICATED` if the account was disabled or got another password since it was checked.
pub fn open(
    conn: &Connection,
    command: OpenSession,
    now: Timestamp,
    post: Post<'_>,
) -> Result<Outcome<SessionOpened>, Error> {
    let account = users::find(conn, command.user_id)?
        .filter(|account| account.profile.is_active && account.password == command.password)
        .ok_or(Reason::CredentialsWrong)?;
    throttle::forgive(conn, &account.profile.email, command.device.address)?;
    users::set_last_sign_in(conn, command.user_id, now)?;
    tell_of_new_device(conn, &account, &command.device, now, post)?;
    start(conn, account.profile, &command.device, now)
}

/// Mails somebody that another device than those they had has signed in. Who has none yet, or an address that nobody
/// has shown to read, is told nothing.
fn tell_of_new_device(
    conn: &Connection,
    account: &Account,
    device: &Device,
    now: Timestamp,
    post: Post<'_>,
) -> Result<(), Error> {
    let Profile { id, email, locale, .. } = &account.profile;
    if account.is_demo && !post.operator.mails_anywhere || !post.operator.available.email {
        return Ok(());
    }
    let known = sessions::list_programs(conn, *id)?;
    let program = program(device.user_agent.as_deref());
    let is_known = known.is_empty() || known.iter().any(|known| self::program(known.as_deref()) == program);
    if is_known || notices::address_state(conn, *id)? != AddressState::Confirmed {
        return Ok(());
    }
    let letter = Letter { kind: DeliveryKind::NewDevice, user_id: Some(*id), secret: None, locale: *locale };
    post.mail(conn, &letter, email, now + MAIL_LIFE, now)
}

/// What a program calls itself, whatever its version.
fn program(user_agent: Option<&str>) -> String {
    user_agent.unwrap_or_default().chars().filter(|c| !c.is_ascii_digit() && *c != '.').collect()
}

/// Opens a session for somebody who has just proved who they are.
///
/// # Errors
/// `INTERNAL`.
pub fn start(
    conn: &Connection,
    user: Profile,
    device: &Device,
    now: Timestamp,
) -> Result<Outcome<SessionOpened>, Error> {
    let address = device.address.map(throttle::network);
    let expires_at = now + SESSION_LIFE;
    let (session_id, nonce) =
        sessions::insert(conn, user.id, device.user_agent.as_deref(), address.as_deref(), now, expires_at)?;
    let refresh = Secret::generate().map_err(Error::internal)?;
    sessions::insert_token(conn, refresh.digest().as_bytes(), session_id, now, expires_at)?;
    let refresh_token = refresh.reveal().to_owned();
    Ok(SessionOpened { user, session_id, nonce, refresh_token, expires_at }.into())
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn").field("email", &self.email).finish_non_exhaustive()
    }
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn").field("user", &self.user).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::chat::contract::error::Code;
    use crate::chat::contract::settings::{Notices, Settings};
    use crate::chat::testing::fixtures::{ChatFixture, DEMO_PASSWORD, RulesFixture, device};
    use crate::chat::writer::local_admin::LocalAdmin;
    use crate::model::id::UserId;
    use crate::model::notices::Available;
    use crate::store::database::settings::Missing;

    const CLIENT: &str = "client1@example.com";
    const HERE: &str = "192.0.2.1";
    const AWAY: &str = "198.51.100.9";

    fn refusal(result: Result<SignedIn, Error>) -> Error {
        result.expect_err("nobody is signed in")
    }

    #[tokio::test]
    async fn the_right_password_opens_a_session() {
        let fixture = ChatFixture::demo();
        let signed_in = fixture.try_sign_in(" Client1@Example.com ", DEMO_PASSWORD, HERE).await.unwrap();
        assert_eq!((signed_in.user.id.as_i64(), signed_in.user.email.as_str()), (1, CLIENT));
        assert!(fixture.is_live(&signed_in).await);
        assert!(signed_in.expires_at > Timestamp::now());
    }

    #[tokio::test]
    async fn unknown_wrong_and_disabled_get_the_same_answer() {
        let fixture = ChatFixture::demo();
        LocalAdmin::open(&fixture.path()).unwrap().set_active("client2@example.com", false).unwrap();
        for (email, password) in [
            ("nobody@example.com", DEMO_PASSWORD),
            (CLIENT, "wrong"),
            ("client2@example.com", DEMO_PASSWORD),
            ("", ""),
            ("client1@example.com' OR 1=1 --", DEMO_PASSWORD),
        ] {
            let refused = refusal(fixture.try_sign_in(email, password, AWAY).await);
            assert_eq!(refused.reason, Reason::CredentialsWrong, "{email}");
            assert!(refused.details.is_empty() && refused.retry_after.is_none());
        }
    }

    #[tokio::test]
    async fn unknown_and_wrong_take_the_same_time() {
        let fixture = ChatFixture::demo();
        let mut fastest = [f64::MAX; 2];
        // The fastest of each are compared, and tried again where others keep the processor: three times per account, before
        // it is left in peace.
        for round in 0..30 {
            let known = format!("{}{}@example.com", ["client", "juriste"][round % 2], round / 2 % 5 + 1);
            for (place, email) in [format!("nobody{round}@example.com"), known].iter().enumerate() {
                let start = Instant::now();
                let refused = refusal(fixture.try_sign_in(email, "wrong", AWAY).await);
                assert_eq!(refused.code(), Code::Unauthenticated);
                fastest[place] = fastest[place].min(start.elapsed().as_secs_f64());
            }
            if round >= 8 && (0.5..2.0).contains(&(fastest[0] / fastest[1])) {
                return;
            }
        }
        panic!("unknown {} s, wrong {} s", fastest[0], fastest[1]);
    }

    #[tokio::test]
    async fn many_wrong_passwords_at_once_are_counted_one_by_one() {
        let fixture = ChatFixture::demo();
        let tries = (0..12).map(|_| fixture.try_sign_in(CLIENT, "wrong", AWAY));
        let refusals: Vec<Error> = futures_util::future::join_all(tries).await.into_iter().map(refusal).collect();
        let looked_at = refusals.iter().filter(|refused| refused.code() == Code::Unauthenticated).count();
        assert!((5..=7).contains(&looked_at), "{looked_at} passwords were looked at");
        let paused = refusals.iter().find(|refused| refused.code() == Code::RateLimited).unwrap();
        assert!(paused.retry_after_s().is_some());
    }

    #[tokio::test]
    async fn a_restart_forgives_nothing_and_a_familiar_place_stays_open() {
        let fixture = ChatFixture::demo();
        fixture.try_sign_in(CLIENT, DEMO_PASSWORD, HERE).await.unwrap();
        for _ in 0..8 {
            refusal(fixture.try_sign_in(CLIENT, "wrong", AWAY).await);
        }
        let fixture = fixture.restarted(Settings { sign_in_rate: 0, ..Settings::default() }).await;
        let away = refusal(fixture.try_sign_in(CLIENT, DEMO_PASSWORD, AWAY).await);
        assert_eq!(away.code(), Code::RateLimited, "even the right password is not looked at");
        assert!(fixture.try_sign_in(CLIENT, DEMO_PASSWORD, HERE).await.is_ok());
    }

    #[tokio::test]
    async fn an_address_has_thirty_attempts_a_minute_whatever_their_outcome() {
        let fixture = ChatFixture::with(Settings { sign_in_rate: 3, ..Settings::default() }, Missing::CreateDemo);
        for _ in 0..3 {
            fixture.try_sign_in(CLIENT, DEMO_PASSWORD, HERE).await.unwrap();
        }
        let refused = refusal(fixture.try_sign_in(CLIENT, DEMO_PASSWORD, HERE).await);
        assert_eq!(refused.code(), Code::RateLimited);
        assert!(fixture.try_sign_in(CLIENT, DEMO_PASSWORD, AWAY).await.is_ok());
        assert_eq!(Settings::default().sign_in_rate, 30);
    }

    #[tokio::test]
    async fn a_weaker_hash_is_replaced_at_the_next_sign_in() {
        let fixture = ChatFixture::demo();
        let weak = argon2::Argon2::new(
            argon2::Algorithm::Argon2id,
            argon2::Version::V0x13,
            argon2::Params::new(64, 1, 1, None).unwrap(),
        );
        let weak = argon2::PasswordHasher::hash_password(&weak, DEMO_PASSWORD.as_bytes()).unwrap().to_string();
        let conn = Connection::open(fixture.path()).unwrap();
        conn.execute("UPDATE users SET password_hash = ?1 WHERE id = 1", [&weak]).unwrap();
        fixture.sign_in("client1").await;
        let (stored, is_demo): (String, bool) = conn
            .query_row("SELECT password_hash, is_demo FROM users WHERE id = 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert!(stored.contains("m=19456,t=2"), "{stored}");
        assert!(is_demo, "the password is still the one that everybody knows");
        fixture.sign_in("client1").await;
    }

    /// Signs the first client in; how many mails about new devices there are then.
    fn mails_after(fixture: &mut RulesFixture, user_agent: &str) -> i64 {
        let user_id = UserId::new(1).unwrap();
        let password = users::find(fixture.conn(), user_id).unwrap().unwrap().password;
        let device = Device { user_agent: Some(user_agent.to_owned()), ..device(HERE) };
        fixture.run(Actor::Anonymous, OpenSession { user_id, password, device }).unwrap();
        let sql = "SELECT count(*) FROM outbox WHERE kind = 'new_device' AND address = ?1";
        fixture.conn().query_row(sql, [CLIENT], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_sign_in_from_a_device_that_was_not_seen_before_is_told_by_mail() {
        let available = Available { email: true, ..Available::default() };
        let notices = Notices { available, mails_anywhere: true, ..Notices::default() };
        let mut fixture = RulesFixture::with(Settings { notices, ..Settings::default() });
        let confirm = |fixture: &RulesFixture, at: Option<i64>| {
            fixture.conn().execute("UPDATE users SET email_confirmed_at = ?1 WHERE id = 1", [at]).unwrap();
        };
        confirm(&fixture, Some(0));
        for (user_agent, mails, what) in [
            ("Firefox/152.0 Linux", 0, "the first one"),
            ("Firefox/153.0.1 Linux", 0, "a newer version of it"),
            ("Chrome/156 Android 17", 1, "another one"),
            ("Chrome/157 Android 17", 1, "it is known by now"),
            ("Safari/20 iPhone", 2, "one more"),
        ] {
            assert_eq!(mails_after(&mut fixture, user_agent), mails, "{what}");
        }
        confirm(&fixture, None);
        assert_eq!(mails_after(&mut fixture, "curl"), 2, "nobody has shown to read what goes to this address");
    }
}
