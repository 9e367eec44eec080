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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::command::{CreateConversation, FileSource, InlineFile, SendMessage};
    use crate::chat::execute::Settings;
    use crate::chat::sign_in::SignedIn;
    use crate::chat::stage::Stage;
    use crate::chat::trial;
    use crate::model::id::{MessageId, UserId};
    use crate::model::message::Message;
    use crate::store::db::Missing;

    struct Scene {
        stage: Stage,
        client: SignedIn,
        juriste: SignedIn,
        outsider: SignedIn,
        conversation_id: ConversationId,
    }

    impl Scene {
        async fn new() -> Scene {
            Scene::with(Settings::default()).await
        }

        async fn with(settings: Settings) -> Scene {
            let stage = Stage::with(Settings { sign_in_rate: 0, ..settings }, Missing::CreateDemo);
            let client = stage.sign_in("client1").await;
            let (juriste, outsider) = (stage.sign_in("juriste1").await, stage.sign_in("juriste2").await);
            let open = CreateConversation { participant_id: UserId::new(6).unwrap() };
            let opened = stage.chat.execute(stage.actor(&client), Command::CreateConversation(open)).await.unwrap();
            let Reply::Conversation { conversation, .. } = opened else { panic!("no conversation") };
            let conversation_id = conversation.id;
            Scene { stage, client, juriste, outsider, conversation_id }
        }

        async fn upload(&self, by: &SignedIn, name: &str, bytes: &[u8]) -> Result<FileRef, Error> {
            let actor = self.stage.actor(by);
            let begun = self.stage.chat.begin_upload(actor, self.conversation_id, name.to_owned(), None);
            let mut upload = begun.await?;
            for piece in bytes.chunks(100_000) {
                upload.write(piece).await?;
            }
            upload.finish().await
        }

        async fn send(&self, by: &SignedIn, files: Vec<FileSource>) -> Result<Message, Error> {
            let message = SendMessage { files, ..trial::plain(self.conversation_id, "voici") };
            match self.stage.chat.execute(self.stage.actor(by), Command::SendMessage(message)).await? {
                Reply::Message { message, .. } => Ok(Message::clone(&message)),
                other => panic!("{other:?}"),
            }
        }

        async fn read(&self, by: &SignedIn, id: AttachmentId) -> Result<Vec<u8>, Error> {
            let mut whole = Vec::new();
            loop {
                let part = self.stage.chat.read_file(self.stage.actor(by), id, whole.len() as u64).await?;
                if part.is_empty() {
                    return Ok(whole);
                }
                whole.extend_from_slice(&part);
            }
        }

        fn stored(&self) -> (i64, i64) {
            let conn = rusqlite::Connection::open(self.stage.path()).unwrap();
            let sql = "SELECT (SELECT count(*) FROM attachments), (SELECT count(*) FROM attachment_chunks)";
            conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
        }
    }

    fn bytes(count: usize) -> Vec<u8> {
        (0..count).map(|place| u8::try_from(place * 7 % 251).unwrap()).collect()
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[tokio::test]
    async fn a_file_goes_in_by_parts_and_comes_out_from_any_place() {
        let scene = Scene::new().await;
        let sent = bytes(2 * CHUNK_BYTES + 12_345);
        let file = scene.upload(&scene.client, "../pièce n° 1.bin", &sent).await.unwrap();
        assert_eq!((file.name.as_str(), file.size), ("pièce n° 1.bin", sent.len() as i64));
        assert_eq!((file.mime_type.as_str(), file.sha256), ("application/octet-stream", hex(&Sha256::digest(&sent))));
        assert!(scene.read(&scene.client, file.id).await.unwrap() == sent);
        for offset in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, sent.len() - 1] {
            let part =
                scene.stage.chat.read_file(scene.stage.actor(&scene.client), file.id, offset as u64).await.unwrap();
            assert!(sent[offset..].starts_with(&part) && !part.is_empty(), "from {offset}");
        }
        let beyond = scene.stage.chat.read_file(scene.stage.actor(&scene.client), file.id, u64::MAX).await.unwrap();
        assert!(beyond.is_empty());
    }

    #[tokio::test]
    async fn a_picture_has_its_type_and_dimensions_and_an_empty_file_is_a_file() {
        let scene = Scene::new().await;
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x06\0\0\0";
        let picture = scene.upload(&scene.client, "photo.txt", png).await.unwrap();
        assert_eq!((picture.mime_type.as_str(), picture.width, picture.height), ("image/png", Some(640), Some(480)));
        let page = scene.upload(&scene.client, "photo.png", b"<svg onload=alert(1)>").await.unwrap();
        assert_eq!((page.mime_type.as_str(), page.width), ("application/octet-stream", None));
        let empty = scene.upload(&scene.client, "vide.txt", b"").await.unwrap();
        assert_eq!((empty.size, empty.sha256), (0, hex(&Sha256::digest(b""))));
        assert_eq!(scene.read(&scene.client, empty.id).await.unwrap(), b"");
    }

    #[tokio::test]
    async fn before_a_message_takes_it_only_its_sender_sees_a_file_then_both_members_do() {
        let scene = Scene::new().await;
        let file = scene.upload(&scene.client, "a.txt", b"bonjour").await.unwrap();
        assert!(scene.read(&scene.client, file.id).await.is_ok());
        for other in [&scene.juriste, &scene.outsider] {
            assert_eq!(scene.read(other, file.id).await.unwrap_err().reason, Reason::NotFound);
        }
        let message = scene.send(&scene.client, vec![FileSource::Stored(file.id)]).await.unwrap();
        assert_eq!(message.files.as_slice(), std::slice::from_ref(&file));
        assert_eq!(scene.read(&scene.juriste, file.id).await.unwrap(), b"bonjour");
        let (chat, outsider) = (&scene.stage.chat, scene.stage.actor(&scene.outsider));
        assert_eq!(chat.load_file(outsider, file.id).await.unwrap_err().reason, Reason::NotFound);
        assert_eq!(chat.link_file(outsider, file.id).await.unwrap_err().reason, Reason::NotFound);
        assert_eq!(chat.read_file(Actor::Anonymous, file.id, 0).await.unwrap_err().reason, Reason::TokenMissing);
    }

    #[tokio::test]
    async fn a_file_goes_with_one_message_of_its_own_sender_and_conversation() {
        let scene = Scene::new().await;
        let file = scene.upload(&scene.client, "a.txt", b"bonjour").await.unwrap();
        let again = || vec![FileSource::Stored(file.id)];
        assert_eq!(scene.send(&scene.juriste, again()).await.unwrap_err().reason, Reason::NotFound);
        scene.send(&scene.client, again()).await.unwrap();
        assert_eq!(scene.send(&scene.client, again()).await.unwrap_err().reason, Reason::FileUnavailable);
    }

    #[tokio::test]
    async fn a_file_may_come_along_with_its_message() {
        let scene = Scene::new().await;
        let data = Bytes::from(bytes(CHUNK_BYTES + 5));
        let file = InlineFile { name: "a/b.bin".to_owned(), data: data.clone() };
        let message = scene.send(&scene.client, vec![FileSource::Inline(file)]).await.unwrap();
        assert_eq!((message.files[0].name.as_str(), message.files[0].size), ("b.bin", data.len() as i64));
        assert_eq!(message.files[0].sha256, hex(&Sha256::digest(&data)));
        assert!(scene.read(&scene.juriste, message.files[0].id).await.unwrap() == data);
    }

    #[tokio::test]
    async fn the_files_of_a_deleted_message_leave_the_database() {
        let scene = Scene::new().await;
        let file = scene.upload(&scene.client, "a.txt", b"bonjour").await.unwrap();
        let message_id: MessageId = scene.send(&scene.client, vec![FileSource::Stored(file.id)]).await.unwrap().id;
        let delete = Command::DeleteMessage(crate::chat::command::DeleteMessage { message_id });
        scene.stage.chat.execute(scene.stage.actor(&scene.client), delete).await.unwrap();
        assert_eq!(scene.stored(), (0, 0));
        assert_eq!(scene.read(&scene.client, file.id).await.unwrap_err().reason, Reason::NotFound);
    }

    #[tokio::test]
    async fn what_is_too_large_is_refused_in_advance_where_that_is_known() {
        let settings = Settings { file_bytes_max: 300_000, user_bytes_max: 500_000, ..Settings::default() };
        let scene = Scene::with(settings).await;
        let (chat, actor) = (&scene.stage.chat, scene.stage.actor(&scene.client));
        let begin = |size| chat.begin_upload(actor, scene.conversation_id, "a".to_owned(), size);
        assert!(begin(Some(300_001)).await.is_err_and(|refusal| refusal.reason == Reason::TooLarge));
        let large = scene.upload(&scene.client, "a", &bytes(300_001)).await;
        assert_eq!(large.unwrap_err().reason, Reason::TooLarge);
        scene.upload(&scene.client, "a", &bytes(300_000)).await.unwrap();
        assert!(begin(Some(200_001)).await.is_err_and(|refusal| refusal.reason == Reason::QuotaReached));
        let full = scene.upload(&scene.client, "a", &bytes(200_001)).await;
        assert_eq!(full.unwrap_err().reason, Reason::QuotaReached);
        assert!(scene.upload(&scene.juriste, "a", &bytes(200_001)).await.is_ok(), "each person has their own");
        let elsewhere =
            chat.begin_upload(scene.stage.actor(&scene.outsider), scene.conversation_id, "a".to_owned(), None);
        assert!(elsewhere.await.is_err_and(|refusal| refusal.reason == Reason::NotFound));
    }

    #[tokio::test]
    async fn an_upload_that_is_dropped_leaves_nothing() {
        let scene = Scene::new().await;
        let actor = scene.stage.actor(&scene.client);
        let begun = scene.stage.chat.begin_upload(actor, scene.conversation_id, "a".to_owned(), None).await;
        let mut upload = begun.unwrap_or_else(|refusal| panic!("{refusal}"));
        upload.write(&bytes(CHUNK_BYTES)).await.unwrap();
        assert_eq!(scene.stored(), (1, 1));
        drop(upload);
        // The next change comes after the cancellation, for the pen keeps the order.
        scene.send(&scene.client, Vec::new()).await.unwrap();
        assert_eq!(scene.stored(), (0, 0));
    }

    #[tokio::test]
    async fn what_no_message_took_within_a_day_is_removed() {
        let scene = Scene::new().await;
        let (old, new) = (scene.upload(&scene.client, "a", b"a").await, scene.upload(&scene.client, "b", b"b").await);
        let sent = scene.upload(&scene.client, "c", b"c").await.unwrap().id;
        scene.send(&scene.client, vec![FileSource::Stored(sent)]).await.unwrap();
        let day_ago = Timestamp::now() - std::time::Duration::from_secs(24 * 60 * 60 + 1);
        let conn = rusqlite::Connection::open(scene.stage.path()).unwrap();
        conn.execute("UPDATE attachments SET created_at = ?1 WHERE id <> ?2", (day_ago, new.unwrap().id)).unwrap();
        scene.stage.chat.execute(Actor::System, Command::Tidy).await.unwrap();
        assert_eq!(scene.read(&scene.client, old.unwrap().id).await.unwrap_err().reason, Reason::NotFound);
        assert_eq!(scene.stored(), (2, 2));
    }

    #[tokio::test]
    async fn however_many_files_are_over_all_of_them_are_removed_soon() {
        let scene = Scene::new().await;
        for number in 0..10 {
            scene.upload(&scene.client, &number.to_string(), b"a").await.unwrap();
        }
        let conn = rusqlite::Connection::open(scene.stage.path()).unwrap();
        conn.execute("UPDATE attachments SET created_at = 1", []).unwrap();
        let removed = async {
            while scene.stored() != (0, 0) {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            () = scene.stage.chat.look_after() => unreachable!("it never returns"),
            removed = tokio::time::timeout(std::time::Duration::from_secs(30), removed) => removed.expect("in time"),
        }
    }

    #[tokio::test]
    async fn a_signed_link_shows_one_file_and_dies_with_the_session() {
        let scene = Scene::new().await;
        let file = scene.upload(&scene.client, "a.txt", b"bonjour").await.unwrap();
        let other = scene.upload(&scene.client, "b.txt", b"autre").await.unwrap();
        let chat = &scene.stage.chat;
        let link = chat.link_file(scene.stage.actor(&scene.client), file.id).await.unwrap();
        let grant = link.url.split_once("?grant=").unwrap().1;
        let actor = chat.verify_grant(file.id, grant).unwrap();
        assert_eq!(chat.read_file(actor, file.id, 0).await.unwrap(), "bonjour");
        assert_eq!(chat.verify_grant(other.id, grant).unwrap_err().reason, Reason::TokenInvalid);
        assert!(link.expires_at <= Timestamp::now() + std::time::Duration::from_secs(300));
        chat.execute(scene.stage.actor(&scene.client), Command::SignOut).await.unwrap();
        assert_eq!(chat.read_file(actor, file.id, 0).await.unwrap_err().reason, Reason::TokenInvalid);
    }
}
