//! Who is calling, and by which name: addresses behind trusted proxies, and the `Host` header.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use hyper::header::{self, HeaderMap};
use ipnet::IpNet;

use crate::http::header_text::text_of;

/// A range of addresses, such as `10.0.0.0/8` or `::1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// Whether `address` lies in the range. IPv4 written as IPv6 (`::ffff:10.0.0.1`) counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.0, address.to_canonical()) {
            (IpNet::V6(network), IpAddr::V4(address)) => network.contains(&address.to_ipv6_mapped()),
            (network, address) => network.contains(&address),
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Network, String> {
        let wrong = || format!("`{text}` is not a range of addresses, such as 127.0.0.1 or 10.0.0.0/8");
        let network = match text.split_once('/') {
            // `ipnet` alone takes octets with leading zeros, which others read as octal.
            Some((address, _)) => address.parse::<IpAddr>().ok().and_then(|_| text.parse().ok()),
            None => text.parse::<IpAddr>().ok().map(IpNet::from),
        };
        network.map(Network).ok_or_else(wrong)
    }
}

/// The caller's address: that of the connection, unless it belongs to a trusted proxy; then the last address in
/// `X-Forwarded-For` that is not itself a trusted proxy. What untrusted callers write there has no effect.
pub fn caller(connected: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut caller = connected.to_canonical();
    let listed: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for text in listed.into_iter().rev() {
        if !is_trusted(caller) {
            break;
        }
        match address_in(text.trim()) {
            Some(address) => caller = address.to_canonical(),
            None => break,
        }
    }
    caller
}

/// What counts as one address: with IPv6, the network of 64 bits that one subscriber has for itself.
pub fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (!0 << 64))),
        v4 => v4,
    }
}

/// The headers by which proxies say what they were asked.
const FORWARDING: [&str; 13] = [
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-server",
    "x-real-ip",
    "forwarded",
    "via",
    "cf-connecting-ip",
    "true-client-ip",
    "x-client-ip",
    "x-envoy-external-address",
    "cdn-loop",
];

/// The first header in a request that says that it came through a proxy.
fn forwarding(headers: &HeaderMap) -> Option<&'static str> {
    FORWARDING.into_iter().find(|name| headers.contains_key(*name))
}

/// How a request came here, as far as its headers say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By whoever sent it, or by a proxy that says nothing of itself.
    Direct,
    /// Through a proxy that is trusted and says for whom it asks.
    TrustedProxy,
    /// Through a proxy that is trusted and does not say for whom it asks.
    SilentProxy,
    /// Through a proxy that is not trusted; the header that gave it away.
    UntrustedProxy(&'static str),
}

impl Way {
    /// The way of a request whose connection `is_trusted` to come from a proxy.
    pub fn of(headers: &HeaderMap, is_trusted: bool) -> Way {
        match forwarding(headers) {
            None => Way::Direct,
            Some(header) if !is_trusted => Way::UntrustedProxy(header),
            Some(_) if headers.contains_key("x-forwarded-for") => Way::TrustedProxy,
            Some(_) => Way::SilentProxy,
        }
    }

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Way::Direct => "direct",
            Way::TrustedProxy => "trusted-proxy",
            Way::SilentProxy => "silent-proxy",
            Way::UntrustedProxy(_) => "untrusted-proxy",
        }
    }
}

/// Whether a proxy says that it was asked over TLS: by `X-Forwarded-Proto`, else by `Forwarded`. Of several words the first
/// is that of whoever asked; `wss` is what some proxies call a WebSocket over TLS.
pub fn says_secure(headers: &HeaderMap) -> bool {
    let word = match first_word(headers, "x-forwarded-proto") {
        Some(word) => Some(word.to_owned()),
        None => forwarded(headers, "proto"),
    };
    word.is_some_and(|word| word.eq_ignore_ascii_case("https") || word.eq_ignore_ascii_case("wss"))
}

/// The host that a proxy was asked for, where it says so.
pub fn forwarded_host(headers: &HeaderMap) -> Option<String> {
    match first_word(headers, "x-forwarded-host") {
        Some(host) => Some(host.to_owned()),
        None => forwarded(headers, "host"),
    }
}

fn first_word<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let word = headers.get(name)?.to_str().ok()?.split(',').next()?.trim();
    (!word.is_empty()).then_some(word)
}

/// A parameter of the first element of `Forwarded` (RFC 7239).
fn forwarded(headers: &HeaderMap, parameter: &str) -> Option<String> {
    let pairs = first_word(headers, "forwarded")?.split(';').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case(parameter));
    values.next().map(|(_, value)| value.trim().trim_matches('"').to_owned())
}

/// Proxies write addresses bare, with a port, or in brackets.
fn address_in(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(inside, _)| inside);
    bare.unwrap_or(text).parse().ok().or_else(|| text.rsplit_once(':')?.0.parse().ok())
}

/// Whether a request names this machine, or one of `names`, in its `Host` header.
///
/// A page on the Internet can have its own name resolve to 127.0.0.1 and then talk to whatever listens there as if to
/// itself; the name it uses gives it away. A request without `Host` (HTTP/1.0) comes from no browser.
pub fn names_this_machine(headers: &HeaderMap, names: &[String]) -> bool {
    if !headers.contains_key(header::HOST) {
        return true;
    }
    let Some(host) = text_of(headers, header::HOST).map(|host| host_of(host).to_ascii_lowercase()) else {
        return false;
    };
    let host = host.trim_end_matches('.');
    is_this_machine(host) || names.iter().any(|name| name.eq_ignore_ascii_case(host))
}

/// Whether a host, without a port, is this machine for everybody who names it so.
pub fn is_this_machine(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Whether `host` or `host:port` is this machine for everybody who names it so.
pub fn is_local_authority(authority: &str) -> bool {
    is_this_machine(&host_of(authority).to_ascii_lowercase())
}

/// The host of `host:port`, without the brackets of IPv6.
pub fn host_of(authority: &str) -> &str {
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inside, _)) => inside,
        None => authority.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use hyper::header::{HOST, HeaderMap, HeaderValue};

    use super::{Network, Way, caller, forwarded_host, household, names_this_machine, says_secure};

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn ranges_hold_what_lies_in_them() {
        for (network, address, held) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "fe80::1", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "203.0.113.9", true),
            ("10.1.2.3/8", "10.9.9.9", true),
            ("::ffff:10.0.0.0/104", "10.9.9.9", true),
            ("::ffff:10.0.0.0/104", "11.0.0.1", false),
        ] {
            assert_eq!(network.parse::<Network>().unwrap().contains(ip(address)), held, "{network} {address}");
        }
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/x",
            "example.com",
            "::/129",
            "10.0.0.0/",
            "010.0.0.0/8",
            "10.0.0.0/8/8",
            "10.0.0.0/+8",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_trusted_proxies_are_looked_through() {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
        for (connected, forwarded, expected) in [
            ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
            ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
            ("::1", "[2001:db8::7]:443", "2001:db8::7"),
            ("::1", "198.51.100.1:5000", "198.51.100.1"),
            ("10.0.0.1", "nonsense", "10.0.0.1"),
            ("10.0.0.1", "", "10.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", HeaderValue::from_str(forwarded).unwrap());
            assert_eq!(caller(ip(connected), &headers, &trusted), ip(expected), "{connected} {forwarded}");
        }
    }

    #[test]
    fn what_proxies_say_is_understood_in_all_their_spellings() {
        for (name, value, secure) in [
            ("x-forwarded-proto", "https", true),
            ("x-forwarded-proto", "HTTPS", true),
            ("x-forwarded-proto", "wss", true),
            ("x-forwarded-proto", " https , http", true),
            ("x-forwarded-proto", "http, https", false),
            ("x-forwarded-proto", "ws", false),
            ("x-forwarded-proto", "httpsx", false),
            ("forwarded", "proto=https", true),
            ("forwarded", "for=192.0.2.1;Proto=\"HTTPS\";by=10.0.0.1, for=10.0.0.1;proto=http", true),
            ("forwarded", "for=192.0.2.1, proto=https", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(says_secure(&headers), secure, "{name}: {value}");
            headers.insert("x-forwarded-proto", HeaderValue::from_static("http"));
            assert!(!says_secure(&headers), "the plainer header counts");
        }
        let mut headers = HeaderMap::new();
        headers.insert("forwarded", HeaderValue::from_static("host=\"chat.example:8443\""));
        assert_eq!(forwarded_host(&headers).as_deref(), Some("chat.example:8443"));
        headers.insert("x-forwarded-host", HeaderValue::from_static("chat.example, inner.example"));
        assert_eq!(forwarded_host(&headers).as_deref(), Some("chat.example"));
    }

    #[test]
    fn the_way_of_a_request_goes_by_what_proxies_say_and_whether_they_are_trusted() {
        for (header, trusted, untrusted) in [
            ("x-forwarded-for", Way::TrustedProxy, Way::UntrustedProxy("x-forwarded-for")),
            ("x-forwarded-proto", Way::SilentProxy, Way::UntrustedProxy("x-forwarded-proto")),
            ("via", Way::SilentProxy, Way::UntrustedProxy("via")),
            ("cf-connecting-ip", Way::SilentProxy, Way::UntrustedProxy("cf-connecting-ip")),
            ("accept", Way::Direct, Way::Direct),
        ] {
            let headers = HeaderMap::from_iter([(header.parse().unwrap(), "x".parse().unwrap())]);
            assert_eq!([Way::of(&headers, true), Way::of(&headers, false)], [trusted, untrusted], "{header}");
        }
    }

    #[test]
    fn an_address_is_a_subscriber() {
        for (one, other, same) in [
            ("2001:db8::1", "2001:db8::ffff:1", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("::ffff:10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
        ] {
            assert_eq!(household(ip(one)) == household(ip(other)), same, "{one} {other}");
        }
    }

    #[test]
    fn a_foreign_name_for_this_machine_is_seen() {
        let names = ["chat.cabinet.example".to_owned()];
        for (host, ours) in [
            ("localhost:3000", true),
            ("LOCALHOST.", true),
            ("127.0.0.1:3000", true),
            ("127.9.9.9", true),
            ("[::1]:3000", true),
            ("app.localhost", true),
            ("chat.cabinet.example", true),
            ("evil.example:3000", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("192.168.1.5", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static(host));
            assert_eq!(names_this_machine(&headers, &names), ours, "{host}");
        }
        assert!(names_this_machine(&HeaderMap::new(), &[]));
    }
}
