//! Conversations: opening one, finding one's own, and who belongs to it.

use crate::auth::actor::Actor;
use crate::chat::error::{Error, Reason};
use crate::chat::execute::Chat;
use crate::model::conversation::{Conversation, Members};
use crate::model::id::{ConversationId, UserId};
use crate::model::message::Message;

/// What somebody who joins a conversation is shown.
#[derive(Debug)]
pub struct Joined {
    /// The conversation as they see it.
    pub conversation: Conversation,
    /// Its two members.
    pub members: Members,
    /// The latest 50 messages, oldest first.
    pub messages: Vec<Message>,
    /// Whether there are earlier ones.
    pub has_more: bool,
}

impl Chat {
    /// The caller's conversations, latest activity first.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    pub async fn list_conversations(&self, _actor: Actor) -> Result<Vec<Conversation>, Error> {
        Err(Reason::Unavailable.into())
    }

    /// One of the caller's conversations.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn load_conversation(&self, _actor: Actor, _id: ConversationId) -> Result<Conversation, Error> {
        Err(Reason::Unavailable.into())
    }

    /// All that is needed to show one of the caller's conversations.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn join(&self, _actor: Actor, _id: ConversationId) -> Result<Joined, Error> {
        Err(Reason::Unavailable.into())
    }

    /// The two members of one of the caller's conversations.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn load_members(&self, _actor: Actor, _id: ConversationId) -> Result<Members, Error> {
        Err(Reason::Unavailable.into())
    }

    /// Everybody who shares a conversation with somebody.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub async fn list_contacts(&self, _user_id: UserId) -> Result<Vec<UserId>, Error> {
        Err(Reason::Unavailable.into())
    }
}
