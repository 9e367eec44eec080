//! A plain HTTP/1.1 client: one request on one connection, whole answer back.

use std::io;
use std::net::{IpAddr, SocketAddr};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::PATIENCE;

/// One request, to be sent once.
#[derive(Clone, Debug)]
pub struct Ask {
    to: SocketAddr,
    from: Option<IpAddr>,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// A request without a body.
pub fn ask(to: SocketAddr, method: &str, path: &str) -> Ask {
    Ask { to, from: None, method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
}

/// A `GET`.
pub fn get(to: SocketAddr, path: &str) -> Ask {
    ask(to, "GET", path)
}

/// A `POST` of JSON.
pub fn post(to: SocketAddr, path: &str, body: &Value) -> Ask {
    ask(to, "POST", path).json(body)
}

impl Ask {
    pub fn header(mut self, name: &str, value: &str) -> Ask {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn token(self, token: &str) -> Ask {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub fn json(self, body: &Value) -> Ask {
        self.header("Content-Type", "application/json").body(body.to_string().into_bytes())
    }

    pub fn body(mut self, body: Vec<u8>) -> Ask {
        self.body = body;
        self
    }

    /// Sends from another loopback address: the server sees another peer.
    pub fn from(mut self, address: IpAddr) -> Ask {
        self.from = Some(address);
        self
    }

    /// The answer; the test fails if there is none.
    pub async fn send(self) -> Reply {
        let what = format!("{} {}", self.method, self.path);
        self.try_send().await.unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// The answer, or why there is none (a server that was killed).
    pub async fn try_send(self) -> io::Result<Reply> {
        timeout(PATIENCE, self.exchange()).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    async fn exchange(self) -> io::Result<Reply> {
        let mut stream = connect(self.to, self.from).await?;
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.method, self.path, self.to);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() || self.method != "GET" {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = Vec::new();
        // A server may refuse a body early and close: what it said still counts.
        let sent = async {
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&self.body).await
        }
        .await;
        let received = stream.read_to_end(&mut bytes).await;
        if bytes.is_empty() {
            sent?;
            received?;
        }
        parse(&bytes).ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "the answer was cut short"))
    }
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    /// The code in the error JSON of Engine.IO.
    pub fn code(&self) -> u64 {
        let error = self.json();
        assert!(error["message"].is_string(), "{error}");
        error["code"].as_u64().expect("a code")
    }

    /// The answer itself if it has this status; the test fails otherwise.
    pub fn expect(self, status: u16) -> Reply {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

/// A TCP connection, from a chosen loopback address if one is given.
pub async fn connect(to: SocketAddr, from: Option<IpAddr>) -> io::Result<TcpStream> {
    let Some(from) = from else { return TcpStream::connect(to).await };
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from, 0))?;
    socket.connect(to).await
}

/// Sends bytes as they are and reads until the server closes; the test fails if it does not.
pub async fn talk(to: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(to).await.expect("it listens");
    // Whoever is refused early may not be read to the end.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the server keeps the connection: {:?}", String::from_utf8_lossy(&answer));
    answer
}

/// Splits an answer whose length is told from what follows it, and tells how many bytes it has; `None` while it is
/// incomplete.
pub fn split(bytes: &[u8]) -> Option<(Reply, usize)> {
    let (mut reply, start) = head(bytes)?;
    let length = reply.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    reply.body = bytes.get(start..start + length)?.to_vec();
    Some((reply, start + length))
}

/// The head of an answer, and where its body begins.
fn head(bytes: &[u8]) -> Option<(Reply, usize)> {
    let end = find(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    Some((Reply { status, headers, body: Vec::new() }, end + 4))
}

/// Reads one whole answer (all bytes until the end of the connection).
pub fn parse(bytes: &[u8]) -> Option<Reply> {
    let (mut reply, start) = head(bytes)?;
    reply.body = bytes[start..].to_vec();
    if reply.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        reply.body = unchunk(&reply.body)?;
    } else if let Some(length) = reply.header("content-length").and_then(|length| length.parse::<usize>().ok()) {
        let bodiless = matches!(reply.status, 204 | 304) || reply.body.is_empty();
        if reply.body.len() < length && !bodiless {
            return None;
        }
        reply.body.truncate(length);
    }
    Some(reply)
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = find(rest, b"\r\n")?;
        let size = std::str::from_utf8(&rest[..end]).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Some(whole);
        }
        whole.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
