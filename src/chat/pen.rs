//! The pen's thread: takes what waits, makes the changes in one batch, and hands on what came of them.
//!
//! Nothing is answered or told before the commit that covers it has been synced. When storage fails, nothing of the
//! batch is acknowledged, nothing is accepted any more, and [`Health::Failed`] asks for the process to end; a full
//! disk only refuses until there is space again.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot, watch};
use tracing::{error, info, warn};

use crate::chat::error::{Error, Reason};
use crate::chat::execute::{Failure, Health, Settled};
use crate::chat::figures::Figures;
use crate::chat::outcome::Outcome;
use crate::chat::queue::{Job, Queue};
use crate::chat::reply::Reply;
use crate::chat::rules::Rules;
use crate::store::words;
use crate::store::writer::{Pen, Undone, WriteError};

/// Changes in one commit: what came first need not wait for more than these.
const BATCH_MAX: usize = 512;

/// All that the thread works with.
#[derive(Debug)]
pub struct Desk {
    /// The one that writes.
    pub pen: Pen,
    /// What waits.
    pub queue: Arc<Queue>,
    /// Where settled batches go.
    pub batches: mpsc::Sender<Vec<Settled>>,
    /// What can be promised.
    pub health: watch::Sender<Health>,
    /// How each command is carried out.
    pub rules: Rules,
    /// Where the work is counted.
    pub figures: Arc<Figures>,
}

/// Starts the thread. It ends when the queue is closed and empty.
///
/// # Errors
/// When the system gives no thread.
pub fn start(desk: Desk) -> io::Result<()> {
    thread::Builder::new().name("pen".to_owned()).spawn(move || run(desk)).map(drop)
}

fn run(mut desk: Desk) {
    let mut waiting = Vec::new();
    while desk.queue.take(&mut waiting) {
        let mut jobs = waiting.drain(..);
        while jobs.len() > 0 {
            let mut batch = jobs.by_ref().take(BATCH_MAX);
            let started = Instant::now();
            let settled = settle(&mut desk.pen, &mut desk.rules, &mut batch, &desk.health);
            desk.figures.count(&settled, started.elapsed());
            // Nobody listening is no reason to stop writing: dropping what is settled answers it.
            let _nobody_listens = desk.batches.blocking_send(settled);
        }
    }
    drop(desk.batches);
    if !matches!(*desk.health.borrow(), Health::Failed(_))
        && let Err(cause) = desk.pen.close()
    {
        warn!(%cause, "the log could not be emptied; it will be at the next start");
    }
    desk.health.send_replace(Health::Closed);
}

/// Carries out some jobs in one commit. What comes back may be told and answered.
fn settle(
    pen: &mut Pen,
    rules: &mut Rules,
    jobs: &mut impl Iterator<Item = Job>,
    health: &watch::Sender<Health>,
) -> Vec<Settled> {
    let mut finished = Vec::with_capacity(jobs.size_hint().0);
    let reason = match *health.borrow() {
        Health::Failed(_) => Some(Reason::Unavailable),
        _ => None,
    };
    let is_full = *health.borrow() == Health::Full;
    let reason = reason.or_else(|| match write(pen, rules, jobs, &mut finished, is_full) {
        Ok(()) => {
            set_health(health, Health::Open);
            None
        }
        Err(cause) => {
            rules.forget();
            Some(lose(health, &cause))
        }
    });
    let Some(reason) = reason else {
        if let Err(cause) = pen.checkpoint() {
            lose(health, &cause);
        }
        return finished.into_iter().map(Finished::settled).collect();
    };
    let lost = finished.into_iter().map(|finished| finished.sender).chain(jobs.map(|job| job.sender));
    lost.map(|sender| Settled::new(Vec::new(), (sender, Err(reason.into())))).collect()
}

/// One change, made but not yet on disk.
struct Finished {
    sender: oneshot::Sender<Result<Reply, Error>>,
    result: Result<Outcome, Error>,
}

impl Finished {
    fn settled(self) -> Settled {
        match self.result {
            Ok(outcome) => Settled::new(outcome.events, (self.sender, Ok(outcome.reply))),
            Err(refusal) => Settled::new(Vec::new(), (self.sender, Err(refusal))),
        }
    }
}

fn write(
    pen: &mut Pen,
    rules: &mut Rules,
    jobs: &mut impl Iterator<Item = Job>,
    finished: &mut Vec<Finished>,
    is_full: bool,
) -> Result<(), WriteError> {
    let mut batch = pen.begin()?;
    rules.begin(batch.conn())?;
    if is_full {
        // Whether there is room again shows only when something is written; most batches of an idle server write nothing.
        if let Err(Undone::Lost(cause)) = batch.change(words::touch) {
            return Err(cause);
        }
    }
    for Job { actor, command, sender } in jobs {
        let now = rules.next_now();
        let outcome = if Rules::is_light(&command) {
            batch.change_at_once(|conn| rules.carry_out(conn, actor, command, now))
        } else {
            rules.write_down(batch.conn())?;
            let outcome = batch.change(|conn| rules.carry_out(conn, actor, command, now));
            if outcome.is_err() {
                rules.forget();
            }
            outcome
        };
        let (result, lost) = match outcome {
            Ok(outcome) => (Ok(outcome), None),
            Err(Undone::Refused(refusal)) => (Err(refusal), None),
            Err(Undone::Panicked) => (Err(Error::internal("a rule panicked")), None),
            Err(Undone::Lost(cause)) => (Err(Reason::Unavailable.into()), Some(cause)),
        };
        finished.push(Finished { sender, result });
        if let Some(cause) = lost {
            return Err(cause);
        }
    }
    rules.write_down(batch.conn())?;
    match batch.change(|conn| rules.follow(conn, finished.len())) {
        Err(Undone::Lost(cause)) => return Err(cause),
        Err(Undone::Refused(cause)) => warn!(%cause, "the latest messages could not be indexed"),
        Ok(()) | Err(Undone::Panicked) => {}
    }
    batch.commit()
}

/// Says what becomes of the health of the pen, and what those are told whose changes are lost.
fn lose(health: &watch::Sender<Health>, cause: &WriteError) -> Reason {
    match cause {
        WriteError::Full => {
            set_health(health, Health::Full);
            Reason::StorageFull
        }
        WriteError::Busy => {
            warn!("another process holds the database");
            Reason::Unavailable
        }
        WriteError::BrokenOff => {
            error!("a rule broke off in the middle: its batch is taken back");
            Reason::Unavailable
        }
        WriteError::Failed(cause) => {
            error!(%cause, "storage has failed: nothing is accepted any more");
            health.send_replace(Health::Failed(Failure(cause.to_string())));
            Reason::Unavailable
        }
    }
}

fn set_health(health: &watch::Sender<Health>, now: Health) {
    let before = health.borrow().clone();
    if before == now || matches!(before, Health::Failed(_)) {
        return;
    }
    match now {
        Health::Full => warn!("the disk is full: nothing can be stored until there is space"),
        _ => info!("storing goes on"),
    }
    health.send_replace(now);
}

#[cfg(test)]
mod tests;
