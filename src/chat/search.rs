//! Finding what was said, in one's own conversations only.

use crate::auth::actor::Actor;
use crate::chat::error::{Error, Reason};
use crate::chat::execute::Chat;
use crate::model::id::{ConversationId, UserId};
use crate::model::message::Hit;
use crate::model::timestamp::Timestamp;

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Words; "a phrase"; -without. The last word also finds what begins with it.
    pub query: String,
    /// Only here.
    pub conversation_id: Option<ConversationId>,
    /// Only what they said.
    pub sender_id: Option<UserId>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub to: Option<Timestamp>,
    /// 1…100; 20 when not given.
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// A page of what was found, newest first.
#[derive(Debug, Default)]
pub struct Found {
    /// The messages.
    pub results: Vec<Hit>,
    /// Where the next page begins; `None` at the end.
    pub next_cursor: Option<String>,
}

impl Chat {
    /// Looks for messages.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND` (the conversation), `INVALID`.
    pub async fn search(&self, _actor: Actor, _search: Search) -> Result<Found, Error> {
        Err(Reason::Unavailable.into())
    }
}
