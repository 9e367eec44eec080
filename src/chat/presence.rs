//! Who is online: told by whoever holds the sockets, asked by whoever describes a person. Never stored.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use crate::model::id::UserId;

/// The people who are online now. Clones share one set.
#[derive(Clone, Debug, Default)]
pub struct Presence {
    online: Arc<RwLock<HashSet<UserId>>>,
}

impl Presence {
    /// Notes that somebody's first socket came or their last one left; tells whether that was news.
    pub fn set_online(&self, user_id: UserId, online: bool) -> bool {
        let mut people = self.online.write().unwrap_or_else(PoisonError::into_inner);
        if online { people.insert(user_id) } else { people.remove(&user_id) }
    }

    /// Whether somebody is online.
    #[must_use]
    pub fn is_online(&self, user_id: UserId) -> bool {
        self.online.read().unwrap_or_else(PoisonError::into_inner).contains(&user_id)
    }
}
