//! What was said: pages of a conversation, and what changed since one looked away.

use std::sync::Arc;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::contract::error::Error;
use crate::chat::contract::question::{Cursor, PAGE_LIMIT, PAGE_LIMIT_MAX};
use crate::chat::conversations::conversation::load_whole;
use crate::chat::conversations::messages::{load, view};
use crate::chat::handle::chat::Chat;
use crate::model::call::Call;
use crate::model::conversation::{Conversation, Members};
use crate::model::id::{ConversationId, INTEGER_MAX, MessageId};
use crate::model::locale::Text;
use crate::model::message::{Message, ReadMark, Revision};
use crate::store::messages::{self, View};
use crate::store::{calls, reads};

/// Changed messages in one answer.
const CHANGES_MAX: usize = 200;

/// Bytes of JSON in one answer: a page of the longest messages must not be what a slow socket's queue is closed for.
/// A message is never cut, and one always fits.
pub(crate) const PAGE_BYTES_MAX: usize = 256 << 10;

/// What a message has in JSON beside its texts, at most.
const FRAME_BYTES: usize = 1_000;

/// One page, oldest first.
#[derive(Debug, Default)]
pub struct Page {
    /// The messages.
    pub messages: Vec<Message>,
    /// Whether there are earlier ones.
    pub has_more_before: bool,
    /// Whether there are later ones.
    pub has_more_after: bool,
}

/// What somebody who joins a conversation is shown.
#[derive(Debug)]
pub struct Joined {
    /// The conversation as they see it.
    pub conversation: Conversation,
    /// Its two members.
    pub members: Members,
    /// The latest 50 messages, oldest first.
    pub messages: Vec<Message>,
    /// Whether there are earlier ones.
    pub has_more: bool,
    /// The call that goes on there.
    pub call: Option<Call>,
}

/// What changed after a rev.
#[derive(Debug)]
pub struct Changes {
    /// The messages whose latest change is later, by `rev`, at most 200; fewer where they are long.
    pub messages: Vec<Message>,
    /// Everything up to this number is known now: the rev to ask from next time.
    pub rev: i64,
    /// Whether there are more.
    pub has_more: bool,
    /// How far each member has read.
    pub reads: Vec<ReadMark>,
    /// The name of the history that the revs belong to.
    pub history: Arc<str>,
}

impl Chat {
    /// All that is needed to show one of the caller's conversations.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn join(&self, actor: Actor, id: ConversationId) -> Result<Joined, Error> {
        let presence = self.presence().clone();
        self.ask(move |conn, now| {
            let membership = caller::require_membership(conn, actor, id, now)?;
            let page = latest(conn, view(&membership), PAGE_LIMIT)?;
            Ok(Joined {
                conversation: presence.marked(load_whole(conn, id)?.seen_by(membership.me.id)),
                members: membership.conversation.members,
                messages: page.messages,
                has_more: page.has_more_before,
                call: calls::find_live(conn, id)?,
            })
        })
        .await
    }

    /// A page of a conversation; `limit` 1…200.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`, `INVALID` (`limit`).
    pub async fn list_messages(
        &self,
        actor: Actor,
        conversation_id: ConversationId,
        cursor: Cursor,
        limit: i64,
    ) -> Result<Page, Error> {
        self.ask(move |conn, now| {
            let membership = caller::require_membership(conn, actor, conversation_id, now)?;
            if !(1..=PAGE_LIMIT_MAX).contains(&limit) {
                let french = format!("doit être entre 1 et {PAGE_LIMIT_MAX}");
                let english = format!("must be between 1 and {PAGE_LIMIT_MAX}");
                return Err(Error::invalid("limit", Text::new(french, english)));
            }
            page(conn, view(&membership), cursor, limit)
        })
        .await
    }

    /// What changed in a conversation after `rev` (0 = everything). Who also says to which history that rev belongs is told
    /// when it is another one than this database's: after a restore the same numbers mean something else.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`, `INVALID` (`rev`); `CONFLICT` for another history, or a rev that there was not yet.
    pub async fn list_changes(
        &self,
        actor: Actor,
        conversation_id: ConversationId,
        rev: i64,
        history: Option<String>,
    ) -> Result<Changes, Error> {
        let own = Arc::clone(self.history());
        self.ask(move |conn, now| {
            let membership = caller::require_membership(conn, actor, conversation_id, now)?;
            if rev < 0 {
                return Err(Error::invalid("rev", Text::new("doit être au moins 0", "must be at least 0")));
            }
            if history.is_some_and(|history| *history != *own) || rev > membership.conversation.rev {
                return Err(Error::other_history(&own));
            }
            let mut messages = messages::list_changed(conn, view(&membership), rev, CHANGES_MAX + 1)?;
            let has_more = shorten(&mut messages, CHANGES_MAX);
            let known = match messages.last() {
                Some(last) if has_more => last.rev,
                _ => membership.conversation.rev,
            };
            let mut marks = Vec::with_capacity(2);
            for user_id in membership.conversation.members.both() {
                marks.extend(reads::find_latest(conn, conversation_id, user_id)?);
            }
            Ok(Changes { messages, rev: known, has_more, reads: marks, history: own })
        })
        .await
    }

    /// One message.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn load_message(&self, actor: Actor, id: MessageId) -> Result<Message, Error> {
        self.ask(move |conn, now| {
            let membership = caller::require_membership_at(conn, actor, id, now)?;
            load(conn, &membership, id)
        })
        .await
    }

    /// The earlier texts of a message, oldest first.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn list_revisions(&self, actor: Actor, id: MessageId) -> Result<Vec<Revision>, Error> {
        self.ask(move |conn, now| {
            caller::require_membership_at(conn, actor, id, now)?;
            Ok(messages::list_revisions(conn, id)?)
        })
        .await
    }
}

/// The last page of a conversation.
///
/// # Errors
/// `INTERNAL`.
pub(crate) fn latest(conn: &Connection, view: View, limit: i64) -> Result<Page, Error> {
    page(conn, view, Cursor::Latest, limit)
}

fn page(conn: &Connection, view: View, cursor: Cursor, limit: i64) -> Result<Page, Error> {
    let limit = usize::try_from(limit).unwrap_or(1);
    let id = view.conversation_id;
    match cursor {
        Cursor::Latest => {
            let (messages, has_more_before) = before(conn, view, INTEGER_MAX, limit)?;
            Ok(Page { messages, has_more_before, has_more_after: false })
        }
        Cursor::Before(position) => {
            let place = messages::find_place_from(conn, id, position)?;
            let (messages, has_more_before) = before(conn, view, place.unwrap_or(INTEGER_MAX), limit)?;
            Ok(Page { messages, has_more_before, has_more_after: place.is_some() })
        }
        Cursor::After(position) => {
            let place = messages::find_place_from(conn, id, position.saturating_add(1))?.unwrap_or(INTEGER_MAX);
            let (messages, has_more_after) = after(conn, view, place - 1, limit)?;
            Ok(Page { messages, has_more_before: messages::find_before(conn, id, place)?.is_some(), has_more_after })
        }
        Cursor::Around(position) => {
            let place = match messages::find_place_from(conn, id, position)? {
                Some(place) => place,
                None => messages::find_last_place(conn, id)?,
            };
            let (mut messages, has_more_before) = before(conn, view, place, limit / 2)?;
            let (later, has_more_after) = after(conn, view, place - 1, limit - messages.len())?;
            messages.extend(later);
            Ok(Page { messages, has_more_before, has_more_after })
        }
    }
}

/// At most `limit` messages before a place, oldest first, and whether there are more.
fn before(conn: &Connection, view: View, place: i64, limit: usize) -> Result<(Vec<Message>, bool), Error> {
    let mut found = messages::list_before(conn, view, place, limit + 1)?;
    let has_more = shorten(&mut found, limit);
    found.reverse();
    Ok((found, has_more))
}

/// At most `limit` messages after a place, oldest first, and whether there are more.
pub(crate) fn after(conn: &Connection, view: View, place: i64, limit: usize) -> Result<(Vec<Message>, bool), Error> {
    let mut found = messages::list_after(conn, view, place, limit + 1)?;
    let has_more = shorten(&mut found, limit);
    Ok((found, has_more))
}

/// Keeps the first `limit` messages, or fewer where they are long. Whether some were left out.
fn shorten(messages: &mut Vec<Message>, limit: usize) -> bool {
    let mut bytes = 0;
    let mut fits = |message: &Message| {
        bytes += json_bytes(message);
        bytes <= PAGE_BYTES_MAX
    };
    let kept = messages.iter().take_while(|message| fits(message)).count().max(1).min(limit);
    let is_shorter = kept < messages.len();
    messages.truncate(kept);
    is_shorter
}

/// How much a message takes in an answer, at most.
pub(crate) fn json_bytes(message: &Message) -> usize {
    let text = |text: &str| -> usize {
        let escaped = |byte| match byte {
            0..0x20 => 6,
            b'"' | b'\\' => 2,
            _ => 1,
        };
        text.bytes().map(escaped).sum()
    };
    let links = message.attachments.iter().flatten().map(|link| text(link) + 3);
    let files = message.files.iter().map(|file| 4 * text(&file.name) + 300);
    let state = message.kind.state().map_or(0, |state| state.as_str().len());
    FRAME_BYTES + state + text(&message.content) + links.sum::<usize>() + files.sum::<usize>()
}
