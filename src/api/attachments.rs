//! `/attachments`: files in, as they are or in a form, and out again, whole or in part. Nothing is ever in memory whole.

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use multer::{Constraints, Multipart, SizeLimit};
use serde::Serialize;

use crate::api::call::Call;
use crate::api::reply::{self, Answer};
use crate::auth::actor::Actor;
use crate::chat::attachments::resume::Progress;
use crate::chat::contract::command::attachments::CancelUpload;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::handle::chat::Chat;
use crate::http::conditional::{self, Wanted};
use crate::http::disposition::{self, Disposition};
use crate::http::form_names;
use crate::http::request::{BodyError, Chunks};
use crate::http::response::{self, Body, BoxError};
use crate::model::attachment::FileRef;
use crate::model::fields::Fault;
use crate::model::id::{AttachmentId, ConversationId, INTEGER_MAX};
use crate::model::locale::Text;
use crate::model::media_type::MediaType;
use crate::model::text::visible;
use crate::model::timestamp::Timestamp;

/// The field of a form that holds the file.
const FORM_FIELD: &str = "file";
/// What a form has beside its file, at most.
const FORM_BYTES: u64 = 64 * 1024;
/// What a file that is opened by itself may do: nothing.
const SANDBOX: &str = "sandbox; default-src 'none'";

/// `POST /attachments?conversationId=1&name=contrat.pdf[&size=N]`: the file, or with its size alone the announcement of it.
pub async fn upload(mut call: Call) -> Answer {
    let actor = call.member()?;
    let (conversation_id, name, size) = call.query(|fields| {
        let name = fields.optional_text("name", 1..=255);
        (fields.id("conversationId"), name, fields.optional_integer("size", 0..=INTEGER_MAX))
    })?;
    if let Some(size) = size.filter(|_| !call.request.has_body()) {
        let name = name.ok_or_else(name_missing)?;
        let size = u64::try_from(size).unwrap_or(0);
        let announced = call.chat().announce_upload(actor, conversation_id, name, size).await?;
        return call.json(StatusCode::CREATED, &announced);
    }
    let bytes_max = call.api.settings.limits.file_bytes;
    let boundary = boundary(call.request.header(header::CONTENT_TYPE).unwrap_or_default())?;
    let file = match boundary {
        Some(boundary) => {
            let chunks = call.chunks(bytes_max.saturating_add(FORM_BYTES)).await?;
            from_form(&call, actor, conversation_id, name, chunks, boundary).await?
        }
        None => {
            let name = name.ok_or_else(name_missing)?;
            let mut chunks = call.chunks(bytes_max).await?;
            let mut upload = call.chat().begin_upload(actor, conversation_id, name, chunks.size_known()).await?;
            let mut arrived = 0;
            while let Some(chunk) = chunks.next().await.map_err(reply::unreadable)? {
                upload.write(&chunk).await?;
                arrived += chunk.len();
            }
            if size.is_some_and(|size| usize::try_from(size) != Ok(arrived)) {
                let said = Text::new("n’est pas ce qui est arrivé", "is not what has arrived");
                return Err(Error::invalid("size", said));
            }
            upload.finish().await?
        }
    };
    call.json(StatusCode::CREATED, &file)
}

/// `GET`, `HEAD /attachments/{id}`: how far an own upload is.
pub async fn progress(call: Call, id: AttachmentId) -> Answer {
    let progress = call.chat().load_upload(call.member()?, id).await?;
    shown(&call, &progress)
}

/// `PATCH /attachments/{id}?offset=N`: goes on with an upload. What arrived before a cut is kept.
pub async fn resume(mut call: Call, id: AttachmentId) -> Answer {
    let actor = call.member()?;
    let offset = call.query(|fields| fields.integer("offset", 0..=INTEGER_MAX))?;
    let mut upload = call.chat().resume_upload(actor, id, u64::try_from(offset).unwrap_or(0)).await?;
    let mut chunks = call.chunks(upload.missing()).await?;
    let lost = loop {
        match chunks.next().await {
            Ok(Some(chunk)) => upload.write(&chunk).await?,
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    let progress = upload.end().await?;
    match lost {
        Some(error) => Err(reply::unreadable(error)),
        None => shown(&call, &progress),
    }
}

/// `DELETE /attachments/{id}`: forgets an own file that no message took.
pub async fn discard(call: Call, id: AttachmentId) -> Answer {
    call.chat().execute(call.member()?, CancelUpload { attachment_id: id }).await?;
    reply::done()
}

fn shown(call: &Call, progress: &Progress) -> Answer {
    let mut response = call.ok(progress)?;
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("upload-offset"), HeaderValue::from(progress.offset));
    headers.insert(HeaderName::from_static("upload-length"), HeaderValue::from(progress.size));
    Ok(response)
}

async fn from_form(
    call: &Call,
    actor: Actor,
    conversation_id: ConversationId,
    name: Option<String>,
    chunks: Chunks,
    boundary: String,
) -> Result<FileRef, Error> {
    let body = stream::try_unfold(chunks, |mut chunks| async {
        Ok::<_, BodyError>(chunks.next().await?.map(|chunk| (chunk, chunks)))
    });
    let limits = Constraints::new().size_limit(SizeLimit::new().per_field(call.api.settings.limits.file_bytes));
    let mut form = Multipart::with_constraints(body, boundary, limits);
    let mut arrived = None;
    while let Some(mut field) = form.next_field().await.map_err(bad_form)? {
        let (field_name, file_name) = form_names::read(field.headers());
        if field_name.as_deref() != Some(FORM_FIELD) {
            continue;
        }
        if arrived.is_some() {
            let said = Text::new("un seul fichier par envoi", "one file at a time");
            return Err(Error::invalid(FORM_FIELD, said));
        }
        let shown = file_name.filter(|name| visible::has_visible(name));
        let name = name.clone().or(shown).ok_or_else(name_missing)?;
        let mut upload = call.chat().begin_upload(actor, conversation_id, name, None).await?;
        while let Some(chunk) = field.chunk().await.map_err(bad_form)? {
            upload.write(&chunk).await?;
        }
        arrived = Some(upload);
    }
    match arrived {
        Some(upload) => upload.finish().await,
        None => Err(Error::invalid(FORM_FIELD, Text::new("est requis", "is required"))),
    }
}

/// The boundary of a form; none where the body is the file itself. A body in parts of any other kind is not taken: it would
/// be stored with its boundaries.
fn boundary(kind: &str) -> Result<Option<String>, Error> {
    let is_in_parts = kind.trim_start().get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"));
    match multer::parse_boundary(kind) {
        Ok(boundary) => Ok(Some(boundary)),
        Err(_) if is_in_parts => {
            let said = Text::new(
                "multipart/form-data avec « boundary » est attendu",
                "multipart/form-data with a boundary is expected",
            );
            Err(reply::unsupported("Content-Type", said))
        }
        Err(_) => Ok(None),
    }
}

/// `GET`, `HEAD /attachments/{id}/{name}`
pub async fn download(call: Call, id: AttachmentId, _name: String) -> Answer {
    let grant = call.query(|fields| fields.optional_text("grant", 1..=512))?;
    let actor = match &grant {
        Some(grant) => call.chat().verify_grant(id, grant)?,
        None => call.member()?,
    };
    let file = call.chat().load_file(actor, id).await?;
    let etag = format!("\"{}\"", file.sha256);
    let headers = &call.request.parts.headers;
    let size = u64::try_from(file.size).unwrap_or(0);
    if conditional::is_unchanged(headers, &etag) {
        let mut response = response::empty(StatusCode::NOT_MODIFIED);
        describe(response.headers_mut(), &file, &etag, grant.is_some());
        return Ok(response);
    }
    let (status, part) = match conditional::wanted(headers, &etag, size) {
        Wanted::Whole => (StatusCode::OK, 0..size),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Wanted::Nothing => {
            let mut response = response::empty(StatusCode::RANGE_NOT_SATISFIABLE);
            response.headers_mut().insert(header::CONTENT_RANGE, printable(&format!("bytes */{size}")));
            return Ok(response);
        }
    };
    let body = if call.is_head() || part.is_empty() {
        response::body_of(Bytes::new())
    } else {
        bytes_of(call.chat().clone(), actor, id, part.clone())
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    describe(headers, &file, &etag, grant.is_some());
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(part.end - part.start));
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {}-{}/{size}", part.start, part.end - 1);
        headers.insert(header::CONTENT_RANGE, printable(&range));
    }
    Ok(response)
}

/// `POST /attachments/{id}/link`
pub async fn link(call: Call, id: AttachmentId) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Shown {
        url: String,
        expires_at: Timestamp,
    }
    let link = call.chat().link_file(call.member()?, id).await?;
    call.ok(&Shown { url: link.url, expires_at: link.expires_at })
}

/// What goes with every answer about a file: what it is, how it may be shown, and that nobody else keeps it.
fn describe(headers: &mut HeaderMap, file: &FileRef, etag: &str, by_link: bool) {
    let shows = MediaType::find(&file.mime_type).is_some_and(MediaType::is_shown);
    let kind = if shows { HeaderValue::from_str(&file.mime_type).ok() } else { None };
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let disposition = if shows { Disposition::Inline } else { Disposition::Attachment };
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CONTENT_DISPOSITION, disposition::header_value(disposition, &file.name));
    headers.insert(header::ETAG, printable(etag));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    if by_link {
        // The link itself is the permission, so a page of another allowed origin may show the file.
        let policy = HeaderName::from_static("cross-origin-resource-policy");
        headers.insert(policy, HeaderValue::from_static("cross-origin"));
    }
}

/// Reads on only as fast as the caller takes it. A file whose reader may no longer see it breaks off.
fn bytes_of(chat: Chat, actor: Actor, id: AttachmentId, part: std::ops::Range<u64>) -> Body {
    let chunks = stream::try_unfold((chat, part), move |(chat, mut part)| async move {
        if part.is_empty() {
            return Ok::<_, BoxError>(None);
        }
        let mut bytes = chat.read_file(actor, id, part.start).await?;
        let left = usize::try_from(part.end - part.start).unwrap_or(usize::MAX);
        bytes.truncate(left);
        if bytes.is_empty() {
            return Err("a file is shorter than it was".into());
        }
        part.start += bytes.len() as u64;
        Ok(Some((Frame::data(bytes), (chat, part))))
    });
    StreamBody::new(chunks).boxed_unsync()
}

fn printable(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("digits and punctuation")
}

fn name_missing() -> Error {
    Error::invalid("name", Text::new("est requis", "is required"))
}

fn bad_form(error: multer::Error) -> Error {
    match error {
        multer::Error::FieldSizeExceeded { .. } | multer::Error::StreamSizeExceeded { .. } => Reason::TooLarge.into(),
        multer::Error::StreamReadFailed(cause) => match cause.downcast::<BodyError>() {
            Ok(error) => reply::unreadable(*error),
            Err(_) => reply::unreadable(BodyError::Lost),
        },
        _ => vec![Fault::new(
            FORM_FIELD,
            Text::new("n’est pas arrivé en un formulaire entier", "did not arrive in a whole form"),
        )]
        .into(),
    }
}
