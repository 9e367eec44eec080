//! Conversations: opening one, finding one's own, and who belongs to it.

use std::sync::Arc;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::contract::command::conversations::CreateConversation;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::event::{Announcement, Audience, Event, State};
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::presence::Presence;
use crate::chat::contract::reply::ConversationOpened;
use crate::chat::contract::settings::Settings;
use crate::chat::handle::chat::Chat;
use crate::model::conversation::{Conversation, Members};
use crate::model::id::{ConversationId, UserId};
use crate::model::timestamp::Timestamp;
use crate::model::user::Role;
use crate::store::conversations::{self, Whole};
use crate::store::users;

/// Opens the conversation with somebody, or finds the one that exists.
///
/// # Errors
/// `UNAUTHENTICATED`; `CONFLICT` with oneself and unless one is a client and the other a juriste; `NOT_FOUND` for
/// somebody who is not there or whose account is disabled; `RATE_LIMITED` for a stranger who has opened enough.
pub fn create(
    conn: &Connection,
    actor: Actor,
    command: &CreateConversation,
    now: Timestamp,
    (presence, settings): (&Presence, &Settings),
) -> Result<Outcome<ConversationOpened>, Error> {
    let me = caller::require_member(conn, actor, now)?;
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
        return Ok(ConversationOpened { conversation, created: false }.into());
    }
    if !peer.profile.is_active {
        return Err(Reason::NotFound.into());
    }
    require_acquaintance(conn, me.user_id, settings)?;
    let (conversation, events) = open(conn, me.user_id, members, now, presence)?;
    Ok(Outcome { reply: ConversationOpened { conversation, created: true }, events })
}

/// Keeps strangers from writing to the whole practice: so many conversations until a juriste has answered.
fn require_acquaintance(conn: &Connection, me: UserId, settings: &Settings) -> Result<(), Error> {
    let most = i64::from(settings.stranger_conversations_max);
    let is_over = conversations::count_of_client(conn, me)? >= most && users::is_stranger(conn, me)?;
    if is_over { Err(Reason::StrangerConversations.into()) } else { Ok(()) }
}

/// Opens a conversation that does not exist yet: it as `viewer` sees it, and what is to be announced of it.
///
/// # Errors
/// `INTERNAL`.
pub(crate) fn open(
    conn: &Connection,
    viewer: UserId,
    members: Members,
    now: Timestamp,
    presence: &Presence,
) -> Result<(Arc<Conversation>, Vec<Announcement>), Error> {
    let id = conversations::insert(conn, members, now)?;
    let whole = load_whole(conn, id)?;
    let conversation = Arc::new(presence.marked(whole.seen_by(viewer)));
    Ok((conversation, vec![announce_state(members, now, Event::ConversationCreated(State::new(whole)))]))
}

/// What is to be announced when something that a conversation shows has changed.
///
/// # Errors
/// `INTERNAL`.
pub(crate) fn updated(conn: &Connection, id: ConversationId, now: Timestamp) -> Result<Announcement, Error> {
    let whole = load_whole(conn, id)?;
    Ok(announce_state(whole.row.members, now, Event::ConversationUpdated(State::new(whole))))
}

/// What is to be announced when something that all of somebody's conversations show has changed: their name, or whether
/// their account works.
///
/// # Errors
/// `INTERNAL`.
pub(crate) fn updated_of(conn: &Connection, user_id: UserId, now: Timestamp) -> Result<Vec<Announcement>, Error> {
    let all = conversations::list_of(conn, user_id)?.into_iter();
    Ok(all.map(|whole| announce_state(whole.row.members, now, Event::ConversationUpdated(State::new(whole)))).collect())
}

/// A conversation that is known to exist.
///
/// # Errors
/// `NOT_FOUND`.
pub(crate) fn load_whole(conn: &Connection, id: ConversationId) -> Result<Whole, Error> {
    conversations::find(conn, id)?.ok_or_else(|| Reason::NotFound.into())
}

/// Tells both members, on all their sockets.
pub(crate) fn announce_state(members: Members, now: Timestamp, event: Event) -> Announcement {
    Announcement { audience: Audience::Members(members), event, at: now }
}

impl Chat {
    /// The caller's conversations, latest activity first.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    pub async fn list_conversations(&self, actor: Actor) -> Result<Vec<Conversation>, Error> {
        let presence = self.presence().clone();
        self.ask(move |conn, now| {
            let me = caller::require_member(conn, actor, now)?.user_id;
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
            let membership = caller::require_membership(conn, actor, id, now)?;
            Ok(presence.marked(load_whole(conn, id)?.seen_by(membership.me.id)))
        })
        .await
    }

    /// The two members of one of the caller's conversations.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn load_members(&self, actor: Actor, id: ConversationId) -> Result<Members, Error> {
        self.peek(move |conn, now| Ok(caller::require_membership(conn, actor, id, now)?.conversation.members)).await
    }

    /// Everybody who shares a conversation with somebody.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub async fn list_contacts(&self, user_id: UserId) -> Result<Vec<UserId>, Error> {
        self.ask(move |conn, _| Ok(conversations::list_contacts(conn, user_id)?)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::contract::error::Code;
    use crate::chat::testing::fixtures::RulesFixture;

    #[test]
    fn a_stranger_opens_three_conversations_until_a_juriste_has_answered() {
        let mut fixture = RulesFixture::default();
        fixture.conn().execute("UPDATE users SET is_stranger = 1 WHERE id = 2", []).unwrap();
        let (stranger, known) = (fixture.actor(2), fixture.actor(1));
        let open = |juriste| CreateConversation { participant_id: UserId::new(juriste).unwrap() };
        let first = fixture.conversation(stranger, 6);
        fixture.say(stranger, first, "Bonjour");
        for juriste in [7, 8] {
            fixture.conversation(stranger, juriste);
        }
        let refused = fixture.run(stranger, open(9)).unwrap_err();
        assert_eq!((refused.reason, refused.code()), (Reason::StrangerConversations, Code::RateLimited));
        fixture.conversation(stranger, 6);
        let juriste = fixture.actor(6);
        fixture.say(juriste, first, "Bonjour à vous");
        for juriste in [9, 10] {
            fixture.conversation(stranger, juriste);
        }
        for juriste in 6..=10 {
            fixture.conversation(known, juriste);
        }
    }
}
