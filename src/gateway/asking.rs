//! Answering what changes nothing in the database: pages, searches, joining, typing, a newer token.

use std::sync::Arc;

use crate::auth::actor::{Actor, Caller};
use crate::auth::keyring::Keyring;
use crate::chat::contract::command::calls::JoinCall;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::handle::chat::Chat;
use crate::gateway::admission;
use crate::gateway::calls;
use crate::gateway::hub::Seat;
use crate::gateway::presence::Presence;
use crate::gateway::reply::Answer;
use crate::gateway::request::Question;
use crate::gateway::typing::Typist;
use crate::model::conversation::Members;
use crate::model::id::{ConversationId, UserId};
use crate::model::locale::Locale;
use crate::model::timestamp::Timestamp;

/// What a question needs to be answered. It owns all of it, since it may be answered after later events were read.
pub struct Asking {
    /// Where answers come from.
    pub chat: Chat,
    /// What tokens are checked with.
    pub keyring: Keyring,
    /// Who types, and who sees it.
    pub presence: Arc<Presence>,
    /// How browsers find each other.
    pub calls: Arc<calls::Settings>,
    /// The socket that asks.
    pub seat: Arc<Seat>,
    /// Whose it is.
    pub caller: Caller,
    /// What its person reads.
    pub locale: Locale,
}

impl Asking {
    /// Answers a question.
    ///
    /// # Errors
    /// The refusal, in the contract's codes.
    pub async fn answer(self, question: Question) -> Result<Answer, Error> {
        let (chat, actor) = (&self.chat, Actor::Member(self.caller));
        match question {
            Question::Join(id) => self.join(id).await,
            Question::Leave(id) => self.leave(id).await,
            Question::Online(id) => {
                let members = chat.load_members(actor, id).await?;
                Ok(Answer::Online { online_users: self.online(members) })
            }
            Question::History(id, cursor, limit) => {
                Ok(Answer::from(chat.list_messages(actor, id, cursor, limit).await?))
            }
            Question::Sync(id, rev, history) => Ok(Answer::from(chat.list_changes(actor, id, rev, history).await?)),
            Question::Search(search) => Ok(Answer::from(chat.search(actor, search).await?)),
            Question::Typing(conversation_id, is_typing) => {
                let user_id = self.caller.user_id();
                let peer_id = chat.load_members(actor, conversation_id).await?.peer_of(user_id);
                self.presence.set_typing(Typist { user_id, conversation_id, peer_id }, is_typing);
                Ok(Answer::Done {})
            }
            Question::Attention(is_visible) => {
                self.seat.set_attention(is_visible, Timestamp::now());
                Ok(Answer::Done {})
            }
            Question::JoinCall(command) => self.join_call(command).await,
            Question::Refresh(token) => self.refresh(&token).await,
        }
    }

    /// Joins first and reads then: what is committed in between arrives twice and is never missed. What is not the
    /// caller's never reaches them, either way.
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
            history: Arc::clone(self.chat.history()),
            call: joined.call.map(Box::new),
        })
    }

    /// Asks for the seat first: the commit's own event finds it, and nothing is sent there before.
    async fn join_call(&self, command: JoinCall) -> Result<Answer, Error> {
        let call_id = command.call_id;
        self.seat.want(call_id, command.seat.as_deref().unwrap_or_default());
        let joined = self.chat.execute(Actor::Member(self.caller), command).await;
        let call = joined.inspect_err(|_| self.seat.want_no_more(call_id))?;
        let user_id = self.caller.user_id();
        let (direct, jitsi) = match call.room {
            None => (Some(self.calls.direct(user_id, self.chat.seats().of_others(call_id, user_id))), None),
            Some(room) => {
                let profile = self.chat.load_profile(Actor::Member(self.caller)).await?;
                (None, Some(Box::new(self.calls.jitsi(room, &profile)?)))
            }
        };
        Ok(Answer::Seated { call, direct, jitsi })
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
