//! Looking for messages by their words.
//!
//! Whatever people type arrives here as [`Term`]s and leaves as quoted strings of the index's query language: no
//! character of theirs is ever an operator.

use rusqlite::{Connection, named_params};

use crate::model::conversation::Members;
use crate::model::id::{ConversationId, MessageId, UserId};
use crate::model::timestamp::Timestamp;

/// Words around a hit in a snippet.
const SNIPPET_WORDS: i64 = 24;

/// Words that must follow each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Term {
    /// As typed, and other spellings of the same: any of them will do.
    pub spellings: Vec<String>,
    /// Whether the last word may go on.
    pub is_prefix: bool,
}

/// What is looked for, and where.
#[derive(Clone, Debug)]
pub struct Question {
    /// Only in the conversations that all of these belong to.
    pub within: Vec<UserId>,
    /// All of these must be there.
    pub all: Vec<Term>,
    /// None of these may be there.
    pub none: Vec<Term>,
    /// Only what they said.
    pub sender_id: Option<UserId>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub to: Option<Timestamp>,
    /// Only older ones than this.
    pub before: Option<MessageId>,
    /// At most so many.
    pub limit: usize,
}

/// A message that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Which.
    pub id: MessageId,
    /// Where.
    pub conversation_id: ConversationId,
    /// Who talks there.
    pub members: Members,
    /// A part of its text, with the hits between `⟦` and `⟧`.
    pub snippet: String,
}

/// What answers the question, newest first.
///
/// # Errors
/// SQLite's.
pub fn list(conn: &Connection, question: &Question) -> rusqlite::Result<Vec<Found>> {
    conn.prepare_cached(
        "SELECT m.id, c.id, c.client_id, c.lawyer_id, snippet(message_words, 0, '⟦', '⟧', '…', :words)
         FROM message_words w
         CROSS JOIN messages m ON m.id = w.rowid
         CROSS JOIN conversations c ON c.id = m.conversation_id
         WHERE message_words MATCH :expression
           AND w.rowid < :before
           AND (:sender IS NULL OR m.sender_id = :sender)
           AND m.created_at BETWEEN :from AND :to
         ORDER BY w.rowid DESC
         LIMIT :limit",
    )?
    .query_map(
        named_params! {
            ":words": SNIPPET_WORDS,
            ":expression": expression(question),
            ":before": question.before.map_or(i64::MAX, MessageId::as_i64),
            ":sender": question.sender_id,
            ":from": question.from.map_or(0, Timestamp::as_millis),
            ":to": question.to.map_or(i64::MAX, Timestamp::as_millis),
            ":limit": i64::try_from(question.limit).unwrap_or(i64::MAX),
        },
        |row| {
            Ok(Found {
                id: row.get(0)?,
                conversation_id: row.get(1)?,
                members: Members { client_id: row.get(2)?, lawyer_id: row.get(3)? },
                snippet: row.get(4)?,
            })
        },
    )?
    .collect()
}

/// `(members : "u1" AND (content : "contrat") AND (content : "cœur" * OR content : "coeur" *)) NOT ((content : "bail"))`
fn expression(question: &Question) -> String {
    let within = question.within.iter().map(|user_id| format!("members : \"u{user_id}\""));
    let wanted: Vec<String> = within.chain(question.all.iter().map(quoted)).collect();
    let unwanted: Vec<String> = question.none.iter().map(quoted).collect();
    let wanted = wanted.join(" AND ");
    if unwanted.is_empty() { wanted } else { format!("({wanted}) NOT ({})", unwanted.join(" OR ")) }
}

fn quoted(term: &Term) -> String {
    let more = if term.is_prefix { " *" } else { "" };
    let quoted = |text: &String| format!("content : \"{}\"{more}", text.replace('"', "\"\""));
    let spellings: Vec<String> = term.spellings.iter().map(quoted).collect();
    format!("({})", spellings.join(" OR "))
}
