//! The writer's thread: takes what waits, makes the changes in one batch, and hands on what came of them.
//!
//! Nothing is answered or announced before the commit that covers it has been synced. When storage fails, nothing of the
//! batch is acknowledged, nothing is accepted any more, and [`Health::Failed`] asks for the process to end; a full
//! disk only refuses until there is space again.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};

use crate::chat::contract::error::Reason;
use crate::chat::contract::request::Settled;
use crate::chat::handle::completion::{Failure, Health};
use crate::chat::handle::metrics::Metrics;
use crate::chat::handle::queue::{Job, Queue};
use crate::chat::writer::batch;
use crate::chat::writer::dispatch::Rules;
use crate::store::database::error::WriteError;
use crate::store::database::writer::Writer;

/// All that the thread works with.
#[derive(Debug)]
pub struct WriterThread {
    /// The one that writes.
    pub writer: Writer,
    /// What waits.
    pub queue: Arc<Queue>,
    /// Where settled batches go.
    pub batches: mpsc::Sender<Vec<Settled>>,
    /// What can be promised.
    pub health: watch::Sender<Health>,
    /// How each command is carried out.
    pub rules: Rules,
    /// Where the work is counted.
    pub metrics: Arc<Metrics>,
}

/// Starts the thread. It ends when the queue is closed and empty.
///
/// # Errors
/// When the system gives no thread.
pub fn start(thread: WriterThread) -> io::Result<()> {
    thread::Builder::new().name("writer".to_owned()).spawn(move || run(thread)).map(drop)
}

fn run(mut thread: WriterThread) {
    let _refused_at_the_end = Abandoned(Arc::clone(&thread.queue));
    let mut waiting = Vec::new();
    while thread.queue.take(&mut waiting) {
        let mut jobs = waiting.drain(..);
        while jobs.len() > 0 {
            let started = Instant::now();
            let settled = settle(&mut thread.writer, &mut thread.rules, &mut jobs, &thread.health);
            thread.metrics.count(&settled, started.elapsed());
            // Nobody listening is no reason to stop writing: dropping what is settled answers it.
            let _nobody_listens = thread.batches.blocking_send(settled);
            put_in_order(&mut thread);
        }
    }
    drop(thread.batches);
    if !matches!(*thread.health.borrow(), Health::Failed(_))
        && let Err(cause) = thread.writer.close()
    {
        warn!(%cause, "the WAL could not be emptied; it will be at the next start");
    }
    thread.health.send_replace(Health::Closed);
}

/// However the thread ends, nobody waits for it in vain. That its end of `health` is dropped as well says the rest.
struct Abandoned(Arc<Queue>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// Carries out the first of some jobs in one commit. What comes back may be announced and answered.
fn settle(
    writer: &mut Writer,
    rules: &mut Rules,
    jobs: &mut impl ExactSizeIterator<Item = Job>,
    health: &watch::Sender<Health>,
) -> Vec<Settled> {
    if matches!(*health.borrow(), Health::Failed(_)) {
        return refuse(jobs, Reason::Unavailable).collect();
    }
    let is_full = *health.borrow() == Health::Full;
    match batch::carry_out(writer, rules, jobs, is_full) {
        Ok(settled) => {
            set_health(health, Health::Open);
            if let Err(cause) = writer.checkpoint() {
                lose(health, &cause);
            }
            settled
        }
        Err(lost) => {
            let reason = lose(health, &lost.cause);
            lost.refuse(reason).chain(refuse(jobs, reason)).collect()
        }
    }
}

/// What nobody waits for, behind each batch.
fn put_in_order(thread: &mut WriterThread) {
    if *thread.health.borrow() != Health::Open {
        return;
    }
    if let Err(cause) = batch::put_in_order(&mut thread.writer, &mut thread.rules) {
        lose(&thread.health, &cause);
    }
}

fn refuse(jobs: &mut impl Iterator<Item = Job>, reason: Reason) -> impl Iterator<Item = Settled> {
    jobs.take(batch::CHANGES_MAX).map(move |job| job.command.refuse(reason))
}

/// Says what becomes of the health of the writer, and how those are refused whose changes are lost.
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
        WriteError::Failed(_) | WriteError::Replaced { .. } => {
            error!(%cause, "storage has failed: nothing is accepted any more");
            health.send_replace(Health::Failed(Failure::Storage(cause.to_string())));
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
