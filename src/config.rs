//! What was typed, checked: everything that `lexchat serve` needs to know, in each part's own settings.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::cli;
use crate::cli::serve::{Serve, SignUp};
use crate::config::calls::Calls;
use crate::config::error::Error;
use crate::config::limits::Limits;
use crate::config::notices::Notices;
use crate::config::origins::{host_name, origin_of, url_origin};
use crate::config::recordings::Recordings;
use crate::config::secret::Hidden;
use crate::engineio;
use crate::http::conversation;
use crate::http::listener::Listen;
use crate::http::peer;
use crate::http::tls::Identity;

pub mod billing;
pub mod calls;
pub mod error;
pub mod limits;
pub mod notices;
pub mod origins;
pub mod place;
pub mod recordings;
pub mod secret;

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: Listen,
    /// The one file that holds all state.
    pub database: PathBuf,
    /// Whether nobody but people at this machine can be meant: nothing else is listened on or said to lead here.
    pub is_private: bool,
    /// Whether a new database gets the demo accounts.
    pub seed_new_database: bool,
    /// Whether people may sign up without invitation.
    pub sign_up_open: bool,
    /// The origin that people use (`https://chat.cabinet.example`), where it is not the one listened on.
    pub public_url: Option<String>,
    /// Host names that a request may use while only this machine can connect, beside its own.
    pub host_names: Vec<String>,
    /// What `/metrics` asks of callers from elsewhere.
    pub metrics_token: Option<Hidden>,
    /// Bounds of the listener.
    pub listener: conversation::Settings,
    /// The protocol's settings; whether `Origin: null` passes follows the accounts.
    pub engineio: engineio::server::Settings,
    /// What one person or address may use up.
    pub limits: Limits,
    /// Payments by Stripe, where they are set up.
    pub stripe: Option<billing::Settings>,
    /// How notices leave.
    pub notices: Notices,
    /// Calls.
    pub calls: Calls,
    /// Recordings of calls.
    pub recordings: Recordings,
    /// Every setting by its flag's name, as shown to administrators: secrets only as `set` or `unset`.
    pub shown: BTreeMap<&'static str, String>,
}

impl Config {
    /// Checks what was typed for `lexchat serve`.
    pub fn new(serve: &Serve) -> Result<Config, Error> {
        Config::new_on(serve, Vec::new())
    }

    /// The same where sockets at these addresses are listened on already: they count, and not what was typed.
    pub fn new_on(serve: &Serve, inherited: Vec<SocketAddr>) -> Result<Config, Error> {
        let typed = || serve.listen.parse().map_err(|wrong| Error::Usage { flag: "listen", wrong });
        let listen = Listen::inherited(inherited).map_or_else(typed, Ok)?;
        let reach = &serve.reach;
        let trusted_proxies = parsed("trust-proxy", &reach.trust_proxy, |text| text.parse())?;
        let identity = match (&reach.tls_cert, &reach.tls_key) {
            (Some(certificate), Some(key)) => Some(Identity::load(certificate, key)?),
            _ => None,
        };
        if !listen.is_loopback() && identity.is_none() && trusted_proxies.is_empty() && !reach.insecure_http {
            return Err(Error::InTheClear(listen));
        }
        let public_url = reach.public_url.as_deref().map(url_origin).transpose();
        let public_url = public_url.map_err(|wrong| Error::Usage { flag: "public-url", wrong })?;
        let is_private = listen.is_loopback()
            && trusted_proxies.is_empty()
            && public_url.as_deref().is_none_or(|url| peer::is_this_machine(host_name(url)));
        let mut allowed = parsed("allow-origin", &reach.allow_origin, origin_of)?;
        allowed.extend(public_url.clone());
        let of_pages = allowed.iter().filter(|origin| origin.starts_with("http"));
        let host_names = of_pages.map(|origin| host_name(origin).to_owned()).collect();
        let limits = &serve.limits;
        let engineio = protocol(limits, allowed, is_private);
        let metrics_token = secret::metrics_token(reach)?;
        let stripe = billing::stripe(&serve.billing, public_url.as_deref(), is_private)?;
        let mut config = Config {
            stripe,
            notices: Notices::new(&serve.notices, public_url.as_deref(), is_private)?,
            seed_new_database: !serve.no_demo && is_private,
            is_private,
            listen,
            database: place::database(&serve.database, serve.open),
            sign_up_open: serve.sign_up == SignUp::Clients,
            public_url,
            host_names,
            metrics_token,
            listener: conversation::Settings { identity, trusted_proxies, ..listening(limits) },
            engineio,
            limits: Limits::from(limits),
            calls: Calls::new(&serve.calls)?,
            recordings: Recordings::new(&serve.recordings)?,
            shown: BTreeMap::new(),
        };
        config.shown = shown(serve, &config);
        Ok(config)
    }
}

fn listening(limits: &cli::limits::Limits) -> conversation::Settings {
    let idle_timeout = Duration::from_secs(limits.idle_timeout);
    conversation::Settings {
        first_head_timeout: Duration::from_secs(limits.first_request_timeout),
        idle_timeout,
        proxy_idle_timeout: conversation::PROXY_IDLE_TIMEOUT.max(idle_timeout),
        newcomers_max: limits.connections_per_address,
        ..conversation::Settings::default()
    }
}

fn parsed<T>(flag: &'static str, typed: &[String], parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, Error> {
    typed.iter().map(|text| parse(text.trim()).map_err(|wrong| Error::Usage { flag, wrong })).collect()
}

/// The settings of the two protocol layers.
fn protocol(limits: &cli::limits::Limits, allowed: Vec<String>, is_private: bool) -> engineio::server::Settings {
    engineio::server::Settings {
        ping_interval: Duration::from_millis(limits.ping_interval),
        ping_timeout: Duration::from_millis(limits.ping_timeout),
        max_payload: limits.max_payload,
        queue_bytes_max: limits.socket_queue,
        sessions_max_per_address: limits.sockets_per_address,
        origins: engineio::origin::Origins { allowed, loopback: is_private, null: Arc::default() },
        bare_websocket_paths: vec!["/chat".to_owned(), "/chat/".to_owned()],
        ..engineio::server::Settings::default()
    }
}

/// Every setting that is in force, by the name of its flag.
fn shown(serve: &Serve, config: &Config) -> BTreeMap<&'static str, String> {
    let listed = |list: &[String]| if list.is_empty() { "unset".to_owned() } else { list.join(" ") };
    let mut shown = BTreeMap::from([
        ("listen", config.listen.to_string()),
        ("db", config.database.display().to_string()),
        ("no-demo", serve.no_demo.to_string()),
        ("sign-up", if config.sign_up_open { "clients" } else { "closed" }.to_owned()),
        ("public-url", config.public_url.clone().unwrap_or_else(|| "unset".to_owned())),
        ("allow-origin", listed(&serve.reach.allow_origin)),
        ("trust-proxy", listed(&serve.reach.trust_proxy)),
        ("tls-cert", serve.reach.tls_cert.as_ref().map_or("unset".to_owned(), |path| path.display().to_string())),
        ("tls-key", if serve.reach.tls_key.is_some() { "set" } else { "unset" }.to_owned()),
        ("insecure-http", serve.reach.insecure_http.to_string()),
        ("metrics-token", if config.metrics_token.is_some() { "set" } else { "unset" }.to_owned()),
        ("log", serve.logs.log.clone()),
    ]);
    shown.extend(limits::shown(&serve.limits));
    shown.extend(billing::shown(&serve.billing));
    shown.extend(notices::shown(&serve.notices));
    shown.extend(calls::shown(&serve.calls));
    shown.extend(recordings::shown(&serve.recordings));
    shown
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::{Config, Error};
    use crate::cli::{Cli, Command};

    fn config(flags: &[&str]) -> Result<Config, Error> {
        let words = ["lexchat", "serve"].iter().chain(flags);
        let Command::Serve(serve) = Cli::parse_from(words).typed() else { panic!("not serve") };
        Config::new(&serve)
    }

    #[test]
    fn the_defaults_are_a_demo_on_loopback() {
        let config = config(&[]).unwrap();
        assert!(config.seed_new_database && config.sign_up_open && config.listen.is_loopback());
        assert!(config.engineio.origins.loopback);
        assert_eq!(config.listen.to_string(), "localhost:3000");
        assert_eq!(config.limits.message_rate, 20);
    }

    #[test]
    fn beyond_this_machine_there_are_no_demo_accounts_and_no_clear_text() {
        assert!(matches!(config(&["--listen", "0.0.0.0:3000"]), Err(Error::InTheClear(_))));
        let open = config(&["--listen", "0.0.0.0:3000", "--insecure-http"]).unwrap();
        assert!(!open.seed_new_database && !open.engineio.origins.loopback);
        assert!(config(&["--listen", "0.0.0.0:3000", "--trust-proxy", "10.0.0.0/8"]).is_ok());
    }

    #[test]
    fn whoever_may_be_reached_from_elsewhere_gets_no_demo_accounts() {
        for flags in [
            &["--trust-proxy", "127.0.0.1"][..],
            &["--public-url", "https://chat.example"],
            &["--public-url", "http://192.0.2.7:3000"],
            &["--listen", "0.0.0.0:3000", "--insecure-http"],
        ] {
            let config = config(flags).unwrap();
            assert!(!config.seed_new_database && !config.is_private, "{flags:?}");
        }
        for url in ["http://localhost:3000", "http://127.0.0.5:3000", "https://chat.localhost", "http://[::1]:1"] {
            assert!(config(&["--public-url", url]).unwrap().seed_new_database, "{url}");
        }
    }

    #[test]
    fn what_is_listened_on_already_counts_and_not_what_was_typed() {
        let Command::Serve(serve) = Cli::parse_from(["lexchat", "serve", "--listen", "127.0.0.1:1"]).typed() else {
            panic!("not serve")
        };
        let inherited = Config::new_on(&serve, vec!["[::1]:8080".parse().unwrap()]).unwrap();
        assert_eq!(inherited.listen.to_string(), "[::1]:8080");
        let open = Config::new_on(&serve, vec!["0.0.0.0:8080".parse().unwrap()]);
        assert!(matches!(open, Err(Error::InTheClear(_))), "a socket for everybody asks for HTTPS as well");
    }

    #[test]
    fn values_that_make_no_sense_name_their_flag() {
        for flags in [
            ["--listen", "nowhere"],
            ["--trust-proxy", "10.0.0.0/99"],
            ["--public-url", "chat.example"],
            ["--public-url", "capacitor://localhost"],
            ["--allow-origin", "https://a.example/path"],
            ["--allow-origin", "https://*.example"],
            ["--allow-origin", "file:///"],
        ] {
            let Err(Error::Usage { flag, .. }) = config(&flags) else { panic!("{flags:?} passed") };
            assert_eq!(format!("--{flag}"), flags[0]);
        }
    }

    #[test]
    fn a_file_for_the_token_of_the_metrics_must_hold_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        for (held, is_taken) in
            [("", false), ("\u{feff}\n", false), ("short\n", false), ("\u{feff}sixteen letters!\n", true)]
        {
            std::fs::write(&path, held).unwrap();
            let read = config(&["--metrics-token-file", path.to_str().unwrap()]);
            match read {
                Ok(config) => {
                    assert!(is_taken && config.metrics_token.unwrap().reveal() == "sixteen letters!", "{held:?}")
                }
                Err(refusal) => {
                    assert!(!is_taken && matches!(refusal, Error::Usage { flag: "metrics-token-file", .. }))
                }
            }
        }
    }

    #[test]
    fn pages_of_this_machine_pass_only_while_nobody_else_is_meant() {
        for (flags, is_private) in [
            (vec![], true),
            (vec!["--public-url", "http://localhost:8080"], true),
            (vec!["--public-url", "http://127.0.0.5:8080"], true),
            (vec!["--public-url", "https://chat.example"], false),
            (vec!["--trust-proxy", "127.0.0.1"], false),
            (vec!["--listen", "0.0.0.0:3000", "--insecure-http"], false),
        ] {
            let config = config(&flags).unwrap();
            assert_eq!((config.is_private, config.engineio.origins.loopback), (is_private, is_private), "{flags:?}");
        }
    }

    #[test]
    fn secrets_are_shown_as_set_or_unset() {
        let config = config(&[]).unwrap();
        assert_eq!(config.shown["metrics-token"], "unset");
    }
}
