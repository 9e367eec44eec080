//! The endpoint: answers HTTP requests, opens sessions, hands their sockets to whoever accepts them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty};
use tokio::sync::mpsc;

use crate::engineio::origin::Origins;
use crate::engineio::request::Peer;
use crate::engineio::socket::Socket;

/// Why a body broke off.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// The body of every answer.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// How the endpoint behaves; each field has the protocol's usual default.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long after a pong the next ping is sent.
    pub ping_interval: Duration,
    /// How long a pong may take before the session is closed.
    pub ping_timeout: Duration,
    /// Largest message, frame or polling body taken from a client, in bytes.
    pub max_payload: usize,
    /// Bytes that may wait for one slow client before it is cut off.
    pub queue_bytes_max: usize,
    /// Sessions of one address that were not admitted yet (`Socket::admit`).
    pub sessions_max_per_address: usize,
    /// How long a WebSocket may take from its first byte to the end of an upgrade.
    pub upgrade_timeout: Duration,
    /// How long the body of a POST, or one fragmented message, may take to arrive.
    pub body_timeout: Duration,
    /// Which pages may talk to the endpoint.
    pub origins: Origins,
    /// Paths at which an upgrade request without `EIO` and `transport` opens a WebSocket session all the same.
    pub bare_websocket_paths: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            max_payload: 1_000_000,
            queue_bytes_max: 1 << 20,
            sessions_max_per_address: 100,
            upgrade_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            origins: Origins::default(),
            bare_websocket_paths: Vec::new(),
        }
    }
}

/// A shared handle on the endpoint.
#[derive(Clone)]
pub struct Server {
    settings: Arc<Settings>,
}

impl Server {
    /// An endpoint without sessions, and where its sockets come out.
    pub fn new(settings: Settings) -> (Self, Incoming) {
        let (_sockets, accepted) = mpsc::channel(1024);
        (Self { settings: Arc::new(settings) }, Incoming { accepted })
    }

    /// Answers one HTTP request for the endpoint: handshake, poll, post, upgrade or preflight.
    ///
    /// Never fails: what is wrong with a request is told in the answer, as the protocol's error JSON.
    /// `peer` is an `IpAddr` or a [`Peer`].
    pub async fn respond<B>(&self, _request: hyper::Request<B>, _peer: impl Into<Peer>) -> hyper::Response<Body>
    where
        B: hyper::body::Body<Data = Bytes> + Send + Unpin,
        B::Error: Into<BoxError>,
    {
        let _ = &self.settings;
        hyper::Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync())
    }

    /// Opens no further session, closes every one that is open, and waits until they are gone or `within` is over.
    pub async fn close(&self, _within: Duration) {}

    /// Sessions that are open now.
    pub fn sessions(&self) -> usize {
        0
    }
}

/// Where the sockets of new sessions come out.
pub struct Incoming {
    accepted: mpsc::Receiver<Socket>,
}

impl Incoming {
    /// The next socket; `None` once every handle on the server is gone.
    pub async fn accept(&mut self) -> Option<Socket> {
        self.accepted.recv().await
    }
}
