//! Files on their way: in, part by part, and out, from any place in them. No file is ever in memory whole.

use bytes::{Bytes, BytesMut};
use sha2::{Digest as _, Sha256};

use crate::auth::actor::Actor;
use crate::auth::link;
use crate::chat::attachments::{self, CHUNK_BYTES};
use crate::chat::command::{AppendChunk, BeginUpload, CancelUpload, Command, FinishUpload};
use crate::chat::error::{Error, Reason};
use crate::chat::execute::Chat;
use crate::chat::reply::Reply;
use crate::model::attachment::FileRef;
use crate::model::id::{AttachmentId, ConversationId};
use crate::model::timestamp::Timestamp;
use crate::store::attachments::{self as files, Facts};

/// A file that is arriving. Dropping it before it is finished forgets it.
pub struct Upload {
    chat: Chat,
    actor: Actor,
    id: AttachmentId,
    waiting: BytesMut,
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
        let command = Command::BeginUpload(BeginUpload { conversation_id, name, size });
        let id = match self.execute(actor, command).await? {
            Reply::UploadBegun(id) => id,
            _ => return Err(Error::internal("an upload was expected")),
        };
        Ok(Upload {
            chat: self.clone(),
            actor,
            id,
            waiting: BytesMut::new(),
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
            let row = attachments::require_visible(conn, actor, id, now)?;
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
            let row = attachments::require_visible(conn, actor, id, now)?;
            let offset = i64::try_from(offset).unwrap_or(i64::MAX);
            if offset >= row.size {
                return Ok(Bytes::new());
            }
            let (start, bytes) =
                files::find_chunk(conn, id, offset)?.ok_or_else(|| Error::internal("a part of a file is missing"))?;
            let within = usize::try_from(offset - start).unwrap_or(usize::MAX).min(bytes.len());
            Ok(Bytes::from(bytes).slice(within..))
        })
        .await
    }

    /// A signed address of a file that the caller may see, for five minutes.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn link_file(&self, actor: Actor, id: AttachmentId) -> Result<SignedLink, Error> {
        let file = self.load_file(actor, id).await?;
        let caller = actor.caller().ok_or(Reason::TokenMissing)?;
        let issued = link::issue(&self.credentials().links, id, &caller, Timestamp::now());
        let (grant, expires_at) = issued.map_err(Error::internal)?;
        Ok(SignedLink { url: format!("{}?grant={grant}", file.url), expires_at })
    }

    /// Who asked for a signed address. What they may see now is checked like with any other actor.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    pub fn verify_grant(&self, id: AttachmentId, grant: &str) -> Result<Actor, Error> {
        let verified = link::verify(&self.credentials().links, id, grant, Timestamp::now());
        verified.map(Actor::Member).map_err(|_| Reason::TokenInvalid.into())
    }
}

impl Upload {
    /// Takes the next bytes. They are on disk once a whole part of them has come together.
    ///
    /// # Errors
    /// `TOO_LARGE`, `UNAUTHENTICATED` if the session ended meanwhile; the upload is over then.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK_BYTES - self.waiting.len()));
            self.waiting.extend_from_slice(now);
            bytes = later;
            if self.waiting.len() == CHUNK_BYTES {
                self.store().await?;
            }
        }
        Ok(())
    }

    /// Closes the file: from now on a message can take it. When this returns, all of it is on disk.
    ///
    /// # Errors
    /// As [`Upload::write`].
    pub async fn finish(mut self) -> Result<FileRef, Error> {
        self.store().await?;
        let sha256 = std::mem::take(&mut self.hash).finalize().into();
        let seen = self.seen.take().unwrap_or_else(|| attachments::facts_of(&[], [0; 32]));
        let Facts { mime_type, dimensions, .. } = seen;
        let command = FinishUpload { attachment_id: self.id, sha256, mime_type, dimensions };
        match self.chat.execute(self.actor, Command::FinishUpload(command)).await? {
            Reply::File(file) => {
                self.is_finished = true;
                Ok(file)
            }
            _ => Err(Error::internal("a file was expected")),
        }
    }

    async fn store(&mut self) -> Result<(), Error> {
        let data = self.waiting.split().freeze();
        if data.is_empty() {
            return Ok(());
        }
        self.hash.update(&data);
        if self.seen.is_none() {
            self.seen = Some(attachments::facts_of(&data, [0; 32]));
        }
        let command = AppendChunk { attachment_id: self.id, data };
        self.chat.execute(self.actor, Command::AppendChunk(command)).await.map(drop)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.is_finished {
            let command = CancelUpload { attachment_id: self.id };
            drop(self.chat.submit(Actor::System, Command::CancelUpload(command)));
        }
    }
}
