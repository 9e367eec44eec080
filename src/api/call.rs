//! One call of the API: what came, who asks, and what is needed to answer.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use hyper::{Method, StatusCode};
use serde::Serialize;

use crate::api::metrics::{Connected, Counters};
use crate::api::reply::{self, Answer};
use crate::auth::actor::Actor;
use crate::auth::keyring::Keyring;
use crate::auth::token;
use crate::chat::command::Device;
use crate::chat::error::{Error, Reason};
use crate::chat::execute::Chat;
use crate::http::request::{Chunks, Request};
use crate::model::fields::Fields;
use crate::model::locale::Locale;
use crate::model::timestamp::Timestamp;

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
}

/// What the operator decided about the API.
pub struct Settings {
    /// The origin that people use, for links that leave the house.
    pub public_url: String,
    /// What a message may carry.
    pub limits: Limits,
    /// What `/metrics` asks of callers from elsewhere; they are refused where there is none.
    pub metrics_token: Option<Box<str>>,
    /// Every setting in force by its name, as shown to administrators.
    pub shown: BTreeMap<&'static str, String>,
    /// The database's file.
    pub database: std::path::PathBuf,
    /// When the server started.
    pub started: Instant,
    /// How the sockets are, which the API has never heard of: asked whenever somebody wants to know.
    pub connected: Box<dyn Fn() -> Connected + Send + Sync>,
}

/// What a message may carry, as pages are told it so that they can say so before they upload.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Files and addresses of one message.
    pub files_per_message: usize,
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

    /// The chat.
    pub fn chat(&self) -> &Chat {
        &self.api.chat
    }

    /// Reads the JSON body field by field.
    pub async fn body<T>(&mut self, reader: impl FnOnce(&mut Fields) -> T) -> Result<T, Error> {
        let object = self.request.object(BODY_BYTES_MAX).await.map_err(reply::unreadable)?;
        Ok(Fields::read(object, reader)?)
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

/// The chat answered a command with the reply of another one.
pub fn unexpected(reply: &impl fmt::Debug) -> Error {
    let shown: String = format!("{reply:?}").chars().take_while(|c| c.is_alphanumeric()).collect();
    Error::internal(format!("a reply of another command: {shown}"))
}
