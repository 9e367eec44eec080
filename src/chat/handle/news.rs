//! For whom something was said since the last look. The relay notes it after each commit, so it must cost next to nothing:
//! waking who asks is what costs, and happens once in as long as they gather, not once per message.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::model::id::{ConversationId, UserId};
use crate::model::timestamp::Timestamp;

/// Pairs that are kept; with one more all are forgotten, and the database is asked instead.
const PAIRS_MAX: usize = 65_536;

/// Who, and where.
pub type Pair = (UserId, ConversationId);

/// For whom something was said.
#[derive(Debug, Default)]
pub struct News {
    is_wanted: AtomicBool,
    pairs: Mutex<Pairs>,
    noted: Notify,
}

#[derive(Debug, Default)]
struct Pairs {
    /// With the moment of the first message since the last look.
    pairs: HashMap<Pair, Timestamp>,
    is_too_many: bool,
}

/// What was noted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Noted {
    /// With the moment of the first message of each.
    Pairs(Vec<(Pair, Timestamp)>),
    /// More than is kept: the database knows.
    TooMany,
}

impl News {
    /// From now on there is somebody who asks.
    pub fn want(&self) {
        self.is_wanted.store(true, Ordering::Relaxed);
    }

    /// Something was said for somebody at this moment.
    pub fn note(&self, pair: Pair, at: Timestamp) {
        if !self.is_wanted.load(Ordering::Relaxed) {
            return;
        }
        let mut noted = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        let was_empty = noted.pairs.is_empty() && !noted.is_too_many;
        if noted.pairs.len() >= PAIRS_MAX {
            noted.pairs = HashMap::new();
            noted.is_too_many = true;
        }
        if !noted.is_too_many {
            noted.pairs.entry(pair).or_insert(at);
        }
        drop(noted);
        if was_empty {
            self.noted.notify_one();
        }
    }

    /// Waits until something was noted, and takes it with what else comes while it is gathered.
    pub async fn take(&self, gathered_for: Duration) -> Noted {
        loop {
            {
                let mut noted = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
                if noted.is_too_many {
                    noted.is_too_many = false;
                    return Noted::TooMany;
                }
                if !noted.pairs.is_empty() {
                    return Noted::Pairs(noted.pairs.drain().collect());
                }
            }
            self.noted.notified().await;
            tokio::time::sleep(gathered_for).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const GATHERED_FOR: Duration = Duration::from_millis(50);

    fn pair(number: i64) -> Pair {
        (UserId::new(number).unwrap(), ConversationId::new(1).unwrap())
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn take(news: &News) -> Option<Noted> {
        news.take(GATHERED_FOR).now_or_never()
    }

    #[tokio::test]
    async fn a_pair_is_noted_once_with_its_first_moment_and_only_if_somebody_asks() {
        let news = News::default();
        news.note(pair(1), at(1));
        assert!(take(&news).is_none());
        news.want();
        for millis in 2..5 {
            news.note(pair(1), at(millis));
        }
        assert_eq!(take(&news), Some(Noted::Pairs(vec![(pair(1), at(2))])));
        assert!(take(&news).is_none());
    }

    #[tokio::test]
    async fn what_comes_shortly_after_is_taken_along() {
        let news = News::default();
        news.want();
        let noting = async {
            news.note(pair(1), at(1));
            tokio::task::yield_now().await;
            news.note(pair(2), at(2));
        };
        let (taken, ()) = tokio::join!(news.take(GATHERED_FOR), noting);
        let Noted::Pairs(pairs) = taken else { panic!("{taken:?}") };
        assert_eq!(pairs.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_is_woken_once_in_as_long_as_they_gather_however_much_is_said() {
        let news = News::default();
        news.want();
        let (mut looks, gathered_for) = (0, Duration::from_secs(1));
        let looking = async {
            loop {
                news.take(gathered_for).await;
                looks += 1;
            }
        };
        let saying = async {
            for millis in (0..10_000).step_by(2) {
                news.note(pair(millis % 7 + 1), at(millis));
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        // Who asks waits already when the first is noted: what was noted before is taken at once.
        tokio::select! { biased; () = looking => {}, () = saying => {} }
        assert!((9..=11).contains(&looks), "{looks} looks in ten seconds");
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded_and_what_is_forgotten_is_said() {
        let news = News::default();
        news.want();
        for number in 0..=PAIRS_MAX {
            news.note(pair(i64::try_from(number).unwrap() + 1), at(1));
        }
        assert_eq!(take(&news), Some(Noted::TooMany));
        assert!(take(&news).is_none());
    }
}
