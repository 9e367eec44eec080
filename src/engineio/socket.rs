//! The layer above's end of one session, whatever carries it.
//!
//! There is no task behind a socket: reading, writing and the heartbeat happen while its holder waits in
//! [`Socket::recv`]. What others queue meanwhile leaves in one write per wake-up.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, Sleep};
use tokio_util::task::TaskTracker;

use crate::engineio::link::{Link, Upgrade, Waiter};
use crate::engineio::packet::{Message, Packet, Unit};
use crate::engineio::request::OpeningRequest;
use crate::engineio::session::Session;
use crate::engineio::websocket::{Ended, WebSocket};

/// Bytes handed to a WebSocket at once.
const BATCH_BYTES: usize = 64 * 1024;

/// Close codes of RFC 6455.
const NORMAL: u16 = 1000;
const PROTOCOL_ERROR: u16 = 1002;
const POLICY: u16 = 1008;

/// The session is over; what was to be sent is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session is closed")]
pub struct Closed;

/// One session. Whoever holds it drives it; dropping it closes the session.
pub struct Socket {
    link: Arc<Link>,
    request: OpeningRequest,
    line: Line,
    manners: Manners,
    /// Cost of the units that the WebSocket has taken and not yet written.
    in_flight: usize,
    alarm: Pin<Box<Sleep>>,
}

enum Line {
    Opening(OnUpgrade),
    WebSocket(Upgrade),
    Polling,
    Over,
}

/// What a socket needs to know of its endpoint.
#[derive(Clone)]
pub(super) struct Manners {
    pub(super) max_payload: usize,
    pub(super) body_timeout: Duration,
    /// Follows the tasks that outlive a socket for a moment, to say goodbye.
    pub(super) farewells: TaskTracker,
}

/// What one look at the session brought.
enum Look {
    Message(Message),
    Over(Option<u16>),
    Again,
    Wait(Instant),
}

/// The session's side of a look.
enum State {
    Message(Message),
    Upgraded,
    Closed,
    Going { deadline: Instant },
}

impl Socket {
    pub(super) fn new(link: Arc<Link>, request: OpeningRequest, upgrade: Option<OnUpgrade>, manners: Manners) -> Self {
        let line = upgrade.map_or(Line::Polling, Line::Opening);
        let alarm = Box::pin(tokio::time::sleep(Duration::ZERO));
        Self { link, request, line, manners, in_flight: 0, alarm }
    }

    /// The request that opened the session; once admitted, only who sent it.
    pub fn request(&self) -> &OpeningRequest {
        &self.request
    }

    /// The client is known now: the session no longer counts against its address and the opening request is forgotten.
    pub fn admit(&mut self) {
        self.link.admit();
        self.request.forget();
    }

    /// The next message; `None` once the session is over. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Message> {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// [`Socket::recv`] for whoever has more to look at in one poll.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        self.poll(cx, true)
    }

    /// Keeps the session going (writes, heartbeat) without taking a message; returns once it is over. Cancel-safe.
    /// For a holder that has enough in work and must not read on.
    pub async fn drive(&mut self) {
        std::future::poll_fn(|cx| self.poll(cx, false)).await;
    }

    /// A handle to send by.
    pub fn sender(&self) -> Sender {
        Sender { link: Arc::clone(&self.link) }
    }

    /// Ends the session at once: the client broke the rules of the layer above.
    pub fn abort(&mut self) {
        self.end(Some(PROTOCOL_ERROR));
    }

    fn poll(&mut self, cx: &mut Context<'_>, listening: bool) -> Poll<Option<Message>> {
        loop {
            let now = Instant::now();
            match self.look(cx, listening, now) {
                Look::Message(message) => return Poll::Ready(Some(message)),
                Look::Over(code) => {
                    self.end(code);
                    return Poll::Ready(None);
                }
                Look::Again => {}
                Look::Wait(deadline) => {
                    // A timer that rings too early only looks again: it is moved when it rings, not with each packet.
                    if self.alarm.deadline() > deadline || self.alarm.is_elapsed() {
                        self.alarm.as_mut().reset(deadline);
                    }
                    if self.alarm.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    fn look(&mut self, cx: &mut Context<'_>, listening: bool, now: Instant) -> Look {
        match &mut self.line {
            Line::Over => return Look::Over(None),
            Line::Opening(upgrade) => match Pin::new(upgrade).poll(cx) {
                Poll::Ready(Ok(upgraded)) => {
                    let websocket = WebSocket::new(TokioIo::new(upgraded), self.manners.max_payload);
                    self.line = Line::WebSocket(Box::new(websocket));
                }
                Poll::Ready(Err(_)) => return Look::Over(None),
                Poll::Pending => {}
            },
            Line::WebSocket(_) | Line::Polling => {}
        }
        match self.consult(cx, listening, now) {
            State::Message(message) => Look::Message(message),
            State::Closed => Look::Over(Some(NORMAL)),
            State::Upgraded => {
                if let Some(websocket) = self.link.take_handover() {
                    self.line = Line::WebSocket(websocket);
                }
                Look::Again
            }
            State::Going { deadline } => match self.carry(cx, listening, now) {
                Look::Wait(sooner) => Look::Wait(sooner.min(deadline)),
                other => other,
            },
        }
    }

    /// Brings the session up to date, takes what is to be written, and asks to be woken by the next change.
    fn consult(&mut self, cx: &Context<'_>, listening: bool, now: Instant) -> State {
        let (line, in_flight) = (&mut self.line, &mut self.in_flight);
        let mut deadline = now;
        let state = self.link.wait(Waiter::Owner, cx, |session| {
            if listening && let Some(message) = session.take_message() {
                return Some(State::Message(message));
            }
            if let Line::WebSocket(websocket) = line
                && websocket.is_idle()
            {
                session.written(std::mem::take(in_flight));
                if session.is_drained() {
                    session.end();
                }
            }
            // A WebSocket is heard only after it was read: see `carry`.
            session.tick(now.into_std(), matches!(line, Line::Polling));
            if session.is_closed() {
                return Some(State::Closed);
            }
            deadline = session.deadline(now.into_std()).into();
            match line {
                Line::WebSocket(websocket) if websocket.is_idle() => {
                    while *in_flight < BATCH_BYTES
                        && let Some(unit) = session.take_unit()
                    {
                        *in_flight += unit.cost();
                        unit.frames().for_each(|frame| websocket.push(frame));
                    }
                    None
                }
                Line::Polling if session.is_upgraded() => Some(State::Upgraded),
                _ => None,
            }
        });
        state.unwrap_or(State::Going { deadline })
    }

    /// Moves packets over the WebSocket, if there is one.
    fn carry(&mut self, cx: &mut Context<'_>, listening: bool, now: Instant) -> Look {
        const FAR: Duration = Duration::from_secs(3600);
        let Line::WebSocket(websocket) = &mut self.line else { return Look::Wait(now + FAR) };
        if !websocket.is_idle() {
            match websocket.poll_write(cx) {
                Poll::Ready(Ok(())) => return Look::Again,
                Poll::Ready(Err(Ended(code))) => return Look::Over(code),
                Poll::Pending => {}
            }
        }
        if !listening {
            return Look::Wait(now + FAR);
        }
        match websocket.poll_packet(cx) {
            Poll::Ready(Ok(Ok(Packet::Message(message)))) => return Look::Message(message),
            Poll::Ready(Ok(packet)) => {
                let wrong = !matches!(packet, Ok(Packet::Close | Packet::Pong(_) | Packet::Noop));
                self.link.with(|session| session.receive(packet, now.into_std()));
                return if wrong { Look::Over(Some(PROTOCOL_ERROR)) } else { Look::Again };
            }
            Poll::Ready(Err(Ended(code))) => return Look::Over(code),
            Poll::Pending => {}
        }
        let late = websocket.receiving_since().map(|since| Instant::from_std(since) + self.manners.body_timeout);
        match late {
            Some(late) if late <= now => return Look::Over(Some(POLICY)),
            _ => {}
        }
        let silent = self.link.with(|session| {
            session.tick(now.into_std(), true);
            session.is_closed()
        });
        if silent { Look::Over(Some(NORMAL)) } else { Look::Wait(late.unwrap_or(now + FAR)) }
    }

    /// Ends the session; a WebSocket says goodbye on its own time.
    fn end(&mut self, code: Option<u16>) {
        self.link.with(|session| session.end());
        let line = std::mem::replace(&mut self.line, Line::Over);
        let websocket = match line {
            Line::WebSocket(websocket) => Some(websocket),
            Line::Opening(_) | Line::Polling => self.link.take_handover(),
            Line::Over => None,
        };
        if let Some(websocket) = websocket
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            self.manners.farewells.spawn_on(websocket.finish(code), &runtime);
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.end(Some(NORMAL));
    }
}

/// Sends to one session from anywhere; cheap to clone, never waits.
#[derive(Clone)]
pub struct Sender {
    link: Arc<Link>,
}

impl Sender {
    /// Queues a unit. A session with more than `queue_bytes_max` waiting is closed instead.
    pub fn send(&self, unit: Unit) -> Result<(), Closed> {
        if self.link.with(|session| session.send(unit)) { Ok(()) } else { Err(Closed) }
    }

    /// Queues a unit unless more than `queued_max` bytes wait already.
    pub fn send_if_short(&self, unit: Unit, queued_max: usize) {
        self.link.with(|session| session.send_if_short(unit, queued_max));
    }

    /// Closes the session once what is queued has left.
    pub fn close(&self) {
        self.link.with(|session| session.close(Instant::now().into_std()));
    }

    /// Has the socket's holder look again: something that it goes by has changed elsewhere.
    pub fn nudge(&self) {
        self.link.with(Session::nudge);
    }

    /// Whether the session is over or closing.
    pub fn is_closed(&self) -> bool {
        !self.link.with(|session| session.is_open())
    }
}
