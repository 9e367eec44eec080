//! Fetches recordings that wait at 8x8, for the day that they wait there: from its own hosts alone, of a bounded size, and only
//! where everybody in the call had agreed.

use std::time::Duration;

use crate::auth::actor::Actor;
use crate::chat::contract::command::recordings::{Admission, AdmitRecording, PostponeRecording};
use crate::chat::contract::error::{Code, Error};
use crate::chat::handle::chat::Chat;
use crate::integrations::jitsi::recording::{Fetcher, Uploaded};
use crate::model::timestamp::Timestamp;
use crate::store::service_recordings::Waiting;

/// How often it is looked for what is due, beside when something was told.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// So long a recording waits.
const WAITS_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// The pause after the first try that failed; it doubles up to an hour.
const PAUSE: Duration = Duration::from_secs(30);

/// Fetches for as long as it is polled. What fails is logged and tried again.
pub async fn run(chat: Chat, fetcher: Fetcher) {
    let mut woken = chat.due().subscribe();
    loop {
        match chat.list_waiting_recordings().await {
            Ok(waiting) => {
                for one in waiting {
                    look_after(&chat, &fetcher, one).await;
                }
            }
            Err(refusal) => tracing::warn!(%refusal, "the recordings that wait could not be read"),
        }
        let _or_time_is_up = tokio::time::timeout(LOOK_EVERY, woken.changed()).await;
    }
}

async fn look_after(chat: &Chat, fetcher: &Fetcher, waiting: Waiting) {
    let now = Timestamp::now();
    let at = match fetch(chat, fetcher, &waiting).await {
        Ok(()) => None,
        Err(again) if again.is_worth_it && now < waiting.told_at + WAITS_FOR => {
            let pause = PAUSE.saturating_mul(1 << waiting.attempts.min(7)).min(Duration::from_secs(3_600));
            tracing::warn!(recording = ?waiting, reason = again.reason, "a recording could not be fetched: tried again");
            Some(now + pause)
        }
        Err(over) => {
            tracing::error!(recording = ?waiting, reason = over.reason, "a recording could not be fetched");
            None
        }
    };
    let command = PostponeRecording { event_id: waiting.event_id, at };
    if let Err(refusal) = chat.execute(Actor::System, command).await {
        tracing::warn!(%refusal, "what came of a recording could not be noted");
    }
}

/// Why there is no recording.
struct Failed {
    reason: String,
    /// Whether it may be there at the next try.
    is_worth_it: bool,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        let is_worth_it = matches!(error.code(), Code::Internal | Code::Unavailable | Code::TooLarge);
        Self { reason: error.to_string(), is_worth_it }
    }
}

async fn fetch(chat: &Chat, fetcher: &Fetcher, waiting: &Waiting) -> Result<(), Failed> {
    let Some(rules) = chat.settings().recordings else { return Ok(()) };
    let over = |reason: &str| Failed { reason: reason.to_owned(), is_worth_it: false };
    let uploaded = Uploaded::new(&waiting.link, &waiting.service_id).ok_or_else(|| over("its address is none"))?;
    let ask = AdmitRecording { room: waiting.room, service_id: waiting.service_id.clone() };
    let (admission, upload) = chat.begin_service_recording(ask).await?;
    let Some(mut upload) = upload else {
        return match admission {
            Admission::Other => Err(over("the call has another recording already")),
            Admission::Nowhere => Err(over("no call has this room")),
            _ => Ok(()),
        };
    };
    let again = |reason: String| Failed { reason, is_worth_it: true };
    let bytes_max = usize::try_from(rules.bytes_max).unwrap_or(usize::MAX);
    let mut download = fetcher.fetch(&uploaded, bytes_max).await.map_err(|failure| again(failure.to_string()))?;
    if !download.status.is_success() {
        return Err(again(format!("answered {}", download.status)));
    }
    while let Some(chunk) = download.chunk().await.map_err(|failure| again(failure.to_string()))? {
        upload.write(&chunk).await?;
    }
    upload.finish().await?;
    Ok(())
}
