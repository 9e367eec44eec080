//! One WebSocket connection as bytes: the opening request and frames, nothing answered by itself.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::http::{self, Reply};

/// The address of the WebSocket transport.
pub const ENDPOINT: &str = "/socket.io/?EIO=4&transport=websocket";

/// How to open a connection.
#[derive(Clone, Debug)]
pub struct Opening {
    pub to: SocketAddr,
    pub from: Option<IpAddr>,
    pub path: String,
    pub headers: Vec<(String, String)>,
}

/// A whole frame as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    pub opcode: u8,
    pub payload: Vec<u8>,
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

/// The two directions of an open connection.
pub struct Wire {
    pub reader: BufReader<OwnedReadHalf>,
    pub writer: OwnedWriteHalf,
}

impl Opening {
    pub fn new(to: SocketAddr) -> Opening {
        Opening { to, from: None, path: ENDPOINT.to_owned(), headers: Vec::new() }
    }

    pub fn header(mut self, name: &str, value: &str) -> Opening {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Asks for the upgrade and waits for `101`.
    pub async fn open(&self) -> Result<Wire, Refusal> {
        let stream = http::connect(self.to, self.from).await?;
        stream.set_nodelay(true)?;
        self.upgrade(stream).await
    }

    async fn upgrade(&self, stream: TcpStream) -> Result<Wire, Refusal> {
        let mut head = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            self.path, self.to
        );
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let (reader, mut writer) = stream.into_split();
        writer.write_all(head.as_bytes()).await?;
        let mut reader = BufReader::with_capacity(4096, reader);
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            if reader.read_until(b'\n', &mut answer).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
        if answer.starts_with(b"HTTP/1.1 101") {
            return Ok(Wire { reader, writer });
        }
        let whole = http::parse(&answer).or_else(|| {
            let head = String::from_utf8_lossy(&answer).into_owned();
            let status = head.split(' ').nth(1)?.parse().ok()?;
            Some(Reply { status, headers: Vec::new(), body: head.into_bytes() })
        });
        match whole {
            Some(reply) => Err(Refusal::Answered(reply)),
            None => Err(io::Error::from(io::ErrorKind::InvalidData).into()),
        }
    }
}

/// Writes one text frame. The masking key is zero, which is a valid key and leaves the bytes readable.
pub async fn write_text(writer: &mut (impl AsyncWrite + Unpin), text: &str) -> io::Result<()> {
    let payload = text.as_bytes();
    let mut bytes = Vec::with_capacity(payload.len() + 14);
    bytes.push(0x81);
    match payload.len() {
        length @ 0..126 => bytes.push(0x80 | u8::try_from(length).expect("below 126")),
        length @ 126..65536 => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&u16::try_from(length).expect("below 65536").to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(payload);
    writer.write_all(&bytes).await
}

/// Reads one frame; `UnexpectedEof` at the end of the connection.
pub async fn read_frame(reader: &mut (impl AsyncRead + Unpin)) -> io::Result<Frame> {
    let first = reader.read_u8().await?;
    let second = reader.read_u8().await?;
    let length = match second & 0x7f {
        126 => u64::from(reader.read_u16().await?),
        127 => reader.read_u64().await?,
        short => u64::from(short),
    };
    let mut payload = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    reader.read_exact(&mut payload).await?;
    Ok(Frame { opcode: first & 0x0f, payload })
}
