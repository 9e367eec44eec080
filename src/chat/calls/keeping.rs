//! Recordings that have ended: made files that seek, kept for as long as the question said, deleted.
//!
//! A recording belongs to the entry of its call, whose state tells of it: only the members of the conversation see either.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::access::context::Context;
use crate::chat::attachments::chunks::CHUNK_BYTES;
use crate::chat::calls::call;
use crate::chat::contract::command::calls::{DeleteRecording, SealRecording, Sealed};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::event::Announcement;
use crate::chat::contract::outcome::Outcome;
use crate::chat::conversations::entries;
use crate::model::call::Call;
use crate::model::id::{CallId, UserId};
use crate::model::media_type::MediaType;
use crate::model::message_kind::Kind;
use crate::model::recording::RecordingState;
use crate::model::timestamp::Timestamp;
use crate::store::attachments::{self, Facts};
use crate::store::recordings::{self, RecordingRow};

/// Recordings that are deleted in one change.
const DELETED_AT_ONCE: usize = 4;

/// What the file is called: after the day on which the recording began.
#[must_use]
pub fn file_name(now: Timestamp, ending: &str) -> String {
    format!("enregistrement-{}.{ending}", &now.to_string()[..10])
}

/// Until when it is kept: for as long as the question said.
#[must_use]
pub fn kept_until(row: &RecordingRow, now: Timestamp) -> Timestamp {
    now + Duration::from_secs(u64::try_from(row.keep_s).unwrap_or(0))
}

/// Whether there is something to keep. What a service records it has itself.
#[must_use]
pub fn has_begun(row: &RecordingRow) -> bool {
    row.attachment_id.is_some() || (row.by_service && row.shown.state == RecordingState::On)
}

/// Stops what runs or waits. Where nothing has come, nothing is left to keep.
///
/// # Errors
/// `INTERNAL`.
pub fn stop(conn: &Connection, row: &RecordingRow, keep: bool, now: Timestamp) -> Result<(), Error> {
    if keep && has_begun(row) {
        return Ok(recordings::set_stored(conn, row.call_id, kept_until(row, now))?);
    }
    discard(conn, row)?;
    let ran_out = keep && row.shown.state == RecordingState::On;
    let state = if ran_out { RecordingState::Off } else { RecordingState::Refused };
    Ok(recordings::set_state(conn, row.call_id, state)?)
}

/// Tells what became of a call whose recording has changed, in its entry too where there is one.
///
/// # Errors
/// `INTERNAL`.
pub fn changed(
    conn: &Connection,
    call_id: CallId,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<Arc<Call>>, Error> {
    let call = Arc::new(call::load(conn, call_id)?);
    let mut events = vec![call::announced(conn, &call, now)?];
    if let Some(message_id) = call.message_id {
        let kind = Kind::Call(call.to_json().map_err(Error::internal)?);
        events.extend(entries::set_state(conn, message_id, &call.line(), &kind, now, context)?);
    }
    Ok(Outcome { reply: call, events })
}

/// Deletes a recording that has ended. That it was there, who deleted it and when stays.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`; `CONFLICT` while it runs.
pub fn delete(
    conn: &Connection,
    actor: Actor,
    command: &DeleteRecording,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<Arc<Call>>, Error> {
    let (call, membership) = call::require(conn, actor, command.call_id, now)?;
    match (call.recording.state, recordings::find(conn, call.id)?) {
        (RecordingState::Asked | RecordingState::On, _) => Err(Reason::StillRecording.into()),
        (RecordingState::Stored, Some(row)) => {
            remove(conn, &row, Some(membership.me.id), now)?;
            changed(conn, call.id, now, context)
        }
        _ => Ok(Arc::new(call).into()),
    }
}

/// Makes what has come a file that seeks, and gives it to the call's entry. One that was deleted meanwhile stays so.
///
/// # Errors
/// `FORBIDDEN` for all but the program itself; `INTERNAL`.
pub fn seal(
    conn: &Connection,
    actor: Actor,
    command: SealRecording,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    let row = recordings::find(conn, command.call_id)?.filter(|row| row.shown.state == RecordingState::Stored);
    let Some((row, id)) = row.and_then(|row| row.attachment_id.map(|id| (row, id))) else { return Ok(().into()) };
    if row.shown.attachment_id.is_some() {
        return Ok(().into());
    }
    match command.sealed {
        Some(Sealed { head, body_end, tail, sha256, dimensions }) => {
            recordings::truncate(conn, id, body_end)?;
            recordings::overwrite_head(conn, id, &head)?;
            for chunk in tail.chunks(CHUNK_BYTES) {
                attachments::append(conn, id, chunk)?;
            }
            attachments::set_complete(
                conn,
                id,
                &Facts { mime_type: MediaType::Webm.as_str().to_owned(), sha256, dimensions },
            )?;
            recordings::delete_parts(conn, row.call_id)?;
            give_to_entry(conn, row.call_id)?;
        }
        None => {
            tracing::warn!(call = %row.call_id, "what was recorded of a call can't be played: it was removed");
            discard(conn, &row)?;
            recordings::set_state(conn, row.call_id, RecordingState::Off)?;
        }
    }
    let Outcome { events, .. } = changed(conn, row.call_id, now, context)?;
    Ok(Outcome { reply: (), events })
}

/// Gives a complete file to the entry of its call, where both are there.
///
/// # Errors
/// When SQLite fails.
pub fn give_to_entry(conn: &Connection, call_id: CallId) -> Result<bool, Error> {
    let call = call::load(conn, call_id)?;
    let (Some(message_id), Some(id)) = (call.message_id, call.recording.attachment_id) else { return Ok(false) };
    attachments::set_message(conn, id, message_id, 0)?;
    Ok(true)
}

/// Deletes what is kept no longer; tells of it. Whether there is more than was deleted at once.
///
/// # Errors
/// `INTERNAL`.
pub fn delete_over(
    conn: &Connection,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<(bool, Vec<Announcement>), Error> {
    let over = recordings::list_over(conn, now, DELETED_AT_ONCE)?;
    let mut events = Vec::new();
    for call_id in &over {
        if let Some(row) = recordings::find(conn, *call_id)? {
            remove(conn, &row, None, now)?;
            events.extend(changed(conn, *call_id, now, context)?.events);
        }
    }
    Ok((over.len() == DELETED_AT_ONCE, events))
}

fn remove(conn: &Connection, row: &RecordingRow, by: Option<UserId>, now: Timestamp) -> Result<(), Error> {
    discard(conn, row)?;
    Ok(recordings::set_deleted(conn, row.call_id, by, now)?)
}

/// Removes the bytes.
fn discard(conn: &Connection, row: &RecordingRow) -> Result<(), Error> {
    recordings::delete_parts(conn, row.call_id)?;
    if let Some(id) = row.attachment_id {
        attachments::delete(conn, id)?;
    }
    Ok(())
}
