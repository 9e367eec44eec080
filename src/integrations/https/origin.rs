//! Where a request may go: scheme, host and port, compared exactly.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use hyper::Uri;

/// Scheme, host and port of an address. Plain HTTP exists for loopback addresses alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    secure: bool,
    /// Lower case; an IPv6 address in brackets, as an address on the wire has it.
    host: String,
    port: u16,
}

/// Why a text is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadOrigin {
    /// Not an address at all, or one with a user, without a host, or with another scheme.
    #[error("`{0}` is not an address such as https://service.example or https://service.example:8443")]
    Malformed(String),
    /// More than scheme, host and port.
    #[error("`{0}` has a path; only scheme, host and port are wanted")]
    HasPath(String),
    /// `http://` to something that is not a loopback address.
    #[error("`{0}`: http:// is for loopback addresses alone (http://127.0.0.1:8090)")]
    NotSecure(String),
}

impl Origin {
    /// The origin of a whole address.
    ///
    /// # Errors
    ///
    /// [`BadOrigin`], naming scheme and host alone: a path may be a secret.
    pub fn of(uri: &Uri) -> Result<Origin, BadOrigin> {
        let shown = || format!("{}://{}", uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default());
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(BadOrigin::Malformed(shown())),
        };
        let authority = uri.authority().ok_or_else(|| BadOrigin::Malformed(shown()))?;
        let host = authority.host().to_ascii_lowercase();
        let port_is_odd = authority.port().is_some_and(|port| port.as_u16() == 0) || authority.as_str().ends_with(':');
        if host.is_empty() || host.ends_with('.') || authority.as_str().contains('@') || port_is_odd {
            return Err(BadOrigin::Malformed(shown()));
        }
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let origin = Origin { secure, host, port };
        if secure || origin.is_loopback() { Ok(origin) } else { Err(BadOrigin::NotSecure(shown())) }
    }

    /// Whether requests to it are encrypted.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host in lower case, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, also where it is the scheme's usual one.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address, where the host is one and not a name.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// Whether the host is a loopback address or `localhost`.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.address().is_some_and(|address| address.to_canonical().is_loopback())
    }

    /// A whole address on this origin; the path begins with `/`.
    ///
    /// # Errors
    ///
    /// [`BadOrigin::Malformed`] for a path with characters that no address has.
    pub fn at(&self, path_and_query: &str) -> Result<Uri, BadOrigin> {
        format!("{self}{path_and_query}").parse().map_err(|_| BadOrigin::Malformed(self.to_string()))
    }
}

impl FromStr for Origin {
    type Err = BadOrigin;

    /// What an operator types: an address of scheme, host and perhaps port, or a bare host for `https://`.
    fn from_str(text: &str) -> Result<Origin, BadOrigin> {
        let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let uri: Uri = whole.parse().map_err(|_| BadOrigin::Malformed(text.to_owned()))?;
        let origin = Origin::of(&uri)?;
        if uri.path_and_query().is_some_and(|path| path.as_str() != "/") {
            return Err(BadOrigin::HasPath(text.to_owned()));
        }
        Ok(origin)
    }
}

impl fmt::Display for Origin {
    /// As RFC 6454 writes it: without the port that the scheme implies.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.secure { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == usual { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// One rule of an [`AllowList`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Exactly this origin.
    Exact(Origin),
    /// Every host below a domain (`push.example` allows `a.push.example`, not itself), HTTPS on port 443.
    Below(String),
}

/// The origins that a module may reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList(Vec<Rule>);

impl AllowList {
    /// Whatever one of the rules allows.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> AllowList {
        AllowList(rules.into_iter().collect())
    }

    /// Whether some rule allows it.
    pub fn allows(&self, origin: &Origin) -> bool {
        self.0.iter().any(|rule| match rule {
            Rule::Exact(allowed) => allowed == origin,
            Rule::Below(domain) => {
                let below = origin.host.strip_suffix(domain.as_str()).and_then(|rest| rest.strip_suffix('.'));
                origin.secure && origin.port == 443 && below.is_some_and(|name| !name.is_empty())
            }
        })
    }
}

impl From<Origin> for AllowList {
    fn from(origin: Origin) -> AllowList {
        AllowList(vec![Rule::Exact(origin)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<String, BadOrigin> {
        Origin::of(&text.parse::<Uri>().unwrap()).map(|origin| origin.to_string())
    }

    #[test]
    fn an_origin_is_written_one_way() {
        for (text, written) in [
            ("https://Push.Example/some/path?q=1", "https://push.example"),
            ("https://push.example:443/x", "https://push.example"),
            ("https://push.example:8443/x", "https://push.example:8443"),
            ("http://127.0.0.1:8090/x", "http://127.0.0.1:8090"),
            ("http://localhost/x", "http://localhost"),
            ("http://[::1]:90/x", "http://[::1]:90"),
            ("https://[2A00::1]/x", "https://[2a00::1]"),
        ] {
            assert_eq!(of(text).as_deref(), Ok(written), "{text}");
        }
    }

    #[test]
    fn what_is_not_exactly_an_address_is_refused() {
        for text in [
            "https://user@push.example/",
            "https://user:word@push.example/",
            "https://push.example@evil.example/",
            "https://push.example./",
            "ftp://push.example/",
            "/path",
            "push.example:443",
            "https://push.example:0/",
            "https://push.example:/",
        ] {
            assert!(of(text).is_err(), "{text}");
        }
        for text in
            ["http://push.example/", "http://10.0.0.1/", "http://127.0.0.1.evil.example/", "http://localhost.evil/"]
        {
            assert!(matches!(of(text), Err(BadOrigin::NotSecure(_))), "{text}");
        }
    }

    #[test]
    fn an_error_names_no_path() {
        let error = of("http://push.example/secret-of-a-device").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn an_operator_may_type_a_bare_host_and_no_path() {
        assert_eq!("push.example".parse::<Origin>().unwrap().to_string(), "https://push.example");
        assert_eq!("https://push.example:444/".parse::<Origin>().unwrap().to_string(), "https://push.example:444");
        assert!(matches!("push.example/x".parse::<Origin>(), Err(BadOrigin::HasPath(_))));
        assert!(matches!("push.example?x".parse::<Origin>(), Err(BadOrigin::HasPath(_))));
        for text in ["", " ", "https://", "push example", "http://push.example"] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_allows_what_it_names_and_nothing_that_looks_like_it() {
        let list = AllowList::new([
            Rule::Exact("push.example".parse().unwrap()),
            Rule::Below("notify.example".to_owned()),
            Rule::Exact("http://127.0.0.1:8090".parse().unwrap()),
        ]);
        let allows = |text: &str| list.allows(&Origin::of(&text.parse().unwrap()).unwrap());
        for text in [
            "https://push.example/x",
            "https://a.notify.example/",
            "https://a.b.notify.example/",
            "http://127.0.0.1:8090/x",
        ] {
            assert!(allows(text), "{text}");
        }
        for text in [
            "https://push.example:8443/",
            "https://evilpush.example/",
            "https://push.example.evil/",
            "https://notify.example/",
            "https://evilnotify.example/",
            "https://a.notify.example:8443/",
            "https://.notify.example/",
            "http://127.0.0.1:8091/",
            "https://127.0.0.1:8090/",
            "http://127.0.0.2:8090/",
        ] {
            assert!(!allows(text), "{text}");
        }
    }
}
