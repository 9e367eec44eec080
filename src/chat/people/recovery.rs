//! Forgotten passwords: a link by mail, once, for half an hour.
//!
//! Whoever asks is answered before anything is looked up, so neither the answer nor its time says whether there is such an
//! account. The link proves that they read what is mailed to the address, so it confirms the address as well.

use std::time::Duration;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::auth::hasher::Asker;
use crate::auth::password;
use crate::auth::secret::{Digest, Secret};
use crate::chat::access::{credentials, throttle};
use crate::chat::contract::command::people::{Device, RequestPasswordReset, ResetPassword};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::event::SessionEnding;
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::reply::SessionOpened;
use crate::chat::handle::chat::Chat;
use crate::chat::notices::post::{Letter, Post};
use crate::chat::people::sign_in::{self, SignedIn};
use crate::chat::people::{accounts, sessions};
use crate::model::delivery::DeliveryKind;
use crate::model::email;
use crate::model::timestamp::Timestamp;
use crate::model::user::PasswordHash;
use crate::store::mail_tokens::{self, Purpose};
use crate::store::users;

/// How long the link works.
const LINK_LIFE: Duration = Duration::from_secs(30 * 60);

/// Links that one account is sent in an hour.
pub(super) const LINKS_MAX: i64 = 3;

/// The hour.
pub(super) const LINKS_WINDOW: Duration = Duration::from_secs(60 * 60);

impl Chat {
    /// Has a link mailed to whoever forgot their password, if there is such an account. It is answered before that is known.
    ///
    /// # Errors
    /// `CONFLICT` where no mail is set up.
    pub fn forgot_password(&self, email: &str, device: &Device) -> Result<(), Error> {
        if !self.settings().notices.available.email {
            return Err(Reason::ChannelOff.into());
        }
        let command = RequestPasswordReset { email: email::spelling(email), address: device.address };
        drop(self.submit(Actor::Anonymous, command));
        Ok(())
    }

    /// Sets another password by the link that was mailed, and signs its owner in.
    ///
    /// # Errors
    /// `NOT_FOUND` for a link that does not work, `INVALID`, `RATE_LIMITED`.
    pub async fn reset_password(&self, token: &str, next: String, device: Device) -> Result<SignedIn, Error> {
        self.admit(&device).await?;
        let digest = Digest::of_presented(token).ok_or(Reason::NotFound)?;
        let email = self
            .ask(move |conn, now| {
                let link = mail_tokens::find(conn, digest.as_bytes(), Purpose::Password, now)?;
                Ok(link.ok_or(Reason::NotFound)?.email)
            })
            .await?;
        password::check(&next, &email)
            .map_err(|weakness| Error::invalid("password", accounts::weakness_text(weakness)))?;
        let hash = self.credentials().hasher.hash(next, Asker::Known).await.map_err(credentials::refused)?;
        self.open_session(ResetPassword { digest, password: PasswordHash(hash), device }).await
    }
}

/// The rule of [`RequestPasswordReset`]. Nothing of it is refused, for nobody is told.
///
/// # Errors
/// `INTERNAL`.
pub fn request(
    conn: &Connection,
    command: &RequestPasswordReset,
    now: Timestamp,
    post: Post<'_>,
) -> Result<Outcome<()>, Error> {
    if throttle::count_forgotten(conn, command.address, now)? {
        return Ok(().into());
    }
    let Some(account) = users::find_by_email(conn, &command.email)? else { return Ok(().into()) };
    let profile = account.profile;
    let is_meant = profile.is_active && post.takes(&profile.email);
    let sent = mail_tokens::count_since(conn, profile.id, Purpose::Password, now - LINKS_WINDOW)?;
    if !is_meant || sent >= LINKS_MAX {
        return Ok(().into());
    }
    let secret = Secret::generate().map_err(Error::internal)?;
    let (digest, expires_at) = (secret.digest(), now + LINK_LIFE);
    let whose = (profile.id, Purpose::Password);
    mail_tokens::insert(conn, digest.as_bytes(), whose, &profile.email, now, expires_at)?;
    let letter = Letter {
        kind: DeliveryKind::Password,
        user_id: Some(profile.id),
        secret: Some(secret.reveal()),
        locale: profile.locale,
    };
    post.mail(conn, &letter, &profile.email, expires_at, now)?;
    Ok(().into())
}

/// The rule of [`ResetPassword`]: all sessions and devices end, and what was counted against the account is forgotten.
///
/// # Errors
/// `NOT_FOUND` for a link that does not work.
pub fn reset(conn: &Connection, command: &ResetPassword, now: Timestamp) -> Result<Outcome<SessionOpened>, Error> {
    let hash = command.digest.as_bytes();
    let link = mail_tokens::find(conn, hash, Purpose::Password, now)?.ok_or(Reason::NotFound)?;
    let profile = accounts::load(conn, link.user_id)?;
    if profile.email != link.email {
        return Err(Reason::NotFound.into());
    }
    mail_tokens::set_used(conn, hash, now)?;
    users::set_password(conn, profile.id, &command.password, now)?;
    users::set_email_confirmed(conn, profile.id, now)?;
    users::set_last_sign_in(conn, profile.id, now)?;
    throttle::forgive_everywhere(conn, &profile.email)?;
    let events = sessions::end_all(conn, profile.id, None, SessionEnding::PasswordChanged, now)?;
    let Outcome { reply, .. } = sign_in::start(conn, profile, &command.device, now)?;
    Ok(Outcome { reply, events })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::contract::command::people::{ChangePassword, EndUserSessions, SetPassword, UpdateUser};
    use crate::chat::contract::settings::{Notices, Settings};
    use crate::chat::testing::fixtures::RulesFixture;
    use crate::model::id::UserId;
    use crate::model::notices::Available;

    fn fixture() -> RulesFixture {
        let available = Available { email: true, ..Available::default() };
        let notices = Notices { available, mails_anywhere: true, ..Notices::default() };
        RulesFixture::with(Settings { notices, ..Settings::default() })
    }

    fn ask(fixture: &mut RulesFixture, email: &str, from: &str) {
        let command = RequestPasswordReset { email: email.to_owned(), address: Some(from.parse().unwrap()) };
        fixture.run(Actor::Anonymous, command).unwrap();
    }

    /// The secrets of the mails that wait, the oldest first.
    fn secrets(fixture: &RulesFixture) -> Vec<String> {
        let mut statement = fixture.conn().prepare("SELECT secret FROM outbox WHERE kind = 'password'").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    fn reset_by(secret: &str) -> ResetPassword {
        let digest = Digest::of_presented(secret).unwrap();
        ResetPassword { digest, password: PasswordHash("new".to_owned()), device: Device::default() }
    }

    #[test]
    fn a_link_works_once_and_ends_what_was_before() {
        let mut fixture = fixture();
        let before = fixture.actor(1);
        for _ in 0..6 {
            throttle::count_failure(fixture.conn(), "client1@example.com", None, fixture.now()).unwrap();
        }
        ask(&mut fixture, "client1@example.com", "192.0.2.1");
        let secret = secrets(&fixture).remove(0);
        let outcome = fixture.run(Actor::Anonymous, reset_by(&secret)).unwrap();
        assert_eq!((outcome.reply.user.id.as_i64(), outcome.events.len()), (1, 1));
        let gone = crate::chat::access::caller::require_member(fixture.conn(), before, fixture.now());
        assert!(gone.is_err(), "the session of before has ended");
        let again = fixture.run(Actor::Anonymous, reset_by(&secret)).unwrap_err();
        assert_eq!(again.reason, Reason::NotFound);
        throttle::check_account(fixture.conn(), "client1@example.com", None, fixture.now()).unwrap();
        let confirmed: bool = fixture
            .conn()
            .query_row("SELECT email_confirmed_at IS NOT NULL FROM users WHERE id = 1", [], |row| row.get(0))
            .unwrap();
        assert!(confirmed);
    }

    #[test]
    fn links_of_before_end_with_the_password_the_sessions_and_the_account() {
        let on = |is_active| UpdateUser { user_id: UserId::new(1).unwrap(), name: None, role: None, is_active };
        type Ending = fn(&mut RulesFixture);
        let endings: [(&str, Ending); 4] = [
            ("another password", |fixture| {
                let password = PasswordHash("new".to_owned());
                fixture.run(Actor::System, SetPassword { user_id: UserId::new(1).unwrap(), password }).unwrap();
            }),
            ("one's own other password", |fixture| {
                let me = fixture.actor(1);
                let current = users::find(fixture.conn(), UserId::new(1).unwrap()).unwrap().unwrap().password;
                fixture.run(me, ChangePassword { current, next: PasswordHash("new".to_owned()) }).unwrap();
            }),
            ("a reset", |fixture| {
                ask(fixture, "client1@example.com", "192.0.2.1");
                let secret = secrets(fixture).pop().unwrap();
                fixture.run(Actor::Anonymous, reset_by(&secret)).unwrap();
            }),
            ("all sessions ended", |fixture| {
                let admin = fixture.actor(11);
                fixture.run(admin, EndUserSessions { user_id: UserId::new(1).unwrap() }).unwrap();
            }),
        ];
        let works = |fixture: &RulesFixture, purpose| {
            mail_tokens::find(fixture.conn(), &[7; 32], purpose, fixture.now()).unwrap().is_some()
        };
        let mut disabled = fixture();
        for purpose in [Purpose::Password, Purpose::Email] {
            let link = |fixture: &RulesFixture| {
                let (now, whose) = (fixture.now(), (UserId::new(1).unwrap(), purpose));
                mail_tokens::insert(fixture.conn(), &[7; 32], whose, "a@b.fr", now, now + LINK_LIFE).unwrap();
                assert!(works(fixture, purpose));
            };
            for (name, end) in endings {
                let mut fixture = fixture();
                link(&fixture);
                end(&mut fixture);
                assert!(!works(&fixture, purpose), "{purpose:?} after {name}");
            }
            disabled.conn().execute("DELETE FROM mail_tokens", []).unwrap();
            link(&disabled);
            let admin = disabled.actor(11);
            disabled.run(admin, on(Some(false))).unwrap();
            disabled.run(admin, on(Some(true))).unwrap();
            assert!(!works(&disabled, purpose), "{purpose:?} after the account was disabled");
        }
    }

    #[test]
    fn only_the_latest_link_works_and_only_for_half_an_hour() {
        let mut fixture = fixture();
        ask(&mut fixture, "client1@example.com", "192.0.2.1");
        ask(&mut fixture, "client1@example.com", "192.0.2.1");
        let secrets = secrets(&fixture);
        assert!(fixture.run(Actor::Anonymous, reset_by(&secrets[0])).is_err());
        fixture.pass(LINK_LIFE);
        assert!(fixture.run(Actor::Anonymous, reset_by(&secrets[1])).is_err());
        fixture.set_clock_right();
        assert!(fixture.run(Actor::Anonymous, reset_by(&secrets[1])).is_ok());
    }

    #[test]
    fn three_an_hour_go_to_an_account_and_ten_come_from_an_address() {
        let mut fixture = fixture();
        for _ in 0..5 {
            ask(&mut fixture, "client1@example.com", "192.0.2.1");
        }
        assert_eq!(secrets(&fixture).len(), 3);
        for number in 2..=5 {
            ask(&mut fixture, &format!("client{number}@example.com"), "192.0.2.1");
            ask(&mut fixture, &format!("juriste{number}@example.com"), "192.0.2.1");
        }
        assert_eq!(secrets(&fixture).len(), 8, "five were asked for before, and five more counted");
        ask(&mut fixture, "juriste5@example.com", "192.0.2.2");
        assert_eq!(secrets(&fixture).len(), 9, "another address is not concerned");
        fixture.pass(LINKS_WINDOW + Duration::from_secs(1));
        ask(&mut fixture, "client1@example.com", "192.0.2.1");
        assert_eq!(secrets(&fixture).len(), 10);
    }

    #[test]
    fn nobody_else_is_mailed() {
        let mut fixture = fixture();
        ask(&mut fixture, "nobody@example.com", "192.0.2.1");
        fixture.conn().execute("UPDATE users SET is_active = 0 WHERE id = 2", []).unwrap();
        ask(&mut fixture, "client2@example.com", "192.0.2.1");
        assert!(secrets(&fixture).is_empty());
        let available = Available { email: true, ..Available::default() };
        let notices = Notices { available, ..Notices::default() };
        let mut elsewhere = RulesFixture::with(Settings { notices, ..Settings::default() });
        ask(&mut elsewhere, "client1@example.com", "192.0.2.1");
        assert!(secrets(&elsewhere).is_empty(), "an address for examples");
    }
}
