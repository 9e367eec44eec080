//! What requests show of a server that is set up wrong: one warning per cause and process, which names the setting.
//!
//! Each mistake has a face that explains nothing: everybody is refused, or reconnects for ever, or shares one address. What
//! strangers send is shown as they sent it and never believed.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderValue};

use crate::http::peer::Way;

/// The longest text of a stranger that is shown.
const SHOWN_MAX: usize = 120;

/// Which warnings were given.
#[derive(Debug, Default)]
pub struct Complaints {
    host: AtomicBool,
    proxy: AtomicBool,
    silence: AtomicBool,
    origin: AtomicBool,
    upgrade: AtomicBool,
}

/// What a request for a socket says of where it comes from.
#[derive(Debug)]
pub struct Asked {
    origin: Option<HeaderValue>,
    host: Option<HeaderValue>,
    /// It was an upgrade once: a proxy took away what makes it one, and passed the rest on.
    lost_upgrade: bool,
}

impl Asked {
    /// Reads it off the request's headers.
    pub fn by(headers: &HeaderMap) -> Asked {
        Asked {
            origin: headers.get(header::ORIGIN).cloned(),
            host: headers.get(header::HOST).cloned(),
            lost_upgrade: headers.contains_key(header::SEC_WEBSOCKET_KEY) && !headers.contains_key(header::UPGRADE),
        }
    }
}

impl Complaints {
    /// A request was meant for a host that this server is not.
    pub fn of_host(&self, host: &str) {
        if is_first(&self.host) {
            let host = shown(host);
            tracing::warn!(
                "a request for {host:?} was refused: if people use this server by that name, say so by \
                 --public-url https://{host}"
            );
        }
    }

    /// A request came through a proxy that is not trusted, or does not say for whom it asks.
    pub fn of_way(&self, way: Way, connected: IpAddr) {
        match way {
            Way::Direct | Way::TrustedProxy => {}
            Way::SilentProxy => self.of_silence(connected.to_canonical()),
            Way::UntrustedProxy(header) => self.of_proxy(connected.to_canonical(), header),
        }
    }

    /// Somebody near by speaks for others, and is not trusted. Strangers may send what they like.
    fn of_proxy(&self, address: IpAddr, header: &'static str) {
        if is_near(address) && is_first(&self.proxy) {
            tracing::warn!(
                "what seems to be a proxy at {address} sends {header} and is not trusted: all its people share one address and \
                 its limits; --trust-proxy {address}"
            );
        }
    }

    fn of_silence(&self, address: IpAddr) {
        if is_first(&self.silence) {
            tracing::warn!(
                "the proxy at {address}, which --trust-proxy names, does not say for whom it asks: all its people share one \
                 address and its limits; let it pass X-Forwarded-For (docs/deploy has a configuration for each proxy)"
            );
        }
    }

    /// A request for a socket was answered: a refusal may be one that a setting mends.
    pub fn of_socket(&self, asked: &Asked, status: StatusCode, secure: bool, connected: IpAddr) {
        match (status, &asked.origin) {
            (StatusCode::FORBIDDEN, Some(origin)) => self.of_origin(origin, secure, asked.host.as_ref()),
            (StatusCode::BAD_REQUEST, _) if asked.lost_upgrade => self.of_upgrade(connected.to_canonical()),
            _ => {}
        }
    }

    /// A page was refused that may well be this server's own.
    fn of_origin(&self, origin: &HeaderValue, secure: bool, host: Option<&HeaderValue>) {
        if is_first(&self.origin) {
            let scheme = if secure { "https" } else { "http" };
            let text = |value: &HeaderValue| shown(value.to_str().unwrap_or_default());
            let (origin, host) = (text(origin), host.map(text).unwrap_or_default());
            tracing::warn!(
                "a page of {origin:?} was refused, because here this server is {scheme}://{host}: if that page is this server's \
                 own, --public-url {origin}; if it may use this server, --allow-origin {origin}"
            );
        }
    }

    /// A WebSocket came without what makes it one. Strangers may send what they like.
    fn of_upgrade(&self, connected: IpAddr) {
        if is_near(connected) && is_first(&self.upgrade) {
            tracing::warn!(
                "what seems to be a proxy at {connected} takes `Upgrade` away, so that no WebSocket passes and all works by \
                 polling: let it pass `Upgrade` and `Connection`; docs/deploy has a configuration for each proxy"
            );
        }
    }
}

fn is_first(given: &AtomicBool) -> bool {
    !given.load(Ordering::Relaxed) && !given.swap(true, Ordering::Relaxed)
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SHOWN_MAX).collect()
}

/// This machine, or one of its own network.
fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    /// Keeps the lines of a log.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Lines {
        type Writer = Lines;

        fn make_writer(&'a self) -> Lines {
            self.clone()
        }
    }

    /// The lines that are logged while `complain` runs.
    fn logged(complain: impl FnOnce(&Complaints)) -> Vec<String> {
        let lines = Lines::default();
        let log = tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false).without_time().finish();
        tracing::subscriber::with_default(log, || complain(&Complaints::default()));
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn headers(fields: &[(&'static str, &[u8])]) -> HeaderMap {
        fields.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_bytes(value).unwrap())).collect()
    }

    /// A page of one origin is refused here, by a request that was not asked over TLS.
    fn refuse(complaints: &Complaints, origin: &[u8], host: &[u8]) {
        let asked = Asked::by(&headers(&[("origin", origin), ("host", host)]));
        complaints.of_socket(&asked, StatusCode::FORBIDDEN, false, address("127.0.0.1"));
    }

    #[test]
    fn each_cause_is_warned_of_once_and_names_its_flag() {
        let lines = logged(|complaints| {
            for _ in 0..3 {
                complaints.of_host("messagerie.test");
                complaints.of_way(Way::UntrustedProxy("x-forwarded-for"), address("::ffff:10.0.0.2"));
                complaints.of_way(Way::SilentProxy, address("127.0.0.1"));
                refuse(complaints, b"https://messagerie.test", b"127.0.0.1:4500");
                let lost = Asked::by(&headers(&[("sec-websocket-key", b"x")]));
                complaints.of_socket(&lost, StatusCode::BAD_REQUEST, true, address("192.168.1.2"));
            }
        });
        assert_eq!(lines.len(), 5, "{lines:?}");
        assert!(lines.iter().all(|line| line.trim_start().starts_with("WARN ")), "{lines:?}");
        assert!(lines[0].contains("--public-url https://messagerie.test"), "{lines:?}");
        assert!(lines[1].contains("--trust-proxy 10.0.0.2") && lines[1].contains("x-forwarded-for"), "{lines:?}");
        for told in ["http://127.0.0.1:4500", "--public-url https://messagerie.test", "--allow-origin"] {
            assert!(lines[3].contains(told), "{told} in {lines:?}");
        }
        assert!(lines[2].contains("let it pass X-Forwarded-For"), "{lines:?}");
        assert!(lines[4].contains("192.168.1.2") && lines[4].contains("let it pass `Upgrade`"), "{lines:?}");
    }

    #[test]
    fn only_who_is_near_can_be_a_proxy_of_ours() {
        let proxy = Way::UntrustedProxy("forwarded");
        let near =
            ["127.0.0.1", "::1", "192.168.1.2", "172.17.0.1", "169.254.0.1", "fd00::1", "fe80::1", "::ffff:10.0.0.1"];
        for text in near {
            let lines = logged(|complaints| complaints.of_way(proxy, address(text)));
            assert_eq!(lines.len(), 1, "{text}");
        }
        let strangers = ["203.0.113.9", "2001:db8::1", "::ffff:203.0.113.9", "172.32.0.1"];
        let lines = logged(|complaints| {
            strangers.iter().for_each(|text| complaints.of_way(proxy, address(text)));
            complaints.of_way(proxy, address("127.0.0.1"));
        });
        assert_eq!(lines.len(), 1, "strangers neither warn nor use the one warning up: {lines:?}");
        assert!(lines[0].contains("--trust-proxy 127.0.0.1"), "{lines:?}");
    }

    #[test]
    fn what_is_well_or_comes_from_afar_is_no_reason_to_warn() {
        let lost = Asked::by(&headers(&[("sec-websocket-key", b"x"), ("origin", b"https://a.test")]));
        let whole = Asked::by(&headers(&[("sec-websocket-key", b"x"), ("upgrade", b"websocket")]));
        let lines = logged(|complaints| {
            complaints.of_way(Way::Direct, address("127.0.0.1"));
            complaints.of_way(Way::TrustedProxy, address("127.0.0.1"));
            complaints.of_socket(&lost, StatusCode::BAD_REQUEST, true, address("203.0.113.9"));
            complaints.of_socket(&lost, StatusCode::SWITCHING_PROTOCOLS, true, address("127.0.0.1"));
            complaints.of_socket(&whole, StatusCode::BAD_REQUEST, true, address("127.0.0.1"));
            complaints.of_socket(&whole, StatusCode::FORBIDDEN, true, address("127.0.0.1"));
        });
        assert!(lines.is_empty(), "{lines:?}");
    }

    #[test]
    fn what_strangers_send_is_shown_short_and_on_one_line() {
        let lines = logged(|complaints| {
            complaints.of_host(&format!("a\nWARN forged\u{1b}[31m{}", "x".repeat(10_000)));
            refuse(complaints, b"https://\xff", "y".repeat(10_000).as_bytes());
        });
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines.iter().all(|line| line.len() < 1000), "{lines:?}");
        assert!(!lines.concat().contains('\u{1b}'), "{lines:?}");
    }
}
