//! Where tests of the chat start: a whole chat on a database file of its own, or the rules alone on a database in
//! memory.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::auth::actor::{Actor, Caller};
use crate::auth::token;
use crate::chat::access::context::Context;
use crate::chat::contract::command::Command;
use crate::chat::contract::command::conversations::{CreateConversation, SendMessage};
use crate::chat::contract::command::people::Device;
use crate::chat::contract::error::Error;
use crate::chat::contract::event::{Announcement, Event, SessionEnding};
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::presence::Presence;
use crate::chat::contract::reply::MessageSent;
use crate::chat::contract::request::{Ask, Request};
use crate::chat::contract::seats::Seats;
use crate::chat::contract::settings::Settings;
use crate::chat::handle::chat::Chat;
use crate::chat::handle::completion::Outcomes;
use crate::chat::handle::queue::Job;
use crate::chat::people::sign_in::{SignIn, SignedIn};
use crate::chat::writer::batch;
use crate::chat::writer::dispatch::{Rules, StillClock};
use crate::model::id::{ConversationId, UserId};
use crate::model::message::Message;
use crate::model::timestamp::Timestamp;
use crate::store::database::open::Db;
use crate::store::database::readers::Gate;
use crate::store::database::scratch;
use crate::store::database::settings::{self, Missing};
use crate::store::database::writer::Writer;
use crate::store::sessions;

/// The password of the demo accounts.
pub const DEMO_PASSWORD: &str = "Pass123!";

/// Most tests begin with the people alone.
pub const NO_CONVERSATION: &str = include_str!("../../../tests/support/no_conversation.sql");

/// The chat and what it announced.
pub struct ChatFixture {
    /// The chat.
    pub chat: Chat,
    folder: TempDir,
    announced: Arc<Mutex<Vec<Announcement>>>,
}

impl ChatFixture {
    /// A fresh chat with the demo accounts and without limits on attempts.
    pub fn demo() -> Self {
        Self::with(Settings { sign_in_rate: 0, ..Settings::default() }, Missing::CreateDemo)
    }

    /// A fresh chat.
    pub fn with(settings: Settings, missing: Missing) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let announced = Arc::default();
        let chat = start(folder.path().join("lexchat.db"), settings, missing, &announced);
        Self { chat, folder, announced }
    }

    /// The database file.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("lexchat.db")
    }

    /// The same database after a restart of the program.
    pub async fn restarted(mut self, settings: Settings) -> Self {
        self.chat.close().await;
        self.chat = start(self.path(), settings, Missing::Refuse, &self.announced);
        self
    }

    /// Tries to sign in from an address.
    pub async fn try_sign_in(&self, email: &str, password: &str, from: &str) -> Result<SignedIn, Error> {
        let device = device(from);
        self.chat.sign_in(SignIn { email: email.to_owned(), password: password.to_owned(), device }).await
    }

    /// Signs a demo account in.
    pub async fn sign_in(&self, name: &str) -> SignedIn {
        self.try_sign_in(&format!("{name}@example.com"), DEMO_PASSWORD, "192.0.2.1").await.unwrap()
    }

    /// The actor that an access token makes.
    pub fn actor(&self, signed_in: &SignedIn) -> Actor {
        let keyring = &self.chat.credentials().tokens;
        Actor::Member(token::verify(keyring, &signed_in.access_token, Timestamp::now()).unwrap())
    }

    /// Whether somebody's session is live.
    pub async fn is_live(&self, signed_in: &SignedIn) -> bool {
        self.chat.check_session(self.actor(signed_in)).await.is_ok()
    }

    /// Why sessions ended so far, in order.
    pub fn endings(&self) -> Vec<SessionEnding> {
        let announced = self.announced.lock().unwrap();
        let ending = |announced: &Announcement| match announced.event {
            Event::SessionEnded(reason) => Some(reason),
            _ => None,
        };
        announced.iter().filter_map(ending).collect()
    }
}

/// A device at an address.
pub fn device(from: &str) -> Device {
    Device { address: Some(from.parse().unwrap()), user_agent: Some("tests".to_owned()) }
}

fn start(path: PathBuf, settings: Settings, missing: Missing, announced: &Arc<Mutex<Vec<Announcement>>>) -> Chat {
    let is_new = !path.exists();
    let db = Db::open(&settings::Settings { path, missing, readers_max: 2 }).unwrap();
    if is_new {
        db.writer.conn.execute_batch(NO_CONVERSATION).unwrap();
    }
    let (chat, outcomes) = Chat::new(db, settings).unwrap();
    tokio::spawn(collect(outcomes, Arc::clone(announced)));
    chat
}

async fn collect(mut outcomes: Outcomes, announced: Arc<Mutex<Vec<Announcement>>>) {
    while let Some(batch) = outcomes.recv().await {
        for settled in batch {
            announced.lock().unwrap().extend_from_slice(settled.events());
            settled.complete();
        }
    }
}

/// The fixture.
pub struct RulesFixture {
    writer: Writer,
    rules: Rules,
    settings: Arc<Settings>,
    seats: Seats,
}

impl Default for RulesFixture {
    /// Fresh rules without a limit of messages.
    fn default() -> Self {
        Self::with(Settings { message_rate: 0, ..Settings::default() })
    }
}

impl RulesFixture {
    /// Fresh rules with these settings.
    pub fn with(settings: Settings) -> Self {
        let writer = Writer::new(scratch::open(), Path::new(":memory:"), Gate::default(), None).unwrap();
        let (settings, seats) = (Arc::new(settings), Seats::default());
        let mut rules = Rules::new(Arc::clone(&settings), Presence::default(), seats.clone(), Arc::default());
        rules.still = Some(StillClock { began_at: Timestamp::now(), ahead: Duration::ZERO });
        Self { writer, rules, settings, seats }
    }

    /// The database.
    pub fn conn(&self) -> &Connection {
        &self.writer.conn
    }

    /// Somebody of the seed, signed in on a device of their own.
    pub fn actor(&self, user: i64) -> Actor {
        self.actor_for(user, Duration::from_secs(3600))
    }

    /// The same, for so long.
    pub fn actor_for(&self, user: i64, life: Duration) -> Actor {
        let user_id = UserId::new(user).unwrap();
        let now = self.now();
        let later = now + life;
        let (session_id, nonce) = sessions::insert(self.conn(), user_id, None, None, now, later).unwrap();
        Actor::Member(Caller::assumed(user_id, session_id, nonce))
    }

    /// Who sits in which call.
    pub fn seats(&self) -> &Seats {
        &self.seats
    }

    /// The rules after a restart of the program: they know what the database says.
    pub fn restart(&mut self) {
        let still = self.rules.still.take();
        self.seats = Seats::default();
        self.rules = Rules::new(Arc::clone(&self.settings), Presence::default(), self.seats.clone(), Arc::default());
        self.rules.still = still;
    }

    /// What the clock of the rules says.
    pub fn now(&self) -> Timestamp {
        self.rules.now()
    }

    /// Moves the clock on.
    pub fn pass(&mut self, span: Duration) {
        self.clock().ahead += span;
    }

    /// Sets the clock right.
    pub fn set_clock_right(&mut self) {
        self.clock().ahead = Duration::ZERO;
    }

    fn clock(&mut self) -> &mut StillClock {
        self.rules.still.as_mut().unwrap()
    }

    /// Carries out a command in a batch of its own.
    pub fn run<R: Request>(&mut self, actor: Actor, request: R) -> Result<Outcome<R::Reply>, Error>
    where
        Command: From<Ask<R>>,
    {
        let (ask, mut pending) = Ask::new(request);
        let mut jobs = std::iter::once(Job { actor, command: ask.into() });
        let settled = batch::carry_out(&mut self.writer, &mut self.rules, &mut jobs, false);
        let settled = settled.unwrap_or_else(|lost| panic!("{}", lost.cause)).remove(0);
        let events = settled.events().to_vec();
        settled.complete();
        Ok(Outcome { reply: pending.take()?, events })
    }

    /// Runs what has no command of its own yet inside the writer's transaction.
    pub fn with_context<T>(
        &mut self,
        run: impl FnOnce(&Connection, &mut Context<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.rules.with_context(&self.writer.conn, run)
    }

    /// The conversation of a client and a juriste.
    pub fn conversation(&mut self, client: Actor, lawyer: i64) -> ConversationId {
        let participant_id = UserId::new(lawyer).unwrap();
        self.run(client, CreateConversation { participant_id }).unwrap().reply.conversation.id
    }

    /// Says something plain.
    pub fn say(&mut self, actor: Actor, conversation_id: ConversationId, content: &str) -> Message {
        message_of(self.run(actor, plain(conversation_id, content)).unwrap())
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
pub fn message_of(outcome: Outcome<MessageSent>) -> Message {
    Message::clone(&outcome.reply.message)
}
