//! Announces who is online and who is writing. Nothing of it is stored, but when somebody was last seen.
//!
//! A person is online while any socket of theirs is open, and only people who share a conversation with them learn of it,
//! once per change, however many devices come and go. Of states that follow each other faster than they can be sent the
//! last one is sent, for somebody may have seen another in between. There is no grace for reconnects: what is sent is
//! what is true.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::auth::actor::Actor;
use crate::chat::contract::command::people::RecordLastSeen;
use crate::chat::contract::request::Pending;
use crate::chat::handle::chat::Chat;
use crate::gateway::hub::{Hub, NAMESPACE, Reach};
use crate::gateway::typing::{Typing, Typist};
use crate::model::id::{ConversationId, UserId};
use crate::model::timestamp::Timestamp;
use crate::socketio::encoded::Encoded;

/// Bytes that may wait for a socket which learns that somebody writes: no more than what was queued a moment ago and is
/// about to leave, such as a message or who came.
const START_QUEUED_MAX: usize = 1 << 10;

/// Bytes that may wait for a socket which learns that somebody stopped writing.
const STOP_QUEUED_MAX: usize = 16 << 10;

/// Who is online and who writes, and how others learn of it.
pub struct Presence {
    chat: Chat,
    hub: Hub,
    typing: Mutex<Typing>,
    typing_changed: Notify,
}

impl Presence {
    /// Nobody is there and nobody writes.
    #[must_use]
    pub fn new(chat: Chat, hub: Hub) -> Self {
        Self { chat, hub, typing: Mutex::default(), typing_changed: Notify::new() }
    }

    /// Announces who comes and goes, and ends what nobody renewed; never returns.
    pub async fn run(&self) {
        loop {
            tokio::select! {
                moved = self.hub.moved() => self.tell_moved(moved).await,
                () = self.typing_ended() => {
                    let ended = self.typing().take_ended(Instant::now());
                    self.tell_stopped(ended);
                }
            }
        }
    }

    /// Announces that the typist writes, or no longer does, if that is news.
    pub fn set_typing(&self, typist: Typist, is_typing: bool) {
        let is_news = if is_typing {
            let is_news = self.typing().start(typist, Instant::now());
            self.typing_changed.notify_one();
            is_news
        } else {
            self.typing().stop(typist)
        };
        if is_news {
            self.tell_typing(typist, is_typing);
        }
    }

    /// What somebody was writing in a conversation they have sent: they write no more.
    pub fn message_sent(&self, user_id: UserId, conversation_id: ConversationId) {
        let mut typing = self.typing();
        if typing.is_empty() {
            return;
        }
        let stopped = typing.take_in(user_id, conversation_id);
        drop(typing);
        self.tell_stopped(stopped);
    }

    /// Announces where those who moved are now. When somebody was last seen is on disk before it is announced that they left; of
    /// a crowd that leaves at once all are noted together.
    async fn tell_moved(&self, moved: HashSet<UserId>) {
        let note = |user_id| {
            let is_online = self.chat.presence().is_online(user_id);
            let note = RecordLastSeen { user_id };
            (user_id, (!is_online).then(|| self.chat.submit(Actor::System, note)))
        };
        let news: Vec<(UserId, Option<Pending<()>>)> = moved.into_iter().map(note).collect();
        for (user_id, noted) in news {
            let is_online = noted.is_none();
            if let Some(noted) = noted {
                if let Err(error) = noted.await {
                    tracing::warn!(%error, "when somebody was last seen could not be noted");
                }
                let stopped = self.typing().take_of(user_id);
                self.tell_stopped(stopped);
            }
            self.tell_presence(user_id, is_online).await;
        }
    }

    async fn tell_presence(&self, user_id: UserId, is_online: bool) {
        let contacts = match self.chat.list_contacts(user_id).await {
            Ok(contacts) => contacts,
            Err(error) => return tracing::warn!(%error, "it could not be announced who came or went"),
        };
        let name = if is_online { "user:online" } else { "user:offline" };
        let packet = Encoded::event(NAMESPACE, name, &UserPresence { user_id, timestamp: Timestamp::now() });
        for contact in contacts.into_iter().filter(|contact| *contact != user_id) {
            self.hub.send(contact, Reach::Every, || &packet);
        }
    }

    fn tell_stopped(&self, typists: Vec<Typist>) {
        for typist in typists {
            self.tell_typing(typist, false);
        }
    }

    fn tell_typing(&self, typist: Typist, is_typing: bool) {
        let Typist { user_id, conversation_id, peer_id } = typist;
        let typing = UserTyping { user_id, conversation_id, is_typing, timestamp: Timestamp::now() };
        let packet = Encoded::event(NAMESPACE, "user:typing", &typing);
        let queued_max = if is_typing { START_QUEUED_MAX } else { STOP_QUEUED_MAX };
        self.hub.send_if_short(peer_id, Reach::Joined(conversation_id), queued_max, || &packet);
    }

    /// Waits until an entry has ended by itself.
    async fn typing_ended(&self) {
        loop {
            let next = self.typing().next_end();
            let ended = async {
                match next {
                    Some(end) => sleep_until(end).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = ended => return,
                () = self.typing_changed.notified() => {}
            }
        }
    }

    fn typing(&self) -> MutexGuard<'_, Typing> {
        self.typing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserPresence {
    user_id: UserId,
    timestamp: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserTyping {
    user_id: UserId,
    conversation_id: ConversationId,
    is_typing: bool,
    timestamp: Timestamp,
}
