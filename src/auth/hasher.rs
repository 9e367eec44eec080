//! Password work off the async threads, a little at a time.
//!
//! One hash costs tens of milliseconds of a core and 19 MiB. A few run at once and a bounded number wait; whoever
//! comes after that is told to come back, so that a storm of sign-ins never slows the chat or fills the memory.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::auth::password;

/// How much password work may be under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Hashes computed at the same time.
    pub parallel: usize,
    /// Callers that may wait for their turn.
    pub waiting_max: usize,
}

impl Default for Settings {
    /// Half of the cores, so that the other half stays with the chat.
    fn default() -> Settings {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Settings { parallel: (cores / 2).max(1), waiting_max: 64 }
    }
}

/// A shared handle; clones share the same bounds.
#[derive(Debug, Clone)]
pub struct Hasher {
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
}

/// What checking a password brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The password is the right one.
    pub matches: bool,
    /// The stored hash should be replaced by one with today's parameters.
    pub is_stale: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// As many as may wait are waiting: try again in a second or two.
    #[error("too much password work is waiting")]
    Busy,
    /// The hash could not be made.
    #[error(transparent)]
    Hash(#[from] password::HashError),
    /// The work panicked or the process is going down.
    #[error("password work was abandoned")]
    Abandoned,
}

impl Hasher {
    /// A hasher with these bounds.
    pub fn new(settings: Settings) -> Hasher {
        Hasher {
            running: Arc::new(Semaphore::new(settings.parallel)),
            admitted: Arc::new(Semaphore::new(settings.parallel + settings.waiting_max)),
        }
    }

    /// Checks `password` against a stored hash; against nothing (`None`) the answer is no, after the same work.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<Verdict, Failure> {
        self.run(move || {
            let matches = password::verify(&password, stored.as_deref());
            Verdict { matches, is_stale: matches && stored.as_deref().is_some_and(password::needs_rehash) }
        })
        .await
    }

    /// A fresh hash of `password`.
    pub async fn hash(&self, password: String) -> Result<String, Failure> {
        Ok(self.run(move || password::hash(&password)).await??)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
        let place = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| Failure::Busy)?;
        let turn = Arc::clone(&self.running).acquire_owned().await.map_err(|_| Failure::Abandoned)?;
        // Both are held by the work itself: a caller who goes away does not make room that is not there.
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop((turn, place));
            result
        });
        done.await.map_err(|_| Failure::Abandoned)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_hash_made_here_verifies_here() {
        let hasher = Hasher::new(Settings { parallel: 1, waiting_max: 1 });
        let stored = hasher.hash("correct horse battery".into()).await.unwrap();
        let right = hasher.verify("correct horse battery".into(), Some(stored.clone())).await.unwrap();
        assert_eq!(right, Verdict { matches: true, is_stale: false });
        let wrong = hasher.verify("something else".into(), Some(stored)).await.unwrap();
        assert_eq!(wrong, Verdict { matches: false, is_stale: false });
        let nobody = hasher.verify("correct horse battery".into(), None).await.unwrap();
        assert!(!nobody.matches);
    }

    #[tokio::test]
    async fn no_more_run_at_once_than_are_allowed() {
        let hasher = Hasher::new(Settings { parallel: 2, waiting_max: 30 });
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let work = (0..20).map(|_| {
            let (hasher, now, most) = (hasher.clone(), Arc::clone(&now), Arc::clone(&most));
            tokio::spawn(async move {
                hasher
                    .run(move || {
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(1, Ordering::SeqCst);
                    })
                    .await
            })
        });
        for one in work.collect::<Vec<_>>() {
            one.await.unwrap().unwrap();
        }
        assert!(most.load(Ordering::SeqCst) <= 2);
    }

    #[tokio::test]
    async fn whoever_finds_the_queue_full_is_told_at_once_and_the_others_are_served() {
        let hasher = Hasher::new(Settings { parallel: 1, waiting_max: 1 });
        let (let_go, held) = mpsc::channel::<()>();
        let running = tokio::spawn({
            let hasher = hasher.clone();
            async move { hasher.run(move || held.recv().is_ok()).await }
        });
        let waiting = tokio::spawn({
            let hasher = hasher.clone();
            async move { hasher.run(|| true).await }
        });
        while hasher.admitted.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(hasher.run(|| true).await, Err(Failure::Busy)));
        let_go.send(()).unwrap();
        assert!(running.await.unwrap().unwrap());
        assert!(waiting.await.unwrap().unwrap());
        assert!(hasher.run(|| true).await.unwrap());
    }

    #[tokio::test]
    async fn work_that_panics_gives_its_place_back() {
        let hasher = Hasher::new(Settings { parallel: 1, waiting_max: 0 });
        assert!(matches!(hasher.run(|| panic!("on purpose")).await, Err::<(), _>(Failure::Abandoned)));
        assert!(hasher.run(|| true).await.unwrap());
    }
}
