//! Conversations: opening one, finding one's own, and who belongs to it.

use std::sync::Arc;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access;
use crate::chat::command::CreateConversation;
use crate::chat::error::{Error, Reason};
use crate::chat::event::{Audience, Event, State, Told};
use crate::chat::execute::Chat;
use crate::chat::history;
use crate::chat::messages;
use crate::chat::outcome::Outcome;
use crate::chat::presence::Presence;
use crate::chat::reply::Reply;
use crate::chat::wire::PAGE_LIMIT;
use crate::model::conversation::{Conversation, Members};
use crate::model::id::{ConversationId, UserId};
use crate::model::message::Message;
use crate::model::timestamp::Timestamp;
use crate::model::user::Role;
use crate::store::conversations::{self, Whole};
use crate::store::users;

/// Opens the conversation with somebody, or finds the one that exists.
///
/// # Errors
/// `UNAUTHENTICATED`; `CONFLICT` with oneself and unless one is a client and the other a juriste; `NOT_FOUND` for
/// somebody who is not there or whose account is disabled.
pub fn create(
    conn: &Connection,
    actor: Actor,
    command: &CreateConversation,
    now: Timestamp,
    presence: &Presence,
) -> Result<Outcome, Error> {
    let me = access::require_member(conn, actor, now)?;
    if command.participant_id == me.user_id {
        return Err(Reason::WithOneself.into());
    }
    let peer = users::find(conn, command.participant_id)?.ok_or(Reason::NotFound)?;
    let members = match (me.role, peer.profile.role) {
        (Role::Client, Role::Juriste) => Members { client_id: me.user_id, lawyer_id: peer.profile.id },
        (Role::Juriste, Role::Client) => Members { client_id: peer.profile.id, lawyer_id: me.user_id },
        _ => return Err(Reason::RolesDoNotMatch.into()),
    };
    if let Some(whole) = conversations::find_between(conn, members)? {
        let conversation = Arc::new(presence.marked(whole.seen_by(me.user_id)));
        return Ok(Reply::Conversation { conversation, created: false }.into());
    }
    if !peer.profile.is_active {
        return Err(Reason::NotFound.into());
    }
    let (conversation, events) = open(conn, me.user_id, members, now, presence)?;
    Ok(Outcome { reply: Reply::Conversation { conversation, created: true }, events })
}

/// Opens a conversation that does not exist yet: it as `viewer` sees it, and what is to be told of it.
///
/// # Errors
/// `INTERNAL`.
pub(crate) fn open(
    conn: &Connection,
    viewer: UserId,
    members: Members,
    now: Timestamp,
    presence: &Presence,
) -> Result<(Arc<Conversation>, Vec<Told>), Error> {
    let id = conversations::insert(conn, members, now)?;
    let whole = load_whole(conn, id)?;
    let conversation = Arc::new(presence.marked(whole.seen_by(viewer)));
    Ok((conversation, vec![state_told(members, now, Event::ConversationCreated(State::new(whole)))]))
}

/// What is to be told when something that a conversation shows has changed.
///
/// # Errors
/// `INTERNAL`.
pub(crate) fn updated(conn: &Connection, id: ConversationId, now: Timestamp) -> Result<Told, Error> {
    let whole = load_whole(conn, id)?;
    Ok(state_told(whole.row.members, now, Event::ConversationUpdated(State::new(whole))))
}

/// What is to be told when something that all of somebody's conversations show has changed: their name, or whether
/// their account works.
///
/// # Errors
/// `INTERNAL`.
pub(crate) fn updated_of(conn: &Connection, user_id: UserId, now: Timestamp) -> Result<Vec<Told>, Error> {
    let all = conversations::list_of(conn, user_id)?.into_iter();
    Ok(all.map(|whole| state_told(whole.row.members, now, Event::ConversationUpdated(State::new(whole)))).collect())
}

/// A conversation that is known to exist.
///
/// # Errors
/// `NOT_FOUND`.
pub(crate) fn load_whole(conn: &Connection, id: ConversationId) -> Result<Whole, Error> {
    conversations::find(conn, id)?.ok_or_else(|| Reason::NotFound.into())
}

/// Tells both members, on all their sockets.
pub(crate) fn state_told(members: Members, now: Timestamp, event: Event) -> Told {
    Told { audience: Audience::Members(members), event, at: now }
}

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
    pub async fn list_conversations(&self, actor: Actor) -> Result<Vec<Conversation>, Error> {
        let presence = self.presence().clone();
        self.ask(move |conn, now| {
            let me = access::require_member(conn, actor, now)?.user_id;
            let list = conversations::list_of(conn, me)?;
            Ok(list.iter().map(|whole| presence.marked(whole.seen_by(me))).collect())
        })
        .await
    }

    /// One of the caller's conversations.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn load_conversation(&self, actor: Actor, id: ConversationId) -> Result<Conversation, Error> {
        let presence = self.presence().clone();
        self.ask(move |conn, now| {
            let standing = access::require_standing(conn, actor, id, now)?;
            Ok(presence.marked(load_whole(conn, id)?.seen_by(standing.me.id)))
        })
        .await
    }

    /// All that is needed to show one of the caller's conversations.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn join(&self, actor: Actor, id: ConversationId) -> Result<Joined, Error> {
        let presence = self.presence().clone();
        self.ask(move |conn, now| {
            let standing = access::require_standing(conn, actor, id, now)?;
            let page = history::latest(conn, messages::view(&standing), PAGE_LIMIT)?;
            Ok(Joined {
                conversation: presence.marked(load_whole(conn, id)?.seen_by(standing.me.id)),
                members: standing.conversation.members,
                messages: page.messages,
                has_more: page.has_more_before,
            })
        })
        .await
    }

    /// The two members of one of the caller's conversations.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn load_members(&self, actor: Actor, id: ConversationId) -> Result<Members, Error> {
        self.glance(move |conn, now| Ok(access::require_standing(conn, actor, id, now)?.conversation.members)).await
    }

    /// Everybody who shares a conversation with somebody.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub async fn list_contacts(&self, user_id: UserId) -> Result<Vec<UserId>, Error> {
        self.ask(move |conn, _| Ok(conversations::list_contacts(conn, user_id)?)).await
    }
}
