//! Storing a message that was just sent.
//!
//! No statement is run more often, so it is kept at hand for a whole batch: to look it up for each message costs a tenth of it.

use rusqlite::{CachedStatement, Connection, params};

use crate::model::id::{ConversationId, MessageId, UserId};
use crate::model::timestamp::Timestamp;

/// A message to be stored.
#[derive(Debug)]
pub struct NewMessage<'a> {
    /// Where.
    pub conversation_id: ConversationId,
    /// By whom.
    pub sender_id: UserId,
    /// Its place, and the number of the change that it is.
    pub rev: i64,
    /// Its text.
    pub content: &'a str,
    /// The addresses elsewhere, as a JSON array.
    pub links: Option<&'a str>,
    /// What it answers.
    pub reply_to_id: Option<MessageId>,
    /// The sender's own id.
    pub client_message_id: Option<&'a str>,
    /// What that id was sent with.
    pub body_digest: Option<&'a [u8]>,
    /// When.
    pub created_at: Timestamp,
}

/// Its parameters have numbers: to look names up costs a tenth of it.
const INSERT: &str = "INSERT INTO messages (
   conversation_id, sender_id, sent_rev, rev, content, links, reply_to_id, client_message_id, body_digest, created_at
 )
 VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
 ON CONFLICT (client_message_id, sender_id) WHERE client_message_id IS NOT NULL DO NOTHING";

/// Stores messages.
pub struct Insert<'conn> {
    conn: &'conn Connection,
    statement: CachedStatement<'conn>,
}

impl<'conn> Insert<'conn> {
    /// To be kept while a batch lasts.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn prepare(conn: &'conn Connection) -> rusqlite::Result<Self> {
        Ok(Self { conn, statement: conn.prepare_cached(INSERT)? })
    }

    /// Stores a message; `None` if its sender has used its `client_message_id` before.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn run(&mut self, new: &NewMessage<'_>) -> rusqlite::Result<Option<MessageId>> {
        let stored = self.statement.execute(params![
            new.conversation_id,
            new.sender_id,
            new.rev,
            new.content,
            new.links,
            new.reply_to_id,
            new.client_message_id,
            new.body_digest,
            new.created_at,
        ])?;
        Ok(if stored == 0 { None } else { MessageId::new(self.conn.last_insert_rowid()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storing_a_message_builds_no_table() {
        let conn = crate::store::database::scratch::open();
        let mut plan = conn.prepare(&format!("EXPLAIN {}", INSERT)).unwrap();
        let steps: Vec<String> = plan.raw_query().mapped(|row| row.get("opcode")).map(Result::unwrap).collect();
        assert!(steps.contains(&"Insert".into()) && !steps.contains(&"OpenEphemeral".into()), "{steps:?}");
    }
}
