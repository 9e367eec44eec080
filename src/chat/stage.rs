//! A whole chat for tests: a database file of its own with the demo accounts, the pen at work, and all that is told
//! written down.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use crate::auth::actor::Actor;
use crate::auth::token;
use crate::chat::command::Device;
use crate::chat::error::Error;
use crate::chat::event::{Event, SessionEnding, Told};
use crate::chat::execute::{Chat, Outcomes, Settings};
use crate::chat::sign_in::{SignIn, SignedIn};
use crate::model::timestamp::Timestamp;
use crate::store::db::{self, Db, Missing};

/// The password of the demo accounts.
pub const DEMO_PASSWORD: &str = "Pass123!";

/// The chat and what it told.
pub struct Stage {
    /// The chat.
    pub chat: Chat,
    folder: TempDir,
    told: Arc<Mutex<Vec<Told>>>,
}

impl Stage {
    /// A fresh chat with the demo accounts and without limits on attempts.
    pub fn demo() -> Self {
        Self::with(Settings { sign_in_rate: 0, ..Settings::default() }, Missing::CreateDemo)
    }

    /// A fresh chat.
    pub fn with(settings: Settings, missing: Missing) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let told = Arc::default();
        let chat = start(folder.path().join("lexchat.db"), settings, missing, &told);
        Self { chat, folder, told }
    }

    /// The database file.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("lexchat.db")
    }

    /// The same database after a restart of the program.
    pub async fn restarted(mut self, settings: Settings) -> Self {
        self.chat.close().await;
        self.chat = start(self.path(), settings, Missing::Refuse, &self.told);
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
        let told = self.told.lock().unwrap();
        let ending = |told: &Told| match told.event {
            Event::SessionEnded(reason) => Some(reason),
            _ => None,
        };
        told.iter().filter_map(ending).collect()
    }
}

/// A device at an address.
pub fn device(from: &str) -> Device {
    Device { address: Some(from.parse().unwrap()), user_agent: Some("tests".to_owned()) }
}

fn start(path: PathBuf, settings: Settings, missing: Missing, told: &Arc<Mutex<Vec<Told>>>) -> Chat {
    let db = Db::open(&db::Settings { path, missing, readers_max: 2 }).unwrap();
    let (chat, outcomes) = Chat::new(db, settings).unwrap();
    tokio::spawn(write_down(outcomes, Arc::clone(told)));
    chat
}

async fn write_down(mut outcomes: Outcomes, told: Arc<Mutex<Vec<Told>>>) {
    while let Some(batch) = outcomes.recv().await {
        for settled in batch {
            told.lock().unwrap().extend_from_slice(settled.events());
            settled.complete();
        }
    }
}
