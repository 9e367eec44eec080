//! Sessions: how a device stays signed in, and how it ends being so.
//!
//! A refresh token works once. Its successor is derived from it, so that a device whose answer was lost, or two of its
//! windows that ask at once, get the same successor again for a moment. Whoever shows a token later, or after its
//! successor was traded, is either a thief or was robbed: the session ends for both.

use std::time::Duration;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::auth::secret::{Digest, Secret};
use crate::chat::access::caller;
use crate::chat::access::throttle;
use crate::chat::contract::command::people::{Device, EndSession, RefreshSession};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::event::{Announcement, Audience, Event, SessionEnding};
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::reply::SessionOpened;
use crate::chat::handle::chat::Chat;
use crate::chat::people::invitations;
use crate::chat::people::sign_in::{SESSION_LIFE, SignedIn};
use crate::model::id::{SessionId, UserId};
use crate::model::session::Session;
use crate::model::timestamp::Timestamp;
use crate::store::{devices, mail_tokens, sessions, users};

/// How long a token that was traded gives the same successor again: the answer may have been lost on the way.
const REPEAT_WITHIN: Duration = Duration::from_secs(30);

impl Chat {
    /// Whether this actor's session is live now. For who is about to keep a door open; a rule checks by itself.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `INTERNAL`.
    pub async fn check_session(&self, actor: Actor) -> Result<(), Error> {
        self.peek(move |conn, now| caller::require_member(conn, actor, now).map(drop)).await
    }

    /// Trades a refresh token for the next pair of tokens.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; the session has ended if the token had been used before.
    pub async fn refresh(&self, refresh_token: String, device: Device) -> Result<SignedIn, Error> {
        let digest = Digest::of_presented(&refresh_token).ok_or(Reason::TokenInvalid)?;
        let successor = self.credentials().successor(&refresh_token);
        let command = RefreshSession { digest, successor, device };
        let opened = self.execute(Actor::Anonymous, command).await?;
        self.sign(opened.ok_or(Reason::TokenInvalid)?)
    }

    /// The caller's devices, the latest used first.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    pub async fn list_sessions(&self, actor: Actor) -> Result<Vec<Session>, Error> {
        self.ask(move |conn, now| {
            let member = caller::require_member(conn, actor, now)?;
            let rows = sessions::list_live(conn, member.user_id, now)?;
            Ok(rows.into_iter().map(|row| shown(row, member.session_id)).collect())
        })
        .await
    }
}

/// The rule of [`RefreshSession`]. A token that comes back too late ends its session and is answered with
/// `None`, for an error would undo that.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub fn refresh(
    conn: &Connection,
    command: &RefreshSession,
    now: Timestamp,
) -> Result<Outcome<Option<SessionOpened>>, Error> {
    let RefreshSession { digest, successor, device } = command;
    let token = sessions::find_token(conn, digest.as_bytes(), now)?.ok_or(Reason::TokenInvalid)?;
    let expires_at = match token.used_at {
        None => now + SESSION_LIFE,
        Some(used_at) => match repeated(conn, used_at, successor, now)? {
            Some(expires_at) => expires_at,
            None => {
                let events = end(conn, token.user_id, token.session_id, SessionEnding::TokenReused, now)?;
                return Ok(Outcome { reply: None, events });
            }
        },
    };
    let user = users::find(conn, token.user_id)?
        .filter(|account| token.is_live && account.profile.is_active)
        .ok_or(Reason::TokenInvalid)?
        .profile;
    if token.used_at.is_none() {
        sessions::set_token_used(conn, digest.as_bytes(), now)?;
        sessions::insert_token(conn, successor.digest().as_bytes(), token.session_id, now, expires_at)?;
    }
    let address = device.address.map(throttle::network);
    let nonce = sessions::set_used(conn, token.session_id, address.as_deref(), now, expires_at)?;
    let (session_id, refresh_token) = (token.session_id, successor.reveal().to_owned());
    Ok(Some(SessionOpened { user, session_id, nonce, refresh_token, expires_at }).into())
}

/// Until when the successor of a token works that was traded a moment ago, if it was not traded itself.
fn repeated(
    conn: &Connection,
    used_at: Timestamp,
    successor: &Secret,
    now: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    if now.since(used_at) >= REPEAT_WITHIN {
        return Ok(None);
    }
    let next = sessions::find_token(conn, successor.digest().as_bytes(), now)?;
    Ok(next.filter(|next| next.used_at.is_none()).map(|next| next.expires_at))
}

/// The rule of `SignOut`.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub fn sign_out(conn: &Connection, actor: Actor, now: Timestamp) -> Result<Outcome<()>, Error> {
    let member = caller::require_member(conn, actor, now)?;
    Ok(Outcome::done(end(conn, member.user_id, member.session_id, SessionEnding::SignedOut, now)?))
}

/// The rule of [`EndSession`].
///
/// # Errors
/// `UNAUTHENTICATED`; `NOT_FOUND` if the caller has no such session.
pub fn end_one(conn: &Connection, actor: Actor, command: &EndSession, now: Timestamp) -> Result<Outcome<()>, Error> {
    let member = caller::require_member(conn, actor, now)?;
    let events = end(conn, member.user_id, command.session_id, SessionEnding::Revoked, now)?;
    if events.is_empty() { Err(Reason::NotFound.into()) } else { Ok(Outcome::done(events)) }
}

/// Ends one of somebody's sessions, if it is going on. Its devices are told nothing any more.
///
/// # Errors
/// `INTERNAL`.
pub fn end(
    conn: &Connection,
    user_id: UserId,
    session_id: SessionId,
    reason: SessionEnding,
    now: Timestamp,
) -> Result<Vec<Announcement>, Error> {
    let ended = sessions::end(conn, user_id, session_id, reason.as_str(), now)?;
    devices::delete_of_session(conn, user_id, session_id)?;
    Ok(if ended { vec![session_ended(user_id, session_id, reason, now)] } else { Vec::new() })
}

/// Ends all of somebody's sessions but `except`. Their devices are told nothing any more. Links that were mailed, and
/// invitations that hand on more than a client's place, work no more: whoever had the account may have asked for them.
///
/// # Errors
/// `INTERNAL`.
pub fn end_all(
    conn: &Connection,
    user_id: UserId,
    except: Option<SessionId>,
    reason: SessionEnding,
    now: Timestamp,
) -> Result<Vec<Announcement>, Error> {
    let ended = sessions::end_all(conn, user_id, except, reason.as_str(), now)?;
    devices::delete_of_user(conn, user_id, except)?;
    mail_tokens::revoke_all(conn, user_id, now)?;
    invitations::revoke_powerful(conn, user_id, now)?;
    Ok(ended.into_iter().map(|session_id| session_ended(user_id, session_id, reason, now)).collect())
}

/// What a session's sockets get when it has ended.
#[must_use]
pub fn session_ended(user_id: UserId, session_id: SessionId, reason: SessionEnding, at: Timestamp) -> Announcement {
    Announcement { audience: Audience::Session(user_id, session_id), event: Event::SessionEnded(reason), at }
}

fn shown(row: sessions::SessionRow, current: SessionId) -> Session {
    Session {
        id: row.id,
        user_agent: row.user_agent,
        address: row.address,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        expires_at: row.expires_at,
        is_current: row.id == current,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::contract::command::people::SignOut;
    use crate::chat::contract::command::system::DetectOutsideWrites;
    use crate::chat::testing::fixtures::{ChatFixture, RulesFixture, device};
    use crate::chat::writer::local_admin::LocalAdmin;

    async fn refresh(fixture: &ChatFixture, token: &str) -> Result<SignedIn, Error> {
        fixture.chat.refresh(token.to_owned(), device("192.0.2.1")).await
    }

    #[tokio::test]
    async fn a_refresh_token_brings_the_next_pair_of_tokens_of_the_same_session() {
        let fixture = ChatFixture::demo();
        let first = fixture.sign_in("client1").await;
        let second = refresh(&fixture, &first.refresh_token).await.unwrap();
        assert_ne!(first.refresh_token, second.refresh_token);
        assert_eq!(
            fixture.actor(&first).caller().map(|c| c.session_id()),
            fixture.actor(&second).caller().map(|c| c.session_id())
        );
        let third = refresh(&fixture, &second.refresh_token).await.unwrap();
        assert!(fixture.is_live(&third).await);
    }

    #[tokio::test]
    async fn a_refresh_token_shown_after_its_successor_was_traded_ends_its_session_for_both() {
        let fixture = ChatFixture::demo();
        let (first, other) = (fixture.sign_in("client1").await, fixture.sign_in("client1").await);
        let second = refresh(&fixture, &first.refresh_token).await.unwrap();
        let third = refresh(&fixture, &second.refresh_token).await.unwrap();
        let refused = refresh(&fixture, &first.refresh_token).await.unwrap_err();
        assert_eq!(refused.reason, Reason::TokenInvalid);
        assert!(!fixture.is_live(&third).await);
        assert!(refresh(&fixture, &third.refresh_token).await.is_err());
        assert_eq!(fixture.endings(), [SessionEnding::TokenReused]);
        assert!(fixture.is_live(&other).await, "another device is not concerned");
    }

    #[tokio::test]
    async fn a_device_whose_answer_was_lost_gets_the_same_successor_again() {
        let fixture = ChatFixture::demo();
        let first = fixture.sign_in("client1").await;
        let lost = refresh(&fixture, &first.refresh_token).await.unwrap();
        let again = refresh(&fixture, &first.refresh_token).await.unwrap();
        assert_eq!(lost.refresh_token, again.refresh_token);
        assert_ne!(lost.access_token, again.access_token);
        assert!(fixture.is_live(&lost).await && fixture.is_live(&again).await);
        let both = tokio::join!(refresh(&fixture, &again.refresh_token), refresh(&fixture, &again.refresh_token));
        assert_eq!(both.0.unwrap().refresh_token, both.1.unwrap().refresh_token, "two at once too");
        assert_eq!(fixture.endings(), []);
    }

    #[test]
    fn half_a_minute_after_it_was_traded_a_token_ends_its_session() {
        let mut fixture = RulesFixture::default();
        let token = Secret::generate().unwrap();
        let session_id = fixture.actor(1).caller().unwrap().session_id();
        let now = fixture.now();
        sessions::insert_token(fixture.conn(), token.digest().as_bytes(), session_id, now, now + SESSION_LIFE).unwrap();
        let command = || RefreshSession {
            digest: token.digest(),
            successor: Secret::successor(&[1; 32], token.reveal()),
            device: Device::default(),
        };
        for (passed, is_repeated) in [(0, true), (29_000, true), (1_001, false)] {
            fixture.pass(Duration::from_millis(passed));
            let outcome = fixture.run(Actor::Anonymous, command()).unwrap();
            assert_eq!(outcome.reply.is_some(), is_repeated, "{passed}");
        }
    }

    #[tokio::test]
    async fn what_is_no_refresh_token_is_refused() {
        let fixture = ChatFixture::demo();
        let signed_in = fixture.sign_in("client1").await;
        for text in ["", "x", &signed_in.access_token, &"0".repeat(64), &signed_in.refresh_token.to_uppercase()] {
            assert_eq!(refresh(&fixture, text).await.unwrap_err().reason, Reason::TokenInvalid);
        }
        assert!(fixture.is_live(&signed_in).await);
    }

    #[tokio::test]
    async fn refresh_tokens_are_stored_as_digests() {
        let fixture = ChatFixture::demo();
        let signed_in = fixture.sign_in("client1").await;
        fixture.chat.close().await;
        let bytes = std::fs::read(fixture.path()).unwrap();
        let needle = signed_in.refresh_token.as_bytes();
        assert!(!bytes.windows(needle.len()).any(|window| window == needle));
    }

    #[tokio::test]
    async fn signing_out_ends_this_session_only() {
        let fixture = ChatFixture::demo();
        let (here, there) = (fixture.sign_in("client1").await, fixture.sign_in("client1").await);
        let actor = fixture.actor(&here);
        fixture.chat.execute(actor, SignOut).await.unwrap();
        assert!(!fixture.is_live(&here).await && fixture.is_live(&there).await);
        assert!(refresh(&fixture, &here.refresh_token).await.is_err());
        assert_eq!(fixture.endings(), [SessionEnding::SignedOut]);
        assert!(fixture.chat.execute(actor, SignOut).await.is_err(), "once is enough");
    }

    #[tokio::test]
    async fn one_sees_and_ends_ones_own_devices_and_nobody_elses() {
        let fixture = ChatFixture::demo();
        let (here, there) = (fixture.sign_in("client1").await, fixture.sign_in("client1").await);
        let stranger = fixture.sign_in("client2").await;
        let list = fixture.chat.list_sessions(fixture.actor(&here)).await.unwrap();
        assert_eq!(list.len(), 2);
        assert_eq!(list.iter().filter(|session| session.is_current).count(), 1);
        assert_eq!(list[0].address.as_deref(), Some("192.0.2.1"));
        let session_id = fixture.actor(&there).caller().unwrap().session_id();
        let end = || EndSession { session_id };
        let refused = fixture.chat.execute(fixture.actor(&stranger), end()).await.unwrap_err();
        assert_eq!(refused.reason, Reason::NotFound);
        assert!(fixture.is_live(&there).await);
        fixture.chat.execute(fixture.actor(&here), end()).await.unwrap();
        assert!(!fixture.is_live(&there).await && fixture.is_live(&here).await);
        assert_eq!(fixture.endings(), [SessionEnding::Revoked]);
    }

    #[tokio::test]
    async fn a_session_that_another_process_ended_is_told_here() {
        let fixture = ChatFixture::demo();
        let signed_in = fixture.sign_in("client1").await;
        let detect = || fixture.chat.execute(Actor::System, DetectOutsideWrites { keys_in_use: 1 });
        assert!(!detect().await.unwrap());
        LocalAdmin::open(&fixture.path()).unwrap().set_active("client1@example.com", false).unwrap();
        assert!(!fixture.is_live(&signed_in).await);
        assert!(detect().await.unwrap());
        assert_eq!(fixture.endings(), [SessionEnding::Disabled]);
        assert!(!detect().await.unwrap(), "news is announced once");
    }

    /// Takes up rotated keys as maintenance does; the number of those in use.
    async fn reload(fixture: &ChatFixture) -> i64 {
        let credentials = fixture.chat.credentials().clone();
        fixture.chat.ask(move |conn, _| credentials.reload(conn)).await.unwrap()
    }

    #[tokio::test]
    async fn keys_that_another_process_rotated_work_no_more_and_sockets_close_once_the_new_ones_are_in_use() {
        let fixture = ChatFixture::demo();
        let signed_in = fixture.sign_in("client1").await;
        let actor = fixture.actor(&signed_in);
        let before = reload(&fixture).await;
        let detect = |keys_in_use| fixture.chat.execute(Actor::System, DetectOutsideWrites { keys_in_use });
        detect(before).await.unwrap();
        LocalAdmin::open(&fixture.path()).unwrap().rotate_keys().unwrap();
        assert!(fixture.chat.check_session(actor).await.is_err(), "what was signed is worth nothing at once");
        assert!(fixture.chat.execute(actor, SignOut).await.is_err(), "for writing neither");
        let meanwhile = fixture.sign_in("client2").await;
        assert!(detect(before).await.unwrap());
        assert_eq!(fixture.endings(), [], "whoever were told now would renew with a key that is about to go");
        let after = reload(&fixture).await;
        assert_ne!(after, before);
        detect(after).await.unwrap();
        assert_eq!(fixture.endings(), [SessionEnding::KeysRotated; 2]);
        detect(reload(&fixture).await).await.unwrap();
        assert_eq!(fixture.endings().len(), 2, "news is announced once");
        for signed_in in [&signed_in, &meanwhile] {
            let renewed = refresh(&fixture, &signed_in.refresh_token).await.unwrap();
            assert!(fixture.is_live(&renewed).await, "nobody is signed out");
        }
    }
}
