//! Asking a running server one question from outside, as a service manager does: one blocking request over loopback.
//!
//! Nobody has to say whether the server has a certificate: who gives no answer in HTTP is asked again in HTTPS.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use tokio_rustls::rustls::StreamOwned;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::http::listener::Listen;
use crate::http::tls;

/// How long connecting, asking and reading may take, each.
const TIMEOUT: Duration = Duration::from_secs(3);
/// The most bytes of an answer that are looked at.
const ANSWER_BYTES_MAX: u64 = 16 * 1024;

/// What the server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How it speaks: `http` or `https`.
    pub scheme: &'static str,
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// The answer of `path` on one of the addresses. `None` if nobody answers in HTTP or HTTPS.
pub fn ask(listen: &Listen, path: &str) -> Option<Answer> {
    listen.addresses().iter().find_map(|address| {
        let address = reachable(*address);
        ask_plain(address, path).or_else(|| ask_over_tls(address, path))
    })
}

fn ask_plain(address: SocketAddr, path: &str) -> Option<Answer> {
    converse(connect(address).ok()?, "http", path)
}

fn ask_over_tls(address: SocketAddr, path: &str) -> Option<Answer> {
    let stream = connect(address).ok()?;
    let name = ServerName::try_from("localhost").expect("a host name");
    converse(StreamOwned::new(tls::call_unjudged(name).ok()?, stream), "https", path)
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

fn converse(mut stream: impl Read + Write, scheme: &'static str, path: &str) -> Option<Answer> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8(answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some(Answer { scheme, status, body: body.to_owned() })
}

/// Who listens on every address is found on loopback.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        } else {
            IpAddr::V6(Ipv6Addr::LOCALHOST)
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::{Answer, ask};

    #[test]
    fn status_and_body_are_read_and_silence_is_no_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = listener.local_addr().unwrap().to_string().parse().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 1024];
            let length = stream.read(&mut asked).unwrap();
            stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\nX: y\r\n\r\nfull\n").unwrap();
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        let full = Answer { scheme: "http", status: 503, body: "full\n".to_owned() };
        assert_eq!(ask(&listen, "/readyz"), Some(full));
        assert!(server.join().unwrap().starts_with("GET /readyz HTTP/1.1\r\n"));
        assert_eq!(ask(&listen, "/readyz"), None, "nobody listens any more");
    }
}
