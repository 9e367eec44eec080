//! Signed-in devices.

use serde::Serialize;

use crate::model::id::SessionId;
use crate::model::timestamp::Timestamp;

/// One of somebody's devices, as they see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Which.
    pub id: SessionId,
    /// What the device's program calls itself.
    pub user_agent: Option<String>,
    /// The network address where it was last seen.
    pub address: Option<String>,
    /// Since when it is signed in.
    pub created_at: Timestamp,
    /// When its tokens were last renewed.
    pub last_used_at: Timestamp,
    /// Until when they can be renewed.
    pub expires_at: Timestamp,
    /// Whether it is the one that asks.
    pub is_current: bool,
}
