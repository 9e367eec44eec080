//! The layer above's end of one session, whatever its transport.

use bytes::Bytes;
use std::sync::Arc;

use crate::engineio::packet::Message;
use crate::engineio::request::OpeningRequest;

/// One session. Whoever holds it drives it: reading, writing and the heartbeat happen inside [`Socket::recv`].
pub struct Socket {
    request: OpeningRequest,
}

/// The session is over; what was to be sent is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session is closed")]
pub struct Closed;

/// What leaves in one piece: a text message and the binary messages that belong right behind it.
#[derive(Debug, Clone)]
pub struct Unit {
    _text: Bytes,
    _attachments: Arc<[Bytes]>,
}

impl Socket {
    /// The request that opened the session; empty once admitted.
    pub fn request(&self) -> &OpeningRequest {
        &self.request
    }

    /// The client is known now: the session no longer counts against its address and the opening request is forgotten.
    pub fn admit(&mut self) {}

    /// The next message; `None` once the session is over. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Message> {
        None
    }

    /// Keeps the session going (writes, heartbeat) without taking a message; returns once it is over. Cancel-safe.
    pub async fn drive(&mut self) {}

    /// A handle to send by.
    pub fn sender(&self) -> Sender {
        Sender {}
    }
}

/// Sends to one session from anywhere; cheap to clone, never waits.
#[derive(Clone)]
pub struct Sender {}

impl Sender {
    /// Queues a unit. A session with more than `queue_bytes_max` waiting is closed instead.
    pub fn send(&self, _unit: Unit) -> Result<(), Closed> {
        Err(Closed)
    }

    /// Closes the session once what is queued has left.
    pub fn close(&self) {}

    /// Whether the session is over or closing.
    pub fn is_closed(&self) -> bool {
        true
    }
}
