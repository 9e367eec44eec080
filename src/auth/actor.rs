//! Who is asking.
//!
//! A [`Caller`] exists only where a signature was verified, so a function that takes one needs no further proof of
//! identity. It is no proof of anything else: whether the session still lives, the person is still active and what
//! their role is today is read from the database in the transaction that acts.

use crate::model::id::{SessionId, UserId};
use crate::model::session::SessionNonce;
use crate::model::timestamp::Timestamp;

/// The one on whose behalf something is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Actor {
    /// Nobody that is known: open requests.
    Anonymous,
    /// Somebody signed in.
    Member(Caller),
    /// The program itself: the command line, the maintenance.
    System,
}

/// Somebody whose token or signed link was verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caller {
    user_id: UserId,
    session_id: SessionId,
    nonce: SessionNonce,
    expires_at: Timestamp,
}

impl Actor {
    /// The person asking, if there is one.
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        self.caller().map(|caller| caller.user_id)
    }

    /// The person and their session, if somebody signed in asks.
    #[must_use]
    pub fn caller(&self) -> Option<Caller> {
        match self {
            Self::Member(caller) => Some(*caller),
            Self::Anonymous | Self::System => None,
        }
    }
}

impl Caller {
    /// Only for the parts of `auth` that verify signatures.
    pub(in crate::auth) fn verified(
        user_id: UserId,
        session_id: SessionId,
        nonce: SessionNonce,
        expires_at: Timestamp,
    ) -> Self {
        Self { user_id, session_id, nonce, expires_at }
    }

    /// A caller without a signature, for the tests of the rules.
    #[cfg(test)]
    pub(crate) fn assumed(user_id: UserId, session_id: SessionId, nonce: SessionNonce) -> Self {
        Self { user_id, session_id, nonce, expires_at: Timestamp::from_millis(i64::MAX) }
    }

    /// The person.
    #[must_use]
    pub fn user_id(&self) -> UserId {
        self.user_id
    }

    /// The session that the token belongs to.
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        self.session_id
    }

    /// What the session's row must have too.
    #[must_use]
    pub fn nonce(&self) -> SessionNonce {
        self.nonce
    }

    /// From this moment on the token is worthless.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}
