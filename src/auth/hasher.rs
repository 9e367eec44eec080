//! Password work off the async threads, a little at a time.
//!
//! One hash costs tens of milliseconds of a core and 19 MiB. A few run at once and a bounded number wait; whoever
//! comes after that is asked to come back, so that a storm of sign-ins never slows the chat or fills the memory. Some
//! places are kept for people who come from where they were before: strangers never wait in front of them.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::auth::password::{self, Match};

/// How much password work may be under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Hashes computed at the same time.
    pub parallel: usize,
    /// Callers that may wait for their turn.
    pub waiting_max: usize,
    /// Callers who are known that may wait beside those.
    pub known_waiting_max: usize,
}

/// Who asks for password work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// Anybody.
    Stranger,
    /// Somebody signed in, or at an address where they were.
    Known,
}

impl Default for Settings {
    /// Half of the cores, so that the other half stays with the chat.
    fn default() -> Settings {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Settings { parallel: (cores / 2).max(1), waiting_max: 64, known_waiting_max: 16 }
    }
}

/// A shared handle; clones share the same bounds.
#[derive(Debug, Clone)]
pub struct Hasher {
    running: Arc<Semaphore>,
    /// Strangers whose turn is next: as many as can run, so that no more of them stand in front of who is known.
    next_strangers: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    known: Arc<Semaphore>,
}

/// What checking a password brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The password is the right one.
    pub matches: bool,
    /// The stored hash should be replaced by a new one: made with weaker parameters, or of another spelling.
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
            next_strangers: Arc::new(Semaphore::new(settings.parallel)),
            strangers: Arc::new(Semaphore::new(settings.parallel + settings.waiting_max)),
            known: Arc::new(Semaphore::new(settings.parallel + settings.known_waiting_max)),
        }
    }

    /// Checks `password` against a stored hash; against nothing (`None`) the answer is no, after the same work.
    pub async fn verify(&self, password: String, stored: Option<String>, asker: Asker) -> Result<Verdict, Failure> {
        self.run(asker, move || {
            let verdict = password::verify(&password, stored.as_deref());
            let is_weak = || stored.as_deref().is_some_and(password::needs_rehash);
            let matches = verdict != Match::No;
            Verdict { matches, is_stale: matches && (verdict == Match::OldSpelling || is_weak()) }
        })
        .await
    }

    /// A fresh hash of `password`.
    pub async fn hash(&self, password: String, asker: Asker) -> Result<String, Failure> {
        Ok(self.run(asker, move || password::hash(&password)).await??)
    }

    async fn run<T: Send + 'static>(
        &self,
        asker: Asker,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let places = if asker == Asker::Known { &self.known } else { &self.strangers };
        let place = Arc::clone(places).try_acquire_owned().map_err(|_| Failure::Busy)?;
        let turn_of =
            async |turns: &Arc<Semaphore>| Arc::clone(turns).acquire_owned().await.map_err(|_| Failure::Abandoned);
        let next = if asker == Asker::Known { None } else { Some(turn_of(&self.next_strangers).await?) };
        let turn = (turn_of(&self.running).await?, next);
        // All are held by the work itself: a caller who goes away does not make room that is not there.
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
        let hasher = Hasher::new(Settings { parallel: 1, waiting_max: 1, known_waiting_max: 1 });
        let stored = hasher.hash("correct horse battery".into(), Asker::Stranger).await.unwrap();
        let right = hasher.verify("correct horse battery".into(), Some(stored.clone()), Asker::Known).await.unwrap();
        assert_eq!(right, Verdict { matches: true, is_stale: false });
        let wrong = hasher.verify("something else".into(), Some(stored), Asker::Stranger).await.unwrap();
        assert_eq!(wrong, Verdict { matches: false, is_stale: false });
        let nobody = hasher.verify("correct horse battery".into(), None, Asker::Stranger).await.unwrap();
        assert!(!nobody.matches);
    }

    #[tokio::test]
    async fn no_more_run_at_once_than_are_allowed() {
        let hasher = Hasher::new(Settings { parallel: 2, waiting_max: 30, known_waiting_max: 1 });
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let work = (0..20).map(|_| {
            let (hasher, now, most) = (hasher.clone(), Arc::clone(&now), Arc::clone(&most));
            tokio::spawn(async move {
                hasher
                    .run(Asker::Stranger, move || {
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
        let hasher = Hasher::new(Settings { parallel: 1, waiting_max: 1, known_waiting_max: 1 });
        let (let_go, held) = mpsc::channel::<()>();
        let running = tokio::spawn({
            let hasher = hasher.clone();
            async move { hasher.run(Asker::Stranger, move || held.recv().is_ok()).await }
        });
        let waiting = tokio::spawn({
            let hasher = hasher.clone();
            async move { hasher.run(Asker::Stranger, || true).await }
        });
        while hasher.strangers.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(hasher.run(Asker::Stranger, || true).await, Err(Failure::Busy)));
        let_go.send(()).unwrap();
        assert!(running.await.unwrap().unwrap());
        assert!(waiting.await.unwrap().unwrap());
        assert!(hasher.run(Asker::Stranger, || true).await.unwrap());
    }

    #[tokio::test]
    async fn strangers_never_keep_who_is_known_waiting() {
        let hasher = Hasher::new(Settings { parallel: 1, waiting_max: 8, known_waiting_max: 1 });
        let (let_go, held) = mpsc::channel::<()>();
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let running = tokio::spawn({
            let hasher = hasher.clone();
            async move { hasher.run(Asker::Stranger, move || held.recv().is_ok()).await }
        });
        while hasher.running.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let ask = |asker| {
            let (hasher, order) = (hasher.clone(), Arc::clone(&order));
            tokio::spawn(async move { hasher.run(asker, move || order.lock().unwrap().push(asker)).await })
        };
        let strangers: Vec<_> = (0..8).map(|_| ask(Asker::Stranger)).collect();
        while hasher.strangers.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(hasher.run(Asker::Stranger, || ()).await, Err(Failure::Busy)));
        let known = ask(Asker::Known);
        while hasher.known.available_permits() > 1 {
            tokio::task::yield_now().await;
        }
        let_go.send(()).unwrap();
        assert!(running.await.unwrap().unwrap());
        known.await.unwrap().unwrap();
        for stranger in strangers {
            stranger.await.unwrap().unwrap();
        }
        assert_eq!(order.lock().unwrap()[0], Asker::Known);
    }

    #[tokio::test]
    async fn work_that_panics_gives_its_place_back() {
        let hasher = Hasher::new(Settings { parallel: 1, waiting_max: 0, known_waiting_max: 1 });
        assert!(matches!(hasher.run(Asker::Stranger, || panic!("on purpose")).await, Err::<(), _>(Failure::Abandoned)));
        assert!(hasher.run(Asker::Stranger, || true).await.unwrap());
    }
}
