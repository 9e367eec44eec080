//! Why Stripe was asked in vain, and when it is asked again.

use std::time::Duration;

use crate::chat::contract::error::Error;
use crate::integrations::stripe::client::{Again, Failure, pause};

/// The longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(600);

/// Why something is not done.
pub(super) enum Trouble {
    Stripe(Failure),
    Chat(Error),
    /// Stripe's answer is about something else than what was asked for.
    Mismatch(&'static str),
}

impl Trouble {
    /// How long until the next try, after so many in vain.
    pub(super) fn after(&self, tries: u32) -> Duration {
        match self {
            Self::Stripe(Failure { again: Again::After(least), .. }) => later(tries).max(*least),
            Self::Stripe(_) | Self::Chat(_) | Self::Mismatch(_) => later(tries.max(8)),
        }
    }

    /// One line for people.
    pub(super) fn reason(self) -> String {
        match self {
            Self::Stripe(failure) => failure.reason,
            Self::Chat(refusal) => refusal.to_string(),
            Self::Mismatch(reason) => reason.to_owned(),
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Stripe(failure)
    }
}

impl From<Error> for Trouble {
    fn from(refusal: Error) -> Self {
        Self::Chat(refusal)
    }
}

/// The pause before the next try: doubled each time, to ten minutes.
fn later(tries: u32) -> Duration {
    let fraction = f64::from(std::time::UNIX_EPOCH.elapsed().map_or(0, |now| now.subsec_millis())) / 1_000.0;
    let grown = Duration::from_secs(1).saturating_mul(2_u32.saturating_pow(tries.min(16)));
    if tries < 4 { pause(tries + 1, fraction) } else { grown.min(PAUSE_MAX) }
}
