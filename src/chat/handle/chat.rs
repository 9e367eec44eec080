//! The one door: commands in, in order; replies out, after their commit.
//!
//! [`Chat::submit`] puts a command into the writer's queue at once and in call order; the writer's thread carries out
//! all that is queued in one transaction, each change wholly or not at all, commits, and hands the batch to
//! [`crate::chat::handle::completion::Outcomes`]. Questions read one snapshot of the database.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rusqlite::Connection;
use tokio::sync::watch;

use crate::auth::actor::Actor;
use crate::chat::access::credentials::Credentials;
use crate::chat::contract::bell::Bell;
use crate::chat::contract::command::Command;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::presence::Presence;
use crate::chat::contract::request::{Ask, Pending, Request};
use crate::chat::contract::seats::Seats;
use crate::chat::contract::settings::Settings;
use crate::chat::handle::activity::Activity;
use crate::chat::handle::completion::{Failure, Health};
use crate::chat::handle::deliveries::DeliveryTally;
use crate::chat::handle::guard::Faults;
use crate::chat::handle::metrics::{Metrics, Snapshot};
use crate::chat::handle::news::News;
use crate::chat::handle::queue::{Job, Queue};
use crate::chat::handle::searching::Searching;
use crate::model::id::UserId;
use crate::model::timestamp::Timestamp;
use crate::store::database::readers::Readers;

/// The door. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Chat {
    pub(in crate::chat) readers: Readers,
    pub(in crate::chat) presence: Presence,
    pub(in crate::chat) bell: Arc<Bell>,
    pub(in crate::chat) deliveries: Arc<DeliveryTally>,
    pub(in crate::chat) news: Arc<News>,
    pub(in crate::chat) seats: Seats,
    pub(in crate::chat) queue: Arc<Queue>,
    pub(in crate::chat) health: watch::Receiver<Health>,
    pub(in crate::chat) faults: Faults,
    pub(in crate::chat) credentials: Credentials,
    pub(in crate::chat) settings: Arc<Settings>,
    pub(in crate::chat) metrics: Arc<Metrics>,
    pub(in crate::chat) demo_accounts: Arc<AtomicBool>,
    pub(in crate::chat) searching: Arc<Searching>,
    pub(in crate::chat) history: Arc<str>,
    pub(in crate::chat) activity: Arc<Activity>,
    pub(in crate::chat) due: Arc<watch::Sender<()>>,
}

impl Chat {
    /// Queues a command; commands are carried out in the order of these calls. Never waits.
    pub fn submit<R: Request>(&self, actor: Actor, request: R) -> Pending<R::Reply>
    where
        Command: From<Ask<R>>,
    {
        let (ask, pending) = Ask::new(request);
        if let Err(refused) = self.queue.push(Job { actor, command: ask.into() }) {
            refused.command.refuse(Reason::Unavailable).complete();
        }
        pending
    }

    /// Carries out a command that nobody waits for: with others, so that it costs them no sync, or alone once it is quiet.
    ///
    /// # Errors
    /// As [`Chat::execute`].
    pub async fn execute_along<R: Request>(&self, actor: Actor, request: R) -> Result<R::Reply, Error>
    where
        Command: From<Ask<R>>,
    {
        let (ask, pending) = Ask::new(request);
        if let Err(refused) = self.queue.push_along(Job { actor, command: ask.into() }) {
            refused.command.refuse(Reason::Unavailable).complete();
        }
        pending.await
    }

    /// Queues a command and waits until it is on disk and announced.
    ///
    /// # Errors
    /// The refusal, in the contract's codes.
    pub async fn execute<R: Request>(&self, actor: Actor, request: R) -> Result<R::Reply, Error>
    where
        Command: From<Ask<R>>,
    {
        self.submit(actor, request).await
    }

    /// Asks something of one snapshot of the database.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection, Timestamp) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.readers.read(move |conn| question(conn, Timestamp::now())).await
    }

    /// As [`Chat::ask`], for a look at a row or two.
    pub(crate) async fn peek<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection, Timestamp) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.readers.peek(move |conn| question(conn, Timestamp::now())).await
    }

    /// The name of the history that numbers and revs belong to: a database that was restored has another one.
    #[must_use]
    pub fn history(&self) -> &Arc<str> {
        &self.history
    }

    /// Takes one from the budget that a person has for socket events and searches.
    ///
    /// # Errors
    /// `RATE_LIMITED`, with the time until there is one.
    pub fn spend(&self, user_id: UserId) -> Result<(), Error> {
        self.activity.spend(user_id)
    }

    /// Something is due: whoever looks after what leaves, or is made, behind the commit looks now.
    pub fn wake(&self) {
        self.due.send_replace(());
    }

    /// What [`Chat::wake`] changes.
    #[must_use]
    pub fn due(&self) -> &watch::Sender<()> {
        &self.due
    }

    /// Who is online, as far as this process knows.
    #[must_use]
    pub fn presence(&self) -> &Presence {
        &self.presence
    }

    /// What rings when something is to leave the house.
    #[must_use]
    pub fn bell(&self) -> &Bell {
        &self.bell
    }

    /// For whom something was said since the last look.
    #[must_use]
    pub fn news(&self) -> &News {
        &self.news
    }

    /// How much has left the house.
    #[must_use]
    pub fn deliveries(&self) -> &DeliveryTally {
        &self.deliveries
    }

    /// Who sits in which call, as far as this process knows.
    #[must_use]
    pub fn seats(&self) -> &Seats {
        &self.seats
    }

    /// What it takes to know who somebody is.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// What the operator decided.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The readers of the same database.
    #[must_use]
    pub fn readers(&self) -> &Readers {
        &self.readers
    }

    /// What the writer has done so far.
    #[must_use]
    pub fn metrics(&self) -> Snapshot {
        self.metrics.read()
    }

    /// Whether a password that everybody knows opens an account, as of the last look: at most half a second old while
    /// [`Chat::run_maintenance`] runs.
    #[must_use]
    pub fn demo_accounts(&self) -> &Arc<AtomicBool> {
        &self.demo_accounts
    }

    /// Commands that wait for the writer.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// Who notices when something ends that must not.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Whether writes can be promised. A writer that is gone without having been closed has failed, however it went.
    #[must_use]
    pub fn health(&self) -> Health {
        let health = self.health.borrow().clone();
        match health {
            Health::Failed(_) | Health::Closed => health,
            Health::Open | Health::Full if self.health.has_changed().is_err() => Health::Failed(WRITER_GONE),
            Health::Open | Health::Full => self.faults.first().map_or(health, Health::Failed),
        }
    }

    /// Takes no more commands, carries out those that wait, empties the WAL and ends the writer. Somebody must go on
    /// draining [`crate::chat::handle::completion::Outcomes`] meanwhile.
    pub async fn close(&self) {
        self.queue.close();
        let mut health = self.health.clone();
        let _writer_is_gone = health.wait_for(|health| matches!(health, Health::Closed)).await;
    }

    /// Resolves when storage or a part of the server has failed and the process must end.
    pub async fn failed(&self) -> Failure {
        tokio::select! {
            failure = self.writer_failed() => failure,
            failure = self.faults.failed() => failure,
        }
    }

    async fn writer_failed(&self) -> Failure {
        let mut health = self.health.clone();
        match health.wait_for(|health| matches!(health, Health::Failed(_) | Health::Closed)).await.as_deref() {
            Ok(Health::Failed(failure)) => failure.clone(),
            Ok(_) => std::future::pending().await,
            Err(_gone) => WRITER_GONE,
        }
    }
}

/// The thread's name, as an operator reads it.
const WRITER_GONE: Failure = Failure::Ended("the writer's thread");
