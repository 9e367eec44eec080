//! Questions put to the chat, and the mirror's answers beside them.

use std::collections::BTreeMap;

use lexchat::auth::actor::Actor;
use lexchat::chat::contract::error::Code;
use lexchat::chat::contract::event::{Announcement, Audience, Event};
use lexchat::chat::contract::question::Cursor;
use lexchat::chat::contract::question::Search;
use lexchat::chat::handle::chat::Chat;
use lexchat::model;
use lexchat::model::id::{ConversationId, MessageId};

use crate::mirror::{Conversation, Message, Mirror};

/// What clients that come and go know, by user and conversation.
#[derive(Default)]
pub struct Replicas(BTreeMap<(i64, i64), Replica>);

/// What one client knows of a conversation.
#[derive(Default)]
struct Replica {
    /// Whether it is connected and hears what is told to sockets that joined. What is told meanwhile is lost otherwise.
    listens: bool,
    rev: i64,
    messages: BTreeMap<i64, Seen>,
    reads: BTreeMap<i64, i64>,
}

impl Replicas {
    /// Tells everybody concerned who listens.
    pub fn hear(&mut self, announcement: &Announcement) {
        let (conversation, users) = match announcement.audience {
            Audience::Joined(conversation, members) => (conversation, members.both().to_vec()),
            _ => return,
        };
        for user in users {
            let replica = self.0.get_mut(&(user.as_i64(), conversation.as_i64()));
            if let Some(replica) = replica.filter(|replica| replica.listens) {
                replica.hear(&announcement.event);
            }
        }
    }

    /// Every connection is lost.
    pub fn cut_off(&mut self) {
        self.0.values_mut().for_each(|replica| replica.listens = false);
    }
}

impl Replica {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::MessageSent(message) | Event::MessageEdited(message) | Event::MessageDeleted(message) => {
                self.follow(message.rev);
                self.messages.insert(message.id.as_i64(), seen(message));
            }
            Event::MessageReacted(reacted) => {
                self.follow(reacted.rev);
                let message = self.messages.get_mut(&reacted.message_id.as_i64()).expect("a message that is known");
                (message.reactions, message.rev) = (shown(&reacted.reactions), reacted.rev);
            }
            Event::MessageRead(read) => {
                self.reads.insert(read.read_by.as_i64(), read.message_id.as_i64());
            }
            _ => {}
        }
    }

    fn follow(&mut self, rev: i64) {
        assert_eq!(rev, self.rev + 1, "whoever listens hears every number");
        self.rev = rev;
    }

    /// Catches up after looking away, page by page.
    async fn catch_up(&mut self, chat: &Chat, actor: Actor, id: ConversationId) {
        loop {
            let changes = chat.list_changes(actor, id, self.rev, None).await.expect("changes");
            assert!(changes.messages.is_sorted_by_key(|message| message.rev));
            self.messages.extend(changes.messages.iter().map(|message| (message.id.as_i64(), seen(message))));
            self.rev = changes.rev;
            if !changes.has_more {
                self.reads.extend(changes.reads.iter().map(|mark| (mark.user_id.as_i64(), mark.message_id.as_i64())));
                return;
            }
        }
    }
}

/// What can be seen of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    sender: i64,
    content: String,
    is_deleted: bool,
    is_edited: bool,
    reactions: Vec<(String, Vec<i64>)>,
    rev: i64,
}

fn seen(message: &model::message::Message) -> Seen {
    Seen {
        sender: message.sender_id.as_i64(),
        content: message.content.clone(),
        is_deleted: message.is_deleted,
        is_edited: message.edited_at.is_some(),
        reactions: shown(&message.reactions),
        rev: message.rev,
    }
}

fn shown(reactions: &[model::message::Reaction]) -> Vec<(String, Vec<i64>)> {
    let users = |reaction: &model::message::Reaction| reaction.user_ids.iter().map(|id| id.as_i64()).collect();
    reactions.iter().map(|reaction| (reaction.emoji.clone(), users(reaction))).collect()
}

fn mirrored(message: &Message) -> Seen {
    let mut reactions: Vec<(String, Vec<i64>)> = Vec::new();
    for (emoji, user) in &message.reactions {
        match reactions.iter_mut().find(|(known, _)| known == emoji) {
            Some((_, users)) => users.push(*user),
            None => reactions.push((emoji.clone(), vec![*user])),
        }
    }
    Seen {
        sender: message.sender,
        content: message.content.clone(),
        is_deleted: message.is_deleted,
        is_edited: !message.earlier.is_empty(),
        reactions,
        rev: message.rev,
    }
}

/// Somebody's list of conversations.
pub async fn list(chat: &Chat, mirror: &Mirror, user: i64, actor: Actor) {
    let list = chat.list_conversations(actor).await.expect("a list");
    let theirs: BTreeMap<i64, &Conversation> =
        mirror.conversations.iter().filter(|(_, c)| c.members.contains(&user)).map(|(id, c)| (*id, c)).collect();
    let mut ids: Vec<i64> = list.iter().map(|shown| shown.id.as_i64()).collect();
    assert!(list.is_sorted_by(|a, b| {
        let activity = |c: &model::conversation::Conversation| c.last_message_at.unwrap_or(c.created_at);
        activity(a) >= activity(b)
    }));
    ids.sort_unstable();
    assert_eq!(ids, theirs.keys().copied().collect::<Vec<_>>());
    for shown in list {
        let expected = theirs[&shown.id.as_i64()];
        let peer = expected.peer_of(user);
        let count = |count: i64| usize::try_from(count).expect("no negative count");
        let unread_of = |m: i64| if m == user { expected.shown_unread_of(m) } else { expected.unread_of(m) };
        assert_eq!(count(shown.unread_count), expected.shown_unread_of(user));
        assert_eq!(count(shown.unread_count_client), unread_of(expected.members[0]));
        assert_eq!(count(shown.unread_count_lawyer), unread_of(expected.members[1]));
        assert_eq!(shown.rev, expected.rev);
        let last = expected.messages.last();
        assert_eq!(shown.last_message_id.map(MessageId::as_i64), last.map(|last| last.id));
        assert_eq!(shown.last_message_text.as_deref(), last.map(|last| last.content.as_str()));
        assert_eq!(shown.last_read_message_id.map(MessageId::as_i64), expected.shown_read_of(user));
        assert_eq!(shown.peer_last_read_message_id.map(MessageId::as_i64), expected.read.get(&peer).copied());
    }
}

/// One page of a conversation, at the end, before, after or around a position.
pub async fn page(
    chat: &Chat,
    mirror: &mut Mirror,
    (user, actor): (i64, Actor),
    conversation: i64,
    (kind, message): (usize, i64),
    limit: usize,
) {
    let cursor = [Cursor::Latest, Cursor::Before(message), Cursor::After(message), Cursor::Around(message)][kind];
    let asked = ConversationId::new(conversation).expect("positive");
    let page = chat.list_messages(actor, asked, cursor, i64::try_from(limit).expect("small")).await;
    let expected = mirror.theirs(user, conversation).map(|found| {
        let count = found.messages.len();
        // Messages elsewhere and none at all: each number has its place between the ids.
        let (below, up_to) = (
            found.messages.iter().filter(|m| m.id < message).count(),
            found.messages.iter().filter(|m| m.id <= message).count(),
        );
        let (from, to) = match kind {
            0 => (count.saturating_sub(limit), count),
            1 => (below.saturating_sub(limit), below),
            2 => (up_to, count.min(up_to + limit)),
            _ => {
                let from = below.min(count.saturating_sub(1)).saturating_sub(limit / 2);
                (from, count.min(from + limit))
            }
        };
        (found.clone(), from, to)
    });
    match (expected, page) {
        (Err(code), Err(error)) => assert_eq!(error.code(), code),
        (Ok((found, from, to)), Ok(page)) => {
            let shown: Vec<(i64, Seen, bool)> =
                page.messages.iter().map(|m| (m.id.as_i64(), seen(m), m.is_read)).collect();
            let wanted: Vec<(i64, Seen, bool)> =
                found.messages[from..to].iter().map(|m| (m.id, mirrored(m), found.is_read(m))).collect();
            assert_eq!(shown, wanted, "{cursor:?} {limit}");
            assert_eq!(
                (page.has_more_before, page.has_more_after),
                (from > 0, to < found.messages.len()),
                "{cursor:?}"
            );
            for message in &page.messages {
                let own = message.sender_id.as_i64() == user;
                assert_eq!(message.client_message_id.is_some(), own, "an id that is not theirs to see");
                assert_eq!(message.read_at.is_some(), message.is_read);
            }
        }
        (expected, page) => panic!("{cursor:?}: {expected:?}, {page:?}"),
    }
}

/// All pages of a search.
pub async fn search(chat: &Chat, mirror: &Mirror, (user, actor): (i64, Actor), word: &str) {
    let mut search = Search { query: format!("\"{word}\""), limit: Some(7), ..Search::default() };
    let mut found = Vec::new();
    loop {
        let page = chat.search(actor, search.clone()).await.expect("an answer");
        found.extend(page.results.iter().map(|hit| hit.message.id.as_i64()));
        search.cursor = page.next_cursor.map(|cursor| cursor.parse().expect("a number"));
        if search.cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, mirror.find(user, word), "{word}");
}

/// What a client knows of a conversation, by listening or by catching up; from then on it listens or not.
pub async fn changes(
    chat: &Chat,
    mirror: &mut Mirror,
    replicas: &mut Replicas,
    (user, actor): (i64, Actor),
    conversation: i64,
    listens: bool,
) {
    let id = ConversationId::new(conversation).expect("positive");
    let Ok(expected) = mirror.theirs(user, conversation) else {
        let refused = chat.list_changes(actor, id, 0, None).await.expect_err("an outsider");
        return assert_eq!(refused.code(), Code::NotFound);
    };
    let replica = replicas.0.entry((user, conversation)).or_default();
    if !replica.listens {
        replica.catch_up(chat, actor, id).await;
    }
    assert_eq!(replica.rev, expected.rev);
    let wanted: BTreeMap<i64, Seen> = expected.messages.iter().map(|m| (m.id, mirrored(m))).collect();
    assert_eq!(replica.messages, wanted);
    assert_eq!(replica.reads, expected.read);
    replica.listens = listens;
}

/// The earlier texts of every message of a conversation.
pub async fn revisions(chat: &Chat, mirror: &mut Mirror, (user, actor): (i64, Actor), conversation: i64) {
    let Ok(expected) = mirror.theirs(user, conversation) else { return };
    for message in &expected.messages {
        let id = MessageId::new(message.id).expect("positive");
        let texts: Vec<String> =
            chat.list_revisions(actor, id).await.expect("texts").into_iter().map(|revision| revision.content).collect();
        assert_eq!(texts, message.earlier);
    }
}
