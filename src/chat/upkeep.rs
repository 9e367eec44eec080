//! What has to be done now and then: forgetting what is over, and noticing keys that another process changed.

use std::time::Duration;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::command::Command;
use crate::chat::error::Error;
use crate::chat::execute::Chat;
use crate::chat::outcome::Outcome;
use crate::chat::reply::Reply;
use crate::chat::{access, keys, throttle};
use crate::model::timestamp::Timestamp;
use crate::store::{attachments, invitations, sessions};

/// How often it is looked what is over. Less than a rotated key goes on to verify for others to notice.
const EVERY: Duration = Duration::from_secs(300);

/// How long a file waits for a message.
const LOOSE_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long an ended session is remembered, and with it the address that its owner came from.
const ENDED_SESSION_LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How long an invitation that nobody used is remembered.
const EXPIRED_INVITATION_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Files removed in one change: each can be a hundred megabytes, and others wait for the pen.
const FILES_AT_ONCE: i64 = 4;

impl Chat {
    /// Does what has to be done now and then, for as long as it is polled. An error is logged and tried again.
    pub async fn look_after(&self) {
        loop {
            if let Err(refusal) = self.execute(Actor::System, Command::Tidy).await {
                tracing::warn!(%refusal, "what is over could not be removed");
            }
            let credentials = self.credentials().clone();
            if let Err(refusal) = self.ask(move |conn, now| credentials.reload(conn, now)).await {
                tracing::warn!(%refusal, "the signing keys could not be read again");
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}

/// The rule of [`Command::Tidy`].
///
/// # Errors
/// `FORBIDDEN` for all but the system.
pub fn tidy(conn: &Connection, actor: Actor, now: Timestamp) -> Result<Outcome, Error> {
    access::require_system(actor)?;
    attachments::delete_loose(conn, now - LOOSE_LIFE, FILES_AT_ONCE)?;
    sessions::delete_expired_tokens(conn, now)?;
    sessions::delete_over(conn, now - ENDED_SESSION_LIFE)?;
    invitations::delete_over(conn, now - EXPIRED_INVITATION_LIFE)?;
    throttle::tidy(conn, now)?;
    keys::tidy(conn, now)?;
    Ok(Reply::Done.into())
}
