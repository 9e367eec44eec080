//! Finding calls: one, and those that there were.

use bytes::Bytes;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::attachments::chunks;
use crate::chat::calls::{call, limits, parts};
use crate::chat::contract::error::Error;
use crate::chat::contract::question::{CallQuery, PAGE_LIMIT};
use crate::chat::handle::chat::Chat;
use crate::model::call::Call;
use crate::model::id::{AttachmentId, CallId};
use crate::model::recording::{Progress, Recording, Unsealed};
use crate::model::user::Role;
use crate::store::{attachments, calls, recordings};

impl Chat {
    /// One call of the caller's conversations.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn load_call(&self, actor: Actor, id: CallId) -> Result<Call, Error> {
        self.ask(move |conn, now| Ok(call::require(conn, actor, id, now)?.0)).await
    }

    /// The caller's calls, the latest first.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND` (the conversation).
    pub async fn list_calls(&self, actor: Actor, query: CallQuery) -> Result<Vec<Call>, Error> {
        self.ask(move |conn, now| {
            let user_id = match query.conversation_id {
                Some(id) => caller::require_membership(conn, actor, id, now)?.me.id,
                None => caller::require_member(conn, actor, now)?.user_id,
            };
            if query.live_only {
                let live = match query.conversation_id {
                    Some(id) => calls::find_live(conn, id)?,
                    None => calls::find_live_of(conn, user_id)?,
                };
                return Ok(live.into_iter().collect());
            }
            let limit = usize::try_from(query.limit.unwrap_or(PAGE_LIMIT)).unwrap_or(1);
            Ok(calls::list_of(conn, user_id, query.conversation_id, query.before, limit)?)
        })
        .await
    }

    /// What became of recording a call, and how far its uploading is; nothing of the latter where none may be.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND`.
    pub async fn load_recording(&self, actor: Actor, id: CallId) -> Result<(Recording, Option<Progress>), Error> {
        let settings = self.settings().recordings;
        self.ask(move |conn, now| {
            let (call, _) = call::require(conn, actor, id, now)?;
            let progress = match (settings, recordings::find(conn, id)?) {
                (Some(settings), Some(row)) => Some(parts::progress_of(conn, &row, settings)?),
                _ => None,
            };
            Ok((call.recording, progress))
        })
        .await
    }

    /// The recordings that have ended and are to be made files that seek.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub async fn list_unsealed(&self) -> Result<Vec<Unsealed>, Error> {
        self.ask(|conn, _| Ok(recordings::list_unsealed(conn)?)).await
    }

    /// The bytes of such a recording from `offset` on, as far as the stored part goes that they stand in; nothing at the
    /// end. For the program itself.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub async fn read_unsealed(&self, id: AttachmentId, offset: u64) -> Result<Bytes, Error> {
        self.ask(move |conn, _| {
            let file = attachments::find(conn, id)?;
            file.map_or_else(|| Ok(Bytes::new()), |file| chunks::read(conn, &file, offset))
        })
        .await
    }

    /// Whether people of this role may start calls.
    #[must_use]
    pub fn may_start_calls(&self, role: Role) -> bool {
        limits::may_start(self.settings(), role)
    }
}
