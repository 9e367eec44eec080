//! Statements about conversations.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use crate::model::conversation::{Conversation, Members};
use crate::model::id::{ConversationId, MessageId, UserId};
use crate::model::timestamp::Timestamp;
use crate::model::user::Person;
use crate::store::members::{self, ConversationRow};

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
            unread_count_client: row.client_unread,
            unread_count_lawyer: row.lawyer_unread,
            unread_count: row.unread_of(user_id),
            last_read_message_id: MessageId::new(row.read_id_of(user_id)),
            peer_last_read_message_id: MessageId::new(row.read_id_of(peer_id)),
            rev: row.rev,
            is_active: self.is_active,
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
               a.id, a.name, a.role, a.specialty, a.last_seen_at,
               b.id, b.name, b.role, b.specialty, b.last_seen_at,
               a.is_active AND b.is_active,
               m.sender_id, substr(m.content, 1, 500), m.created_at,
               coalesce(json_array_length(m.links), 0)
                 + (SELECT count(*) FROM attachments f WHERE f.message_id = m.id)
             FROM conversations c
             JOIN users a ON a.id = c.client_id
             JOIN users b ON b.id = c.lawyer_id
             LEFT JOIN messages m ON m.id = c.last_message_id ",
            $rest
        )
    };
}

fn whole(row: &Row<'_>) -> rusqlite::Result<Whole> {
    let of_row = ConversationRow::read(row, 0)?;
    let last = match of_row.last_message_id {
        None => None,
        Some(id) => Some(LastMessage {
            id,
            sender_id: row.get(23)?,
            text: row.get(24)?,
            created_at: row.get(25)?,
            file_count: row.get(26)?,
        }),
    };
    Ok(Whole {
        row: of_row,
        client: Arc::new(members::person(row, 12)?),
        lawyer: Arc::new(members::person(row, 17)?),
        is_active: row.get(22)?,
        last,
    })
}

/// Somebody's conversations, latest activity first.
///
/// # Errors
/// SQLite's.
pub fn list_of(conn: &Connection, user_id: UserId) -> rusqlite::Result<Vec<Whole>> {
    conn.prepare_cached(select_whole!(
        "WHERE c.client_id = :user
            OR c.lawyer_id = :user
         ORDER BY c.active_at DESC, c.id DESC"
    ))?
    .query_map(named_params! { ":user": user_id }, whole)?
    .collect()
}

/// One conversation.
///
/// # Errors
/// SQLite's.
pub fn find(conn: &Connection, id: ConversationId) -> rusqlite::Result<Option<Whole>> {
    conn.prepare_cached(select_whole!("WHERE c.id = :id"))?.query_row(named_params! { ":id": id }, whole).optional()
}

/// The conversation between two people.
///
/// # Errors
/// SQLite's.
pub fn find_between(conn: &Connection, members: Members) -> rusqlite::Result<Option<Whole>> {
    conn.prepare_cached(select_whole!("WHERE c.client_id = :client AND c.lawyer_id = :lawyer"))?
        .query_row(named_params! { ":client": members.client_id, ":lawyer": members.lawyer_id }, whole)
        .optional()
}

/// Everybody who shares a conversation with somebody.
///
/// # Errors
/// SQLite's.
pub fn list_contacts(conn: &Connection, user_id: UserId) -> rusqlite::Result<Vec<UserId>> {
    conn.prepare_cached(
        "SELECT lawyer_id FROM conversations WHERE client_id = :user
         UNION
         SELECT client_id FROM conversations WHERE lawyer_id = :user",
    )?
    .query_map(named_params! { ":user": user_id }, |row| row.get(0))?
    .collect()
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

/// Stores what changes with messages and read marks. Its parameters have numbers, because it is said with every message:
/// see [`crate::store::messages::insert`].
///
/// # Errors
/// SQLite's.
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
