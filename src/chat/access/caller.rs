//! Who is asking, checked against the database: the first line of every rule and question.
//!
//! A verified token says who somebody was when it was signed. That the session still lives, that the person may
//! still use the service and what their role is now is read here, in the same transaction as what follows.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::contract::error::{Error, Reason};
use crate::model::id::{ConversationId, MessageId, SessionId, UserId};
use crate::model::timestamp::Timestamp;
use crate::model::user::Role;
use crate::store::memberships::{self, Membership, MembershipLookup};
use crate::store::{messages, sessions};

/// An active person with a live session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    /// Who.
    pub user_id: UserId,
    /// On which device.
    pub session_id: SessionId,
    /// What they are to the practice now.
    pub role: Role,
}

/// The person who asks.
///
/// # Errors
/// `UNAUTHENTICATED` if nobody is known, or the token, the session or the account is over.
pub fn require_member(conn: &Connection, actor: Actor, now: Timestamp) -> Result<Member, Error> {
    let caller = match actor {
        Actor::Member(caller) => caller,
        Actor::Anonymous | Actor::System => return Err(Reason::TokenMissing.into()),
    };
    let (user_id, session_id) = (caller.user_id(), caller.session_id());
    let live =
        if now < caller.expires_at() { sessions::find_live(conn, session_id, caller.nonce(), now)? } else { None };
    match live {
        Some(live) if live.user_id == user_id => Ok(Member { user_id, session_id, role: live.role }),
        _ => Err(Reason::TokenInvalid.into()),
    }
}

/// The administrator who asks.
///
/// # Errors
/// `UNAUTHENTICATED`; `FORBIDDEN` for other roles.
pub fn require_admin(conn: &Connection, actor: Actor, now: Timestamp) -> Result<Member, Error> {
    let member = require_member(conn, actor, now)?;
    if member.role == Role::Admin { Ok(member) } else { Err(Reason::NotAllowed.into()) }
}

/// Lets only the program itself go on: no token of anybody's is enough.
///
/// # Errors
/// `FORBIDDEN`.
pub fn require_system(actor: Actor) -> Result<(), Error> {
    if actor == Actor::System { Ok(()) } else { Err(Reason::NotAllowed.into()) }
}

/// Where the person who asks stands in a conversation, read together with the proof of who they are.
///
/// # Errors
/// `UNAUTHENTICATED`; `NOT_FOUND` for a conversation that is not there or not theirs.
pub fn require_membership(
    conn: &Connection,
    actor: Actor,
    conversation_id: ConversationId,
    now: Timestamp,
) -> Result<Box<Membership>, Error> {
    let Actor::Member(caller) = actor else { return Err(Reason::TokenMissing.into()) };
    if now >= caller.expires_at() {
        return Err(Reason::TokenInvalid.into());
    }
    let session = (caller.session_id(), caller.nonce());
    match memberships::find_membership(conn, caller.user_id(), session, conversation_id, now)? {
        MembershipLookup::Nobody => Err(Reason::TokenInvalid.into()),
        MembershipLookup::Outsider => Err(Reason::NotFound.into()),
        MembershipLookup::Member(membership) => Ok(membership),
    }
}

/// Where the person who asks stands in the conversation that a message is in.
///
/// # Errors
/// `UNAUTHENTICATED`; `NOT_FOUND` for a message that is not there or in a conversation that is not theirs.
pub fn require_membership_at(
    conn: &Connection,
    actor: Actor,
    message_id: MessageId,
    now: Timestamp,
) -> Result<Box<Membership>, Error> {
    match messages::find_conversation(conn, message_id)? {
        Some(conversation_id) => require_membership(conn, actor, conversation_id, now),
        None => {
            require_member(conn, actor, now)?;
            Err(Reason::NotFound.into())
        }
    }
}
