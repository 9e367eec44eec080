//! How much each person asks, whatever it is and from however many devices: one budget for all socket events and searches.
//!
//! It is spent before anything is read or looked up, so that a flood costs no more than its refusals.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::chat::access::rates::Rates;
use crate::chat::contract::error::Error;
use crate::model::id::UserId;

/// Everybody's budget.
#[derive(Debug)]
pub struct Activity {
    rates: Mutex<Rates>,
}

impl Activity {
    /// So many per second for good, so many at once; a rate of 0 lets everything pass.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self { rates: Mutex::new(Rates::new(per_second, burst)) }
    }

    /// One more.
    ///
    /// # Errors
    /// `RATE_LIMITED`, with the time until there is one.
    pub fn spend(&self, user_id: UserId) -> Result<(), Error> {
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        rates.take_at(user_id, Instant::now().into_std())
    }
}
