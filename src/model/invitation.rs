//! Invitations to open an account.

use serde::Serialize;

use crate::model::id::{InvitationId, UserId};
use crate::model::timestamp::Timestamp;
use crate::model::user::Role;

/// An open invitation as whoever gave it out sees it. Its secret was shown once and is not known any more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// Which.
    pub id: InvitationId,
    /// Who invites.
    pub inviter_id: UserId,
    /// What the guest will be.
    pub role: Role,
    /// What the inviter calls the guest.
    pub name: Option<String>,
    /// The guest's address, if it is known.
    pub email: Option<String>,
    /// When it was given out.
    pub created_at: Timestamp,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// An open invitation as the guest who holds the link sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Welcome {
    /// Who invites.
    pub inviter_name: String,
    /// What the inviter is to the practice.
    pub inviter_role: Role,
    /// What the guest will be.
    pub role: Role,
    /// What the inviter calls the guest.
    pub name: Option<String>,
    /// The guest's address, if it is known.
    pub email: Option<String>,
    /// Until when it works.
    pub expires_at: Timestamp,
}
