//! `/hooks/jibri` and `/hooks/jaas`: recordings that a service made, and what 8x8 tells of them.
//!
//! Both are answered again like the first time, so that they may be repeated. A recording that not everybody had agreed to is
//! answered with 200 as well: whoever sends it deletes it then.

use std::time::SystemTime;

use hyper::StatusCode;
use hyper::header::HeaderName;
use serde_json::json;
use subtle::ConstantTimeEq as _;

use crate::api::call::Call;
use crate::api::reply::{self, Answer};
use crate::auth::actor::Actor;
use crate::chat::contract::command::recordings::{Admission, AdmitRecording, AwaitRecording};
use crate::chat::contract::error::{Error, Reason};
use crate::integrations::hook::BadSignature;
use crate::integrations::jitsi::recording::{self, BadEvent, SIGNATURE_HEADER};
use crate::integrations::jitsi::room::Room;
use crate::model::call::RoomBits;
use crate::model::locale::Text;
use crate::model::timestamp::Timestamp;
use crate::store::service_recordings::Waiting;

/// The largest event that is read.
const EVENT_BYTES_MAX: u64 = 256 * 1024;

/// `POST /hooks/jibri?room=&session=`: a recording, as Jibri's finalize script sends it.
pub async fn jibri(mut call: Call) -> Answer {
    let Some(expected) = &call.api.settings.hooks.jibri_token else { return Err(Reason::NotFound.into()) };
    let shown = call.request.bearer().ok_or(Reason::TokenMissing)?;
    if !bool::from(expected.as_bytes().ct_eq(shown.as_bytes())) {
        return Err(Reason::TokenInvalid.into());
    }
    let (room, service_id) = call.query(|fields| (fields.text("room", 1..=100), fields.text("session", 1..=200)))?;
    let room = bits_of(&Room::parse(&room).map_err(|_| Reason::NotFound)?);
    let (admission, upload) = call.chat().begin_service_recording(AdmitRecording { room, service_id }).await?;
    let is_stored = match (admission, upload) {
        (Admission::Take(..), Some(mut upload)) => {
            let bytes_max = call.chat().settings().recordings.map_or(0, |rules| rules.bytes_max);
            let mut chunks = call.chunks(bytes_max).await?;
            while let Some(chunk) = chunks.next().await.map_err(reply::unreadable)? {
                upload.write(&chunk).await?;
            }
            upload.finish().await?;
            return call.json(StatusCode::CREATED, &json!({ "stored": true }));
        }
        (Admission::Known, _) => true,
        (Admission::Refused, _) => false,
        (Admission::Other, _) => return Err(Reason::AlreadyRecorded.into()),
        (Admission::Nowhere | Admission::Take(..), _) => return Err(Reason::NotFound.into()),
    };
    call.ok(&json!({ "stored": is_stored }))
}

/// `POST /hooks/jaas`: what 8x8 tells. A recording is fetched behind the answer.
pub async fn jaas(mut call: Call) -> Answer {
    let hooks = call.api.settings.hooks.clone();
    if hooks.jaas_secrets.is_empty() {
        return Err(Reason::NotFound.into());
    }
    let signature = call.request.header(HeaderName::from_static(SIGNATURE_HEADER)).unwrap_or_default().to_owned();
    let body = call.request.bytes(EVENT_BYTES_MAX).await.map_err(reply::unreadable)?;
    let event = recording::read(&signature, &body, &hooks.jaas_secrets, &hooks.jaas_app_id, SystemTime::now())
        .map_err(refused)?;
    if let (Some(uploaded), Some(room)) = (event.uploaded, event.room) {
        let service_id = match uploaded.recording_id.as_str() {
            "" => event.id.clone(),
            id => id.to_owned(),
        };
        let link = uploaded.link().to_string();
        let told_at = Timestamp::now();
        let waiting = Waiting { event_id: event.id, service_id, room: bits_of(&room), link, attempts: 0, told_at };
        call.chat().execute(Actor::System, AwaitRecording { waiting }).await?;
        call.chat().wake();
    }
    call.ok(&json!({ "received": true }))
}

fn bits_of(room: &Room) -> RoomBits {
    RoomBits(room.bits().to_be_bytes())
}

fn refused(bad: BadEvent) -> Error {
    let said = match bad {
        BadEvent::Signature(BadSignature::OutOfTime) => {
            Text::new("trop ancienne, ou une horloge est fausse", "too old, or one of the clocks is wrong")
        }
        BadEvent::Signature(_) => Text::new("ne correspond pas", "does not match"),
        BadEvent::OtherApp => Text::new("parle d’une autre application", "is about another application"),
        BadEvent::Malformed => Text::new("n’est pas un événement complet", "is no whole event"),
    };
    Error::invalid(SIGNATURE_HEADER, said)
}
