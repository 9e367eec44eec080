//! How much has left the house since the start, and what became of it. Every number only rises.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::chat::contract::command::deliveries::Settlement;
use crate::model::delivery::Channel;

/// What can become of a delivery, in the order of the numbers.
pub const RESULTS: [&str; 6] = ["sent", "retry", "failed", "address_dead", "device_gone", "dropped"];

/// The numbers, by channel and result.
#[derive(Debug, Default)]
pub struct DeliveryTally {
    counts: [[AtomicU64; RESULTS.len()]; Channel::ALL.len()],
}

impl DeliveryTally {
    /// One more. What was not tried is not counted.
    pub fn count(&self, channel: Channel, settlement: &Settlement) {
        let place = match settlement {
            Settlement::Sent => 0,
            Settlement::Retry { .. } => 1,
            Settlement::Failed { .. } => 2,
            Settlement::AddressDead { .. } => 3,
            Settlement::DeviceGone { .. } => 4,
            Settlement::Dropped { .. } => 5,
            Settlement::Postponed { .. } => return,
        };
        if let Some(row) = Channel::ALL.iter().position(|known| *known == channel) {
            self.counts[row][place].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Each channel with each result, and how often.
    pub fn read(&self) -> impl Iterator<Item = (Channel, &'static str, u64)> + '_ {
        let rows = Channel::ALL.iter().zip(&self.counts);
        rows.flat_map(|(channel, counts)| {
            RESULTS.iter().zip(counts).map(|(result, count)| (*channel, *result, count.load(Ordering::Relaxed)))
        })
    }
}
