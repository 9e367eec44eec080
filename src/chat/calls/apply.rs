//! Which rule carries out which command about calls.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::context::Context;
use crate::chat::calls::{keeping, parts, recording, rules, service};
use crate::chat::contract::command::CallCommand;
use crate::chat::contract::request::Applied;
use crate::model::timestamp::Timestamp;

/// Carries out one command inside a transaction. What a refused one has written must be taken back.
pub fn apply(
    command: CallCommand,
    conn: &Connection,
    actor: Actor,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Applied {
    use CallCommand as C;
    match command {
        C::StartCall(ask) => ask.apply(|command| rules::start(conn, actor, &command, now, context)),
        C::JoinCall(ask) => ask.apply(|command| rules::join(conn, actor, &command, now, context)),
        C::DeclineCall(ask) => ask.apply(|command| rules::decline(conn, actor, &command, now, context)),
        C::LeaveCall(ask) => ask.apply(|command| rules::leave(conn, actor, &command, now, context)),
        C::RecordCall(ask) => ask.apply(|command| recording::record(conn, actor, &command, now, context)),
        C::StorePart(ask) => ask.apply(|command| parts::store(conn, actor, &command, now, context)),
        C::FinishRecording(ask) => ask.apply(|command| parts::finish(conn, actor, &command, now, context)),
        C::DeleteRecording(ask) => ask.apply(|command| keeping::delete(conn, actor, &command, now, context)),
        C::SealRecording(ask) => ask.apply(|command| keeping::seal(conn, actor, command, now, context)),
        C::AdmitRecording(ask) => ask.apply(|command| service::admit(conn, actor, &command, now)),
        C::AppendRecording(ask) => ask.apply(|command| service::append(conn, actor, &command, context.settings)),
        C::CompleteRecording(ask) => ask.apply(|command| service::complete(conn, actor, &command, now, context)),
        C::DropRecording(ask) => ask.apply(|command| service::give_up(conn, actor, &command)),
        C::AwaitRecording(ask) => ask.apply(|command| service::wait(conn, actor, &command)),
        C::PostponeRecording(ask) => ask.apply(|command| service::postpone(conn, actor, &command)),
    }
}
