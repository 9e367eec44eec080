//! What the pen remembers from one message to the next: who stands where, and how each conversation stands.
//!
//! Nobody but the pen changes the database, so what was read once stays true until the pen itself, or another process,
//! changes it. A burst of messages therefore asks once who may write where, and a conversation's row is written once
//! for all that a batch says in it. What is kept here and not yet written is written down before anything else is
//! carried out and before the commit. Whatever concerns people or sessions, and whatever is taken back, makes the pen
//! forget everything.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access;
use crate::chat::error::Error;
use crate::model::id::{ConversationId, SessionId};
use crate::model::timestamp::Timestamp;
use crate::store::members::{ConversationRow, Standing};
use crate::store::{conversations, sessions};

/// Places that are remembered; with one more, all are forgotten.
const PLACES_MAX: usize = 8_192;

/// See the module's head.
#[derive(Debug, Default)]
pub struct Standings {
    /// Where sessions stand. The conversation in it is as it was then: see `rows`.
    places: HashMap<(SessionId, ConversationId), Standing>,
    rows: HashMap<ConversationId, ConversationRow>,
    /// Those of `rows` that the database does not have yet.
    unwritten: Vec<ConversationId>,
    others_version: Option<i64>,
}

impl Standings {
    /// To be called when a batch begins: what another process has written makes everything be forgotten.
    ///
    /// # Errors
    /// SQLite's.
    pub fn begin(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let version = Some(sessions::others_version(conn)?);
        if self.others_version != version || self.places.len() > PLACES_MAX {
            self.forget();
        }
        self.others_version = version;
        Ok(())
    }

    /// As [`access::require_standing`], from memory where it is known.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `NOT_FOUND` for a conversation that is not there or not theirs.
    pub fn require(
        &mut self,
        conn: &Connection,
        actor: Actor,
        conversation_id: ConversationId,
        now: Timestamp,
    ) -> Result<Standing, Error> {
        if let Some(known) = self.recall(actor, conversation_id, now) {
            return Ok(known);
        }
        let mut standing = *access::require_standing(conn, actor, conversation_id, now)?;
        match self.rows.entry(conversation_id) {
            Entry::Occupied(known) => standing.conversation = *known.get(),
            Entry::Vacant(place) => {
                place.insert(standing.conversation);
            }
        }
        if let Actor::Member(caller) = actor {
            self.places.insert((caller.session_id(), conversation_id), standing.clone());
        }
        Ok(standing)
    }

    fn recall(&self, actor: Actor, conversation_id: ConversationId, now: Timestamp) -> Option<Standing> {
        let Actor::Member(caller) = actor else { return None };
        let known = self.places.get(&(caller.session_id(), conversation_id))?;
        let is_live = now < caller.expires_at() && now < known.session_expires_at && known.me.id == caller.user_id();
        let conversation = *self.rows.get(&conversation_id)?;
        is_live.then(|| Standing { conversation, ..known.clone() })
    }

    /// The conversation stands thus from now on; to be written down with the batch.
    pub fn keep(&mut self, row: ConversationRow) {
        if !self.unwritten.contains(&row.id) {
            self.unwritten.push(row.id);
        }
        self.rows.insert(row.id, row);
    }

    /// The conversation stands thus from now on, in the database too.
    ///
    /// # Errors
    /// SQLite's.
    pub fn store(&mut self, conn: &Connection, row: ConversationRow) -> rusqlite::Result<()> {
        conversations::set_state(conn, &row)?;
        self.rows.insert(row.id, row);
        Ok(())
    }

    /// Writes down what the database does not have yet.
    ///
    /// # Errors
    /// SQLite's.
    pub fn write_down(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        for id in self.unwritten.drain(..) {
            if let Some(row) = self.rows.get(&id) {
                conversations::set_state(conn, row)?;
            }
        }
        Ok(())
    }

    /// Remembers nothing any more. What is not written down is lost: to be called after that, or with the batch.
    pub fn forget(&mut self) {
        self.places.clear();
        self.rows.clear();
        self.unwritten.clear();
    }
}
