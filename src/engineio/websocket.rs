//! One WebSocket: the opening handshake, messages in, frames out, the closing handshake.
//!
//! The library reads frames and watches over RFC 6455; what leaves bypasses its buffers (see `wire`), so that an idle
//! socket holds one small read buffer and a shared message is never copied. permessage-deflate is not offered.
//!
//! Guarantees: messages and frames ≤ `max_payload`; a message in too many fragments, or one that takes too long, fails;
//! whoever breaks the protocol gets the close code that RFC 6455 names for it.

use std::io;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::HeaderMap;
use hyper::header::{self, HeaderName, HeaderValue};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig, WebSocketContext};
use tokio_tungstenite::tungstenite::{Message as Inbound, Utf8Bytes};

use crate::engineio::packet::{Frame, Malformed, Message, Packet, Text};
use crate::engineio::wire::{Opcode, Wire};

/// Held by each open socket; what it reads at once. A longer message gets a buffer of its own while it arrives.
const READ_BUFFER: usize = 2048;
/// For the library's pongs and its half of the closing handshake.
const CONTROL_BUFFER: usize = 1024;
/// How long the closing handshake may take, and how many bytes are still read meanwhile.
const CLOSING_TIME: Duration = Duration::from_secs(1);
const CLOSING_BYTES_MAX: usize = 1 << 20;
/// The header that names subprotocols may be this long.
const PROTOCOLS_MAX: usize = 1024;

/// The headers of the answer that accepts an upgrade request; `None` if it is not one that can be accepted.
///
/// Of the subprotocols that the client offers the first one is chosen, as the protocol's own server does: some clients close
/// a connection that chooses none.
pub(super) fn accept(headers: &HeaderMap) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?.as_bytes();
    let protocols: usize = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().map(HeaderValue::len).sum();
    let acceptable = is_upgrade(headers)
        && headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13")
        && key.len() == 24
        && key.ends_with(b"==")
        && protocols <= PROTOCOLS_MAX;
    if !acceptable {
        return None;
    }
    let mut answered = vec![
        (header::CONNECTION, HeaderValue::from_static("Upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_ACCEPT, HeaderValue::from_str(&derive_accept_key(key)).ok()?),
    ];
    answered.extend(subprotocol(headers)?.map(|first| (header::SEC_WEBSOCKET_PROTOCOL, first)));
    Some(answered)
}

/// The first subprotocol of the list, if there is one; `None` if it is no list of different names.
fn subprotocol(headers: &HeaderMap) -> Option<Option<HeaderValue>> {
    let is_name = |name: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        !name.is_empty() && name.bytes().all(plain)
    };
    let mut names: Vec<&str> = Vec::new();
    for value in headers.get_all(header::SEC_WEBSOCKET_PROTOCOL) {
        for name in value.to_str().ok()?.split(',').map(str::trim) {
            if !is_name(name) || names.contains(&name) {
                return None;
            }
            names.push(name);
        }
    }
    match names.first() {
        Some(first) => HeaderValue::from_str(first).ok().map(Some),
        None => Some(None),
    }
}

/// Whether a request asks to go on as a WebSocket.
pub(super) fn is_upgrade(headers: &HeaderMap) -> bool {
    lists(headers, header::CONNECTION, "upgrade") && lists(headers, header::UPGRADE, "websocket")
}

fn lists(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    let values = headers.get_all(name);
    let mut words = values.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    words.any(|listed| listed.trim().eq_ignore_ascii_case(word))
}

/// An open WebSocket on the server's side.
pub(super) struct WebSocket<S> {
    context: WebSocketContext,
    wire: Wire<S>,
}

/// Why nothing more comes, and the close code that the client is owed; none if it closed or vanished by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended(pub(super) Option<u16>);

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    pub(super) fn new(stream: S, max_payload: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(CONTROL_BUFFER)
            .max_message_size(Some(max_payload))
            .max_frame_size(Some(max_payload));
        Self { context: WebSocketContext::new(Role::Server, Some(config)), wire: Wire::new(stream) }
    }

    /// Queues a packet to be written by [`WebSocket::poll_write`].
    pub(super) fn push(&mut self, frame: Frame) {
        match frame {
            Frame::Text(bytes) => self.wire.push(Opcode::Text, bytes),
            Frame::Binary(bytes) => self.wire.push(Opcode::Binary, bytes),
        }
    }

    /// Whether all that was queued has left.
    pub(super) fn is_idle(&self) -> bool {
        self.wire.is_idle()
    }

    /// Writes all that is queued.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        self.wire.poll_write(cx).map_err(|_| Ended(None))
    }

    /// The next packet, well-formed or not.
    pub(super) fn poll_packet(&mut self, cx: &mut Context<'_>) -> Poll<Result<Result<Packet, Malformed>, Ended>> {
        loop {
            let inbound = self.context.read(&mut Blocking { wire: &mut self.wire, cx });
            // A pong that the library owes may have been queued on the way.
            if !self.wire.is_idle() && matches!(self.wire.poll_write(cx), Poll::Ready(Err(_))) {
                return Poll::Ready(Err(Ended(None)));
            }
            match inbound {
                Ok(Inbound::Text(text)) => return Poll::Ready(Ok(Packet::decode(&Text::from(text)))),
                Ok(Inbound::Binary(data)) => return Poll::Ready(Ok(Ok(Packet::Message(Message::Binary(data))))),
                Ok(Inbound::Ping(_) | Inbound::Pong(_)) => {}
                Ok(Inbound::Close(_) | Inbound::Frame(_)) => return Poll::Ready(Err(Ended(None))),
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(Ended(owed_code(&error)))),
            }
        }
    }

    /// Since when a message is incomplete.
    pub(super) fn receiving_since(&self) -> Option<Instant> {
        self.wire.receiving_since()
    }

    /// Says goodbye, with a code or as an answer to the client's own goodbye, and lets the client close first: a
    /// connection that is dropped with unread bytes in it would take back what was written last.
    pub(super) async fn finish(mut self, code: Option<u16>) {
        let _ = tokio::time::timeout(CLOSING_TIME, async {
            std::future::poll_fn(|cx| self.poll_goodbye(cx, code)).await.ok()?;
            let mut stream = self.wire.into_stream();
            stream.shutdown().await.ok()?;
            let mut rest = stream.take(CLOSING_BYTES_MAX as u64);
            tokio::io::copy(&mut rest, &mut tokio::io::sink()).await.ok()
        })
        .await;
    }

    fn poll_goodbye(&mut self, cx: &mut Context<'_>, code: Option<u16>) -> Poll<Result<(), Ended>> {
        let goodbye = code.map(|code| CloseFrame { code: CloseCode::from(code), reason: Utf8Bytes::default() });
        loop {
            let mut blocking = Blocking { wire: &mut self.wire, cx };
            let said = match goodbye.clone() {
                Some(goodbye) if self.context.can_write() => self.context.close(&mut blocking, Some(goodbye)),
                _ => self.context.flush(&mut blocking),
            };
            ready!(self.poll_write(cx))?;
            // Any other error means that it was said already, or can not be.
            if !matches!(said, Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock) {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

fn owed_code(error: &Error) -> Option<u16> {
    match error {
        Error::Protocol(_) => Some(CloseCode::Protocol.into()),
        Error::Utf8(_) => Some(CloseCode::Invalid.into()),
        Error::Capacity(_) => Some(CloseCode::Size.into()),
        Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => Some(CloseCode::Policy.into()),
        _ => None,
    }
}

/// The wire as the library wants to see it. What the library writes (pongs, its goodbye) is queued behind the frames
/// that wait, never between the bytes of one.
struct Blocking<'a, 'b, S> {
    wire: &'a mut Wire<S>,
    cx: &'a mut Context<'b>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> io::Read for Blocking<'_, '_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.wire.poll_read(self.cx, buffer) {
            Poll::Ready(read) => read,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> io::Write for Blocking<'_, '_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // While the client reads nothing, its pings are not worth memory.
        if self.wire.is_idle() || self.wire.poll_write(self.cx)?.is_ready() {
            self.wire.push_raw(bytes);
            return Ok(bytes.len());
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
