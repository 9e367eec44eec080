//! Read marks: how far each member has read. A mark never moves backwards.
//!
//! Who marks messages as unread moves their shown mark, which stands in front of the read mark and is theirs alone: what
//! they are shown follows it, what the others are shown does not. Reading anything behind it lets it rejoin the read mark.

use std::sync::Arc;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::access::context::Context;
use crate::chat::contract::command::conversations::{MarkUnread, ReadConversation, ReadMessage};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::event::{Announcement, Audience, Event, MessageRead};
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::reply::ReadMarkMoved;
use crate::chat::conversations::conversation::{load_whole, updated};
use crate::chat::conversations::messages;
use crate::chat::notices::post::Post;
use crate::model::conversation::Conversation;
use crate::model::id::{MessageId, UserId};
use crate::model::message::ReadMark;
use crate::model::timestamp::Timestamp;
use crate::store::memberships::{ConversationRow, Membership, Shown};
use crate::store::{conversations, messages as stored, reads};

/// Reads a message and all before it. What was read already changes nothing and announces nothing.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`.
pub fn read_message(
    conn: &Connection,
    actor: Actor,
    command: &ReadMessage,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<ReadMarkMoved>, Error> {
    let mut membership = caller::require_membership_at(conn, actor, command.message_id, now)?;
    let events = advance(conn, &mut membership, command.message_id, now, context)?;
    let me = membership.me.id;
    let last_read = MessageId::new(membership.conversation.shown_read_id_of(me)).unwrap_or(command.message_id);
    let reply = ReadMarkMoved {
        message: Arc::new(messages::load(conn, &membership, command.message_id)?),
        last_read_message_id: last_read,
        unread_count: membership.conversation.shown_unread_of(me),
    };
    Ok(Outcome { reply, events })
}

/// Reads everything in a conversation.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`.
pub fn read_conversation(
    conn: &Connection,
    actor: Actor,
    command: &ReadConversation,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<Arc<Conversation>>, Error> {
    let mut membership = caller::require_membership(conn, actor, command.conversation_id, now)?;
    let events = match membership.conversation.last_message_id {
        Some(last) => advance(conn, &mut membership, last, now, context)?,
        None => Vec::new(),
    };
    let whole = load_whole(conn, command.conversation_id)?;
    let conversation = Arc::new(context.presence.marked(whole.seen_by(membership.me.id)));
    Ok(Outcome { reply: conversation, events })
}

/// Marks a message and all after it as unread, in the caller's own eyes. The others are shown what they were; what was
/// never read stays unread whichever message is named; one's own messages and deleted ones are a place, and count nowhere.
///
/// # Errors
/// `UNAUTHENTICATED`; `NOT_FOUND` for the conversation, and for a message that is not in it.
pub fn mark_unread(
    conn: &Connection,
    actor: Actor,
    command: &MarkUnread,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<Arc<Conversation>>, Error> {
    let mut membership = caller::require_membership(conn, actor, command.conversation_id, now)?;
    let me = membership.me.id;
    let row = &mut membership.conversation;
    let place = stored::find_place(conn, row.id, command.message_id)?.ok_or(Reason::NotFound)?;
    let read_id = stored::find_before(conn, row.id, place)?.map_or(0, MessageId::as_i64);
    let shown = match MessageId::new(row.read_id_of(me)).filter(|read_up_to| read_id < read_up_to.as_i64()) {
        Some(up_to) => Some(Shown { read_id, unread: reads::count_unread_between(conn, row.id, me, read_id, up_to)? }),
        None => None,
    };
    let changes = *row.shown_of_mut(me) != shown;
    let mut events = Vec::new();
    if changes {
        *row.shown_of_mut(me) = shown;
        events.push(show(conn, me, *row, now, context)?);
    }
    let whole = load_whole(conn, command.conversation_id)?;
    Ok(Outcome { reply: Arc::new(context.presence.marked(whole.seen_by(me))), events })
}

/// Moves the read mark forward, and lets the shown mark rejoin it.
fn advance(
    conn: &Connection,
    membership: &mut Membership,
    up_to: MessageId,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Vec<Announcement>, Error> {
    let me = membership.me.id;
    let row = &mut membership.conversation;
    let rejoins = row.shown_of_mut(me).take_if(|shown| up_to.as_i64() > shown.read_id).is_some();
    let before = row.read_id_of(me);
    if up_to.as_i64() <= before {
        return if rejoins { Ok(vec![show(conn, me, *row, now, context)?]) } else { Ok(Vec::new()) };
    }
    let left = if row.last_message_id == Some(up_to) {
        0
    } else {
        row.unread_of(me) - reads::count_unread_between(conn, row.id, me, before, up_to)?
    };
    *row.unread_of_mut(me) = left;
    *row.read_id_of_mut(me) = up_to.as_i64();
    row.updated_at = now;
    context.presence.reading().note(me, now);
    reads::insert(conn, row.id, ReadMark { user_id: me, message_id: up_to, at: now })?;
    if rejoins {
        conversations::set_shown(conn, row)?;
    }
    context.memberships.store(conn, *row)?;
    Post::of(context).take_back(conn, me, row.id, up_to, now)?;
    let mut events = vec![Announcement {
        audience: Audience::Joined(row.id, row.members),
        event: Event::MessageRead(MessageRead { message_id: up_to, conversation_id: row.id, read_by: me }),
        at: now,
    }];
    events.push(updated(conn, row.id, now)?);
    Ok(events)
}

/// Stores a shown mark that has moved by itself. For the others nothing has changed: only one's own sockets are told.
fn show(
    conn: &Connection,
    me: UserId,
    row: ConversationRow,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Announcement, Error> {
    conversations::set_shown(conn, &row)?;
    context.memberships.store(conn, row)?;
    Ok(Announcement { audience: Audience::Member(me), ..updated(conn, row.id, now)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::chat::contract::command::conversations::DeleteMessage;
    use crate::chat::testing::fixtures::RulesFixture;
    use crate::model::id::ConversationId;
    use crate::model::message::Message;

    fn read(fixture: &mut RulesFixture, actor: Actor, message_id: MessageId) -> (i64, i64, usize) {
        let outcome = fixture.run(actor, ReadMessage { message_id }).unwrap();
        let ReadMarkMoved { last_read_message_id, unread_count, .. } = outcome.reply;
        (last_read_message_id.as_i64(), unread_count, outcome.events.len())
    }

    #[test]
    fn a_mark_only_moves_forward_and_counts_only_what_others_said() {
        let mut fixture = RulesFixture::default();
        let (client, juriste) = (fixture.actor(1), fixture.actor(6));
        let conversation = fixture.conversation(client, 6);
        let ids: Vec<MessageId> = (0..5).map(|n| fixture.say(client, conversation, &format!("n° {n}")).id).collect();
        fixture.say(juriste, conversation, "reçu");
        assert_eq!(read(&mut fixture, juriste, ids[2]), (ids[2].as_i64(), 2, 2));
        assert_eq!(read(&mut fixture, juriste, ids[0]), (ids[2].as_i64(), 2, 0));
        assert_eq!(read(&mut fixture, juriste, ids[2]), (ids[2].as_i64(), 2, 0));
        assert_eq!(read(&mut fixture, juriste, ids[4]), (ids[4].as_i64(), 0, 2));
        let everything = ReadConversation { conversation_id: conversation };
        let outcome = fixture.run(client, everything).unwrap();
        assert_eq!(outcome.reply.unread_count, 0);
    }

    #[test]
    fn each_message_keeps_the_moment_at_which_it_was_read() {
        let mut fixture = RulesFixture::default();
        let (client, juriste) = (fixture.actor(1), fixture.actor(6));
        let conversation = fixture.conversation(client, 6);
        let (first, second) =
            (fixture.say(client, conversation, "un").id, fixture.say(client, conversation, "deux").id);
        read(&mut fixture, juriste, first);
        let read_at = |fixture: &RulesFixture, id: MessageId| {
            let now = fixture.now();
            let membership = caller::require_membership(fixture.conn(), client, conversation, now).unwrap();
            messages::load(fixture.conn(), &membership, id).unwrap().read_at
        };
        let before = read_at(&fixture, first);
        assert!(before.is_some() && read_at(&fixture, second).is_none());
        fixture.pass(std::time::Duration::from_secs(60));
        read(&mut fixture, juriste, second);
        assert_eq!(read_at(&fixture, first), before);
        assert!(read_at(&fixture, second) > before);
    }

    fn mark(fixture: &mut RulesFixture, actor: Actor, message: &Message) -> (Option<i64>, i64, usize) {
        let command = MarkUnread { conversation_id: message.conversation_id, message_id: message.id };
        let outcome = fixture.run(actor, command).unwrap();
        (outcome.reply.last_read_message_id.map(MessageId::as_i64), outcome.reply.unread_count, outcome.events.len())
    }

    fn seen(fixture: &RulesFixture, conversation_id: ConversationId, viewer: i64) -> Conversation {
        load_whole(fixture.conn(), conversation_id).unwrap().seen_by(UserId::new(viewer).unwrap())
    }

    #[test]
    fn what_is_marked_as_unread_is_so_in_ones_own_eyes_only() {
        let mut fixture = RulesFixture::default();
        let (client, juriste) = (fixture.actor(1), fixture.actor(6));
        let conversation = fixture.conversation(client, 6);
        let said: Vec<Message> = (0..4).map(|n| fixture.say(client, conversation, &format!("n° {n}"))).collect();
        read(&mut fixture, juriste, said[3].id);
        let before = seen(&fixture, conversation, 1);
        let outcome =
            fixture.run(juriste, MarkUnread { conversation_id: conversation, message_id: said[1].id }).unwrap();
        assert_eq!(outcome.reply.last_read_message_id, Some(said[0].id));
        let counts = (outcome.reply.unread_count, outcome.reply.unread_count_lawyer, outcome.reply.unread_count_client);
        assert_eq!(counts, (3, 3, 0));
        let audiences: Vec<Audience> = outcome.events.iter().map(|told| told.audience).collect();
        assert_eq!(audiences, [Audience::Member(UserId::new(6).unwrap())]);
        assert_eq!(seen(&fixture, conversation, 1), before, "the other member sees nothing of it");
        assert_eq!(mark(&mut fixture, juriste, &said[1]).2, 0, "a second time changes nothing");

        let outcome = fixture.run(client, crate::chat::testing::fixtures::plain(conversation, "n° 4")).unwrap();
        let counts: Vec<i64> = outcome
            .events
            .iter()
            .filter_map(|told| match &told.event {
                Event::Notified(notified) => Some(notified.unread_count),
                _ => None,
            })
            .collect();
        assert_eq!(counts, [4], "a notification counts as its reader sees it");
        assert_eq!(seen(&fixture, conversation, 1).unread_count_lawyer, 1);
        fixture.run(client, DeleteMessage { message_id: said[2].id }).unwrap();
        fixture.run(client, DeleteMessage { message_id: said[0].id }).unwrap();
        assert_eq!(seen(&fixture, conversation, 6).unread_count, 3);
        fixture.say(juriste, conversation, "to say something reads nothing");
        assert_eq!(seen(&fixture, conversation, 6).unread_count, 3);
    }

    #[test]
    fn the_shown_mark_rejoins_the_read_mark_when_something_behind_it_is_read() {
        let mut fixture = RulesFixture::default();
        let (client, juriste) = (fixture.actor(1), fixture.actor(6));
        let conversation = fixture.conversation(client, 6);
        let said: Vec<Message> = (0..5).map(|n| fixture.say(client, conversation, &format!("n° {n}"))).collect();
        let id = |at: usize| said[at].id.as_i64();
        read(&mut fixture, juriste, said[3].id);
        assert_eq!(mark(&mut fixture, juriste, &said[0]), (None, 5, 1));
        assert_eq!(mark(&mut fixture, juriste, &said[2]), (Some(id(1)), 3, 1), "the mark moves to either side");
        assert_eq!(read(&mut fixture, juriste, said[1].id), (id(1), 3, 0), "what is read in one's own eyes too");
        assert_eq!(read(&mut fixture, juriste, said[2].id), (id(3), 1, 1), "one's own sockets alone are told");
        assert_eq!(mark(&mut fixture, juriste, &said[4]), (Some(id(3)), 1, 0), "it was never read");
        mark(&mut fixture, juriste, &said[2]);
        assert_eq!(mark(&mut fixture, juriste, &said[4]), (Some(id(3)), 1, 1), "unread begins there, and not before");
        mark(&mut fixture, juriste, &said[2]);
        assert_eq!(read(&mut fixture, juriste, said[4].id), (id(4), 0, 2), "the read mark itself moves");
        mark(&mut fixture, juriste, &said[2]);
        let all = ReadConversation { conversation_id: conversation };
        let outcome = fixture.run(juriste, all).unwrap();
        assert_eq!((outcome.reply.unread_count, outcome.events.len()), (0, 1));
    }

    #[test]
    fn own_and_deleted_messages_are_a_place_and_foreign_ones_are_not_there() {
        let mut fixture = RulesFixture::default();
        let (client, juriste) = (fixture.actor(1), fixture.actor(6));
        let conversation = fixture.conversation(client, 6);
        let first = fixture.say(client, conversation, "un");
        let own = fixture.say(juriste, conversation, "deux");
        let deleted = fixture.say(client, conversation, "trois");
        let last = fixture.say(client, conversation, "quatre");
        read(&mut fixture, juriste, last.id);
        fixture.run(client, DeleteMessage { message_id: deleted.id }).unwrap();
        assert_eq!(mark(&mut fixture, juriste, &own), (Some(first.id.as_i64()), 1, 1));
        assert_eq!(mark(&mut fixture, juriste, &deleted), (Some(own.id.as_i64()), 1, 1));
        assert_eq!(mark(&mut fixture, client, &first), (None, 1, 0), "nothing was read yet");
        let elsewhere = fixture.conversation(client, 7);
        let foreign = fixture.say(client, elsewhere, "ailleurs");
        for (conversation_id, message_id) in
            [(conversation, foreign.id), (elsewhere, foreign.id), (conversation, MessageId::new(77_777).unwrap())]
        {
            let refused = fixture.run(juriste, MarkUnread { conversation_id, message_id }).unwrap_err();
            assert_eq!(refused.reason, Reason::NotFound);
        }
    }
}
