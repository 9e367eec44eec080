//! Addresses that pages have: their origins and hosts.

use crate::engineio::origin;
use crate::http::peer;

/// The serialised origin of an address of the web, at which lexchat stands: there is nothing below it.
pub fn url_origin(url: &str) -> Result<String, String> {
    let wrong = || format!("`{url}` is not an address of the web, such as https://chat.cabinet.example");
    match origin_of(url) {
        Ok(origin) if is_of_the_web(&origin) => Ok(origin),
        Ok(_) => Err(wrong()),
        Err(_) => match root_of(url) {
            Some(root) => Err(format!(
                "`{url}` is more than a name: lexchat stands at the root of a name of its own and not under a \
                 sub-path, such as {root}"
            )),
            None => Err(wrong()),
        },
    }
}

/// The origin that an address with more behind it begins with.
fn root_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    origin_of(&format!("{scheme}://{authority}")).ok().filter(|origin| is_of_the_web(origin))
}

fn is_of_the_web(origin: &str) -> bool {
    origin.starts_with("http://") || origin.starts_with("https://")
}

/// The serialised origin of an address, of a page or of an app: scheme and host in small letters, the port where it is not the
/// scheme's own. An origin is one host: a pattern would never match.
pub(super) fn origin_of(url: &str) -> Result<String, String> {
    let wrong = || format!("`{url}` is not an origin, such as https://chat.cabinet.example or capacitor://localhost");
    let (scheme, authority) = url.strip_suffix('/').unwrap_or(url).split_once("://").ok_or_else(wrong)?;
    let (scheme, authority) = (scheme.to_ascii_lowercase(), authority.to_ascii_lowercase());
    let usual = match scheme.as_str() {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    let host = in_ascii(authority.strip_suffix(usual).unwrap_or(&authority)).ok_or_else(wrong)?;
    let origin = format!("{scheme}://{host}");
    if origin::is_origin(&origin) { Ok(origin) } else { Err(wrong()) }
}

/// A host as browsers name it, perhaps with a port behind it: letters beyond ASCII stand in Punycode.
fn in_ascii(authority: &str) -> Option<String> {
    if authority.is_ascii() {
        return Some(authority.to_owned());
    }
    let (name, port) = authority.split_at(authority.rfind(':').unwrap_or(authority.len()));
    idna::domain_to_ascii_strict(name).ok().map(|name| name + port)
}

/// The host of an origin, without the brackets of IPv6.
pub fn host_name(origin: &str) -> &str {
    peer::host_of(origin.split_once("://").map_or(origin, |(_, authority)| authority))
}

#[cfg(test)]
mod tests {
    use super::{origin_of, url_origin};

    #[test]
    fn origins_have_one_spelling() {
        for (url, origin) in [
            ("https://Chat.Example/", "https://chat.example"),
            ("https://chat.example:443", "https://chat.example"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("Capacitor://localhost", "capacitor://localhost"),
            ("app://./", "app://."),
            ("https://Société.example:8443/", "https://xn--socit-esab.example:8443"),
            ("https://chat.société.example:443", "https://chat.xn--socit-esab.example"),
        ] {
            assert_eq!(origin_of(url).unwrap(), origin);
        }
        for url in [
            "*",
            "null",
            "chat.example",
            "file://",
            "https://u:p@a",
            "https://a?b",
            "https://a*",
            "https://",
            "https://é.*",
            "https://é é",
        ] {
            assert!(origin_of(url).is_err(), "{url}");
        }
    }

    #[test]
    fn an_address_below_the_root_is_refused_and_the_root_is_named() {
        for below in ["/chat", "/chat/", "//", "/?a", "?a", "#a", "/#", "/.", "/%2e", "\\chat", "/chat/index.html"] {
            let refused = url_origin(&format!("HTTPS://Cabinet.example:8443{below}")).unwrap_err();
            assert!(refused.contains("sub-path, such as https://cabinet.example:8443"), "{below}: {refused}");
        }
        for (url, origin) in [("https://a.example", "https://a.example"), ("http://[::1]:80/", "http://[::1]")] {
            assert_eq!(url_origin(url).unwrap(), origin);
        }
        for url in ["", "/chat", "chat.example/x", "capacitor://localhost", "app://./x", "https://", "https:///chat"] {
            let refused = url_origin(url).unwrap_err();
            assert!(refused.contains("is not an address of the web"), "{url}: {refused}");
        }
    }
}
