//! One socket's life. Here the two wings meet, and nowhere else.
//!
//! ```text
//! CONNECT /chat ── token good, session live, a seat free ──▶ attending ── leaves ──▶ may connect again
//!       └─ else CONNECT_ERROR                                    └─ token or session ends ──▶ auth:expired, closed
//! ```
//!
//! One task per socket, and three inputs: the next answer, the token's end, what the client sends. While the window has
//! no room the client is not read. A session that ends takes its seats out of the hub, so from that moment nothing reaches its
//! sockets, and whatever they still ask is refused by the rules.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::auth::actor::{Actor, Caller};
use crate::auth::keyring::Keyring;
use crate::chat::command::Command;
use crate::chat::error::{Code, Error};
use crate::chat::execute::{Chat, Outcomes};
use crate::chat::figures::Tally;
use crate::gateway::admission::{self, Opening};
use crate::gateway::asking::Asking;
use crate::gateway::hub::{Hub, Seat};
use crate::gateway::presence::Presence;
use crate::gateway::reply::{Answer, Exception, Refusal, Success};
use crate::gateway::request::Request;
use crate::gateway::telling::{self, NAMESPACE};
use crate::gateway::window::{Asked, Window, Work};
use crate::model::locale::Locale;
use crate::model::timestamp::Timestamp;
use crate::socketio::connection::{Connection, Received};
use crate::socketio::packet::{AckId, Args};
use crate::socketio::sender::Sender;

/// How long before its token ends a socket is warned.
const WARNING: Duration = Duration::from_secs(60);

/// What sockets are allowed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Sockets that one person may have open.
    pub sockets_per_user_max: usize,
    /// Events of one socket that may be in work.
    pub window_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { sockets_per_user_max: 50, window_max: 64 }
    }
}

/// What all connections stand on. Clones share it.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
}

struct Shared {
    chat: Chat,
    keyring: Keyring,
    hub: Hub,
    presence: Arc<Presence>,
    refused: Tally,
    window_max: usize,
}

impl Gateway {
    /// A gateway without connections.
    #[must_use]
    pub fn new(chat: Chat, keyring: Keyring, settings: &Settings) -> Self {
        let hub = Hub::new(settings.sockets_per_user_max, chat.presence().clone());
        let presence = Arc::new(Presence::new(chat.clone(), hub.clone()));
        let (refused, window_max) = (Tally::default(), settings.window_max);
        Self { shared: Arc::new(Shared { chat, keyring, hub, presence, refused, window_max }) }
    }

    /// Sockets that belong to somebody now.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.shared.hub.sockets()
    }

    /// Events and connections refused since the start, in the order of [`Code::ALL`].
    #[must_use]
    pub fn refused(&self) -> [u64; Code::ALL.len()] {
        self.shared.refused.read()
    }

    /// Tells what happens, until the chat is closed and all of it is told.
    pub async fn run(&self, outcomes: Outcomes) {
        tokio::select! {
            () = telling::tell_all(&self.shared.hub, outcomes) => {}
            () = self.shared.presence.run() => {}
        }
    }

    /// Serves one connection until it is over.
    pub async fn serve(&self, connection: &mut Connection) {
        let opening = Opening::read(connection);
        while let Some(received) = connection.recv().await {
            let Received::Connect { namespace, auth } = received else { continue };
            if &*namespace != NAMESPACE {
                connection.refuse(&namespace, "Invalid namespace", None);
                continue;
            }
            let Shared { chat, keyring, hub, .. } = &*self.shared;
            let admitted = match opening.token(auth.as_ref()) {
                Some(token) => admission::admit(chat, keyring, hub, token).await,
                None => Err(admission::token_missing()),
            };
            match admitted {
                Ok((caller, seat)) => {
                    let sender = connection.accept(NAMESPACE);
                    connection.admit();
                    if seat.open(sender.clone()).is_ok() {
                        Attendance::new(self, sender, seat, caller, opening.locale()).run(connection).await;
                    } else {
                        connection.close();
                    }
                }
                Err(error) => {
                    self.shared.refused.count(error.code());
                    let (message, data) = admission::refusal(&error, opening.locale());
                    connection.refuse(NAMESPACE, &message, Some(data));
                }
            }
        }
    }
}

/// One socket in the namespace.
struct Attendance {
    gateway: Gateway,
    sender: Sender,
    seat: Arc<Seat>,
    caller: Caller,
    locale: Locale,
    window: Window,
    is_warned: bool,
}

/// What a turn of the loop is about.
enum Input {
    Answer(Asked, Result<Answer, Error>),
    Alarm,
    Received(Option<Received>),
}

impl Attendance {
    fn new(gateway: &Gateway, sender: Sender, seat: Seat, caller: Caller, locale: Locale) -> Self {
        let window = Window::new(gateway.shared.window_max);
        Self { gateway: gateway.clone(), sender, seat: Arc::new(seat), caller, locale, window, is_warned: false }
    }

    /// Until the client leaves the namespace, the connection ends, or the token does.
    async fn run(mut self, connection: &mut Connection) {
        let alarm = sleep_until(self.next_alarm());
        tokio::pin!(alarm);
        loop {
            match self.next_input(connection, alarm.as_mut()).await {
                Input::Answer(asked, result) => {
                    if let Ok(Answer::Refreshed { caller, .. }) = result {
                        self.caller = caller;
                        self.is_warned = false;
                        alarm.as_mut().reset(self.next_alarm());
                    }
                    self.answer(&asked, &result);
                }
                Input::Alarm => {
                    if self.caller.expires_at() <= Timestamp::now() {
                        return telling::say_goodbye(self.seat.give_up(), "token_expired");
                    }
                    self.warn();
                    alarm.as_mut().reset(self.next_alarm());
                }
                Input::Received(Some(Received::Event { name, args, ack, .. })) => self.take(name, &args, ack),
                Input::Received(Some(Received::Connect { namespace, .. })) => {
                    connection.refuse(&namespace, "Invalid namespace", None);
                }
                Input::Received(Some(Received::Disconnect { .. }) | None) => return,
            }
        }
    }

    async fn next_input(&mut self, connection: &mut Connection, alarm: std::pin::Pin<&mut Sleep>) -> Input {
        let has_room = self.window.has_room();
        let received = async {
            if has_room {
                return connection.recv().await;
            }
            connection.drive().await;
            None
        };
        tokio::select! {
            biased;
            (asked, result) = self.window.next() => Input::Answer(asked, result),
            () = alarm => Input::Alarm,
            received = received => Input::Received(received),
        }
    }

    /// Puts an event to work, behind those before it.
    fn take(&mut self, event: String, args: &Args, ack: Option<AckId>) {
        let chat = &self.gateway.shared.chat;
        let work = match Request::read(&event, args) {
            Err(error) => Work::Refused(Some(error)),
            Ok(Request::Change(command)) => {
                let show = if matches!(command, Command::SendMessage(_)) { Answer::sent } else { Answer::changed };
                Work::Change(chat.submit(Actor::Member(self.caller), command), show)
            }
            Ok(question) => Work::Reading(Box::pin(self.asking().answer(question))),
        };
        self.window.push(Asked { event, ack, work });
    }

    fn asking(&self) -> Asking {
        let Shared { chat, keyring, presence, .. } = &*self.gateway.shared;
        Asking {
            chat: chat.clone(),
            keyring: keyring.clone(),
            presence: presence.clone(),
            seat: self.seat.clone(),
            caller: self.caller,
            locale: self.locale,
        }
    }

    fn answer(&self, asked: &Asked, result: &Result<Answer, Error>) {
        if let Err(error) = result {
            self.gateway.shared.refused.count(error.code());
        }
        if let Err(Error { cause: Some(cause), reference, .. }) = result {
            tracing::error!(event = asked.event, reference, cause, "an event failed");
        }
        // A connection that is over is noticed by the next look at it.
        let _ = match (result, asked.ack) {
            (Ok(answer), Some(ack)) => self.sender.ack(ack, &Success::new(answer)),
            (Err(error), Some(ack)) => self.sender.ack(ack, &Refusal::new(error, self.locale)),
            (Err(error), None) => self.sender.emit("exception", &Exception::new(&asked.event, error, self.locale)),
            (Ok(_), None) => Ok(()),
        };
    }

    /// The next moment at which there is something to say about the token.
    fn next_alarm(&self) -> Instant {
        let end = self.caller.expires_at();
        let moment = if self.is_warned { end } else { end - WARNING };
        Instant::now() + moment.since(Timestamp::now())
    }

    fn warn(&mut self) {
        let expires_at = self.caller.expires_at();
        if expires_at.since(Timestamp::now()) <= WARNING {
            self.is_warned = true;
            // See `answer`.
            let _ = self.sender.emit("auth:expiring", &AuthExpiring { expires_at });
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuthExpiring {
    expires_at: Timestamp,
}
