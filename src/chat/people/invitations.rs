//! Invitations and the setup link: accounts that are opened with a one-time secret.
//!
//! A link that is unknown, used, taken back or expired gets one and the same answer. The secret is shown once, to
//! whoever makes the link; the database only recognises it.

use std::time::Duration;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::auth::secret::{Digest, Secret};
use crate::chat::access::caller;
use crate::chat::contract::command::people::{AcceptInvitation, CreateInvitation, RevokeInvitation, SetUp};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::presence::Presence;
use crate::chat::contract::reply::{Invited, SessionOpened, SetupLink};
use crate::chat::conversations::conversation;
use crate::chat::handle::chat::Chat;
use crate::chat::notices::post::{Letter, Post};
use crate::chat::people::accounts::{self, NewAccount, Opening};
use crate::chat::people::sign_in::{self, SignedIn};
use crate::model::conversation::Members;
use crate::model::delivery::DeliveryKind;
use crate::model::id::UserId;
use crate::model::invitation::{Invitation, Welcome};
use crate::model::locale::Text;
use crate::model::timestamp::Timestamp;
use crate::model::user::{Profile, Role};
use crate::store::invitations::{self, InvitationRow, NewInvitation};
use crate::store::users::{self, NewUser};

/// How long an invitation works.
pub const INVITATION_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long a setup link works.
pub const SETUP_LIFE: Duration = Duration::from_secs(30 * 60);

/// Invitations of one person that wait for an answer.
const OPEN_MAX: i64 = 500;

impl Chat {
    /// The open invitations that the caller gave out, the latest first; an administrator sees everybody's.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `FORBIDDEN` for clients.
    pub async fn list_invitations(&self, actor: Actor) -> Result<Vec<Invitation>, Error> {
        self.ask(move |conn, now| {
            let me = caller::require_member(conn, actor, now)?;
            let inviter_id = match me.role {
                Role::Client => return Err(Reason::NotAllowed.into()),
                Role::Juriste => Some(me.user_id),
                Role::Admin => None,
            };
            Ok(invitations::list_open(conn, inviter_id, now)?.into_iter().map(shown).collect())
        })
        .await
    }

    /// What the holder of an invitation's secret is shown before they accept.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn find_invitation(&self, token: String) -> Result<Welcome, Error> {
        self.ask(move |conn, now| {
            let invitation = find_open(conn, &token, now)?;
            let inviter = accounts::load(conn, invitation.inviter_id)?;
            Ok(Welcome {
                inviter_name: inviter.name,
                inviter_role: inviter.role,
                role: invitation.role,
                name: invitation.name,
                email: invitation.email,
                expires_at: invitation.expires_at,
            })
        })
        .await
    }

    /// Opens an account by invitation and signs its owner in.
    ///
    /// # Errors
    /// `NOT_FOUND` for a link that does not work, `INVALID`, `CONFLICT` if the address has an account, `RATE_LIMITED`.
    pub async fn accept_invitation(&self, token: String, account: NewAccount) -> Result<SignedIn, Error> {
        self.admit(&account.device).await?;
        let shown = token.clone();
        self.ask(move |conn, now| find_open(conn, &shown, now).map(drop)).await?;
        let Opening { name, email, password, locale, device } = self.prepare(account).await?;
        let command = AcceptInvitation { token, name, email, password, locale, device };
        self.open_session(command).await
    }

    /// Opens the first administrator's account by the setup link and signs them in.
    ///
    /// # Errors
    /// `NOT_FOUND` for a link that does not work, `INVALID`, `CONFLICT` if the address has an account, `RATE_LIMITED`.
    pub async fn set_up(&self, token: String, account: NewAccount) -> Result<SignedIn, Error> {
        self.admit(&account.device).await?;
        let digest = Digest::of_presented(&token).ok_or(Reason::NotFound)?;
        self.ask(move |conn, now| {
            let works = !has_admin(conn)? && invitations::knows_setup(conn, digest.as_bytes(), now)?;
            works.then_some(()).ok_or_else(|| Reason::NotFound.into())
        })
        .await?;
        let Opening { name, email, password, locale, device } = self.prepare(account).await?;
        let command = SetUp { token, name, email, password, locale, device };
        self.open_session(command).await
    }
}

/// The rule of [`CreateInvitation`]: a juriste invites clients, an administrator anybody.
///
/// # Errors
/// `UNAUTHENTICATED`, `FORBIDDEN`; `CONFLICT` if the address has an account, or where nothing can be mailed; `INVALID` for a
/// mail without an address; `RATE_LIMITED` for too many open ones.
pub fn create(
    conn: &Connection,
    actor: Actor,
    command: &CreateInvitation,
    now: Timestamp,
    post: Post<'_>,
) -> Result<Outcome<Invited>, Error> {
    let me = caller::require_member(conn, actor, now)?;
    if !me.role.may_invite(command.role) {
        return Err(Reason::NotAllowed.into());
    }
    let email = command.email.as_ref().map(|email| email.as_str());
    let mailed_to = if command.send { Some(require_address(post, email)?) } else { None };
    if let Some(email) = email
        && users::find_by_email(conn, email)?.is_some()
    {
        return Err(Reason::EmailTaken.into());
    }
    if invitations::count_open(conn, me.user_id, now)? >= OPEN_MAX {
        return Err(Error::too_many(INVITATION_LIFE));
    }
    let secret = Secret::generate().map_err(Error::internal)?;
    let digest = secret.digest();
    let invitation = NewInvitation {
        token_hash: digest.as_bytes(),
        inviter_id: me.user_id,
        role: command.role,
        name: command.name.as_ref().map(|name| name.as_str()),
        email,
    };
    let expires_at = now + INVITATION_LIFE;
    let id = invitations::insert(conn, &invitation, now, expires_at)?;
    if let Some(address) = mailed_to {
        let locale = accounts::load(conn, me.user_id)?.locale;
        let letter = Letter { kind: DeliveryKind::Invitation, user_id: None, secret: Some(secret.reveal()), locale };
        post.mail(conn, &letter, address, expires_at, now)?;
        invitations::set_mailed(conn, id, now)?;
    }
    Ok(Invited { id, token: secret.reveal().to_owned(), role: command.role, expires_at }.into())
}

/// Where an invitation is mailed to.
fn require_address<'a>(post: Post<'_>, email: Option<&'a str>) -> Result<&'a str, Error> {
    post.require_channel()?;
    let wrong = |message| Err(Error::invalid("email", message));
    match email {
        None => wrong(Text::new("est requis pour envoyer l’invitation", "is required to mail the invitation")),
        Some(email) if !post.takes(email) => wrong(Text::new(
            "est une adresse d’exemple : rien n’y est envoyé",
            "is for examples: nothing is mailed there",
        )),
        Some(email) => Ok(email),
    }
}

/// The rule of [`RevokeInvitation`].
///
/// # Errors
/// `UNAUTHENTICATED`, `FORBIDDEN` for clients; `NOT_FOUND` for one that is not open or not the caller's.
pub fn revoke(
    conn: &Connection,
    actor: Actor,
    command: &RevokeInvitation,
    now: Timestamp,
) -> Result<Outcome<()>, Error> {
    let me = caller::require_member(conn, actor, now)?;
    if me.role == Role::Client {
        return Err(Reason::NotAllowed.into());
    }
    let invitation = invitations::find(conn, command.invitation_id)?
        .filter(|row| row.accepted_at.is_none() && row.revoked_at.is_none() && row.expires_at > now)
        .filter(|row| me.role == Role::Admin || row.inviter_id == me.user_id)
        .ok_or(Reason::NotFound)?;
    invitations::set_revoked(conn, invitation.id, now)?;
    Ok(().into())
}

/// The rule of [`AcceptInvitation`]: a client whom a juriste invited finds their conversation there.
///
/// # Errors
/// `NOT_FOUND`; `CONFLICT` if the address has an account.
pub fn accept(
    conn: &Connection,
    command: &AcceptInvitation,
    now: Timestamp,
    presence: &Presence,
) -> Result<Outcome<SessionOpened>, Error> {
    let invitation = find_open(conn, &command.token, now)?;
    let inviter = accounts::load(conn, invitation.inviter_id)?;
    let user = NewUser {
        name: command.name.as_str(),
        email: command.email.as_str(),
        password: &command.password,
        role: invitation.role,
        specialty: None,
        locale: command.locale,
    };
    let guest = open_account(conn, &user, now)?;
    invitations::set_accepted(conn, invitation.id, guest.id, now)?;
    if invitations::was_mailed_to(conn, invitation.id, &guest.email)? {
        users::set_email_confirmed(conn, guest.id, now)?;
    }
    let mut events = Vec::new();
    if (inviter.role, guest.role) == (Role::Juriste, Role::Client) {
        let members = Members { client_id: guest.id, lawyer_id: inviter.id };
        events = conversation::open(conn, guest.id, members, now, presence)?.1;
    }
    let Outcome { reply, .. } = sign_in::start(conn, guest, &command.device, now)?;
    Ok(Outcome { reply, events })
}

/// The rule of `CreateSetupLink`; earlier links stop working.
///
/// # Errors
/// `FORBIDDEN` for all but the system; `CONFLICT` if there is an administrator.
pub fn create_setup(conn: &Connection, actor: Actor, now: Timestamp) -> Result<Outcome<SetupLink>, Error> {
    caller::require_system(actor)?;
    if has_admin(conn)? {
        return Err(Reason::AdminExists.into());
    }
    let secret = Secret::generate().map_err(Error::internal)?;
    let expires_at = now + SETUP_LIFE;
    invitations::insert_setup(conn, secret.digest().as_bytes(), now, expires_at)?;
    Ok(SetupLink { token: secret.reveal().to_owned(), expires_at }.into())
}

/// The rule of [`SetUp`].
///
/// # Errors
/// `NOT_FOUND` for a link that does not work, or once there is an administrator; `CONFLICT` if the address has an
/// account.
pub fn set_up(conn: &Connection, command: &SetUp, now: Timestamp) -> Result<Outcome<SessionOpened>, Error> {
    let digest = Digest::of_presented(&command.token).ok_or(Reason::NotFound)?;
    let works = !has_admin(conn)? && invitations::use_setup(conn, digest.as_bytes(), now)?;
    if !works {
        return Err(Reason::NotFound.into());
    }
    let user = NewUser {
        name: command.name.as_str(),
        email: command.email.as_str(),
        password: &command.password,
        role: Role::Admin,
        specialty: None,
        locale: command.locale,
    };
    let profile = open_account(conn, &user, now)?;
    sign_in::start(conn, profile, &command.device, now)
}

/// Whether the time of setup links is over.
fn has_admin(conn: &Connection) -> Result<bool, Error> {
    Ok(users::count_active(conn, Role::Admin)? > 0)
}

/// Takes back the open invitations of somebody whose sessions end, where those hand on more than a client's place: whoever
/// had the account may have made them as a way back in. Those for clients stay: each is on paper or in a mail in a client's
/// hands, and shows whoever uses it nothing but a new conversation with the inviter.
///
/// # Errors
/// `INTERNAL`.
pub fn revoke_powerful(conn: &Connection, inviter_id: UserId, now: Timestamp) -> Result<(), Error> {
    for guest in Role::ALL.into_iter().filter(|guest| *guest != Role::Client) {
        invitations::revoke_open(conn, inviter_id, guest, now)?;
    }
    Ok(())
}

fn open_account(conn: &Connection, user: &NewUser<'_>, now: Timestamp) -> Result<Profile, Error> {
    let profile = accounts::insert(conn, user, now)?;
    users::set_last_sign_in(conn, profile.id, now)?;
    Ok(profile)
}

fn find_open(conn: &Connection, token: &str, now: Timestamp) -> Result<InvitationRow, Error> {
    let digest = Digest::of_presented(token).ok_or(Reason::NotFound)?;
    let invitation = invitations::find_open(conn, digest.as_bytes(), now)?.ok_or(Reason::NotFound)?;
    // Whoever gave it out must still be somebody who may.
    let inviter = accounts::load(conn, invitation.inviter_id)?;
    if inviter.role.may_invite(invitation.role) { Ok(invitation) } else { Err(Reason::NotFound.into()) }
}

fn shown(row: InvitationRow) -> Invitation {
    Invitation {
        id: row.id,
        inviter_id: row.inviter_id,
        role: row.role,
        name: row.name,
        email: row.email,
        created_at: row.created_at,
        expires_at: row.expires_at,
    }
}

#[cfg(test)]
mod tests;
