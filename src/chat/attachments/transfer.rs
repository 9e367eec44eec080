//! Files on their way: in, part by part, and out, from any place in them. No file is ever in memory whole.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::auth::actor::Actor;
use crate::auth::link::{self, Subject};
use crate::chat::access::caller;
use crate::chat::attachments::chunks::{self, Chunks};
use crate::chat::attachments::rules;
use crate::chat::contract::command::attachments::{AppendChunk, BeginUpload, CancelUpload, FinishUpload};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::handle::chat::Chat;
use crate::model::attachment::{FileRef, SentFile};
use crate::model::id::{AttachmentId, ConversationId};
use crate::model::timestamp::Timestamp;
use crate::store::attachments::{self as files, Facts};

/// A file that is arriving. Dropping it before it is finished forgets it.
pub struct Upload {
    chat: Chat,
    actor: Actor,
    id: AttachmentId,
    stored: u64,
    chunks: Chunks,
    hash: Sha256,
    seen: Option<Facts>,
    is_finished: bool,
}

/// A signed address of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedLink {
    /// On this server.
    pub url: String,
    /// Until when it works.
    pub expires_at: Timestamp,
}

impl Chat {
    /// Announces a file for one of the caller's conversations; `size` where it is known in advance.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`, `TOO_LARGE`, `RATE_LIMITED`.
    pub async fn begin_upload(
        &self,
        actor: Actor,
        conversation_id: ConversationId,
        name: String,
        size: Option<u64>,
    ) -> Result<Upload, Error> {
        let command = BeginUpload { conversation_id, name, size, is_resumable: false };
        let id = self.execute(actor, command).await?;
        Ok(Upload {
            chat: self.clone(),
            actor,
            id,
            stored: 0,
            chunks: Chunks::default(),
            hash: Sha256::new(),
            seen: None,
            is_finished: false,
        })
    }

    /// A complete file that the caller may see.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn load_file(&self, actor: Actor, id: AttachmentId) -> Result<FileRef, Error> {
        self.ask(move |conn, now| {
            let row = rules::require_visible(conn, actor, id, now)?;
            row.file_ref().ok_or_else(|| Reason::NotFound.into())
        })
        .await
    }

    /// The bytes of a file from `offset` on, as far as the stored part goes that they stand in; nothing at the end. The
    /// right to see them is checked each time.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn read_file(&self, actor: Actor, id: AttachmentId, offset: u64) -> Result<Bytes, Error> {
        self.ask(move |conn, now| {
            let row = rules::require_visible(conn, actor, id, now)?;
            chunks::read(conn, &row, offset)
        })
        .await
    }

    /// The files that went with messages of one of the caller's conversations, the newest first: at most `limit` of those with
    /// a number below `before`.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn list_files(
        &self,
        actor: Actor,
        id: ConversationId,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<SentFile>, Error> {
        self.ask(move |conn, now| {
            caller::require_membership(conn, actor, id, now)?;
            let rows = files::list_of_conversation(conn, id, before, limit)?;
            let sent = rows.into_iter().filter_map(|(row, created_at)| {
                Some(SentFile {
                    file: row.file_ref()?,
                    message_id: row.message_id?,
                    sender_id: row.uploader_id,
                    created_at,
                })
            });
            Ok(sent.collect())
        })
        .await
    }

    /// A signed address of the archive of all files of one of the caller's conversations, for five minutes.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn link_files(&self, actor: Actor, id: ConversationId) -> Result<SignedLink, Error> {
        self.load_members(actor, id).await?;
        self.sign_link(actor, Subject::Files(id), &format!("/conversations/{id}/files.zip"))
    }

    /// A signed address of a file that the caller may see, for five minutes.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn link_file(&self, actor: Actor, id: AttachmentId) -> Result<SignedLink, Error> {
        let file = self.load_file(actor, id).await?;
        self.sign_link(actor, Subject::Attachment(id), &file.url)
    }

    /// `path` with what proves that the caller may go there; they may, and that was checked.
    pub(in crate::chat) fn sign_link(&self, actor: Actor, subject: Subject, path: &str) -> Result<SignedLink, Error> {
        let caller = actor.caller().ok_or(Reason::TokenMissing)?;
        let issued = link::issue(&self.credentials().links, subject, &caller, Timestamp::now());
        let (grant, expires_at) = issued.map_err(Error::internal)?;
        let joint = if path.contains('?') { '&' } else { '?' };
        Ok(SignedLink { url: format!("{path}{joint}grant={grant}"), expires_at })
    }

    /// Who asked for a signed address. What they may see now is checked like with any other actor.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    pub fn verify_grant(&self, subject: impl Into<Subject>, grant: &str) -> Result<Actor, Error> {
        let verified = link::verify(&self.credentials().links, subject, grant, Timestamp::now());
        verified.map(Actor::Member).map_err(|_| Reason::TokenInvalid.into())
    }
}

impl Upload {
    /// Takes the next bytes. They are on disk once a whole part of them has come together.
    ///
    /// # Errors
    /// `TOO_LARGE`, `UNAUTHENTICATED` if the session ended meanwhile; the upload is over then.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while let Some(chunk) = self.chunks.take(&mut bytes) {
            self.store(chunk).await?;
        }
        Ok(())
    }

    /// Closes the file: from now on a message can take it. When this returns, all of it is on disk.
    ///
    /// # Errors
    /// As [`Upload::write`].
    pub async fn finish(mut self) -> Result<FileRef, Error> {
        if let Some(chunk) = self.chunks.rest() {
            self.store(chunk).await?;
        }
        let sha256 = std::mem::take(&mut self.hash).finalize().into();
        let seen = self.seen.take().unwrap_or_else(|| rules::facts_of(&[], [0; 32]));
        let Facts { mime_type, dimensions, .. } = seen;
        let command = FinishUpload { attachment_id: self.id, sha256, mime_type, dimensions };
        let file = self.chat.execute(self.actor, command).await?;
        self.is_finished = true;
        Ok(file)
    }

    async fn store(&mut self, data: Bytes) -> Result<(), Error> {
        self.hash.update(&data);
        if self.seen.is_none() {
            self.seen = Some(rules::facts_of(&data, [0; 32]));
        }
        let (offset, more) = (self.stored, data.len() as u64);
        let command = AppendChunk { attachment_id: self.id, offset, data };
        self.chat.execute(self.actor, command).await?;
        self.stored += more;
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.is_finished {
            let command = CancelUpload { attachment_id: self.id };
            drop(self.chat.submit(Actor::System, command));
        }
    }
}

#[cfg(test)]
mod tests;
