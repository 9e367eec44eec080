//! Files: how they arrive, who may see them, and when they go again.
//!
//! ```text
//! BeginUpload ─→ AppendChunk … ─→ FinishUpload ─→ a message takes it ─→ goes with its message
//!      └── CancelUpload, or a day without a message: forgotten
//! ```
//!
//! An upload whose size was announced goes on after a cut, and after a restart: each part says where it belongs.
//!
//! Until a message takes it, only its sender may see a file; from then on both members of the conversation may.

use std::time::Duration;

use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::attachments::chunks::CHUNK_BYTES;
use crate::chat::contract::command::attachments::{AppendChunk, BeginUpload, CancelUpload, FinishUpload};
use crate::chat::contract::command::conversations::InlineFile;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::settings::Settings;
use crate::model::attachment::FileRef;
use crate::model::file_name::FileName;
use crate::model::id::{AttachmentId, ConversationId, UserId};
use crate::model::media_type::MediaType;
use crate::model::timestamp::Timestamp;
use crate::store::attachments::{self, AttachmentRow, Facts};
use crate::store::users;

/// Files of one person that are arriving or wait for a message.
const LOOSE_MAX: i64 = 200;

/// After how long it is worth trying again: others may have gone with a message by then.
const LOOSE_RETRY: Duration = Duration::from_secs(60);

/// The rule of [`BeginUpload`].
///
/// # Errors
/// `UNAUTHENTICATED`; `NOT_FOUND` outside one's own conversations; `TOO_LARGE` for the file or for all files together;
/// `RATE_LIMITED` when too many wait for a message.
pub fn begin(
    conn: &Connection,
    actor: Actor,
    command: &BeginUpload,
    now: Timestamp,
    settings: &Settings,
) -> Result<Outcome<AttachmentId>, Error> {
    let membership = caller::require_membership(conn, actor, command.conversation_id, now)?;
    require_space(conn, membership.me.id, 0, command.size.unwrap_or(0), settings)?;
    let size = command.size.filter(|_| command.is_resumable);
    let id = announce(conn, membership.me.id, command.conversation_id, &command.name, size, now)?;
    Ok(id.into())
}

/// The rule of [`AppendChunk`].
///
/// # Errors
/// `UNAUTHENTICATED`; `NOT_FOUND` for what is not one's own or already complete; `CONFLICT` where other bytes have arrived;
/// `TOO_LARGE`, also beyond what was announced.
pub fn append(
    conn: &Connection,
    actor: Actor,
    command: &AppendChunk,
    now: Timestamp,
    settings: &Settings,
) -> Result<Outcome<()>, Error> {
    let row = require_arriving(conn, actor, command.attachment_id, now)?;
    let (arrived, more) = (u64::try_from(row.size).unwrap_or(0), command.data.len() as u64);
    if command.offset != arrived {
        return Err(Error::other_offset(arrived));
    }
    let announced = row.announced_size.map(|size| u64::try_from(size).unwrap_or(0));
    if announced.is_some_and(|announced| arrived.saturating_add(more) > announced) {
        return Err(Reason::TooLarge.into());
    }
    require_space(conn, row.uploader_id, arrived, more, settings)?;
    if !command.data.is_empty() {
        attachments::append(conn, row.id, &command.data)?;
    }
    Ok(().into())
}

/// The rule of [`FinishUpload`].
///
/// # Errors
/// `UNAUTHENTICATED`; `NOT_FOUND` for what is not one's own or already complete; `CONFLICT` while bytes are missing.
pub fn finish(
    conn: &Connection,
    actor: Actor,
    command: FinishUpload,
    now: Timestamp,
) -> Result<Outcome<FileRef>, Error> {
    let mut row = require_arriving(conn, actor, command.attachment_id, now)?;
    if row.announced_size.is_some_and(|announced| announced != row.size) {
        return Err(Error::other_offset(u64::try_from(row.size).unwrap_or(0)));
    }
    let FinishUpload { sha256, mime_type, dimensions, .. } = command;
    let facts = Facts { mime_type, sha256, dimensions };
    attachments::set_complete(conn, row.id, &facts)?;
    row.facts = Some(facts);
    let file = row.file_ref().ok_or_else(|| Error::internal("a complete file is incomplete"))?;
    Ok(file.into())
}

/// The rule of [`CancelUpload`]. The program itself may do it for whoever went away.
///
/// # Errors
/// `UNAUTHENTICATED`; `NOT_FOUND` for what is not one's own or went with a message.
pub fn cancel(conn: &Connection, actor: Actor, command: &CancelUpload, now: Timestamp) -> Result<Outcome<()>, Error> {
    let row = match actor {
        Actor::System => {
            attachments::find(conn, command.attachment_id)?.filter(|row| row.facts.is_none() && !row.is_recording)
        }
        _ => Some(require_own(conn, actor, command.attachment_id, now)?).filter(|row| row.message_id.is_none()),
    };
    attachments::delete(conn, row.ok_or(Reason::NotFound)?.id)?;
    Ok(().into())
}

/// Stores a file that arrived whole with its message.
///
/// # Errors
/// `TOO_LARGE`, `RATE_LIMITED`.
pub fn store_inline(
    conn: &Connection,
    uploader_id: UserId,
    conversation_id: ConversationId,
    file: &InlineFile,
    now: Timestamp,
    settings: &Settings,
) -> Result<AttachmentId, Error> {
    require_space(conn, uploader_id, 0, file.data.len() as u64, settings)?;
    let id = announce(conn, uploader_id, conversation_id, &file.name, None, now)?;
    for chunk in file.data.chunks(CHUNK_BYTES) {
        attachments::append(conn, id, chunk)?;
    }
    attachments::set_complete(conn, id, &facts_of(&file.data, Sha256::digest(&file.data).into()))?;
    Ok(id)
}

/// What is found out about a file that begins with `head`.
#[must_use]
pub fn facts_of(head: &[u8], sha256: [u8; 32]) -> Facts {
    let kind = MediaType::sniff(head);
    let dimensions = kind.dimensions(head).map(|dimensions| (dimensions.width, dimensions.height));
    Facts { mime_type: kind.as_str().to_owned(), sha256, dimensions }
}

/// A complete file that whoever asks may see.
///
/// # Errors
/// `UNAUTHENTICATED`; `NOT_FOUND`.
pub fn require_visible(
    conn: &Connection,
    actor: Actor,
    id: AttachmentId,
    now: Timestamp,
) -> Result<AttachmentRow, Error> {
    let me = caller::require_member(conn, actor, now)?;
    let row = attachments::find(conn, id)?.filter(|row| row.facts.is_some()).ok_or(Reason::NotFound)?;
    match row.message_id {
        Some(_) => caller::require_membership(conn, actor, row.conversation_id, now).map(drop)?,
        // Of a call that goes on there is no message yet.
        None if row.is_recording => caller::require_membership(conn, actor, row.conversation_id, now).map(drop)?,
        None if row.uploader_id == me.user_id => {}
        None => return Err(Reason::NotFound.into()),
    }
    Ok(row)
}

/// Someone's own file, complete or not.
///
/// # Errors
/// `UNAUTHENTICATED`; `NOT_FOUND`.
pub fn require_own(conn: &Connection, actor: Actor, id: AttachmentId, now: Timestamp) -> Result<AttachmentRow, Error> {
    let me = caller::require_member(conn, actor, now)?;
    let row = attachments::find(conn, id)?.filter(|row| row.uploader_id == me.user_id && !row.is_recording);
    row.ok_or_else(|| Reason::NotFound.into())
}

/// Someone's own file that is still arriving.
fn require_arriving(conn: &Connection, actor: Actor, id: AttachmentId, now: Timestamp) -> Result<AttachmentRow, Error> {
    let row = Some(require_own(conn, actor, id, now)?).filter(|row| row.facts.is_none());
    row.ok_or_else(|| Reason::NotFound.into())
}

fn announce(
    conn: &Connection,
    uploader_id: UserId,
    conversation_id: ConversationId,
    name: &str,
    size: Option<u64>,
    now: Timestamp,
) -> Result<AttachmentId, Error> {
    if attachments::count_loose(conn, uploader_id)? >= LOOSE_MAX {
        return Err(Error::too_many(LOOSE_RETRY));
    }
    Ok(attachments::insert(conn, uploader_id, conversation_id, FileName::clean(name).as_str(), size, now)?)
}

/// Lets `more` bytes follow the `arrived` ones of a file, if neither the file nor all of its sender's become too large.
fn require_space(
    conn: &Connection,
    uploader_id: UserId,
    arrived: u64,
    more: u64,
    settings: &Settings,
) -> Result<(), Error> {
    if arrived.saturating_add(more) > settings.file_bytes_max {
        return Err(Reason::TooLarge.into());
    }
    let stored = u64::try_from(attachments::sum_bytes(conn, uploader_id)?).unwrap_or(0);
    if stored.saturating_add(more) > settings.stranger_bytes_max && users::is_stranger(conn, uploader_id)? {
        return Err(Reason::StrangerFiles.into());
    }
    if stored.saturating_add(more) > settings.user_bytes_max {
        return Err(Reason::QuotaReached.into());
    }
    Ok(())
}
