//! Batches against a real file: what is answered when, what is taken back, what is remembered from one to the next.

use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::oneshot::error::TryRecvError;

use super::*;
use crate::auth::actor::{Actor, Caller};
use crate::chat::command::{
    AddUser, Command, CreateConversation, DeleteMessage, EditMessage, FileSource, ReadMessage, SendMessage,
    UpdateProfile,
};
use crate::chat::error::Code;
use crate::chat::execute::{Chat, Settings};
use crate::chat::presence::Presence;
use crate::chat::trial::plain;
use crate::model::id::{AttachmentId, ConversationId, MessageId, UserId};
use crate::model::timestamp::Timestamp;
use crate::model::user::{PasswordHash, Role};
use crate::store::db::{self, Db, Missing};
use crate::store::sessions;

fn open(folder: &TempDir) -> Db {
    let path = folder.path().join("lexchat.db");
    Db::open(&db::Settings { path, missing: Missing::CreateEmpty, readers_max: 2 }).unwrap()
}

fn rules() -> Rules {
    Rules::new(Arc::new(Settings::default()), Presence::default())
}

fn add(email: &str) -> Command {
    Command::AddUser(AddUser {
        name: "Camille Moreau".parse().unwrap(),
        email: email.parse().unwrap(),
        role: Role::Client,
        specialty: None,
        password: PasswordHash("$argon2id$".to_owned()),
    })
}

type Receiver = oneshot::Receiver<Result<Reply, Error>>;

fn jobs(emails: &[&str]) -> (Vec<Job>, Vec<Receiver>) {
    let job = |email: &&str| {
        let (sender, receiver) = oneshot::channel();
        (Job { actor: Actor::System, command: add(email), sender }, receiver)
    };
    emails.iter().map(job).unzip()
}

fn code(receiver: &mut Receiver) -> Option<Code> {
    receiver.try_recv().unwrap().err().map(|error| error.code())
}

#[test]
fn nothing_is_answered_before_it_is_told_and_a_refusal_leaves_its_batch_mates_alone() {
    let folder = TempDir::new().unwrap();
    let mut db = open(&folder);
    let (health, _) = watch::channel(Health::Open);
    let (jobs, mut answers) = jobs(&["a@example.com", "a@example.com", "b@example.com"]);
    let settled = settle(&mut db.pen, &mut rules(), &mut jobs.into_iter(), &health);
    assert!(answers.iter_mut().all(|answer| matches!(answer.try_recv(), Err(TryRecvError::Empty))));
    drop(settled);
    let codes: Vec<Option<Code>> = answers.iter_mut().map(code).collect();
    assert_eq!(codes, [None, Some(Code::Conflict), None]);
}

#[test]
fn after_a_failed_commit_nothing_is_acknowledged_and_nothing_more_accepted() {
    let folder = TempDir::new().unwrap();
    let mut db = open(&folder);
    let (health, seen) = watch::channel(Health::Open);
    db.pen.conn.commit_hook(Some(|| true)).unwrap();
    let (first, mut answers) = jobs(&["a@example.com", "b@example.com"]);
    for settled in settle(&mut db.pen, &mut rules(), &mut first.into_iter(), &health) {
        assert!(settled.events().is_empty());
        settled.complete();
    }
    assert!(answers.iter_mut().all(|answer| code(answer) == Some(Code::Unavailable)));
    assert!(matches!(*seen.borrow(), Health::Failed(_)));
    db.pen.conn.commit_hook(None::<fn() -> bool>).unwrap();
    let (later, mut answers) = jobs(&["c@example.com"]);
    drop(settle(&mut db.pen, &mut rules(), &mut later.into_iter(), &health));
    assert_eq!(code(&mut answers[0]), Some(Code::Unavailable));
    let people: i64 = db.pen.conn.query_row("SELECT count(*) FROM users", [], |row| row.get(0)).unwrap();
    assert_eq!(people, 0);
}

#[test]
fn a_full_disk_refuses_until_there_is_room_again() {
    let folder = TempDir::new().unwrap();
    let mut db = open(&folder);
    let (health, seen) = watch::channel(Health::Open);
    let room = |db: &Db, sql: &str| db.pen.conn.query_row(sql, [], |_| Ok(())).unwrap();
    room(&db, "PRAGMA max_page_count = 1");
    let emails: Vec<String> = (0..400).map(|number| format!("person{number}@example.com")).collect();
    let emails: Vec<&str> = emails.iter().map(String::as_str).collect();
    let (many, mut answers) = jobs(&emails);
    drop(settle(&mut db.pen, &mut rules(), &mut many.into_iter(), &health));
    assert_eq!(code(answers.last_mut().unwrap()), Some(Code::Unavailable));
    room(&db, "PRAGMA max_page_count = 100000");
    let (again, mut answers) = jobs(&emails);
    drop(settle(&mut db.pen, &mut rules(), &mut again.into_iter(), &health));
    assert_eq!(code(answers.last_mut().unwrap()), None);
    assert_eq!(*seen.borrow(), Health::Open);
}

#[test]
fn while_the_disk_is_full_each_batch_tries_to_write() {
    let folder = TempDir::new().unwrap();
    let mut db = open(&folder);
    let (health, _) = watch::channel(Health::Open);
    let mut changes = |health: &watch::Sender<Health>| {
        let before = db.pen.conn.total_changes();
        drop(settle(&mut db.pen, &mut rules(), &mut std::iter::empty(), health));
        db.pen.conn.total_changes() - before
    };
    assert_eq!(changes(&health), 0);
    health.send_replace(Health::Full);
    assert_eq!(changes(&health), 1);
    assert_eq!(*health.borrow(), Health::Open);
}

/// A database with the demo accounts, and client 1 and juriste 6 signed in and in conversation.
fn open_talk(folder: &TempDir, rules: &mut Rules, health: &watch::Sender<Health>) -> (Db, [Actor; 2], ConversationId) {
    let path = folder.path().join("lexchat.db");
    let mut db = Db::open(&db::Settings { path, missing: Missing::CreateDemo, readers_max: 2 }).unwrap();
    let (now, later) = (Timestamp::now(), Timestamp::now() + Duration::from_secs(3600));
    let people = [1, 6].map(|id| {
        let user_id = UserId::new(id).unwrap();
        let session_id = sessions::insert(&db.pen.conn, user_id, None, None, now, later).unwrap();
        Actor::Member(Caller::assumed(user_id, session_id))
    });
    let participant_id = UserId::new(6).unwrap();
    let create = Command::CreateConversation(CreateConversation { participant_id });
    let reply = carry_out(&mut db, rules, health, vec![(people[0], create)]).remove(0).unwrap();
    let Reply::Conversation { conversation, .. } = reply else { panic!("{reply:?}") };
    (db, people, conversation.id)
}

/// Carries out all of it in one batch.
fn carry_out(
    db: &mut Db,
    rules: &mut Rules,
    health: &watch::Sender<Health>,
    asked: Vec<(Actor, Command)>,
) -> Vec<Result<Reply, Error>> {
    let (jobs, mut answers): (Vec<Job>, Vec<Receiver>) = asked
        .into_iter()
        .map(|(actor, command)| {
            let (sender, receiver) = oneshot::channel();
            (Job { actor, command, sender }, receiver)
        })
        .unzip();
    drop(settle(&mut db.pen, rules, &mut jobs.into_iter(), health));
    answers.iter_mut().map(|answer| answer.try_recv().unwrap()).collect()
}

fn say(conversation_id: ConversationId, content: &str) -> Command {
    Command::SendMessage(plain(conversation_id, content))
}

/// What the row of a conversation says, and what its messages say.
fn told_and_counted(db: &Db) -> ([i64; 4], [i64; 4]) {
    let conn = &db.pen.conn;
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
        (client, say(talk, "un")),
        (juriste, say(talk, "deux")),
        (client, say(talk, " ")),
        (juriste, Command::ReadMessage(ReadMessage { message_id: message(1) })),
        (client, say(talk, "trois")),
        (client, Command::SendMessage(missing_file)),
        (client, Command::EditMessage(EditMessage { message_id: message(1), content: "premier".to_owned() })),
        (client, say(talk, "quatre")),
        (client, Command::UpdateProfile(rename)),
        (client, say(talk, "cinq")),
        (client, Command::DeleteMessage(DeleteMessage { message_id: message(3) })),
        (juriste, say(talk, "six")),
    ];
    let codes: Vec<Option<Code>> = carry_out(&mut db, &mut rules, &health, batch)
        .iter()
        .map(|answer| answer.as_ref().err().map(Error::code))
        .collect();
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
        (client, say(talk, "un")),
        (juriste, say(talk, "deux")),
        (client, Command::SignOut),
        (client, say(talk, "trois")),
        (juriste, say(talk, "quatre")),
    ];
    let answers = carry_out(&mut db, &mut rules, &health, batch);
    let is_refused: Vec<bool> = answers.iter().map(Result::is_err).collect();
    assert_eq!(is_refused, [false, false, false, true, false]);
    assert_eq!(answers[3].as_ref().unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(told_and_counted(&db), ([3, 3, 2, 1], [3, 3, 2, 1]));
}

#[test]
fn what_another_process_changed_is_seen_by_the_next_batch() {
    let folder = TempDir::new().unwrap();
    let (health, mut rules) = (watch::channel(Health::Open).0, rules());
    let (mut db, [client, juriste], talk) = open_talk(&folder, &mut rules, &health);
    let both = || vec![(client, say(talk, "ici")), (juriste, say(talk, "ici"))];
    assert!(carry_out(&mut db, &mut rules, &health, both()).iter().all(Result::is_ok));
    let other = rusqlite::Connection::open(folder.path().join("lexchat.db")).unwrap();
    other.execute("UPDATE users SET is_active = 0 WHERE id = 1", []).unwrap();
    let answers = carry_out(&mut db, &mut rules, &health, both());
    assert_eq!(answers[0].as_ref().unwrap_err().code(), Code::Unauthenticated);
    assert!(answers[1].is_ok());
}

#[test]
fn nothing_is_remembered_of_a_batch_that_was_lost() {
    let folder = TempDir::new().unwrap();
    let (health, mut rules) = (watch::channel(Health::Open).0, rules());
    let (mut db, [client, _], talk) = open_talk(&folder, &mut rules, &health);
    let room = |db: &Db, pages: i64| {
        db.pen.conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
    };
    room(&db, 1);
    let many = (0..300).map(|_| (client, say(talk, &"long ".repeat(300)))).collect();
    let lost = carry_out(&mut db, &mut rules, &health, many);
    assert!(lost.iter().all(Result::is_err));
    room(&db, 100_000);
    assert!(carry_out(&mut db, &mut rules, &health, vec![(client, say(talk, "après"))])[0].is_ok());
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
