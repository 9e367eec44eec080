//! Which rule carries out which command, and all that the rules know beside the database.

use std::sync::Arc;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::command::Command;
use crate::chat::error::{Error, Reason};
use crate::chat::execute::Settings;
use crate::chat::messages::Surroundings;
use crate::chat::outcome::Outcome;
use crate::chat::presence::Presence;
use crate::chat::rates::Rates;
use crate::chat::{conversations, messages, reactions, reads};
use crate::model::timestamp::Timestamp;

/// The rules, with what they know. Lives on the pen's thread.
#[derive(Debug)]
pub struct Rules {
    settings: Arc<Settings>,
    presence: Presence,
    rates: Rates,
    last_now: Timestamp,
}

impl Rules {
    /// The rules as the operator set them.
    #[must_use]
    pub fn new(settings: Arc<Settings>, presence: Presence) -> Self {
        let rates = Rates::new(settings.message_rate, settings.message_burst);
        Self { settings, presence, rates, last_now: Timestamp::default() }
    }

    /// What the clock says; never earlier than what it said last.
    pub fn next_now(&mut self) -> Timestamp {
        self.last_now = self.last_now.max(Timestamp::now());
        self.last_now
    }

    /// Carries out one command inside a transaction. On an error all that was written must be taken back.
    ///
    /// # Errors
    /// The refusal, in the contract's codes.
    pub fn carry_out(
        &mut self,
        conn: &Connection,
        actor: Actor,
        command: Command,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        let presence = &self.presence;
        let around = &mut Surroundings { rates: &mut self.rates, presence, settings: &self.settings };
        match command {
            Command::CreateConversation(command) => conversations::create(conn, actor, &command, now, presence),
            Command::SendMessage(command) => messages::send(conn, actor, &command, now, around),
            Command::EditMessage(command) => messages::edit(conn, actor, &command, now, around),
            Command::DeleteMessage(command) => messages::delete(conn, actor, &command, now, around),
            Command::ReactToMessage(command) => reactions::react(conn, actor, &command, now, around),
            Command::ReadMessage(command) => reads::read_message(conn, actor, &command, now, presence),
            Command::ReadConversation(command) => reads::read_conversation(conn, actor, &command, now, presence),
            _ => Err(Reason::Unavailable.into()),
        }
    }
}
