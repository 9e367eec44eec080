//! Sending, editing and deleting: the rules of messages.

use std::sync::Arc;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::access::context::Context;
use crate::chat::contract::command::conversations::{DeleteMessage, EditMessage, SendMessage};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::event::{Announcement, Audience, Event, Notified, State};
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::reply::MessageSent;
use crate::chat::conversations::conversation::{announce_state, updated};
use crate::chat::conversations::message_body::Body;
use crate::model::conversation::Members;
use crate::model::id::MessageId;
use crate::model::message::{Message, Shared};
use crate::model::message_kind::Kind;
use crate::model::timestamp::Timestamp;
use crate::store::attachments;
use crate::store::conversations::{self, LastMessage, Whole};
use crate::store::memberships::Membership;
use crate::store::messages::{self, View};
use crate::store::new_messages::NewMessage;

/// Sends a message. The same sender's id gives the same message for ever, and nothing is announced the second time.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND` (the conversation, the message replied to, a file), `INVALID`, `TOO_LARGE`,
/// `CONFLICT` (the id was used for something else; a file that went elsewhere; a closed account), `RATE_LIMITED`.
pub fn send(
    conn: &Connection,
    actor: Actor,
    command: &SendMessage,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<MessageSent>, Error> {
    let mut membership = context.memberships.require(conn, actor, command.conversation_id, now)?;
    let body = Body::check(command, context.settings.files_per_message_max)?;
    let me = membership.me.id;
    if !membership.peer_is_active {
        return refuse_or_repeat(conn, &membership, command, &body);
    }
    // A clock that was set back judges who may send, but never dates a message before the one in front of it.
    let sent_at = now.max(membership.conversation.active_at);
    if let Some(reply_to_id) = command.reply_to_id
        && messages::find_place(conn, command.conversation_id, reply_to_id)?.is_none()
    {
        return Err(Reason::NotFound.into());
    }
    context.rates.take(me)?;
    let rev = membership.conversation.rev + 1;
    let new = NewMessage {
        conversation_id: command.conversation_id,
        sender_id: me,
        rev,
        content: &body.content,
        links: body.links_json.as_deref(),
        reply_to_id: command.reply_to_id,
        client_message_id: command.client_message_id.as_deref(),
        body_digest: body.digest.as_ref().map(<[u8; 16]>::as_slice),
        created_at: sent_at,
    };
    let Some(id) = (context.insert)(&new)? else {
        context.rates.give_back(me);
        return repeat(conn, &membership, command, &body);
    };
    let files = body.attach(conn, &membership, id, sent_at, context.settings)?;
    let mut links = body.links;
    links.extend(files.iter().map(|file| file.url.clone()));
    let content = body.content.clone().into_owned();
    let message = Message {
        attachments: if links.is_empty() { None } else { Some(links) },
        files,
        reply_to_id: command.reply_to_id,
        client_message_id: command.client_message_id.clone(),
        ..Message::sent(id, command.conversation_id, me, rev, content, sent_at)
    };
    let row = &mut membership.conversation;
    row.rev = rev;
    row.last_message_id = Some(id);
    row.active_at = sent_at;
    row.updated_at = sent_at;
    *row.unread_of_mut(membership.peer.id) += 1;
    context.memberships.keep(*row);
    Ok(sent(membership, message, sent_at))
}

/// What a message to somebody whose account is closed comes to: nothing, unless it was sent while the account worked.
fn refuse_or_repeat(
    conn: &Connection,
    membership: &Membership,
    command: &SendMessage,
    body: &Body<'_>,
) -> Result<Outcome<MessageSent>, Error> {
    let was_sent = match command.client_message_id.as_deref() {
        Some(client_id) => messages::find_by_client_id(conn, membership.me.id, client_id)?.is_some(),
        None => false,
    };
    if was_sent { repeat(conn, membership, command, body) } else { Err(Reason::AccountClosed.into()) }
}

/// The message that was stored when its sender first used this id.
fn repeat(
    conn: &Connection,
    membership: &Membership,
    command: &SendMessage,
    body: &Body<'_>,
) -> Result<Outcome<MessageSent>, Error> {
    let client_id = command.client_message_id.as_deref().unwrap_or_default();
    let earlier = messages::find_by_client_id(conn, membership.me.id, client_id)?.ok_or(Reason::OtherBody)?;
    let digest = body.digest.as_ref().map(<[u8; 16]>::as_slice);
    let same = earlier.body_digest.is_none() || earlier.body_digest.as_deref() == digest;
    if earlier.conversation_id != command.conversation_id || !same {
        return Err(Reason::OtherBody.into());
    }
    let message = load(conn, membership, earlier.id)?;
    Ok(MessageSent { message: Arc::new(Shared::from(message)), duplicate: true }.into())
}

fn sent(membership: Membership, message: Message, now: Timestamp) -> Outcome<MessageSent> {
    let Membership { me, peer, peer_is_active, conversation: row, .. } = membership;
    let message = Arc::new(Shared::from(message));
    let announced = announce(&message, row.members, now, Event::MessageSent);
    let notified = Announcement {
        audience: Audience::NotJoinedOf(row.id, peer.id),
        event: Event::Notified(Notified {
            message: Arc::clone(&message),
            sender: Arc::clone(&me),
            unread_count: row.shown_unread_of(peer.id),
        }),
        at: now,
    };
    let file_count = message.attachments.as_ref().map_or(0, Vec::len);
    let (client, lawyer) = if me.id == row.members.client_id { (me, peer) } else { (peer, me) };
    let state = State::new(Whole {
        row,
        client,
        lawyer,
        is_active: peer_is_active,
        last: Some(LastMessage {
            id: message.id,
            sender_id: message.sender_id,
            text: conversations::last_text(&message.content),
            file_count: i64::try_from(file_count).unwrap_or(i64::MAX),
            kind: Kind::Text,
            created_at: now,
        }),
    });
    let events = vec![announced, notified, announce_state(row.members, now, Event::ConversationUpdated(state))];
    Outcome { reply: MessageSent { message, duplicate: false }, events }
}

/// Changes one's own text; the earlier one is kept. The same text again changes nothing and announces nothing.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`, `FORBIDDEN` (another's, the server's, or too old), `CONFLICT` (deleted), `INVALID`, `TOO_LARGE`,
/// `RATE_LIMITED`.
pub fn edit(
    conn: &Connection,
    actor: Actor,
    command: &EditMessage,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<Arc<Shared>>, Error> {
    let mut membership = caller::require_membership_at(conn, actor, command.message_id, now)?;
    let mut message = load_own(conn, &membership, command.message_id)?;
    if message.is_deleted {
        return Err(Reason::MessageDeleted.into());
    }
    require_recent(&message, now, context)?;
    let content = Body::check_content(&command.content, message.attachments.is_some())?;
    if content == message.content {
        return Ok(Arc::new(Shared::from(message)).into());
    }
    context.rates.take(membership.me.id)?;
    context.index.remove(conn, message.id)?;
    let written_at = message.edited_at.unwrap_or(message.created_at);
    messages::insert_revision(conn, message.id, &message.content, written_at)?;
    message.rev = take_rev(conn, &mut membership, now, context)?;
    messages::set_content(conn, message.id, &content, now, message.rev)?;
    context.index.put_back(conn, message.id)?;
    message.content = content.into_owned();
    message.edited_at = Some(now);
    changed(conn, &membership, message, now, Event::MessageEdited)
}

/// Takes one's own message back. Only the tombstone stays; a second time changes nothing and announces nothing.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`, `FORBIDDEN` (another's, the server's, or too old), `RATE_LIMITED`.
pub fn delete(
    conn: &Connection,
    actor: Actor,
    command: &DeleteMessage,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<Arc<Shared>>, Error> {
    let mut membership = caller::require_membership_at(conn, actor, command.message_id, now)?;
    let message = load_own(conn, &membership, command.message_id)?;
    if message.is_deleted {
        return Ok(Arc::new(Shared::from(message)).into());
    }
    require_recent(&message, now, context)?;
    context.rates.take(membership.me.id)?;
    context.index.remove(conn, message.id)?;
    attachments::delete_of_message(conn, message.id)?;
    let peer_id = membership.peer.id;
    let row = &mut membership.conversation;
    if row.read_id_of(peer_id) < message.id.as_i64() {
        *row.unread_of_mut(peer_id) -= 1;
    } else if let Some(shown) = row.shown_of_mut(peer_id).as_mut().filter(|shown| shown.read_id < message.id.as_i64()) {
        shown.unread -= 1;
        conversations::set_shown(conn, row)?;
    }
    let rev = take_rev(conn, &mut membership, now, context)?;
    messages::set_deleted(conn, message.id, now, rev)?;
    let tombstone = load(conn, &membership, message.id)?;
    changed(conn, &membership, tombstone, now, Event::MessageDeleted)
}

/// Lets a message be changed for as long as the operator allows; a window of zero has no end.
fn require_recent(message: &Message, now: Timestamp, context: &Context<'_>) -> Result<(), Error> {
    let window = context.settings.edit_window;
    let is_over = !window.is_zero() && now.since(message.created_at) > window;
    if is_over { Err(Reason::TooOld.into()) } else { Ok(()) }
}

/// The number of the next change, taken and stored.
pub(crate) fn take_rev(
    conn: &Connection,
    membership: &mut Membership,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<i64, Error> {
    let row = &mut membership.conversation;
    row.rev += 1;
    row.updated_at = now;
    context.memberships.store(conn, *row)?;
    Ok(row.rev)
}

/// The message with the eyes of the one who asks.
///
/// # Errors
/// `NOT_FOUND`.
pub(crate) fn load(conn: &Connection, membership: &Membership, id: MessageId) -> Result<Message, Error> {
    messages::find(conn, view(membership), id)?.ok_or_else(|| Reason::NotFound.into())
}

fn load_own(conn: &Connection, membership: &Membership, id: MessageId) -> Result<Message, Error> {
    let message = load(conn, membership, id)?;
    if message.sender_id != membership.me.id {
        return Err(Reason::NotTheAuthor.into());
    }
    if message.kind == Kind::Text { Ok(message) } else { Err(Reason::NotAText.into()) }
}

/// The eyes of the one who asks.
pub(crate) fn view(membership: &Membership) -> View {
    let row = &membership.conversation;
    View { conversation_id: row.id, members: row.members, viewer_id: membership.me.id }
}

fn changed(
    conn: &Connection,
    membership: &Membership,
    message: Message,
    now: Timestamp,
    what: fn(Arc<Shared>) -> Event,
) -> Result<Outcome<Arc<Shared>>, Error> {
    let message = Arc::new(Shared::from(message));
    let announced = announce(&message, membership.conversation.members, now, what);
    let events = vec![announced, updated(conn, membership.conversation.id, now)?];
    Ok(Outcome { reply: message, events })
}

/// Announces a message to both members.
pub(crate) fn announce(
    message: &Arc<Shared>,
    members: Members,
    now: Timestamp,
    what: fn(Arc<Shared>) -> Event,
) -> Announcement {
    let audience = Audience::Joined(message.conversation_id, members);
    Announcement { audience, event: what(Arc::clone(message)), at: now }
}

#[cfg(test)]
mod tests;
