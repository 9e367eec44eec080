//! A WebSocket client that costs next to nothing, so that the generator is not what is measured.
//!
//! Frames are cut in place out of one buffer and written masked into another; one flush is one write. It knows what a
//! server sends to a well-behaved client: unfragmented text frames, pings and a close.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

const TEXT: u8 = 0x81;
const PONG: u8 = 0x8a;
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Connects to `server` from the loopback address `source`, so that limits per address can be met by many addresses.
pub(crate) async fn connect(server: SocketAddr, source: IpAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(source, 0))?;
    let stream = socket.connect(server).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// One WebSocket connection.
pub(crate) struct Wire {
    stream: TcpStream,
    inbox: Vec<u8>,
    read_to: usize,
    outbox: Vec<u8>,
}

impl Wire {
    /// Opens a WebSocket at `target` (path and query).
    pub(crate) async fn open(server: SocketAddr, source: IpAddr, target: &str) -> io::Result<Wire> {
        let mut stream = connect(server, source).await?;
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bGV4Y2hhdCBsb2FkIGdlbg==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut wire = Wire { stream, inbox: Vec::new(), read_to: 0, outbox: Vec::new() };
        let head_end = loop {
            wire.fill().await?;
            if let Some(at) = position(&wire.inbox, b"\r\n\r\n") {
                break at + 4;
            }
        };
        if !wire.inbox.starts_with(b"HTTP/1.1 101") {
            return Err(io::Error::other(String::from_utf8_lossy(&wire.inbox).into_owned()));
        }
        wire.read_to = head_end;
        Ok(wire)
    }

    /// Appends one masked text frame to what the next flush writes.
    pub(crate) fn feed(&mut self, text: &[u8]) {
        self.frame(TEXT, text);
    }

    /// Writes all that was fed, at once.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        if !self.outbox.is_empty() {
            self.stream.write_all(&self.outbox).await?;
            self.outbox.clear();
        }
        Ok(())
    }

    /// Waits for more bytes.
    pub(crate) async fn fill(&mut self) -> io::Result<()> {
        if self.read_to > 0 {
            self.inbox.drain(..self.read_to);
            self.read_to = 0;
        }
        match self.stream.read_buf(&mut self.inbox).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Where the next whole text frame's payload lies in `bytes()`, if it has arrived.
    pub(crate) fn next_text(&mut self) -> io::Result<Option<Range<usize>>> {
        loop {
            let Some((opcode, payload)) = frame_at(&self.inbox[self.read_to..]) else { return Ok(None) };
            let payload = payload.start + self.read_to..payload.end + self.read_to;
            self.read_to = payload.end;
            match opcode {
                0x1 => return Ok(Some(payload)),
                0x9 => {
                    let echo = self.inbox[payload].to_vec();
                    self.frame(PONG, &echo);
                }
                0x8 => return Err(io::Error::other("the server closed the WebSocket")),
                _ => {}
            }
        }
    }

    /// What has arrived; ranges given by `next_text` are valid until the next `fill`.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.inbox
    }

    /// Gives back the memory of the buffers, for sockets that will be quiet.
    pub(crate) fn rest(&mut self) {
        self.inbox.drain(..self.read_to);
        self.read_to = 0;
        self.inbox.shrink_to_fit();
        self.outbox = Vec::new();
    }

    fn frame(&mut self, head: u8, payload: &[u8]) {
        self.outbox.push(head);
        match u16::try_from(payload.len()).expect("the generator sends no frame over 64 KiB") {
            short @ 0..126 => self.outbox.push(0x80 | short as u8),
            long => {
                self.outbox.push(0x80 | 126);
                self.outbox.extend_from_slice(&long.to_be_bytes());
            }
        }
        self.outbox.extend_from_slice(&MASK);
        self.outbox.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ MASK[at & 3]));
    }
}

/// The opcode and the payload's place of the first frame in `bytes`, if it is whole.
fn frame_at(bytes: &[u8]) -> Option<(u8, Range<usize>)> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let (start, len) = match second & 0x7f {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, usize::from(short)),
    };
    (bytes.len() >= start + len).then_some((first & 0x0f, start..start + len))
}

/// Where `needle` first occurs in `haystack`.
pub(crate) fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let (first, rest) = needle.split_first()?;
    let mut from = 0;
    loop {
        let at = from + haystack.get(from..)?.iter().position(|byte| byte == first)?;
        if haystack[at + 1..].starts_with(rest) {
            return Some(at);
        }
        from = at + 1;
    }
}
