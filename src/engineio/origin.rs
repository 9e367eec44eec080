//! Which pages may talk to the endpoint, by the `Origin` header that browsers send.
//!
//! A request without `Origin` (a native client) and one from the server's own origin always pass. Scheme, host
//! and port are compared exactly. What passes is sent back by name, never as `*`.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::header::{self, HeaderMap, HeaderValue};

/// How long a browser may remember a preflight, in seconds.
const PREFLIGHT_AGE: &str = "600";
/// Headers that a page may send if it does not ask for others by name.
const HEADERS: &str = "authorization, content-type";

/// Origins that pass beside the server's own.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    /// Serialised origins: `https://app.example`, with the port where it is not the scheme's own; those of apps as well
    /// (`capacitor://localhost`).
    pub allowed: Vec<String>,
    /// Pages from any loopback origin: `localhost`, `127.0.0.0/8`, `[::1]`, any port.
    pub loopback: bool,
    /// `Origin: null`, a page opened from disk; whoever shares it may change it at any time.
    pub null: Arc<AtomicBool>,
}

/// What the `Origin` of a request means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No page is involved.
    Native,
    /// A page that may; its origin as it has to be sent back.
    Page(HeaderValue),
    /// A page that may not.
    Refused,
}

impl Origins {
    /// Judges a request by its headers; `secure` says whether it came encrypted.
    pub fn judge(&self, headers: &HeaderMap, secure: bool) -> Verdict {
        let mut values = headers.get_all(header::ORIGIN).iter();
        let Some(value) = values.next() else { return Verdict::Native };
        let allowed = values.next().is_none() && value.to_str().is_ok_and(|text| self.allows(text, headers, secure));
        if allowed { Verdict::Page(value.clone()) } else { Verdict::Refused }
    }

    fn allows(&self, text: &str, headers: &HeaderMap, secure: bool) -> bool {
        if text == "null" {
            return self.null.load(Ordering::Relaxed);
        }
        let Some(origin) = Origin::parse(text) else { return false };
        let scheme = if secure { "https" } else { "http" };
        let own = headers.get(header::HOST).and_then(|host| Origin::new(scheme, host.to_str().ok()?));
        own.is_some_and(|own| own == origin)
            || (self.loopback && origin.is_loopback())
            || self.allowed.iter().any(|allowed| Origin::parse(allowed).is_some_and(|allowed| allowed == origin))
    }
}

/// Whether a text is an origin as a browser, or the shell of an app, would say it.
pub fn is_origin(text: &str) -> bool {
    Origin::parse(text).is_some()
}

/// Tells a page that it may read the answer.
pub(super) fn permit(headers: &mut HeaderMap, verdict: &Verdict) {
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Verdict::Page(origin) = verdict {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
}

/// Tells a page what it may send; `asked` are the headers of its preflight.
pub(super) fn permit_requests(headers: &mut HeaderMap, asked: &HeaderMap) {
    let wanted = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.unwrap_or_else(|| HeaderValue::from_static(HEADERS)));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_AGE));
}

#[derive(Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    /// Schemes of apps have no port of their own.
    port: Option<u16>,
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        Self::new(scheme, authority)
    }

    fn new(scheme: &str, authority: &str) -> Option<Self> {
        let scheme = scheme.to_ascii_lowercase();
        let usual = match scheme.as_str() {
            "http" => Some(80),
            "https" => Some(443),
            _ if is_scheme(&scheme) => None,
            _ => return None,
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok().filter(|_| is_digits(port))?)),
            _ => (authority, usual),
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
        let bracketed = host.starts_with('[') && host.ends_with(']');
        if host.is_empty() || !host.bytes().all(plain) || (host.contains(':') && !bracketed) {
            return None;
        }
        Some(Self { scheme, host: host.to_ascii_lowercase(), port })
    }

    /// A page on this machine. The page of an app, which names itself `localhost` too, is none: apps have to be allowed.
    fn is_loopback(&self) -> bool {
        if !matches!(self.scheme.as_str(), "http" | "https") {
            return false;
        }
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        self.host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// RFC 3986, 3.1. A page opened from disk has no origin but `null`.
fn is_scheme(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(plain) && text != "file"
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(origins: &Origins, origin: &str, host: &str, secure: bool) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, HeaderValue::from_str(origin).expect("a header value"));
        headers.insert(header::HOST, HeaderValue::from_str(host).expect("a header value"));
        origins.judge(&headers, secure) != Verdict::Refused
    }

    #[test]
    fn no_origin_is_a_native_client() {
        assert_eq!(Origins::default().judge(&HeaderMap::new(), false), Verdict::Native);
    }

    #[test]
    fn the_own_origin_passes_and_nothing_near_it() {
        let own = Origins::default();
        let rows = [
            ("http://chat.example:3000", "chat.example:3000", false, true),
            ("http://CHAT.example:3000", "chat.example:3000", false, true),
            ("http://chat.example", "chat.example:80", false, true),
            ("https://chat.example", "chat.example", true, true),
            ("http://[::1]:3000", "[::1]:3000", false, true),
            ("https://chat.example:3000", "chat.example:3000", false, false),
            ("http://chat.example", "chat.example", true, false),
            ("http://chat.example:3001", "chat.example:3000", false, false),
            ("http://chat.example.evil:3000", "chat.example:3000", false, false),
            ("http://chat.example:3000/", "chat.example:3000", false, false),
            ("http://user@chat.example:3000", "chat.example:3000", false, false),
            ("chat.example:3000", "chat.example:3000", false, false),
            ("http://chat.example:+3000", "chat.example:3000", false, false),
            ("null", "chat.example:3000", false, false),
            ("", "chat.example:3000", false, false),
        ];
        for (origin, host, secure, passes) in rows {
            assert_eq!(judge(&own, origin, host, secure), passes, "{origin} at {host}");
        }
    }

    #[test]
    fn others_pass_only_as_the_policy_says() {
        let listed = Origins { allowed: vec!["https://app.example".to_owned()], ..Origins::default() };
        assert!(judge(&listed, "https://app.example", "chat.example", true));
        assert!(judge(&listed, "https://app.example:443", "chat.example", true));
        assert!(!judge(&listed, "http://app.example", "chat.example", true));
        assert!(!judge(&listed, "https://app.example:8443", "chat.example", true));
        let local = Origins { loopback: true, ..Origins::default() };
        for page in ["http://localhost:5173", "http://127.0.0.1:1", "http://127.8.8.8", "https://[::1]:9"] {
            assert!(judge(&local, page, "localhost:3000", false), "{page}");
        }
        for page in ["http://localhost.evil:3000", "http://128.0.0.1", "http://[::2]", "null", "file://"] {
            assert!(!judge(&local, page, "localhost:3000", false), "{page}");
        }
        let disk = Origins { null: Arc::new(true.into()), ..Origins::default() };
        assert!(judge(&disk, "null", "localhost:3000", false));
        assert!(!judge(&disk, "http://null", "localhost:3000", false));
    }

    #[test]
    fn an_app_passes_where_it_is_allowed_by_name_and_never_as_a_page_of_this_machine() {
        let apps = ["capacitor://localhost", "ionic://localhost", "tauri://localhost", "app://.", "app://obsidian.md"];
        for app in apps {
            let allowed = Origins { allowed: vec![app.to_owned()], ..Origins::default() };
            assert!(judge(&allowed, app, "chat.example", true), "{app}");
            assert!(!judge(&allowed, "https://localhost", "chat.example", true), "{app}");
            let local = Origins { loopback: true, ..Origins::default() };
            assert!(!judge(&local, app, "localhost:3000", false), "{app}");
        }
        let allowed = Origins { allowed: vec!["capacitor://localhost".to_owned()], ..Origins::default() };
        for other in
            ["ionic://localhost", "capacitor://localhost:80", "capacitor://localhost.evil", "capacitor:localhost"]
        {
            assert!(!judge(&allowed, other, "chat.example", true), "{other}");
        }
    }

    #[test]
    fn two_origins_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(header::HOST, HeaderValue::from_static("a"));
        headers.append(header::ORIGIN, HeaderValue::from_static("http://a"));
        assert_ne!(Origins::default().judge(&headers, false), Verdict::Refused);
        headers.append(header::ORIGIN, HeaderValue::from_static("http://a"));
        assert_eq!(Origins::default().judge(&headers, false), Verdict::Refused);
    }
}
