//! Which rule carries out which command about files.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::context::Context;
use crate::chat::attachments::rules;
use crate::chat::contract::command::AttachmentCommand;
use crate::chat::contract::request::Applied;
use crate::model::timestamp::Timestamp;

/// Carries out one command inside a transaction. What a refused one has written must be taken back.
pub fn apply(
    command: AttachmentCommand,
    conn: &Connection,
    actor: Actor,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Applied {
    use AttachmentCommand as C;
    let settings = context.settings;
    match command {
        C::BeginUpload(ask) => ask.apply(|command| rules::begin(conn, actor, &command, now, settings)),
        C::AppendChunk(ask) => ask.apply(|command| rules::append(conn, actor, &command, now, settings)),
        C::FinishUpload(ask) => ask.apply(|command| rules::finish(conn, actor, command, now)),
        C::CancelUpload(ask) => ask.apply(|command| rules::cancel(conn, actor, &command, now)),
    }
}
