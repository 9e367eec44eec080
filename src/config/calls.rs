//! Calls, checked.

use std::path::Path;

use crate::cli::calls::Callers;
use crate::cli::calls::Calls as Typed;
use crate::config::error::Error;
use crate::config::secret;
use crate::integrations::https::origin::Origin;
use crate::integrations::jitsi::token::{self, BadServer};
use crate::integrations::jws::RsaKey;
use crate::integrations::turn::{BadServers, Secret, Server, Settings};

/// Who may call, and how browsers find each other.
#[derive(Clone, Debug)]
pub struct Calls {
    pub callers: Callers,
    /// Servers that help browsers.
    pub servers: Settings,
    /// Whether everything goes through those.
    pub relay_only: bool,
    /// The Jitsi server, where calls go through one.
    pub jitsi: Option<token::Settings>,
}

impl Calls {
    /// Checks what was typed.
    ///
    /// # Errors
    /// A server that is none, TURN without its secret or the reverse, a relay that is asked for and missing.
    pub fn new(typed: &Typed) -> Result<Self, Error> {
        let wrong = |flag, wrong: &dyn std::fmt::Display| Error::Usage { flag, wrong: wrong.to_string() };
        let parse = |text: &String| text.trim().parse::<Server>().map_err(|bad| wrong("ice-server", &bad));
        let servers = typed.ice_server.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let secret = typed.turn_secret_file.as_deref().map(turn_secret).transpose()?;
        let servers = Settings::new(servers, secret).map_err(|bad| match bad {
            BadServers::Malformed(_) => wrong("ice-server", &bad),
            BadServers::NoSecret | BadServers::NoServer => wrong("turn-secret-file", &bad),
        })?;
        if typed.ice_relay_only && !servers.has_relay() {
            return Err(wrong("ice-relay-only", &"there is no TURN server (--ice-server turn:…)"));
        }
        Ok(Self { callers: typed.calls, servers, relay_only: typed.ice_relay_only, jitsi: jitsi(typed)? })
    }

    /// Whether there are calls at all.
    #[must_use]
    pub fn are_on(&self) -> bool {
        self.callers != Callers::Off
    }
}

/// The Jitsi server. Its pages open cameras, so they come by HTTPS, or from this machine.
fn jitsi(typed: &Typed) -> Result<Option<token::Settings>, Error> {
    let wrong = |flag, wrong: &dyn std::fmt::Display| Error::Usage { flag, wrong: wrong.to_string() };
    let (Some(url), Some(app_id)) = (&typed.jitsi_url, &typed.jitsi_app_id) else { return Ok(None) };
    let server = url.trim().parse::<Origin>().map_err(|bad| wrong("jitsi-url", &bad))?;
    if !server.is_secure() && !server.is_loopback() {
        return Err(wrong("jitsi-url", &"browsers open no camera for a page without HTTPS"));
    }
    let of = |bad: BadServer| match bad {
        BadServer::AppId => wrong("jitsi-app-id", &bad),
        BadServer::Secret | BadServer::JaasWithSecret => wrong("jitsi-secret-file", &bad),
        BadServer::KeyId => wrong("jitsi-key-id", &bad),
    };
    let settings = match (&typed.jitsi_secret_file, &typed.jitsi_key_file, &typed.jitsi_key_id) {
        (Some(secret), None, _) => {
            token::Settings::with_secret(server, app_id, &secret::read("jitsi-secret-file", secret)?).map_err(of)?
        }
        (None, Some(key), Some(key_id)) => {
            let key = RsaKey::from_pem(secret::read("jitsi-key-file", key)?.as_bytes())
                .map_err(|bad| wrong("jitsi-key-file", &bad))?;
            token::Settings::with_key(server, app_id, key, key_id).map_err(of)?
        }
        _ => return Err(wrong("jitsi-url", &"--jitsi-secret-file is needed, or --jitsi-key-file and --jitsi-key-id")),
    };
    Ok(Some(settings))
}

fn turn_secret(path: &Path) -> Result<Secret, Error> {
    let text = secret::read("turn-secret-file", path)?;
    Secret::new(&text).ok_or_else(|| Error::Usage { flag: "turn-secret-file", wrong: "the file is empty".to_owned() })
}

/// What is in force, by the name of its flag.
pub(super) fn shown(typed: &Typed) -> [(&'static str, String); 9] {
    let callers = match typed.calls {
        Callers::Off => "off",
        Callers::Juriste => "juriste",
        Callers::All => "all",
    };
    let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "unset".to_owned());
    let is_set = |is_set| if is_set { "set" } else { "unset" }.to_owned();
    let servers = if typed.ice_server.is_empty() { "unset".to_owned() } else { typed.ice_server.join(" ") };
    [
        ("calls", callers.to_owned()),
        ("ice-server", servers),
        ("turn-secret-file", is_set(typed.turn_secret_file.is_some())),
        ("ice-relay-only", typed.ice_relay_only.to_string()),
        ("jitsi-url", said(&typed.jitsi_url)),
        ("jitsi-app-id", said(&typed.jitsi_app_id)),
        ("jitsi-secret-file", is_set(typed.jitsi_secret_file.is_some())),
        ("jitsi-key-file", is_set(typed.jitsi_key_file.is_some())),
        ("jitsi-key-id", said(&typed.jitsi_key_id)),
    ]
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        calls: Typed,
    }

    fn jitsi<'a>(url: &'a str, app_id: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
        [&["--jitsi-url", url, "--jitsi-app-id", app_id], rest].concat()
    }

    fn calls(flags: &[&str]) -> Result<Calls, Error> {
        Calls::new(&Line::parse_from(["lexchat"].iter().chain(flags)).calls)
    }

    #[test]
    fn without_a_word_everybody_calls_and_no_server_is_asked() {
        let plain = calls(&[]).unwrap();
        assert!(plain.are_on() && plain.callers == Callers::All && !plain.relay_only && !plain.servers.has_relay());
        assert!(!calls(&["--calls", "off"]).unwrap().are_on());
    }

    #[test]
    fn what_cannot_work_names_its_flag() {
        let folder = tempfile::tempdir().unwrap();
        let (empty, good) = (folder.path().join("empty"), folder.path().join("good"));
        std::fs::write(&empty, "\u{feff}\u{200b}\n").unwrap();
        std::fs::write(&good, "geheim\n").unwrap();
        let (empty, good) = (empty.to_str().unwrap(), good.to_str().unwrap());
        for (flags, named) in [
            (vec!["--ice-server", "a.example"], "ice-server"),
            (vec!["--ice-server", "turn:a.example"], "turn-secret-file"),
            (vec!["--turn-secret-file", good], "turn-secret-file"),
            (vec!["--ice-server", "turn:a.example", "--turn-secret-file", empty], "turn-secret-file"),
            (vec!["--ice-server", "stun:a.example", "--ice-relay-only"], "ice-relay-only"),
        ] {
            let Err(Error::Usage { flag, .. }) = calls(&flags) else { panic!("{flags:?} passed") };
            assert_eq!(flag, named, "{flags:?}");
        }
        let shared = ["--jitsi-secret-file", good];
        let server = calls(&jitsi("https://meet.example", "lexchat", &shared)).unwrap().jitsi.unwrap();
        assert_eq!(server.server().to_string(), "https://meet.example");
        for (flags, named) in [
            (jitsi("https://meet.example", "a", &[]), "jitsi-url"),
            (jitsi("https://meet.example", "a", &["--jitsi-secret-file", empty]), "jitsi-secret-file"),
            (jitsi("https://meet.example", "a", &["--jitsi-key-file", good, "--jitsi-key-id", "k"]), "jitsi-key-file"),
            (jitsi("http://meet.example", "a", &shared), "jitsi-url"),
            (jitsi("https://meet.example/x", "a", &shared), "jitsi-url"),
            (jitsi("https://meet.example", "a b", &shared), "jitsi-app-id"),
        ] {
            let Err(Error::Usage { flag, .. }) = calls(&flags) else { panic!("{flags:?} passed") };
            assert_eq!(flag, named, "{flags:?}");
        }
        let relay = ["--ice-server", "turn:a.example", "--turn-secret-file", good, "--ice-relay-only"];
        let relay = calls(&relay).unwrap();
        assert!(relay.servers.has_relay() && relay.relay_only && !format!("{relay:?}").contains("geheim"));
    }
}
