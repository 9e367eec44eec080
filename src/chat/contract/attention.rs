//! Who is looking at a page now. Never stored.
//!
//! Each socket says for itself whether its page is seen. What it said holds for a minute unless it is said again, and no
//! longer than the socket: a page that is frozen, or whose network is gone, is not looked at. A page that says by itself that
//! it is left has been read till then; one that falls silent may have been left long before.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::id::UserId;
use crate::model::timestamp::Timestamp;

/// How long it holds that a page is seen.
pub const HOLDS_FOR: Duration = Duration::from_secs(60);

/// What is known of somebody's pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    /// One is seen, for so long unless it is said again.
    Until(Timestamp),
    /// None is seen; the last one that was said so itself, and showed what was there at this moment.
    LeftAt(Timestamp),
    /// None is seen, and nothing says what the last one showed.
    Away,
}

/// Everybody's pages.
#[derive(Debug, Default)]
pub struct Attention {
    people: Mutex<HashMap<UserId, Pages>>,
}

#[derive(Debug, Default)]
struct Pages {
    /// The sockets whose pages are seen, and until when.
    seen: Vec<(u64, Timestamp)>,
    left_at: Option<Timestamp>,
}

impl Attention {
    /// A socket says whether its page is seen.
    pub fn set(&self, user_id: UserId, socket: u64, is_visible: bool, now: Timestamp) {
        let mut people = self.people();
        let pages = people.entry(user_id).or_default();
        let was_seen = pages.seen.iter().any(|(number, until)| *number == socket && *until > now);
        pages.seen.retain(|(number, until)| *number != socket && *until > now);
        if is_visible {
            pages.seen.push((socket, now + HOLDS_FOR));
        } else if was_seen && pages.seen.is_empty() {
            pages.left_at = Some(now);
        }
    }

    /// A socket is gone.
    pub fn end(&self, user_id: UserId, socket: u64) {
        if let Some(pages) = self.people().get_mut(&user_id) {
            pages.seen.retain(|(number, _)| *number != socket);
        }
    }

    /// What is known of somebody's pages.
    #[must_use]
    pub fn of(&self, user_id: UserId, now: Timestamp) -> Look {
        let people = self.people();
        let Some(pages) = people.get(&user_id) else { return Look::Away };
        let until = pages.seen.iter().map(|(_, until)| *until).max().filter(|until| *until > now);
        match (until, pages.left_at) {
            (Some(until), _) => Look::Until(until),
            (None, Some(left_at)) => Look::LeftAt(left_at),
            (None, None) => Look::Away,
        }
    }

    /// Forgets who left long ago.
    pub fn tidy(&self, before: Timestamp) {
        self.people().retain(|_, pages| {
            pages.seen.iter().any(|(_, until)| *until > before) || pages.left_at.is_some_and(|left| left > before)
        });
    }

    fn people(&self) -> MutexGuard<'_, HashMap<UserId, Pages>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_780_000_000_000) + Duration::from_secs(seconds)
    }

    fn person() -> UserId {
        UserId::new(1).unwrap()
    }

    #[test]
    fn what_was_said_holds_for_a_minute_and_is_prolonged_by_saying_it_again() {
        let attention = Attention::default();
        assert_eq!(attention.of(person(), at(0)), Look::Away);
        attention.set(person(), 1, true, at(0));
        assert_eq!(attention.of(person(), at(59)), Look::Until(at(60)));
        assert_eq!(attention.of(person(), at(60)), Look::Away);
        attention.set(person(), 1, true, at(70));
        attention.set(person(), 1, true, at(100));
        assert_eq!(attention.of(person(), at(159)), Look::Until(at(160)));
        assert_eq!(attention.of(UserId::new(2).unwrap(), at(100)), Look::Away, "others are not concerned");
    }

    #[test]
    fn a_page_that_says_so_has_been_left_and_one_that_falls_silent_has_not() {
        let attention = Attention::default();
        attention.set(person(), 1, true, at(0));
        attention.set(person(), 1, false, at(5));
        assert_eq!(attention.of(person(), at(6)), Look::LeftAt(at(5)));
        attention.set(person(), 1, true, at(10));
        attention.end(person(), 1);
        assert_eq!(attention.of(person(), at(11)), Look::LeftAt(at(5)), "what came later was not seen");
        attention.set(person(), 2, true, at(20));
        attention.set(person(), 2, false, at(90));
        assert_eq!(attention.of(person(), at(91)), Look::LeftAt(at(5)), "it had been silent for too long");
    }

    #[test]
    fn one_of_several_pages_is_enough() {
        let attention = Attention::default();
        attention.set(person(), 1, true, at(0));
        attention.set(person(), 2, true, at(10));
        attention.set(person(), 1, false, at(20));
        assert_eq!(attention.of(person(), at(20)), Look::Until(at(70)));
        attention.end(person(), 2);
        assert_eq!(attention.of(person(), at(21)), Look::Away);
    }

    #[test]
    fn who_left_long_ago_is_forgotten() {
        let attention = Attention::default();
        attention.set(person(), 1, true, at(0));
        attention.set(person(), 1, false, at(5));
        attention.tidy(at(4));
        assert_eq!(attention.of(person(), at(6)), Look::LeftAt(at(5)));
        attention.tidy(at(5));
        assert_eq!(attention.of(person(), at(6)), Look::Away);
    }
}
