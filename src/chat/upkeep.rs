//! What has to be done now and then: forgetting what is over, noticing keys that another process changed, and whether
//! demo accounts are still there.

use std::time::Duration;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat;
use crate::chat::command::Command;
use crate::chat::error::Error;
use crate::chat::event::SessionEnding;
use crate::chat::execute::Chat;
use crate::chat::outcome::Outcome;
use crate::chat::reply::Reply;
use crate::chat::{access, keys, throttle};
use crate::model::timestamp::Timestamp;
use crate::store::words::Keeper;
use crate::store::{attachments, invitations, sessions};

/// How often it is looked whether another process has written.
const NOTICED_EVERY: Duration = Duration::from_millis(500);

/// How often it is looked what is over, in looks at other processes: every five minutes.
const LOOKS_PER_TIDY: u32 = 600;

/// How far back in time another process can have ended a session that is news here.
const NEWS_MARGIN: Duration = Duration::from_secs(60);

/// How long a file waits for a message.
const LOOSE_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long an ended session is remembered, and with it the address that its owner came from.
const ENDED_SESSION_LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How long an invitation that nobody used is remembered.
const EXPIRED_INVITATION_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Files removed in one change: each can be a hundred megabytes, and others wait for the pen.
const FILES_AT_ONCE: usize = 4;

impl Chat {
    /// Does what has to be done now and then, for as long as it is polled. An error is logged and tried again.
    pub async fn look_after(&self) {
        let mut looks_until_tidy = 0;
        loop {
            if looks_until_tidy == 0 {
                looks_until_tidy = self.looks_after_tidy().await;
            }
            looks_until_tidy -= 1;
            if let Err(refusal) = self.execute(Actor::System, Command::IndexWords).await {
                tracing::debug!(%refusal, "the latest messages could not be indexed");
            }
            if matches!(self.execute(Actor::System, Command::Notice).await, Ok(Reply::Noticed(true))) {
                self.read_keys().await;
            }
            if let Err(refusal) = self.look_for_demo_accounts().await {
                tracing::debug!(%refusal, "whether there are demo accounts is as it was known before");
            }
            tokio::time::sleep(NOTICED_EVERY).await;
        }
    }

    /// Removes what is over; tells in how many looks there is a reason to come back.
    async fn looks_after_tidy(&self) -> u32 {
        match self.execute(Actor::System, Command::Tidy).await {
            Ok(Reply::Tidied(true)) => 1,
            Ok(_) => LOOKS_PER_TIDY,
            Err(refusal) => {
                tracing::warn!(%refusal, "what is over could not be removed");
                LOOKS_PER_TIDY
            }
        }
    }

    async fn read_keys(&self) {
        let credentials = self.credentials().clone();
        if let Err(refusal) = self.ask(move |conn, now| credentials.reload(conn, now)).await {
            tracing::warn!(%refusal, "the signing keys could not be read again");
        }
    }
}

/// What is known of other processes that write to the same database: the command line, beside a server.
#[derive(Debug, Default)]
pub struct Others {
    seen: Option<i64>,
    looked_at: Timestamp,
}

impl Others {
    /// The rule of [`Command::Notice`]: tells the sockets of the sessions that another process has ended. One that is told
    /// twice is over all the same.
    ///
    /// # Errors
    /// `FORBIDDEN` for all but the system.
    pub fn notice(&mut self, conn: &Connection, actor: Actor, now: Timestamp) -> Result<Outcome, Error> {
        access::require_system(actor)?;
        let version = sessions::others_version(conn)?;
        let is_news = self.seen.is_some_and(|seen| seen != version);
        let mut events = Vec::new();
        if is_news {
            for (user_id, session_id, reason) in sessions::list_ended(conn, self.looked_at - NEWS_MARGIN)? {
                let reason = SessionEnding::find(&reason).unwrap_or(SessionEnding::Revoked);
                events.push(chat::sessions::told(user_id, session_id, reason, now));
            }
        }
        *self = Self { seen: Some(version), looked_at: now };
        Ok(Outcome { reply: Reply::Noticed(is_news), events })
    }
}

/// The rule of [`Command::IndexWords`].
///
/// # Errors
/// `FORBIDDEN` for all but the system.
pub fn index_words(conn: &Connection, actor: Actor, index: &mut Keeper) -> Result<Outcome, Error> {
    access::require_system(actor)?;
    index.catch_up(conn)?;
    Ok(Reply::Done.into())
}

/// The rule of [`Command::Tidy`].
///
/// # Errors
/// `FORBIDDEN` for all but the system.
pub fn tidy(conn: &Connection, actor: Actor, now: Timestamp) -> Result<Outcome, Error> {
    access::require_system(actor)?;
    let removed = attachments::delete_loose(conn, now - LOOSE_LIFE, FILES_AT_ONCE)?;
    sessions::delete_expired_tokens(conn, now)?;
    sessions::delete_over(conn, now - ENDED_SESSION_LIFE)?;
    invitations::delete_over(conn, now - EXPIRED_INVITATION_LIFE)?;
    throttle::tidy(conn, now)?;
    keys::tidy(conn, now)?;
    Ok(Reply::Tidied(removed == FILES_AT_ONCE).into())
}
