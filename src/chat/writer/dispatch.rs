//! Which room carries out which command, and all that the rules know beside the database.

use std::sync::Arc;
use std::time::Instant;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::context::{Context, InsertMessage};
use crate::chat::access::memberships::Memberships;
use crate::chat::access::rates::Rates;
use crate::chat::contract::bell::Bell;
use crate::chat::contract::command::Command;
use crate::chat::contract::presence::Presence;
use crate::chat::contract::request::Applied;
use crate::chat::contract::seats::Seats;
use crate::chat::contract::settings::Settings;
use crate::chat::writer::maintenance::{self, Watch};
use crate::chat::{attachments, billing, calls, conversations, notices, people};
use crate::model::timestamp::Timestamp;
use crate::store::fulltext::Indexer;
#[cfg(test)]
use crate::store::new_messages::{Insert, NewMessage};

/// The rules, with what they know. Lives on the writer's thread.
#[derive(Debug)]
pub struct Rules {
    settings: Arc<Settings>,
    presence: Presence,
    bell: Arc<Bell>,
    seats: Seats,
    rates: Rates,
    memberships: Memberships,
    watch: Watch,
    index: Indexer,
    /// The clock of a test, which says itself when time passes.
    #[cfg(test)]
    pub still: Option<StillClock>,
}

/// A clock that stands still until it is moved.
#[cfg(test)]
#[derive(Debug, Clone)]
pub struct StillClock {
    /// Where it stood at first.
    pub began_at: Timestamp,
    /// By how much it was moved since.
    pub ahead: std::time::Duration,
}

impl Rules {
    /// The rules as the operator set them.
    #[must_use]
    pub fn new(settings: Arc<Settings>, presence: Presence, seats: Seats, bell: Arc<Bell>) -> Self {
        let rates = Rates::new(settings.message_rate, settings.message_burst);
        Self {
            settings,
            presence,
            bell,
            seats,
            rates,
            memberships: Memberships::default(),
            watch: Watch::default(),
            index: Indexer::default(),
            #[cfg(test)]
            still: None,
        }
    }

    /// What the clock says.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        #[cfg(test)]
        if let Some(clock) = &self.still {
            return clock.began_at + clock.ahead;
        }
        Timestamp::now()
    }

    /// To be called when a batch begins.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn begin(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.watch.deadlines.begin(conn)?;
        self.index.begin(conn)?;
        self.memberships.begin(conn)
    }

    /// Writes what is known here and not in the database. To be called before a batch is committed, and before any
    /// command that is not light.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.memberships.flush(conn)
    }

    /// To be called when a change that has written something, or the whole batch, was taken back.
    pub fn forget(&mut self) {
        self.memberships.forget();
    }

    /// Has the full-text index follow, after so many changes. To be called after everything else that a batch writes.
    ///
    /// # Errors
    /// When it cannot be written. What was written here must be taken back.
    pub fn follow(&mut self, conn: &Connection, changes: usize) -> rusqlite::Result<()> {
        self.index.follow(conn, changes)
    }

    /// To be called when what [`Rules::follow`] or [`Rules::put_in_order`] wrote was taken back, or may have been.
    pub fn forget_index(&mut self) {
        self.index.forget();
    }

    /// Whether the full-text index is to be put in order. Asked behind each batch.
    #[must_use]
    pub fn wants_order(&self) -> bool {
        self.index.wants_order()
    }

    /// Puts the full-text index in order by one step, in a batch in which nothing else is done.
    ///
    /// # Errors
    /// When it cannot be written. What was written here must be taken back.
    pub fn put_in_order(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.index.put_in_order(conn)
    }

    /// Lends what the rules know to something that is no command.
    ///
    /// # Errors
    /// Those of `run`.
    #[cfg(test)]
    pub fn with_context<T>(
        &mut self,
        conn: &Connection,
        run: impl FnOnce(&Connection, &mut Context<'_>) -> Result<T, crate::chat::contract::error::Error>,
    ) -> Result<T, crate::chat::contract::error::Error> {
        let Self { rates, memberships, index, settings, presence, seats, bell, .. } = self;
        let insert = &mut |new: &NewMessage<'_>| Insert::prepare(conn)?.run(new);
        run(conn, &mut Context { insert, rates, memberships, index, settings, presence, seats, bell })
    }

    /// Carries out one command inside a transaction. What a refused one has written must be taken back.
    pub fn apply(
        &mut self,
        conn: &Connection,
        insert: &mut InsertMessage<'_>,
        actor: Actor,
        command: Command,
        now: Timestamp,
    ) -> Applied {
        #[cfg(test)]
        let ahead = self.still.as_ref().map_or(std::time::Duration::ZERO, |clock| clock.ahead);
        let Self { rates, memberships, index, settings, presence, seats, bell, watch, .. } = self;
        let context = &mut Context { insert, rates, memberships, index, settings, presence, seats, bell };
        match command {
            Command::Conversation(command) => conversations::apply::apply(command, conn, actor, now, context),
            Command::Attachment(command) => attachments::apply::apply(command, conn, actor, now, context),
            Command::Notice(command) => notices::apply::apply(command, conn, actor, now, context),
            Command::Delivery(command) => notices::apply::apply_delivery(command, conn, actor, now, context),
            Command::People(command) => people::apply::apply(command, conn, actor, now, context),
            Command::Billing(command) => billing::apply::apply(command, conn, actor, now, context),
            Command::Stripe(command) => billing::apply::apply_stripe(command, conn, actor, now, context),
            Command::Call(command) => calls::apply::apply(command, conn, actor, now, context),
            Command::System(command) => {
                // What the clock says that only measures.
                let steady = Instant::now();
                #[cfg(test)]
                let steady = steady + ahead;
                maintenance::apply(command, conn, actor, (now, steady), context, watch)
            }
        }
    }
}
