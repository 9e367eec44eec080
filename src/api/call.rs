//! One call of the API: what came, who asks, and what is needed to answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use hyper::{Method, StatusCode};
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::api::counters::{Connected, Counters};
use crate::api::reply::{self, Answer};
use crate::auth::actor::Actor;
use crate::auth::keyring::Keyring;
use crate::auth::token;
use crate::chat::contract::command::people::Device;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::handle::chat::Chat;
use crate::http::request::{Chunks, Request};
use crate::http::tls::Identity;
use crate::integrations::hook::Secret;
use crate::integrations::stripe::client::Stripe;
use crate::integrations::web_push::subscription::Services;
use crate::model::call::{JitsiSeat, Provider, RoomBits};
use crate::model::fields::Fields;
use crate::model::locale::Locale;
use crate::model::timestamp::Timestamp;
use crate::model::user::Profile;

/// Papers that are set at once: each takes a processor, and memory for its pages.
const PAPERS_MAX: usize = 2;

/// The most bytes of a JSON body.
const BODY_BYTES_MAX: u64 = 256 * 1024;

/// What all calls share.
pub struct Api {
    /// The one door.
    pub chat: Chat,
    /// What tokens are verified with.
    pub keyring: Keyring,
    /// What the operator decided.
    pub settings: Settings,
    /// What was answered so far.
    pub counters: Counters,
    /// How many papers may be set at once.
    pub papers: Semaphore,
}

impl Api {
    /// What all calls share, before the first of them.
    #[must_use]
    pub fn new(chat: Chat, keyring: Keyring, settings: Settings) -> Self {
        Self { chat, keyring, settings, counters: Counters::default(), papers: Semaphore::new(PAPERS_MAX) }
    }
}

/// What the operator decided about the API.
pub struct Settings {
    /// The origin that people use, for links that leave the house.
    pub public_url: String,
    /// What is known of the services that record calls.
    pub hooks: Hooks,
    /// What a message may carry.
    pub limits: Limits,
    /// Calls, where there are any.
    pub calls: Option<Calls>,
    /// What `/metrics` asks of callers from elsewhere; they are refused where there is none.
    pub metrics_token: Option<Box<str>>,
    /// Every setting in force by its name, as shown to administrators.
    pub shown: BTreeMap<&'static str, String>,
    /// Where a browser's subscription may lead.
    pub push_services: Services,
    /// The database's file.
    pub database: std::path::PathBuf,
    /// Whether nobody but people at this machine can be meant.
    pub is_private: bool,
    /// Whether the public address was said.
    pub has_public_url: bool,
    /// The names that people know the server by.
    pub names: Vec<String>,
    /// The server's own certificate.
    pub identity: Option<Identity>,
    /// When the server started.
    pub started: Instant,
    /// What checks and reads the events of Stripe, where payments come by it.
    pub stripe: Option<Arc<Stripe>>,
    /// How the sockets are, which the API has never heard of: asked whenever somebody wants to know.
    pub connected: Box<dyn Fn() -> Connected + Send + Sync>,
}

/// Lets somebody into a room.
pub type Admit = Box<dyn Fn(RoomBits, &Profile) -> Result<JitsiSeat, Error> + Send + Sync>;

/// What the operator decided about calls.
pub struct Calls {
    /// Whether a server relays sound and pictures between networks.
    pub has_relay: bool,
    /// How they get across.
    pub provider: Provider,
    /// The Jitsi server's origin, whose pages ours may frame.
    pub frame: Option<String>,
    /// Lets somebody into a room: done by what leads calls on sockets, which the API has never heard of.
    pub admit: Admit,
}

/// What is known of the services that record.
#[derive(Clone, Default)]
pub struct Hooks {
    /// What Jibri's script shows.
    pub jibri_token: Option<Box<str>>,
    /// What 8x8 signs with; several while it is being changed.
    pub jaas_secrets: Vec<Secret>,
    /// This application's id at 8x8.
    pub jaas_app_id: String,
}

/// What a message may carry, as pages learn it so that they can say so before they upload.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Files and addresses of one message.
    pub files_per_message: usize,
    /// Seconds for which a message may be edited or deleted; 0 = always.
    pub edit_window: u64,
}

/// One call.
pub struct Call {
    /// What all calls share.
    pub api: Arc<Api>,
    /// What came.
    pub request: Request,
    /// The language of the answer.
    pub locale: Locale,
}

impl Call {
    /// Who asks: somebody whose token is good. That their session lives is read where it matters.
    pub fn member(&self) -> Result<Actor, Error> {
        let token = self.request.bearer().ok_or(Reason::TokenMissing)?;
        let caller = token::verify(&self.api.keyring, token, Timestamp::now()).map_err(|_| Reason::TokenInvalid)?;
        Ok(Actor::Member(caller))
    }

    /// Takes one from the budget that the caller has for socket events and searches together.
    pub fn spend(&self, actor: Actor) -> Result<(), Error> {
        actor.caller().map_or(Ok(()), |caller| self.api.chat.spend(caller.user_id()))
    }

    /// The chat.
    pub fn chat(&self) -> &Chat {
        &self.api.chat
    }

    /// Reads the JSON body field by field, whatever its `Content-Type` says.
    pub async fn body<T>(&mut self, reader: impl FnOnce(&mut Fields) -> T) -> Result<T, Error> {
        self.body_of(BODY_BYTES_MAX, reader).await
    }

    /// The same of a body that may be longer.
    pub async fn body_of<T>(&mut self, bytes_max: u64, reader: impl FnOnce(&mut Fields) -> T) -> Result<T, Error> {
        let text = self.request.bytes(bytes_max).await.map_err(reply::unreadable)?;
        Ok(Fields::read_bytes("body", &text, reader)?)
    }

    /// Reads the query string field by field.
    pub fn query<T>(&self, reader: impl FnOnce(&mut Fields) -> T) -> Result<T, Error> {
        Ok(Fields::read_pairs(self.request.query(), reader)?)
    }

    /// The body piece by piece.
    pub async fn chunks(&mut self, bytes_max: u64) -> Result<Chunks, Error> {
        self.request.stream(bytes_max).await.map_err(reply::unreadable)
    }

    /// Where the caller's session is opened from.
    pub fn device(&self) -> Device {
        let user_agent = self.request.header(hyper::header::USER_AGENT);
        let user_agent = user_agent.map(|text| text.chars().take(200).collect());
        Device { address: Some(self.request.peer), user_agent }
    }

    /// Whether only the headers are wanted.
    pub fn is_head(&self) -> bool {
        self.request.parts.method == Method::HEAD
    }

    /// A JSON answer.
    pub fn json(&self, status: StatusCode, value: &impl Serialize) -> Answer {
        reply::json(&self.request.parts.headers, status, value)
    }

    /// A JSON answer of status 200.
    pub fn ok(&self, value: &impl Serialize) -> Answer {
        self.json(StatusCode::OK, value)
    }
}

/// How long a page may be, if that is said.
pub fn optional_limit(fields: &mut Fields, limit_max: usize) -> Option<usize> {
    let limit = fields.optional_integer("limit", 1..=i64::try_from(limit_max).unwrap_or(i64::MAX));
    limit.and_then(|limit| usize::try_from(limit).ok())
}
