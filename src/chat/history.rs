//! What was said: pages of a conversation, and what changed since one looked away.

use crate::auth::actor::Actor;
use crate::chat::error::{Error, Reason};
use crate::chat::execute::Chat;
use crate::model::id::{ConversationId, MessageId};
use crate::model::message::{Message, ReadMark, Revision};

/// Where a page of messages lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Cursor {
    /// At the end.
    #[default]
    Latest,
    /// Right before this message.
    Before(MessageId),
    /// Right after this message.
    After(MessageId),
    /// Half before this message, then it, then the rest.
    Around(MessageId),
}

/// One page, oldest first.
#[derive(Debug, Default)]
pub struct Page {
    /// The messages.
    pub messages: Vec<Message>,
    /// Whether there are earlier ones.
    pub has_more_before: bool,
    /// Whether there are later ones.
    pub has_more_after: bool,
}

/// What changed after a rev.
#[derive(Debug)]
pub struct Changes {
    /// The messages whose latest change is later, by `rev`, at most 200.
    pub messages: Vec<Message>,
    /// Everything up to this number is known now: the rev to ask from next time.
    pub rev: i64,
    /// Whether there are more.
    pub has_more: bool,
    /// How far each member has read.
    pub reads: Vec<ReadMark>,
}

impl Chat {
    /// A page of a conversation; `limit` 1…200.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND` (the conversation, or the cursor's message in it), `INVALID` (`limit`).
    pub async fn list_messages(
        &self,
        _actor: Actor,
        _conversation_id: ConversationId,
        _cursor: Cursor,
        _limit: i64,
    ) -> Result<Page, Error> {
        Err(Reason::Unavailable.into())
    }

    /// What changed in a conversation after `rev` (0 = everything).
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`, `INVALID` (`rev`).
    pub async fn list_changes(
        &self,
        _actor: Actor,
        _conversation_id: ConversationId,
        _rev: i64,
    ) -> Result<Changes, Error> {
        Err(Reason::Unavailable.into())
    }

    /// One message.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn load_message(&self, _actor: Actor, _id: MessageId) -> Result<Message, Error> {
        Err(Reason::Unavailable.into())
    }

    /// The earlier texts of a message, oldest first.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn list_revisions(&self, _actor: Actor, _id: MessageId) -> Result<Vec<Revision>, Error> {
        Err(Reason::Unavailable.into())
    }
}
