//! Signed-in devices.

use std::fmt;

use serde::Serialize;

use crate::model::id::SessionId;
use crate::model::timestamp::Timestamp;

/// A random value that a session's row and its access tokens share: knowing a session's number, or even the signing key
/// of another time, makes no token for it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SessionNonce(pub [u8; 16]);

impl fmt::Debug for SessionNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionNonce(…)")
    }
}

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
