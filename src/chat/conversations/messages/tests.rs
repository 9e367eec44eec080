//! The rules of messages on a database in memory.

use std::time::Duration;

use super::*;
use crate::chat::contract::command::people::UpdateUser;
use crate::chat::contract::error::Code;
use crate::chat::contract::settings::Settings;
use crate::chat::testing::fixtures::{RulesFixture, message_of, plain};
use crate::model::id::UserId;

#[test]
fn a_message_reaches_both_members_and_counts_as_unread_for_one() {
    let mut fixture = RulesFixture::default();
    let (client, juriste) = (fixture.actor(1), fixture.actor(6));
    let conversation = fixture.conversation(client, 6);
    let outcome = fixture.run(client, plain(conversation, "  Bonjour \n")).unwrap();
    let audiences: Vec<Audience> = outcome.events.iter().map(|announcement| announcement.audience).collect();
    let members = Members { client_id: UserId::new(1).unwrap(), lawyer_id: UserId::new(6).unwrap() };
    assert_eq!(
        audiences,
        [
            Audience::Joined(conversation, members),
            Audience::NotJoinedOf(conversation, members.lawyer_id),
            Audience::Members(members),
        ]
    );
    let message = message_of(outcome);
    assert_eq!((message.content.as_str(), message.rev, message.is_read), ("Bonjour", 1, false));
    let answer = fixture.say(juriste, conversation, "Bonjour à vous");
    assert_eq!(answer.rev, 2);
    let whole = conversations::find(fixture.conn(), conversation).unwrap().unwrap();
    assert_eq!((whole.row.client_unread, whole.row.lawyer_unread), (1, 1));
}

#[test]
fn an_outsider_and_nobody_hear_the_same_of_a_conversation_that_exists_as_of_one_that_does_not() {
    let mut fixture = RulesFixture::default();
    let (client, other, admin) = (fixture.actor(1), fixture.actor(2), fixture.actor(11));
    let conversation = fixture.conversation(client, 6);
    let missing = crate::model::id::ConversationId::new(999).unwrap();
    for actor in [other, admin] {
        for id in [conversation, missing] {
            let refusal = fixture.run(actor, plain(id, "x")).unwrap_err();
            assert_eq!(refusal.reason, Reason::NotFound);
        }
    }
    let refusal = fixture.run(Actor::Anonymous, plain(conversation, "x")).unwrap_err();
    assert_eq!(refusal.code(), Code::Unauthenticated);
}

#[test]
fn the_same_id_gives_the_same_message_for_ever_and_another_body_is_a_contradiction() {
    let mut fixture = RulesFixture::default();
    let client = fixture.actor(1);
    let conversation = fixture.conversation(client, 6);
    let with_id =
        |content: &str| SendMessage { client_message_id: Some("mine".to_owned()), ..plain(conversation, content) };
    let first = message_of(fixture.run(client, with_id("Bonjour")).unwrap());
    let again = fixture.run(client, with_id(" Bonjour ")).unwrap();
    assert!(again.events.is_empty());
    assert_eq!(message_of(again), first);
    let refusal = fixture.run(client, with_id("Bonsoir")).unwrap_err();
    assert_eq!(refusal.reason, Reason::OtherBody);
    let delete = DeleteMessage { message_id: first.id };
    fixture.run(client, delete).unwrap();
    let late = message_of(fixture.run(client, with_id("Bonjour")).unwrap());
    assert!(late.is_deleted && late.id == first.id);
    let juriste = fixture.actor(6);
    let other = message_of(fixture.run(juriste, with_id("Bonsoir")).unwrap());
    assert_ne!(other.id, first.id);
}

#[test]
fn both_members_learn_of_a_message_by_one_event_and_the_sender_alone_sees_the_senders_own_id() {
    let mut fixture = RulesFixture::default();
    let client = fixture.actor(1);
    let conversation = fixture.conversation(client, 6);
    let command = SendMessage { client_message_id: Some("mine".to_owned()), ..plain(conversation, "x") };
    let outcome = fixture.run(client, command).unwrap();
    let sent = |announcement: &Announcement| match &announcement.event {
        Event::MessageSent(message) => Some((announcement.audience, Arc::clone(message))),
        _ => None,
    };
    let [(Audience::Joined(of, members), message)] = &outcome.events.iter().filter_map(sent).collect::<Vec<_>>()[..]
    else {
        panic!("one event for both");
    };
    assert_eq!((*of, members.both().map(UserId::as_i64)), (conversation, [1, 6]));
    let shows = |user: i64| message.json_for(UserId::new(user).unwrap()).contains("mine");
    assert_eq!((shows(1), shows(6)), (true, false));
}

#[test]
fn what_may_not_be_said_is_refused_and_leaves_no_trace() {
    let mut fixture = RulesFixture::default();
    let client = fixture.actor(1);
    let conversation = fixture.conversation(client, 6);
    let elsewhere = fixture.conversation(client, 7);
    let foreign = fixture.say(client, elsewhere, "ailleurs").id;
    let with_link = |link: &str| SendMessage { attachments: vec![link.to_owned()], ..plain(conversation, "x") };
    for (command, expected) in [
        (plain(conversation, " \u{a0}\n"), Code::Invalid),
        (plain(conversation, "a\0b"), Code::Invalid),
        (plain(conversation, &"é".repeat(10_001)), Code::TooLarge),
        (with_link("javascript:alert(1)"), Code::Invalid),
        (with_link("https://"), Code::Invalid),
        (with_link("/attachments/77/a.pdf"), Code::NotFound),
        (SendMessage { reply_to_id: Some(foreign), ..plain(conversation, "x") }, Code::NotFound),
        (SendMessage { client_message_id: Some("x".repeat(65)), ..plain(conversation, "x") }, Code::Invalid),
    ] {
        let shown = format!("{command:?}").chars().take(120).collect::<String>();
        assert_eq!(fixture.run(client, command).unwrap_err().code(), expected, "{shown}");
    }
    let whole = conversations::find(fixture.conn(), conversation).unwrap().unwrap();
    assert_eq!((whole.row.rev, whole.row.lawyer_unread), (0, 0));
    let longest = fixture.say(client, conversation, &"é".repeat(10_000));
    assert_eq!((longest.rev, longest.content.chars().count()), (1, 10_000));
}

#[test]
fn a_deleted_message_leaves_nothing_but_its_place() {
    let mut fixture = RulesFixture::default();
    let (client, juriste) = (fixture.actor(1), fixture.actor(6));
    let conversation = fixture.conversation(client, 6);
    let id = fixture.say(client, conversation, "confidentiel").id;
    let edit = EditMessage { message_id: id, content: "très confidentiel".to_owned() };
    fixture.run(client, edit).unwrap();
    let delete = || DeleteMessage { message_id: id };
    assert_eq!(fixture.run(juriste, delete()).unwrap_err().reason, Reason::NotTheAuthor);
    let outcome = fixture.run(client, delete()).unwrap();
    let tombstone = outcome.reply;
    assert_eq!((tombstone.content.as_str(), tombstone.is_deleted, tombstone.rev), ("", true, 3));
    assert!(fixture.run(client, delete()).unwrap().events.is_empty());
    let count = |sql: &str| fixture.conn().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM messages WHERE content <> ''"), 0);
    assert_eq!(count("SELECT count(*) FROM message_revisions"), 0);
    assert_eq!(count("SELECT lawyer_unread FROM conversations"), 0);
    let edit = EditMessage { message_id: id, content: "de retour".to_owned() };
    assert_eq!(fixture.run(client, edit).unwrap_err().reason, Reason::MessageDeleted);
}

#[test]
fn whoever_goes_too_fast_is_told_when_to_go_on() {
    let settings = Settings { message_rate: 1, message_burst: 2, ..Settings::default() };
    let mut fixture = RulesFixture::with(settings);
    let client = fixture.actor(1);
    let conversation = fixture.conversation(client, 6);
    fixture.say(client, conversation, "un");
    fixture.say(client, conversation, "deux");
    let refusal = fixture.run(client, plain(conversation, "trois")).unwrap_err();
    assert_eq!((refusal.code(), refusal.retry_after_s()), (Code::RateLimited, Some(1)));
    let juriste = fixture.actor(6);
    fixture.say(juriste, conversation, "quatre");
}

#[test]
fn a_clock_that_was_ahead_for_a_moment_stops_nobody_and_dates_nothing_backwards() {
    let mut fixture = RulesFixture::with(Settings { message_rate: 1, message_burst: 10, ..Settings::default() });
    let client = fixture.actor(1);
    let conversation = fixture.conversation(client, 6);
    fixture.pass(Duration::from_secs(1_800));
    let ahead = fixture.say(client, conversation, "en avance");
    fixture.pass(Duration::from_secs(7_200));
    let expired = fixture.run(client, plain(conversation, "trop tard")).unwrap_err();
    assert_eq!(expired.code(), Code::Unauthenticated);
    fixture.set_clock_right();
    for text in ["a", "b", "c"] {
        assert!(fixture.say(client, conversation, text).created_at >= ahead.created_at);
    }
}

#[test]
fn somebody_whose_account_is_closed_gets_no_new_message_and_a_repeated_one_is_still_known() {
    let mut fixture = RulesFixture::default();
    let (client, juriste) = (fixture.actor(1), fixture.actor(6));
    let conversation = fixture.conversation(client, 6);
    let known = || SendMessage { client_message_id: Some("a".to_owned()), ..plain(conversation, "avant") };
    let before = message_of(fixture.run(juriste, known()).unwrap());
    let close = UpdateUser { user_id: UserId::new(1).unwrap(), is_active: Some(false), role: None, name: None };
    fixture.run(Actor::System, close).unwrap();
    let refused = fixture.run(juriste, plain(conversation, "après")).unwrap_err();
    assert_eq!(refused.reason, Reason::AccountClosed);
    assert_eq!(message_of(fixture.run(juriste, known()).unwrap()).id, before.id);
    let state = conversations::find(fixture.conn(), conversation).unwrap().unwrap();
    assert_eq!(state.row.rev, 1);
}

#[test]
fn a_message_can_be_changed_for_a_day_or_for_as_long_as_the_operator_says() {
    for (window, minutes, is_open) in [(1_440, 1_439, true), (1_440, 1_441, false), (10, 11, false), (0, 600_000, true)]
    {
        let edit_window = Duration::from_secs(window * 60);
        let mut fixture = RulesFixture::with(Settings { edit_window, ..Settings::default() });
        let conversation = {
            let client = fixture.actor(1);
            fixture.conversation(client, 6)
        };
        let sender = fixture.actor(1);
        let message = fixture.say(sender, conversation, "texte");
        fixture.pass(Duration::from_secs(minutes * 60));
        let later = fixture.actor_for(1, Duration::from_secs(minutes * 60 + 60));
        let edit = EditMessage { message_id: message.id, content: "autre".to_owned() };
        let edited = fixture.run(later, edit).map(drop).map_err(|error| error.code());
        let delete = DeleteMessage { message_id: message.id };
        let deleted = fixture.run(later, delete).map(drop).map_err(|error| error.code());
        let expected = if is_open { Ok(()) } else { Err(Code::Forbidden) };
        assert_eq!((edited, deleted), (expected, expected), "{window} {minutes}");
    }
}
