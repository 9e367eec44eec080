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

/// So many hits are looked at whoever's they are, before the members are made part of the look-up: to follow a member's
/// list, as long as all that they ever wrote and received, costs many times more than to look at the hits of a rare word.
const HITS_OF_ALL_MAX: usize = 200;

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
    /// Only in this person's conversations.
    pub member: UserId,
    /// Only in the one with that person.
    pub other: Option<UserId>,
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
    if !question.all.is_empty()
        && let Some(found) = look(conn, question, &all_and_none(Vec::new(), question), HITS_OF_ALL_MAX)?
    {
        return Ok(found);
    }
    let members = question.other.into_iter().chain([question.member]);
    let members = members.map(|user_id| format!("members : \"u{user_id}\"")).collect();
    look(conn, question, &all_and_none(members, question), usize::MAX).map(Option::unwrap_or_default)
}

/// What is wanted among the hits of an expression; `None` where that would mean to look at more than so many.
fn look(
    conn: &Connection,
    question: &Question,
    expression: &str,
    hits_max: usize,
) -> rusqlite::Result<Option<Vec<Found>>> {
    let mut asked = conn.prepare_cached(
        "SELECT m.id, c.id, c.client_id, c.lawyer_id,
           CASE WHEN :member IN (c.client_id, c.lawyer_id)
             AND :other IN (c.client_id, c.lawyer_id)
             AND (:sender IS NULL OR m.sender_id = :sender)
             AND m.created_at BETWEEN :from AND :to
           THEN snippet(message_words, 0, '⟦', '⟧', '…', :words) END
         FROM message_words w
         CROSS JOIN messages m ON m.id = w.rowid
         CROSS JOIN conversations c ON c.id = m.conversation_id
         WHERE message_words MATCH :expression
           AND w.rowid < :before
         ORDER BY w.rowid DESC",
    )?;
    let mut hits = asked.query(named_params! {
        ":words": SNIPPET_WORDS,
        ":expression": expression,
        ":before": question.before.map_or(i64::MAX, MessageId::as_i64),
        ":member": question.member,
        ":other": question.other.unwrap_or(question.member),
        ":sender": question.sender_id,
        ":from": question.from.map_or(0, Timestamp::as_millis),
        ":to": question.to.map_or(i64::MAX, Timestamp::as_millis),
    })?;
    let mut found = Vec::new();
    let mut looked_at = 0;
    while found.len() < question.limit {
        let Some(hit) = hits.next()? else { break };
        looked_at += 1;
        if looked_at > hits_max {
            return Ok(None);
        }
        let Some(snippet) = hit.get(4)? else { continue };
        let members = Members { client_id: hit.get(2)?, lawyer_id: hit.get(3)? };
        found.push(Found { id: hit.get(0)?, conversation_id: hit.get(1)?, members, snippet });
    }
    Ok(Some(found))
}

/// `(members : "u1" AND (content : "contrat") AND (content : "cœur" * OR content : "coeur" *)) NOT ((content : "bail"))`
fn all_and_none(mut wanted: Vec<String>, question: &Question) -> String {
    wanted.extend(question.all.iter().map(quoted));
    let wanted = wanted.join(" AND ");
    let unwanted: Vec<String> = question.none.iter().map(quoted).collect();
    if unwanted.is_empty() { wanted } else { format!("({wanted}) NOT ({})", unwanted.join(" OR ")) }
}

fn quoted(term: &Term) -> String {
    let more = if term.is_prefix { " *" } else { "" };
    let quoted = |text: &String| format!("content : \"{}\"{more}", text.replace('"', "\"\""));
    let spellings: Vec<String> = term.spellings.iter().map(quoted).collect();
    format!("({})", spellings.join(" OR "))
}
