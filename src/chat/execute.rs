//! The one door: commands in, in order; answers and events out, in commit order, after their commit.
//!
//! [`Chat::submit`] puts a command into the pen's queue at once and in call order; the pen's thread carries out
//! all that is queued in one transaction, each change wholly or not at all, commits, and hands the batch to
//! [`Outcomes`]. Whoever drains it tells the events of each [`Settled`] and only then completes it, so that an
//! answer never overtakes the event it answers for.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use crate::auth::actor::Actor;
use crate::auth::hasher::{self, Hasher};
use crate::chat::command::Command;
use crate::chat::credentials::Credentials;
use crate::chat::error::{Code, Error, Reason};
use crate::chat::event::Told;
use crate::chat::figures::{Counted, Figures};
use crate::chat::keys;
use crate::chat::pen;
use crate::chat::presence::Presence;
use crate::chat::queue::{Job, Queue};
use crate::chat::reply::Reply;
use crate::chat::rules::Rules;
use crate::model::timestamp::Timestamp;
use crate::store::db::Db;
use crate::store::readers::Readers;

/// Batches that may wait to be told before the pen pauses.
const BATCHES_MAX: usize = 16;

/// What the operator decides about the rules.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Messages per second that one person may go on sending; 0 = as many as they like.
    pub message_rate: u32,
    /// Messages that one person may send at once.
    pub message_burst: u32,
    /// Whether clients may open accounts themselves.
    pub sign_up_open: bool,
    /// Files and addresses of one message.
    pub files_per_message_max: usize,
    /// Bytes of one file.
    pub file_bytes_max: u64,
    /// Bytes of all files of one person.
    pub user_bytes_max: u64,
    /// Commands that may wait for the pen.
    pub queue_max: usize,
    /// How long an access token, and with it a silent socket, lives. At most a day.
    pub access_token_life: Duration,
    /// Attempts to prove who one is, from one address in a minute; 0 = as many as they like.
    pub sign_in_rate: u32,
    /// How much password work may be under way.
    pub hasher: hasher::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            message_rate: 20,
            message_burst: 60,
            sign_up_open: true,
            files_per_message_max: 20,
            file_bytes_max: 100 << 20,
            user_bytes_max: 5 << 30,
            queue_max: 16_384,
            access_token_life: Duration::from_secs(3600),
            sign_in_rate: 30,
            hasher: hasher::Settings::default(),
        }
    }
}

/// The door. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Chat {
    readers: Readers,
    presence: Presence,
    queue: Arc<Queue>,
    health: watch::Receiver<Health>,
    credentials: Credentials,
    settings: Arc<Settings>,
    figures: Arc<Figures>,
    demo_accounts: Arc<AtomicBool>,
}

impl Chat {
    /// Starts the pen on this database, making its signing keys first if there are none. The chat goes on until
    /// [`Chat::close`].
    ///
    /// # Errors
    /// `INTERNAL` when the keys cannot be made or read, or the system gives no thread.
    pub fn new(mut db: Db, settings: Settings) -> Result<(Self, Outcomes), Error> {
        let now = Timestamp::now();
        keys::make(&mut db.pen, now)?;
        let credentials = Credentials::load(&db.pen.conn, Hasher::new(settings.hasher), now)?;
        let (batches_in, batches) = mpsc::channel(BATCHES_MAX);
        let (health_in, health) = watch::channel(Health::Open);
        let queue = Arc::new(Queue::new(settings.queue_max));
        let presence = Presence::default();
        let settings = Arc::new(settings);
        let figures = Arc::new(Figures::default());
        pen::start(pen::Desk {
            pen: db.pen,
            queue: Arc::clone(&queue),
            batches: batches_in,
            health: health_in,
            figures: Arc::clone(&figures),
            rules: Rules::new(Arc::clone(&settings), presence.clone()),
        })
        .map_err(Error::internal)?;
        let chat = Self {
            readers: db.readers,
            presence,
            queue,
            health,
            credentials,
            settings,
            figures,
            demo_accounts: Arc::default(),
        };
        Ok((chat, Outcomes { batches }))
    }

    /// Queues a command; commands are carried out in the order of these calls. Never waits.
    pub fn submit(&self, actor: Actor, command: Command) -> Pending {
        let (sender, answer) = oneshot::channel();
        if let Err(refused) = self.queue.push(Job { actor, command, sender }) {
            let _nobody_waits = refused.sender.send(Err(Reason::Unavailable.into()));
        }
        Pending { answer }
    }

    /// Queues a command and waits until it is on disk and told.
    ///
    /// # Errors
    /// The refusal, in the contract's codes.
    pub async fn execute(&self, actor: Actor, command: Command) -> Result<Reply, Error> {
        self.submit(actor, command).await
    }

    /// Asks something of one snapshot of the database.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection, Timestamp) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.readers.read(move |conn| question(conn, Timestamp::now())).await
    }

    /// As [`Chat::ask`], for a look at a row or two.
    pub(crate) async fn glance<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection, Timestamp) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.readers.glance(move |conn| question(conn, Timestamp::now())).await
    }

    /// Who is online, as far as this process knows.
    #[must_use]
    pub fn presence(&self) -> &Presence {
        &self.presence
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

    /// What the pen has done so far.
    #[must_use]
    pub fn figures(&self) -> Counted {
        self.figures.read()
    }

    /// Whether a password that everybody knows opens an account, as of the last look: at most half a second old while
    /// [`Chat::look_after`] runs.
    #[must_use]
    pub fn demo_accounts(&self) -> &Arc<AtomicBool> {
        &self.demo_accounts
    }

    /// Commands that wait for the pen.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// Whether writes can be promised.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.borrow().clone()
    }

    /// Takes no more commands, carries out those that wait, empties the log and puts the pen down. Somebody must go on
    /// draining [`Outcomes`] meanwhile.
    pub async fn close(&self) {
        self.queue.close();
        let mut health = self.health.clone();
        let _pen_is_gone = health.wait_for(|health| matches!(health, Health::Closed)).await;
    }

    /// Resolves when storage has failed and the process must end.
    pub async fn failed(&self) -> Failure {
        let mut health = self.health.clone();
        match health.wait_for(|health| matches!(health, Health::Failed(_))).await.as_deref() {
            Ok(Health::Failed(failure)) => failure.clone(),
            _ => std::future::pending().await,
        }
    }
}

/// What the pen can promise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Health {
    /// Everything.
    Open,
    /// Nothing until space is made: the disk is full. Reading goes on.
    Full,
    /// Nothing any more: it was closed.
    Closed,
    /// Nothing any more: a commit or a sync failed.
    Failed(Failure),
}

/// Why the pen can promise nothing any more.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the database can no longer promise durability: {0}")]
pub struct Failure(pub String);

/// An answer to come. Dropping it does not stop the command.
#[derive(Debug)]
pub struct Pending {
    answer: oneshot::Receiver<Result<Reply, Error>>,
}

impl Future for Pending {
    type Output = Result<Reply, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answer).poll(cx).map(|answer| answer.unwrap_or_else(|_| Err(Reason::Unavailable.into())))
    }
}

/// The committed batches, in order.
#[derive(Debug)]
pub struct Outcomes {
    batches: mpsc::Receiver<Vec<Settled>>,
}

impl Outcomes {
    /// The next batch; `None` when the chat is closed and all has been told.
    pub async fn recv(&mut self) -> Option<Vec<Settled>> {
        self.batches.recv().await
    }
}

/// One command that was carried out or refused: its events, and its answer still held back.
#[derive(Debug)]
pub struct Settled {
    events: Vec<Told>,
    answer: Option<Answer>,
}

/// An answer and where it goes.
pub(crate) type Answer = (oneshot::Sender<Result<Reply, Error>>, Result<Reply, Error>);

impl Settled {
    pub(crate) fn new(events: Vec<Told>, answer: Answer) -> Self {
        Self { events, answer: Some(answer) }
    }

    /// What is to be told before the answer is given.
    #[must_use]
    pub fn events(&self) -> &[Told] {
        &self.events
    }

    /// The code of the refusal, if it was refused.
    #[must_use]
    pub fn refusal(&self) -> Option<Code> {
        self.answer.as_ref().and_then(|(_, answer)| answer.as_ref().err()).map(Error::code)
    }

    /// Gives the answer. So does dropping it.
    pub fn complete(self) {}
}

impl Drop for Settled {
    fn drop(&mut self) {
        if let Some((sender, answer)) = self.answer.take() {
            let _nobody_waits = sender.send(answer);
        }
    }
}
