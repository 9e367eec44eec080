//! A conversation taken out, page by page, with what each message said before.

use crate::auth::actor::Actor;
use crate::auth::link::Subject;
use crate::chat::access::caller;
use crate::chat::attachments::transfer::SignedLink;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::question::PAGE_LIMIT_MAX;
use crate::chat::conversations::conversation::load_whole;
use crate::chat::conversations::history::after;
use crate::chat::conversations::messages::view;
use crate::chat::handle::chat::Chat;
use crate::model::id::{ConversationId, MessageId};
use crate::model::transcript::{Head, Participant, Period, Said};
use crate::store::messages;

/// A part of what was said, oldest first.
#[derive(Debug)]
pub struct ExportPage {
    /// The messages of the period; perhaps none, though there are more.
    pub said: Vec<Said>,
    /// After which message the next page begins; nothing at the end.
    pub next: Option<MessageId>,
}

impl Chat {
    /// What stands above an export of one of the caller's conversations.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn begin_export(&self, actor: Actor, id: ConversationId) -> Result<Head, Error> {
        self.ask(move |conn, now| {
            let membership = caller::require_membership(conn, actor, id, now)?;
            let conversation = load_whole(conn, id)?.seen_by(membership.me.id);
            let people = [conversation.client, conversation.lawyer];
            Ok(Head {
                id,
                members: people.map(|one| Participant { id: one.id, name: one.name, role: one.role }).into(),
                created_at: conversation.created_at,
                rev: conversation.rev,
                updated_at: conversation.updated_at,
            })
        })
        .await
    }

    /// The next part of an export: what was said after a message, or from the beginning. The right to see it is checked
    /// each time.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn export_page(
        &self,
        actor: Actor,
        id: ConversationId,
        period: Period,
        last: Option<MessageId>,
    ) -> Result<ExportPage, Error> {
        self.ask(move |conn, now| {
            let membership = caller::require_membership(conn, actor, id, now)?;
            let place = match last {
                Some(last) => messages::find_place(conn, id, last)?.ok_or(Reason::NotFound)?,
                None => 0,
            };
            let limit = usize::try_from(PAGE_LIMIT_MAX).unwrap_or(1);
            let (page, has_more) = after(conn, view(&membership), place, limit)?;
            let next = page.last().filter(|_| has_more).map(|message| message.id);
            let mut said = Vec::with_capacity(page.len());
            for message in page.into_iter().filter(|message| period.contains(message.created_at)) {
                let was_edited = message.edited_at.is_some() && !message.is_deleted;
                let revisions = if was_edited { messages::list_revisions(conn, message.id)? } else { Vec::new() };
                said.push(Said { message, revisions });
            }
            Ok(ExportPage { said, next })
        })
        .await
    }

    /// A signed address of an export of one of the caller's conversations, for five minutes; `query` says which export.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn link_export(&self, actor: Actor, id: ConversationId, query: &str) -> Result<SignedLink, Error> {
        self.load_members(actor, id).await?;
        self.sign_link(actor, Subject::Export(id), &format!("/conversations/{id}/export?{query}"))
    }
}
