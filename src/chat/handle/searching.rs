//! Who is searching, so that nobody searches for all at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use crate::chat::contract::error::Error;
use crate::model::id::UserId;

/// When whoever is turned away may come back: no search takes longer.
const RETRY_AFTER: Duration = Duration::from_millis(300);

/// Who is searching: each person once, while one more search of theirs may wait.
#[derive(Debug, Default)]
pub struct Searching {
    people: Mutex<HashMap<UserId, Arc<Semaphore>>>,
}

/// Somebody's turn to search; it ends with this.
#[derive(Debug)]
pub struct Turn {
    searching: Arc<Searching>,
    user_id: UserId,
    permit: Option<OwnedSemaphorePermit>,
    began: Instant,
}

impl Searching {
    /// Waits for somebody's turn.
    ///
    /// # Errors
    /// `RATE_LIMITED` if another search of theirs waits already.
    pub async fn turn(self: &Arc<Self>, user_id: UserId) -> Result<Turn, Error> {
        let theirs = {
            let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
            let theirs = people.entry(user_id).or_insert_with(|| Arc::new(Semaphore::new(1)));
            // Here, at the one that searches, and at the one that waits.
            if Arc::strong_count(theirs) > 2 {
                return Err(Error::too_many(RETRY_AFTER));
            }
            Arc::clone(theirs)
        };
        let mut turn = Turn { searching: Arc::clone(self), user_id, permit: None, began: Instant::now() };
        turn.permit = theirs.acquire_owned().await.ok();
        turn.began = Instant::now();
        Ok(turn)
    }
}

impl Turn {
    /// Ends it at a multiple of `step` after it began. A word that stands somewhere takes the index a little longer than one
    /// that stands nowhere, and whoever asks often enough could tell the two apart by the time that their answers take.
    pub async fn end_in_step(self, step: Duration) {
        if let Some(steps) = self.began.elapsed().as_nanos().checked_div(step.as_nanos()) {
            let steps = u32::try_from(steps + 1).unwrap_or(u32::MAX);
            sleep_until(self.began + step.saturating_mul(steps)).await;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.permit = None;
        let mut people = self.searching.people.lock().unwrap_or_else(PoisonError::into_inner);
        if people.get(&self.user_id).is_some_and(|theirs| Arc::strong_count(theirs) == 1) {
            people.remove(&self.user_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::contract::error::Reason;

    #[tokio::test]
    async fn each_person_searches_once_at_a_time_and_one_search_waits() {
        let searching = Arc::new(Searching::default());
        let (one, other) = (UserId::new(1).unwrap(), UserId::new(2).unwrap());
        let first = searching.turn(one).await.unwrap();
        let waiting = tokio::spawn({
            let searching = Arc::clone(&searching);
            async move { searching.turn(one).await.map(drop) }
        });
        while searching.people.lock().unwrap().get(&one).is_none_or(|theirs| Arc::strong_count(theirs) < 3) {
            tokio::task::yield_now().await;
        }
        assert_eq!(searching.turn(one).await.unwrap_err().reason, Reason::TooMany);
        drop(searching.turn(other).await.unwrap());
        assert!(!waiting.is_finished());
        drop(first);
        waiting.await.unwrap().unwrap();
        assert!(searching.people.lock().unwrap().is_empty(), "nobody is remembered");
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_ends_in_steps_whatever_it_took() {
        let searching = Arc::new(Searching::default());
        let millis = Duration::from_millis;
        for (took, lasts) in [(0, 10), (1, 10), (9, 10), (10, 20), (11, 20), (305, 310)] {
            let turn = searching.turn(UserId::new(1).unwrap()).await.unwrap();
            let began = turn.began;
            tokio::time::advance(millis(took)).await;
            turn.end_in_step(millis(10)).await;
            assert_eq!(began.elapsed(), millis(lasts), "{took}");
        }
        let turn = searching.turn(UserId::new(1).unwrap()).await.unwrap();
        let began = turn.began;
        turn.end_in_step(Duration::ZERO).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
