//! Who notices when a thread or task ends without which the server does not work.
//!
//! Each such thread and task holds a [`Guard`] for as long as it runs. One that is dropped before [`Faults::expect_ends`],
//! by a panic or in whatever way, is a failure of the whole: readiness turns 503 and the process ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use crate::chat::handle::completion::Failure;

/// What has ended by itself. Clones share it.
#[derive(Clone, Debug)]
pub struct Faults {
    first: Arc<watch::Sender<Option<Failure>>>,
    ends_are_expected: Arc<AtomicBool>,
}

impl Default for Faults {
    fn default() -> Self {
        Self { first: Arc::new(watch::Sender::new(None)), ends_are_expected: Arc::default() }
    }
}

impl Faults {
    /// A guard for the thread or task of this name.
    #[must_use]
    pub fn guard(&self, name: &'static str) -> Guard {
        Guard { faults: self.clone(), name }
    }

    /// From now on whatever ends does so because the server stops.
    pub fn expect_ends(&self) {
        self.ends_are_expected.store(true, Ordering::Relaxed);
    }

    /// The first failure, if there is one.
    #[must_use]
    pub fn first(&self) -> Option<Failure> {
        self.first.borrow().clone()
    }

    /// Resolves with the first failure.
    pub async fn failed(&self) -> Failure {
        let mut first = self.first.subscribe();
        match first.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(failure)) => failure.clone(),
            _ => std::future::pending().await,
        }
    }
}

/// Held by a thread or task while it runs.
#[derive(Debug)]
pub struct Guard {
    faults: Faults,
    name: &'static str,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.faults.ends_are_expected.load(Ordering::Relaxed) {
            return;
        }
        let failure = Failure::Ended(self.name);
        self.faults.first.send_if_modified(|first| {
            let is_first = first.is_none();
            if is_first {
                tracing::error!(%failure, "nothing is accepted any more");
                *first = Some(failure);
            }
            is_first
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_ends_or_is_aborted_is_noticed_and_the_first_one_is_named() {
        let faults = Faults::default();
        let (first, second) = (faults.guard("the first"), faults.guard("the second"));
        assert_eq!(faults.first(), None);
        let panicking = tokio::spawn(async move {
            let _guard = first;
            panic!("on purpose");
        });
        assert!(panicking.await.is_err());
        drop(second);
        assert_eq!(faults.failed().await, Failure::Ended("the first"));
    }

    #[test]
    fn an_end_that_is_expected_is_no_failure() {
        let faults = Faults::default();
        let guard = faults.guard("a task");
        faults.expect_ends();
        drop(guard);
        assert_eq!(faults.first(), None);
    }
}
