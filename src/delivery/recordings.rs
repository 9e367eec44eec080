//! Makes recordings that have ended files that seek, once each, off the writer's thread.
//!
//! Each is read twice, some at a time: to find where one may begin to play, and for the digest of what it becomes. What is to be
//! added is then written in one change, however long the recording is. One that was cut off by a stop is begun anew.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::auth::actor::Actor;
use crate::chat::contract::command::calls::{SealRecording, Sealed};
use crate::chat::contract::error::Error;
use crate::chat::handle::chat::Chat;
use crate::documents::webm::{Plan, Scanner};
use crate::model::recording::{HEAD_ROOM_BYTES, Unsealed};

/// How often it is looked for what has ended, beside when something has.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Looks after recordings for as long as it is polled. What cannot be done is logged and tried again.
pub async fn run(chat: Chat) {
    if chat.settings().recordings.is_none() {
        return std::future::pending().await;
    }
    let mut woken = chat.due().subscribe();
    loop {
        match chat.list_unsealed().await {
            Ok(unsealed) => {
                for recording in unsealed {
                    if let Err(refusal) = seal(&chat, recording).await {
                        tracing::warn!(call = %recording.call_id, %refusal, "a recording could not be made a file");
                    }
                }
            }
            Err(refusal) => tracing::warn!(%refusal, "the recordings that have ended could not be read"),
        }
        let _or_time_is_up = tokio::time::timeout(LOOK_EVERY, woken.changed()).await;
    }
}

async fn seal(chat: &Chat, recording: Unsealed) -> Result<(), Error> {
    let mut scanner = Scanner::default();
    let mut at = HEAD_ROOM_BYTES;
    while at < recording.size {
        let bytes = read(chat, recording, at).await?;
        scanner.push(&bytes);
        at += bytes.len() as u64;
    }
    let sealed = match scanner.finish() {
        Ok(plan) => Some(sealed(chat, recording, plan).await?),
        Err(_unusable) => None,
    };
    chat.execute(Actor::System, SealRecording { call_id: recording.call_id, sealed }).await
}

async fn sealed(chat: &Chat, recording: Unsealed, plan: Plan) -> Result<Sealed, Error> {
    let Plan { head, body_end, tail, dimensions, .. } = plan;
    let body_end = HEAD_ROOM_BYTES + body_end;
    let mut hash = Sha256::new();
    hash.update(&head);
    let mut at = head.len() as u64;
    while at < body_end {
        let bytes = read(chat, recording, at).await?;
        let left = usize::try_from(body_end - at).unwrap_or(usize::MAX).min(bytes.len());
        hash.update(&bytes[..left]);
        at += left as u64;
    }
    hash.update(&tail);
    Ok(Sealed { head, body_end, tail, sha256: hash.finalize().into(), dimensions })
}

async fn read(chat: &Chat, recording: Unsealed, at: u64) -> Result<bytes::Bytes, Error> {
    let bytes = chat.read_unsealed(recording.attachment_id, at).await?;
    if bytes.is_empty() { Err(Error::internal("a recording is shorter than it was")) } else { Ok(bytes) }
}
