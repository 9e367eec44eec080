//! `/calls/{id}/recording`: asking, agreeing and refusing, what was recorded in parts, and deleting it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use hyper::header::HeaderName;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::api::call::Call;
use crate::api::reply::{self, Answer};
use crate::chat::contract::command::calls::{DeleteRecording, FinishRecording, RecordCall, StorePart};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::json;
use crate::chat::contract::reply::PartStored;
use crate::model::id::CallId;
use crate::model::locale::Text;
use crate::model::recording::{BITS_PER_SECOND, PART_BYTES_MAX, Progress, Recorder, Recording, WORDING};
use crate::model::user::Role;

/// The digest of a body that goes with it (RFC 9530).
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// What pages must know of recordings before they offer one.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// Whether the one who asks this may ask for a recording.
    may_ask: bool,
    by: Recorder,
    /// For how many days one is kept.
    keep_days: u64,
    /// The number of the question's wording.
    version: i64,
    part_bytes: usize,
    bits_per_second: u32,
    size_max: u64,
}

/// What `GET /users/me` says of recordings; nothing where there are none.
pub fn offer(call: &Call, role: Role) -> Option<Offer> {
    call.chat().settings().recordings.map(|rules| Offer {
        may_ask: role == Role::Juriste,
        by: rules.by,
        keep_days: rules.keep_days(),
        version: WORDING,
        part_bytes: PART_BYTES_MAX,
        bits_per_second: BITS_PER_SECOND,
        size_max: rules.bytes_max,
    })
}

/// `POST /calls/{id}/recording`
pub async fn record(mut call: Call, call_id: CallId) -> Answer {
    let actor = call.member()?;
    let wish = call.body(json::wish).await?;
    let recorded = call.chat().execute(actor, RecordCall { call_id, wish }).await?;
    call.chat().wake();
    call.ok(&recorded)
}

/// `GET /calls/{id}/recording`
pub async fn progress(call: Call, call_id: CallId) -> Answer {
    #[derive(Serialize)]
    struct Shown {
        recording: Recording,
        #[serde(flatten)]
        progress: Option<Progress>,
    }
    let (recording, progress) = call.chat().load_recording(call.member()?, call_id).await?;
    call.ok(&Shown { recording, progress })
}

/// `PUT /calls/{id}/recording/parts/{n}`
pub async fn store_part(mut call: Call, call_id: CallId, number: u32) -> Answer {
    let actor = call.member()?;
    let data = call.request.bytes(PART_BYTES_MAX as u64).await.map_err(reply::unreadable)?;
    let sha256: [u8; 32] = Sha256::digest(&data).into();
    require_digest(&call, sha256)?;
    match call.chat().execute(actor, StorePart { call_id, number, data, sha256 }).await? {
        PartStored::Stored(progress) => call.json(StatusCode::CREATED, &progress),
        PartStored::Repeated(progress) => call.ok(&progress),
        PartStored::Full => {
            call.chat().wake();
            Err(Reason::RecordingsFull.into())
        }
    }
}

/// `POST /calls/{id}/recording/finish`
pub async fn finish(call: Call, call_id: CallId) -> Answer {
    let finished = call.chat().execute(call.member()?, FinishRecording { call_id }).await?;
    call.chat().wake();
    call.ok(&finished)
}

/// `DELETE /calls/{id}/recording`
pub async fn delete(call: Call, call_id: CallId) -> Answer {
    let deleted = call.chat().execute(call.member()?, DeleteRecording { call_id }).await?;
    call.ok(&deleted)
}

/// Whether a body is what its sender meant, where they said what that is.
fn require_digest(call: &Call, sha256: [u8; 32]) -> Result<(), Error> {
    let Some(said) = call.request.header(CONTENT_DIGEST) else { return Ok(()) };
    let ours = format!("sha-256=:{}:", STANDARD.encode(sha256));
    let mut of_sha256 = said.split(',').map(str::trim).filter(|one| one.starts_with("sha-256=")).peekable();
    if of_sha256.peek().is_none() || of_sha256.all(|one| one == ours) {
        return Ok(());
    }
    let text = Text::new("n’est pas celle du contenu", "is not that of the content");
    Err(Error::invalid("Content-Digest", text))
}
