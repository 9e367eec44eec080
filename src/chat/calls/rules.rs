//! Starting, answering, declining and ending calls: the rules.
//!
//! A conversation has one live call at most, and so has a person. A call that is over leaves an entry in its conversation,
//! made in the same transaction. Whoever sits in a call is told to the hub by an event of that transaction, so that no
//! socket sits there before its commit.

use std::sync::Arc;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::auth::secret;
use crate::chat::access::caller;
use crate::chat::access::context::Context;
use crate::chat::calls::call::{announced, load, require, require_somebody_else, updated};
use crate::chat::calls::{keeping, limits, recording};
use crate::chat::contract::command::calls::{DeclineCall, JoinCall, LeaveCall, StartCall};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::event::{Announcement, Audience, CallSeated, Event};
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::reply::CallStarted;
use crate::chat::conversations::entries::{self, Entry};
use crate::chat::notices::post::Post;
use crate::chat::notices::ringing;
use crate::model::call::{Call, CallState, EndReason, Provider, RoomBits};
use crate::model::id::CallId;
use crate::model::message_kind::Kind;
use crate::model::timestamp::Timestamp;
use crate::store::calls::{self, NewCall};
use crate::store::memberships::Membership;

/// Calls the other member of a conversation.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND` (the conversation); `FORBIDDEN` while calls are off or not for this role; `CONFLICT`
/// (nobody else's account works; the caller is in another call); `RATE_LIMITED`.
pub fn start(
    conn: &Connection,
    actor: Actor,
    command: &StartCall,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<CallStarted>, Error> {
    let membership = caller::require_membership(conn, actor, command.conversation_id, now)?;
    let Membership { me, peer, conversation, .. } = *membership;
    require_somebody_else(conn, conversation.id, me.id)?;
    if let Some(live) = calls::find_live(conn, conversation.id)? {
        let mut events = Vec::new();
        let mut call = Arc::new(live);
        if call.state == CallState::Ringing && call.started_by != me.id {
            answer(conn, &call, actor, now, context)?;
            call = Arc::new(load(conn, call.id)?);
            events.push(updated(&call, conversation.members, now));
        }
        return Ok(Outcome { reply: CallStarted { call, created: false }, events });
    }
    limits::require_start(conn, (me.id, me.role), conversation.id, context.settings, now)?;
    if calls::find_live_of(conn, me.id)?.is_some() {
        return Err(Reason::InAnotherCall.into());
    }
    let in_vain = limits::in_vain(conn, peer.id, context.settings, now)?;
    let devices = ringing::list_devices(conn, peer.id, &conversation, now, context)?;
    let provider = context.settings.call_provider;
    let room = match provider {
        Provider::Direct => None,
        Provider::Jitsi => Some(RoomBits(secret::random_bytes().map_err(Error::internal)?)),
    };
    let new = NewCall {
        conversation_id: conversation.id,
        media: command.media,
        provider,
        room,
        state: CallState::Ringing,
        reachable: context.presence.is_online(peer.id) || !devices.is_empty(),
        started_by: me.id,
        started_at: now,
    };
    let id = calls::insert(conn, &new)?;
    let (call, events) = if let Some(outcome) = in_vain {
        end(conn, id, outcome, now, context)?
    } else {
        let call = Arc::new(load(conn, id)?);
        ringing::ring(conn, &call, peer.id, &devices, now, Post::of(context))?;
        let incoming = Event::CallIncoming(Arc::clone(&call));
        let events = vec![
            Announcement { audience: Audience::Member(peer.id), event: incoming, at: now },
            updated(&call, conversation.members, now),
        ];
        (call, events)
    };
    Ok(Outcome { reply: CallStarted { call, created: true }, events })
}

/// Takes a seat. The callee's first one answers.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`; `CONFLICT` when the call is over, the same person sits elsewhere, or nobody else's
/// account works.
pub fn join(
    conn: &Connection,
    actor: Actor,
    command: &JoinCall,
    now: Timestamp,
    context: &Context<'_>,
) -> Result<Outcome<Arc<Call>>, Error> {
    let (call, membership) = require(conn, actor, command.call_id, now)?;
    let (me, members) = (membership.me.id, membership.conversation.members);
    if !call.state.is_live() {
        return Err(Reason::CallOver.into());
    }
    require_somebody_else(conn, call.conversation_id, me)?;
    let before = call.participants.iter().find(|one| one.user_id == me && one.left_at.is_none());
    // One without a socket sits beside the seat that its person has, and in nobody's way.
    let sits_there = match (&command.seat, before) {
        (None, before) => before.is_some(),
        (seat, Some(before)) => before.seat == *seat,
        (_, None) => false,
    };
    if command.seat.is_none() && call.provider == Provider::Direct {
        return Err(Reason::SocketNeeded.into());
    }
    if before.is_some_and(|before| before.seat.is_some()) && !sits_there && !command.take_over {
        return Err(Reason::SeatElsewhere.into());
    }
    if call.state == CallState::Ringing && call.started_by != me {
        answer(conn, &call, actor, now, context)?;
    }
    if command.seat.is_some() || !sits_there {
        calls::set_seat(conn, call.id, me, command.seat.as_deref(), now)?;
        recording::joined(conn, &load(conn, call.id)?)?;
    }
    let call = Arc::new(load(conn, call.id)?);
    let mut events = Vec::with_capacity(2);
    if let Some(seat) = command.seat.clone() {
        let seated = CallSeated { call_id: call.id, user_id: me, seat };
        events.push(Announcement { audience: Audience::Member(me), event: Event::CallSeated(seated), at: now });
    }
    if !sits_there {
        events.push(updated(&call, members, now));
    }
    Ok(Outcome { reply: call, events })
}

/// Declines a call that rings for the caller. One that is over stays as it is.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`; `FORBIDDEN` for who started it; `CONFLICT` once it is answered.
pub fn decline(
    conn: &Connection,
    actor: Actor,
    command: &DeclineCall,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<Arc<Call>>, Error> {
    let (call, membership) = require(conn, actor, command.call_id, now)?;
    if call.started_by == membership.me.id {
        return Err(Reason::NotTheCallee.into());
    }
    match call.state {
        CallState::Ringing => {
            ringing::leave(conn, &call, actor, now)?;
            let (reply, events) = end(conn, call.id, (CallState::Declined, EndReason::HungUp), now, context)?;
            Ok(Outcome { reply, events })
        }
        CallState::Ongoing => Err(Reason::CallAnswered.into()),
        _ => Ok(Arc::new(call).into()),
    }
}

/// Calls off, declines or hangs up. One that is over stays as it is.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`.
pub fn leave(
    conn: &Connection,
    actor: Actor,
    command: &LeaveCall,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<Arc<Call>>, Error> {
    let (call, membership) = require(conn, actor, command.call_id, now)?;
    let state = match call.state {
        CallState::Ringing if call.started_by == membership.me.id => CallState::Cancelled,
        CallState::Ringing => CallState::Declined,
        CallState::Ongoing => CallState::Ended,
        _ => return Ok(Arc::new(call).into()),
    };
    ringing::leave(conn, &call, actor, now)?;
    let (reply, events) = end(conn, call.id, (state, EndReason::HungUp), now, context)?;
    Ok(Outcome { reply, events })
}

/// Ends a call: its entry is made and told, and the members are told of the call before.
///
/// # Errors
/// `NOT_FOUND` for a call that is not there; `INTERNAL`.
pub(crate) fn end(
    conn: &Connection,
    id: CallId,
    (state, reason): (CallState, EndReason),
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<(Arc<Call>, Vec<Announcement>), Error> {
    calls::set_ended(conn, id, state, reason, now)?;
    recording::call_ended(conn, id, now)?;
    let mut call = load(conn, id)?;
    let line = call.line();
    let entry = Entry {
        conversation_id: call.conversation_id,
        sender_id: call.started_by,
        content: &line,
        counts_unread: state.is_missed(),
    };
    let kind_of = |message_id| {
        call.message_id = Some(message_id);
        call.to_json().map(Kind::Call).map_err(Error::internal)
    };
    let (message_id, entered) = entries::insert(conn, &entry, kind_of, now, context)?;
    calls::set_message(conn, id, message_id)?;
    if state != CallState::Ended {
        ringing::stop(conn, &call, state.is_missed().then_some(message_id), now, Post::of(context))?;
    }
    let call = Arc::new(call);
    let mut events = vec![announced(conn, &call, now)?];
    events.extend(entered);
    if keeping::give_to_entry(conn, id)? {
        events.extend(keeping::changed(conn, id, now, context)?.events);
    }
    Ok((call, events))
}

/// Somebody answers: where else it rings, it stops.
fn answer(conn: &Connection, call: &Call, actor: Actor, now: Timestamp, context: &Context<'_>) -> Result<(), Error> {
    calls::set_answered(conn, call.id, now)?;
    ringing::leave(conn, call, actor, now)?;
    ringing::stop(conn, call, None, now, Post::of(context))
}

#[cfg(test)]
mod tests;
