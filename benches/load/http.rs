//! Just enough HTTP to sign in, make a conversation and hold an idle polling session.

use std::io;
use std::net::{IpAddr, SocketAddr};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::wire::{connect, position};

/// One keep-alive connection.
pub(crate) struct Http {
    stream: TcpStream,
    host: SocketAddr,
    inbox: Vec<u8>,
}

impl Http {
    /// Connects from the given loopback address.
    pub(crate) async fn connect(server: SocketAddr, source: IpAddr) -> io::Result<Http> {
        Ok(Http { stream: connect(server, source).await?, host: server, inbox: Vec::new() })
    }

    /// Sends one request and waits for its answer: status and body.
    pub(crate) async fn request(
        &mut self,
        method: &str,
        target: &str,
        token: &str,
        body: &str,
    ) -> io::Result<(u16, String)> {
        self.send(method, target, token, body).await?;
        self.answer().await
    }

    /// Posts JSON and returns the answer's JSON; any status but 2xx is an error.
    pub(crate) async fn post(&mut self, target: &str, token: &str, body: Value) -> io::Result<Value> {
        let (status, answer) = self.request("POST", target, token, &body.to_string()).await?;
        if !(200..300).contains(&status) {
            return Err(io::Error::other(format!("POST {target}: {status} {answer}")));
        }
        serde_json::from_str(&answer).map_err(io::Error::other)
    }

    /// Sends one request without waiting for the answer.
    pub(crate) async fn send(&mut self, method: &str, target: &str, token: &str, body: &str) -> io::Result<()> {
        let authorization = match token {
            "" => String::new(),
            token => format!("Authorization: Bearer {token}\r\n"),
        };
        let kind = if body.starts_with('{') { "application/json" } else { "text/plain;charset=UTF-8" };
        let content = match body.len() {
            0 => String::new(),
            len => format!("Content-Type: {kind}\r\nContent-Length: {len}\r\n"),
        };
        let host = self.host;
        let request = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{authorization}{content}\r\n{body}");
        self.stream.write_all(request.as_bytes()).await
    }

    /// Waits for the answer of the last request sent.
    pub(crate) async fn answer(&mut self) -> io::Result<(u16, String)> {
        loop {
            if let Some((status, body, end)) = answer_in(&self.inbox)? {
                self.inbox.drain(..end);
                return Ok((status, body));
            }
            if self.stream.read_buf(&mut self.inbox).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// Status, body and length of the first answer in `bytes`, if it is whole.
fn answer_in(bytes: &[u8]) -> io::Result<Option<(u16, String, usize)>> {
    let Some(head_end) = position(bytes, b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(&bytes[..head_end]).to_ascii_lowercase();
    let status = head.get(9..12).and_then(|digits| digits.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    let start = head_end + 4;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    let (body, end) = match length {
        Some(length) if bytes.len() < start + length => return Ok(None),
        Some(length) => (bytes[start..start + length].to_vec(), start + length),
        None if head.contains("transfer-encoding: chunked") => match unchunked(&bytes[start..]) {
            Some((body, length)) => (body, start + length),
            None => return Ok(None),
        },
        None => (Vec::new(), start),
    };
    Ok(Some((status, String::from_utf8_lossy(&body).into_owned(), end)))
}

/// The body and the length on the wire of a chunked body, if it is whole.
fn unchunked(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let line_end = at + position(&bytes[at..], b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[at..line_end]).ok()?, 16).ok()?;
        let chunk = bytes.get(line_end + 2..line_end + 2 + size)?;
        at = line_end + 2 + size + 2;
        if bytes.len() < at {
            return None;
        }
        if size == 0 {
            return Some((body, at));
        }
        body.extend_from_slice(chunk);
    }
}
