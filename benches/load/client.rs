//! One Socket.IO client in `/chat`, over WebSocket: connect with a token, ask, and read packets as they come.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;

use crate::people::Person;
use crate::wire::{Wire, position};

/// One packet as far as a load generator cares; ranges lie in the wire's bytes.
pub(crate) enum Packet {
    /// The answer to the request with this number; the range holds its arguments.
    Ack(u64, Range<usize>),
    /// An event; the range holds `["name",…]`.
    Event(Range<usize>),
    /// A heartbeat, already answered at the next flush.
    Ping,
    /// Anything else.
    Other(Range<usize>),
}

/// A connected client.
pub(crate) struct Client {
    pub(crate) wire: Wire,
    next_ack: u64,
}

impl Client {
    /// Opens a WebSocket and joins the namespace with the person's token.
    pub(crate) async fn connect(server: SocketAddr, person: &Person) -> io::Result<Client> {
        let wire = Wire::open(server, person.source, "/socket.io/?EIO=4&transport=websocket").await?;
        let mut client = Client { wire, next_ack: 0 };
        client.wire.feed(format!("40/chat,{{\"token\":\"{}\"}}", person.token).as_bytes());
        client.wire.flush().await?;
        loop {
            while let Some(packet) = client.next()? {
                let Packet::Other(range) = packet else { continue };
                let text = &client.wire.bytes()[range];
                match text {
                    [b'4', b'0', ..] => return Ok(client),
                    [b'0', ..] => {}
                    _ => return Err(io::Error::other(String::from_utf8_lossy(text).into_owned())),
                }
            }
            client.wire.fill().await?;
        }
    }

    /// Puts a request into the outbox and tells the number that its ack will bear.
    pub(crate) fn feed(&mut self, event: &str, data: &str) -> u64 {
        let number = self.next_ack;
        self.next_ack += 1;
        self.wire.feed(format!("42/chat,{number}[\"{event}\",{data}]").as_bytes());
        number
    }

    /// Asks, waits for the ack, passes over whatever else comes; an ack without success is an error.
    pub(crate) async fn ask(&mut self, event: &str, data: &str) -> io::Result<()> {
        let number = self.feed(event, data);
        self.wire.flush().await?;
        loop {
            while let Some(packet) = self.next()? {
                let Packet::Ack(acked, range) = packet else { continue };
                if acked == number {
                    return succeeded(&self.wire.bytes()[range]);
                }
            }
            self.wire.flush().await?;
            self.wire.fill().await?;
        }
    }

    /// The next packet that has arrived whole.
    pub(crate) fn next(&mut self) -> io::Result<Option<Packet>> {
        let Some(range) = self.wire.next_text()? else { return Ok(None) };
        let text = &self.wire.bytes()[range.clone()];
        if text == b"2" {
            self.wire.feed(b"3");
            return Ok(Some(Packet::Ping));
        }
        if text.starts_with(b"42/chat,") {
            return Ok(Some(Packet::Event(range.start + 8..range.end)));
        }
        let Some(rest) = text.strip_prefix(b"43/chat,") else { return Ok(Some(Packet::Other(range))) };
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = rest[..digits].iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
        Ok(Some(Packet::Ack(number, range.start + 8 + digits..range.end)))
    }

    /// Answers heartbeats until the server goes away.
    pub(crate) async fn idle(mut self) -> io::Result<()> {
        loop {
            while self.next()?.is_some() {}
            self.wire.flush().await?;
            self.wire.rest();
            self.wire.fill().await?;
        }
    }
}

/// Whether an ack's arguments say `"success":true`.
pub(crate) fn succeeded(ack: &[u8]) -> io::Result<()> {
    match position(ack, b"\"success\":true") {
        Some(_) => Ok(()),
        None => Err(io::Error::other(format!("refused: {}", String::from_utf8_lossy(ack)))),
    }
}
