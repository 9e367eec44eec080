//! Which relay, as whom.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::integrations::roots::Roots;

/// A relay and how to speak to it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it is.
    pub relay: Relay,
    /// What goes with the relay's user.
    pub password: Option<Password>,
    /// How this machine names itself to the relay; the practice's domain does.
    pub own_name: OwnName,
    /// Whom TLS trusts.
    pub roots: Roots,
    /// How long connecting and each command may take.
    pub command_timeout: Duration,
    /// How long the relay may take to accept a whole mail.
    pub final_timeout: Duration,
    /// Whether a relay without TLS will do: on loopback, where TLS does not begin at once.
    pub(super) may_be_plain: bool,
}

impl Settings {
    /// A relay with the usual times.
    ///
    /// # Errors
    ///
    /// A user without a password, or a password without a user.
    pub fn new(
        relay: Relay,
        password: Option<Password>,
        own_name: OwnName,
        roots: Roots,
    ) -> Result<Settings, BadRelay> {
        if relay.user.is_some() != password.is_some() {
            return Err(if relay.user.is_some() { BadRelay::NoPassword } else { BadRelay::NoUser });
        }
        let (command_timeout, final_timeout) = (Duration::from_secs(30), Duration::from_secs(90));
        let may_be_plain = relay.is_loopback() && !relay.tls_at_once;
        Ok(Settings { relay, password, own_name, roots, command_timeout, final_timeout, may_be_plain })
    }
}

/// A relay's address: `smtps://user@host:465` (TLS from the first byte) or `smtp://user@host:587` (STARTTLS).
#[derive(Clone, PartialEq, Eq)]
pub struct Relay {
    /// Whether TLS begins at once.
    pub(super) tls_at_once: bool,
    /// Without the brackets of an IPv6 address.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: Option<String>,
}

/// Why there is no relay.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRelay {
    /// Another form.
    #[error("the relay is written smtps://user@host:465 or smtp://user@host:587")]
    Malformed,
    /// A password on the command line.
    #[error("the relay's password belongs into a file, not into its address")]
    PasswordInAddress,
    /// Half of what signs in.
    #[error("the relay's address names a user, but there is no password")]
    NoPassword,
    /// Half of what signs in.
    #[error("there is a password for the relay, but its address names no user (smtps://user@host)")]
    NoUser,
}

impl Relay {
    /// Whether it is on this machine.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
    }
}

impl FromStr for Relay {
    type Err = BadRelay;

    /// The user may be percent-encoded; what is behind the last `@` is the host.
    fn from_str(text: &str) -> Result<Relay, BadRelay> {
        let (tls_at_once, rest) = match text.split_once("://") {
            Some(("smtps", rest)) => (true, rest),
            Some(("smtp", rest)) => (false, rest),
            _ => return Err(BadRelay::Malformed),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, host_and_port) = match rest.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, rest),
        };
        if user.is_some_and(|user| user.contains(':')) {
            return Err(BadRelay::PasswordInAddress);
        }
        let decoded = |user: &str| percent_decode_str(user).decode_utf8().map(|user| user.into_owned());
        let user = user.map(decoded).transpose().map_err(|_| BadRelay::Malformed)?;
        let usual = if tls_at_once { 465 } else { 587 };
        let (host, port) = host_and_port_of(host_and_port, usual).ok_or(BadRelay::Malformed)?;
        if user.as_ref().is_some_and(|user| user.is_empty() || user.contains(|c: char| c.is_control())) {
            return Err(BadRelay::Malformed);
        }
        Ok(Relay { tls_at_once, host, port, user })
    }
}

fn host_and_port_of(text: &str, usual: u16) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            address.parse::<std::net::Ipv6Addr>().ok()?;
            (address, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let is_name = |host: &str| host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
    if host.is_empty() || !(is_name(host) || host.contains(':')) {
        return None;
    }
    let port = match port {
        Some(port) => port.parse().ok().filter(|port| *port != 0)?,
        None => usual,
    };
    Some((host.to_ascii_lowercase(), port))
}

impl fmt::Display for Relay {
    /// Without the user.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls_at_once { "smtps" } else { "smtp" };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        write!(f, "{scheme}://{host}:{}", self.port)
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Relay({self})")
    }
}

/// The relay's password; its `Debug` tells nothing.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// The content of a file, without the line's end that editors put there.
    pub fn new(text: &str) -> Password {
        Password(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// A host name, or an address in brackets, as `EHLO` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnName(String);

impl OwnName {
    /// A host name or an IP address; anything else becomes the loopback address, which every relay takes from a client that
    /// signs in.
    pub fn new(host: &str) -> OwnName {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        OwnName(match bare.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => format!("[{address}]"),
            Ok(IpAddr::V6(address)) => format!("[IPv6:{address}]"),
            Err(_) if is_domain(bare) => bare.to_ascii_lowercase(),
            Err(_) => "[127.0.0.1]".to_owned(),
        })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_domain(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|label| {
            !label.is_empty() && label.len() <= 63 && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_an_address_with_a_user() {
        let relay = |text: &str| text.parse::<Relay>().unwrap();
        let parts = |text: &str| (relay(text).to_string(), relay(text).user);
        assert_eq!(parts("smtps://me@mail.example"), ("smtps://mail.example:465".to_owned(), Some("me".to_owned())));
        assert_eq!(parts("smtp://mail.example/"), ("smtp://mail.example:587".to_owned(), None));
        assert_eq!(parts("smtp://me@b.example@Mail.Example:25").1.as_deref(), Some("me@b.example"));
        assert_eq!(parts("smtp://me%40b.example@mail.example:25").1.as_deref(), Some("me@b.example"));
        assert_eq!(parts("smtp://[::1]:2525").0, "smtp://[::1]:2525");
        for (text, is_loopback) in [
            ("smtp://127.0.0.1:25", true),
            ("smtp://localhost", true),
            ("smtp://[::1]", true),
            ("smtp://127.0.0.1.evil", false),
            ("smtp://10.0.0.1", false),
        ] {
            assert_eq!(relay(text).is_loopback(), is_loopback, "{text}");
        }
    }

    #[test]
    fn what_is_no_relay_is_refused_without_showing_a_password() {
        for text in [
            "",
            "mail.example",
            "http://mail.example",
            "smtp://",
            "smtp://@mail.example",
            "smtp://mail.example:0",
            "smtp://mail.example:x",
            "smtp://mail.example:",
            "smtp://mail example",
            "smtp://mail.example/path",
            "smtp://mail.example\r\nX",
            "smtp://[::1",
            "smtp://[x]",
            "smtp://a%0d@mail.example",
            "smtp://a%ff@mail.example",
        ] {
            assert_eq!(text.parse::<Relay>(), Err(BadRelay::Malformed), "{text}");
        }
        let error = "smtps://me:secret@mail.example".parse::<Relay>().unwrap_err();
        assert!(!error.to_string().contains("secret"));
        assert_eq!(error, BadRelay::PasswordInAddress);
    }

    #[test]
    fn user_and_password_come_together() {
        let new = |relay: &str, password: Option<&str>| {
            Settings::new(
                relay.parse().unwrap(),
                password.map(Password::new),
                OwnName::new("x.example"),
                Roots::built_in(),
            )
        };
        assert!(new("smtp://a@b.example", Some("word\n")).is_ok());
        assert!(new("smtp://b.example", None).is_ok());
        assert_eq!(new("smtp://a@b.example", None).unwrap_err(), BadRelay::NoPassword);
        assert_eq!(new("smtp://b.example", Some("word")).unwrap_err(), BadRelay::NoUser);
        assert_eq!(Password::new("pass word \r\n").reveal(), "pass word ");
        assert!(!format!("{:?}", new("smtp://a@b.example", Some("secret")).unwrap()).contains("secret"));
    }

    #[test]
    fn a_name_for_the_relay_is_always_one_that_it_takes() {
        for (host, name) in [
            ("chat.cabinet.example", "chat.cabinet.example"),
            ("192.0.2.1", "[192.0.2.1]"),
            ("[2001:db8::1]", "[IPv6:2001:db8::1]"),
            ("", "[127.0.0.1]"),
            ("a b", "[127.0.0.1]"),
            ("x\r\nMAIL FROM:<>", "[127.0.0.1]"),
            ("é.example", "[127.0.0.1]"),
        ] {
            assert_eq!(OwnName::new(host).as_str(), name, "{host}");
        }
    }
}
