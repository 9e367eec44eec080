//! A small HTTP and WebSocket client on raw bytes, so that a mistake in the server's codecs cannot hide itself.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// How long anything that must happen may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// An HTTP answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The code of the protocol's error JSON.
    pub(crate) fn code(&self) -> u64 {
        let error: Value = serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no error JSON: {self:?}"));
        assert!(error["message"].is_string(), "{error}");
        error["code"].as_u64().expect("a code")
    }
}

/// Asks once, on a connection of its own.
pub(crate) async fn ask(to: SocketAddr, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if method != "GET" || !body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    let mut request = format!("{head}\r\n").into_bytes();
    request.extend_from_slice(body);
    let answer = talk(to, &request).await;
    parse(&answer).unwrap_or_else(|| panic!("no HTTP answer: {:?}", String::from_utf8_lossy(&answer))).0
}

pub(crate) async fn get(to: SocketAddr, target: &str) -> Reply {
    ask(to, "GET", target, &[], b"").await
}

pub(crate) async fn post(to: SocketAddr, target: &str, body: &str) -> Reply {
    ask(to, "POST", target, &[("Content-Type", "text/plain;charset=UTF-8")], body.as_bytes()).await
}

/// Sends bytes and reads until the server closes.
pub(crate) async fn talk(to: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(to).await.expect("connected");
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = timeout(Duration::from_secs(15), stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the server keeps the connection: {:?}", String::from_utf8_lossy(&answer));
    answer
}

/// Splits an answer from what follows it; `None` while it is incomplete.
pub(crate) fn parse(bytes: &[u8]) -> Option<(Reply, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let body = bytes.get(end..end + length.unwrap_or(0))?.to_vec();
    let used = end + body.len();
    Some((Reply { status, headers, body }, used))
}

/// What a WebSocket brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    Text(String),
    Binary(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>),
    /// The connection is gone, without or after a closing handshake.
    End,
}

pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;

/// The client's side of a WebSocket that believes everything.
pub(crate) struct WebSocket {
    /// What accepted the upgrade.
    pub(crate) head: Reply,
    pub(crate) stream: TcpStream,
    read: Vec<u8>,
}

impl WebSocket {
    pub(crate) async fn open(to: SocketAddr, target: &str) -> Self {
        Self::try_open(to, target, &[]).await.expect("an upgrade")
    }

    pub(crate) async fn try_open(to: SocketAddr, target: &str, headers: &[(&str, &str)]) -> Result<Self, Reply> {
        let mut stream = TcpStream::connect(to).await.expect("connected");
        stream.write_all(upgrade_request(to, target, headers).as_bytes()).await.expect("sent");
        Self::upgraded(stream).await
    }

    /// Reads the answer to an upgrade request that was sent.
    pub(crate) async fn upgraded(mut stream: TcpStream) -> Result<Self, Reply> {
        let mut read = Vec::new();
        loop {
            if let Some((reply, used)) = parse(&read) {
                read.drain(..used);
                return if reply.status == 101 { Ok(Self { head: reply, stream, read }) } else { Err(reply) };
            }
            let count = timeout(PATIENCE, stream.read_buf(&mut read)).await.expect("an answer in time").expect("read");
            assert!(count > 0, "no answer: {:?}", String::from_utf8_lossy(&read));
        }
    }

    pub(crate) async fn text(&mut self, text: &str) {
        self.frame(TEXT, text.as_bytes()).await;
    }

    pub(crate) async fn binary(&mut self, data: &[u8]) {
        self.frame(BINARY, data).await;
    }

    /// Sends a masked frame; a server that closed meanwhile is no fault.
    pub(crate) async fn frame(&mut self, first: u8, payload: &[u8]) {
        self.raw(&masked(first, payload)).await;
    }

    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// The next frame, whatever it is.
    pub(crate) async fn next(&mut self) -> Frame {
        self.next_within(PATIENCE).await.expect("a frame in time")
    }

    pub(crate) async fn next_within(&mut self, time: Duration) -> Option<Frame> {
        let deadline = Instant::now() + time;
        loop {
            if let Some(frame) = self.take_frame() {
                return Some(frame);
            }
            let read = tokio::time::timeout_at(deadline, self.stream.read_buf(&mut self.read)).await.ok()?;
            if read.unwrap_or(0) == 0 {
                return Some(Frame::End);
            }
        }
    }

    /// The next text that is not a ping of the server's.
    pub(crate) async fn message(&mut self) -> String {
        match self.data().await {
            Frame::Text(text) => text,
            other => panic!("no text but {other:?}"),
        }
    }

    /// The next frame that is not a ping of the server's; pings are answered.
    pub(crate) async fn data(&mut self) -> Frame {
        loop {
            match self.next().await {
                Frame::Text(text) if text == "2" => self.text("3").await,
                other => return other,
            }
        }
    }

    /// Waits for the end, whatever comes before it; the close code that the server gave.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        let mut code = None;
        let deadline = Instant::now() + Duration::from_secs(15);
        while Instant::now() < deadline {
            match self.next_within(deadline - Instant::now()).await {
                Some(Frame::Close(given)) => code = given,
                Some(Frame::End) => return code,
                Some(_) => {}
                None => break,
            }
        }
        panic!("the server keeps the connection");
    }

    /// Waits for the end; nothing at all may come before it, no answer and no heartbeat. The close code.
    pub(crate) async fn refused(&mut self) -> Option<u16> {
        let code = match self.next().await {
            Frame::Close(code) => code,
            Frame::End => return None,
            other => panic!("{other:?} instead of the end"),
        };
        assert_eq!(self.next().await, Frame::End);
        code
    }

    /// Nothing but pings comes for so long.
    pub(crate) async fn silent(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while let Some(frame) = self.next_within(deadline.saturating_duration_since(Instant::now())).await {
            assert_eq!(frame, Frame::Text("2".to_owned()));
            self.text("3").await;
        }
    }

    fn take_frame(&mut self) -> Option<Frame> {
        let (first, second) = (*self.read.first()?, *self.read.get(1)?);
        assert_eq!(second & 0x80, 0, "a server never masks");
        let (start, length) = match second {
            126 => (4, u64::from(u16::from_be_bytes(self.read.get(2..4)?.try_into().expect("two bytes")))),
            127 => (10, u64::from_be_bytes(self.read.get(2..10)?.try_into().expect("eight bytes"))),
            short => (2, u64::from(short)),
        };
        let payload = self.read.get(start..start + length as usize)?.to_vec();
        self.read.drain(..start + length as usize);
        Some(match first {
            0x81 => Frame::Text(String::from_utf8(payload).expect("UTF-8")),
            0x82 => Frame::Binary(payload),
            0x8a => Frame::Pong(payload),
            0x88 => Frame::Close(payload.get(..2).map(|code| u16::from_be_bytes([code[0], code[1]]))),
            other => panic!("a server has no reason to send {other:#x}"),
        })
    }
}

pub(crate) fn upgrade_request(to: SocketAddr, target: &str, headers: &[(&str, &str)]) -> String {
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
pub(crate) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x11, 0x22, 0x33, 0x44];
    let mut frame = frame_head(first, payload.len() as u64);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// The head of a masked frame that declares a length.
pub(crate) fn frame_head(first: u8, length: u64) -> Vec<u8> {
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
    head.extend_from_slice(&[0x11, 0x22, 0x33, 0x44]);
    head
}
