//! A stage for tests of the rules: a database in memory with schema and seed, and everybody signed in.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use crate::auth::actor::{Actor, Caller};
use crate::chat::command::{Command, CreateConversation, SendMessage};
use crate::chat::error::Error;
use crate::chat::execute::Settings;
use crate::chat::outcome::Outcome;
use crate::chat::presence::Presence;
use crate::chat::reply::Reply;
use crate::chat::rules::Rules;
use crate::model::id::{ConversationId, UserId};
use crate::model::message::Message;
use crate::model::timestamp::Timestamp;
use crate::store::{scratch, sessions};

/// The stage.
pub struct Trial {
    /// The database.
    pub conn: Connection,
    rules: Rules,
    passed: Duration,
}

impl Default for Trial {
    /// A fresh stage without a limit of messages.
    fn default() -> Self {
        Self::with(Settings { message_rate: 0, ..Settings::default() })
    }
}

impl Trial {
    /// A fresh stage with these settings.
    pub fn with(settings: Settings) -> Self {
        let conn = scratch::open();
        let rules = Rules::new(Arc::new(settings), Presence::default());
        Self { conn, rules, passed: Duration::ZERO }
    }

    /// Somebody of the seed, signed in on a device of their own.
    pub fn actor(&self, user: i64) -> Actor {
        let user_id = UserId::new(user).unwrap();
        let now = Timestamp::now();
        let later = now + Duration::from_secs(3600);
        let session_id = sessions::insert(&self.conn, user_id, None, None, now, later).unwrap();
        Actor::Member(Caller::assumed(user_id, session_id))
    }

    /// Moves the clock on.
    pub fn pass(&mut self, span: Duration) {
        self.passed += span;
    }

    /// Carries out a command as the pen does: all of it or nothing.
    pub fn run(&mut self, actor: Actor, command: Command) -> Result<Outcome, Error> {
        let now = self.rules.next_now() + self.passed;
        let is_light = Rules::is_light(&command);
        self.rules.begin(&self.conn).unwrap();
        self.conn.execute_batch("SAVEPOINT change").unwrap();
        let outcome = self.rules.carry_out(&self.conn, actor, command, now);
        if outcome.is_err() && !is_light {
            self.conn.execute_batch("ROLLBACK TO change").unwrap();
            self.rules.forget();
        }
        self.rules.write_down(&self.conn).unwrap();
        self.conn.execute_batch("RELEASE change").unwrap();
        outcome
    }

    /// The conversation of a client and a juriste.
    pub fn conversation(&mut self, client: Actor, lawyer: i64) -> ConversationId {
        let participant_id = UserId::new(lawyer).unwrap();
        let command = Command::CreateConversation(CreateConversation { participant_id });
        match self.run(client, command).unwrap().reply {
            Reply::Conversation { conversation, .. } => conversation.id,
            other => panic!("{other:?}"),
        }
    }

    /// Says something plain.
    pub fn say(&mut self, actor: Actor, conversation_id: ConversationId, content: &str) -> Message {
        let outcome = self.run(actor, Command::SendMessage(plain(conversation_id, content))).unwrap();
        message_of(outcome)
    }
}

/// A message of text alone.
pub fn plain(conversation_id: ConversationId, content: &str) -> SendMessage {
    SendMessage {
        conversation_id,
        content: content.to_owned(),
        attachments: Vec::new(),
        files: Vec::new(),
        reply_to_id: None,
        client_message_id: None,
    }
}

/// The message that was answered.
pub fn message_of(outcome: Outcome) -> Message {
    match outcome.reply {
        Reply::Message { message, .. } => Message::clone(&message),
        other => panic!("{other:?}"),
    }
}
