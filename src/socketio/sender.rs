//! Sending to one namespace of one connection, from anywhere.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use tokio::sync::oneshot;

use crate::engineio::socket::{Closed, Sender as Line};
use crate::socketio::args::Args;
use crate::socketio::encoded::Encoded;
use crate::socketio::packet::AckId;

/// Why an acknowledgement did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AckError {
    /// The client did not answer in time.
    #[error("the acknowledgement did not come in time")]
    Timeout,
    /// The connection ended first.
    #[error("the connection is closed")]
    Closed,
}

/// One accepted namespace of one connection; cheap to clone, never waits.
#[derive(Clone)]
pub struct Sender {
    channel: Arc<Channel>,
}

/// What the senders of a namespace share with its connection.
struct Channel {
    line: Line,
    namespace: Arc<str>,
    id: String,
    open: AtomicBool,
    wanted: Mutex<Wanted>,
}

/// Acknowledgements that the client owes.
#[derive(Default)]
struct Wanted {
    last: u64,
    waiting: HashMap<u64, oneshot::Sender<Args>>,
}

impl Sender {
    pub(super) fn new(line: Line, namespace: Arc<str>) -> Self {
        let channel =
            Channel { line, namespace, id: random_id(), open: AtomicBool::new(true), wanted: Mutex::default() };
        Self { channel: Arc::new(channel) }
    }

    /// The public socket id, which the client knows too; says nothing about the secret session id.
    pub fn id(&self) -> &str {
        &self.channel.id
    }

    /// The namespace, with its slash.
    pub fn namespace(&self) -> &str {
        &self.channel.namespace
    }

    /// Sends a packet that was encoded for this namespace.
    pub fn send(&self, packet: &Encoded) -> Result<(), Closed> {
        self.push(packet.clone())
    }

    /// Sends a packet unless more than `queued_max` bytes wait for this client already, or the connection is over.
    pub fn send_if_short(&self, packet: &Encoded, queued_max: usize) {
        if self.is_open() {
            self.channel.line.send_if_short(packet.clone().into_unit(), queued_max);
        }
    }

    /// Sends an event with one argument.
    pub fn emit(&self, name: &str, data: &impl Serialize) -> Result<(), Closed> {
        self.push(Encoded::event(self.namespace(), name, data))
    }

    /// Sends an event with any number of arguments, binary included.
    pub fn emit_args(&self, name: &str, args: &Args) -> Result<(), Closed> {
        self.push(Encoded::event_with(self.namespace(), name, args))
    }

    /// Sends an event and waits until the client acknowledges it. The event is sent at once, whether or not the
    /// returned future is polled.
    pub fn emit_with_ack(
        &self,
        name: &str,
        args: &Args,
        within: Duration,
    ) -> impl Future<Output = Result<Args, AckError>> + Send + use<> {
        let (answer, answered) = oneshot::channel();
        let id = self.channel.want(answer);
        let owed = Owed { channel: Arc::clone(&self.channel), id };
        let sent = self.push(Encoded::event_wanting_ack(self.namespace(), name, AckId(id), args));
        async move {
            let _owed = owed;
            sent.map_err(|Closed| AckError::Closed)?;
            let answer = tokio::time::timeout(within, answered).await.map_err(|_| AckError::Timeout)?;
            answer.map_err(|_| AckError::Closed)
        }
    }

    /// Acknowledges an event with one argument.
    pub fn ack(&self, id: AckId, data: &impl Serialize) -> Result<(), Closed> {
        self.push(Encoded::ack(self.namespace(), id, data))
    }

    /// Acknowledges an event with any number of arguments, binary included.
    pub fn ack_args(&self, id: AckId, args: &Args) -> Result<(), Closed> {
        self.push(Encoded::ack_with(self.namespace(), id, args))
    }

    /// Leaves the namespace: the client learns of it, and what it still sends there is ignored.
    pub fn disconnect(&self) {
        if self.shut() {
            let _ = self.channel.line.send(Encoded::disconnect(self.namespace()).into_unit());
            // If it was the last namespace, the connection's time runs from now on.
            self.channel.line.nudge();
        }
    }

    /// Closes the whole connection once what is queued has left.
    pub fn close(&self) {
        self.channel.line.close();
    }

    /// Whether nothing sent by this handle can arrive any more.
    pub fn is_closed(&self) -> bool {
        !self.is_open() || self.channel.line.is_closed()
    }

    /// Whether neither side has left the namespace.
    pub(super) fn is_open(&self) -> bool {
        self.channel.open.load(Ordering::Acquire)
    }

    /// Nothing goes out any more and no acknowledgement is waited for; `false` if that was so before.
    pub(super) fn shut(&self) -> bool {
        let was_open = self.channel.open.swap(false, Ordering::AcqRel);
        self.channel.wanted().waiting.clear();
        was_open
    }

    /// The client acknowledged an event; one that nobody waits for is dropped.
    pub(super) fn acknowledged(&self, id: AckId, args: Args) {
        let waiting = self.channel.wanted().waiting.remove(&id.0);
        if let Some(answer) = waiting {
            let _ = answer.send(args);
        }
    }

    fn push(&self, packet: Encoded) -> Result<(), Closed> {
        if !self.is_open() {
            return Err(Closed);
        }
        self.channel.line.send(packet.into_unit())
    }
}

impl Channel {
    fn want(&self, answer: oneshot::Sender<Args>) -> u64 {
        let mut wanted = self.wanted();
        let id = wanted.last;
        wanted.last += 1;
        wanted.waiting.insert(id, answer);
        id
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An acknowledgement that somebody waits for; forgotten when they stop waiting.
struct Owed {
    channel: Arc<Channel>,
    id: u64,
}

impl Drop for Owed {
    fn drop(&mut self) {
        self.channel.wanted().waiting.remove(&self.id);
    }
}

fn random_id() -> String {
    let mut bits = [0; 15];
    getrandom::fill(&mut bits).expect("the system gives random bytes");
    BASE64_URL_SAFE_NO_PAD.encode(bits)
}
