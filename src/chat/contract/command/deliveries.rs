//! What can be asked about what leaves the house.

use crate::model::delivery::Channel;
use crate::model::email::Email;
use crate::model::id::{ConversationId, DeliveryId, DeviceId, UserId};
use crate::model::locale::Locale;
use crate::model::timestamp::Timestamp;

/// Takes what is due on a channel. System only.
#[derive(Debug)]
pub struct LeaseDeliveries {
    pub channel: Channel,
    /// At most so many.
    pub limit: i64,
}

/// Nobody is at anything any more: whoever was ended with the process. System only.
#[derive(Debug)]
pub struct ReleaseDeliveries;

/// Says what became of what was taken. System only.
#[derive(Debug)]
pub struct SettleDeliveries {
    pub results: Vec<(DeliveryId, Settlement)>,
}

/// What became of a delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Settlement {
    /// The relay or the push service has it.
    Sent,
    /// It is tried again.
    Retry { at: Timestamp, reason: String },
    /// It was not tried: its channel is at fault.
    Postponed { at: Timestamp },
    /// It never will be.
    Failed { reason: String },
    /// The relay says that there is nobody at the address.
    AddressDead { reason: String },
    /// The push service says that the device does not exist any more, or takes nothing from us.
    DeviceGone { reason: String },
    /// It is worth nothing any more.
    Dropped { reason: &'static str },
}

/// Tries a delivery again at once. Administrators only.
#[derive(Debug)]
pub struct RetryDelivery {
    pub delivery_id: DeliveryId,
}

/// Mails somebody a test. Administrators only.
#[derive(Debug)]
pub struct SendTestMail {
    pub to: Email,
    pub locale: Locale,
}

/// Pushes a test to one of the caller's devices.
#[derive(Debug)]
pub struct TestDevice {
    pub device_id: DeviceId,
}

/// Has notices leave that are due, and counts as told what need not be told any more. System only.
#[derive(Debug)]
pub struct RaiseNotices {
    pub notices: Vec<Notice>,
}

/// What somebody may be told of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Notice {
    /// Of a conversation, on their devices.
    Push(UserId, ConversationId),
    /// Of all that waits, by mail.
    Mail(UserId),
}
