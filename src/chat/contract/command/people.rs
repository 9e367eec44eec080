//! What can be asked to change about people: their accounts, their sessions, and who is invited. A password arrives
//! here hashed.

use std::net::IpAddr;

use crate::auth::secret::{Digest, Secret};
use crate::model::email::Email;
use crate::model::id::{InvitationId, SessionId, UserId};
use crate::model::locale::Locale;
use crate::model::person_name::PersonName;
use crate::model::user::{PasswordHash, Role};

/// Where a session is opened from.
#[derive(Clone, Debug, Default)]
pub struct Device {
    /// The caller's address.
    pub address: Option<IpAddr>,
    /// What the caller's program calls itself.
    pub user_agent: Option<String>,
}

/// Opens an account for oneself.
#[derive(Debug)]
pub struct SignUp {
    pub name: PersonName,
    pub email: Email,
    /// Only `client` is allowed.
    pub role: Role,
    pub password: PasswordHash,
    /// Their language.
    pub locale: Locale,
    /// Where the first session is opened.
    pub device: Device,
}

/// Counts an attempt to prove who one is against the address that it comes from, or refuses it.
#[derive(Debug)]
pub struct AdmitAttempt {
    pub address: Option<IpAddr>,
}

/// Opens a session for somebody whose password was right.
#[derive(Debug)]
pub struct OpenSession {
    /// Whose password was right.
    pub user_id: UserId,
    /// The hash that it was checked against; a newer one refuses.
    pub password: PasswordHash,
    pub device: Device,
}

/// Counts a wrong password against the account that was tried.
#[derive(Debug)]
pub struct FailSignIn {
    /// The e-mail that was tried.
    pub email: String,
    pub address: Option<IpAddr>,
}

/// Trades a refresh token for the next one.
#[derive(Debug)]
pub struct RefreshSession {
    /// Of the token that was shown.
    pub digest: Digest,
    /// The token that follows it.
    pub successor: Secret,
    pub device: Device,
}

/// Ends the session that asks.
#[derive(Debug)]
pub struct SignOut;

/// Ends one of one's own sessions.
#[derive(Debug)]
pub struct EndSession {
    pub session_id: SessionId,
}

/// Changes one's own name or language.
#[derive(Debug, Default)]
pub struct UpdateProfile {
    /// A new name.
    pub name: Option<PersonName>,
    /// A new language.
    pub locale: Option<Locale>,
}

/// Sets one's own password and ends the other sessions.
#[derive(Debug)]
pub struct ChangePassword {
    /// The hash that the current password was checked against; a newer one refuses.
    pub current: PasswordHash,
    /// The next one.
    pub next: PasswordHash,
}

/// Replaces a hash by a stronger one of the same password.
#[derive(Debug)]
pub struct Rehash {
    pub user_id: UserId,
    /// The hash that is replaced; a newer one stays.
    pub current: PasswordHash,
    /// The stronger one.
    pub next: PasswordHash,
}

/// Notes that somebody's last socket has left. System only.
#[derive(Debug)]
pub struct RecordLastSeen {
    pub user_id: UserId,
}

/// Invites somebody to open an account.
#[derive(Debug)]
pub struct CreateInvitation {
    /// What the guest will be.
    pub role: Role,
    /// Their name, if known.
    pub name: Option<PersonName>,
    /// Their address, if known.
    pub email: Option<Email>,
    /// Whether the link is mailed to that address.
    pub send: bool,
}

/// Takes an invitation back.
#[derive(Debug)]
pub struct RevokeInvitation {
    pub invitation_id: InvitationId,
}

/// Opens an account by invitation.
#[derive(Debug)]
pub struct AcceptInvitation {
    /// The link's secret.
    pub token: String,
    pub name: PersonName,
    pub email: Email,
    pub password: PasswordHash,
    /// Their language.
    pub locale: Locale,
    /// Where the first session is opened.
    pub device: Device,
}

/// Makes a one-time link for the first administrator. System only.
#[derive(Debug)]
pub struct CreateSetupLink;

/// Opens the first administrator's account.
#[derive(Debug)]
pub struct SetUp {
    /// The link's secret.
    pub token: String,
    pub name: PersonName,
    pub email: Email,
    pub password: PasswordHash,
    /// Their language.
    pub locale: Locale,
    /// Where the first session is opened.
    pub device: Device,
}

/// Opens an account without invitation. System only.
#[derive(Debug)]
pub struct AddUser {
    pub name: PersonName,
    pub email: Email,
    /// What they are.
    pub role: Role,
    /// A juriste's field of law.
    pub specialty: Option<String>,
    pub password: PasswordHash,
}

/// Changes somebody's state, role or name. Administrators only.
#[derive(Debug)]
pub struct UpdateUser {
    pub user_id: UserId,
    /// Whether they may sign in.
    pub is_active: Option<bool>,
    /// What they are.
    pub role: Option<Role>,
    pub name: Option<PersonName>,
}

/// Sets somebody's password and ends their sessions. System only.
#[derive(Debug)]
pub struct SetPassword {
    pub user_id: UserId,
    pub password: PasswordHash,
}

/// Ends all of somebody's sessions. Administrators only.
#[derive(Debug)]
pub struct EndUserSessions {
    pub user_id: UserId,
}

/// Mails somebody who forgot their password a link that sets another one, if there is such an account.
#[derive(Debug)]
pub struct RequestPasswordReset {
    /// As `model::email` spells it.
    pub email: String,
    pub address: Option<IpAddr>,
}

/// Sets another password by the link that was mailed, and opens a session; all others end.
#[derive(Debug)]
pub struct ResetPassword {
    /// Of the link's secret.
    pub digest: Digest,
    pub password: PasswordHash,
    pub device: Device,
}

/// Mails a link to an address that the caller wants to be their account's, or to the one that is.
#[derive(Debug)]
pub struct RequestEmailConfirmation {
    /// The hash that the password was checked against, and another address; without, the present one is confirmed.
    pub change: Option<(PasswordHash, Email)>,
}

/// Confirms an address by the link that was mailed there; the account moves there if it is another one.
#[derive(Debug)]
pub struct ConfirmEmail {
    /// Of the link's secret.
    pub digest: Digest,
}

/// Ends the mail about messages to whoever has this token.
#[derive(Debug)]
pub struct Unsubscribe {
    pub token: String,
}
