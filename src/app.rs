//! The running server: built from a checked configuration, drained and stopped as one. Whoever runs it, the program or a
//! test, comes in here.
//!
//! The database is opened before the port is bound: a file that is refused never answers a request. A stop keeps what
//! was promised: no new connections, then the pen finishes what is queued and its events are told, then every socket is
//! closed, and last the database.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::api::call::{self, Api, Limits};
use crate::api::metrics::{Connected, Counters};
use crate::auth::actor::Actor;
use crate::chat::command::{Command, CreateSetupLink};
use crate::chat::error::{self, Reason};
use crate::chat::execute::{self, Chat, Failure, Health, Outcomes};
use crate::chat::reply::Reply;
use crate::config::Config;
use crate::engineio::server::{Incoming, Server};
use crate::gateway;
use crate::gateway::connection::Gateway;
use crate::http::listener::{BindError, Listen, Listeners, Running};
use crate::routes::Routes;
use crate::socketio::connection::{self, Connection};
use crate::store::db::{self, Db, Missing, OpenError};

/// How long sockets may take to say goodbye.
const SOCKETS_WITHIN: Duration = Duration::from_secs(2);
/// How long answers that are under way may take to end.
const ANSWERS_WITHIN: Duration = Duration::from_secs(4);

/// A running server.
pub struct App {
    addresses: Vec<SocketAddr>,
    listener: Running,
    sockets: Server,
    chat: Chat,
    telling: JoinHandle<()>,
    upkeep: JoinHandle<()>,
    accepting: JoinHandle<()>,
    /// What there is to say about this start.
    pub started: Started,
}

/// What there is to say about a start.
#[derive(Clone, Debug)]
pub struct Started {
    /// The origin that people use.
    pub url: String,
    /// Whether the database was made by this start.
    pub created: bool,
    /// Whether a password that everybody knows opens an account.
    pub demo_accounts: bool,
    /// Where the first administrator opens their account, while there is none.
    pub setup_link: Option<String>,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database is refused.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The system refused something else.
    #[error("the server cannot start")]
    System(#[from] std::io::Error),
    /// What must be known at the start could not be read or written.
    #[error("the database cannot be worked with")]
    Chat(#[from] error::Error),
    /// Everybody could sign in.
    #[error(
        "--listen {0} is open to other machines, but the demo accounts in this database still have the password that \
         everybody knows.\nStart with another database (--db FILE), give them other passwords (lexchat user passwd \
         EMAIL), or close them (lexchat user disable EMAIL)."
    )]
    DemoAccounts(Listen),
}

impl App {
    /// Opens the database, binds the port, and serves.
    pub async fn start(config: Config) -> Result<App, StartError> {
        raise_descriptor_limit();
        let db = open(&config).await?;
        let created = db.created;
        let (chat, outcomes) = Chat::new(db, chat_settings(&config))?;
        let demo_accounts = chat.look_for_demo_accounts().await?;
        let listeners = match bind(&config.listen, demo_accounts) {
            Ok(listeners) => listeners,
            Err(error) => {
                chat.close().await;
                return Err(error);
            }
        };
        let addresses = listeners.addresses();
        let url = config.public_url.clone().unwrap_or_else(|| own_url(&config, &addresses));
        let mut engineio = config.engineio.clone();
        if config.listen.is_loopback() {
            engineio.origins.null = chat.demo_accounts().clone();
        }
        let origins = engineio.origins.clone();
        let (sockets, incoming) = Server::new(engineio);
        let keyring = chat.credentials().tokens.clone();
        let gateway = Gateway::new(chat.clone(), keyring.clone(), &gateway_settings(&config));
        let socketio = socketio_settings(&config);
        let settings = api_settings(&config, &url, &sockets, &gateway);
        let routes = Arc::new(Routes {
            api: Arc::new(Api { chat: chat.clone(), keyring, settings, counters: Counters::default() }),
            sockets: sockets.clone(),
            origins,
            host_names: config.listen.is_loopback().then(|| config.host_names.clone()),
            tls: config.listener.identity.is_some(),
            trusted_proxies: config.trusted_proxies,
        });
        let telling = tokio::spawn(tell(gateway.clone(), outcomes));
        let looked_after = chat.clone();
        let upkeep = tokio::spawn(async move { looked_after.look_after().await });
        let accepting = tokio::spawn(accept(gateway, incoming, socketio));
        let listener = Running::start(listeners, config.listener, move |request, peer| {
            let routes = routes.clone();
            async move { routes.answer(request, peer).await }
        })?;
        let setup_link = setup_link(&chat, &url).await;
        let started = Started { url, created, demo_accounts, setup_link };
        Ok(App { addresses, listener, sockets, chat, telling, upkeep, accepting, started })
    }

    /// The first address listened on.
    pub fn addr(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Whether it can keep its promises now.
    pub fn is_well(&self) -> bool {
        !matches!(self.chat.health(), Health::Failed(_) | Health::Closed)
    }

    /// Resolves when storage can promise nothing any more: the process has to end.
    pub async fn failed(&self) -> Failure {
        self.chat.failed().await
    }

    /// Stops everything, within ten seconds.
    pub async fn stop(self) {
        self.listener.stop_accepting();
        self.upkeep.abort();
        self.chat.close().await;
        if tokio::time::timeout(ANSWERS_WITHIN, self.telling).await.is_err() {
            tracing::warn!("not everything that was committed could be told in time");
        }
        self.sockets.close(SOCKETS_WITHIN).await;
        self.accepting.abort();
        if tokio::time::timeout(ANSWERS_WITHIN, self.listener.ended()).await.is_err() {
            tracing::warn!("connections were cut off: they did not end in time");
        }
    }
}

async fn open(config: &Config) -> Result<Db, StartError> {
    let missing = if config.seed_new_database { Missing::CreateDemo } else { Missing::CreateEmpty };
    let settings = db::Settings { path: config.database.clone(), missing, readers_max: readers_max() };
    let opened = tokio::task::spawn_blocking(move || Db::open(&settings)).await.map_err(std::io::Error::other)?;
    Ok(opened?)
}

fn bind(listen: &Listen, demo_accounts: bool) -> Result<Listeners, StartError> {
    if demo_accounts && !listen.is_loopback() {
        return Err(StartError::DemoAccounts(listen.clone()));
    }
    Ok(listen.bind()?)
}

async fn tell(gateway: Gateway, outcomes: Outcomes) {
    gateway.run(outcomes).await;
}

/// Gives each new socket a task of its own, for all of its life.
async fn accept(gateway: Gateway, mut incoming: Incoming, settings: connection::Settings) {
    while let Some(socket) = incoming.accept().await {
        let gateway = gateway.clone();
        // Made outside of its task, which so holds it once.
        let mut connection = Connection::new(socket, settings.clone());
        tokio::spawn(async move { gateway.serve(&mut connection).await });
    }
}

fn readers_max() -> u32 {
    std::thread::available_parallelism().map_or(2, |cores| cores.get() as u32).clamp(2, 8)
}

fn gateway_settings(config: &Config) -> gateway::connection::Settings {
    gateway::connection::Settings { sockets_per_user_max: config.limits.sockets_per_user_max, ..Default::default() }
}

fn socketio_settings(config: &Config) -> connection::Settings {
    connection::Settings {
        attachments_max: config.limits.binary_attachments_max,
        packet_bytes_max: config.engineio.max_payload,
        ..connection::Settings::default()
    }
}

fn chat_settings(config: &Config) -> execute::Settings {
    execute::Settings {
        message_rate: config.limits.message_rate,
        message_burst: config.limits.message_burst,
        sign_in_rate: config.limits.sign_in_rate,
        sign_up_open: config.sign_up_open,
        files_per_message_max: config.limits.files_per_message_max,
        file_bytes_max: config.limits.file_bytes_max,
        user_bytes_max: config.limits.user_bytes_max,
        ..execute::Settings::default()
    }
}

fn api_settings(config: &Config, url: &str, sockets: &Server, gateway: &Gateway) -> call::Settings {
    let (sockets, gateway) = (sockets.clone(), gateway.clone());
    call::Settings {
        public_url: url.to_owned(),
        limits: Limits {
            file_bytes: config.limits.file_bytes_max,
            files_per_message: config.limits.files_per_message_max,
        },
        metrics_token: config.metrics_token.as_ref().map(|token| token.reveal().into()),
        shown: config.shown.clone(),
        database: config.database.clone(),
        started: Instant::now(),
        connected: Box::new(move || Connected {
            sessions: sockets.sessions() as u64,
            sockets: gateway.sockets() as u64,
            queue_bytes: sockets.queue_bytes() as u64,
            refused: gateway.refused(),
        }),
    }
}

/// A one-time link for the first administrator, while there is none.
async fn setup_link(chat: &Chat, url: &str) -> Option<String> {
    match chat.execute(Actor::System, Command::CreateSetupLink(CreateSetupLink {})).await {
        Ok(Reply::SetupLink { token, .. }) => Some(format!("{url}/installation/{token}")),
        Err(error) if error.reason != Reason::AdminExists => {
            tracing::warn!(%error, "no setup link could be made");
            None
        }
        _ => None,
    }
}

/// The address that a browser at this machine uses. No browser gets to `0.0.0.0` everywhere.
fn own_url(config: &Config, addresses: &[SocketAddr]) -> String {
    let scheme = if config.listener.identity.is_some() { "https" } else { "http" };
    match addresses.first() {
        Some(address) if config.listen.is_loopback() || address.ip().is_unspecified() => {
            format!("{scheme}://localhost:{}", address.port())
        }
        Some(address) => format!("{scheme}://{address}"),
        None => format!("{scheme}://{}", config.listen),
    }
}

/// Sockets are descriptors: as many as the system allows this process at most.
fn raise_descriptor_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::debug!(%error, "the limit on descriptors stays as it is");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use clap::Parser as _;

    use super::own_url;
    use crate::cli::{Cli, Command};
    use crate::config::Config;

    #[test]
    fn the_page_is_said_to_be_where_a_browser_finds_it() {
        for (listen, bound, expected) in [
            ("localhost:0", "127.0.0.1:4321", "http://localhost:4321"),
            ("0.0.0.0:3000", "0.0.0.0:3000", "http://localhost:3000"),
            ("[::]:3000", "[::]:3000", "http://localhost:3000"),
            ("192.0.2.7:3000", "192.0.2.7:3000", "http://192.0.2.7:3000"),
        ] {
            let words = ["lexchat", "serve", "--insecure-http", "--listen", listen];
            let Command::Serve(serve) = Cli::parse_from(words).typed() else { panic!("not serve") };
            let bound: SocketAddr = bound.parse().unwrap();
            assert_eq!(own_url(&Config::new(&serve).unwrap(), &[bound]), expected);
        }
    }
}
