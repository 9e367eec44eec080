//! What has to be done now and then: forgetting what is over, noticing keys that another process changed, and whether
//! demo accounts are still there. Calls end here when their time is over.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::context::Context;
use crate::chat::access::{self, caller, throttle};
use crate::chat::calls::deadlines::Deadlines;
use crate::chat::calls::{keeping, service};
use crate::chat::contract::command::SystemCommand;
use crate::chat::contract::command::system::{DetectOutsideWrites, EndCalls, IndexMessages, RemoveDiscarded, Tidy};
use crate::chat::contract::error::Error;
use crate::chat::contract::event::SessionEnding;
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::request::Applied;
use crate::chat::handle::chat::Chat;
use crate::chat::people::sessions::session_ended;
use crate::model::timestamp::Timestamp;
use crate::store::fulltext::Indexer;
use crate::store::{attachments, devices, invitations, mail_tokens, outbox, sessions};

/// How often it is looked whether another process has written.
const NOTICED_EVERY: Duration = Duration::from_millis(500);

/// How often it is looked what is over, in looks at other processes: every five minutes.
const LOOKS_PER_TIDY: u32 = 600;

/// The same for the first time: the clock of a machine that has just booted may be set right in its first moments.
const LOOKS_BEFORE_TIDY: u32 = 10;

/// How far back in time another process can have ended a session that is news here.
const NEWS_MARGIN: Duration = Duration::from_secs(60);

/// By how much the clock must be off what was measured to count as having been set.
const CLOCK_JUMP_MS: i64 = 5_000;

/// How long a file waits for a message.
const LOOSE_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long an ended session is remembered, and with it the address that its owner came from.
const ENDED_SESSION_LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How long it is remembered what left the house.
const DELIVERY_LIFE: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// How long a link that was mailed is remembered after it stopped working.
const MAIL_TOKEN_LIFE: Duration = Duration::from_secs(60 * 60);

/// How long a device is told something after it last registered: the page registers at each start.
const DEVICE_LIFE: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// How long an invitation that nobody used is remembered.
const EXPIRED_INVITATION_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Files given up in one change.
const FILES_AT_ONCE: usize = 4;

/// Parts of deleted files that are overwritten in one change: two megabytes.
const PARTS_AT_ONCE: usize = 16;

impl Chat {
    /// Does what has to be done now and then, for as long as it is polled. An error is logged and tried again.
    pub async fn run_maintenance(&self) {
        let mut looks_until_tidy = LOOKS_BEFORE_TIDY;
        let mut clock = ClockWatch::new(Timestamp::now(), Instant::now());
        loop {
            if let Some(jump) = clock.look(Timestamp::now(), Instant::now()) {
                tracing::warn!(seconds = jump, "the system clock was set: nothing that is over is removed for a while");
                looks_until_tidy = LOOKS_PER_TIDY;
            }
            if looks_until_tidy == 0 {
                looks_until_tidy = self.looks_after_tidy().await;
            }
            looks_until_tidy -= 1;
            if let Err(refusal) = self.execute(Actor::System, IndexMessages).await {
                tracing::debug!(%refusal, "the latest messages could not be indexed");
            }
            self.look_at_other_processes().await;
            while matches!(self.execute(Actor::System, RemoveDiscarded).await, Ok(true)) {}
            if let Err(refusal) = self.execute(Actor::System, EndCalls).await {
                tracing::warn!(%refusal, "calls whose time is over could not be ended");
            }
            if let Err(refusal) = self.look_for_demo_accounts().await {
                tracing::debug!(%refusal, "whether there are demo accounts is as it was known before");
            }
            tokio::time::sleep(NOTICED_EVERY).await;
        }
    }

    /// Removes what is over; returns in how many looks there is a reason to come back.
    async fn looks_after_tidy(&self) -> u32 {
        match self.execute(Actor::System, Tidy).await {
            Ok(true) => 1,
            Ok(false) => LOOKS_PER_TIDY,
            Err(refusal) => {
                tracing::warn!(%refusal, "what is over could not be removed");
                LOOKS_PER_TIDY
            }
        }
    }

    /// Takes up keys that another process has rotated, and only then closes the sockets that came with the ones before.
    async fn look_at_other_processes(&self) {
        let credentials = self.credentials().clone();
        match self.peek(move |conn, _| credentials.reload(conn)).await {
            Ok(keys_in_use) => {
                if let Err(refusal) = self.execute(Actor::System, DetectOutsideWrites { keys_in_use }).await {
                    tracing::debug!(%refusal, "what other processes have changed is looked at later");
                }
            }
            Err(refusal) => tracing::warn!(%refusal, "the signing keys could not be read again"),
        }
    }
}

/// Carries out one of the program's own commands inside a transaction. What a refused one has written must be taken back.
pub fn apply(
    command: SystemCommand,
    conn: &Connection,
    actor: Actor,
    (now, steady): (Timestamp, Instant),
    context: &mut Context<'_>,
    watch: &mut Watch,
) -> Applied {
    match command {
        SystemCommand::RotateKeys(ask) => ask.apply(|_| access::keys::rotate(conn, actor, now)),
        SystemCommand::DetectOutsideWrites(ask) => ask.apply(|detect| watch.others.detect(conn, actor, &detect, now)),
        SystemCommand::IndexMessages(ask) => ask.apply(|_| index_messages(conn, actor, context.index)),
        SystemCommand::RemoveDiscarded(ask) => ask.apply(|_| remove_discarded(conn, actor)),
        SystemCommand::Tidy(ask) => ask.apply(|_| tidy(conn, actor, now, context)),
        SystemCommand::EndCalls(ask) => ask.apply(|_| watch.deadlines.sweep(conn, actor, (now, steady), context)),
    }
}

/// Notices when the machine's clock was set, by comparing it with the clock that only measures.
struct ClockWatch {
    wall: Timestamp,
    steady: Instant,
}

impl ClockWatch {
    const fn new(wall: Timestamp, steady: Instant) -> Self {
        Self { wall, steady }
    }

    /// By how many seconds the clock was set since the last look, where that is more than a few.
    fn look(&mut self, wall: Timestamp, steady: Instant) -> Option<i64> {
        let passed = i64::try_from((steady - self.steady).as_millis()).unwrap_or(i64::MAX);
        let jump_ms = wall.as_millis() - self.wall.as_millis() - passed;
        *self = Self { wall, steady };
        (jump_ms.abs() >= CLOCK_JUMP_MS).then_some(jump_ms / 1_000)
    }
}

/// What maintenance remembers from one look to the next.
#[derive(Debug, Default)]
pub struct Watch {
    pub others: OtherProcesses,
    pub deadlines: Deadlines,
}

/// What is known of other processes that write to the same database: the command line, beside a server.
#[derive(Debug, Default)]
pub struct OtherProcesses {
    seen: Option<i64>,
    keys_in_use: i64,
    looked_at: Timestamp,
}

impl OtherProcesses {
    /// Ends the sockets of the sessions that another process has ended. One that is announced twice is over all the same.
    fn detect(
        &mut self,
        conn: &Connection,
        actor: Actor,
        command: &DetectOutsideWrites,
        now: Timestamp,
    ) -> Result<Outcome<bool>, Error> {
        caller::require_system(actor)?;
        let keys_in_use = command.keys_in_use;
        let version = sessions::data_version(conn)?;
        let is_news = self.seen.is_some_and(|seen| seen != version);
        let mut events = Vec::new();
        if is_news {
            // A clock that was set back meanwhile must not hide what ended since.
            for (user_id, session_id, reason) in sessions::list_ended(conn, self.looked_at.min(now) - NEWS_MARGIN)? {
                let reason = SessionEnding::find(&reason).unwrap_or(SessionEnding::Revoked);
                events.push(session_ended(user_id, session_id, reason, now));
            }
        }
        if self.seen.is_some() && keys_in_use != self.keys_in_use {
            let live = sessions::list_all_live(conn, now)?.into_iter();
            events.extend(live.map(|(user_id, id)| session_ended(user_id, id, SessionEnding::KeysRotated, now)));
        }
        *self = Self { seen: Some(version), keys_in_use, looked_at: now };
        Ok(Outcome { reply: is_news, events })
    }
}

fn index_messages(conn: &Connection, actor: Actor, index: &mut Indexer) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    index.catch_up(conn)?;
    Ok(().into())
}

fn remove_discarded(conn: &Connection, actor: Actor) -> Result<Outcome<bool>, Error> {
    caller::require_system(actor)?;
    Ok(attachments::remove_discarded(conn, PARTS_AT_ONCE)?.into())
}

/// Removes what is over. Whether there is more of it than was removed at once.
fn tidy(conn: &Connection, actor: Actor, now: Timestamp, context: &mut Context<'_>) -> Result<Outcome<bool>, Error> {
    caller::require_system(actor)?;
    let removed = attachments::delete_loose(conn, now - LOOSE_LIFE, FILES_AT_ONCE)?;
    sessions::delete_expired_tokens(conn, now)?;
    sessions::delete_over(conn, now - ENDED_SESSION_LIFE)?;
    invitations::delete_over(conn, now - EXPIRED_INVITATION_LIFE)?;
    throttle::tidy(conn, now)?;
    devices::delete_over(conn, now - DEVICE_LIFE)?;
    outbox::delete_over(conn, now - DELIVERY_LIFE)?;
    mail_tokens::delete_over(conn, now - MAIL_TOKEN_LIFE)?;
    let (is_more, mut events) = keeping::delete_over(conn, now, context)?;
    events.extend(service::tidy(conn, now, context)?);
    Ok(Outcome { reply: is_more || removed == FILES_AT_ONCE, events })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_is_noticed_and_one_that_runs_is_not() {
        let (wall, steady) = (Timestamp::now(), Instant::now());
        let second = Duration::from_secs(1);
        let mut clock = ClockWatch::new(wall, steady);
        assert_eq!(clock.look(wall + second, steady + second), None);
        assert_eq!(clock.look(wall + 7_201 * second, steady + second), Some(7_200));
        assert_eq!(clock.look(wall + 7_203 * second, steady + 3 * second), None);
        assert_eq!(clock.look(wall + 2 * second, steady + 3 * second), Some(-7_201));
    }
}
