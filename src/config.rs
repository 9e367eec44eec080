//! What was typed, checked: everything that `lexchat serve` needs to know, in each part's own settings.

use std::collections::BTreeMap;
use std::fmt;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper::Uri;

use crate::cli;
use crate::engineio;
use crate::http::listener::{self, Listen};
use crate::http::peer::{self, Network};
use crate::http::tls::{self, Identity};

/// The name of the database where none was given.
const DATABASE_NAME: &str = "lexchat.db";

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: Listen,
    /// The one file that holds all state.
    pub database: PathBuf,
    /// Whether a new database gets the demo accounts.
    pub seed_new_database: bool,
    /// Whether people may sign up without invitation.
    pub sign_up_open: bool,
    /// The origin that people use (`https://chat.cabinet.example`), where it is not the one listened on.
    pub public_url: Option<String>,
    /// Whose `X-Forwarded-…` headers are believed.
    pub trusted_proxies: Vec<Network>,
    /// Host names that a request may use while only this machine can connect, beside its own.
    pub host_names: Vec<String>,
    /// What `/metrics` asks of callers from elsewhere.
    pub metrics_token: Option<Hidden>,
    /// Bounds of the listener.
    pub listener: listener::Settings,
    /// The protocol's settings; whether `Origin: null` passes follows the accounts.
    pub engineio: engineio::server::Settings,
    /// What one person or address may use up.
    pub limits: Limits,
    /// Every setting by its flag's name, as shown to administrators: secrets only as `set` or `unset`.
    pub shown: BTreeMap<&'static str, String>,
}

/// The limits of the product; those of the protocol are in its own settings.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Messages per second and person; 0 = unlimited.
    pub message_rate: u32,
    /// Messages at once and person.
    pub message_burst: u32,
    /// Sign-in attempts per minute and address.
    pub sign_in_rate: u32,
    /// Binary attachments of one packet.
    pub binary_attachments_max: usize,
    /// Bytes of one file.
    pub file_bytes_max: u64,
    /// Files and addresses of one message.
    pub files_per_message_max: usize,
    /// Bytes of one person's files.
    pub user_bytes_max: u64,
    /// Sockets of one person.
    pub sockets_per_user_max: usize,
}

/// A secret that no `Debug` shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(String);

impl Hidden {
    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(…)")
    }
}

/// Why a configuration is no good.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A flag's value makes no sense.
    #[error("--{flag}: {wrong}")]
    Usage {
        /// Which flag.
        flag: &'static str,
        /// What is wrong with it.
        wrong: String,
    },
    /// A file that a setting names cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The certificate or its key is no good.
    #[error("--tls-cert and --tls-key")]
    Certificate(#[from] tls::Error),
    /// What people say could be read on the way.
    #[error(
        "--listen {0} is open to other machines, but without HTTPS everything said could be read on the way.\n\
         Give a certificate (--tls-cert, --tls-key), put a proxy that speaks HTTPS in front (--trust-proxy ADDRESS), or\n\
         accept it with --insecure-http."
    )]
    InTheClear(Listen),
}

impl Config {
    /// Checks what was typed for `lexchat serve`.
    pub fn new(serve: &cli::Serve) -> Result<Config, Error> {
        let listen: Listen = serve.listen.parse().map_err(|wrong| Error::Usage { flag: "listen", wrong })?;
        let reach = &serve.reach;
        let trusted_proxies = parsed("trust-proxy", &reach.trust_proxy, |text| text.parse())?;
        let identity = match (&reach.tls_cert, &reach.tls_key) {
            (Some(certificate), Some(key)) => Some(Identity::load(certificate, key)?),
            _ => None,
        };
        if !listen.is_loopback() && identity.is_none() && trusted_proxies.is_empty() && !reach.insecure_http {
            return Err(Error::InTheClear(listen));
        }
        let public_url = reach.public_url.as_deref().map(origin_of).transpose();
        let public_url = public_url.map_err(|wrong| Error::Usage { flag: "public-url", wrong })?;
        let mut allowed = parsed("allow-origin", &reach.allow_origin, origin_of)?;
        allowed.extend(public_url.clone());
        let host_names = allowed.iter().map(|origin| host_name(origin).to_owned()).collect();
        let limits = &serve.limits;
        let engineio = engineio::server::Settings {
            ping_interval: Duration::from_millis(limits.ping_interval),
            ping_timeout: Duration::from_millis(limits.ping_timeout),
            max_payload: limits.max_payload,
            queue_bytes_max: limits.socket_queue,
            sessions_max_per_address: limits.sockets_per_address,
            origins: engineio::origin::Origins { allowed, loopback: listen.is_loopback(), null: Arc::default() },
            bare_websocket_paths: vec!["/chat".to_owned(), "/chat/".to_owned()],
            ..engineio::server::Settings::default()
        };
        let metrics_token = metrics_token(reach)?;
        let mut config = Config {
            seed_new_database: !serve.no_demo && listen.is_loopback(),
            listen,
            database: database(&serve.database, serve.open),
            sign_up_open: serve.sign_up == cli::SignUp::Clients,
            public_url,
            trusted_proxies,
            host_names,
            metrics_token,
            listener: listener::Settings { identity, ..listener::Settings::default() },
            engineio,
            limits: Limits::from(limits),
            shown: BTreeMap::new(),
        };
        config.shown = shown(serve, &config);
        Ok(config)
    }
}

impl From<&cli::Limits> for Limits {
    fn from(typed: &cli::Limits) -> Limits {
        Limits {
            message_rate: typed.message_rate,
            message_burst: typed.message_burst,
            sign_in_rate: typed.sign_in_rate,
            binary_attachments_max: typed.binary_attachments,
            file_bytes_max: typed.file_size,
            files_per_message_max: typed.files_per_message,
            user_bytes_max: typed.user_quota,
            sockets_per_user_max: typed.sockets_per_user,
        }
    }
}

/// The database's path, where a command other than `serve` needs it.
pub fn database_of(typed: &cli::Database) -> PathBuf {
    typed.db.clone().unwrap_or_else(|| PathBuf::from(DATABASE_NAME))
}

/// What was given; else `lexchat.db` in the working directory. A double click has no working directory that means
/// anything: then beside the executable if that can be written, else where the platform keeps programs' data.
fn database(typed: &cli::Database, open: bool) -> PathBuf {
    let here = database_of(typed);
    let is_double_click = typed.db.is_none() && open && std::env::args_os().len() == 1 && !in_a_terminal();
    if !is_double_click || here.exists() {
        return here;
    }
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned));
    match beside.filter(|folder| is_writable(folder)).or_else(data_folder) {
        Some(folder) => folder.join(DATABASE_NAME),
        None => here,
    }
}

/// A terminal in the home folder is what a double click opens on some systems.
fn in_a_terminal() -> bool {
    let at_home = std::env::home_dir().is_some_and(|home| std::env::current_dir().is_ok_and(|here| here == home));
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && !(cfg!(target_os = "macos") && at_home)
}

fn is_writable(folder: &Path) -> bool {
    let probe = folder.join(format!(".lexchat-{}", std::process::id()));
    let created = std::fs::File::create_new(&probe).is_ok();
    created && std::fs::remove_file(&probe).is_ok()
}

fn data_folder() -> Option<PathBuf> {
    let home = std::env::home_dir();
    let folder = if cfg!(windows) {
        std::env::var_os("LOCALAPPDATA").map(PathBuf::from)
    } else if cfg!(target_os = "macos") {
        home.map(|home| home.join("Library/Application Support"))
    } else {
        let given = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        given.or_else(|| home.map(|home| home.join(".local/share")))
    };
    folder.map(|folder| folder.join("lexchat"))
}

/// From its variable, or from the file that `…_FILE` names.
fn metrics_token(reach: &cli::Reach) -> Result<Option<Hidden>, Error> {
    let text = match &reach.metrics_token_file {
        Some(path) => {
            let read = std::fs::read_to_string(path);
            Some(read.map_err(|source| Error::Unreadable { path: path.clone(), source })?)
        }
        None => std::env::var("LEXCHAT_METRICS_TOKEN").ok(),
    };
    let token = text.map(|text| text.trim().to_owned()).filter(|token| !token.is_empty());
    match token {
        Some(token) if token.len() < 16 => Err(Error::Usage {
            flag: "metrics-token-file",
            wrong: "a token of at least 16 characters is needed".into(),
        }),
        token => Ok(token.map(Hidden)),
    }
}

fn parsed<T>(flag: &'static str, typed: &[String], parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, Error> {
    typed.iter().map(|text| parse(text.trim()).map_err(|wrong| Error::Usage { flag, wrong })).collect()
}

/// The serialised origin of an address: scheme and host in small letters, the port where it is not the scheme's own.
fn origin_of(url: &str) -> Result<String, String> {
    let wrong = || format!("`{url}` is not an origin, such as https://chat.cabinet.example");
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(wrong()) };
    let port_of_scheme = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return Err(wrong()),
    };
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() || authority.as_str().contains('@') {
        return Err(wrong());
    }
    let host = authority.host().to_ascii_lowercase();
    Ok(match authority.port_u16().filter(|port| *port != port_of_scheme) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

fn host_name(origin: &str) -> &str {
    peer::host_of(origin.split_once("://").map_or(origin, |(_, authority)| authority))
}

/// Every setting that is in force, by the name of its flag.
fn shown(serve: &cli::Serve, config: &Config) -> BTreeMap<&'static str, String> {
    let limits = &serve.limits;
    let listed = |list: &[String]| if list.is_empty() { "unset".to_owned() } else { list.join(" ") };
    BTreeMap::from([
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
        ("message-rate", limits.message_rate.to_string()),
        ("message-burst", limits.message_burst.to_string()),
        ("sign-in-rate", limits.sign_in_rate.to_string()),
        ("max-payload", limits.max_payload.to_string()),
        ("binary-attachments", limits.binary_attachments.to_string()),
        ("file-size", limits.file_size.to_string()),
        ("files-per-message", limits.files_per_message.to_string()),
        ("user-quota", limits.user_quota.to_string()),
        ("sockets-per-user", limits.sockets_per_user.to_string()),
        ("sockets-per-address", limits.sockets_per_address.to_string()),
        ("socket-queue", limits.socket_queue.to_string()),
        ("ping-interval", limits.ping_interval.to_string()),
        ("ping-timeout", limits.ping_timeout.to_string()),
        ("log", serve.logs.log.clone()),
    ])
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::{Config, Error, origin_of};
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
    fn values_that_make_no_sense_name_their_flag() {
        for flags in [
            ["--listen", "nowhere"],
            ["--trust-proxy", "10.0.0.0/99"],
            ["--public-url", "chat.example"],
            ["--allow-origin", "https://a.example/path"],
        ] {
            let Err(Error::Usage { flag, .. }) = config(&flags) else { panic!("{flags:?} passed") };
            assert_eq!(format!("--{flag}"), flags[0]);
        }
    }

    #[test]
    fn origins_have_one_spelling() {
        for (url, origin) in [
            ("https://Chat.Example/", "https://chat.example"),
            ("https://chat.example:443", "https://chat.example"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(origin_of(url).unwrap(), origin);
        }
        for url in ["*", "null", "chat.example", "ftp://a", "https://u:p@a", "https://a?b"] {
            assert!(origin_of(url).is_err(), "{url}");
        }
    }

    #[test]
    fn secrets_are_shown_as_set_or_unset() {
        let config = config(&[]).unwrap();
        assert_eq!(config.shown["metrics-token"], "unset");
        assert_eq!(format!("{:?}", super::Hidden("geheim".into())), "Hidden(…)");
    }
}
