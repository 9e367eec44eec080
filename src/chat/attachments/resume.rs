//! Uploads in several requests: announced with their size, continued where they stopped, complete with their last byte.
//!
//! Nothing about them is kept in memory between two requests, so a restart interrupts them no more than a cut does.

use bytes::{Bytes, BytesMut};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::auth::actor::Actor;
use crate::chat::attachments::chunks::{self, CHUNK_BYTES, Chunks};
use crate::chat::attachments::rules;
use crate::chat::contract::command::attachments::{AppendChunk, BeginUpload, FinishUpload};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::handle::chat::Chat;
use crate::model::attachment::FileRef;
use crate::model::id::{AttachmentId, ConversationId};
use crate::store::attachments::Facts;

/// How far an upload is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Which.
    pub id: AttachmentId,
    /// Bytes that have arrived.
    pub offset: u64,
    /// Bytes of the whole file.
    pub size: u64,
    /// The file, once it is complete.
    pub file: Option<FileRef>,
}

/// One request's part of an upload.
pub struct Continuation {
    chat: Chat,
    actor: Actor,
    progress: Progress,
    chunks: Chunks,
}

impl Chat {
    /// Announces a file that may come in several requests.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`, `TOO_LARGE`, `RATE_LIMITED`.
    pub async fn announce_upload(
        &self,
        actor: Actor,
        conversation_id: ConversationId,
        name: String,
        size: u64,
    ) -> Result<Progress, Error> {
        let command = BeginUpload { conversation_id, name, size: Some(size), is_resumable: true };
        let id = self.execute(actor, command).await?;
        Ok(Progress { id, offset: 0, size, file: None })
    }

    /// How far an own upload is.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `NOT_FOUND`, also for what comes in one request and is not complete.
    pub async fn load_upload(&self, actor: Actor, id: AttachmentId) -> Result<Progress, Error> {
        self.ask(move |conn, now| {
            let row = rules::require_own(conn, actor, id, now)?;
            let file = row.file_ref();
            let size = row.announced_size.or(file.as_ref().map(|file| file.size)).ok_or(Reason::NotFound)?;
            let [offset, size] = [row.size, size].map(|bytes| u64::try_from(bytes).unwrap_or(0));
            Ok(Progress { id, offset, size, file })
        })
        .await
    }

    /// Goes on with an own upload after `offset` bytes.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`; `CONFLICT` where other bytes have arrived, with their number.
    pub async fn resume_upload(&self, actor: Actor, id: AttachmentId, offset: u64) -> Result<Continuation, Error> {
        let progress = self.load_upload(actor, id).await?;
        if progress.offset != offset {
            return Err(Error::other_offset(progress.offset));
        }
        Ok(Continuation { chat: self.clone(), actor, progress, chunks: Chunks::default() })
    }

    /// The next bytes of an own file that is still arriving, from `offset` on.
    async fn read_arriving(&self, actor: Actor, id: AttachmentId, offset: u64) -> Result<Bytes, Error> {
        self.ask(move |conn, now| {
            let row = rules::require_own(conn, actor, id, now)?;
            chunks::read(conn, &row, offset)
        })
        .await
    }
}

impl Continuation {
    /// Bytes that are still missing.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.progress.size.saturating_sub(self.progress.offset)
    }

    /// Takes the next bytes. They are on disk once a whole part of them has come together.
    ///
    /// # Errors
    /// `TOO_LARGE`; `CONFLICT` if another request goes on with the same upload; `UNAUTHENTICATED`.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while let Some(chunk) = self.chunks.take(&mut bytes) {
            self.store(chunk).await?;
        }
        Ok(())
    }

    /// Stores what came, also where the rest did not; with the last byte the file is complete.
    ///
    /// # Errors
    /// As [`Continuation::write`].
    pub async fn end(mut self) -> Result<Progress, Error> {
        if let Some(chunk) = self.chunks.rest() {
            self.store(chunk).await?;
        }
        if self.missing() == 0 && self.progress.file.is_none() {
            self.progress.file = Some(self.finish().await?);
        }
        Ok(self.progress)
    }

    async fn store(&mut self, data: Bytes) -> Result<(), Error> {
        let (offset, more) = (self.progress.offset, data.len() as u64);
        let command = AppendChunk { attachment_id: self.progress.id, offset, data };
        self.chat.execute(self.actor, command).await?;
        self.progress.offset += more;
        Ok(())
    }

    /// Reads all bytes once: what was known of them may have been known before a restart.
    async fn finish(&self) -> Result<FileRef, Error> {
        let (mut hash, mut head, mut offset) = (Sha256::new(), BytesMut::new(), 0);
        while offset < self.progress.size {
            let bytes = self.chat.read_arriving(self.actor, self.progress.id, offset).await?;
            if bytes.is_empty() {
                return Err(Error::internal("a file is shorter than it was"));
            }
            hash.update(&bytes);
            head.extend_from_slice(&bytes[..bytes.len().min(CHUNK_BYTES - head.len().min(CHUNK_BYTES))]);
            offset += bytes.len() as u64;
        }
        let sha256 = hash.finalize().into();
        let Facts { mime_type, sha256, dimensions } = rules::facts_of(&head, sha256);
        let command = FinishUpload { attachment_id: self.progress.id, sha256, mime_type, dimensions };
        self.chat.execute(self.actor, command).await
    }
}
