//! Batches against a real file: what is answered when, what is taken back, what is remembered from one to the next.

use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;

use super::*;
use crate::auth::actor::{Actor, Caller};
use crate::chat::contract::command::Command;
use crate::chat::contract::command::attachments::{AppendChunk, BeginUpload};
use crate::chat::contract::command::conversations::{
    CreateConversation, DeleteMessage, EditMessage, FileSource, ReadMessage, SendMessage,
};
use crate::chat::contract::command::people::{AddUser, FailSignIn, RecordLastSeen, SignOut, UpdateProfile};
use crate::chat::contract::command::system::Tidy;
use crate::chat::contract::error::Code;
use crate::chat::contract::event::Event;
use crate::chat::contract::presence::Presence;
use crate::chat::contract::request::{Ask, Request};
use crate::chat::contract::seats::Seats;
use crate::chat::contract::settings::Settings;
use crate::chat::handle::chat::Chat;
use crate::chat::handle::completion::Outcomes;
use crate::chat::testing::fixtures::{NO_CONVERSATION, plain};
use crate::model::id::{AttachmentId, ConversationId, MessageId, UserId};
use crate::model::timestamp::Timestamp;
use crate::model::user::{PasswordHash, Role};
use crate::store::database::open::Db;
use crate::store::database::settings::{self, Missing};
use crate::store::sessions;

fn open(folder: &TempDir) -> Db {
    let path = folder.path().join("lexchat.db");
    Db::open(&settings::Settings { path, missing: Missing::CreateEmpty, readers_max: 2 }).unwrap()
}

fn rules() -> Rules {
    Rules::new(Arc::new(Settings::default()), Presence::default(), Seats::default(), Arc::default())
}

fn add(email: &str) -> AddUser {
    AddUser {
        name: "Camille Moreau".parse().unwrap(),
        email: email.parse().unwrap(),
        role: Role::Client,
        specialty: None,
        password: PasswordHash("$argon2id$".to_owned()),
    }
}

/// A command on behalf of somebody, and what it was refused with once it is complete.
type Asked = (Job, Box<dyn FnMut() -> Option<Code>>);

fn ask<R: Request>(actor: Actor, request: R) -> Asked
where
    Command: From<Ask<R>>,
{
    let (ask, mut pending) = Ask::new(request);
    let code = move || pending.take().err().map(|error| error.code());
    (Job { actor, command: ask.into() }, Box::new(code))
}

fn ask_all(emails: &[&str]) -> Vec<Asked> {
    emails.iter().map(|email| ask(Actor::System, add(email))).collect()
}

/// Carries out all of it in one batch, and says what each was refused with.
fn carry_out(db: &mut Db, rules: &mut Rules, health: &watch::Sender<Health>, asked: Vec<Asked>) -> Vec<Option<Code>> {
    let (jobs, codes): (Vec<Job>, Vec<_>) = asked.into_iter().unzip();
    drop(settle(&mut db.writer, rules, &mut jobs.into_iter(), health));
    codes.into_iter().map(|mut code| code()).collect()
}

#[test]
fn nothing_is_answered_before_it_is_told_and_a_refusal_leaves_its_batch_mates_alone() {
    let folder = TempDir::new().unwrap();
    let mut db = open(&folder);
    let (health, _) = watch::channel(Health::Open);
    let asked = ask_all(&["a@example.com", "a@example.com", "b@example.com"]);
    let (jobs, mut codes): (Vec<Job>, Vec<_>) = asked.into_iter().unzip();
    let settled = settle(&mut db.writer, &mut rules(), &mut jobs.into_iter(), &health);
    assert!(codes.iter_mut().all(|code| code() == Some(Code::Unavailable)), "there is no reply yet");
    drop(settled);
    let codes: Vec<Option<Code>> = codes.iter_mut().map(|code| code()).collect();
    assert_eq!(codes, [None, Some(Code::Conflict), None]);
}

#[test]
fn after_a_failed_commit_nothing_is_acknowledged_and_nothing_more_accepted() {
    let folder = TempDir::new().unwrap();
    let mut db = open(&folder);
    let (health, seen) = watch::channel(Health::Open);
    db.writer.conn.commit_hook(Some(|| true)).unwrap();
    let (jobs, mut codes): (Vec<Job>, Vec<_>) = ask_all(&["a@example.com", "b@example.com"]).into_iter().unzip();
    for settled in settle(&mut db.writer, &mut rules(), &mut jobs.into_iter(), &health) {
        assert!(settled.events().is_empty());
        settled.complete();
    }
    assert!(codes.iter_mut().all(|code| code() == Some(Code::Unavailable)));
    assert!(matches!(*seen.borrow(), Health::Failed(_)));
    db.writer.conn.commit_hook(None::<fn() -> bool>).unwrap();
    let codes = carry_out(&mut db, &mut rules(), &health, ask_all(&["c@example.com"]));
    assert_eq!(codes, [Some(Code::Unavailable)]);
    let people: i64 = db.writer.conn.query_row("SELECT count(*) FROM users", [], |row| row.get(0)).unwrap();
    assert_eq!(people, 0);
}

#[test]
fn a_full_disk_refuses_until_there_is_room_again() {
    let folder = TempDir::new().unwrap();
    let mut db = open(&folder);
    let (health, seen) = watch::channel(Health::Open);
    let room = |db: &Db, sql: &str| db.writer.conn.query_row(sql, [], |_| Ok(())).unwrap();
    room(&db, "PRAGMA max_page_count = 1");
    let emails: Vec<String> = (0..400).map(|number| format!("person{number}@example.com")).collect();
    let emails: Vec<&str> = emails.iter().map(String::as_str).collect();
    let codes = carry_out(&mut db, &mut rules(), &health, ask_all(&emails));
    assert_eq!(codes.last(), Some(&Some(Code::Unavailable)));
    room(&db, "PRAGMA max_page_count = 100000");
    let codes = carry_out(&mut db, &mut rules(), &health, ask_all(&emails));
    assert_eq!(codes.last(), Some(&None));
    assert_eq!(*seen.borrow(), Health::Open);
}

#[test]
fn while_the_disk_is_full_each_batch_tries_to_write() {
    let folder = TempDir::new().unwrap();
    let mut db = open(&folder);
    let (health, _) = watch::channel(Health::Open);
    let mut changes = |health: &watch::Sender<Health>| {
        let before = db.writer.conn.total_changes();
        drop(settle(&mut db.writer, &mut rules(), &mut std::iter::empty(), health));
        db.writer.conn.total_changes() - before
    };
    assert_eq!(changes(&health), 0);
    health.send_replace(Health::Full);
    assert_eq!(changes(&health), 1);
    assert_eq!(*health.borrow(), Health::Open);
}

/// A database with the demo accounts, and client 1 and juriste 6 signed in and in conversation.
fn open_talk(folder: &TempDir, rules: &mut Rules, health: &watch::Sender<Health>) -> (Db, [Actor; 2], ConversationId) {
    let path = folder.path().join("lexchat.db");
    let mut db = Db::open(&settings::Settings { path, missing: Missing::CreateDemo, readers_max: 2 }).unwrap();
    db.writer.conn.execute_batch(NO_CONVERSATION).unwrap();
    let (now, later) = (Timestamp::now(), Timestamp::now() + Duration::from_secs(3600));
    let people = [1, 6].map(|id| {
        let user_id = UserId::new(id).unwrap();
        let (session_id, nonce) = sessions::insert(&db.writer.conn, user_id, None, None, now, later).unwrap();
        Actor::Member(Caller::assumed(user_id, session_id, nonce))
    });
    let participant_id = UserId::new(6).unwrap();
    let (create, mut pending) = Ask::new(CreateConversation { participant_id });
    let mut jobs = std::iter::once(Job { actor: people[0], command: create.into() });
    drop(settle(&mut db.writer, rules, &mut jobs, health));
    (db, people, pending.take().unwrap().conversation.id)
}

fn say(actor: Actor, conversation_id: ConversationId, content: &str) -> Asked {
    ask(actor, plain(conversation_id, content))
}

/// What the row of a conversation says, and what its messages say.
fn told_and_counted(db: &Db) -> ([i64; 4], [i64; 4]) {
    let conn = &db.writer.conn;
    let row = "SELECT rev, last_message_id, client_unread, lawyer_unread FROM conversations";
    let count = "SELECT max(m.rev), max(m.id),
           sum(m.sender_id = c.lawyer_id AND m.id > c.client_read_id AND m.deleted_at IS NULL),
           sum(m.sender_id = c.client_id AND m.id > c.lawyer_read_id AND m.deleted_at IS NULL)
         FROM messages m
         JOIN conversations c ON c.id = m.conversation_id";
    let read =
        |sql: &str| conn.query_row(sql, [], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])).unwrap();
    (read(row), read(count))
}

#[test]
fn what_is_remembered_within_a_batch_is_what_is_stored_after_it() {
    let folder = TempDir::new().unwrap();
    let (health, mut rules) = (watch::channel(Health::Open).0, rules());
    let (mut db, [client, juriste], talk) = open_talk(&folder, &mut rules, &health);
    let message = |id| MessageId::new(id).unwrap();
    let missing_file =
        SendMessage { files: vec![FileSource::Stored(AttachmentId::new(99).unwrap())], ..plain(talk, "pièce") };
    let rename = UpdateProfile { name: Some("Camille Neuve".parse().unwrap()), ..UpdateProfile::default() };
    let batch = vec![
        say(client, talk, "un"),
        say(juriste, talk, "deux"),
        say(client, talk, " "),
        ask(juriste, ReadMessage { message_id: message(1) }),
        say(client, talk, "trois"),
        ask(client, missing_file),
        ask(client, EditMessage { message_id: message(1), content: "premier".to_owned() }),
        say(client, talk, "quatre"),
        ask(client, rename),
        say(client, talk, "cinq"),
        ask(client, DeleteMessage { message_id: message(3) }),
        say(juriste, talk, "six"),
    ];
    let codes = carry_out(&mut db, &mut rules, &health, batch);
    let mut expected = [None; 12];
    expected[2] = Some(Code::Invalid);
    expected[5] = Some(Code::NotFound);
    assert_eq!(codes, expected);
    let (told, counted) = told_and_counted(&db);
    assert_eq!(told, counted);
    assert_eq!(told, [8, 6, 2, 2]);
}

#[test]
fn whoever_signs_out_says_nothing_more_in_the_same_batch_either() {
    let folder = TempDir::new().unwrap();
    let (health, mut rules) = (watch::channel(Health::Open).0, rules());
    let (mut db, [client, juriste], talk) = open_talk(&folder, &mut rules, &health);
    let batch = vec![
        say(client, talk, "un"),
        say(juriste, talk, "deux"),
        ask(client, SignOut),
        say(client, talk, "trois"),
        say(juriste, talk, "quatre"),
    ];
    let codes = carry_out(&mut db, &mut rules, &health, batch);
    assert_eq!(codes, [None, None, None, Some(Code::Unauthenticated), None]);
    assert_eq!(told_and_counted(&db), ([3, 3, 2, 1], [3, 3, 2, 1]));
}

#[test]
fn what_another_process_changed_is_seen_by_the_next_batch() {
    let folder = TempDir::new().unwrap();
    let (health, mut rules) = (watch::channel(Health::Open).0, rules());
    let (mut db, [client, juriste], talk) = open_talk(&folder, &mut rules, &health);
    let both = || vec![say(client, talk, "ici"), say(juriste, talk, "ici")];
    assert!(carry_out(&mut db, &mut rules, &health, both()).iter().all(Option::is_none));
    let other = rusqlite::Connection::open(folder.path().join("lexchat.db")).unwrap();
    other.execute("UPDATE users SET is_active = 0 WHERE id = 1", []).unwrap();
    let codes = carry_out(&mut db, &mut rules, &health, both());
    assert_eq!(codes, [Some(Code::Unauthenticated), Some(Code::Conflict)], "who is left hears that nobody reads it");
}

#[test]
fn a_file_that_arrives_and_somebody_who_leaves_do_not_empty_the_cache() {
    let folder = TempDir::new().unwrap();
    let (health, mut rules) = (watch::channel(Health::Open).0, rules());
    let (mut db, [client, juriste], talk) = open_talk(&folder, &mut rules, &health);
    let (begin, mut begun) =
        Ask::new(BeginUpload { conversation_id: talk, name: "acte.pdf".to_owned(), size: None, is_resumable: false });
    let mut jobs = std::iter::once(Job { actor: juriste, command: begin.into() });
    drop(settle(&mut db.writer, &mut rules, &mut jobs, &health));
    let attachment_id = begun.take().unwrap();
    assert_eq!(carry_out(&mut db, &mut rules, &health, vec![say(client, talk, "un")]), [None]);
    // Behind the rules' back, so whoever still may speak does so from memory.
    db.writer.conn.execute("UPDATE sessions SET ended_at = 1, end_reason = 'revoked' WHERE user_id = 1", []).unwrap();
    let user_id = UserId::new(6).unwrap();
    let attempt = FailSignIn { email: "nobody@example.com".to_owned(), address: None };
    let others = vec![
        ask(juriste, AppendChunk { attachment_id, offset: 0, data: Bytes::from_static(b"abc") }),
        ask(Actor::System, RecordLastSeen { user_id }),
        ask(Actor::Anonymous, attempt),
        ask(juriste, EditMessage { message_id: MessageId::new(1).unwrap(), content: "pas le mien".to_owned() }),
        say(client, talk, "deux"),
    ];
    let codes = carry_out(&mut db, &mut rules, &health, others);
    assert_eq!(codes, [None, None, None, Some(Code::Forbidden), None]);
    let rename = UpdateProfile { name: Some("Camille Neuve".parse().unwrap()), ..UpdateProfile::default() };
    let codes = carry_out(&mut db, &mut rules, &health, vec![ask(juriste, rename), say(client, talk, "trois")]);
    assert_eq!(codes, [None, Some(Code::Unauthenticated)]);
}

#[test]
fn a_conversation_shows_when_somebody_was_last_seen_although_it_is_shown_from_memory() {
    let folder = TempDir::new().unwrap();
    let (health, mut rules) = (watch::channel(Health::Open).0, rules());
    let (mut db, [client, _], talk) = open_talk(&folder, &mut rules, &health);
    let jobs = [
        say(client, talk, "un").0,
        ask(Actor::System, RecordLastSeen { user_id: UserId::new(6).unwrap() }).0,
        say(client, talk, "deux").0,
    ];
    let settled = settle(&mut db.writer, &mut rules, &mut jobs.into_iter(), &health);
    let seen = |settled: &Settled| {
        let mut states = settled.events().iter().filter_map(|announcement| match &announcement.event {
            Event::ConversationUpdated(state) => Some(state.seen_by(UserId::new(1).unwrap(), &Presence::default())),
            _ => None,
        });
        states.next_back().unwrap().lawyer.last_seen_at
    };
    assert_eq!(seen(&settled[0]), None);
    let stored = db.writer.conn.query_row("SELECT last_seen_at FROM users WHERE id = 6", [], |row| row.get(0));
    assert_eq!(seen(&settled[2]), Some(stored.unwrap()));
}

#[test]
fn nothing_is_remembered_of_a_batch_that_was_lost() {
    let folder = TempDir::new().unwrap();
    let (health, mut rules) = (watch::channel(Health::Open).0, rules());
    let (mut db, [client, _], talk) = open_talk(&folder, &mut rules, &health);
    let room = |db: &Db, pages: i64| {
        db.writer.conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
    };
    room(&db, 1);
    let many = (0..300).map(|_| say(client, talk, &"long ".repeat(300))).collect();
    let lost = carry_out(&mut db, &mut rules, &health, many);
    assert!(lost.iter().all(Option::is_some));
    room(&db, 100_000);
    assert!(carry_out(&mut db, &mut rules, &health, vec![say(client, talk, "après")])[0].is_none());
    assert_eq!(told_and_counted(&db), ([1, 1, 0, 1], [1, 1, 0, 1]));
}

#[tokio::test]
async fn what_was_submitted_before_closing_is_carried_out_and_what_comes_after_is_not() {
    let folder = TempDir::new().unwrap();
    let (chat, mut outcomes) = Chat::new(open(&folder), Settings::default()).unwrap();
    let waiting: Vec<_> =
        (0..50).map(|number| chat.submit(Actor::System, add(&format!("person{number}@example.com")))).collect();
    let told = tokio::spawn(async move { while outcomes.recv().await.is_some() {} });
    chat.close().await;
    for pending in waiting {
        pending.await.unwrap();
    }
    told.await.unwrap();
    assert_eq!(chat.health(), Health::Closed);
    let late = chat.execute(Actor::System, add("late@example.com")).await;
    assert_eq!(late.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn nobody_listening_is_no_reason_not_to_answer() {
    let folder = TempDir::new().unwrap();
    let (chat, outcomes) = Chat::new(open(&folder), Settings::default()).unwrap();
    drop(outcomes);
    chat.execute(Actor::System, add("a@example.com")).await.unwrap();
}

/// A chat whose writer ends by a panic as soon as it has something to do.
fn breaking(folder: &TempDir) -> (Chat, Outcomes) {
    let mut db = open(folder);
    db.writer = db.writer.with_broken_checkpointer();
    Chat::new(db, Settings::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_panics_has_failed_and_nobody_waits_for_it_for_ever() {
    let folder = TempDir::new().unwrap();
    let (chat, mut outcomes) = breaking(&folder);
    let patience = Duration::from_secs(20);
    let mut answered = 0;
    let failed = tokio::time::timeout(patience, async {
        while !matches!(chat.health(), Health::Failed(_)) {
            let refused = chat.execute(Actor::System, Tidy);
            tokio::select! {
                _answer = refused => answered += 1,
                _settled = outcomes.recv() => {}
            }
        }
        chat.failed().await
    });
    assert_eq!(failed.await.expect("noticed in time"), Failure::Ended("the writer's thread"));
    let late = tokio::time::timeout(patience, chat.execute(Actor::System, Tidy)).await;
    assert_eq!(late.expect("an answer").unwrap_err().code(), Code::Unavailable);
    assert!(outcomes.recv().await.is_none(), "nothing more is announced");
    tokio::time::timeout(patience, chat.close()).await.expect("a close that ends");
    assert!(matches!(chat.health(), Health::Failed(_)), "still, after {answered} answers");
}
