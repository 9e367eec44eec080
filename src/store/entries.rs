//! Statements about the server's own entries among the messages: those of calls and invoices.

use rusqlite::types::Type;
use rusqlite::{Connection, Row, named_params};

use crate::model::id::{ConversationId, MessageId, UserId};
use crate::model::message_kind::{Kind, StateJson};
use crate::model::timestamp::Timestamp;

/// An entry to be stored.
#[derive(Debug)]
pub struct NewEntry<'a> {
    /// As [`next_id`] gave it.
    pub id: MessageId,
    pub conversation_id: ConversationId,
    /// Who started the call or issued the invoice.
    pub sender_id: UserId,
    /// Its place, and the number of the change that it is.
    pub rev: i64,
    /// One line for programs that know no kinds.
    pub content: &'a str,
    pub kind: &'a Kind,
    /// Whether the recipient has it among the unread ones until it is read.
    pub counts_unread: bool,
    pub created_at: Timestamp,
}

/// The id that the next message gets, if it is stored in the same transaction.
pub fn next_id(conn: &Connection) -> rusqlite::Result<MessageId> {
    conn.prepare_cached("SELECT coalesce(max(id), 0) + 1 FROM messages")?.query_row([], |row| row.get(0))
}

/// Stores an entry.
pub fn insert(conn: &Connection, new: &NewEntry<'_>) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO messages (
           id, conversation_id, sender_id, sent_rev, rev, content, created_at, kind, counts_unread, state
         )
         VALUES (:id, :conversation, :sender, :rev, :rev, :content, :created_at, :kind, :counts_unread, :state)",
    )?
    .execute(named_params! {
        ":id": new.id,
        ":conversation": new.conversation_id,
        ":sender": new.sender_id,
        ":rev": new.rev,
        ":content": new.content,
        ":created_at": new.created_at,
        ":kind": new.kind.as_str(),
        ":counts_unread": new.counts_unread,
        ":state": new.kind.state().map(StateJson::as_str),
    })
    .map(drop)
}

/// Gives an entry another state of the same kind; its line changes with it.
pub fn set_state(conn: &Connection, id: MessageId, content: &str, kind: &Kind, rev: i64) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE messages
         SET content = :content,
             state = :state,
             rev = :rev
         WHERE id = :id
           AND kind = :kind",
    )?
    .execute(named_params! {
        ":content": content,
        ":state": kind.state().map(StateJson::as_str),
        ":rev": rev,
        ":id": id,
        ":kind": kind.as_str(),
    })
    .map(drop)
}

/// The columns `kind, state`, from `start` on.
pub(crate) fn kind(row: &Row<'_>, start: usize) -> rusqlite::Result<Kind> {
    let state: Option<String> = row.get(start + 1)?;
    let state = state
        .map(StateJson::read)
        .transpose()
        .map_err(|cause| rusqlite::Error::FromSqlConversionFailure(start + 1, Type::Text, Box::new(cause)))?;
    let word = row.get_ref(start)?.as_str()?;
    Kind::find(word, state).ok_or_else(|| rusqlite::Error::InvalidColumnType(start, word.to_owned(), Type::Text))
}
