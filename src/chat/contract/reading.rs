//! Who has read something since a moment, without asking the database each time. Never stored.
//!
//! Whoever was mailed and reads nothing is asked about once in a second while messages come for them, and the database goes
//! through all of their conversations to say so. Its "no" holds until they read something, and all reading is noted here,
//! before its commit: so what a snapshot does not show yet is known all the same.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::id::UserId;
use crate::model::timestamp::Timestamp;

/// What everybody read, as far as it is known.
#[derive(Debug, Default)]
pub struct Reading {
    people: Mutex<HashMap<UserId, Known>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// When they last read something.
    last_at: Option<Timestamp>,
    /// Since when the database knew of nothing that they read.
    nothing_since: Option<Timestamp>,
}

impl Reading {
    /// Somebody reads something.
    pub fn note(&self, user_id: UserId, at: Timestamp) {
        let mut people = self.people();
        let known = people.entry(user_id).or_default();
        known.last_at = known.last_at.max(Some(at));
    }

    /// Whether somebody has read anything since this moment; `ask` asks the database, where nothing else tells.
    ///
    /// # Errors
    /// Those of `ask`.
    pub fn has_read_since<E>(
        &self,
        user_id: UserId,
        since: Timestamp,
        ask: impl FnOnce() -> Result<bool, E>,
    ) -> Result<bool, E> {
        let known = self.people().get(&user_id).copied().unwrap_or_default();
        if known.last_at.is_some_and(|at| at > since) {
            return Ok(true);
        }
        if known.nothing_since == Some(since) {
            return Ok(false);
        }
        let has_read = ask()?;
        if !has_read {
            self.people().entry(user_id).or_default().nothing_since = Some(since);
        }
        Ok(has_read)
    }

    fn people(&self) -> MutexGuard<'_, HashMap<UserId, Known>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_database_is_asked_once_and_what_is_read_afterwards_counts() {
        let reading = Reading::default();
        let (him, other) = (UserId::new(7).unwrap(), UserId::new(8).unwrap());
        let mailed_at = Timestamp::from_millis(1_780_000_000_000);
        let later = mailed_at + Duration::from_secs(60);
        let asked = Cell::new(0);
        let has_read = |user_id, since, answer| {
            reading.has_read_since::<()>(user_id, since, || {
                asked.set(asked.get() + 1);
                Ok(answer)
            })
        };
        assert_eq!((has_read(him, mailed_at, false), has_read(him, mailed_at, true)), (Ok(false), Ok(false)));
        assert_eq!((has_read(other, mailed_at, true), has_read(other, mailed_at, true)), (Ok(true), Ok(true)));
        assert_eq!(asked.get(), 3, "a yes is asked for again: the next mail makes it another question");
        reading.note(him, mailed_at);
        assert_eq!(has_read(him, mailed_at, true), Ok(false), "not after it");
        reading.note(him, later);
        assert_eq!(has_read(him, mailed_at, false), Ok(true));
        assert_eq!(asked.get(), 3);
        assert_eq!(has_read(him, later, false), Ok(false), "another mail is another question");
        reading.note(him, mailed_at);
        assert_eq!(has_read(him, mailed_at, false), Ok(true), "a clock that went back takes nothing away");
    }
}
