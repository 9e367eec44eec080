//! Asking a running server one question from outside, as a service manager does: one blocking request over loopback.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::http::listener::Listen;

/// How long connecting, asking and reading may take, each.
const TIMEOUT: Duration = Duration::from_secs(3);
/// The most bytes of an answer that are looked at.
const ANSWER_BYTES_MAX: u64 = 16 * 1024;

/// The answer of `path` on one of the addresses: its status and its body. `None` if nobody answers in HTTP.
pub fn ask(listen: &Listen, path: &str) -> Option<(u16, String)> {
    listen.addresses().iter().find_map(|address| ask_at(reachable(*address), path))
}

fn ask_at(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT).ok()?;
    stream.set_read_timeout(Some(TIMEOUT)).ok()?;
    stream.set_write_timeout(Some(TIMEOUT)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8(answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some((status, body.to_owned()))
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

    use super::ask;

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
        assert_eq!(ask(&listen, "/readyz"), Some((503, "full\n".to_owned())));
        assert!(server.join().unwrap().starts_with("GET /readyz HTTP/1.1\r\n"));
        assert_eq!(ask(&listen, "/readyz"), None, "nobody listens any more");
    }
}
