//! What is to be done about bills, for whoever looks after the installation.

use std::time::Duration;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::contract::error::Error;
use crate::chat::handle::chat::Chat;
use crate::model::day::Day;
use crate::store::checkout::{self, Unexpected};
use crate::store::invoice_transmissions::{self, Waiting};

/// How long a payment over another amount is shown.
const SHOWN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pending {
    /// What still has to go by an approved platform, if anything does, and the day where the practice is.
    pub untransmitted: Option<(Waiting, Day)>,
    /// The latest payment over another amount than was asked for.
    pub unexpected: Option<Unexpected>,
}

impl Chat {
    /// What is to be done about bills.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `FORBIDDEN` for all but administrators.
    pub async fn load_pending(&self, actor: Actor) -> Result<Pending, Error> {
        let settings = self.settings.clone();
        self.ask(move |conn, now| {
            caller::require_admin(conn, actor, now)?;
            let waiting = invoice_transmissions::load_waiting(conn)?;
            let unexpected = checkout::find_unexpected(conn, now - SHOWN)?;
            Ok(Pending { untransmitted: waiting.map(|waiting| (waiting, settings.today(now))), unexpected })
        })
        .await
    }
}
