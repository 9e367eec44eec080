//! Saying, changing and taking back: the rules of messages.

use std::sync::Arc;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access;
use crate::chat::body::Body;
use crate::chat::command::{DeleteMessage, EditMessage, SendMessage};
use crate::chat::conversations::{state_told, updated};
use crate::chat::error::{Error, Reason};
use crate::chat::event::{Audience, Event, Notified, State, Told};
use crate::chat::execute::Settings;
use crate::chat::outcome::Outcome;
use crate::chat::rates::Rates;
use crate::chat::reply::Reply;
use crate::chat::standings::Standings;
use crate::model::conversation::Members;
use crate::model::id::{MessageId, UserId};
use crate::model::message::{Message, Shared};
use crate::model::timestamp::Timestamp;
use crate::store::attachments;
use crate::store::conversations::{self, LastMessage, Whole};
use crate::store::members::Standing;
use crate::store::messages::{self, NewMessage, View};
use crate::store::words::Keeper;

/// What the rules know beside the database.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// How fast everybody goes.
    pub rates: &'a mut Rates,
    /// Who stands where.
    pub standings: &'a mut Standings,
    /// Who keeps the index of words.
    pub index: &'a mut Keeper,
    /// What the operator decided.
    pub settings: &'a Settings,
}

/// Says something. The same sender's id gives the same message for ever, and nothing is told the second time.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND` (the conversation, the message replied to, a file), `INVALID`, `TOO_LARGE`,
/// `CONFLICT` (the id was used for something else; a file that went elsewhere), `RATE_LIMITED`.
pub fn send(
    conn: &Connection,
    actor: Actor,
    command: &SendMessage,
    now: Timestamp,
    around: &mut Surroundings<'_>,
) -> Result<Outcome, Error> {
    let mut standing = around.standings.require(conn, actor, command.conversation_id, now)?;
    let body = Body::check(command, around.settings.files_per_message_max)?;
    let me = standing.me.id;
    if let Some(reply_to_id) = command.reply_to_id
        && messages::find_place(conn, command.conversation_id, reply_to_id)?.is_none()
    {
        return Err(Reason::NotFound.into());
    }
    around.rates.take(me, now)?;
    let rev = standing.conversation.rev + 1;
    let new = NewMessage {
        conversation_id: command.conversation_id,
        sender_id: me,
        rev,
        content: body.content,
        links: body.links_json.as_deref(),
        reply_to_id: command.reply_to_id,
        client_message_id: command.client_message_id.as_deref(),
        body_digest: body.digest.as_ref().map(<[u8; 16]>::as_slice),
        created_at: now,
    };
    let Some(id) = messages::insert(conn, &new)? else {
        around.rates.give_back(me);
        return repeat(conn, &standing, command, &body);
    };
    let files = body.attach(conn, &standing, id, now, around.settings)?;
    let mut links = body.links;
    links.extend(files.iter().map(|file| file.url.clone()));
    let message = Message {
        id,
        conversation_id: command.conversation_id,
        sender_id: me,
        content: body.content.to_owned(),
        attachments: if links.is_empty() { None } else { Some(links) },
        files,
        reply_to_id: command.reply_to_id,
        reactions: Vec::new(),
        is_read: false,
        read_at: None,
        is_deleted: false,
        deleted_at: None,
        edited_at: None,
        created_at: now,
        client_message_id: command.client_message_id.clone(),
        rev,
    };
    let row = &mut standing.conversation;
    row.rev = rev;
    row.last_message_id = Some(id);
    row.active_at = now;
    row.updated_at = now;
    *row.unread_of_mut(standing.peer.id) += 1;
    around.standings.keep(*row);
    Ok(sent(standing, message, now))
}

/// The message that was stored when its sender first used this id.
fn repeat(conn: &Connection, standing: &Standing, command: &SendMessage, body: &Body<'_>) -> Result<Outcome, Error> {
    let client_id = command.client_message_id.as_deref().unwrap_or_default();
    let earlier = messages::find_by_client_id(conn, standing.me.id, client_id)?.ok_or(Reason::OtherBody)?;
    let digest = body.digest.as_ref().map(<[u8; 16]>::as_slice);
    let same = earlier.body_digest.is_none() || earlier.body_digest.as_deref() == digest;
    if earlier.conversation_id != command.conversation_id || !same {
        return Err(Reason::OtherBody.into());
    }
    let message = load(conn, standing, earlier.id)?;
    Ok(Reply::Message { message: Arc::new(Shared::from(message)), duplicate: true }.into())
}

fn sent(standing: Standing, message: Message, now: Timestamp) -> Outcome {
    let Standing { me, peer, peer_is_active, conversation: row, .. } = standing;
    let message = Arc::new(Shared::from(message));
    let mut events = told(&message, row.members, now, Event::MessageSent);
    events.push(Told {
        audience: Audience::NotJoinedOf(row.id, peer.id),
        event: Event::Notified(Notified {
            message: Arc::clone(&message),
            sender: Arc::clone(&me),
            unread_count: row.unread_of(peer.id),
        }),
        at: now,
    });
    let file_count = message.attachments.as_ref().map_or(0, Vec::len);
    let (client, lawyer) = if me.id == row.members.client_id { (me, peer) } else { (peer, me) };
    let state = State::new(Whole {
        row,
        client,
        lawyer,
        is_active: peer_is_active,
        last: Some(LastMessage {
            id: message.id,
            sender_id: message.sender_id,
            text: conversations::last_text(&message.content),
            file_count: i64::try_from(file_count).unwrap_or(i64::MAX),
            created_at: now,
        }),
    });
    events.push(state_told(row.members, now, Event::ConversationUpdated(state)));
    Outcome { reply: Reply::Message { message, duplicate: false }, events }
}

/// Changes one's own text; the earlier one is kept. The same text again changes nothing and tells nobody.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`, `FORBIDDEN` (another's), `CONFLICT` (deleted), `INVALID`, `TOO_LARGE`,
/// `RATE_LIMITED`.
pub fn edit(
    conn: &Connection,
    actor: Actor,
    command: &EditMessage,
    now: Timestamp,
    around: &mut Surroundings<'_>,
) -> Result<Outcome, Error> {
    let mut standing = access::require_standing_at(conn, actor, command.message_id, now)?;
    let mut message = load_own(conn, &standing, command.message_id)?;
    if message.is_deleted {
        return Err(Reason::MessageDeleted.into());
    }
    let content = Body::check_content(&command.content, message.attachments.is_some())?;
    if content == message.content {
        return Ok(Reply::Message { message: Arc::new(Shared::from(message)), duplicate: false }.into());
    }
    around.rates.take(standing.me.id, now)?;
    let members = standing.conversation.members;
    around.index.replace(conn, message.id, &message.content, content, members)?;
    let written_at = message.edited_at.unwrap_or(message.created_at);
    messages::insert_revision(conn, message.id, &message.content, written_at)?;
    message.rev = take_rev(conn, &mut standing, now, around)?;
    message.content = content.to_owned();
    message.edited_at = Some(now);
    messages::set_content(conn, message.id, content, now, message.rev)?;
    changed(conn, &standing, message, now, Event::MessageEdited)
}

/// Takes one's own message back. Only the tombstone stays; a second time changes nothing and tells nobody.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`, `FORBIDDEN` (another's), `RATE_LIMITED`.
pub fn delete(
    conn: &Connection,
    actor: Actor,
    command: &DeleteMessage,
    now: Timestamp,
    around: &mut Surroundings<'_>,
) -> Result<Outcome, Error> {
    let mut standing = access::require_standing_at(conn, actor, command.message_id, now)?;
    let message = load_own(conn, &standing, command.message_id)?;
    if message.is_deleted {
        return Ok(Reply::Message { message: Arc::new(Shared::from(message)), duplicate: false }.into());
    }
    around.rates.take(standing.me.id, now)?;
    around.index.replace(conn, message.id, &message.content, "", standing.conversation.members)?;
    attachments::delete_of_message(conn, message.id)?;
    let peer_id = standing.peer.id;
    let row = &mut standing.conversation;
    if row.read_id_of(peer_id) < message.id.as_i64() {
        *row.unread_of_mut(peer_id) -= 1;
    }
    let rev = take_rev(conn, &mut standing, now, around)?;
    messages::set_deleted(conn, message.id, now, rev)?;
    let tombstone = load(conn, &standing, message.id)?;
    changed(conn, &standing, tombstone, now, Event::MessageDeleted)
}

/// The number of the next change, taken and stored.
pub(crate) fn take_rev(
    conn: &Connection,
    standing: &mut Standing,
    now: Timestamp,
    around: &mut Surroundings<'_>,
) -> Result<i64, Error> {
    let row = &mut standing.conversation;
    row.rev += 1;
    row.updated_at = now;
    around.standings.store(conn, *row)?;
    Ok(row.rev)
}

/// The message with the eyes of the one who asks.
///
/// # Errors
/// `NOT_FOUND`.
pub(crate) fn load(conn: &Connection, standing: &Standing, id: MessageId) -> Result<Message, Error> {
    messages::find(conn, view(standing), id)?.ok_or_else(|| Reason::NotFound.into())
}

fn load_own(conn: &Connection, standing: &Standing, id: MessageId) -> Result<Message, Error> {
    let message = load(conn, standing, id)?;
    if message.sender_id == standing.me.id { Ok(message) } else { Err(Reason::NotTheAuthor.into()) }
}

/// The eyes of the one who asks.
pub(crate) fn view(standing: &Standing) -> View {
    let row = &standing.conversation;
    View { conversation_id: row.id, members: row.members, viewer_id: standing.me.id }
}

fn changed(
    conn: &Connection,
    standing: &Standing,
    message: Message,
    now: Timestamp,
    what: fn(Arc<Shared>) -> Event,
) -> Result<Outcome, Error> {
    let message = Arc::new(Shared::from(message));
    let mut events = told(&message, standing.conversation.members, now, what);
    events.push(updated(conn, standing.conversation.id, now)?);
    Ok(Outcome { reply: Reply::Message { message, duplicate: false }, events })
}

/// Tells both members of a message; only its sender is told the sender's own id for it.
fn told(message: &Arc<Shared>, members: Members, now: Timestamp, what: fn(Arc<Shared>) -> Event) -> Vec<Told> {
    let conversation_id = message.conversation_id;
    let to = |user_id: UserId, message: Arc<Shared>| Told {
        audience: Audience::JoinedOf(conversation_id, user_id),
        event: what(message),
        at: now,
    };
    let mut events = Vec::with_capacity(4);
    if message.client_message_id.is_none() {
        let audience = Audience::Joined(conversation_id, members);
        events.push(Told { audience, event: what(Arc::clone(message)), at: now });
    } else {
        let for_peer = Message { client_message_id: None, ..Message::clone(message) };
        events.push(to(message.sender_id, Arc::clone(message)));
        events.push(to(members.peer_of(message.sender_id), Arc::new(Shared::from(for_peer))));
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::command::Command;
    use crate::chat::error::Code;
    use crate::chat::trial::{Trial, message_of, plain};

    #[test]
    fn a_message_reaches_both_members_and_counts_as_unread_for_one() {
        let mut trial = Trial::default();
        let (client, juriste) = (trial.actor(1), trial.actor(6));
        let conversation = trial.conversation(client, 6);
        let outcome = trial.run(client, Command::SendMessage(plain(conversation, "  Bonjour \n"))).unwrap();
        let audiences: Vec<Audience> = outcome.events.iter().map(|told| told.audience).collect();
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
        let answer = trial.say(juriste, conversation, "Bonjour à vous");
        assert_eq!(answer.rev, 2);
        let whole = conversations::find(&trial.conn, conversation).unwrap().unwrap();
        assert_eq!((whole.row.client_unread, whole.row.lawyer_unread), (1, 1));
    }

    #[test]
    fn an_outsider_and_nobody_are_told_the_same_of_a_conversation_that_exists_as_of_one_that_does_not() {
        let mut trial = Trial::default();
        let (client, other, admin) = (trial.actor(1), trial.actor(2), trial.actor(11));
        let conversation = trial.conversation(client, 6);
        let missing = crate::model::id::ConversationId::new(999).unwrap();
        for actor in [other, admin] {
            for id in [conversation, missing] {
                let refusal = trial.run(actor, Command::SendMessage(plain(id, "x"))).unwrap_err();
                assert_eq!(refusal.reason, Reason::NotFound);
            }
        }
        let refusal = trial.run(Actor::Anonymous, Command::SendMessage(plain(conversation, "x"))).unwrap_err();
        assert_eq!(refusal.code(), Code::Unauthenticated);
    }

    #[test]
    fn the_same_id_gives_the_same_message_for_ever_and_another_body_is_a_contradiction() {
        let mut trial = Trial::default();
        let client = trial.actor(1);
        let conversation = trial.conversation(client, 6);
        let with_id =
            |content: &str| SendMessage { client_message_id: Some("mine".to_owned()), ..plain(conversation, content) };
        let first = message_of(trial.run(client, Command::SendMessage(with_id("Bonjour"))).unwrap());
        let again = trial.run(client, Command::SendMessage(with_id(" Bonjour "))).unwrap();
        assert!(again.events.is_empty());
        assert_eq!(message_of(again), first);
        let refusal = trial.run(client, Command::SendMessage(with_id("Bonsoir"))).unwrap_err();
        assert_eq!(refusal.reason, Reason::OtherBody);
        let delete = DeleteMessage { message_id: first.id };
        trial.run(client, Command::DeleteMessage(delete)).unwrap();
        let late = message_of(trial.run(client, Command::SendMessage(with_id("Bonjour"))).unwrap());
        assert!(late.is_deleted && late.id == first.id);
        let juriste = trial.actor(6);
        let other = message_of(trial.run(juriste, Command::SendMessage(with_id("Bonsoir"))).unwrap());
        assert_ne!(other.id, first.id);
    }

    #[test]
    fn only_the_sender_is_told_the_senders_own_id() {
        let mut trial = Trial::default();
        let client = trial.actor(1);
        let conversation = trial.conversation(client, 6);
        let command = SendMessage { client_message_id: Some("mine".to_owned()), ..plain(conversation, "x") };
        let outcome = trial.run(client, Command::SendMessage(command)).unwrap();
        let seen: Vec<(Audience, Option<String>)> = outcome
            .events
            .iter()
            .filter_map(|told| match &told.event {
                Event::MessageSent(message) => Some((told.audience, message.client_message_id.clone())),
                _ => None,
            })
            .collect();
        let of = |user: i64| Audience::JoinedOf(conversation, UserId::new(user).unwrap());
        assert_eq!(seen, [(of(1), Some("mine".to_owned())), (of(6), None)]);
    }

    #[test]
    fn what_may_not_be_said_is_refused_and_leaves_no_trace() {
        let mut trial = Trial::default();
        let client = trial.actor(1);
        let conversation = trial.conversation(client, 6);
        let elsewhere = trial.conversation(client, 7);
        let foreign = trial.say(client, elsewhere, "ailleurs").id;
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
            assert_eq!(trial.run(client, Command::SendMessage(command)).unwrap_err().code(), expected, "{shown}");
        }
        let whole = conversations::find(&trial.conn, conversation).unwrap().unwrap();
        assert_eq!((whole.row.rev, whole.row.lawyer_unread), (0, 0));
        let longest = trial.say(client, conversation, &"é".repeat(10_000));
        assert_eq!((longest.rev, longest.content.chars().count()), (1, 10_000));
    }

    #[test]
    fn a_deleted_message_leaves_nothing_but_its_place() {
        let mut trial = Trial::default();
        let (client, juriste) = (trial.actor(1), trial.actor(6));
        let conversation = trial.conversation(client, 6);
        let id = trial.say(client, conversation, "confidentiel").id;
        let edit = EditMessage { message_id: id, content: "très confidentiel".to_owned() };
        trial.run(client, Command::EditMessage(edit)).unwrap();
        let delete = || Command::DeleteMessage(DeleteMessage { message_id: id });
        assert_eq!(trial.run(juriste, delete()).unwrap_err().reason, Reason::NotTheAuthor);
        let outcome = trial.run(client, delete()).unwrap();
        let tombstone = message_of(outcome);
        assert_eq!((tombstone.content.as_str(), tombstone.is_deleted, tombstone.rev), ("", true, 3));
        assert!(trial.run(client, delete()).unwrap().events.is_empty());
        let count = |sql: &str| trial.conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM messages WHERE content <> ''"), 0);
        assert_eq!(count("SELECT count(*) FROM message_revisions"), 0);
        assert_eq!(count("SELECT lawyer_unread FROM conversations"), 0);
        let edit = EditMessage { message_id: id, content: "de retour".to_owned() };
        assert_eq!(trial.run(client, Command::EditMessage(edit)).unwrap_err().reason, Reason::MessageDeleted);
    }

    #[test]
    fn whoever_goes_too_fast_is_told_when_to_go_on() {
        let settings = Settings { message_rate: 1, message_burst: 2, ..Settings::default() };
        let mut trial = Trial::with(settings);
        let client = trial.actor(1);
        let conversation = trial.conversation(client, 6);
        trial.say(client, conversation, "un");
        trial.say(client, conversation, "deux");
        let refusal = trial.run(client, Command::SendMessage(plain(conversation, "trois"))).unwrap_err();
        assert_eq!((refusal.code(), refusal.retry_after_s()), (Code::RateLimited, Some(1)));
        let juriste = trial.actor(6);
        trial.say(juriste, conversation, "quatre");
    }
}
