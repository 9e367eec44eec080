//! Files through the whole chat, on a database file.

use super::*;
use crate::chat::attachments::chunks::CHUNK_BYTES;
use crate::chat::contract::command::conversations::{CreateConversation, FileSource, InlineFile, SendMessage};
use crate::chat::contract::command::people::SignOut;
use crate::chat::contract::command::system::{RemoveDiscarded, Tidy};
use crate::chat::contract::error::Code;
use crate::chat::contract::settings::Settings;
use crate::chat::people::sign_in::SignedIn;
use crate::chat::testing::fixtures;
use crate::chat::testing::fixtures::ChatFixture;
use crate::model::id::{MessageId, UserId};
use crate::model::message::Message;
use crate::store::database::settings::Missing;

struct Scene {
    fixture: ChatFixture,
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
        let fixture = ChatFixture::with(Settings { sign_in_rate: 0, ..settings }, Missing::CreateDemo);
        let client = fixture.sign_in("client1").await;
        let (juriste, outsider) = (fixture.sign_in("juriste1").await, fixture.sign_in("juriste2").await);
        let open = CreateConversation { participant_id: UserId::new(6).unwrap() };
        let opened = fixture.chat.execute(fixture.actor(&client), open).await.unwrap();
        let conversation_id = opened.conversation.id;
        Scene { fixture, client, juriste, outsider, conversation_id }
    }

    async fn upload(&self, by: &SignedIn, name: &str, bytes: &[u8]) -> Result<FileRef, Error> {
        let actor = self.fixture.actor(by);
        let begun = self.fixture.chat.begin_upload(actor, self.conversation_id, name.to_owned(), None);
        let mut upload = begun.await?;
        for piece in bytes.chunks(100_000) {
            upload.write(piece).await?;
        }
        upload.finish().await
    }

    async fn send(&self, by: &SignedIn, files: Vec<FileSource>) -> Result<Message, Error> {
        let message = SendMessage { files, ..fixtures::plain(self.conversation_id, "voici") };
        let sent = self.fixture.chat.execute(self.fixture.actor(by), message).await?;
        Ok(Message::clone(&sent.message))
    }

    async fn read(&self, by: &SignedIn, id: AttachmentId) -> Result<Vec<u8>, Error> {
        let mut whole = Vec::new();
        loop {
            let part = self.fixture.chat.read_file(self.fixture.actor(by), id, whole.len() as u64).await?;
            if part.is_empty() {
                return Ok(whole);
            }
            whole.extend_from_slice(&part);
        }
    }

    /// Files and parts, once what was deleted is removed.
    async fn stored(&self) -> (i64, i64) {
        let chat = &self.fixture.chat;
        while matches!(chat.execute(Actor::System, RemoveDiscarded).await, Ok(true)) {}
        let conn = rusqlite::Connection::open(self.fixture.path()).unwrap();
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
            scene.fixture.chat.read_file(scene.fixture.actor(&scene.client), file.id, offset as u64).await.unwrap();
        assert!(sent[offset..].starts_with(&part) && !part.is_empty(), "from {offset}");
    }
    let beyond = scene.fixture.chat.read_file(scene.fixture.actor(&scene.client), file.id, u64::MAX).await.unwrap();
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
    let (chat, outsider) = (&scene.fixture.chat, scene.fixture.actor(&scene.outsider));
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
    let delete = crate::chat::contract::command::conversations::DeleteMessage { message_id };
    scene.fixture.chat.execute(scene.fixture.actor(&scene.client), delete).await.unwrap();
    assert_eq!(scene.stored().await, (0, 0));
    assert_eq!(scene.read(&scene.client, file.id).await.unwrap_err().reason, Reason::NotFound);
}

#[tokio::test]
async fn what_is_too_large_is_refused_in_advance_where_that_is_known() {
    let settings = Settings { file_bytes_max: 300_000, user_bytes_max: 500_000, ..Settings::default() };
    let scene = Scene::with(settings).await;
    let (chat, actor) = (&scene.fixture.chat, scene.fixture.actor(&scene.client));
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
        chat.begin_upload(scene.fixture.actor(&scene.outsider), scene.conversation_id, "a".to_owned(), None);
    assert!(elsewhere.await.is_err_and(|refusal| refusal.reason == Reason::NotFound));
}

#[tokio::test]
async fn a_stranger_keeps_little_until_a_juriste_has_answered() {
    let scene = Scene::with(Settings { stranger_bytes_max: 200_000, ..Settings::default() }).await;
    let make_stranger = "UPDATE users SET is_stranger = 1 WHERE id = 1";
    rusqlite::Connection::open(scene.fixture.path()).unwrap().execute(make_stranger, []).unwrap();
    scene.upload(&scene.client, "a", &bytes(150_000)).await.unwrap();
    for size in [50_001, 150_000] {
        let refused = scene.upload(&scene.client, "b", &bytes(size)).await.unwrap_err();
        assert_eq!((refused.reason, refused.code()), (Reason::StrangerFiles, Code::TooLarge));
    }
    scene.upload(&scene.juriste, "c", &bytes(250_000)).await.unwrap();
    scene.send(&scene.juriste, Vec::new()).await.unwrap();
    scene.upload(&scene.client, "b", &bytes(150_000)).await.unwrap();
}

#[tokio::test]
async fn an_upload_that_is_dropped_leaves_nothing() {
    let scene = Scene::new().await;
    let actor = scene.fixture.actor(&scene.client);
    let begun = scene.fixture.chat.begin_upload(actor, scene.conversation_id, "a".to_owned(), None).await;
    let mut upload = begun.unwrap_or_else(|refusal| panic!("{refusal}"));
    upload.write(&bytes(CHUNK_BYTES)).await.unwrap();
    assert_eq!(scene.stored().await, (1, 1));
    drop(upload);
    // The next change comes after the cancellation, for the writer keeps the order.
    scene.send(&scene.client, Vec::new()).await.unwrap();
    assert_eq!(scene.stored().await, (0, 0));
}

#[tokio::test]
async fn what_no_message_took_within_a_day_is_removed() {
    let scene = Scene::new().await;
    let (old, new) = (scene.upload(&scene.client, "a", b"a").await, scene.upload(&scene.client, "b", b"b").await);
    let sent = scene.upload(&scene.client, "c", b"c").await.unwrap().id;
    scene.send(&scene.client, vec![FileSource::Stored(sent)]).await.unwrap();
    let day_ago = Timestamp::now() - std::time::Duration::from_secs(24 * 60 * 60 + 1);
    let conn = rusqlite::Connection::open(scene.fixture.path()).unwrap();
    conn.execute("UPDATE attachments SET created_at = ?1 WHERE id <> ?2", (day_ago, new.unwrap().id)).unwrap();
    scene.fixture.chat.execute(Actor::System, Tidy).await.unwrap();
    assert_eq!(scene.read(&scene.client, old.unwrap().id).await.unwrap_err().reason, Reason::NotFound);
    assert_eq!(scene.stored().await, (2, 2));
}

#[tokio::test]
async fn however_many_files_are_over_all_of_them_are_removed_soon() {
    let scene = Scene::new().await;
    for number in 0..10 {
        scene.upload(&scene.client, &number.to_string(), b"a").await.unwrap();
    }
    let conn = rusqlite::Connection::open(scene.fixture.path()).unwrap();
    conn.execute("UPDATE attachments SET created_at = 1", []).unwrap();
    let removed = async {
        while scene.stored().await != (0, 0) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = scene.fixture.chat.run_maintenance() => unreachable!("it never returns"),
        removed = tokio::time::timeout(std::time::Duration::from_secs(30), removed) => removed.expect("in time"),
    }
}

#[tokio::test]
async fn a_signed_link_shows_one_file_and_dies_with_the_session() {
    let scene = Scene::new().await;
    let file = scene.upload(&scene.client, "a.txt", b"bonjour").await.unwrap();
    let other = scene.upload(&scene.client, "b.txt", b"autre").await.unwrap();
    let chat = &scene.fixture.chat;
    let link = chat.link_file(scene.fixture.actor(&scene.client), file.id).await.unwrap();
    let grant = link.url.split_once("?grant=").unwrap().1;
    let actor = chat.verify_grant(file.id, grant).unwrap();
    assert_eq!(chat.read_file(actor, file.id, 0).await.unwrap(), "bonjour");
    assert_eq!(chat.verify_grant(other.id, grant).unwrap_err().reason, Reason::TokenInvalid);
    assert!(link.expires_at <= Timestamp::now() + std::time::Duration::from_secs(300));
    chat.execute(scene.fixture.actor(&scene.client), SignOut).await.unwrap();
    assert_eq!(chat.read_file(actor, file.id, 0).await.unwrap_err().reason, Reason::TokenInvalid);
}
