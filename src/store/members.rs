//! Where somebody stands in a conversation: all that a rule about messages must know, in one read.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::model::conversation::Members;
use crate::model::id::{ConversationId, MessageId, SessionId, UserId};
use crate::model::timestamp::Timestamp;
use crate::model::user::Person;

/// A member, the other one, and the state of what they say to each other.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The caller.
    pub me: Arc<Person>,
    /// The other party.
    pub peer: Arc<Person>,
    /// Whether the other party's account works.
    pub peer_is_active: bool,
    /// Until when the session that asks lives, if it is not ended before.
    pub session_expires_at: Timestamp,
    /// The conversation.
    pub conversation: ConversationRow,
}

/// A row of `conversations`.
#[derive(Clone, Copy, Debug)]
pub struct ConversationRow {
    /// Which.
    pub id: ConversationId,
    /// The two people.
    pub members: Members,
    /// The number of the latest change.
    pub rev: i64,
    /// The latest message.
    pub last_message_id: Option<MessageId>,
    /// When something was last said.
    pub active_at: Timestamp,
    /// What the client has not read.
    pub client_unread: i64,
    /// What the juriste has not read.
    pub lawyer_unread: i64,
    /// How far the client has read; 0 for nothing.
    pub client_read_id: i64,
    /// How far the juriste has read; 0 for nothing.
    pub lawyer_read_id: i64,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl ConversationRow {
    /// The columns of the row, in this order, from `start` on.
    pub(crate) fn read(row: &Row<'_>, start: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(start)?,
            members: Members { client_id: row.get(start + 1)?, lawyer_id: row.get(start + 2)? },
            rev: row.get(start + 3)?,
            last_message_id: row.get(start + 4)?,
            active_at: row.get(start + 5)?,
            client_unread: row.get(start + 6)?,
            lawyer_unread: row.get(start + 7)?,
            client_read_id: row.get(start + 8)?,
            lawyer_read_id: row.get(start + 9)?,
            created_at: row.get(start + 10)?,
            updated_at: row.get(start + 11)?,
        })
    }

    /// What this member has not read.
    #[must_use]
    pub fn unread_of(&self, user_id: UserId) -> i64 {
        if user_id == self.members.client_id { self.client_unread } else { self.lawyer_unread }
    }

    /// What this member has not read, to be changed.
    pub fn unread_of_mut(&mut self, user_id: UserId) -> &mut i64 {
        if user_id == self.members.client_id { &mut self.client_unread } else { &mut self.lawyer_unread }
    }

    /// How far this member has read; 0 for nothing.
    #[must_use]
    pub fn read_id_of(&self, user_id: UserId) -> i64 {
        if user_id == self.members.client_id { self.client_read_id } else { self.lawyer_read_id }
    }

    /// How far this member has read, to be changed.
    pub fn read_id_of_mut(&mut self, user_id: UserId) -> &mut i64 {
        if user_id == self.members.client_id { &mut self.client_read_id } else { &mut self.lawyer_read_id }
    }
}

/// What others see of somebody: `id, name, role, specialty, last_seen_at`, from `start` on. Nobody is online here.
pub(crate) fn person(row: &Row<'_>, start: usize) -> rusqlite::Result<Person> {
    Ok(Person {
        id: row.get(start)?,
        name: row.get(start + 1)?,
        role: row.get(start + 2)?,
        specialty: row.get(start + 3)?,
        is_online: false,
        last_seen_at: row.get(start + 4)?,
    })
}

/// What a look at a caller and a conversation brought.
#[derive(Debug)]
pub enum Sight {
    /// No live session of a working account.
    Nobody,
    /// Somebody, but not a member.
    Outsider,
    /// A member.
    Member(Box<Standing>),
}

/// Where the caller stands in a conversation, in one read. Its parameters have numbers, because it is asked with every
/// message: see [`crate::store::messages::insert`].
///
/// # Errors
/// SQLite's.
pub fn find_standing(
    conn: &Connection,
    user_id: UserId,
    session_id: SessionId,
    conversation_id: ConversationId,
    now: Timestamp,
) -> rusqlite::Result<Sight> {
    let sight = conn
        .prepare_cached(
            "SELECT
               c.id, c.client_id, c.lawyer_id, c.rev, c.last_message_id, c.active_at, c.client_unread, c.lawyer_unread,
               c.client_read_id, c.lawyer_read_id, c.created_at, c.updated_at,
               u.id, u.name, u.role, u.specialty, u.last_seen_at,
               p.id, p.name, p.role, p.specialty, p.last_seen_at, p.is_active,
               s.expires_at
             FROM sessions s
             JOIN users u ON u.id = s.user_id
             LEFT JOIN conversations c ON c.id = ?3 AND (c.client_id = u.id OR c.lawyer_id = u.id)
             LEFT JOIN users p ON p.id = CASE c.client_id WHEN u.id THEN c.lawyer_id ELSE c.client_id END
             WHERE s.id = ?1
               AND s.user_id = ?2
               AND s.ended_at IS NULL
               AND s.expires_at > ?4
               AND u.is_active = 1",
        )?
        .query_row(params![session_id, user_id, conversation_id, now], |row| {
            if row.get_ref(0)? == rusqlite::types::ValueRef::Null {
                return Ok(Sight::Outsider);
            }
            Ok(Sight::Member(Box::new(Standing {
                me: Arc::new(person(row, 12)?),
                peer: Arc::new(person(row, 17)?),
                peer_is_active: row.get(22)?,
                session_expires_at: row.get(23)?,
                conversation: ConversationRow::read(row, 0)?,
            })))
        })
        .optional()?;
    Ok(sight.unwrap_or(Sight::Nobody))
}
