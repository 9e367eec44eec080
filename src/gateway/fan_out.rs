//! Announces what was committed: each event is encoded once, in the contract's shape, and queued on the sockets of its
//! audience; only then its reply is released. What an author alone may see of a message the others do not get.
//!
//! `conversation:updated` carries a state and not a step: of one batch of commits each member gets the last one only, at
//! its end; of two states for different audiences both get the last one.

use std::cell::OnceCell;
use std::collections::HashMap;

use serde::Serialize;

use crate::chat::contract::event::{Announcement, Audience, Event, Notified, State};
use crate::chat::contract::presence::Presence;
use crate::chat::handle::completion::Outcomes;
use crate::chat::handle::news::News;
use crate::gateway::hub::{Hub, NAMESPACE, Reach};
use crate::gateway::{calls, presence};
use crate::model::billing::ShownInvoice;
use crate::model::conversation::Conversation;
use crate::model::id::{ConversationId, MessageId, UserId};
use crate::model::message::{Reaction, Shared};
use crate::model::notices::NoticeSettings;
use crate::model::party::Buyer;
use crate::model::timestamp::Timestamp;
use crate::socketio::encoded::Encoded;
use crate::socketio::sender::Sender;

/// Announces everything that is committed, in order, until the chat is closed.
pub async fn run(hub: &Hub, typing: &presence::Presence, news: &News, mut outcomes: Outcomes) {
    let mut states = HashMap::new();
    while let Some(batch) = outcomes.recv().await {
        for settled in batch {
            for announcement in settled.events() {
                match &announcement.event {
                    Event::ConversationUpdated(state) => {
                        let latest = states.entry(state.conversation_id()).or_insert_with(|| announcement.clone());
                        // What was to be told to somebody else as well is told by the later state.
                        let is_wider = latest.audience != announcement.audience;
                        *latest = announcement.clone();
                        if is_wider {
                            latest.audience = Audience::Members(state.members());
                        }
                    }
                    event => {
                        if let Event::MessageSent(message) = event {
                            typing.message_sent(message.sender_id, message.conversation_id);
                        }
                        if let (Event::Notified(_), Audience::NotJoinedOf(conversation_id, user_id)) =
                            (event, announcement.audience)
                        {
                            news.note((user_id, conversation_id), announcement.at);
                        }
                        fan_out(hub, announcement);
                    }
                }
            }
            settled.complete();
        }
        for (_, announcement) in states.drain() {
            fan_out(hub, &announcement);
        }
    }
}

/// Sends sockets that were taken out of the hub the reason why they are closed, and closes them.
pub fn say_goodbye(senders: Vec<Sender>, reason: &str) {
    let goodbye = encode_goodbye(reason);
    for sender in senders {
        // The socket is closed whether or not the goodbye still fits into its queue.
        let _ = sender.send(&goodbye);
        sender.disconnect();
        sender.close();
    }
}

fn fan_out(hub: &Hub, announcement: &Announcement) {
    if let (Event::SessionEnded(ending), Audience::Session(user_id, session_id)) =
        (&announcement.event, announcement.audience)
    {
        return say_goodbye(hub.end(user_id, session_id), ending.as_str());
    }
    if let Event::CallSeated(seated) = &announcement.event {
        return calls::seat(hub, seated);
    }
    calls::follow(hub, announcement);
    let mut packet = OnceCell::new();
    for (user_id, reach) in recipients(announcement.audience) {
        // Most sockets of the people concerned have joined, or none has: what nobody gets is not encoded either.
        hub.send(user_id, reach, || packet.get_or_init(|| encode(announcement, user_id, hub.online())));
        if differs_by_viewer(&announcement.event) {
            packet = OnceCell::new();
        }
    }
}

/// Whether each member gets an event in a form of their own: a conversation is seen from one's side, and the sender's own
/// id of a message is the sender's alone.
fn differs_by_viewer(event: &Event) -> bool {
    match event {
        Event::ConversationCreated(_) | Event::ConversationUpdated(_) => true,
        Event::MessageSent(message) | Event::MessageEdited(message) | Event::MessageDeleted(message) => {
            message.client_message_id.is_some()
        }
        _ => false,
    }
}

fn encode(announcement: &Announcement, viewer: UserId, online: &Presence) -> Encoded {
    let timestamp = announcement.at;
    let message_news = |name, message: &Shared| {
        let (message, timestamp) = (message.json_for(viewer), timestamp.to_string());
        let parts = [r#"{"message":"#, &message, r#","timestamp":""#, &timestamp, r#""}"#];
        Encoded::event_in_parts(NAMESPACE, name, &parts)
    };
    let conversation_news = |name, state: &State| {
        let conversation = state.seen_by(viewer, online);
        Encoded::event(NAMESPACE, name, &ConversationNews { conversation, timestamp })
    };
    match &announcement.event {
        Event::MessageSent(message) => message_news("message:new", message),
        Event::MessageEdited(message) => message_news("message:edited", message),
        Event::MessageDeleted(message) => message_news("message:deleted", message),
        Event::ConversationCreated(state) => conversation_news("conversation:new", state),
        Event::ConversationUpdated(state) => conversation_news("conversation:updated", state),
        Event::NoticesChanged(settings) => {
            Encoded::event(NAMESPACE, "notifications:settings", &NoticesNews { settings, timestamp })
        }
        Event::SessionEnded(ending) => encode_goodbye(ending.as_str()),
        Event::CallIncoming(call) => calls::encode("call:incoming", call, timestamp),
        Event::CallUpdated(call) => calls::encode("call:updated", call, timestamp),
        Event::CallSeated(seated) => calls::encode_taken(seated.call_id),
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
        Event::InvoiceUpdated(invoice) => {
            Encoded::event(NAMESPACE, "invoice:updated", &InvoiceNews { invoice, timestamp })
        }
        Event::BuyerChanged(changed) => Encoded::event(
            NAMESPACE,
            "billing:updated",
            &BuyerNews { user_id: changed.user_id, billing: &changed.buyer, timestamp },
        ),
        Event::Notified(notified) => encode_notification(notified, timestamp),
    }
}

fn encode_notification(notified: &Notified, timestamp: Timestamp) -> Encoded {
    let notification = Notification {
        r#type: "message",
        conversation_id: notified.message.conversation_id,
        message_id: notified.message.id,
        sender_id: notified.message.sender_id,
        sender_name: &notified.sender.name,
        preview: &notified.preview(),
        unread_count: notified.unread_count,
        timestamp,
    };
    Encoded::event(NAMESPACE, "notification", &notification)
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
        Audience::NotJoinedOf(conversation_id, user_id) => (Some((user_id, Reach::NotJoined(conversation_id))), None),
        Audience::Members(members) => {
            (Some((members.client_id, Reach::Every)), Some((members.lawyer_id, Reach::Every)))
        }
        Audience::Member(user_id) => (Some((user_id, Reach::Every)), None),
        // A session's end has no audience of its own: `fan_out` closes its sockets.
        Audience::Session(..) => (None, None),
    };
    first.into_iter().chain(second)
}

#[derive(Serialize)]
struct InvoiceNews<'a> {
    invoice: &'a ShownInvoice,
    timestamp: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BuyerNews<'a> {
    user_id: UserId,
    billing: &'a Buyer,
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
struct NoticesNews<'a> {
    settings: &'a NoticeSettings,
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
