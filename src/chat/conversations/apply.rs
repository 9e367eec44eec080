//! Which rule carries out which command about conversations.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::context::Context;
use crate::chat::contract::command::ConversationCommand;
use crate::chat::contract::request::Applied;
use crate::chat::conversations::{conversation, messages, mute, reactions, reads};
use crate::model::timestamp::Timestamp;

/// Carries out one command inside a transaction. What a refused one has written must be taken back.
pub fn apply(
    command: ConversationCommand,
    conn: &Connection,
    actor: Actor,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Applied {
    use ConversationCommand as C;
    match command {
        C::CreateConversation(ask) => {
            ask.apply(|command| conversation::create(conn, actor, &command, now, (context.presence, context.settings)))
        }
        C::SendMessage(ask) => ask.apply(|command| messages::send(conn, actor, &command, now, context)),
        C::EditMessage(ask) => ask.apply(|command| messages::edit(conn, actor, &command, now, context)),
        C::DeleteMessage(ask) => ask.apply(|command| messages::delete(conn, actor, &command, now, context)),
        C::ReactToMessage(ask) => ask.apply(|command| reactions::react(conn, actor, &command, now, context)),
        C::ReadMessage(ask) => ask.apply(|command| reads::read_message(conn, actor, &command, now, context)),
        C::MarkUnread(ask) => ask.apply(|command| reads::mark_unread(conn, actor, &command, now, context)),
        C::MuteConversation(ask) => ask.apply(|command| mute::mute(conn, actor, &command, now, context)),
        C::ReadConversation(ask) => ask.apply(|command| reads::read_conversation(conn, actor, &command, now, context)),
    }
}
