//! What can be asked to change about notices. Whether a device's address is one that may be pushed to is known before.

use crate::model::id::DeviceId;
use crate::model::notices::{Detail, EmailChoice, QuietHours};
use crate::model::zone::Zone;
use crate::store::devices::Reach;

/// Changes what the caller chose about notices; what is not named stays.
#[derive(Debug, Default)]
pub struct UpdateNotices {
    pub push: Option<bool>,
    pub email: Option<EmailChoice>,
    /// More than the operator allows is refused.
    pub detail: Option<Detail>,
    /// `Some(None)`: the practice's.
    pub time_zone: Option<Option<Zone>>,
    /// `Some(None)`: none.
    pub quiet_hours: Option<Option<QuietHours>>,
    pub calls_in_quiet_hours: Option<bool>,
}

/// Sends the caller's notices to this device from now on.
#[derive(Debug)]
pub struct RegisterDevice {
    pub reach: Reach,
    /// What its owner calls it, ≤ 100 characters.
    pub name: Option<String>,
}

/// Forgets one of the caller's devices.
#[derive(Debug)]
pub struct RemoveDevice {
    pub device_id: DeviceId,
}
