//! How fast one person may go on: a bucket of tokens each, kept by the writer's thread, never stored.
//!
//! Measured on the monotonic clock: setting the machine's clock neither gives nor takes anything.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::chat::contract::error::Error;
use crate::model::id::UserId;

/// From this many people on, those who have not sent for a while are forgotten.
const BUCKETS_KEPT: usize = 4096;

/// Thousandths of a token: one message costs this much.
const ONE: i64 = 1000;

/// Everybody's buckets.
#[derive(Debug)]
pub struct Rates {
    per_second: i64,
    burst: i64,
    buckets: HashMap<UserId, Bucket>,
    kept: usize,
}

#[derive(Debug)]
struct Bucket {
    /// Thousandths of a token.
    level: i64,
    at: Instant,
}

impl Rates {
    /// So many per second for good, so many at once; a rate of 0 lets everything pass.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Self {
        let per_second = i64::from(per_second);
        Self { per_second, burst: i64::from(burst).max(1) * ONE, buckets: HashMap::new(), kept: BUCKETS_KEPT }
    }

    /// Takes one token.
    ///
    /// # Errors
    /// `RATE_LIMITED`, with the time until there is one.
    pub fn take(&mut self, user_id: UserId) -> Result<(), Error> {
        self.take_at(user_id, Instant::now())
    }

    /// The same, at a moment of the caller's clock.
    ///
    /// # Errors
    /// `RATE_LIMITED`, with the time until there is one.
    pub fn take_at(&mut self, user_id: UserId, now: Instant) -> Result<(), Error> {
        if self.per_second == 0 {
            return Ok(());
        }
        if self.buckets.len() >= self.kept {
            self.forget_full(now);
        }
        let (rate, burst) = (self.per_second, self.burst);
        let bucket = self.buckets.entry(user_id).or_insert(Bucket { level: burst, at: now });
        // Tokens per second are thousandths of a token per millisecond.
        let refill = millis_since(bucket.at, now).saturating_mul(rate);
        bucket.level = bucket.level.saturating_add(refill).min(burst);
        bucket.at = now;
        if bucket.level < ONE {
            let wait_ms = (ONE - bucket.level + rate - 1) / rate;
            return Err(Error::too_many(Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0))));
        }
        bucket.level -= ONE;
        Ok(())
    }

    /// Gives one token back: what it was taken for was not new.
    pub fn give_back(&mut self, user_id: UserId) {
        if let Some(bucket) = self.buckets.get_mut(&user_id) {
            bucket.level = (bucket.level + ONE).min(self.burst);
        }
    }

    fn forget_full(&mut self, now: Instant) {
        let (rate, burst) = (self.per_second, self.burst);
        self.buckets.retain(|_, bucket| {
            let refill = millis_since(bucket.at, now).saturating_mul(rate);
            bucket.level.saturating_add(refill) < burst
        });
        self.kept = (self.buckets.len() * 2).max(BUCKETS_KEPT);
    }
}

fn millis_since(earlier: Instant, now: Instant) -> i64 {
    i64::try_from(now.saturating_duration_since(earlier).as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    fn user(number: i64) -> UserId {
        UserId::new(number).unwrap()
    }

    fn at(millis: u64) -> Instant {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        *START + Duration::from_millis(millis)
    }

    #[test]
    fn sixty_at_once_then_twenty_a_second() {
        let mut rates = Rates::new(20, 60);
        for _ in 0..60 {
            rates.take_at(user(1), at(0)).unwrap();
        }
        assert_eq!(rates.take_at(user(1), at(0)).unwrap_err().retry_after, Some(Duration::from_millis(50)));
        assert!(rates.take_at(user(1), at(49)).is_err());
        rates.take_at(user(1), at(50)).unwrap();
        assert!(rates.take_at(user(1), at(50)).is_err());
        rates.take_at(user(2), at(50)).unwrap();
        for step in 1..=100 {
            rates.take_at(user(1), at(50 + 50 * step)).unwrap();
        }
    }

    #[test]
    fn a_token_given_back_can_be_taken_again_and_never_overfills() {
        let mut rates = Rates::new(1, 1);
        rates.take_at(user(1), at(0)).unwrap();
        rates.give_back(user(1));
        rates.give_back(user(1));
        rates.take_at(user(1), at(0)).unwrap();
        assert!(rates.take_at(user(1), at(0)).is_err());
    }

    #[test]
    fn a_rate_of_zero_lets_everything_pass() {
        let mut rates = Rates::new(0, 60);
        for _ in 0..1000 {
            rates.take_at(user(1), at(0)).unwrap();
        }
    }

    #[test]
    fn those_who_went_silent_are_forgotten_and_those_who_press_on_are_not() {
        let mut rates = Rates::new(20, 60);
        for number in 1..=4095 {
            rates.take_at(user(number), at(0)).unwrap();
        }
        for _ in 0..60 {
            rates.take_at(user(5000), at(1000)).unwrap();
        }
        assert!(rates.take_at(user(5000), at(1000)).is_err());
        rates.take_at(user(6000), at(1000)).unwrap();
        assert!(rates.buckets.len() <= 3, "{}", rates.buckets.len());
        assert!(rates.take_at(user(5000), at(1000)).is_err());
    }
}
