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
use crate::auth::secret::Secret;
use crate::auth::token;
use crate::chat::command::{AdmitAttempt, Command, Device, FailSignIn, OpenSession, Rehash};
use crate::chat::error::{Error, Reason};
use crate::chat::execute::Chat;
use crate::chat::outcome::Outcome;
use crate::chat::reply::{Reply, SessionOpened};
use crate::chat::{credentials, throttle};
use crate::model::timestamp::Timestamp;
use crate::model::user::{PasswordHash, Profile};
use crate::store::users::Account;
use crate::store::{sessions, users};

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
    /// `UNAUTHENTICATED` without telling what was wrong; `RATE_LIMITED` for the account, the address, or because too
    /// many others are signing in.
    pub async fn sign_in(&self, attempt: SignIn) -> Result<SignedIn, Error> {
        let SignIn { email, password, device } = attempt;
        let email = email.trim().to_lowercase();
        self.admit(&device).await?;
        let credentials = self.credentials();
        let turn = credentials.turn(&email).await;
        let account = self.look_up(email.clone(), device.clone()).await?;
        let stored = account.as_ref().map(|account| account.password.0.clone());
        let verdict = credentials.hasher.verify(password.clone(), stored).await.map_err(credentials::refused)?;
        let Some(account) = account.filter(|account| verdict.matches && account.profile.is_active) else {
            let failed = FailSignIn { email, address: device.address };
            self.execute(Actor::Anonymous, Command::FailSignIn(failed)).await?;
            return Err(Reason::CredentialsWrong.into());
        };
        let (user_id, current) = (account.profile.id, account.password);
        let open = OpenSession { user_id, password: current.clone(), device };
        let signed_in = self.open_session(Command::OpenSession(open)).await?;
        drop(turn);
        if verdict.is_stale {
            let next = credentials.hasher.hash(password).await.map_err(credentials::refused)?;
            let rehash = Rehash { user_id, current, next: PasswordHash(next) };
            self.execute(Actor::System, Command::Rehash(rehash)).await?;
        }
        Ok(signed_in)
    }

    /// Counts an attempt to prove who one is against the address it comes from.
    pub(in crate::chat) async fn admit(&self, device: &Device) -> Result<(), Error> {
        let admit = AdmitAttempt { address: device.address };
        self.execute(Actor::Anonymous, Command::AdmitAttempt(admit)).await.map(drop)
    }

    /// Carries out a command of somebody unknown that answers with a session, and signs its access token.
    pub(in crate::chat) async fn open_session(&self, command: Command) -> Result<SignedIn, Error> {
        match self.execute(Actor::Anonymous, command).await? {
            Reply::Session(opened) => self.sign(opened),
            _ => Err(Error::internal("a session was expected")),
        }
    }

    /// Signs the access token of a session.
    pub(in crate::chat) fn sign(&self, opened: SessionOpened) -> Result<SignedIn, Error> {
        let SessionOpened { user, session_id, refresh_token, .. } = opened;
        let life = self.settings().access_token_life;
        let keyring = &self.credentials().tokens;
        let issued = token::issue(keyring, user.id, &user.email, user.role, session_id, life, Timestamp::now());
        let (access_token, expires_at) = issued.map_err(Error::internal)?;
        Ok(SignedIn { access_token, expires_at, refresh_token, user })
    }

    async fn look_up(&self, email: String, device: Device) -> Result<Option<Account>, Error> {
        self.ask(move |conn, now| {
            throttle::check_account(conn, &email, device.address, now)?;
            Ok(users::find_by_email(conn, &email)?)
        })
        .await
    }
}

/// The rule of [`Command::AdmitAttempt`].
///
/// # Errors
/// `RATE_LIMITED`.
pub fn admit(conn: &Connection, command: &AdmitAttempt, per_minute_max: u32, now: Timestamp) -> Result<Outcome, Error> {
    throttle::admit(conn, command.address, per_minute_max, now)?;
    Ok(Reply::Done.into())
}

/// The rule of [`Command::FailSignIn`].
///
/// # Errors
/// `INTERNAL`.
pub fn fail(conn: &Connection, command: &FailSignIn, now: Timestamp) -> Result<Outcome, Error> {
    throttle::count_failure(conn, &command.email, command.address, now)?;
    Ok(Reply::Done.into())
}

/// The rule of [`Command::OpenSession`].
///
/// # Errors
/// `UNAUTHENTICATED` if the account was disabled or got another password since it was checked.
pub fn open(conn: &Connection, command: OpenSession, now: Timestamp) -> Result<Outcome, Error> {
    let account = users::find(conn, command.user_id)?
        .filter(|account| account.profile.is_active && account.password == command.password)
        .ok_or(Reason::CredentialsWrong)?;
    throttle::forgive(conn, &account.profile.email, command.device.address)?;
    users::set_last_sign_in(conn, command.user_id, now)?;
    start(conn, account.profile, &command.device, now)
}

/// Opens a session for somebody who has just proved who they are.
///
/// # Errors
/// `INTERNAL`.
pub fn start(conn: &Connection, user: Profile, device: &Device, now: Timestamp) -> Result<Outcome, Error> {
    let address = device.address.map(throttle::network);
    let expires_at = now + SESSION_LIFE;
    let session_id =
        sessions::insert(conn, user.id, device.user_agent.as_deref(), address.as_deref(), now, expires_at)?;
    let refresh = Secret::generate().map_err(Error::internal)?;
    sessions::insert_token(conn, refresh.digest().as_bytes(), session_id, now, expires_at)?;
    let refresh_token = refresh.reveal().to_owned();
    Ok(Reply::Session(SessionOpened { user, session_id, refresh_token, expires_at }).into())
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
