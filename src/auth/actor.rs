//! Who is asking.

use crate::model::id::{SessionId, UserId};

/// The one on whose behalf something is asked.
///
/// It says who claims to ask, proven by a token's signature; whether the session is still live and the account
/// still works is read in the transaction that acts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Actor {
    /// Nobody that is known: open requests.
    Anonymous,
    /// Somebody signed in.
    Member {
        /// Who.
        user_id: UserId,
        /// On which device.
        session_id: SessionId,
    },
    /// The program itself: the command line, upkeep.
    System,
}

impl Actor {
    /// The person asking, if there is one.
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Self::Member { user_id, .. } => Some(*user_id),
            Self::Anonymous | Self::System => None,
        }
    }
}
