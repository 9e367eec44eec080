//! Who sits in which call with a live socket: told by whoever holds the sockets, asked by the rules of calls. Never stored.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::call::SeatOf;
use crate::model::id::{CallId, UserId};

/// The seats that are taken now: one for each person in a call. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Seats {
    calls: Arc<Mutex<HashMap<CallId, Vec<SeatOf>>>>,
}

impl Seats {
    /// Notes that a live socket has this person's seat; it takes the place of the one before.
    pub fn take(&self, call_id: CallId, user_id: UserId, seat: &str) {
        let mut calls = self.calls();
        let taken = calls.entry(call_id).or_default();
        taken.retain(|one| one.user_id != user_id);
        taken.push(SeatOf { user_id, seat: seat.to_owned() });
    }

    /// Notes that the socket in this seat is gone.
    pub fn give_up(&self, call_id: CallId, user_id: UserId) {
        let mut calls = self.calls();
        if let Some(taken) = calls.get_mut(&call_id) {
            taken.retain(|one| one.user_id != user_id);
            if taken.is_empty() {
                calls.remove(&call_id);
            }
        }
    }

    /// Where this person sits, with a live socket.
    #[must_use]
    pub fn is_taken_by(&self, call_id: CallId, user_id: UserId) -> bool {
        self.calls().get(&call_id).is_some_and(|taken| taken.iter().any(|one| one.user_id == user_id))
    }

    /// The seats of a call that are taken by others than this person.
    #[must_use]
    pub fn of_others(&self, call_id: CallId, user_id: UserId) -> Vec<SeatOf> {
        let calls = self.calls();
        calls.get(&call_id).into_iter().flatten().filter(|one| one.user_id != user_id).cloned().collect()
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<CallId, Vec<SeatOf>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
