//! Statements about conversations.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use crate::model::conversation::{Conversation, Members};
use crate::model::id::{ConversationId, MessageId, UserId};
use crate::model::message_kind::Kind;
use crate::model::timestamp::Timestamp;
use crate::model::user::Person;
use crate::store::entries;
use crate::store::memberships::{self, ConversationRow};

/// Characters of a message's text that a conversation shows.
const LAST_TEXT_MAX: usize = 500;

/// What a conversation shows of its latest message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastMessage {
    /// Which.
    pub id: MessageId,
    /// Who sent it.
    pub sender_id: UserId,
    /// Its text, or the beginning of a long one.
    pub text: String,
    /// Files and addresses that go with it.
    pub file_count: i64,
    /// What it is.
    pub kind: Kind,
    /// When it was sent.
    pub created_at: Timestamp,
}

/// A conversation with all that its members see of it, not yet from either one's side.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The row.
    pub row: ConversationRow,
    /// The one who is advised.
    pub client: Arc<Person>,
    /// The one who advises.
    pub lawyer: Arc<Person>,
    /// Whether both accounts work.
    pub is_active: bool,
    /// The latest message.
    pub last: Option<LastMessage>,
}

impl Whole {
    /// The conversation as this member sees it.
    #[must_use]
    pub fn seen_by(&self, user_id: UserId) -> Conversation {
        let row = &self.row;
        let peer_id = row.members.peer_of(user_id);
        // What somebody marked as unread is so in their own eyes only.
        let unread_of = |member| if member == user_id { row.shown_unread_of(member) } else { row.unread_of(member) };
        Conversation {
            id: row.id,
            client_id: row.members.client_id,
            lawyer_id: row.members.lawyer_id,
            client: Person::clone(&self.client),
            lawyer: Person::clone(&self.lawyer),
            last_message_id: self.last.as_ref().map(|last| last.id),
            last_message_at: self.last.as_ref().map(|last| last.created_at),
            last_message_text: self.last.as_ref().map(|last| last.text.clone()),
            last_message_sender_id: self.last.as_ref().map(|last| last.sender_id),
            last_message_file_count: self.last.as_ref().map_or(0, |last| last.file_count),
            last_message_entry: self.last.as_ref().map(|last| &last.kind).filter(|kind| **kind != Kind::Text).cloned(),
            unread_count_client: unread_of(row.members.client_id),
            unread_count_lawyer: unread_of(row.members.lawyer_id),
            unread_count: unread_of(user_id),
            last_read_message_id: MessageId::new(row.shown_read_id_of(user_id)),
            peer_last_read_message_id: MessageId::new(row.read_id_of(peer_id)),
            rev: row.rev,
            is_active: self.is_active,
            muted_until: row.muted_until_of(user_id),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The beginning of a message's text, as conversations show it.
#[must_use]
pub fn last_text(content: &str) -> String {
    if content.len() <= LAST_TEXT_MAX {
        return content.to_owned();
    }
    match content.char_indices().nth(LAST_TEXT_MAX) {
        Some((end, _)) => content[..end].to_owned(),
        None => content.to_owned(),
    }
}

macro_rules! select_whole {
    ($rest:literal) => {
        concat!(
            "SELECT
               c.id, c.client_id, c.lawyer_id, c.rev, c.last_message_id, c.active_at, c.client_unread, c.lawyer_unread,
               c.client_read_id, c.lawyer_read_id, c.created_at, c.updated_at,
               c.client_shown_id, c.lawyer_shown_id, c.client_shown_unread, c.lawyer_shown_unread,
               c.client_muted_until_at, c.lawyer_muted_until_at,
               a.id, a.name, a.role, a.specialty, a.last_seen_at,
               b.id, b.name, b.role, b.specialty, b.last_seen_at,
               a.is_active AND b.is_active,
               m.sender_id, substr(m.content, 1, 500), m.created_at,
               coalesce(json_array_length(m.links), 0)
                 + (SELECT count(*) FROM attachments f WHERE f.message_id = m.id),
               m.kind, m.state
             FROM conversations c
             JOIN users a ON a.id = c.client_id
             JOIN users b ON b.id = c.lawyer_id
             LEFT JOIN messages m ON m.id = c.last_message_id ",
            $rest
        )
    };
}

fn whole(row: &Row<'_>) -> rusqlite::Result<Whole> {
    let (of_row, people) = (ConversationRow::read(row, 0)?, ConversationRow::WIDTH);
    let last = match of_row.last_message_id {
        None => None,
        Some(id) => Some(LastMessage {
            id,
            sender_id: row.get(people + 11)?,
            text: row.get(people + 12)?,
            created_at: row.get(people + 13)?,
            file_count: row.get(people + 14)?,
            kind: entries::kind(row, people + 15)?,
        }),
    };
    Ok(Whole {
        row: of_row,
        client: Arc::new(memberships::person(row, people)?),
        lawyer: Arc::new(memberships::person(row, people + 5)?),
        is_active: row.get(people + 10)?,
        last,
    })
}

/// Somebody's conversations, latest activity first.
///
/// # Errors
/// When SQLite fails.
pub fn list_of(conn: &Connection, user_id: UserId) -> rusqlite::Result<Vec<Whole>> {
    conn.prepare_cached(select_whole!(
        "WHERE c.client_id = :user
            OR c.lawyer_id = :user
         ORDER BY c.active_at DESC, c.id DESC"
    ))?
    .query_map(named_params! { ":user": user_id }, whole)?
    .collect()
}

/// The ids of somebody's conversations.
///
/// # Errors
/// When SQLite fails.
pub fn list_ids(conn: &Connection, user_id: UserId) -> rusqlite::Result<Vec<ConversationId>> {
    conn.prepare_cached("SELECT id FROM conversations WHERE client_id = :user OR lawyer_id = :user ORDER BY id")?
        .query_map(named_params! { ":user": user_id }, |row| row.get(0))?
        .collect()
}

/// One conversation.
///
/// # Errors
/// When SQLite fails.
pub fn find(conn: &Connection, id: ConversationId) -> rusqlite::Result<Option<Whole>> {
    conn.prepare_cached(select_whole!("WHERE c.id = :id"))?.query_row(named_params! { ":id": id }, whole).optional()
}

/// The conversation between two people.
///
/// # Errors
/// When SQLite fails.
pub fn find_between(conn: &Connection, members: Members) -> rusqlite::Result<Option<Whole>> {
    conn.prepare_cached(select_whole!("WHERE c.client_id = :client AND c.lawyer_id = :lawyer"))?
        .query_row(named_params! { ":client": members.client_id, ":lawyer": members.lawyer_id }, whole)
        .optional()
}

/// Everybody who shares a conversation with somebody.
///
/// # Errors
/// When SQLite fails.
pub fn list_contacts(conn: &Connection, user_id: UserId) -> rusqlite::Result<Vec<UserId>> {
    conn.prepare_cached(
        "SELECT lawyer_id FROM conversations WHERE client_id = :user
         UNION
         SELECT client_id FROM conversations WHERE lawyer_id = :user",
    )?
    .query_map(named_params! { ":user": user_id }, |row| row.get(0))?
    .collect()
}

/// How many conversations a client has.
pub fn count_of_client(conn: &Connection, client_id: UserId) -> rusqlite::Result<i64> {
    conn.prepare_cached("SELECT count(*) FROM conversations WHERE client_id = :client_id")?
        .query_row(named_params! {":client_id": client_id}, |row| row.get(0))
}

/// Opens a conversation.
///
/// # Errors
/// SQLite's; there may be only one between two people.
pub fn insert(conn: &Connection, members: Members, now: Timestamp) -> rusqlite::Result<ConversationId> {
    conn.prepare_cached(
        "INSERT INTO conversations (client_id, lawyer_id, active_at, created_at, updated_at)
         VALUES (:client, :lawyer, :now, :now, :now)
         RETURNING id",
    )?
    .query_row(named_params! { ":client": members.client_id, ":lawyer": members.lawyer_id, ":now": now }, |row| {
        row.get(0)
    })
}

/// Stores until when each member wants no notice of it.
///
/// # Errors
/// SQLite's.
pub fn set_muted(conn: &Connection, row: &ConversationRow) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE conversations
         SET client_muted_until_at = :client,
             lawyer_muted_until_at = :lawyer
         WHERE id = :id",
    )?
    .execute(named_params! {
        ":id": row.id, ":client": row.client_muted_until, ":lawyer": row.lawyer_muted_until,
    })
    .map(drop)
}

/// Stores what changes with messages and read marks. Its parameters have numbers, because it is said with every message:
/// see [`crate::store::new_messages`].
///
/// # Errors
/// When SQLite fails.
pub fn set_state(conn: &Connection, row: &ConversationRow) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE conversations
         SET rev = ?2,
             last_message_id = ?3,
             active_at = ?4,
             client_unread = ?5,
             lawyer_unread = ?6,
             client_read_id = ?7,
             lawyer_read_id = ?8,
             updated_at = ?9
         WHERE id = ?1",
    )?
    .execute(params![
        row.id,
        row.rev,
        row.last_message_id,
        row.active_at,
        row.client_unread,
        row.lawyer_unread,
        row.client_read_id,
        row.lawyer_read_id,
        row.updated_at,
    ])
    .map(drop)
}

/// Stores how far each member has read in their own eyes.
///
/// # Errors
/// SQLite's.
pub fn set_shown(conn: &Connection, row: &ConversationRow) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE conversations
         SET client_shown_id = :client_id,
             lawyer_shown_id = :lawyer_id,
             client_shown_unread = :client_unread,
             lawyer_shown_unread = :lawyer_unread
         WHERE id = :id",
    )?
    .execute(named_params! {
        ":id": row.id,
        ":client_id": row.client_shown.map(|shown| shown.read_id),
        ":lawyer_id": row.lawyer_shown.map(|shown| shown.read_id),
        ":client_unread": row.client_shown.map_or(0, |shown| shown.unread),
        ":lawyer_unread": row.lawyer_shown.map_or(0, |shown| shown.unread),
    })
    .map(drop)
}
