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

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::auth::actor::{Actor, Caller};
use crate::auth::keyring::Keyring;

use crate::chat::access::rates::Rates;
use crate::chat::contract::error::{Code, Error, Reason};
use crate::chat::handle::chat::Chat;
use crate::chat::handle::completion::Outcomes;
use crate::chat::handle::metrics::Tally;
use crate::gateway::admission::{self, Opening};
use crate::gateway::asking::Asking;
use crate::gateway::calls::{self, Signal};
use crate::gateway::fan_out;
use crate::gateway::hub::{Hub, NAMESPACE, Seat};
use crate::gateway::presence::Presence;
use crate::gateway::reply::{Answer, Exception, Refusal, Success};
use crate::gateway::request::{Change, Request};
use crate::gateway::window::{Asked, Window, Work};
use crate::model::locale::Locale;
use crate::model::timestamp::Timestamp;
use crate::socketio::args::Args;
use crate::socketio::connection::{Connection, Received};
use crate::socketio::packet::AckId;
use crate::socketio::sender::Sender;

/// How long before its token ends a socket is warned.
const WARNING: Duration = Duration::from_secs(60);

/// The event that has a budget of its own: the steps of a call's beginning come in crowds.
const UNCOUNTED: &str = "call:signal";
/// The shortest pause for a socket whose person asks too much.
const PAUSE_MIN: Duration = Duration::from_millis(50);

/// What sockets are allowed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Sockets that one person may have open.
    pub sockets_per_user_max: usize,
    /// Events of one socket that may be in work.
    pub window_max: usize,
    /// How browsers find each other in calls.
    pub calls: calls::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self { sockets_per_user_max: 50, window_max: 64, calls: calls::Settings::default() }
    }
}

/// What all connections share.
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
    calls: Arc<calls::Settings>,
    /// What people may say to each other's browsers.
    signals: Mutex<Rates>,
}

impl Gateway {
    /// A gateway without connections.
    #[must_use]
    pub fn new(chat: Chat, keyring: Keyring, settings: &Settings) -> Self {
        let hub = Hub::new(settings.sockets_per_user_max, chat.presence().clone(), chat.seats().clone());
        let presence = Arc::new(Presence::new(chat.clone(), hub.clone()));
        let (refused, window_max, calls) = (Tally::default(), settings.window_max, Arc::new(settings.calls.clone()));
        let signals = Mutex::new(Rates::new(calls::SIGNAL_RATE, calls::SIGNAL_BURST));
        let shared = Shared { chat, keyring, hub, presence, refused, window_max, calls, signals };
        Self { shared: Arc::new(shared) }
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

    /// Announces what is committed, until the chat is closed and all of it is announced.
    pub async fn run(&self, outcomes: Outcomes) {
        tokio::select! {
            () = fan_out::run(&self.shared.hub, &self.shared.presence, self.shared.chat.news(), outcomes) => {}
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
    /// Until when nothing more is read: it asked for too much.
    pauses_until: Option<Instant>,
}

/// What a turn of the loop is about.
enum Input {
    Answer(Asked, Result<Answer, Error>),
    Alarm,
    /// A pause is over.
    Pause,
    Received(Option<Received>),
}

impl Attendance {
    fn new(gateway: &Gateway, sender: Sender, seat: Seat, caller: Caller, locale: Locale) -> Self {
        let window = Window::new(gateway.shared.window_max);
        Self {
            gateway: gateway.clone(),
            sender,
            seat: Arc::new(seat),
            caller,
            locale,
            window,
            is_warned: false,
            pauses_until: None,
        }
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
                        return fan_out::say_goodbye(self.seat.give_up(), "token_expired");
                    }
                    self.warn();
                    alarm.as_mut().reset(self.next_alarm());
                }
                Input::Pause => {}
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
        self.pauses_until = self.pauses_until.filter(|until| *until > Instant::now());
        let pauses_until = self.pauses_until;
        let received = async {
            if !has_room {
                connection.drive().await;
                return Some(None);
            }
            match pauses_until {
                None => Some(connection.recv().await),
                Some(until) => tokio::time::timeout_at(until, connection.drive()).await.ok().map(|()| None),
            }
        };
        tokio::select! {
            biased;
            (asked, result) = self.window.next() => Input::Answer(asked, result),
            () = alarm => Input::Alarm,
            received = received => received.map_or(Input::Pause, Input::Received),
        }
    }

    /// Puts an event to work, behind those before it.
    fn take(&mut self, event: String, args: &Args, ack: Option<AckId>) {
        let request = self.spend(&event).and_then(|()| Request::read(&event, args));
        let signalled = |signal: Signal| match signal.send(&self.seat) {
            Some(delivered) => Ok(Answer::Signalled { delivered }),
            None => Err(Reason::NotFound.into()),
        };
        let (chat, actor) = (&self.gateway.shared.chat, Actor::Member(self.caller));
        let work = match request {
            Err(error) => Work::Settled(Some(Box::new(Err(error)))),
            Ok(Request::Signal(signal)) => Work::Settled(Some(Box::new(signalled(signal)))),
            Ok(Request::Question(question)) => Work::Reading(Box::pin(self.asking().answer(question))),
            Ok(Request::Change(change)) => match change {
                Change::Send(command) => Work::Sent(chat.submit(actor, command)),
                Change::Edit(command) => Work::Changed(chat.submit(actor, command)),
                Change::Delete(command) => Work::Changed(chat.submit(actor, command)),
                Change::React(command) => Work::Reacted(chat.submit(actor, command)),
                Change::Read(command) => Work::Read(chat.submit(actor, command)),
                Change::MarkUnread(command) => Work::Shown(chat.submit(actor, command)),
                Change::StartCall(command) => Work::Started(chat.submit(actor, command)),
                Change::DeclineCall(command) => Work::Called(chat.submit(actor, command)),
                Change::LeaveCall(command) => Work::Called(chat.submit(actor, command)),
                Change::RecordCall(command) => Work::Called(chat.submit(actor, command)),
            },
        };
        self.window.push(Asked { event, ack, work });
    }

    /// Takes one from the budget of the socket's person, before anything is read of what it asks. Whoever has used it up is not
    /// read for a moment: a flood then waits on its sender's side.
    fn spend(&mut self, event: &str) -> Result<(), Error> {
        let (shared, user_id) = (&self.gateway.shared, self.caller.user_id());
        let spent = if event == UNCOUNTED {
            shared.signals.lock().unwrap_or_else(PoisonError::into_inner).take(user_id)
        } else {
            shared.chat.spend(user_id)
        };
        spent.inspect_err(|error| {
            self.pauses_until = error.retry_after.map(|wait| Instant::now() + wait.max(PAUSE_MIN));
        })
    }

    fn asking(&self) -> Asking {
        let Shared { chat, keyring, presence, calls, .. } = &*self.gateway.shared;
        Asking {
            chat: chat.clone(),
            keyring: keyring.clone(),
            presence: presence.clone(),
            calls: Arc::clone(calls),
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
            // A connection that is over is noticed by the next look at it.
            let _ = self.sender.emit("auth:expiring", &AuthExpiring { expires_at });
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuthExpiring {
    expires_at: Timestamp,
}
