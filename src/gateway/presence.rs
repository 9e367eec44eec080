//! Telling who is online and who is writing. Nothing of it is stored, but when somebody was last seen.
//!
//! A person is online while any socket of theirs is open, and only people who share a conversation with them are told,
//! once per change, however many devices come and go. Of states that follow each other faster than they can be told the
//! last one is told, for somebody may have seen another in between. There is no grace for reconnects: what is told is
//! what is true.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::auth::actor::Actor;
use crate::chat::command::{Command, RecordLastSeen};
use crate::chat::execute::{Chat, Pending};
use crate::gateway::hub::{Hub, Reach};
use crate::gateway::telling::NAMESPACE;
use crate::gateway::typing::{Typing, Typist};
use crate::model::id::{ConversationId, UserId};
use crate::model::timestamp::Timestamp;
use crate::socketio::packet::Encoded;

/// See the module's head.
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

    /// Tells who comes and goes, and ends what nobody renewed; never returns.
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

    /// Tells the peer that the typist writes, or no longer does.
    pub fn set_typing(&self, typist: Typist, is_typing: bool) {
        if is_typing {
            self.typing().start(typist, Instant::now());
            self.typing_changed.notify_one();
        } else {
            self.typing().stop(typist);
        }
        self.tell_typing(typist, is_typing);
    }

    /// Tells where those who moved are now. When somebody was last seen is on disk before it is told that they left; of
    /// a crowd that leaves at once all are noted together.
    async fn tell_moved(&self, moved: HashSet<UserId>) {
        let note = |user_id| {
            let is_online = self.chat.presence().is_online(user_id);
            let note = Command::RecordLastSeen(RecordLastSeen { user_id });
            (user_id, (!is_online).then(|| self.chat.submit(Actor::System, note)))
        };
        let news: Vec<(UserId, Option<Pending>)> = moved.into_iter().map(note).collect();
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
            Err(error) => return tracing::warn!(%error, "nobody could be told who came or went"),
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
        let told = UserTyping { user_id, conversation_id, is_typing, timestamp: Timestamp::now() };
        let packet = Encoded::event(NAMESPACE, "user:typing", &told);
        self.hub.send(peer_id, Reach::Joined(conversation_id), || &packet);
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
