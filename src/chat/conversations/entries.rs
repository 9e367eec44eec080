//! The server's own entries in a conversation: a call that has ended, an invoice that was issued.
//!
//! The rooms of calls and invoices call this in the writer's transaction. An entry takes a place among the messages like
//! any other, with the next `rev`; people reply and react to it, but never edit or delete it, and no search finds it.
//! Nothing here asks who is allowed to: the room that calls has done that, or it is the program itself that acts.

use std::sync::Arc;

use rusqlite::Connection;

use crate::chat::access::context::Context;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::event::{Announcement, Audience, Event, Notified};
use crate::chat::conversations::conversation::{load_whole, updated};
use crate::chat::conversations::messages::announce;
use crate::model::id::{ConversationId, MessageId, UserId};
use crate::model::message::Shared;
use crate::model::message_kind::Kind;
use crate::model::timestamp::Timestamp;
use crate::store;
use crate::store::conversations::Whole;
use crate::store::messages::View;

/// An entry to be made.
#[derive(Debug)]
pub struct Entry<'a> {
    pub conversation_id: ConversationId,
    /// Who started the call or issued the invoice; a member of the conversation.
    pub sender_id: UserId,
    /// One line for programs that know no kinds.
    pub content: &'a str,
    /// Whether it is unread, and notified, for the other member.
    pub counts_unread: bool,
}

/// Makes an entry. `kind_of` is told its id, so that the state can name it. The events belong behind those that the caller
/// has for the same change.
///
/// # Errors
/// `NOT_FOUND` for a conversation that is not there; `INTERNAL`.
pub fn insert(
    conn: &Connection,
    entry: &Entry<'_>,
    kind_of: impl FnOnce(MessageId) -> Result<Kind, Error>,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<(MessageId, Vec<Announcement>), Error> {
    let Whole { mut row, client, lawyer, .. } = load_whole(conn, entry.conversation_id)?;
    let recipient_id = row.members.peer_of(entry.sender_id);
    // As with messages: a clock that was set back never dates one before the one in front of it.
    let made_at = now.max(row.active_at);
    let id = store::entries::next_id(conn)?;
    let kind = kind_of(id)?;
    row.rev += 1;
    store::entries::insert(
        conn,
        &store::entries::NewEntry {
            id,
            conversation_id: row.id,
            sender_id: entry.sender_id,
            rev: row.rev,
            content: entry.content,
            kind: &kind,
            counts_unread: entry.counts_unread,
            created_at: made_at,
        },
    )?;
    row.last_message_id = Some(id);
    row.active_at = made_at;
    row.updated_at = made_at;
    if entry.counts_unread {
        *row.unread_of_mut(recipient_id) += 1;
    }
    context.memberships.store(conn, row)?;
    let message = load(conn, row.id, id)?;
    let mut events = vec![announce(&message, row.members, made_at, Event::MessageSent)];
    if entry.counts_unread {
        let sender = if entry.sender_id == client.id { client } else { lawyer };
        let notified = Notified { message, sender, unread_count: row.shown_unread_of(recipient_id) };
        let audience = Audience::NotJoinedOf(row.id, recipient_id);
        events.push(Announcement { audience, event: Event::Notified(notified), at: made_at });
    }
    events.push(updated(conn, row.id, made_at)?);
    Ok((id, events))
}

/// Gives an entry another state and line. It takes the next `rev` and is told as `message:edited`; `editedAt` stays.
///
/// # Errors
/// `NOT_FOUND` for an entry that is not there; `INTERNAL`.
pub fn set_state(
    conn: &Connection,
    id: MessageId,
    content: &str,
    kind: &Kind,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Vec<Announcement>, Error> {
    let conversation_id = store::messages::find_conversation(conn, id)?.ok_or(Reason::NotFound)?;
    let mut row = load_whole(conn, conversation_id)?.row;
    row.rev += 1;
    row.updated_at = now;
    store::entries::set_state(conn, id, content, kind, row.rev)?;
    context.memberships.store(conn, row)?;
    let message = load(conn, conversation_id, id)?;
    Ok(vec![announce(&message, row.members, now, Event::MessageEdited), updated(conn, conversation_id, now)?])
}

/// The entry as both members see it.
fn load(conn: &Connection, conversation_id: ConversationId, id: MessageId) -> Result<Arc<Shared>, Error> {
    let members = load_whole(conn, conversation_id)?.row.members;
    let view = View { conversation_id, members, viewer_id: members.client_id };
    let message = store::messages::find(conn, view, id)?.ok_or(Reason::NotFound)?;
    Ok(Arc::new(Shared::from(message)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::auth::actor::Actor;
    use crate::chat::contract::command::conversations::{DeleteMessage, EditMessage, ReactToMessage, ReadMessage};
    use crate::chat::contract::error::Code;
    use crate::chat::contract::event::State;
    use crate::chat::testing::fixtures::{RulesFixture, plain};
    use crate::model::message::Message;
    use crate::model::message_kind::StateJson;
    use crate::model::user::Role;

    struct Place {
        fixture: RulesFixture,
        client: Actor,
        juriste: Actor,
        conversation_id: ConversationId,
    }

    impl Place {
        fn new() -> Self {
            let mut fixture = RulesFixture::default();
            let (client, juriste) = (fixture.actor(1), fixture.actor(6));
            let conversation_id = fixture.conversation(client, 6);
            Self { fixture, client, juriste, conversation_id }
        }

        /// Makes an entry of user 6.
        fn insert(&mut self, counts_unread: bool) -> (MessageId, Vec<Announcement>) {
            let sender_id = UserId::new(6).unwrap();
            let entry =
                Entry { conversation_id: self.conversation_id, sender_id, content: "Appel manqué", counts_unread };
            self.fixture
                .with_context(|conn, context| {
                    insert(conn, &entry, |id| Ok(call(id, "missed")), Timestamp::now(), context)
                })
                .unwrap()
        }

        fn unread_of_client(&self) -> i64 {
            load_whole(self.fixture.conn(), self.conversation_id).unwrap().row.client_unread
        }
    }

    fn call(id: MessageId, state: &str) -> Kind {
        Kind::Call(StateJson::of(&json!({"messageId": id, "state": state})).unwrap())
    }

    fn sent(events: &[Announcement]) -> &Message {
        match &events[0].event {
            Event::MessageSent(message) | Event::MessageEdited(message) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_entry_that_counts_is_unread_and_notified_for_the_other_member_until_it_is_read() {
        let mut place = Place::new();
        let (id, events) = place.insert(true);
        let message = sent(&events);
        assert_eq!((message.id, message.rev, message.kind.clone()), (id, 1, call(id, "missed")));
        assert!(
            matches!(&events[1].event, Event::Notified(told) if told.unread_count == 1 && told.sender.role == Role::Juriste)
        );
        assert_eq!(events[1].audience, Audience::NotJoinedOf(place.conversation_id, UserId::new(1).unwrap()));
        assert!(matches!(&events[2].event, Event::ConversationUpdated(State { .. })));
        assert_eq!(place.unread_of_client(), 1);
        let read = place.fixture.run(place.client, ReadMessage { message_id: id }).unwrap();
        assert_eq!((read.reply.unread_count, place.unread_of_client()), (0, 0));
    }

    #[test]
    fn an_entry_that_does_not_count_is_never_unread_however_far_one_has_read() {
        let mut place = Place::new();
        let first = place.fixture.say(place.juriste, place.conversation_id, "Bonjour").id;
        let (_, events) = place.insert(false);
        assert!(!events.iter().any(|told| matches!(told.event, Event::Notified(_))), "{events:?}");
        let last = place.fixture.say(place.juriste, place.conversation_id, "À bientôt").id;
        assert_eq!(place.unread_of_client(), 2);
        let left = |place: &mut Place, message_id| {
            place.fixture.run(place.client, ReadMessage { message_id }).unwrap().reply.unread_count
        };
        let between = MessageId::new(first.as_i64() + 1).unwrap();
        assert_eq!(left(&mut place, between), 1);
        assert_eq!(left(&mut place, last), 0);
    }

    #[test]
    fn a_conversation_says_what_its_last_message_is() {
        let mut place = Place::new();
        let shown = |place: &Place| {
            let whole = load_whole(place.fixture.conn(), place.conversation_id).unwrap();
            let seen = [1, 6].map(|user| serde_json::to_value(whole.seen_by(UserId::new(user).unwrap())).unwrap());
            assert_eq!(seen[0].get("lastMessageEntry"), seen[1].get("lastMessageEntry"));
            seen[0].get("lastMessageEntry").cloned()
        };
        assert_eq!(shown(&place), None);
        let (id, _) = place.insert(true);
        let expected = json!({"kind": "call", "call": {"messageId": id, "state": "missed"}, "invoice": null});
        assert_eq!(shown(&place), Some(expected));
        place.fixture.say(place.juriste, place.conversation_id, "Bonjour");
        assert_eq!(shown(&place), None);
    }

    #[test]
    fn people_reply_and_react_to_an_entry_and_neither_edit_nor_delete_it() {
        let mut place = Place::new();
        let (id, _) = place.insert(true);
        for actor in [place.client, place.juriste] {
            let edit = EditMessage { message_id: id, content: "autre".to_owned() };
            assert_eq!(place.fixture.run(actor, edit).unwrap_err().code(), Code::Forbidden);
            let delete = DeleteMessage { message_id: id };
            assert_eq!(place.fixture.run(actor, delete).unwrap_err().code(), Code::Forbidden);
        }
        let react = ReactToMessage { message_id: id, emoji: "👍".to_owned(), remove: false };
        assert_eq!(place.fixture.run(place.client, react).unwrap().reply.len(), 1);
        let mut reply = plain(place.conversation_id, "Je vous rappelle.");
        reply.reply_to_id = Some(id);
        let answered = place.fixture.run(place.client, reply).unwrap().reply.message;
        assert_eq!((answered.reply_to_id, answered.kind.clone()), (Some(id), Kind::Text));
    }

    #[test]
    fn another_state_takes_the_next_rev_and_is_no_edit() {
        let mut place = Place::new();
        let (id, _) = place.insert(true);
        let events = place
            .fixture
            .with_context(|conn, context| {
                set_state(conn, id, "Appel vidéo, 2 min", &call(id, "ended"), Timestamp::now(), context)
            })
            .unwrap();
        assert!(matches!(&events[0].event, Event::MessageEdited(_)));
        let message = sent(&events);
        assert_eq!((message.rev, message.edited_at), (2, None));
        assert_eq!((message.content.as_str(), message.kind.clone()), ("Appel vidéo, 2 min", call(id, "ended")));
        let next = place.fixture.say(place.client, place.conversation_id, "Merci");
        assert_eq!(next.rev, 3);
    }

    #[test]
    fn a_search_finds_what_people_wrote_and_no_entry() {
        let mut place = Place::new();
        place.insert(true);
        place.fixture.say(place.client, place.conversation_id, "J'ai manqué votre appel");
        let indexed: i64 = place
            .fixture
            .with_context(|conn, context| {
                context.index.catch_up(conn)?;
                let look = "SELECT count(*) FROM message_words WHERE message_words MATCH 'appel'";
                Ok(conn.query_row(look, [], |row| row.get(0))?)
            })
            .unwrap();
        assert_eq!(indexed, 1);
    }
}
