//! What can be asked about what was said, and how much of it comes at once.

use crate::model::id::{CallId, ConversationId, UserId};
use crate::model::timestamp::Timestamp;

/// Messages on a page whose asker did not say how many.
pub const PAGE_LIMIT: i64 = 50;
/// Messages on the longest page.
pub const PAGE_LIMIT_MAX: i64 = 200;
/// Hits on the longest page.
pub const SEARCH_LIMIT_MAX: i64 = 100;
/// Where a page of messages lies. A position is the id of a message, or any other number: it stands between the ids below
/// and those above it, whoever's they are. Below all is 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Cursor {
    /// At the end.
    #[default]
    Latest,
    /// Right before this position.
    Before(i64),
    /// Right after this position.
    After(i64),
    /// Half before this position, then the rest. Behind the last message it is that of the last message.
    Around(i64),
}

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
    /// Only what has a file.
    pub has_file: bool,
    /// 1…100; 20 when not given.
    pub limit: Option<i64>,
    /// Only what is older than this place: the `next_cursor` of the page before.
    pub cursor: Option<i64>,
}

impl Search {
    /// Whether something else than words says what is looked for.
    #[must_use]
    pub fn is_narrowed(&self) -> bool {
        self.has_file || self.sender_id.is_some() || self.from.is_some() || self.to.is_some()
    }
}

/// What calls somebody asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallQuery {
    /// Of this conversation; of all of theirs otherwise.
    pub conversation_id: Option<ConversationId>,
    /// Only the one that goes on.
    pub live_only: bool,
    /// Only those before this one.
    pub before: Option<CallId>,
    /// At most so many, 1…200.
    pub limit: Option<i64>,
}
