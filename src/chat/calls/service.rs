//! Recordings that Jibri or 8x8 made: brought in only where everybody in the call had agreed, each once.
//!
//! What they tell may come again, late and in any order. Consent is looked at when the file comes, and with each part of it: a
//! no that comes meanwhile has removed what was there, and the rest finds no place.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::access::context::Context;
use crate::chat::attachments::chunks::Chunks;
use crate::chat::calls::{keeping, recording};
use crate::chat::contract::command::recordings::{
    Admission, AdmitRecording, AppendRecording, AwaitRecording, CompleteRecording, DropRecording, PostponeRecording,
};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::event::Announcement;
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::settings::Settings;
use crate::chat::handle::chat::Chat;
use crate::model::call::Call;
use crate::model::id::{AttachmentId, CallId};
use crate::model::media_type::MediaType;
use crate::model::recording::RecordingState;
use crate::model::timestamp::Timestamp;
use crate::store::attachments::{self, AttachmentRow, Facts};
use crate::store::recordings::{self, RecordingRow};
use crate::store::service_recordings::{self, Waiting};

/// How long a recording that was promised is waited for after its call.
const WAIT_MAX: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// How long it is remembered what services told.
const TOLD_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Recordings that are fetched one after the other before it is looked anew.
const FETCHED_AT_ONCE: i64 = 16;

/// Asks whether the recording of a room may be stored.
///
/// # Errors
/// `FORBIDDEN` for all but the program itself; `INTERNAL`.
pub fn admit(
    conn: &Connection,
    actor: Actor,
    command: &AdmitRecording,
    now: Timestamp,
) -> Result<Outcome<Admission>, Error> {
    caller::require_system(actor)?;
    let Some(call_id) = service_recordings::find_call(conn, command.room)? else {
        return Ok(Admission::Nowhere.into());
    };
    let refuse = || -> Result<Outcome<Admission>, Error> {
        if service_recordings::insert_refused(conn, &command.service_id, Some(call_id), now)? {
            tracing::warn!(call = %call_id, "a recording came that not everybody had agreed to: it is deleted");
        }
        Ok(Admission::Refused.into())
    };
    let Some(row) = recordings::find(conn, call_id)?.filter(|row| row.by_service) else { return refuse() };
    let is_same = row.service_id.as_deref() == Some(&command.service_id);
    match row.shown.state {
        RecordingState::Deleted if is_same => Ok(Admission::Known.into()),
        RecordingState::On | RecordingState::Stored => match (row.shown.attachment_id, is_same) {
            (Some(_), true) => Ok(Admission::Known.into()),
            (Some(_), false) => Ok(Admission::Other.into()),
            (None, _) => take(conn, &row, &command.service_id, now),
        },
        _ => refuse(),
    }
}

/// Makes room for a recording. What came of an earlier try is begun anew.
fn take(conn: &Connection, row: &RecordingRow, service_id: &str, now: Timestamp) -> Result<Outcome<Admission>, Error> {
    if let Some(id) = row.attachment_id {
        attachments::delete(conn, id)?;
    }
    let uploader = row.shown.asked_by.ok_or(Reason::NotRecording)?;
    let name = keeping::file_name(row.shown.asked_at.unwrap_or(now), "mp4");
    let id = recordings::insert_file(conn, row.call_id, uploader, &name, now)?;
    recordings::set_service_id(conn, row.call_id, service_id)?;
    Ok(Admission::Take(row.call_id, id).into())
}

/// Stores the next bytes.
///
/// # Errors
/// `FORBIDDEN` for all but the program itself; `NOT_FOUND` where it has no place any more; `TOO_LARGE`; `CONFLICT`.
pub fn append(
    conn: &Connection,
    actor: Actor,
    command: &AppendRecording,
    settings: &Settings,
) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    let (_, file) = require_arriving(conn, command.call_id, command.attachment_id)?;
    let rules = recording::require_rules(settings)?;
    let (arrived, more) = (u64::try_from(file.size).unwrap_or(0), command.data.len() as u64);
    if command.offset != arrived {
        return Err(Error::other_offset(arrived));
    }
    let total = u64::try_from(recordings::sum_bytes(conn)?).unwrap_or(u64::MAX);
    if arrived.saturating_add(more) > rules.bytes_max || total.saturating_add(more) > rules.total_bytes_max {
        return Err(Reason::RecordingsFull.into());
    }
    attachments::append(conn, file.id, &command.data)?;
    Ok(().into())
}

/// Notes that all of it is there, and gives it to the call's entry.
///
/// # Errors
/// As [`append`].
pub fn complete(
    conn: &Connection,
    actor: Actor,
    command: &CompleteRecording,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<Arc<Call>>, Error> {
    caller::require_system(actor)?;
    let (row, file) = require_arriving(conn, command.call_id, command.attachment_id)?;
    let mime_type = MediaType::Mp4.as_str().to_owned();
    attachments::set_complete(conn, file.id, &Facts { mime_type, sha256: command.sha256, dimensions: None })?;
    if row.shown.state == RecordingState::On {
        recordings::set_stored(conn, row.call_id, keeping::kept_until(&row, now))?;
    }
    keeping::give_to_entry(conn, row.call_id)?;
    keeping::changed(conn, row.call_id, now, context)
}

/// Removes what came of one whose rest will not come.
///
/// # Errors
/// As [`append`].
pub fn give_up(conn: &Connection, actor: Actor, command: &DropRecording) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    let (_, file) = require_arriving(conn, command.call_id, command.attachment_id)?;
    attachments::delete(conn, file.id)?;
    Ok(().into())
}

/// Notes a recording that waits at 8x8. Whether that is news.
///
/// # Errors
/// `FORBIDDEN` for all but the program itself; `INTERNAL`.
pub fn wait(conn: &Connection, actor: Actor, command: &AwaitRecording) -> Result<Outcome<bool>, Error> {
    caller::require_system(actor)?;
    Ok(service_recordings::insert_waiting(conn, &command.waiting)?.into())
}

/// Notes when it is tried again, or that it is over.
///
/// # Errors
/// As [`wait`].
pub fn postpone(conn: &Connection, actor: Actor, command: &PostponeRecording) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    service_recordings::set_due(conn, &command.event_id, command.at)?;
    Ok(().into())
}

/// Gives up on recordings that were promised and never came, and forgets what services told long ago.
///
/// # Errors
/// `INTERNAL`.
pub fn tidy(conn: &Connection, now: Timestamp, context: &mut Context<'_>) -> Result<Vec<Announcement>, Error> {
    service_recordings::delete_over(conn, now - TOLD_LIFE)?;
    let mut events = Vec::new();
    for call_id in recordings::list_never_came(conn, now - WAIT_MAX)? {
        recordings::set_state(conn, call_id, RecordingState::Off)?;
        events.extend(keeping::changed(conn, call_id, now, context)?.events);
    }
    Ok(events)
}

fn require_arriving(
    conn: &Connection,
    call_id: CallId,
    attachment_id: AttachmentId,
) -> Result<(RecordingRow, AttachmentRow), Error> {
    let row = recordings::find(conn, call_id)?.filter(|row| row.attachment_id == Some(attachment_id));
    let file = attachments::find(conn, attachment_id)?.filter(|file| file.facts.is_none());
    row.zip(file).ok_or_else(|| Reason::NotFound.into())
}

/// A recording that a service made, on its way in. Dropping it before it is finished forgets it.
pub struct ServiceUpload {
    chat: Chat,
    place: Option<(CallId, AttachmentId)>,
    stored: u64,
    chunks: Chunks,
    hash: Sha256,
}

impl Chat {
    /// Asks whether the recording of a room may be stored, and begins to where it may.
    ///
    /// # Errors
    /// `INTERNAL`, `UNAVAILABLE`.
    pub async fn begin_service_recording(
        &self,
        command: AdmitRecording,
    ) -> Result<(Admission, Option<ServiceUpload>), Error> {
        let admission = self.execute(Actor::System, command).await?;
        let Admission::Take(call_id, attachment_id) = admission else { return Ok((admission, None)) };
        let place = Some((call_id, attachment_id));
        let upload =
            ServiceUpload { chat: self.clone(), place, stored: 0, chunks: Chunks::default(), hash: Sha256::new() };
        Ok((admission, Some(upload)))
    }

    /// The recordings that are to be fetched now.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub async fn list_waiting_recordings(&self) -> Result<Vec<Waiting>, Error> {
        self.ask(|conn, now| Ok(service_recordings::list_waiting(conn, now, FETCHED_AT_ONCE)?)).await
    }
}

impl ServiceUpload {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// `INVALID` for what is no MP4; `TOO_LARGE`; `NOT_FOUND` where somebody took their consent back meanwhile.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while let Some(chunk) = self.chunks.take(&mut bytes) {
            self.store(chunk).await?;
        }
        Ok(())
    }

    /// All bytes have come. When this returns, they are on disk and the members know.
    ///
    /// # Errors
    /// As [`ServiceUpload::write`].
    pub async fn finish(mut self) -> Result<Arc<Call>, Error> {
        if let Some(chunk) = self.chunks.rest() {
            self.store(chunk).await?;
        }
        let Some((call_id, attachment_id)) = self.place else { return Err(Reason::NotFound.into()) };
        if self.stored == 0 {
            return Err(not_mp4());
        }
        let sha256 = std::mem::take(&mut self.hash).finalize().into();
        let command = CompleteRecording { call_id, attachment_id, sha256 };
        let call = self.chat.execute(Actor::System, command).await?;
        self.place = None;
        Ok(call)
    }

    async fn store(&mut self, data: Bytes) -> Result<(), Error> {
        let Some((call_id, attachment_id)) = self.place else { return Ok(()) };
        if self.stored == 0 && MediaType::sniff(&data) != MediaType::Mp4 {
            return Err(not_mp4());
        }
        self.hash.update(&data);
        let (offset, more) = (self.stored, data.len() as u64);
        let command = AppendRecording { call_id, attachment_id, offset, data };
        self.chat.execute(Actor::System, command).await?;
        self.stored += more;
        Ok(())
    }
}

impl Drop for ServiceUpload {
    fn drop(&mut self) {
        if let Some((call_id, attachment_id)) = self.place.take() {
            drop(self.chat.submit(Actor::System, DropRecording { call_id, attachment_id }));
        }
    }
}

fn not_mp4() -> Error {
    let text = crate::model::locale::Text::new("n’est pas un enregistrement MP4", "is no MP4 recording");
    Error::invalid("body", text)
}
