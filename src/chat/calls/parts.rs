//! What is recorded, on its way in: parts in order, each once, from the one device that records.
//!
//! The same part again is no news; other bytes under its number, or one that leaves a gap, contradict what is stored. Parts
//! are taken only while everybody agrees. A limit that is reached ends the recording, and what came before is kept.

use std::sync::Arc;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::access::context::Context;
use crate::chat::attachments::chunks::CHUNK_BYTES;
use crate::chat::calls::{call, keeping, recording};
use crate::chat::contract::command::calls::{FinishRecording, StorePart};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::reply::PartStored;
use crate::model::call::Call;
use crate::model::locale::Text;
use crate::model::recording::{HEAD_ROOM_BYTES, PART_BYTES_MAX, Progress, RecordingState, Rules};
use crate::model::timestamp::Timestamp;
use crate::store::attachments;
use crate::store::recordings::{self, RecordingRow};

/// How a recording begins (RFC 8794): an EBML header.
const BEGINNING: [u8; 4] = [0x1a, 0x45, 0xdf, 0xa3];

/// Stores the next part.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`; `FORBIDDEN` for whoever does not record; `CONFLICT` unless it runs, and where another
/// part is expected; `INVALID` for what is no part of a recording; `TOO_LARGE`.
pub fn store(
    conn: &Connection,
    actor: Actor,
    command: &StorePart,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<PartStored>, Error> {
    let row = require_recorder(conn, actor, command.call_id, now)?;
    let settings = recording::require_rules(context.settings)?;
    if let Some(sha256) = recordings::find_part(conn, row.call_id, command.number)? {
        let progress = progress_of(conn, &row, settings)?;
        return match sha256 == command.sha256 {
            true => Ok(PartStored::Repeated(progress).into()),
            false => Err(Error::other_part(progress.next_part)),
        };
    }
    if row.shown.state != RecordingState::On || row.by_service {
        return Err(Reason::NotRecording.into());
    }
    let next = recordings::next_part(conn, row.call_id)?;
    if command.number != next {
        return Err(Error::other_part(next));
    }
    require_part(command)?;
    let before = progress_of(conn, &row, settings)?;
    let more = command.data.len() as u64;
    let total = u64::try_from(recordings::sum_bytes(conn)?).unwrap_or(u64::MAX);
    if before.bytes + more > settings.bytes_max || total.saturating_add(more) > settings.total_bytes_max {
        tracing::warn!(call = %row.call_id, "a recording was stopped: it, or all of them, would become too large");
        keeping::stop(conn, &row, true, now)?;
        let Outcome { events, .. } = keeping::changed(conn, row.call_id, now, context)?;
        return Ok(Outcome { reply: PartStored::Full, events });
    }
    append(conn, &row, command, now)?;
    let row = recordings::find(conn, row.call_id)?.ok_or(Reason::NotFound)?;
    Ok(PartStored::Stored(progress_of(conn, &row, settings)?).into())
}

/// Ends the recording; what has come is kept.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`; `FORBIDDEN` for whoever does not record; `CONFLICT` where there is none.
pub fn finish(
    conn: &Connection,
    actor: Actor,
    command: &FinishRecording,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<Arc<Call>>, Error> {
    let row = require_recorder(conn, actor, command.call_id, now)?;
    match row.shown.state {
        RecordingState::On | RecordingState::Asked => {
            keeping::stop(conn, &row, true, now)?;
            keeping::changed(conn, row.call_id, now, context)
        }
        _ => Ok(Arc::new(call::load(conn, row.call_id)?).into()),
    }
}

/// How far the uploading is.
///
/// # Errors
/// `INTERNAL`.
pub fn progress_of(conn: &Connection, row: &RecordingRow, settings: Rules) -> Result<Progress, Error> {
    let bytes = match row.attachment_id {
        Some(id) => attachments::find(conn, id)?.map_or(0, |file| u64::try_from(file.size).unwrap_or(0)),
        None => 0,
    };
    let bytes = bytes.saturating_sub(HEAD_ROOM_BYTES);
    let total = u64::try_from(recordings::sum_bytes(conn)?).unwrap_or(u64::MAX);
    let is_near = |used: u64, limit: u64| used >= limit / 10 * 9;
    Ok(Progress {
        next_part: recordings::next_part(conn, row.call_id)?,
        bytes,
        bytes_max: settings.bytes_max,
        is_nearly_full: is_near(bytes, settings.bytes_max) || is_near(total, settings.total_bytes_max),
    })
}

/// The recording of a call, for the device that makes it.
fn require_recorder(
    conn: &Connection,
    actor: Actor,
    call_id: crate::model::id::CallId,
    now: Timestamp,
) -> Result<RecordingRow, Error> {
    let (_, membership) = call::require(conn, actor, call_id, now)?;
    let member = caller::require_member(conn, actor, now)?;
    let row = recordings::find(conn, call_id)?;
    let is_recorder =
        |row: &RecordingRow| row.shown.asked_by == Some(membership.me.id) && row.session_id == member.session_id;
    match row {
        Some(row) if is_recorder(&row) => Ok(row),
        _ => Err(Reason::NotTheRecorder.into()),
    }
}

/// Lets only the first part begin a recording.
fn require_part(command: &StorePart) -> Result<(), Error> {
    if command.data.len() > PART_BYTES_MAX {
        return Err(Reason::TooLarge.into());
    }
    if command.data.is_empty() || command.data.starts_with(&BEGINNING) != (command.number == 0) {
        let text = Text::new("n’est pas la partie d’un enregistrement WebM", "is no part of a WebM recording");
        return Err(Error::invalid("body", text));
    }
    Ok(())
}

fn append(conn: &Connection, row: &RecordingRow, command: &StorePart, now: Timestamp) -> Result<(), Error> {
    let id = match (row.attachment_id, row.shown.asked_by) {
        (Some(id), _) => id,
        (None, Some(uploader)) => {
            let name = keeping::file_name(now, "webm");
            let id = recordings::insert_file(conn, row.call_id, uploader, &name, now)?;
            let room = vec![0; usize::try_from(HEAD_ROOM_BYTES).unwrap_or_default()];
            attachments::append(conn, id, &room)?;
            id
        }
        (None, None) => return Err(Reason::NotRecording.into()),
    };
    for chunk in command.data.chunks(CHUNK_BYTES) {
        attachments::append(conn, id, chunk)?;
    }
    Ok(recordings::insert_part(conn, row.call_id, command.number, command.sha256)?)
}
