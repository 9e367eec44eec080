//! Emoji under messages.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::access::context::Context;
use crate::chat::contract::command::conversations::ReactToMessage;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::event::{Announcement, Audience, Event, MessageReacted};
use crate::chat::contract::outcome::Outcome;
use crate::chat::conversations::conversation::updated;
use crate::chat::conversations::messages;
use crate::model::locale::Text;
use crate::model::message::Reaction;
use crate::model::text::emoji;
use crate::model::timestamp::Timestamp;
use crate::store;

/// Different emoji under one message.
const DIFFERENT_MAX: usize = 20;

/// Adds or takes back one's own emoji under a message. What is so already changes nothing and announces nothing.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`, `INVALID` (no emoji), `CONFLICT` (deleted; a twenty-first emoji), `RATE_LIMITED`.
pub fn react(
    conn: &Connection,
    actor: Actor,
    command: &ReactToMessage,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<Vec<Reaction>>, Error> {
    let mut membership = caller::require_membership_at(conn, actor, command.message_id, now)?;
    let emoji = command.emoji.trim();
    if !can_be_meant(emoji, command.remove) {
        return Err(Error::invalid("emoji", Text::new("doit être un seul emoji", "must be a single emoji")));
    }
    let message = messages::load(conn, &membership, command.message_id)?;
    let me = membership.me.id;
    let there = message.reactions.iter().find(|reaction| emoji::look_alike(&reaction.emoji, emoji));
    let shown = there.map_or(emoji, |reaction| &reaction.emoji).to_owned();
    let is_mine = there.is_some_and(|reaction| reaction.user_ids.contains(&me));
    if is_mine != command.remove {
        return Ok(message.reactions.into());
    }
    if message.is_deleted {
        return Err(Reason::MessageDeleted.into());
    }
    if !command.remove && there.is_none() && message.reactions.len() >= DIFFERENT_MAX {
        return Err(Reason::ReactionsFull.into());
    }
    context.rates.take(me)?;
    if command.remove {
        store::reactions::delete(conn, message.id, emoji, me)?;
    } else {
        store::reactions::insert(conn, message.id, &shown, me)?;
    }
    let rev = messages::take_rev(conn, &mut membership, now, context)?;
    store::messages::set_rev(conn, message.id, rev)?;
    let reactions: Vec<Reaction> = store::reactions::list_of(conn, message.id)?;
    let reacted = MessageReacted {
        message_id: message.id,
        conversation_id: message.conversation_id,
        emoji: shown,
        user_id: me,
        removed: command.remove,
        reactions: reactions.clone(),
        rev,
    };
    let audience = Audience::Joined(message.conversation_id, membership.conversation.members);
    let reacted = Announcement { audience, event: Event::MessageReacted(reacted), at: now };
    let events = vec![reacted, updated(conn, message.conversation_id, now)?];
    Ok(Outcome { reply: reactions, events })
}

/// One that is there may be taken back in any spelling, also in one that can't be added any more.
fn can_be_meant(emoji: &str, remove: bool) -> bool {
    emoji::is_emoji(emoji) || (remove && emoji::is_emoji(&emoji::key(emoji)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::testing::fixtures::RulesFixture;
    use crate::model::id::MessageId;

    fn react(
        fixture: &mut RulesFixture,
        actor: Actor,
        message_id: MessageId,
        emoji: &str,
        remove: bool,
    ) -> Result<Vec<(String, usize)>, Error> {
        let command = ReactToMessage { message_id, emoji: emoji.to_owned(), remove };
        let reactions = fixture.run(actor, command)?.reply;
        Ok(reactions.into_iter().map(|reaction| (reaction.emoji, reaction.user_ids.len())).collect())
    }

    #[test]
    fn what_looks_alike_is_one_reaction_in_the_form_first_used() {
        let mut fixture = RulesFixture::default();
        let (client, juriste) = (fixture.actor(1), fixture.actor(6));
        let conversation = fixture.conversation(client, 6);
        let id = fixture.say(client, conversation, "Bonjour").id;
        let heart = "❤\u{fe0f}".to_owned();
        assert_eq!(react(&mut fixture, client, id, &heart, false).unwrap(), [(heart.clone(), 1)]);
        assert_eq!(react(&mut fixture, client, id, "❤", false).unwrap(), [(heart.clone(), 1)]);
        assert_eq!(react(&mut fixture, juriste, id, "❤\u{fe0e}", false).unwrap(), [(heart.clone(), 2)]);
        assert!(react(&mut fixture, client, id, "❤\u{200d}", false).is_err(), "joins nothing");
        assert_eq!(react(&mut fixture, client, id, "❤", true).unwrap(), [(heart, 1)]);
        assert_eq!(react(&mut fixture, juriste, id, "❤\u{200d}", true).unwrap(), []);
        assert_eq!(react(&mut fixture, client, id, "👍🏽", false).unwrap().len(), 1);
        assert_eq!(react(&mut fixture, client, id, "👍", false).unwrap().len(), 2, "a tone of skin is another look");
    }

    #[test]
    fn several_rows_of_one_look_are_shown_as_one_and_taken_back_together() {
        let mut fixture = RulesFixture::default();
        let client = fixture.actor(1);
        let conversation = fixture.conversation(client, 6);
        let id = fixture.say(client, conversation, "Bonjour").id;
        for (emoji, user) in [("👍\u{200d}", 1), ("👍", 1), ("👍\u{fe0f}", 6)] {
            let row = "INSERT INTO reactions (message_id, emoji, user_id) VALUES (?1, ?2, ?3)";
            fixture.conn().execute(row, (id, emoji, user)).unwrap();
        }
        let first = ("👍\u{200d}".to_owned(), 2);
        assert_eq!(react(&mut fixture, client, id, "👍", false).unwrap(), [first]);
        assert_eq!(react(&mut fixture, client, id, "👍", true).unwrap(), [("👍\u{fe0f}".to_owned(), 1)]);
    }
}
