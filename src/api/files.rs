//! `/conversations/{id}/files`: the files of a conversation as a list, and all of them in one archive.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::Response;
use hyper::body::Frame;
use hyper::header::{self, HeaderName, HeaderValue};

use crate::api::call::Call;
use crate::api::reply::Answer;
use crate::api::zip::{self, Archive, Part};
use crate::auth::actor::Actor;
use crate::auth::link::Subject;
use crate::chat::contract::json;
use crate::chat::handle::chat::Chat;
use crate::http::disposition::{self, Disposition};
use crate::http::response::{self, Body, BoxError};
use crate::model::attachment::FileRef;
use crate::model::id::ConversationId;

/// Files on a page whose asker did not say how many, and on the longest one.
const PAGE: i64 = 50;
const PAGE_MAX: i64 = 200;
/// What an archive that is opened by itself may do: nothing.
const SANDBOX: &str = "sandbox; default-src 'none'";

/// `GET /conversations/{id}/files?before=&limit=`
pub async fn list(call: Call, id: ConversationId) -> Answer {
    let actor = call.member()?;
    let (before, limit) =
        call.query(|fields| (json::position(fields, "before"), fields.optional_integer("limit", 1..=PAGE_MAX)))?;
    let limit = limit.unwrap_or(PAGE);
    // One more than asked for shows whether there are more.
    let mut files = call.chat().list_files(actor, id, before, limit + 1).await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = files.len() > wanted;
    files.truncate(wanted);
    let next = files
        .last()
        .filter(|_| has_more)
        .map(|last| format!("</conversations/{id}/files?before={}&limit={limit}>; rel=\"next\"", last.file.id));
    let mut response = call.ok(&files)?;
    if let Some(next) = next.and_then(|next| HeaderValue::from_str(&next).ok()) {
        response.headers_mut().insert(header::LINK, next);
    }
    Ok(response)
}

/// `GET`, `HEAD /conversations/{id}/files.zip`
pub async fn download(call: Call, id: ConversationId) -> Answer {
    let grant = call.query(|fields| fields.optional_text("grant", 1..=512))?;
    let actor = match &grant {
        Some(grant) => call.chat().verify_grant(Subject::Files(id), grant)?,
        None => call.member()?,
    };
    let mut files = call.chat().list_files(actor, id, None, i64::MAX).await?;
    files.reverse();
    let names = zip::distinct(files.iter().map(|sent| sent.file.name.clone()));
    let parts = files.iter().zip(names).map(|(sent, name)| Part {
        name,
        size: u64::try_from(sent.file.size).unwrap_or(0),
        at: sent.created_at,
    });
    let archive = Archive::new(parts.collect());
    let size = archive.size();
    let files: Vec<FileRef> = files.into_iter().map(|sent| sent.file).collect();
    let body = if call.is_head() { response::body_of(Bytes::new()) } else { body(call.chat(), actor, archive, files) };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    let name = format!("conversation-{id}.zip");
    headers.insert(header::CONTENT_DISPOSITION, disposition::header_value(Disposition::Attachment, &name));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    if grant.is_some() {
        let policy = HeaderName::from_static("cross-origin-resource-policy");
        headers.insert(policy, HeaderValue::from_static("cross-origin"));
    }
    Ok(response)
}

/// Where the sending of an archive stands.
enum Step {
    /// Before the header of the file at this place.
    Begin(usize),
    /// Before the byte at this offset of that file.
    Bytes(usize, u64),
    /// Before the directory.
    End,
    /// Behind it.
    Over,
}

/// Reads on only as fast as the caller takes it. An archive of files that go or may no longer be seen breaks off.
fn body(chat: &Chat, actor: Actor, archive: Archive, files: Vec<FileRef>) -> Body {
    let first = if files.is_empty() { Step::End } else { Step::Begin(0) };
    let start = (chat.clone(), archive, Arc::new(files), first);
    let chunks = stream::try_unfold(start, move |(chat, mut archive, files, mut step)| async move {
        loop {
            let bytes = match step {
                Step::Begin(place) => {
                    let checksum = checksum(&chat, actor, &files[place]).await?;
                    step = Step::Bytes(place, 0);
                    Bytes::from(archive.begin(place, checksum))
                }
                Step::Bytes(place, offset) if offset == size_of(&files[place]) => {
                    step = if place + 1 < files.len() { Step::Begin(place + 1) } else { Step::End };
                    continue;
                }
                Step::Bytes(place, offset) => {
                    let bytes = part_of(&chat, actor, &files[place], offset).await?;
                    step = Step::Bytes(place, offset + bytes.len() as u64);
                    bytes
                }
                Step::End => {
                    step = Step::Over;
                    Bytes::from(archive.ending())
                }
                Step::Over => return Ok::<_, BoxError>(None),
            };
            return Ok(Some((Frame::data(bytes), (chat, archive, files, step))));
        }
    });
    StreamBody::new(chunks).boxed_unsync()
}

/// Files are read twice, so that each header is final: readers that go through an archive from the start need that.
async fn checksum(chat: &Chat, actor: Actor, file: &FileRef) -> Result<u32, BoxError> {
    let (mut sum, mut offset) = (flate2::Crc::new(), 0);
    while offset < size_of(file) {
        let bytes = part_of(chat, actor, file, offset).await?;
        sum.update(&bytes);
        offset += bytes.len() as u64;
    }
    Ok(sum.sum())
}

async fn part_of(chat: &Chat, actor: Actor, file: &FileRef, offset: u64) -> Result<Bytes, BoxError> {
    let mut bytes = chat.read_file(actor, file.id, offset).await?;
    bytes.truncate(usize::try_from(size_of(file) - offset).unwrap_or(usize::MAX));
    if bytes.is_empty() { Err("a file is shorter than it was".into()) } else { Ok(bytes) }
}

fn size_of(file: &FileRef) -> u64 {
    u64::try_from(file.size).unwrap_or(0)
}
