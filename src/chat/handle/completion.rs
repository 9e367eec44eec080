//! What the writer hands on, in commit order, and what it can still promise.

use tokio::sync::mpsc;

use crate::chat::contract::request::Settled;

/// What the writer can promise.
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

/// Why nothing can be promised any more: the process has to end, and to be started anew.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// A commit or a sync failed.
    #[error("the database can no longer promise durability: {0}")]
    Storage(String),
    /// A thread or task has ended without which the server does not work.
    #[error("{0} has ended by itself: a panic before this line says why")]
    Ended(&'static str),
}

/// The committed batches, in order. Whoever drains them announces the events of each command and only then completes it,
/// so that a reply never overtakes the event it stands for.
#[derive(Debug)]
pub struct Outcomes {
    batches: mpsc::Receiver<Vec<Settled>>,
}

impl Outcomes {
    /// What this sender hands on.
    pub(crate) fn new(batches: mpsc::Receiver<Vec<Settled>>) -> Self {
        Self { batches }
    }

    /// The next batch; `None` when the chat is closed and all has been announced.
    pub async fn recv(&mut self) -> Option<Vec<Settled>> {
        self.batches.recv().await
    }
}
