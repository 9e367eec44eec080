//! Push services that do not answer: they are asked with one push at a time, after longer and longer pauses, so that they keep
//! no place from those that do.

use std::collections::HashMap;
use std::time::Duration;

use crate::delivery::pause::OF_PUSH;
use crate::model::timestamp::Timestamp;
use crate::store::outbox::Leased;

/// Pushes to a service that may fail one after the other before it is taken to be at fault.
const FAILURES_MAX: u32 = 3;

/// How long the others wait for what comes of the one that asks: longer than it may take.
const ASKING: Duration = Duration::from_secs(30);

/// What is known of the services; those that are well are not remembered.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    unwell: HashMap<String, Unwell>,
}

#[derive(Debug)]
struct Unwell {
    failures: u32,
    /// How often it was asked in vain since it was taken to be at fault; 0 before that.
    asked: u32,
    is_asked: bool,
    rests_until: Timestamp,
}

/// The service that a push goes to; all of FCM's are one.
pub(super) fn host_of(leased: &Leased) -> &str {
    let address = leased.reach.as_ref().map_or("", |reach| reach.address.as_str());
    address.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default())
}

impl Hosts {
    /// When a push to this service is tried instead of now; `None`: now.
    pub(super) fn postpones(&mut self, host: &str, now: Timestamp) -> Option<Timestamp> {
        let unwell = self.unwell.get_mut(host).filter(|unwell| unwell.asked > 0)?;
        if now < unwell.rests_until {
            return Some(unwell.rests_until);
        }
        (unwell.is_asked, unwell.rests_until) = (true, now + ASKING);
        None
    }

    /// Remembers whether a service answered.
    pub(super) fn note(&mut self, host: &str, is_well: bool, now: Timestamp) {
        if is_well {
            self.unwell.remove(host);
            return;
        }
        let new = || Unwell { failures: 0, asked: 0, is_asked: false, rests_until: now };
        let unwell = self.unwell.entry(host.to_owned()).or_insert_with(new);
        unwell.failures = unwell.failures.saturating_add(1);
        // Those that were on their way when it began to rest tell nothing new.
        if unwell.failures == FAILURES_MAX || unwell.is_asked {
            unwell.asked = unwell.asked.saturating_add(1);
            (unwell.is_asked, unwell.rests_until) = (false, OF_PUSH.next(unwell.asked, None, now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "push.example";

    fn now() -> Timestamp {
        Timestamp::from_millis(1_780_000_000_000)
    }

    #[test]
    fn a_service_rests_after_three_failures_and_is_then_asked_with_one_push() {
        let mut hosts = Hosts::default();
        for _ in 0..2 {
            hosts.note(HOST, false, now());
            assert_eq!(hosts.postpones(HOST, now()), None);
        }
        hosts.note(HOST, false, now());
        let until = hosts.postpones(HOST, now()).expect("it rests");
        assert!(until > now() && until <= now() + OF_PUSH.first);
        assert_eq!(hosts.postpones("other.example", now()), None);
        assert_eq!(hosts.postpones(HOST, until), None, "one asks");
        assert_eq!(hosts.postpones(HOST, until), Some(until + ASKING), "the others wait for it");
        hosts.note(HOST, true, until);
        assert_eq!(hosts.postpones(HOST, until), None);
    }

    #[test]
    fn a_crowd_that_fails_at_once_counts_once_and_each_vain_question_makes_the_pause_longer() {
        let mut hosts = Hosts::default();
        for _ in 0..32 {
            hosts.note(HOST, false, now());
        }
        let mut at = hosts.postpones(HOST, now()).expect("it rests");
        assert!(at <= now() + OF_PUSH.first, "one outage is one failure");
        for round in 2..=9 {
            assert_eq!(hosts.postpones(HOST, at), None);
            hosts.note(HOST, false, at);
            let next = hosts.postpones(HOST, at).expect("it rests again");
            assert!(next > at && next <= at + (OF_PUSH.first * 2_u32.pow(round - 1)).min(OF_PUSH.longest));
            at = next;
        }
    }

    #[test]
    fn one_success_between_failures_forgives_them() {
        let mut hosts = Hosts::default();
        for is_well in [false, false, true, false, false] {
            hosts.note(HOST, is_well, now());
            assert_eq!(hosts.postpones(HOST, now()), None);
        }
    }
}
