//! What the writer has done since the start, as bare numbers for whoever watches over the service.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::chat::contract::error::Code;
use crate::chat::contract::event::Event;
use crate::chat::contract::request::Settled;

/// Counted by the writer's thread, read by anybody at any time. Every number only rises.
#[derive(Debug, Default)]
pub struct Metrics {
    commits: AtomicU64,
    commit_us: AtomicU64,
    changes: AtomicU64,
    messages: AtomicU64,
    refused: Tally,
}

/// How often something was refused, by code. Everybody may count and read at any time.
#[derive(Debug, Default)]
pub struct Tally {
    /// In the order of [`Code::ALL`].
    by_code: [AtomicU64; Code::ALL.len()],
}

impl Tally {
    /// One more refusal with this code.
    pub fn count(&self, code: Code) {
        if let Some(place) = Code::ALL.iter().position(|known| *known == code) {
            self.by_code[place].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The numbers as they are now, in the order of [`Code::ALL`].
    #[must_use]
    pub fn read(&self) -> [u64; Code::ALL.len()] {
        std::array::from_fn(|place| self.by_code[place].load(Ordering::Relaxed))
    }
}

/// The numbers of one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Batches that were settled, each by one commit.
    pub commits: u64,
    /// Microseconds that they took, from the first change to the end of the sync.
    pub commit_us: u64,
    /// Changes in them, refused ones included: by the number of commits, the size of a batch.
    pub changes: u64,
    /// Messages sent.
    pub messages: u64,
    /// Refused changes, in the order of [`Code::ALL`].
    pub refused: [u64; Code::ALL.len()],
}

impl Metrics {
    /// One more batch, which took so long.
    pub fn count(&self, batch: &[Settled], took: Duration) {
        let add = |number: &AtomicU64, more: u64| number.fetch_add(more, Ordering::Relaxed);
        add(&self.commits, 1);
        add(&self.commit_us, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        add(&self.changes, batch.len() as u64);
        for settled in batch {
            if settled.events().iter().any(|announcement| matches!(announcement.event, Event::MessageSent(_))) {
                add(&self.messages, 1);
            }
            if let Some(code) = settled.refusal() {
                self.refused.count(code);
            }
        }
    }

    /// The numbers as they are now.
    #[must_use]
    pub fn read(&self) -> Snapshot {
        let number = |number: &AtomicU64| number.load(Ordering::Relaxed);
        Snapshot {
            commits: number(&self.commits),
            commit_us: number(&self.commit_us),
            changes: number(&self.changes),
            messages: number(&self.messages),
            refused: self.refused.read(),
        }
    }
}
