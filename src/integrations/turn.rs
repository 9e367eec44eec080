//! STUN and TURN servers for direct calls, and passwords for coturn that end by themselves.
//!
//! coturn's `use-auth-secret`: the user is `expiry:id`, the password an HMAC-SHA1 of it with the shared secret. Nothing is said
//! to coturn from here.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// How long a password is good: longer than a call.
pub const PASSWORD_LIFETIME: Duration = Duration::from_secs(12 * 3600);

/// The servers that a call may use.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    servers: Vec<Server>,
    secret: Option<Secret>,
}

/// Why servers cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadServers {
    /// Not an address of a server.
    #[error("`{0}` is not stun:host[:port] or turn[s]:host[:port][?transport=udp|tcp]")]
    Malformed(String),
    /// TURN without a secret: no such server lets anybody in.
    #[error("a TURN server needs the secret that it shares with lexchat")]
    NoSecret,
    /// A secret, and nobody to share it with.
    #[error("there is a secret for TURN, but no TURN server")]
    NoServer,
}

impl Settings {
    /// Servers and the secret that those of TURN share.
    ///
    /// # Errors
    ///
    /// [`BadServers`]: TURN and the secret come together.
    pub fn new(servers: Vec<Server>, secret: Option<Secret>) -> Result<Settings, BadServers> {
        match (servers.iter().any(Server::is_turn), secret.is_some()) {
            (true, false) => Err(BadServers::NoSecret),
            (false, true) => Err(BadServers::NoServer),
            _ => Ok(Settings { servers, secret }),
        }
    }

    /// Whether there is a server that relays, so that people in different networks reach each other.
    pub fn has_relay(&self) -> bool {
        self.secret.is_some()
    }

    /// What a browser is given (`RTCIceServer`), with a password of this person's.
    pub fn ice_servers(&self, person: &str, now: SystemTime) -> Vec<IceServer> {
        let (turn, stun): (Vec<&Server>, Vec<&Server>) = self.servers.iter().partition(|server| server.is_turn());
        let urls = |servers: Vec<&Server>| servers.into_iter().map(|server| server.0.clone()).collect::<Vec<_>>();
        let mut given = Vec::new();
        if !stun.is_empty() {
            given.push(IceServer { urls: urls(stun), login: None });
        }
        if let Some(secret) = self.secret.as_ref().filter(|_| !turn.is_empty()) {
            given.push(IceServer { urls: urls(turn), login: Some(secret.login(person, now)) });
        }
        given
    }
}

/// The address of a server, as browsers take it (RFC 7064, 7065).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server(String);

impl Server {
    fn is_turn(&self) -> bool {
        self.0.starts_with("turn")
    }
}

impl FromStr for Server {
    type Err = BadServers;

    fn from_str(text: &str) -> Result<Server, BadServers> {
        let bad = || BadServers::Malformed(text.to_owned());
        let (scheme, rest) = text.split_once(':').ok_or_else(bad)?;
        let (place, query) = match rest.split_once('?') {
            Some((place, query)) => (place, Some(query)),
            None => (rest, None),
        };
        let query_fits = match query {
            None => true,
            Some(query) => scheme != "stun" && matches!(query, "transport=udp" | "transport=tcp"),
        };
        if matches!(scheme, "stun" | "turn" | "turns") && query_fits && is_place(place) {
            Ok(Server(text.to_owned()))
        } else {
            Err(bad())
        }
    }
}

/// A host, perhaps with a port.
fn is_place(text: &str) -> bool {
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port != 0);
    if let Some((address, port)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let port_fits = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return address.parse::<Ipv6Addr>().is_ok() && port_fits;
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let is_host = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
    is_host && port.is_none_or(is_port)
}

/// The secret that coturn has too; its `Debug` tells nothing.
#[derive(Clone)]
pub struct Secret(hmac::Key);

impl Secret {
    /// The content of a file, without the line's end that editors put there; `None` where nothing is left.
    pub fn new(text: &str) -> Option<Secret> {
        let text = text.trim_end_matches(['\r', '\n']);
        (!text.is_empty()).then(|| Secret(hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes())))
    }

    fn login(&self, person: &str, now: SystemTime) -> Login {
        let expires_at = (now + PASSWORD_LIFETIME).duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let username = format!("{expires_at}:{person}");
        let credential = STANDARD.encode(hmac::sign(&self.0, username.as_bytes()));
        Login { username, credential }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a browser is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceServer {
    /// Addresses.
    pub urls: Vec<String>,
    /// What lets in; STUN lets everybody in.
    pub login: Option<Login>,
}

/// A user and password for half a day.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// `expiry:person`.
    pub username: String,
    /// The password.
    pub credential: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(texts: &[&str]) -> Vec<Server> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    /// The password was computed with `openssl dgst -sha1 -hmac`.
    #[test]
    fn a_password_is_what_coturn_computes() {
        let now = UNIX_EPOCH + Duration::from_secs(1_795_860_000);
        let login = Secret::new("north\n").unwrap().login("7", now);
        assert_eq!(login.username, "1795903200:7");
        assert_eq!(login.credential, "DESMcbxbsrg6BLGPbg7Z0b0g/Gg=");
        assert_eq!(format!("{login:?}"), "Login(…)");
    }

    #[test]
    fn everybody_gets_stun_and_each_a_password_for_turn() {
        let all = servers(&["stun:a.example", "turn:a.example?transport=udp", "turns:a.example:443?transport=tcp"]);
        let settings = Settings::new(all, Secret::new("north")).unwrap();
        let given = settings.ice_servers("7", UNIX_EPOCH);
        assert_eq!(given[0], IceServer { urls: vec!["stun:a.example".to_owned()], login: None });
        assert_eq!(given[1].urls.len(), 2);
        assert_eq!(given[1].login.as_ref().unwrap().username, "43200:7");
        assert!(settings.has_relay());
        let none = Settings::new(Vec::new(), None).unwrap();
        assert!(none.ice_servers("7", UNIX_EPOCH).is_empty() && !none.has_relay());
    }

    #[test]
    fn turn_and_its_secret_come_together() {
        let turn = || servers(&["turn:a.example"]);
        assert_eq!(Settings::new(turn(), None).unwrap_err(), BadServers::NoSecret);
        assert_eq!(Settings::new(servers(&["stun:a.example"]), Secret::new("x")).unwrap_err(), BadServers::NoServer);
        assert!(Secret::new("\n").is_none());
    }

    #[test]
    fn an_address_is_one_that_a_browser_takes() {
        for text in [
            "stun:a.example",
            "stun:a.example:3478",
            "turn:192.0.2.1?transport=tcp",
            "turns:[2001:db8::1]:5349",
            "turn:[::1]",
        ] {
            assert!(text.parse::<Server>().is_ok(), "{text}");
        }
        for text in [
            "",
            "a.example",
            "stun:",
            "stun://a.example",
            "stuns:a.example",
            "stun:a.example?transport=udp",
            "turn:a.example?transport=sctp",
            "turn:a.example:0",
            "turn:a.example:x",
            "turn:user@a.example",
            "turn:[::1",
            "turn:a b",
            "http:a.example",
        ] {
            assert!(text.parse::<Server>().is_err(), "{text}");
        }
    }
}
