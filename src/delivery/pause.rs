//! How long to wait before something is tried again.

use std::time::Duration;

use crate::chat::contract::command::deliveries::Settlement;
use crate::model::timestamp::Timestamp;
use crate::store::outbox::Leased;

/// The pauses of a channel: each may be twice as long as the one before, up to a limit.
#[derive(Clone, Copy, Debug)]
pub struct Pauses {
    pub first: Duration,
    pub longest: Duration,
}

/// A relay is asked again after a minute at most, later after an hour at most.
pub const OF_MAIL: Pauses = Pauses { first: Duration::from_secs(60), longest: Duration::from_secs(3600) };

/// A push service after ten seconds at most, later after a quarter of an hour at most.
pub const OF_PUSH: Pauses = Pauses { first: Duration::from_secs(10), longest: Duration::from_secs(900) };

/// The shortest of all.
const LEAST: Duration = Duration::from_secs(1);

impl Pauses {
    /// When to try again after so many attempts: at random within the pause ("full jitter"), so that those who failed together
    /// do not come back together; never before what was asked for.
    #[must_use]
    pub fn next(self, attempts: u32, asked: Option<Duration>, now: Timestamp) -> Timestamp {
        let mut random = [0; 4];
        // Without randomness the whole pause is waited.
        let share =
            getrandom::fill(&mut random).map_or(1.0, |()| f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX));
        now + self.drawn(attempts, asked, share)
    }

    fn drawn(self, attempts: u32, asked: Option<Duration>, share: f64) -> Duration {
        let doubled = self.first.saturating_mul(1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX));
        let pause = doubled.min(self.longest).mul_f64(share.clamp(0.0, 1.0));
        pause.max(asked.unwrap_or_default()).max(LEAST)
    }
}

/// What a third party's "not now" comes to: another try, unless the delivery is worth nothing by then.
pub(super) fn again(delivery: &Leased, pauses: Pauses, after: Option<Duration>, reason: String) -> Settlement {
    let at = pauses.next(delivery.attempts, after, Timestamp::now());
    if at < delivery.expires_at { Settlement::Retry { at, reason } } else { Settlement::Failed { reason } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_limit_and_are_drawn_from_nothing_to_all_of_it() {
        let whole: Vec<u64> = (1..=9).map(|tries| OF_MAIL.drawn(tries, None, 1.0).as_secs()).collect();
        assert_eq!(whole, [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);
        assert_eq!(OF_MAIL.drawn(5, None, 0.0), LEAST);
        assert_eq!(OF_MAIL.drawn(5, None, 0.5).as_secs(), 480);
        assert_eq!(OF_PUSH.drawn(u32::MAX, None, 1.0).as_secs(), 900);
        assert_eq!(OF_PUSH.drawn(0, None, 1.0).as_secs(), 10);
    }

    #[test]
    fn what_was_asked_for_is_never_undercut() {
        let asked = Some(Duration::from_secs(7200));
        assert_eq!(OF_PUSH.drawn(1, asked, 0.3).as_secs(), 7200);
        assert_eq!(OF_MAIL.drawn(9, Some(Duration::from_secs(5)), 1.0).as_secs(), 3600);
    }

    #[test]
    fn two_that_failed_together_do_not_come_back_together() {
        let now = Timestamp::now();
        let moments: std::collections::HashSet<_> = (0..50).map(|_| OF_MAIL.next(6, None, now).as_millis()).collect();
        assert!(moments.len() > 40);
    }
}
