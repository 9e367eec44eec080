//! A call: found for whoever may know of it, and told of to its members.

use std::sync::Arc;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::event::{Announcement, Audience, Event};
use crate::model::call::Call;
use crate::model::conversation::Members;
use crate::model::id::{CallId, ConversationId, UserId};
use crate::model::timestamp::Timestamp;
use crate::store::memberships::Membership;
use crate::store::{calls, conversations};

/// A call, and where the person who asks stands in its conversation.
///
/// # Errors
/// `UNAUTHENTICATED`; `NOT_FOUND` for a call that is not there or in a conversation that is not theirs.
pub(crate) fn require(
    conn: &Connection,
    actor: Actor,
    id: CallId,
    now: Timestamp,
) -> Result<(Call, Box<Membership>), Error> {
    match calls::find(conn, id)? {
        Some(call) => {
            let membership = caller::require_membership(conn, actor, call.conversation_id, now)?;
            Ok((call, membership))
        }
        None => {
            caller::require_member(conn, actor, now)?;
            Err(Reason::NotFound.into())
        }
    }
}

/// A call.
///
/// # Errors
/// `NOT_FOUND` for one that is not there.
pub(crate) fn load(conn: &Connection, id: CallId) -> Result<Call, Error> {
    calls::find(conn, id)?.ok_or_else(|| Reason::NotFound.into())
}

/// What a call needs to begin and to be joined: that somebody else who may join is there.
///
/// # Errors
/// `CONFLICT` where everybody else's account is closed.
pub(crate) fn require_somebody_else(
    conn: &Connection,
    conversation_id: ConversationId,
    me: UserId,
) -> Result<(), Error> {
    let may_join = calls::list_who_may_join(conn, conversation_id)?;
    if may_join.iter().any(|one| *one != me) { Ok(()) } else { Err(Reason::AccountClosed.into()) }
}

/// What the members are told of a call.
///
/// # Errors
/// `NOT_FOUND` for a conversation that is not there.
pub(crate) fn announced(conn: &Connection, call: &Arc<Call>, now: Timestamp) -> Result<Announcement, Error> {
    let whole = conversations::find(conn, call.conversation_id)?.ok_or(Reason::NotFound)?;
    Ok(updated(call, whole.row.members, now))
}

/// The same to these members.
pub(crate) fn updated(call: &Arc<Call>, members: Members, now: Timestamp) -> Announcement {
    Announcement { audience: Audience::Members(members), event: Event::CallUpdated(Arc::clone(call)), at: now }
}
