//! Sessions: how a device stays signed in, and how it ends being so.
//!
//! A refresh token works once. Whoever shows it again is either a thief or was robbed, so the session ends for both.
//! Only a second request that comes while the first is still being answered is merely refused: that is one device
//! that asked twice.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::auth::secret::{Digest, Secret};
use crate::chat::access;
use crate::chat::command::{Command, Device, EndSession, RefreshSession};
use crate::chat::error::{Error, Reason};
use crate::chat::event::{Audience, Event, SessionEnding, Told};
use crate::chat::execute::Chat;
use crate::chat::outcome::Outcome;
use crate::chat::reply::{Reply, SessionOpened};
use crate::chat::sign_in::{SESSION_LIFE, SignedIn};
use crate::chat::throttle;
use crate::model::id::{SessionId, UserId};
use crate::model::session::Session;
use crate::model::timestamp::Timestamp;
use crate::store::{sessions, users};

impl Chat {
    /// Trades a refresh token for the next pair of tokens.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; the session has ended if the token had been used before.
    pub async fn refresh(&self, refresh_token: String, device: Device) -> Result<SignedIn, Error> {
        let digest = Digest::of_presented(&refresh_token).ok_or(Reason::TokenInvalid)?;
        let _trade = self.credentials().begin_trade(digest).ok_or(Reason::TokenInvalid)?;
        let command = RefreshSession { refresh_token, device };
        match self.execute(Actor::Anonymous, Command::RefreshSession(command)).await? {
            Reply::Session(opened) => self.sign(opened),
            _ => Err(Reason::TokenInvalid.into()),
        }
    }

    /// The caller's devices, the latest used first.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    pub async fn list_sessions(&self, actor: Actor) -> Result<Vec<Session>, Error> {
        self.ask(move |conn, now| {
            let member = access::require_member(conn, actor, now)?;
            let rows = sessions::list_live(conn, member.user_id, now)?;
            Ok(rows.into_iter().map(|row| shown(row, member.session_id)).collect())
        })
        .await
    }
}

/// The rule of [`Command::RefreshSession`]. A token that was used before ends its session and is answered with
/// [`Reply::Done`], for an error would undo that.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub fn refresh(conn: &Connection, command: &RefreshSession, now: Timestamp) -> Result<Outcome, Error> {
    let digest = Digest::of_presented(&command.refresh_token).ok_or(Reason::TokenInvalid)?;
    let token = sessions::find_token(conn, digest.as_bytes(), now)?.ok_or(Reason::TokenInvalid)?;
    if token.is_used {
        let events = end(conn, token.user_id, token.session_id, SessionEnding::TokenReused, now)?;
        return Ok(Outcome::done(events));
    }
    let account = users::find(conn, token.user_id)?
        .filter(|account| token.is_live && account.profile.is_active)
        .ok_or(Reason::TokenInvalid)?;
    sessions::set_token_used(conn, digest.as_bytes(), now)?;
    let next = Secret::generate().map_err(Error::internal)?;
    let expires_at = now + SESSION_LIFE;
    sessions::insert_token(conn, next.digest().as_bytes(), token.session_id, now, expires_at)?;
    let address = command.device.address.map(throttle::network);
    sessions::set_used(conn, token.session_id, address.as_deref(), now, expires_at)?;
    let refresh_token = next.reveal().to_owned();
    let user = account.profile;
    Ok(Reply::Session(SessionOpened { user, session_id: token.session_id, refresh_token, expires_at }).into())
}

/// The rule of [`Command::SignOut`].
///
/// # Errors
/// `UNAUTHENTICATED`.
pub fn sign_out(conn: &Connection, actor: Actor, now: Timestamp) -> Result<Outcome, Error> {
    let member = access::require_member(conn, actor, now)?;
    Ok(Outcome::done(end(conn, member.user_id, member.session_id, SessionEnding::SignedOut, now)?))
}

/// The rule of [`Command::EndSession`].
///
/// # Errors
/// `UNAUTHENTICATED`; `NOT_FOUND` if the caller has no such session.
pub fn end_one(conn: &Connection, actor: Actor, command: &EndSession, now: Timestamp) -> Result<Outcome, Error> {
    let member = access::require_member(conn, actor, now)?;
    let events = end(conn, member.user_id, command.session_id, SessionEnding::Revoked, now)?;
    if events.is_empty() { Err(Reason::NotFound.into()) } else { Ok(Outcome::done(events)) }
}

/// Ends one of somebody's sessions, if it is going on.
///
/// # Errors
/// `INTERNAL`.
pub fn end(
    conn: &Connection,
    user_id: UserId,
    session_id: SessionId,
    reason: SessionEnding,
    now: Timestamp,
) -> Result<Vec<Told>, Error> {
    let ended = sessions::end(conn, user_id, session_id, reason.as_str(), now)?;
    Ok(if ended { vec![told(user_id, session_id, reason, now)] } else { Vec::new() })
}

/// Ends all of somebody's sessions but `except`.
///
/// # Errors
/// `INTERNAL`.
pub fn end_all(
    conn: &Connection,
    user_id: UserId,
    except: Option<SessionId>,
    reason: SessionEnding,
    now: Timestamp,
) -> Result<Vec<Told>, Error> {
    let ended = sessions::end_all(conn, user_id, except, reason.as_str(), now)?;
    Ok(ended.into_iter().map(|session_id| told(user_id, session_id, reason, now)).collect())
}

/// What a session's sockets are told when it has ended.
#[must_use]
pub fn told(user_id: UserId, session_id: SessionId, reason: SessionEnding, at: Timestamp) -> Told {
    Told { audience: Audience::Session(user_id, session_id), event: Event::SessionEnded(reason), at }
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
    use crate::chat::offline::Office;
    use crate::chat::stage::{Stage, device};

    async fn refresh(stage: &Stage, token: &str) -> Result<SignedIn, Error> {
        stage.chat.refresh(token.to_owned(), device("192.0.2.1")).await
    }

    #[tokio::test]
    async fn a_refresh_token_brings_the_next_pair_of_tokens_of_the_same_session() {
        let stage = Stage::demo();
        let first = stage.sign_in("client1").await;
        let second = refresh(&stage, &first.refresh_token).await.unwrap();
        assert_ne!(first.refresh_token, second.refresh_token);
        assert_eq!(
            stage.actor(&first).caller().map(|c| c.session_id()),
            stage.actor(&second).caller().map(|c| c.session_id())
        );
        let third = refresh(&stage, &second.refresh_token).await.unwrap();
        assert!(stage.is_live(&third).await);
    }

    #[tokio::test]
    async fn a_refresh_token_shown_again_ends_its_session_for_both() {
        let stage = Stage::demo();
        let (first, other) = (stage.sign_in("client1").await, stage.sign_in("client1").await);
        let second = refresh(&stage, &first.refresh_token).await.unwrap();
        let refused = refresh(&stage, &first.refresh_token).await.unwrap_err();
        assert_eq!(refused.reason, Reason::TokenInvalid);
        assert!(!stage.is_live(&second).await);
        assert!(refresh(&stage, &second.refresh_token).await.is_err());
        assert_eq!(stage.endings(), [SessionEnding::TokenReused]);
        assert!(stage.is_live(&other).await, "another device is not concerned");
    }

    #[tokio::test]
    async fn of_two_at_once_one_wins_and_the_session_goes_on() {
        let stage = Stage::demo();
        let first = stage.sign_in("client1").await;
        let both = tokio::join!(refresh(&stage, &first.refresh_token), refresh(&stage, &first.refresh_token));
        let winners: Vec<SignedIn> = [both.0, both.1].into_iter().flatten().collect();
        assert_eq!(winners.len(), 1);
        assert!(stage.is_live(&winners[0]).await);
        assert_eq!(stage.endings(), []);
    }

    #[tokio::test]
    async fn what_is_no_refresh_token_is_refused() {
        let stage = Stage::demo();
        let signed_in = stage.sign_in("client1").await;
        for text in ["", "x", &signed_in.access_token, &"0".repeat(64), &signed_in.refresh_token.to_uppercase()] {
            assert_eq!(refresh(&stage, text).await.unwrap_err().reason, Reason::TokenInvalid);
        }
        assert!(stage.is_live(&signed_in).await);
    }

    #[tokio::test]
    async fn refresh_tokens_are_stored_as_digests() {
        let stage = Stage::demo();
        let signed_in = stage.sign_in("client1").await;
        stage.chat.close().await;
        let bytes = std::fs::read(stage.path()).unwrap();
        let needle = signed_in.refresh_token.as_bytes();
        assert!(!bytes.windows(needle.len()).any(|window| window == needle));
    }

    #[tokio::test]
    async fn signing_out_ends_this_session_only() {
        let stage = Stage::demo();
        let (here, there) = (stage.sign_in("client1").await, stage.sign_in("client1").await);
        let actor = stage.actor(&here);
        stage.chat.execute(actor, Command::SignOut).await.unwrap();
        assert!(!stage.is_live(&here).await && stage.is_live(&there).await);
        assert!(refresh(&stage, &here.refresh_token).await.is_err());
        assert_eq!(stage.endings(), [SessionEnding::SignedOut]);
        assert!(stage.chat.execute(actor, Command::SignOut).await.is_err(), "once is enough");
    }

    #[tokio::test]
    async fn one_sees_and_ends_ones_own_devices_and_nobody_elses() {
        let stage = Stage::demo();
        let (here, there) = (stage.sign_in("client1").await, stage.sign_in("client1").await);
        let stranger = stage.sign_in("client2").await;
        let list = stage.chat.list_sessions(stage.actor(&here)).await.unwrap();
        assert_eq!(list.len(), 2);
        assert_eq!(list.iter().filter(|session| session.is_current).count(), 1);
        assert_eq!(list[0].address.as_deref(), Some("192.0.2.1"));
        let session_id = stage.actor(&there).caller().unwrap().session_id();
        let end = || Command::EndSession(EndSession { session_id });
        let refused = stage.chat.execute(stage.actor(&stranger), end()).await.unwrap_err();
        assert_eq!(refused.reason, Reason::NotFound);
        assert!(stage.is_live(&there).await);
        stage.chat.execute(stage.actor(&here), end()).await.unwrap();
        assert!(!stage.is_live(&there).await && stage.is_live(&here).await);
        assert_eq!(stage.endings(), [SessionEnding::Revoked]);
    }

    #[tokio::test]
    async fn a_session_that_another_process_ended_is_told_here() {
        let stage = Stage::demo();
        let signed_in = stage.sign_in("client1").await;
        let notice = || stage.chat.execute(Actor::System, Command::Notice);
        assert!(matches!(notice().await.unwrap(), Reply::Noticed(false)));
        Office::open(&stage.path()).unwrap().set_active("client1@example.com", false).unwrap();
        assert!(!stage.is_live(&signed_in).await);
        assert!(matches!(notice().await.unwrap(), Reply::Noticed(true)));
        assert_eq!(stage.endings(), [SessionEnding::Disabled]);
        assert!(matches!(notice().await.unwrap(), Reply::Noticed(false)), "news is told once");
    }
}
