//! What the writer remembers from one message to the next: who is a member of what, and the row of each conversation.
//!
//! The cache cannot be stale: only the writer changes the database, and what another process changed empties the cache at
//! the start of the next batch. A burst of messages therefore asks once who may write where, and a conversation's row is
//! written once for all that a batch says in it. Rows that are not written yet are flushed before any command that reads
//! the database, and before the commit. A command that changes people or sessions, and a change or a batch that is taken
//! back, empties the cache.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::contract::error::Error;
use crate::model::id::{ConversationId, SessionId, UserId};
use crate::model::session::SessionNonce;
use crate::model::timestamp::Timestamp;
use crate::model::user::Person;
use crate::store::memberships::{ConversationRow, Membership};
use crate::store::{conversations, sessions};

/// Memberships that are remembered; with one more, all are forgotten.
const MEMBERSHIPS_MAX: usize = 8_192;

/// The cache.
#[derive(Debug, Default)]
pub struct Memberships {
    by_session: HashMap<(SessionId, ConversationId), Known>,
    people: HashMap<UserId, Arc<Person>>,
    rows: HashMap<ConversationId, ConversationRow>,
    /// Those of `rows` that the database does not have yet.
    unwritten: Vec<ConversationId>,
    data_version: Option<i64>,
}

/// What a [`Membership`] says beside its people and its conversation.
#[derive(Clone, Copy, Debug)]
struct Known {
    user_id: UserId,
    peer_id: UserId,
    peer_is_active: bool,
    session_expires_at: Timestamp,
    session_nonce: SessionNonce,
}

impl Memberships {
    /// To be called when a batch begins: what another process has written empties the cache.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn begin(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let version = Some(sessions::data_version(conn)?);
        if self.data_version != version || self.by_session.len() > MEMBERSHIPS_MAX {
            self.forget();
        }
        self.data_version = version;
        Ok(())
    }

    /// As [`caller::require_membership`], from memory where it is known.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `NOT_FOUND` for a conversation that is not there or not theirs.
    pub fn require(
        &mut self,
        conn: &Connection,
        actor: Actor,
        conversation_id: ConversationId,
        now: Timestamp,
    ) -> Result<Membership, Error> {
        if let Some(known) = self.find(actor, conversation_id, now) {
            return Ok(known);
        }
        let mut membership = *caller::require_membership(conn, actor, conversation_id, now)?;
        match self.rows.entry(conversation_id) {
            Entry::Occupied(known) => membership.conversation = *known.get(),
            Entry::Vacant(place) => {
                place.insert(membership.conversation);
            }
        }
        if let Actor::Member(caller) = actor {
            let Membership { me, peer, .. } = &membership;
            let known = Known {
                user_id: me.id,
                peer_id: peer.id,
                peer_is_active: membership.peer_is_active,
                session_expires_at: membership.session_expires_at,
                session_nonce: membership.session_nonce,
            };
            self.by_session.insert((caller.session_id(), conversation_id), known);
            for person in [me, peer] {
                self.people.insert(person.id, Arc::clone(person));
            }
        }
        Ok(membership)
    }

    fn find(&self, actor: Actor, conversation_id: ConversationId, now: Timestamp) -> Option<Membership> {
        let Actor::Member(caller) = actor else { return None };
        let known = self.by_session.get(&(caller.session_id(), conversation_id))?;
        let is_theirs = known.user_id == caller.user_id() && known.session_nonce == caller.nonce();
        if !is_theirs || now >= caller.expires_at() || now >= known.session_expires_at {
            return None;
        }
        Some(Membership {
            me: Arc::clone(self.people.get(&known.user_id)?),
            peer: Arc::clone(self.people.get(&known.peer_id)?),
            peer_is_active: known.peer_is_active,
            session_expires_at: known.session_expires_at,
            session_nonce: known.session_nonce,
            conversation: *self.rows.get(&conversation_id)?,
        })
    }

    /// The conversation's row from now on; to be written with the batch.
    pub fn keep(&mut self, row: ConversationRow) {
        if !self.unwritten.contains(&row.id) {
            self.unwritten.push(row.id);
        }
        self.rows.insert(row.id, row);
    }

    /// The conversation's row from now on, in the database too.
    ///
    /// # Errors
    /// When the row cannot be written.
    pub fn store(&mut self, conn: &Connection, row: ConversationRow) -> rusqlite::Result<()> {
        conversations::set_state(conn, &row)?;
        self.rows.insert(row.id, row);
        Ok(())
    }

    /// Somebody was last seen at this moment, in the database too.
    pub fn set_last_seen(&mut self, user_id: UserId, at: Timestamp) {
        if let Some(person) = self.people.get_mut(&user_id) {
            Arc::make_mut(person).last_seen_at = Some(at);
        }
    }

    /// Writes the rows that the database does not have yet.
    ///
    /// # Errors
    /// When a row cannot be written.
    pub fn flush(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        for id in self.unwritten.drain(..) {
            if let Some(row) = self.rows.get(&id) {
                conversations::set_state(conn, row)?;
            }
        }
        Ok(())
    }

    /// Empties the cache. Rows that are not flushed are lost: to be called after that, or with the batch.
    pub fn forget(&mut self) {
        self.by_session.clear();
        self.people.clear();
        self.rows.clear();
        self.unwritten.clear();
    }
}
