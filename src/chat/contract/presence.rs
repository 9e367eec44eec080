//! Who is online, who of them is looking, and who has read something: noted by whoever holds the sockets, asked by whoever describes a person. Never
//! stored.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use crate::chat::contract::attention::Attention;
use crate::chat::contract::reading::Reading;
use crate::model::conversation::Conversation;
use crate::model::id::UserId;
use crate::model::user::Person;

/// The people who are online now. Clones share one set.
#[derive(Clone, Debug, Default)]
pub struct Presence {
    online: Arc<RwLock<HashSet<UserId>>>,
    attention: Arc<Attention>,
    reading: Arc<Reading>,
}

impl Presence {
    /// Notes that somebody's first socket came or their last one left; returns whether that was news.
    pub fn set_online(&self, user_id: UserId, online: bool) -> bool {
        let mut people = self.online.write().unwrap_or_else(PoisonError::into_inner);
        if online { people.insert(user_id) } else { people.remove(&user_id) }
    }

    /// Whether somebody is online.
    #[must_use]
    pub fn is_online(&self, user_id: UserId) -> bool {
        self.online.read().unwrap_or_else(PoisonError::into_inner).contains(&user_id)
    }

    /// Who of them is looking.
    #[must_use]
    pub fn attention(&self) -> &Attention {
        &self.attention
    }

    /// Who has read something.
    #[must_use]
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Says of a person whether they are online.
    pub fn mark(&self, person: &mut Person) {
        person.is_online = self.is_online(person.id);
    }

    /// Says of both people of a conversation whether they are online.
    #[must_use]
    pub fn marked(&self, mut conversation: Conversation) -> Conversation {
        self.mark(&mut conversation.client);
        self.mark(&mut conversation.lawyer);
        conversation
    }
}
