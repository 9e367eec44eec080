//! What waits for the pen: in the order of submission, bounded, taken all at once.

use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::auth::actor::Actor;
use crate::chat::command::Command;
use crate::chat::error::Error;
use crate::chat::reply::Reply;

/// A command, who asked for it, and where the answer goes.
#[derive(Debug)]
pub struct Job {
    /// On whose behalf.
    pub actor: Actor,
    /// What.
    pub command: Command,
    /// Where the answer goes.
    pub sender: oneshot::Sender<Result<Reply, Error>>,
}

/// The queue.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    woken: Condvar,
    jobs_max: usize,
}

#[derive(Debug, Default)]
struct State {
    jobs: Vec<Job>,
    is_closed: bool,
    pen_waits: bool,
}

impl Queue {
    /// An empty queue with room for so many.
    #[must_use]
    pub fn new(jobs_max: usize) -> Self {
        Self { state: Mutex::default(), woken: Condvar::new(), jobs_max }
    }

    /// Adds a job at the end.
    ///
    /// # Errors
    /// Gives it back when the queue is full or closed.
    pub fn push(&self, job: Job) -> Result<(), Box<Job>> {
        let mut state = self.lock();
        if state.is_closed || state.jobs.len() >= self.jobs_max {
            return Err(Box::new(job));
        }
        state.jobs.push(job);
        if state.pen_waits {
            state.pen_waits = false;
            drop(state);
            self.woken.notify_one();
        }
        Ok(())
    }

    /// Takes all that waits into `jobs`, which must be empty; waits for the first. `false` once the queue is closed
    /// and empty.
    pub fn take(&self, jobs: &mut Vec<Job>) -> bool {
        let mut state = self.lock();
        loop {
            if !state.jobs.is_empty() {
                mem::swap(&mut state.jobs, jobs);
                return true;
            }
            if state.is_closed {
                return false;
            }
            state.pen_waits = true;
            state = self.woken.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Takes no more jobs.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.woken.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
