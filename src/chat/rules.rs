//! Which rule carries out which command, and all that the rules know beside the database.

use std::sync::Arc;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::command::Command;
use crate::chat::error::Error;
use crate::chat::execute::Settings;
use crate::chat::messages::Surroundings;
use crate::chat::outcome::Outcome;
use crate::chat::presence::Presence;
use crate::chat::rates::Rates;
use crate::chat::standings::Standings;
use crate::chat::upkeep::Others;
use crate::chat::{accounts, administration, attachments, invitations, keys, sessions, sign_in, upkeep};
use crate::chat::{conversations, messages, reactions, reads};
use crate::model::timestamp::Timestamp;
use crate::store::words::Keeper;

/// The rules, with what they know. Lives on the pen's thread.
#[derive(Debug)]
pub struct Rules {
    settings: Arc<Settings>,
    presence: Presence,
    rates: Rates,
    standings: Standings,
    last_now: Timestamp,
    others: Others,
    index: Keeper,
}

impl Rules {
    /// The rules as the operator set them.
    #[must_use]
    pub fn new(settings: Arc<Settings>, presence: Presence) -> Self {
        let rates = Rates::new(settings.message_rate, settings.message_burst);
        Self {
            settings,
            presence,
            rates,
            standings: Standings::default(),
            last_now: Timestamp::default(),
            others: Others::default(),
            index: Keeper::default(),
        }
    }

    /// What the clock says; never earlier than what it said last.
    pub fn next_now(&mut self) -> Timestamp {
        self.last_now = self.last_now.max(Timestamp::now());
        self.last_now
    }

    /// To be called when a batch begins.
    ///
    /// # Errors
    /// SQLite's.
    pub fn begin(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.standings.begin(conn)
    }

    /// Writes down what is known here and not in the database. To be called before a batch is committed, and before any
    /// command that [`Rules::is_light`] does not let pass.
    ///
    /// # Errors
    /// SQLite's.
    pub fn write_down(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.standings.write_down(conn)
    }

    /// To be called when a command that is not light, or the whole batch, was taken back.
    pub fn forget(&mut self) {
        self.standings.forget();
    }

    /// Has the index of words follow, after so many changes. To be called after everything else that a batch writes.
    ///
    /// # Errors
    /// SQLite's. What was written here must be taken back.
    pub fn follow(&mut self, conn: &Connection, changes: usize) -> rusqlite::Result<()> {
        self.index.follow(conn, changes)
    }

    /// Whether a command takes conversations from memory alone, and writes by one statement after which nothing can go
    /// wrong: a refusal leaves nothing to take back.
    #[must_use]
    pub fn is_light(command: &Command) -> bool {
        matches!(command, Command::SendMessage(send) if send.files.is_empty() && send.attachments.is_empty())
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
        let Self { rates, standings, index, settings, .. } = self;
        let around = &mut Surroundings { rates, standings, index, settings };
        match command {
            Command::Notice => self.others.notice(conn, actor, now),
            Command::IndexWords => upkeep::index_words(conn, actor, index),
            Command::CreateConversation(command) => conversations::create(conn, actor, &command, now, presence),
            Command::SendMessage(command) => messages::send(conn, actor, &command, now, around),
            Command::EditMessage(command) => messages::edit(conn, actor, &command, now, around),
            Command::DeleteMessage(command) => messages::delete(conn, actor, &command, now, around),
            Command::ReactToMessage(command) => reactions::react(conn, actor, &command, now, around),
            Command::ReadMessage(command) => reads::read_message(conn, actor, &command, now, around),
            Command::ReadConversation(command) => {
                reads::read_conversation(conn, actor, &command, now, around, presence)
            }
            about_people => {
                self.standings.forget();
                self.carry_out_for_people(conn, actor, about_people, now)
            }
        }
    }

    fn carry_out_for_people(
        &mut self,
        conn: &Connection,
        actor: Actor,
        command: Command,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        let Self { presence, settings, rates, .. } = self;
        match command {
            Command::AdmitAttempt(command) => sign_in::admit(conn, &command, settings.sign_in_rate, now),
            Command::SignUp(command) => accounts::sign_up(conn, command, now),
            Command::OpenSession(command) => sign_in::open(conn, command, now),
            Command::FailSignIn(command) => sign_in::fail(conn, &command, now),
            Command::RefreshSession(command) => sessions::refresh(conn, &command, now),
            Command::SignOut => sessions::sign_out(conn, actor, now),
            Command::EndSession(command) => sessions::end_one(conn, actor, &command, now),
            Command::UpdateProfile(command) => accounts::update_profile(conn, actor, command, now, rates),
            Command::ChangePassword(command) => accounts::change_password(conn, actor, &command, now),
            Command::Rehash(command) => accounts::rehash(conn, actor, &command),
            Command::RecordLastSeen(command) => accounts::record_last_seen(conn, actor, &command, now),
            Command::CreateInvitation(command) => invitations::create(conn, actor, &command, now),
            Command::RevokeInvitation(command) => invitations::revoke(conn, actor, &command, now),
            Command::AcceptInvitation(command) => invitations::accept(conn, &command, now, presence),
            Command::CreateSetupLink(_) => invitations::create_setup(conn, actor, now),
            Command::SetUp(command) => invitations::set_up(conn, &command, now),
            Command::AddUser(command) => accounts::add(conn, actor, &command, now),
            Command::UpdateUser(command) => administration::update(conn, actor, command, now, presence),
            Command::SetPassword(command) => accounts::set_password(conn, actor, &command, now),
            Command::EndUserSessions(command) => administration::end_sessions(conn, actor, &command, now),
            Command::RotateKeys => keys::carry_out_rotation(conn, actor, settings.access_token_life, now),
            about_files => self.carry_out_for_files(conn, actor, about_files, now),
        }
    }

    fn carry_out_for_files(
        &self,
        conn: &Connection,
        actor: Actor,
        command: Command,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        let settings = &self.settings;
        match command {
            Command::BeginUpload(command) => attachments::begin(conn, actor, &command, now, settings),
            Command::AppendChunk(command) => attachments::append(conn, actor, &command, now, settings),
            Command::FinishUpload(command) => attachments::finish(conn, actor, command, now),
            Command::CancelUpload(command) => attachments::cancel(conn, actor, &command, now),
            Command::Tidy => upkeep::tidy(conn, actor, now),
            _ => Err(Error::internal("no rule carries out this command")),
        }
    }
}
