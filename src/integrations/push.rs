//! What became of a push, whoever carried it.

use std::time::Duration;

/// What the caller does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The service has it.
    Accepted,
    /// The device does not exist any more: forget it.
    Gone,
    /// The device was registered for other keys, or another project, than ours, and never takes anything from us: show
    /// it to the administrator, forget the device.
    OtherSender {
        /// What the service said.
        reason: String,
    },
    /// Too much for this device: say less.
    TooLarge,
    /// The service cannot take it now. The device is sound.
    Retry {
        /// The least pause that the service asks for.
        after: Option<Duration>,
        /// What happened.
        reason: String,
    },
    /// Our keys or settings are not accepted: show it to the administrator. The device is sound.
    Misconfigured {
        /// What the service said.
        reason: String,
    },
    /// This push is wrong and will be so again: drop it. The device is sound.
    OurFault {
        /// What the service said.
        reason: String,
    },
}
