//! Where somebody stands in a conversation: all that a rule about messages must know, in one read.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::model::conversation::Members;
use crate::model::id::{ConversationId, MessageId, SessionId, UserId};
use crate::model::session::SessionNonce;
use crate::model::timestamp::Timestamp;
use crate::model::user::Person;

/// A member, the other one, and the state of what they say to each other.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The caller.
    pub me: Arc<Person>,
    /// The other party.
    pub peer: Arc<Person>,
    /// Whether the other party's account works.
    pub peer_is_active: bool,
    /// Until when the session that asks lives, if it is not ended before.
    pub session_expires_at: Timestamp,
    /// What the token that asks must have too.
    pub session_nonce: SessionNonce,
    /// The conversation.
    pub conversation: ConversationRow,
}

/// How far a member has read in their own eyes, where that is less than they have: they marked the rest as unread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shown {
    /// The last message that is read; 0 for none. Before the read mark.
    pub read_id: i64,
    /// Messages of the others, not deleted, from there up to the read mark.
    pub unread: i64,
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
    /// The client's own view of their read mark, where it is another one.
    pub client_shown: Option<Shown>,
    /// The juriste's own view of their read mark, where it is another one.
    pub lawyer_shown: Option<Shown>,
    /// Until when the client wants no notice of it.
    pub client_muted_until: Option<Timestamp>,
    /// Until when the juriste wants no notice of it.
    pub lawyer_muted_until: Option<Timestamp>,
}

impl ConversationRow {
    /// How many columns the row has.
    pub(crate) const WIDTH: usize = 18;

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
            client_shown: shown(row, start + 12, start + 14)?,
            lawyer_shown: shown(row, start + 13, start + 15)?,
            client_muted_until: row.get(start + 16)?,
            lawyer_muted_until: row.get(start + 17)?,
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

    /// What this member has not read in their own eyes.
    #[must_use]
    pub fn shown_unread_of(&self, user_id: UserId) -> i64 {
        self.unread_of(user_id) + self.shown_of(user_id).map_or(0, |shown| shown.unread)
    }

    /// How far this member has read in their own eyes; 0 for nothing.
    #[must_use]
    pub fn shown_read_id_of(&self, user_id: UserId) -> i64 {
        self.shown_of(user_id).map_or_else(|| self.read_id_of(user_id), |shown| shown.read_id)
    }

    fn shown_of(&self, user_id: UserId) -> Option<Shown> {
        if user_id == self.members.client_id { self.client_shown } else { self.lawyer_shown }
    }

    /// This member's own view of their read mark, to be changed.
    pub fn shown_of_mut(&mut self, user_id: UserId) -> &mut Option<Shown> {
        if user_id == self.members.client_id { &mut self.client_shown } else { &mut self.lawyer_shown }
    }

    /// Until when this member wants no notice of it.
    #[must_use]
    pub fn muted_until_of(&self, user_id: UserId) -> Option<Timestamp> {
        if user_id == self.members.client_id { self.client_muted_until } else { self.lawyer_muted_until }
    }

    /// Until when this member wants no notice of it, to be changed.
    pub fn muted_until_of_mut(&mut self, user_id: UserId) -> &mut Option<Timestamp> {
        if user_id == self.members.client_id { &mut self.client_muted_until } else { &mut self.lawyer_muted_until }
    }

    /// How far this member has read, to be changed.
    pub fn read_id_of_mut(&mut self, user_id: UserId) -> &mut i64 {
        if user_id == self.members.client_id { &mut self.client_read_id } else { &mut self.lawyer_read_id }
    }
}

fn shown(row: &Row<'_>, read_id: usize, unread: usize) -> rusqlite::Result<Option<Shown>> {
    let read_id: Option<i64> = row.get(read_id)?;
    read_id.map(|read_id| Ok(Shown { read_id, unread: row.get(unread)? })).transpose()
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
pub enum MembershipLookup {
    /// No live session of a working account.
    Nobody,
    /// Somebody, but not a member.
    Outsider,
    /// A member.
    Member(Box<Membership>),
}

/// Where the caller stands in a conversation, in one read. Its parameters have numbers, because it is asked with every
/// message: see [`crate::store::new_messages`].
///
/// # Errors
/// When SQLite fails.
pub fn find_membership(
    conn: &Connection,
    user_id: UserId,
    (session_id, nonce): (SessionId, SessionNonce),
    conversation_id: ConversationId,
    now: Timestamp,
) -> rusqlite::Result<MembershipLookup> {
    let sight = conn
        .prepare_cached(
            "SELECT
               c.id, c.client_id, c.lawyer_id, c.rev, c.last_message_id, c.active_at, c.client_unread, c.lawyer_unread,
               c.client_read_id, c.lawyer_read_id, c.created_at, c.updated_at,
               c.client_shown_id, c.lawyer_shown_id, c.client_shown_unread, c.lawyer_shown_unread,
               c.client_muted_until_at, c.lawyer_muted_until_at,
               u.id, u.name, u.role, u.specialty, u.last_seen_at,
               p.id, p.name, p.role, p.specialty, p.last_seen_at, p.is_active,
               s.expires_at
             FROM sessions s
             JOIN users u ON u.id = s.user_id
             LEFT JOIN conversations c ON c.id = ?3 AND (c.client_id = u.id OR c.lawyer_id = u.id)
             LEFT JOIN users p ON p.id = CASE c.client_id WHEN u.id THEN c.lawyer_id ELSE c.client_id END
             WHERE s.id = ?1
               AND s.user_id = ?2
               AND s.nonce = ?5
               AND s.ended_at IS NULL
               AND s.expires_at > ?4
               AND u.is_active = 1",
        )?
        .query_row(params![session_id, user_id, conversation_id, now, nonce], |row| {
            let people = ConversationRow::WIDTH;
            if row.get_ref(0)? == rusqlite::types::ValueRef::Null {
                return Ok(MembershipLookup::Outsider);
            }
            Ok(MembershipLookup::Member(Box::new(Membership {
                me: Arc::new(person(row, people)?),
                peer: Arc::new(person(row, people + 5)?),
                peer_is_active: row.get(people + 10)?,
                session_expires_at: row.get(people + 11)?,
                session_nonce: nonce,
                conversation: ConversationRow::read(row, 0)?,
            })))
        })
        .optional()?;
    Ok(sight.unwrap_or(MembershipLookup::Nobody))
}
