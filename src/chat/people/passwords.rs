//! Passwords: changing one's own, setting somebody's, and what may not be chosen.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::auth::hasher::Asker;
use crate::auth::password;
use crate::chat::access::{caller, credentials, throttle};
use crate::chat::contract::command::people::{ChangePassword, Device, FailSignIn, Rehash, SetPassword};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::event::SessionEnding;
use crate::chat::contract::outcome::Outcome;
use crate::chat::handle::chat::Chat;
use crate::chat::people::{accounts, sessions};
use crate::model::locale::Text;
use crate::model::timestamp::Timestamp;
use crate::model::user::PasswordHash;
use crate::store::users;

impl Chat {
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
        password::check(&next, &email).map_err(|weakness| Error::invalid("next", accounts::weakness_text(weakness)))?;
        let credentials = self.credentials();
        let turn = credentials.turn(&email).await;
        let (tried, address) = (email.clone(), device.address);
        self.ask(move |conn, now| throttle::check_account(conn, &tried, address, now)).await?;
        let stored = Some(account.password.0.clone());
        if !credentials.hasher.verify(current, stored, Asker::Known).await.map_err(credentials::refused)?.matches {
            self.execute(Actor::Anonymous, FailSignIn { email, address }).await?;
            return Err(Error::invalid("current", Text::new("est incorrect", "is incorrect")));
        }
        drop(turn);
        let next = PasswordHash(credentials.hasher.hash(next, Asker::Known).await.map_err(credentials::refused)?);
        let command = ChangePassword { current: account.password, next };
        self.execute(actor, command).await.map(drop)
    }
}

/// The rule of [`ChangePassword`].
///
/// # Errors
/// `UNAUTHENTICATED`; `INVALID` if the password was changed since it was checked.
pub fn change_password(
    conn: &Connection,
    actor: Actor,
    command: &ChangePassword,
    now: Timestamp,
) -> Result<Outcome<()>, Error> {
    let member = caller::require_member(conn, actor, now)?;
    let account = users::find(conn, member.user_id)?.ok_or(Reason::TokenInvalid)?;
    if account.password != command.current {
        return Err(Error::invalid("current", Text::new("est incorrect", "is incorrect")));
    }
    users::set_password(conn, member.user_id, &command.next, now)?;
    let reason = SessionEnding::PasswordChanged;
    Ok(Outcome::done(sessions::end_all(conn, member.user_id, Some(member.session_id), reason, now)?))
}

/// The rule of [`SetPassword`]: whoever forgot theirs starts afresh, on every device.
///
/// # Errors
/// `FORBIDDEN` for all but the system; `NOT_FOUND`.
pub fn set_password(
    conn: &Connection,
    actor: Actor,
    command: &SetPassword,
    now: Timestamp,
) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    let profile = accounts::load(conn, command.user_id)?;
    users::set_password(conn, profile.id, &command.password, now)?;
    throttle::forgive(conn, &profile.email, None)?;
    Ok(Outcome::done(sessions::end_all(conn, profile.id, None, SessionEnding::PasswordChanged, now)?))
}

/// The rule of [`Rehash`].
///
/// # Errors
/// `FORBIDDEN` for all but the system.
pub fn rehash(conn: &Connection, actor: Actor, command: &Rehash) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    users::set_stronger_hash(conn, command.user_id, &command.current, &command.next)?;
    Ok(().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::contract::error::Code;
    use crate::chat::testing::fixtures::{ChatFixture, DEMO_PASSWORD, device};
    use crate::model::id::UserId;

    const NEXT: &str = "une phrase assez longue";

    #[tokio::test]
    async fn a_new_password_ends_the_other_sessions_and_the_demo() {
        let fixture = ChatFixture::demo();
        let (here, there) = (fixture.sign_in("client1").await, fixture.sign_in("client1").await);
        let change = |current: &str, next: &str| {
            let (current, next) = (current.to_owned(), next.to_owned());
            let (chat, actor) = (fixture.chat.clone(), fixture.actor(&here));
            async move { chat.change_password(actor, current, next, &device("192.0.2.1")).await }
        };
        assert_eq!(change("wrong", NEXT).await.unwrap_err().details[0].field, "current");
        for weak in ["Pass123!", "client1@example.com", "azertyuiop123"] {
            assert_eq!(change(DEMO_PASSWORD, weak).await.unwrap_err().details[0].field, "next", "{weak}");
        }
        assert!(fixture.is_live(&there).await, "a refused change changes nothing");
        change(DEMO_PASSWORD, NEXT).await.unwrap();
        assert!(fixture.is_live(&here).await && !fixture.is_live(&there).await);
        assert_eq!(fixture.endings(), [SessionEnding::PasswordChanged]);
        assert!(fixture.try_sign_in("client1@example.com", DEMO_PASSWORD, "192.0.2.1").await.is_err());
        assert!(fixture.try_sign_in("client1@example.com", NEXT, "192.0.2.1").await.is_ok());
        let conn = Connection::open(fixture.path()).unwrap();
        assert!(!users::find(&conn, UserId::new(1).unwrap()).unwrap().unwrap().is_demo);
    }

    #[tokio::test]
    async fn the_current_password_cannot_be_guessed_with_a_stolen_token() {
        let fixture = ChatFixture::demo();
        let stolen = fixture.sign_in("client1").await;
        let mut codes = Vec::new();
        for _ in 0..8 {
            let (actor, guess) = (fixture.actor(&stolen), "guess".to_owned());
            let refused = fixture.chat.change_password(actor, guess, NEXT.to_owned(), &device("192.0.2.1")).await;
            codes.push(refused.unwrap_err().code());
        }
        assert_eq!(codes.first(), Some(&Code::Invalid));
        assert_eq!(codes.last(), Some(&Code::RateLimited));
    }
}
