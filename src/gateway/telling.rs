//! Telling what was committed: each event is encoded once, in the contract's shape, and queued on the sockets of its
//! audience; only then is the change's answer let go. What an author alone may see of a message is an event of its own.
//!
//! `conversation:updated` tells a state and not a step: of one batch of commits each member is told the last one only, at
//! its end.

use std::cell::OnceCell;
use std::collections::HashMap;

use serde::Serialize;

use crate::chat::event::{Audience, Event, State, Told};
use crate::chat::execute::Outcomes;
use crate::chat::presence::Presence;
use crate::gateway::hub::{Hub, Reach};
use crate::model::conversation::Conversation;
use crate::model::id::{ConversationId, MessageId, UserId};
use crate::model::message::{Reaction, Shared};
use crate::model::timestamp::Timestamp;
use crate::socketio::packet::Encoded;
use crate::socketio::sender::Sender;

/// The one namespace.
pub const NAMESPACE: &str = "/chat";

/// Tells everything that is committed, in order, until the chat is closed.
pub async fn tell_all(hub: &Hub, mut outcomes: Outcomes) {
    let mut states = HashMap::new();
    while let Some(batch) = outcomes.recv().await {
        for settled in batch {
            for told in settled.events() {
                match &told.event {
                    Event::ConversationUpdated(state) => {
                        states.insert(state.conversation_id(), told.clone());
                    }
                    _ => tell(hub, told),
                }
            }
            settled.complete();
        }
        for (_, told) in states.drain() {
            tell(hub, &told);
        }
    }
}

/// Says to sockets that were taken out of the hub why they are closed, and closes them.
pub fn say_goodbye(senders: Vec<Sender>, reason: &str) {
    let goodbye = encode_goodbye(reason);
    for sender in senders {
        // Whether it still arrives or not, the socket is closed.
        let _ = sender.send(&goodbye);
        sender.disconnect();
        sender.close();
    }
}

fn tell(hub: &Hub, told: &Told) {
    if let (Event::SessionEnded(ending), Audience::Session(user_id, session_id)) = (&told.event, told.audience) {
        return say_goodbye(hub.end(user_id, session_id), ending.as_str());
    }
    let mut packet = OnceCell::new();
    for (user_id, reach) in recipients(told.audience) {
        // Most sockets of the people concerned have joined, or none has: what nobody is told is not encoded either.
        hub.send(user_id, reach, || packet.get_or_init(|| encode(told, user_id, hub.online())));
        if matches!(told.event, Event::ConversationCreated(_) | Event::ConversationUpdated(_)) {
            // Each member sees the conversation from their side.
            packet = OnceCell::new();
        }
    }
}

fn encode(told: &Told, viewer: UserId, online: &Presence) -> Encoded {
    let timestamp = told.at;
    let message_news = |name, message| Encoded::event(NAMESPACE, name, &MessageNews { message, timestamp });
    let conversation_news = |name, state: &State| {
        let conversation = state.seen_by(viewer, online);
        Encoded::event(NAMESPACE, name, &ConversationNews { conversation, timestamp })
    };
    match &told.event {
        Event::MessageSent(message) => message_news("message:new", message),
        Event::MessageEdited(message) => message_news("message:edited", message),
        Event::MessageDeleted(message) => message_news("message:deleted", message),
        Event::ConversationCreated(state) => conversation_news("conversation:new", state),
        Event::ConversationUpdated(state) => conversation_news("conversation:updated", state),
        Event::SessionEnded(ending) => encode_goodbye(ending.as_str()),
        Event::MessageReacted(reacted) => Encoded::event(
            NAMESPACE,
            "message:reaction",
            &MessageReaction {
                message_id: reacted.message_id,
                conversation_id: reacted.conversation_id,
                emoji: &reacted.emoji,
                user_id: reacted.user_id,
                action: if reacted.removed { "removed" } else { "added" },
                reactions: &reacted.reactions,
                rev: reacted.rev,
                timestamp,
            },
        ),
        Event::MessageRead(read) => Encoded::event(
            NAMESPACE,
            "message:read:ack",
            &MessageReadAck {
                message_id: read.message_id,
                conversation_id: read.conversation_id,
                read_by: read.read_by,
                timestamp,
            },
        ),
        Event::Notified(notified) => Encoded::event(
            NAMESPACE,
            "notification",
            &Notification {
                r#type: "message",
                conversation_id: notified.message.conversation_id,
                message_id: notified.message.id,
                sender_id: notified.message.sender_id,
                sender_name: &notified.sender.name,
                preview: &notified.preview(),
                unread_count: notified.unread_count,
                timestamp,
            },
        ),
    }
}

fn encode_goodbye(reason: &str) -> Encoded {
    Encoded::event(NAMESPACE, "auth:expired", &AuthExpired { reason })
}

/// Whose sockets an audience means, and which of them.
fn recipients(audience: Audience) -> impl Iterator<Item = (UserId, Reach)> {
    let (first, second) = match audience {
        Audience::Joined(conversation_id, members) => {
            let reach = Reach::Joined(conversation_id);
            (Some((members.client_id, reach)), Some((members.lawyer_id, reach)))
        }
        Audience::JoinedOf(conversation_id, user_id) => (Some((user_id, Reach::Joined(conversation_id))), None),
        Audience::NotJoinedOf(conversation_id, user_id) => (Some((user_id, Reach::NotJoined(conversation_id))), None),
        Audience::Members(members) => {
            (Some((members.client_id, Reach::Every)), Some((members.lawyer_id, Reach::Every)))
        }
        // What is told to a session is said and done where the session's end is told.
        Audience::Session(..) => (None, None),
    };
    first.into_iter().chain(second)
}

#[derive(Serialize)]
struct MessageNews<'a> {
    message: &'a Shared,
    timestamp: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageReaction<'a> {
    message_id: MessageId,
    conversation_id: ConversationId,
    emoji: &'a str,
    user_id: UserId,
    action: &'static str,
    reactions: &'a [Reaction],
    rev: i64,
    timestamp: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageReadAck {
    message_id: MessageId,
    conversation_id: ConversationId,
    read_by: UserId,
    timestamp: Timestamp,
}

#[derive(Serialize)]
struct ConversationNews {
    conversation: Conversation,
    timestamp: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Notification<'a> {
    r#type: &'static str,
    conversation_id: ConversationId,
    message_id: MessageId,
    sender_id: UserId,
    sender_name: &'a str,
    preview: &'a str,
    unread_count: i64,
    timestamp: Timestamp,
}

#[derive(Serialize)]
struct AuthExpired<'a> {
    reason: &'a str,
}
