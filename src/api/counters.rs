//! What is counted over HTTP, and what is known of the sockets at a moment.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::chat::contract::error::{Code, Reason};

/// How the sockets are at this moment.
#[derive(Clone, Debug, Default)]
pub struct Connected {
    /// Connections of the protocol, whether or not somebody signed in on them.
    pub sessions: u64,
    /// Those that belong to somebody.
    pub sockets: u64,
    /// Bytes that wait for all of them together.
    pub queue_bytes: u64,
    /// Events and connections refused since the start, in the order of [`Code::ALL`].
    pub refused: [u64; Code::ALL.len()],
    /// Requests to the endpoint refused since the start, by reason.
    pub endpoint_refused: Vec<(&'static str, u64)>,
}

/// What was answered over HTTP since the start.
#[derive(Debug)]
pub struct Counters {
    /// Answers by the first digit of their status, from 1 to 5.
    pub by_status_class: [AtomicU64; 5],
    /// In the order of [`Reason::ALL`].
    pub refused: Vec<AtomicU64>,
}

impl Default for Counters {
    fn default() -> Self {
        Self { by_status_class: Default::default(), refused: Reason::ALL.iter().map(|_| AtomicU64::new(0)).collect() }
    }
}

impl Counters {
    /// One more answer with this status.
    pub fn answered(&self, status: u16) {
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        self.by_status_class[class].fetch_add(1, Ordering::Relaxed);
    }

    /// One more refusal.
    pub fn refused(&self, reason: Reason) {
        if let Some(place) = Reason::ALL.iter().position(|known| *known == reason) {
            self.refused[place].fetch_add(1, Ordering::Relaxed);
        }
    }
}
