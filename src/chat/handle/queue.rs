//! What waits for the writer: in the order of submission, bounded, taken all at once.
//!
//! What nobody waits for goes along with what somebody waits for, one with each batch, and so costs no sync of its own.
//! While nothing else comes it goes alone.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::auth::actor::Actor;
use crate::chat::contract::command::Command;

/// When nothing was asked for so long, nobody is kept waiting by what goes alone.
const QUIET_AFTER: Duration = Duration::from_millis(50);

/// A command and on whose behalf it is carried out.
#[derive(Debug)]
pub struct Job {
    pub actor: Actor,
    pub command: Command,
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
    /// Those that go along.
    along: VecDeque<Job>,
    /// When those that somebody waits for were last taken.
    taken_at: Option<Instant>,
    is_closed: bool,
    writer_waits: bool,
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
        self.wake(state);
        Ok(())
    }

    /// Adds a job that goes along with others.
    ///
    /// # Errors
    /// As [`Queue::push`].
    pub fn push_along(&self, job: Job) -> Result<(), Box<Job>> {
        let mut state = self.lock();
        if state.is_closed || state.along.len() >= self.jobs_max {
            return Err(Box::new(job));
        }
        state.along.push_back(job);
        self.wake(state);
        Ok(())
    }

    /// Takes all that somebody waits for into `jobs`, which must be empty, and one that goes along; waits for the first.
    /// `false` once the queue is closed and empty.
    pub fn take(&self, jobs: &mut Vec<Job>) -> bool {
        let mut state = self.lock();
        loop {
            if !state.jobs.is_empty() {
                mem::swap(&mut state.jobs, jobs);
                jobs.extend(state.along.pop_front());
                state.taken_at = Some(Instant::now());
                return true;
            }
            let wait = if state.along.is_empty() { None } else { Some(state.until_quiet()) };
            if state.is_closed || wait == Some(Duration::ZERO) {
                jobs.extend(state.along.pop_front());
                return !jobs.is_empty();
            }
            state.writer_waits = true;
            state = match wait {
                None => self.woken.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(wait) => self.woken.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        let state = self.lock();
        state.jobs.len() + state.along.len()
    }

    /// Takes no more jobs.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.woken.notify_one();
    }

    /// Takes no more jobs and drops those that wait, which refuses them.
    pub fn abandon(&self) {
        self.close();
        let mut state = self.lock();
        let abandoned = (mem::take(&mut state.jobs), mem::take(&mut state.along));
        drop(state);
        drop(abandoned);
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        if state.writer_waits {
            state.writer_waits = false;
            drop(state);
            self.woken.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How long it takes until it is quiet if nothing comes.
    fn until_quiet(&self) -> Duration {
        self.taken_at.map_or(Duration::ZERO, |taken_at| QUIET_AFTER.saturating_sub(taken_at.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::contract::command::deliveries::ReleaseDeliveries;
    use crate::chat::contract::request::Ask;

    fn job(actor: Actor) -> Job {
        Job { actor, command: Ask::new(ReleaseDeliveries).0.into() }
    }

    /// What is taken next: whether each was one that somebody waits for.
    fn taken(queue: &Queue) -> Vec<bool> {
        let mut jobs = Vec::new();
        queue.take(&mut jobs);
        jobs.iter().map(|job| job.actor == Actor::Anonymous).collect()
    }

    #[test]
    fn one_goes_along_with_each_batch_and_the_rest_alone_once_it_is_quiet() {
        let queue = Queue::new(9);
        let (asked, along) =
            (|| queue.push(job(Actor::Anonymous)).unwrap(), || queue.push_along(job(Actor::System)).unwrap());
        for _ in 0..3 {
            along();
        }
        assert_eq!(queue.waiting(), 3);
        asked();
        asked();
        assert_eq!(taken(&queue), [true, true, false], "who is waited for comes first");
        asked();
        let began = Instant::now();
        assert_eq!(taken(&queue), [true, false]);
        assert_eq!(taken(&queue), [false]);
        assert!(began.elapsed() >= QUIET_AFTER, "something might have come");
        along();
        assert_eq!(taken(&queue), [false], "and while nobody asks for anything it goes at once");
    }

    #[test]
    fn a_closed_queue_gives_all_that_it_has_and_takes_no_more() {
        let queue = Queue::new(1);
        queue.push_along(job(Actor::System)).unwrap();
        assert!(queue.push_along(job(Actor::System)).is_err(), "it is bounded");
        queue.push(job(Actor::Anonymous)).unwrap();
        queue.close();
        assert!(queue.push_along(job(Actor::System)).is_err());
        assert_eq!(taken(&queue), [true, false]);
        assert!(!queue.take(&mut Vec::new()));
        let queue = Queue::new(1);
        queue.push_along(job(Actor::System)).unwrap();
        queue.abandon();
        assert_eq!(queue.waiting(), 0);
    }
}
