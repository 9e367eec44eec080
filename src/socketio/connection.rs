//! One client's connection: its namespaces, what it sends, and the acknowledgements that it owes.
//!
//! ```text
//! CONNECT ──▶ asked ── accept() ──▶ open ── DISCONNECT or disconnect() ──▶ left
//!               └───── refuse() ──▶ left
//! ```
//!
//! Whoever breaks the protocol is closed at the first bad packet. A connection without a namespace ends by itself.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, Sleep};

use crate::engineio::packet::Message;
use crate::engineio::request::OpeningRequest;
use crate::engineio::socket::Socket;
use crate::socketio::args::Args;
use crate::socketio::assembler::{Assembler, Bounds};
use crate::socketio::encoded::Encoded;
use crate::socketio::packet::{AckId, Body, Malformed, NAMESPACE_MAX, Packet};
use crate::socketio::sender::Sender;

/// What a connection allows its client.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a connection may be without a namespace.
    pub connect_timeout: Duration,
    /// Binary attachments of one packet.
    pub attachments_max: usize,
    /// Bytes of one packet with its attachments.
    pub packet_bytes_max: usize,
    /// How long the attachments of a packet may take to arrive.
    pub assembly_timeout: Duration,
    /// Namespaces of one connection.
    pub namespaces_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            attachments_max: 10,
            packet_bytes_max: 1_000_000,
            assembly_timeout: Duration::from_secs(30),
            namespaces_max: 10,
        }
    }
}

/// What a client asks. Anything else that it may send is dealt with here, or closes the connection.
#[derive(Debug)]
pub enum Received {
    /// To be let into a namespace: answer by [`Connection::accept`] or [`Connection::refuse`].
    Connect {
        /// The namespace, with its slash.
        namespace: Arc<str>,
        /// What came along: always an object.
        auth: Option<Value>,
    },
    /// Something happened, in a namespace that was accepted. Names that the protocol reserves never come out.
    Event {
        /// The namespace.
        namespace: Arc<str>,
        /// The event's name.
        name: String,
        /// The arguments behind the name.
        args: Args,
        /// Set if an acknowledgement is wanted: answer by [`Sender::ack`].
        ack: Option<AckId>,
    },
    /// The client left an accepted namespace.
    Disconnect {
        /// The namespace.
        namespace: Arc<str>,
    },
}

/// One client's connection. Whoever holds it drives it, by [`Connection::recv`].
pub struct Connection {
    socket: Socket,
    settings: Settings,
    namespaces: Vec<Namespace>,
    assembler: Assembler,
    /// Until when the client has to be in a namespace; none while it is.
    connect_by: Option<Instant>,
    alarm: Option<Pin<Box<Sleep>>>,
}

struct Namespace {
    name: Arc<str>,
    stage: Stage,
}

enum Stage {
    Asked,
    Open(Sender),
}

impl Connection {
    /// A connection without a namespace; its client has `connect_timeout` to get into one.
    pub fn new(socket: Socket, settings: Settings) -> Self {
        let bounds = Bounds { attachments_max: settings.attachments_max, bytes_max: settings.packet_bytes_max };
        Self {
            socket,
            connect_by: Some(Instant::now() + settings.connect_timeout),
            settings,
            namespaces: Vec::new(),
            assembler: Assembler::new(bounds),
            alarm: None,
        }
    }

    /// The request that opened the session; once admitted, only who sent it.
    pub fn request(&self) -> &OpeningRequest {
        self.socket.request()
    }

    /// The client is known now: the session no longer counts against its address and the opening request is forgotten.
    pub fn admit(&mut self) {
        self.socket.admit();
    }

    /// The next thing that the client asks; `None` once the connection is over. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Received> {
        loop {
            let message = std::future::poll_fn(|cx| self.poll_message(cx)).await?;
            match self.take(message) {
                Ok(Some(received)) => return Some(received),
                Ok(None) => {}
                Err(Malformed) => {
                    self.socket.abort();
                    return None;
                }
            }
        }
    }

    /// Keeps the connection going (writes, heartbeat) without taking anything; returns once it is over. Cancel-safe.
    /// For a holder that has enough in work and must not read on.
    pub async fn drive(&mut self) {
        self.socket.drive().await;
    }

    /// Lets the client into a namespace and sends it its socket id.
    pub fn accept(&mut self, namespace: &str) -> Sender {
        let name: Arc<str> = Arc::from(namespace);
        let sender = Sender::new(self.socket.sender(), Arc::clone(&name));
        let _ = sender.send(&Encoded::connect(namespace, sender.id()));
        self.leave(namespace);
        self.namespaces.push(Namespace { name, stage: Stage::Open(sender.clone()) });
        self.connect_by = None;
        sender
    }

    /// Keeps the client out: it gets `CONNECT_ERROR` with `message` and, if given, `data`.
    pub fn refuse(&mut self, namespace: &str, message: &str, data: Option<Value>) {
        self.leave(namespace);
        let _ = self.socket.sender().send(Encoded::connect_error(namespace, message, data.as_ref()).into_unit());
    }

    /// Closes the connection once what is queued has left; go on calling [`Connection::recv`] until `None`.
    pub fn close(&mut self) {
        self.socket.sender().close();
    }

    /// The next message, unless the client is late with something.
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let deadline = self.deadline();
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            self.socket.abort();
            return Poll::Ready(None);
        }
        if let Poll::Ready(message) = self.socket.poll_recv(cx) {
            return Poll::Ready(message);
        }
        let Some(deadline) = deadline else {
            self.alarm = None;
            return Poll::Pending;
        };
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if alarm.deadline() != deadline {
            alarm.as_mut().reset(deadline);
        }
        ready!(alarm.as_mut().poll(cx));
        self.socket.abort();
        Poll::Ready(None)
    }

    fn deadline(&mut self) -> Option<Instant> {
        if self.connect_by.is_none() && !self.namespaces.iter().any(Namespace::is_open) {
            self.connect_by = Some(Instant::now() + self.settings.connect_timeout);
        }
        let assembled_by =
            self.assembler.since().map(|since| Instant::from_std(since) + self.settings.assembly_timeout);
        [self.connect_by, assembled_by].into_iter().flatten().min()
    }

    fn take(&mut self, message: Message) -> Result<Option<Received>, Malformed> {
        let Some(packet) = self.assembler.take(message, Instant::now().into_std())? else { return Ok(None) };
        let Packet { namespace, body, .. } = packet;
        let place = self.namespaces.iter().position(|known| *known.name == *namespace);
        match (body, place) {
            (Body::Connect(_), None) if namespace.len() > NAMESPACE_MAX => {
                self.refuse(&namespace, "Invalid namespace", None);
                Ok(None)
            }
            (Body::Connect(auth), None) => Ok(self.ask(&namespace, auth.map(Value::Object))),
            (Body::Connect(auth), Some(place)) if self.namespaces[place].is_left() => {
                self.namespaces.swap_remove(place);
                Ok(self.ask(&namespace, auth.map(Value::Object)))
            }
            (Body::Connect(_), Some(_)) | (_, None) => Err(Malformed),
            (body, Some(place)) => self.take_at(place, body),
        }
    }

    fn ask(&mut self, namespace: &str, auth: Option<Value>) -> Option<Received> {
        if self.namespaces.len() >= self.settings.namespaces_max {
            self.refuse(namespace, "Too many namespaces", None);
            return None;
        }
        let name: Arc<str> = Arc::from(namespace);
        self.namespaces.push(Namespace { name: Arc::clone(&name), stage: Stage::Asked });
        Some(Received::Connect { namespace: name, auth })
    }

    /// Takes what the client says in a namespace that it was let into.
    fn take_at(&mut self, place: usize, body: Body) -> Result<Option<Received>, Malformed> {
        let Namespace { name, stage: Stage::Open(sender) } = &self.namespaces[place] else { return Err(Malformed) };
        if !sender.is_open() {
            // Under way while it was disconnected.
            return Ok(None);
        }
        let namespace = Arc::clone(name);
        Ok(match body {
            Body::Event { name, args, ack } => Some(Received::Event { namespace, name, args, ack }),
            Body::Ack { id, args } => {
                sender.acknowledged(id, args);
                None
            }
            Body::Disconnect => {
                self.leave(&namespace);
                Some(Received::Disconnect { namespace })
            }
            Body::Connect(_) => return Err(Malformed),
        })
    }

    /// Takes a namespace off the list.
    fn leave(&mut self, namespace: &str) {
        if let Some(place) = self.namespaces.iter().position(|known| *known.name == *namespace) {
            self.namespaces.swap_remove(place).shut();
        }
    }
}

impl Namespace {
    fn is_open(&self) -> bool {
        matches!(&self.stage, Stage::Open(sender) if sender.is_open())
    }

    fn is_left(&self) -> bool {
        matches!(&self.stage, Stage::Open(sender) if !sender.is_open())
    }

    fn shut(&self) {
        if let Stage::Open(sender) = &self.stage {
            sender.shut();
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.namespaces.iter().for_each(Namespace::shut);
    }
}
