//! A call on the devices of who is called: it rings there at once, and what has become of it takes the place of that.
//!
//! One delivery stands for a call on a device. What it says is read when it leaves, so nothing rings that is over, and what
//! changes while it is on its way leads to another push. Whoever answers or declines is told nothing on that device.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::context::Context;
use crate::chat::contract::attention::Look;
use crate::chat::contract::error::Error;
use crate::chat::notices::due::STALE_AFTER;
use crate::chat::notices::post::Post;
use crate::chat::notices::{devices, preferences};
use crate::model::call::{Call, CallState, RINGS_FOR};
use crate::model::delivery::{Channel, DeliveryKind};
use crate::model::id::{DeviceId, MessageId, UserId};
use crate::model::timestamp::Timestamp;
use crate::store::memberships::ConversationRow;
use crate::store::notices::{self, MarkChannel};
use crate::store::outbox::{self, Leased, NewDelivery, Subject, To};
use crate::store::{calls, shown, users};

/// The devices on which a call in this conversation is told of to somebody: none while they look at a page, which rings
/// by itself.
///
/// # Errors
/// `INTERNAL`.
pub fn list_devices(
    conn: &Connection,
    user_id: UserId,
    conversation: &ConversationRow,
    now: Timestamp,
    context: &Context<'_>,
) -> Result<Vec<(DeviceId, Channel)>, Error> {
    let operator = &context.settings.notices;
    if !operator.available.has_push() || !preferences::in_force(&notices::find_settings(conn, user_id)?, operator).push
    {
        return Ok(Vec::new());
    }
    let is_muted = conversation.muted_until_of(user_id).is_some_and(|until| until > now);
    let is_looking = matches!(context.presence.attention().of(user_id, now), Look::Until(_));
    if is_muted || is_looking { Ok(Vec::new()) } else { Ok(devices::list_reached(conn, user_id, operator)?) }
}

/// Has a call ring on these devices of somebody.
///
/// # Errors
/// `INTERNAL`.
pub fn ring(
    conn: &Connection,
    call: &Call,
    user_id: UserId,
    devices: &[(DeviceId, Channel)],
    now: Timestamp,
    post: Post<'_>,
) -> Result<(), Error> {
    if devices.is_empty() {
        return Ok(());
    }
    let locale = users::find(conn, user_id)?.map(|account| account.profile.locale).unwrap_or_default();
    for (device_id, channel) in devices {
        let new = NewDelivery {
            channel: *channel,
            kind: DeliveryKind::Call,
            user_id: Some(user_id),
            to: To::Device(*device_id, Some(Subject::Call(call.conversation_id, call.id))),
            secret: None,
            locale,
            // What is due the longest leaves first: nobody lets it ring behind messages.
            due_at: now - STALE_AFTER,
            expires_at: call.started_at + RINGS_FOR,
        };
        outbox::insert(conn, &new, now)?;
        post.bell.ring(*channel);
    }
    Ok(())
}

/// Somebody answers or declines: the device that they do it on knows.
///
/// # Errors
/// `INTERNAL`.
pub fn leave(conn: &Connection, call: &Call, actor: Actor, now: Timestamp) -> Result<(), Error> {
    if let Some(caller) = actor.caller() {
        shown::leave_call(conn, call.id, caller.session_id(), now)?;
    }
    Ok(())
}

/// It rings no more. One that was missed (here is its entry) is told where it would have rung, and so not again as a message.
///
/// # Errors
/// `INTERNAL`.
pub fn stop(
    conn: &Connection,
    call: &Call,
    entry: Option<MessageId>,
    now: Timestamp,
    post: Post<'_>,
) -> Result<(), Error> {
    let expires_at = now + if entry.is_some() { STALE_AFTER } else { RINGS_FOR };
    let renewed = shown::renew_call(conn, call.id, entry, expires_at, now)?;
    for (channel, _) in &renewed {
        post.bell.ring(*channel);
    }
    let (Some(entry), Some((_, user_id))) = (entry, renewed.first()) else { return Ok(()) };
    let untold = notices::list_untold(conn, *user_id, Some(call.conversation_id), MarkChannel::Push)?;
    // What was said shortly before has its own notice, which tells of the entry too.
    if untold.first().is_some_and(|untold| untold.oldest_id == entry) {
        notices::mark(conn, (*user_id, call.conversation_id), MarkChannel::Push, entry, now)?;
    }
    Ok(())
}

/// Why a delivery about a call is worth nothing any more, if it is not; `is_unread` says it of the call's entry.
pub(super) fn worthless(conn: &Connection, delivery: &Leased, is_unread: bool) -> Result<Option<&'static str>, Error> {
    let call = match delivery.call_id {
        Some(call_id) => calls::find(conn, call_id)?,
        None => None,
    };
    let Some(call) = call else { return Ok(Some("the call is gone")) };
    let reason = match call.state {
        CallState::Ringing => None,
        // A device that has rung is told in any case: nothing there may go on looking like a call.
        _ if delivery.was_accepted => None,
        state if !state.is_missed() => Some("it rings no more"),
        _ => (!is_unread).then_some("read meanwhile"),
    };
    Ok(reason)
}

#[cfg(test)]
mod tests;
