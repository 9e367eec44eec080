//! Answering what changes nothing in the database: pages, searches, joining, typing, a newer token.

use std::sync::Arc;

use crate::auth::actor::{Actor, Caller};
use crate::auth::keyring::Keyring;
use crate::chat::error::{Error, Reason};
use crate::chat::execute::Chat;
use crate::gateway::admission;
use crate::gateway::hub::Seat;
use crate::gateway::presence::Presence;
use crate::gateway::reply::Answer;
use crate::gateway::request::Request;
use crate::gateway::typing::Typist;
use crate::model::conversation::Members;
use crate::model::id::{ConversationId, UserId};
use crate::model::locale::Locale;

/// One question's means: it outlives the turn of the loop in which it was asked.
pub struct Asking {
    /// Where answers come from.
    pub chat: Chat,
    /// What tokens are checked with.
    pub keyring: Keyring,
    /// Who is told about typing.
    pub presence: Arc<Presence>,
    /// The socket that asks.
    pub seat: Arc<Seat>,
    /// Whose it is.
    pub caller: Caller,
    /// What its person reads.
    pub locale: Locale,
}

impl Asking {
    /// Answers a question; a change is refused, it goes another way.
    ///
    /// # Errors
    /// The refusal, in the contract's codes.
    pub async fn answer(self, question: Request) -> Result<Answer, Error> {
        let (chat, actor) = (&self.chat, Actor::Member(self.caller));
        match question {
            Request::Change(_) => Err(Reason::Internal.into()),
            Request::Join(id) => self.join(id).await,
            Request::Leave(id) => self.leave(id).await,
            Request::Online(id) => {
                let members = chat.load_members(actor, id).await?;
                Ok(Answer::Online { online_users: self.online(members) })
            }
            Request::History(id, cursor, limit) => {
                Ok(Answer::from(chat.list_messages(actor, id, cursor, limit).await?))
            }
            Request::Sync(id, rev) => Ok(Answer::from(chat.list_changes(actor, id, rev).await?)),
            Request::Search(search) => Ok(Answer::from(chat.search(actor, search).await?)),
            Request::Typing(conversation_id, is_typing) => {
                let user_id = self.caller.user_id();
                let peer_id = chat.load_members(actor, conversation_id).await?.peer_of(user_id);
                self.presence.set_typing(Typist { user_id, conversation_id, peer_id }, is_typing);
                Ok(Answer::Done {})
            }
            Request::Refresh(token) => self.refresh(&token).await,
        }
    }

    /// Joins first and reads then: what is committed in between is told twice and never missed. What is not the
    /// caller's is not told to them either way.
    async fn join(&self, id: ConversationId) -> Result<Answer, Error> {
        let is_new = self.seat.join(id);
        let joined = self.chat.join(Actor::Member(self.caller), id).await;
        if joined.is_err() && is_new {
            self.seat.leave(id);
        }
        let joined = joined?;
        Ok(Answer::Joined {
            message: match self.locale {
                Locale::French => format!("Rejoint la conversation {id}"),
                Locale::English => format!("Joined conversation {id}"),
            },
            conversation: Box::new(joined.conversation),
            messages: joined.messages,
            has_more: joined.has_more,
            online_users: self.online(joined.members),
        })
    }

    async fn leave(&self, id: ConversationId) -> Result<Answer, Error> {
        self.seat.leave(id);
        self.chat.load_members(Actor::Member(self.caller), id).await?;
        Ok(Answer::Left {
            message: match self.locale {
                Locale::French => format!("Quitté la conversation {id}"),
                Locale::English => format!("Left conversation {id}"),
            },
        })
    }

    /// The seat belongs to both sessions while the new one is looked up: one that ends meanwhile takes it away, as at
    /// admission, and no refused token takes it from under the session that it has.
    async fn refresh(&self, token: &str) -> Result<Answer, Error> {
        let caller = admission::verify(&self.keyring, token)?;
        if caller.user_id() != self.caller.user_id() {
            return Err(Reason::TokenInvalid.into());
        }
        self.seat.begin_move(caller.session_id());
        let checked = self.chat.check_session(Actor::Member(caller)).await;
        self.seat.end_move(checked.is_ok());
        checked.map(|()| Answer::Refreshed { expires_at: caller.expires_at(), caller })
    }

    fn online(&self, members: Members) -> Vec<UserId> {
        let mut online: Vec<UserId> = members.both().into_iter().collect();
        online.retain(|user_id| self.chat.presence().is_online(*user_id));
        online.sort_unstable();
        online
    }
}
