//! Asking a public address one question as a browser would, to find out what people get there: blocking, over TLS whose
//! certificate is shown to the caller instead of being judged.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::Uri;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{CertificateError, ClientConnection, Error, RootCertStore, StreamOwned};

use crate::http::tls;

/// How long connecting, and each reading and writing, may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long all of it may take.
const WITHIN: Duration = Duration::from_secs(15);
/// The most bytes of an answer that are looked at.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    /// Path and query.
    pub path: &'static str,
    /// Whether to ask for a WebSocket, as the page at that address does.
    pub upgrade: bool,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Names in small letters.
    headers: Vec<(String, String)>,
    /// The body, as far as it was read.
    pub body: String,
    /// The certificate that was shown.
    pub certificate: Option<CertificateDer<'static>>,
    /// Whether browsers know the authority that signed it.
    pub is_trusted: bool,
}

/// Why nothing came back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The name leads nowhere.
    NoAddress,
    /// Nobody takes the connection.
    NoConnection(String),
    /// Whoever takes it does not speak TLS.
    NoTls(String),
    /// Whoever takes it does not speak HTTP.
    NoAnswer,
}

impl Reply {
    /// A header's value; `name` in small letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }
}

/// Asks the server at an origin (`https://chat.example`).
///
/// # Errors
/// Why there is no answer.
pub fn visit(origin: &str, visit: &Visit) -> Result<Reply, Failure> {
    let uri: Uri = origin.parse().map_err(|_| Failure::NoAddress)?;
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let is_secure = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
    let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(|_| Failure::NoAddress)?.collect();
    let mut stream = connect(&addresses)?;
    let request = request(origin, uri.authority().map_or(host, |authority| authority.as_str()), visit);
    if !is_secure {
        return converse(&mut stream, &request, visit);
    }
    let no_tls = |cause: &dyn std::fmt::Display| Failure::NoTls(cause.to_string());
    let name = ServerName::try_from(host.to_owned()).map_err(|_| Failure::NoAddress)?;
    let tls = tls::call_unjudged(name.clone()).map_err(|error| no_tls(&error))?;
    let mut secured = StreamOwned::new(tls, stream);
    while secured.conn.is_handshaking() {
        secured.conn.complete_io(&mut secured.sock).map_err(|error| no_tls(&error))?;
    }
    let mut reply = converse(&mut secured, &request, visit)?;
    (reply.certificate, reply.is_trusted) = papers(&secured.conn, &name);
    Ok(reply)
}

fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
    let mut cause = None;
    for address in addresses {
        match TcpStream::connect_timeout(address, TIMEOUT).and_then(patient) {
            Ok(stream) => return Ok(stream),
            Err(error) => cause = Some(error),
        }
    }
    Err(cause.map_or(Failure::NoAddress, |cause| Failure::NoConnection(cause.to_string())))
}

fn patient(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

fn request(origin: &str, authority: &str, visit: &Visit) -> String {
    let Visit { path, upgrade } = visit;
    let head = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nAccept: */*\r\nUser-Agent: lexchat-doctor\r\n");
    if *upgrade {
        // The key is the one of RFC 6455's example: nothing is said over this WebSocket.
        format!(
            "{head}Origin: {origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
    } else {
        format!("{head}Connection: close\r\n\r\n")
    }
}

fn converse(stream: &mut (impl Read + Write), request: &str, visit: &Visit) -> Result<Reply, Failure> {
    stream.write_all(request.as_bytes()).map_err(|_| Failure::NoAnswer)?;
    let until = Instant::now() + WITHIN;
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    while bytes.len() < ANSWER_BYTES_MAX && Instant::now() < until && !(visit.upgrade && has_head(&bytes)) {
        // Not everybody ends TLS, or a connection, as they should: what came is the answer.
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
    }
    parse(&bytes).ok_or(Failure::NoAnswer)
}

fn has_head(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|end| end == b"\r\n\r\n")
}

fn parse(bytes: &[u8]) -> Option<Reply> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    let header =
        |line: &str| line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    let headers: Vec<(String, String)> = lines.filter_map(header).collect();
    let is_chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value.contains("chunked"));
    let body = if is_chunked { body.split("\r\n").skip(1).step_by(2).collect() } else { body.to_owned() };
    Some(Reply { status, headers, body, certificate: None, is_trusted: true })
}

/// The certificate that was shown, and whether browsers know its authority. That it has ended or is for another name is
/// another question.
fn papers(connection: &ClientConnection, name: &ServerName<'_>) -> (Option<CertificateDer<'static>>, bool) {
    let Some([first, behind @ ..]) = connection.peer_certificates() else { return (None, false) };
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let judge =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(ring::default_provider())).build();
    let verdict = judge.map(|judge| judge.verify_server_cert(first, behind, name, &[], UnixTime::now()));
    let is_trusted = match verdict {
        Ok(Ok(_)) => true,
        Ok(Err(Error::InvalidCertificate(wrong))) => matches!(
            wrong,
            CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. }
                | CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. }
        ),
        _ => false,
    };
    (Some(first.clone().into_owned()), is_trusted)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// A server that answers once, whatever it is asked.
    fn answering(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 2048]);
            let _ = stream.write_all(answer.as_bytes());
        });
        origin
    }

    const READY: Visit = Visit { path: "/readyz", upgrade: false };

    #[test]
    fn status_headers_and_body_are_read_plain_and_in_chunks() {
        for answer in [
            "HTTP/1.1 200 OK\r\nX-Seen-From: 192.0.2.7; direct\r\nContent-Length: 3\r\n\r\nok\n",
            "HTTP/1.0 200 OK\r\nX-SEEN-FROM: 192.0.2.7; direct\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nok\n\r\n0\r\n\r\n",
        ] {
            let reply = visit(&answering(answer), &READY).unwrap();
            assert_eq!((reply.status, reply.body.as_str()), (200, "ok\n"));
            assert_eq!(reply.header("x-seen-from"), Some("192.0.2.7; direct"));
        }
    }

    #[test]
    fn what_does_not_answer_is_told_apart() {
        assert!(matches!(visit("http://no.such.host.invalid", &READY), Err(Failure::NoAddress)));
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(matches!(visit(&format!("http://{free}"), &READY), Err(Failure::NoConnection(_))));
        assert!(matches!(visit(&answering("220 mail.example ESMTP\r\n"), &READY), Err(Failure::NoAnswer)));
        let plain = answering("HTTP/1.1 400 Bad Request\r\n\r\n").replace("http:", "https:");
        assert!(matches!(visit(&plain, &READY), Err(Failure::NoTls(_))));
    }
}
