//! One WebSocket connection as bytes: the upgrade request and frames, good and bad ones, nothing answered by itself.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::PATIENCE;
use super::http::{self, Reply};

/// The address of the WebSocket transport.
pub const ENDPOINT: &str = "/socket.io/?EIO=4&transport=websocket";

/// The first byte of a whole frame of each kind.
pub const TEXT: u8 = 0x81;
pub const BINARY: u8 = 0x82;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;

const MASK: [u8; 4] = [0x11, 0x22, 0x33, 0x44];

/// How to open a connection.
#[derive(Clone, Debug)]
pub struct Opening {
    pub to: SocketAddr,
    pub from: Option<IpAddr>,
    pub path: String,
    pub headers: Vec<(String, String)>,
}

/// Why a connection did not come about.
#[derive(Debug)]
pub enum Refusal {
    Io(io::Error),
    /// The server answered the upgrade with plain HTTP.
    Answered(Reply),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Refusal {
        Refusal::Io(error)
    }
}

/// What a WebSocket brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    Text(String),
    Binary(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>),
    /// The connection is gone, without or after a closing handshake.
    End,
}

impl Opening {
    pub fn new(to: SocketAddr) -> Opening {
        Opening { to, from: None, path: ENDPOINT.to_owned(), headers: Vec::new() }
    }

    pub fn path(mut self, path: impl Into<String>) -> Opening {
        self.path = path.into();
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Opening {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Asks for the upgrade and waits for `101`.
    pub async fn open(&self) -> Result<WebSocket, Refusal> {
        let mut stream = http::connect(self.to, self.from).await?;
        stream.set_nodelay(true)?;
        let headers: Vec<(&str, &str)> = self.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        stream.write_all(upgrade_request(self.to, &self.path, &headers).as_bytes()).await?;
        WebSocket::upgraded(stream).await
    }
}

/// The client's side of a WebSocket that believes everything.
pub struct WebSocket {
    /// What accepted the upgrade.
    pub head: Reply,
    pub stream: TcpStream,
    /// Bytes that came behind the last frame that was taken.
    pub read: Vec<u8>,
}

impl WebSocket {
    pub async fn open(to: SocketAddr, target: &str) -> Self {
        Opening::new(to).path(target).open().await.unwrap_or_else(|refusal| panic!("no upgrade: {refusal:?}"))
    }

    /// Opens it, or gives the answer of a server that does not want to.
    pub async fn try_open(to: SocketAddr, target: &str, headers: &[(&str, &str)]) -> Result<Self, Reply> {
        let mut opening = Opening::new(to).path(target);
        for (name, value) in headers {
            opening = opening.header(name, value);
        }
        match opening.open().await {
            Ok(websocket) => Ok(websocket),
            Err(Refusal::Answered(reply)) => Err(reply),
            Err(Refusal::Io(error)) => panic!("no answer: {error}"),
        }
    }

    /// Reads the answer to an upgrade request that was sent.
    pub async fn upgraded(mut stream: TcpStream) -> Result<Self, Refusal> {
        let deadline = Instant::now() + PATIENCE;
        let mut read = Vec::new();
        loop {
            if let Some((head, used)) = http::split(&read) {
                read.drain(..used);
                return match head.status {
                    101 => Ok(Self { head, stream, read }),
                    _ => Err(Refusal::Answered(head)),
                };
            }
            let count = timeout_at(deadline, stream.read_buf(&mut read)).await.map_err(io::Error::from)??;
            if count == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
    }

    pub async fn text(&mut self, text: &str) {
        self.frame(TEXT, text.as_bytes()).await;
    }

    pub async fn binary(&mut self, data: &[u8]) {
        self.frame(BINARY, data).await;
    }

    /// Sends a masked frame; a server that closed meanwhile is no fault.
    pub async fn frame(&mut self, first: u8, payload: &[u8]) {
        self.raw(&masked(first, payload)).await;
    }

    pub async fn raw(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// The next frame, whatever it is.
    pub async fn next(&mut self) -> Frame {
        self.next_within(PATIENCE).await.expect("a frame in time")
    }

    pub async fn next_within(&mut self, time: Duration) -> Option<Frame> {
        timeout_at(Instant::now() + time, next_frame(&mut self.stream, &mut self.read)).await.ok()
    }

    /// The next text that is not a ping of the server's.
    pub async fn message(&mut self) -> String {
        match self.data().await {
            Frame::Text(text) => text,
            other => panic!("no text but {other:?}"),
        }
    }

    /// The next frame that is not a ping of the server's; pings are answered.
    pub async fn data(&mut self) -> Frame {
        loop {
            match self.next().await {
                Frame::Text(text) if text == "2" => self.text("3").await,
                other => return other,
            }
        }
    }

    /// Waits for the end, whatever comes before it; the close code that the server gave.
    pub async fn closed(&mut self) -> Option<u16> {
        let mut code = None;
        let deadline = Instant::now() + PATIENCE;
        while let Some(frame) = self.next_within(deadline.saturating_duration_since(Instant::now())).await {
            match frame {
                Frame::Close(given) => code = given,
                Frame::End => return code,
                _ => {}
            }
        }
        panic!("the server keeps the connection");
    }

    /// Waits for the end; nothing at all may come before it, no answer and no heartbeat. The close code.
    pub async fn refused(&mut self) -> Option<u16> {
        let code = match self.next().await {
            Frame::Close(code) => code,
            Frame::End => return None,
            other => panic!("{other:?} instead of the end"),
        };
        assert_eq!(self.next().await, Frame::End);
        code
    }

    /// Nothing but pings comes for so long.
    pub async fn silent(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while let Some(frame) = self.next_within(deadline.saturating_duration_since(Instant::now())).await {
            assert_eq!(frame, Frame::Text("2".to_owned()));
            self.text("3").await;
        }
    }
}

/// The next frame of a connection; `read` keeps what has come of the one after it, also when this is given up waiting.
pub async fn next_frame(from: &mut (impl AsyncRead + Unpin), read: &mut Vec<u8>) -> Frame {
    loop {
        if let Some(frame) = take_frame(read) {
            return frame;
        }
        if from.read_buf(read).await.unwrap_or(0) == 0 {
            return Frame::End;
        }
    }
}

fn take_frame(read: &mut Vec<u8>) -> Option<Frame> {
    let (first, second) = (*read.first()?, *read.get(1)?);
    assert_eq!(second & 0x80, 0, "a server never masks");
    let (start, length) = match second {
        126 => (4, u64::from(u16::from_be_bytes(read.get(2..4)?.try_into().expect("two bytes")))),
        127 => (10, u64::from_be_bytes(read.get(2..10)?.try_into().expect("eight bytes"))),
        short => (2, u64::from(short)),
    };
    let payload = read.get(start..start + length as usize)?.to_vec();
    read.drain(..start + length as usize);
    Some(match first {
        TEXT => Frame::Text(String::from_utf8(payload).expect("UTF-8")),
        BINARY => Frame::Binary(payload),
        0x8a => Frame::Pong(payload),
        CLOSE => Frame::Close(payload.get(..2).map(|code| u16::from_be_bytes([code[0], code[1]]))),
        other => panic!("a server has no reason to send {other:#x}"),
    })
}

pub fn upgrade_request(to: SocketAddr, target: &str, headers: &[(&str, &str)]) -> String {
    let mut request = format!(
        "GET {target} HTTP/1.1\r\nHost: {to}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    );
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    request
}

/// A frame as a client sends it.
pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = frame_head(first, payload.len() as u64);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// The head of a masked frame that declares a length.
pub fn frame_head(first: u8, length: u64) -> Vec<u8> {
    let mut head = vec![first];
    match length {
        0..=125 => head.push(0x80 | length as u8),
        126..=0xffff => {
            head.push(0x80 | 126);
            head.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            head.push(0x80 | 127);
            head.extend_from_slice(&length.to_be_bytes());
        }
    }
    head.extend_from_slice(&MASK);
    head
}
