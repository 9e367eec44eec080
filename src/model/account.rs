//! Accounts: people as a directory and as an administrator see them.

use serde::Serialize;

use crate::model::id::UserId;
use crate::model::timestamp::Timestamp;
use crate::model::user::Role;

/// Somebody whom the caller may write to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
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
}

/// Somebody's account as an administrator sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
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
    /// Whether they may sign in.
    pub is_active: bool,
    /// Whether the password that everybody knows still opens it.
    pub is_demo: bool,
    /// Whether a socket of theirs is connected.
    pub is_online: bool,
    /// When they last signed in with their password.
    pub last_sign_in_at: Option<Timestamp>,
    /// When their last socket left.
    pub last_seen_at: Option<Timestamp>,
    /// When the account was opened.
    pub created_at: Timestamp,
}

/// A page of accounts, in the order of their ids.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountPage {
    /// The accounts.
    pub users: Vec<Account>,
    /// What to ask for the next page with; nothing where this is the last one.
    pub next_cursor: Option<UserId>,
}
