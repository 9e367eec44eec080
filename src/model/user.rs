//! People: what they are to the practice, and what others may see of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::id::UserId;
use crate::model::locale::Locale;
use crate::model::timestamp::Timestamp;

/// What somebody is to the practice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Somebody whom the practice advises.
    Client,
    /// Somebody who advises.
    Juriste,
    /// Manages people; never reads conversations.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Client, Self::Juriste, Self::Admin];

    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Juriste => "juriste",
            Self::Admin => "admin",
        }
    }

    /// Whether somebody of this role may invite somebody of that: a juriste invites clients, an admin anybody.
    #[must_use]
    pub const fn may_invite(self, guest: Self) -> bool {
        match self {
            Self::Client => false,
            Self::Juriste => matches!(guest, Self::Client),
            Self::Admin => true,
        }
    }
}

impl FromStr for Role {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        match text {
            "client" => Ok(Self::Client),
            "juriste" => Ok(Self::Juriste),
            "admin" => Ok(Self::Admin),
            _ => Err(NotARole),
        }
    }
}

/// The text names no role.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a role: expected client, juriste or admin")]
pub struct NotARole;

/// What the other party sees of somebody.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// Their full name.
    pub name: String,
    /// What they are to the practice.
    pub role: Role,
    /// A juriste's field of law.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub specialty: Option<String>,
    /// Whether a socket of theirs is connected.
    pub is_online: bool,
    /// When the last of their sockets left; `None` before they ever came.
    pub last_seen_at: Option<Timestamp>,
}

/// What somebody sees of themselves: the `user` of sign-in and `/users/me`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Who.
    pub id: UserId,
    /// Their full name.
    pub name: String,
    /// The address that they sign in with.
    pub email: String,
    /// What they are to the practice.
    pub role: Role,
    /// A juriste's field of law.
    pub specialty: Option<String>,
    /// The language that they read.
    pub locale: Locale,
    /// Whether they may sign in.
    pub is_active: bool,
    /// When the account was opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A password as it is stored: an argon2id PHC string. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}
