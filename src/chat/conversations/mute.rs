//! Muting: a conversation of which somebody wants no notices for a while. The other members do not see it.

use std::sync::Arc;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::access::context::Context;
use crate::chat::contract::command::conversations::MuteConversation;
use crate::chat::contract::error::Error;
use crate::chat::contract::event::{Announcement, Audience, Event, State};
use crate::chat::contract::outcome::Outcome;
use crate::chat::conversations::conversation::load_whole;
use crate::model::conversation::Conversation;
use crate::model::timestamp::Timestamp;
use crate::store::conversations;
use crate::store::notices::{self, MarkChannel};

/// The rule of [`MuteConversation`]. What was said while it was muted is not told afterwards either.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`.
pub fn mute(
    conn: &Connection,
    actor: Actor,
    command: &MuteConversation,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<Arc<Conversation>>, Error> {
    let mut membership = caller::require_membership(conn, actor, command.conversation_id, now)?;
    let me = membership.me.id;
    let row = &mut membership.conversation;
    let until = command.muted_until.filter(|until| *until > now);
    let before = row.muted_until_of(me);
    let mut events = Vec::new();
    if until != before {
        if before.is_some_and(|before| before > now)
            && let Some(last) = row.last_message_id
        {
            for channel in [MarkChannel::Push, MarkChannel::Email] {
                notices::mark(conn, (me, row.id), channel, last, now)?;
            }
        }
        *row.muted_until_of_mut(me) = until;
        conversations::set_muted(conn, row)?;
        context.memberships.store(conn, *row)?;
        let event = Event::ConversationUpdated(State::new(load_whole(conn, row.id)?));
        events.push(Announcement { audience: Audience::Member(me), event, at: now });
    }
    let conversation = Arc::new(context.presence.marked(load_whole(conn, row.id)?.seen_by(me)));
    Ok(Outcome { reply: conversation, events })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::chat::contract::error::Reason;
    use crate::chat::testing::fixtures::RulesFixture;

    #[test]
    fn a_muted_conversation_is_ones_own_affair_and_survives_what_is_said() {
        let mut fixture = RulesFixture::default();
        let (client, juriste, outsider) = (fixture.actor(1), fixture.actor(6), fixture.actor(7));
        let conversation_id = fixture.conversation(client, 6);
        fixture.say(client, conversation_id, "bonjour");
        let until = fixture.now() + Duration::from_secs(3600);
        let mute = |muted_until| MuteConversation { conversation_id, muted_until };
        let outcome = fixture.run(juriste, mute(Some(until))).unwrap();
        assert_eq!(outcome.reply.muted_until, Some(until));
        assert_eq!(outcome.events.len(), 1);
        assert!(matches!(outcome.events[0].audience, Audience::Member(id) if id.as_i64() == 6));
        assert!(fixture.run(juriste, mute(Some(until))).unwrap().events.is_empty());
        fixture.say(client, conversation_id, "encore");
        assert_eq!(fixture.run(client, mute(None)).unwrap().reply.muted_until, None);
        assert_eq!(fixture.run(juriste, mute(Some(until))).unwrap().reply.muted_until, Some(until));
        assert_eq!(fixture.run(outsider, mute(None)).unwrap_err().reason, Reason::NotFound);
    }

    #[test]
    fn the_end_of_a_mute_brings_nothing_old_and_a_moment_that_is_over_mutes_nothing() {
        let mut fixture = RulesFixture::default();
        let (client, juriste) = (fixture.actor(1), fixture.actor(6));
        let conversation_id = fixture.conversation(client, 6);
        let mute = |muted_until| MuteConversation { conversation_id, muted_until };
        let past = fixture.now() - Duration::from_secs(1);
        assert_eq!(fixture.run(juriste, mute(Some(past))).unwrap().reply.muted_until, None);
        fixture.run(juriste, mute(Some(fixture.now() + Duration::from_secs(60)))).unwrap();
        let last = fixture.say(client, conversation_id, "bonjour").id.as_i64();
        let marks = |fixture: &RulesFixture| -> Vec<i64> {
            let mut statement =
                fixture.conn().prepare("SELECT message_id FROM notice_marks WHERE user_id = 6").unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        assert!(marks(&fixture).is_empty());
        fixture.run(juriste, mute(None)).unwrap();
        assert_eq!(marks(&fixture), [last, last]);
    }
}
