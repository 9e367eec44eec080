//! Read marks: how far each of the two has read. A mark never moves backwards.

use std::sync::Arc;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access;
use crate::chat::command::{ReadConversation, ReadMessage};
use crate::chat::conversations::{load_whole, updated};
use crate::chat::error::Error;
use crate::chat::event::{Audience, Event, MessageRead, Told};
use crate::chat::messages::{self, Surroundings};
use crate::chat::outcome::Outcome;
use crate::chat::presence::Presence;
use crate::chat::reply::Reply;
use crate::model::id::MessageId;
use crate::model::message::ReadMark;
use crate::model::timestamp::Timestamp;
use crate::store::members::Standing;
use crate::store::reads;

/// Reads a message and all before it. What was read already changes nothing and tells nobody.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`.
pub fn read_message(
    conn: &Connection,
    actor: Actor,
    command: &ReadMessage,
    now: Timestamp,
    around: &mut Surroundings<'_>,
) -> Result<Outcome, Error> {
    let mut standing = access::require_standing_at(conn, actor, command.message_id, now)?;
    let events = advance(conn, &mut standing, command.message_id, now, around)?;
    let me = standing.me.id;
    let last_read = MessageId::new(standing.conversation.read_id_of(me)).unwrap_or(command.message_id);
    let reply = Reply::Read {
        message: Arc::new(messages::load(conn, &standing, command.message_id)?),
        last_read_message_id: last_read,
        unread_count: standing.conversation.unread_of(me),
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
    around: &mut Surroundings<'_>,
    presence: &Presence,
) -> Result<Outcome, Error> {
    let mut standing = access::require_standing(conn, actor, command.conversation_id, now)?;
    let events = match standing.conversation.last_message_id {
        Some(last) => advance(conn, &mut standing, last, now, around)?,
        None => Vec::new(),
    };
    let whole = load_whole(conn, command.conversation_id)?;
    let conversation = Arc::new(presence.marked(whole.seen_by(standing.me.id)));
    Ok(Outcome { reply: Reply::Conversation { conversation, created: false }, events })
}

fn advance(
    conn: &Connection,
    standing: &mut Standing,
    up_to: MessageId,
    now: Timestamp,
    around: &mut Surroundings<'_>,
) -> Result<Vec<Told>, Error> {
    let me = standing.me.id;
    let row = &mut standing.conversation;
    let before = row.read_id_of(me);
    if up_to.as_i64() <= before {
        return Ok(Vec::new());
    }
    let left = if row.last_message_id == Some(up_to) {
        0
    } else {
        row.unread_of(me) - reads::count_unread_between(conn, row.id, me, before, up_to)?
    };
    *row.unread_of_mut(me) = left;
    *row.read_id_of_mut(me) = up_to.as_i64();
    row.updated_at = now;
    reads::insert(conn, row.id, ReadMark { user_id: me, message_id: up_to, at: now })?;
    around.standings.store(conn, *row)?;
    let mut events = vec![Told {
        audience: Audience::Joined(row.id, row.members),
        event: Event::MessageRead(MessageRead { message_id: up_to, conversation_id: row.id, read_by: me }),
        at: now,
    }];
    events.push(updated(conn, row.id, now)?);
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::command::Command;
    use crate::chat::trial::Trial;

    fn read(trial: &mut Trial, actor: Actor, message_id: MessageId) -> (i64, i64, usize) {
        let outcome = trial.run(actor, Command::ReadMessage(ReadMessage { message_id })).unwrap();
        match outcome.reply {
            Reply::Read { last_read_message_id, unread_count, .. } => {
                (last_read_message_id.as_i64(), unread_count, outcome.events.len())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_mark_only_moves_forward_and_counts_only_what_others_said() {
        let mut trial = Trial::default();
        let (client, juriste) = (trial.actor(1), trial.actor(6));
        let conversation = trial.conversation(client, 6);
        let ids: Vec<MessageId> = (0..5).map(|n| trial.say(client, conversation, &format!("n° {n}")).id).collect();
        trial.say(juriste, conversation, "reçu");
        assert_eq!(read(&mut trial, juriste, ids[2]), (ids[2].as_i64(), 2, 2));
        assert_eq!(read(&mut trial, juriste, ids[0]), (ids[2].as_i64(), 2, 0));
        assert_eq!(read(&mut trial, juriste, ids[2]), (ids[2].as_i64(), 2, 0));
        assert_eq!(read(&mut trial, juriste, ids[4]), (ids[4].as_i64(), 0, 2));
        let everything = Command::ReadConversation(ReadConversation { conversation_id: conversation });
        let outcome = trial.run(client, everything).unwrap();
        match outcome.reply {
            Reply::Conversation { conversation, .. } => assert_eq!(conversation.unread_count, 0),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_message_keeps_the_moment_at_which_it_was_read() {
        let mut trial = Trial::default();
        let (client, juriste) = (trial.actor(1), trial.actor(6));
        let conversation = trial.conversation(client, 6);
        let (first, second) = (trial.say(client, conversation, "un").id, trial.say(client, conversation, "deux").id);
        read(&mut trial, juriste, first);
        let read_at = |trial: &Trial, id: MessageId| {
            let now = Timestamp::now();
            let standing = access::require_standing(&trial.conn, client, conversation, now).unwrap();
            messages::load(&trial.conn, &standing, id).unwrap().read_at
        };
        let before = read_at(&trial, first);
        assert!(before.is_some() && read_at(&trial, second).is_none());
        trial.pass(std::time::Duration::from_secs(60));
        read(&mut trial, juriste, second);
        assert_eq!(read_at(&trial, first), before);
        assert!(read_at(&trial, second) > before);
    }
}
