//! Who is calling, and by which name: addresses behind trusted proxies, and the `Host` header.

use std::net::IpAddr;
use std::str::FromStr;

use hyper::header::{self, HeaderMap};

use crate::http::request::text_of;

/// A range of addresses, such as `10.0.0.0/8` or `::1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: u128,
    mask: u128,
}

impl Network {
    /// Whether `address` lies in the range. IPv4 written as IPv6 (`::ffff:10.0.0.1`) counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        bits_of(address) & self.mask == self.base
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Network, String> {
        let wrong = || format!("`{text}` is not a range of addresses, such as 127.0.0.1 or 10.0.0.0/8");
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(width);
        if length > width {
            return Err(wrong());
        }
        let mask = u128::MAX.checked_shl(width - length).unwrap_or(0);
        Ok(Network { base: bits_of(address) & mask, mask })
    }
}

/// IPv4 addresses are laid into IPv6, as `::ffff:a.b.c.d`.
fn bits_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
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

/// Proxies write addresses bare, with a port, or in brackets.
fn address_in(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(inside, _)| inside);
    bare.unwrap_or(text).parse().ok().or_else(|| text.rsplit_once(':')?.0.parse().ok())
}

/// Whether a request names this machine, or one of `names`, in its `Host` header.
///
/// A page on the Internet can have its own name resolve to 127.0.0.1 and then talk to whatever listens there as if to
/// itself; the name it uses gives it away. A request without `Host` comes from no browser.
pub fn names_this_machine(headers: &HeaderMap, names: &[String]) -> bool {
    if !headers.contains_key(header::HOST) {
        return true;
    }
    let Some(host) = text_of(headers, header::HOST).map(|host| host_of(host).to_ascii_lowercase()) else {
        return false;
    };
    let host = host.trim_end_matches('.');
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        || names.iter().any(|name| name.eq_ignore_ascii_case(host))
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

    use super::{Network, caller, names_this_machine};

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
        ] {
            assert_eq!(network.parse::<Network>().unwrap().contains(ip(address)), held, "{network} {address}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0.0/x", "example.com", "::/129"] {
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
