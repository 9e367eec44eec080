//! How clients want to be billed: they say so themselves, or a juriste of theirs does; each hears of the other's change.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::contract::command::billing::UpdateBuyer;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::event::{Announcement, Audience, BuyerChanged, Event};
use crate::chat::contract::outcome::Outcome;
use crate::chat::handle::chat::Chat;
use crate::model::id::UserId;
use crate::model::party::Buyer;
use crate::model::timestamp::Timestamp;
use crate::model::user::Role;
use crate::store::{conversations, practice, users};

/// How somebody wants to be billed, as far as it is known.
#[derive(Clone, Debug)]
pub struct Billing {
    /// Their name, to begin with.
    pub name: String,
    /// `None` until somebody said.
    pub buyer: Option<Buyer>,
}

/// The rule of [`UpdateBuyer`].
///
/// # Errors
/// `UNAUTHENTICATED`; `NOT_FOUND` for all but the client and the juristes whom they share a conversation with.
pub fn update(conn: &Connection, actor: Actor, command: UpdateBuyer, now: Timestamp) -> Result<Outcome<Buyer>, Error> {
    let UpdateBuyer { user_id, buyer } = command;
    require_concerned(conn, actor, user_id, now)?;
    practice::set_buyer(conn, user_id, &buyer, now)?;
    let mut concerned = conversations::list_contacts(conn, user_id)?;
    concerned.push(user_id);
    let told = |person| Announcement {
        audience: Audience::Member(person),
        event: Event::BuyerChanged(BuyerChanged { user_id, buyer: buyer.clone() }),
        at: now,
    };
    let events = concerned.into_iter().map(told).collect();
    Ok(Outcome { reply: buyer, events })
}

/// The client themselves, or a juriste of theirs.
fn require_concerned(conn: &Connection, actor: Actor, user_id: UserId, now: Timestamp) -> Result<String, Error> {
    let member = caller::require_member(conn, actor, now)?;
    let account = users::find(conn, user_id)?.filter(|account| account.profile.role == Role::Client);
    let account = account.ok_or(Reason::NotFound)?;
    let is_theirs = member.user_id == user_id || conversations::list_contacts(conn, user_id)?.contains(&member.user_id);
    if is_theirs { Ok(account.profile.name) } else { Err(Reason::NotFound.into()) }
}

impl Chat {
    /// How a client wants to be billed.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `NOT_FOUND` for all but the client and the juristes whom they share a conversation with.
    pub async fn load_buyer(&self, actor: Actor, user_id: UserId) -> Result<Billing, Error> {
        self.ask(move |conn, now| {
            let name = require_concerned(conn, actor, user_id, now)?;
            Ok(Billing { name, buyer: practice::find_buyer(conn, user_id)? })
        })
        .await
    }
}
