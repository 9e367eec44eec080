//! The running server: built from a checked configuration, drained and stopped as one. Whoever runs it, the program or a
//! test, comes in here.
//!
//! The database is opened before the port is bound: a file that is refused never answers a request. A stop keeps what
//! was promised: the writer finishes what is queued and its events are sent, then every socket is closed, and the port last: a
//! client between two polls still fetches its goodbye, and a proxy gets answers (503) until the end.

mod billing;
pub mod certificate;
mod notices;
mod recordings;
mod settings;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::api::call::Api;
use crate::api::reply;
use crate::auth::actor::Actor;
use crate::chat::contract::command::people::CreateSetupLink;
use crate::chat::contract::error::{self, Reason};
use crate::chat::handle::chat::Chat;
use crate::chat::handle::completion::{Failure, Health, Outcomes};
use crate::config::Config;
use crate::engineio::server::{Incoming, Server};
use crate::gateway::connection::Gateway;
use crate::http::conversation;
use crate::http::listener::{BindError, Listeners, Running};
use crate::http::tls::Identity;
use crate::routes::Routes;
use crate::routes::complaints::Complaints;
use crate::socketio::connection::{self, Connection};
use crate::store::database;
use crate::store::database::error::OpenError;
use crate::store::database::migrate::Migrated;
use crate::store::database::open::Db;
use crate::store::database::settings::Missing;

/// How long sockets may take to say goodbye, as long as some still do.
const SOCKETS_WITHIN: Duration = Duration::from_millis(1_500);
/// How long answers that are under way may take to end.
const ANSWERS_WITHIN: Duration = Duration::from_secs(4);

/// A running server.
pub struct App {
    addresses: Vec<SocketAddr>,
    listener: Running,
    sockets: Server,
    chat: Chat,
    tasks: Tasks,
    identity: Option<Identity>,
    names: Vec<String>,
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
    /// Whether this start brought the database up to date.
    pub migrated: Option<Migrated>,
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
        "by {0} people on other machines come in, but the demo accounts in this database still have the password that \
         everybody knows.\nStart with another database (--no-demo --db FILE), give them other passwords (lexchat user \
         passwd EMAIL), or close them (lexchat user disable EMAIL)."
    )]
    DemoAccounts(String),
}

/// What goes on for as long as the server does. None of them may end before.
struct Tasks {
    fan_out: JoinHandle<()>,
    maintenance: JoinHandle<()>,
    sockets: JoinHandle<()>,
    connections: JoinHandle<()>,
    certificate: Option<JoinHandle<()>>,
    deliveries: Vec<JoinHandle<()>>,
}

impl App {
    /// Opens the database, binds the port, and serves.
    pub async fn start(config: Config) -> Result<App, StartError> {
        App::start_on(config, Vec::new()).await
    }

    /// The same on sockets that are listened on already, where there are some.
    pub async fn start_on(config: Config, sockets: Vec<TcpListener>) -> Result<App, StartError> {
        raise_descriptor_limit();
        let db = open(&config).await?;
        let (created, migrated) = (db.created, db.migrated.clone());
        let (chat, outcomes) = Chat::new(db, settings::of_chat(&config))?;
        let demo_accounts = chat.look_for_demo_accounts().await?;
        let listeners = match bind(&config, sockets, demo_accounts) {
            Ok(listeners) => listeners,
            Err(error) => {
                chat.close().await;
                return Err(error);
            }
        };
        let addresses = listeners.addresses();
        let url = url_of_people(&config, &addresses);
        let mut engineio = config.engineio.clone();
        if config.is_private {
            engineio.origins.null = chat.demo_accounts().clone();
        }
        let origins = engineio.origins.clone();
        let (identity, names) = (config.listener.identity.clone(), settings::names_of(&config));
        let (sockets, incoming) = Server::new(engineio);
        let keyring = chat.credentials().tokens.clone();
        let gateway = Gateway::new(chat.clone(), keyring.clone(), &settings::of_gateway(&config));
        let socketio = settings::of_socketio(&config);
        let stripe = billing::stripe_of(&config);
        let settings = settings::of_api(&config, &url, &sockets, &gateway, stripe.clone());
        let mut deliveries = billing::start(&chat, &config, stripe, &url);
        deliveries.push(notices::start(&chat, &config, &url).await?);
        deliveries.extend(recordings::start(&chat, &config));
        let routes = Arc::new(Routes {
            api: Arc::new(Api::new(chat.clone(), keyring, settings)),
            sockets: sockets.clone(),
            origins,
            host_names: config.listen.is_loopback().then(|| config.host_names.clone()),
            tls: config.listener.identity.is_some(),
            metrics_token_always: config.public_url.is_some() || !config.listener.trusted_proxies.is_empty(),
            complaints: Complaints::default(),
            trusted_proxies: config.listener.trusted_proxies.clone(),
        });
        let listening = conversation::Settings { refusal: reply::unreadable_head, ..config.listener };
        let listener = Running::start(listeners, listening, move |request, peer| {
            let routes = routes.clone();
            async move { routes.answer(request, peer).await }
        })?;
        let maintained = chat.clone();
        let tasks = Tasks {
            fan_out: keep_running(&chat, "fan-out", fan_out(gateway.clone(), outcomes)),
            maintenance: keep_running(&chat, "maintenance", async move { maintained.run_maintenance().await }),
            sockets: keep_running(&chat, "the acceptance of sockets", accept(gateway, incoming, socketio)),
            connections: keep_running(&chat, "the acceptance of connections", listener.accepting_ended()),
            certificate: identity.clone().map(|identity| {
                keep_running(&chat, "the watch over the certificate", certificate::watch(identity, names.clone()))
            }),
            deliveries,
        };
        let setup_link = setup_link(&chat, &url).await;
        let started = Started { url, created, migrated, demo_accounts, setup_link };
        Ok(App { addresses, listener, sockets, chat, tasks, identity, names, started })
    }

    /// The first address listened on.
    pub fn addr(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Whether it can keep its promises now.
    pub fn is_well(&self) -> bool {
        !matches!(self.chat.health(), Health::Failed(_) | Health::Closed)
    }

    /// Resolves when storage can promise nothing any more, or a part of the server has ended: the process has to end.
    pub async fn failed(&self) -> Failure {
        self.chat.failed().await
    }

    /// Reads the certificate and its key again, where there are some. Those in use stay if the new ones are no good.
    pub async fn reload_certificate(&self) {
        certificate::reload(self.identity.as_ref(), &self.names).await;
    }

    /// Stops everything, within ten seconds.
    pub async fn stop(self) {
        self.chat.faults().expect_ends();
        self.tasks.maintenance.abort();
        if let Some(watch) = &self.tasks.certificate {
            watch.abort();
        }
        self.tasks.deliveries.iter().for_each(JoinHandle::abort);
        self.chat.close().await;
        if tokio::time::timeout(ANSWERS_WITHIN, self.tasks.fan_out).await.is_err() {
            tracing::warn!("not everything that was committed could be announced in time");
        }
        self.sockets.close(SOCKETS_WITHIN).await;
        self.tasks.sockets.abort();
        self.listener.stop_accepting();
        if tokio::time::timeout(ANSWERS_WITHIN, self.listener.ended()).await.is_err() {
            tracing::warn!("connections were cut off: they did not end in time");
        }
        self.tasks.connections.abort();
    }
}

/// Spawns a task without which the server does not work: when it ends before the stop, the whole has failed.
fn keep_running(chat: &Chat, name: &'static str, work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    let guard = chat.faults().guard(name);
    tokio::spawn(async move {
        let _noticed = guard;
        work.await;
    })
}

async fn open(config: &Config) -> Result<Db, StartError> {
    let missing = if config.seed_new_database { Missing::CreateDemo } else { Missing::CreateEmpty };
    let settings = database::settings::Settings { path: config.database.clone(), missing, readers_max: readers_max() };
    let opened =
        tokio::task::spawn_blocking(move || Db::open_to_serve(&settings)).await.map_err(std::io::Error::other)?;
    Ok(opened?)
}

fn bind(config: &Config, sockets: Vec<TcpListener>, demo_accounts: bool) -> Result<Listeners, StartError> {
    if demo_accounts && !config.is_private {
        return Err(StartError::DemoAccounts(reachable_by(config)));
    }
    if sockets.is_empty() { Ok(config.listen.bind()?) } else { Ok(sockets.into()) }
}

/// Why others than this machine's people can come in.
fn reachable_by(config: &Config) -> String {
    match &config.public_url {
        _ if !config.listen.is_loopback() => format!("--listen {}", config.listen),
        Some(url) if config.listener.trusted_proxies.is_empty() => format!("--public-url {url}"),
        _ => "--trust-proxy".to_owned(),
    }
}

/// Where links lead. Where a proxy is named and the address by which people come in is not, the log says so.
fn url_of_people(config: &Config, addresses: &[SocketAddr]) -> String {
    if let Some(url) = &config.public_url {
        return url.clone();
    }
    let url = own_url(config, addresses);
    if !config.listener.trusted_proxies.is_empty() {
        tracing::warn!(
            "people come in through a proxy, and where is not said: links and invitations lead to {url}; \
             --public-url https://…"
        );
    }
    url
}

async fn fan_out(gateway: Gateway, outcomes: Outcomes) {
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

/// A one-time link for the first administrator, while there is none.
async fn setup_link(chat: &Chat, url: &str) -> Option<String> {
    match chat.execute(Actor::System, CreateSetupLink).await {
        Ok(link) => Some(format!("{url}/installation/{}", link.token)),
        Err(error) if error.reason != Reason::AdminExists => {
            tracing::warn!(%error, "no setup link could be made");
            None
        }
        Err(_) => None,
    }
}

/// The address that a browser at this machine uses: what was typed, as far as a browser gets there. None gets to
/// `0.0.0.0` everywhere.
fn own_url(config: &Config, addresses: &[SocketAddr]) -> String {
    let scheme = if config.listener.identity.is_some() { "https" } else { "http" };
    match addresses.first() {
        Some(address) if config.listen.host() == "localhost" || address.ip().is_unspecified() => {
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
    use std::collections::BTreeSet;
    use std::net::SocketAddr;
    use std::time::Duration;

    use clap::Parser as _;
    use tokio::task::JoinHandle;

    use super::{App, Tasks, own_url};
    use crate::chat::handle::completion::{Failure, Health};
    use crate::cli::{Cli, Command};
    use crate::config::Config;
    use crate::http::probe;

    /// How long anything here may take.
    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn the_page_is_said_to_be_where_a_browser_finds_it() {
        for (listen, bound, expected) in [
            ("localhost:0", "127.0.0.1:4321", "http://localhost:4321"),
            ("0.0.0.0:3000", "0.0.0.0:3000", "http://localhost:3000"),
            ("127.0.0.5:3000", "127.0.0.5:3000", "http://127.0.0.5:3000"),
            ("127.0.0.1:3000", "127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("[::1]:3000", "[::1]:3000", "http://[::1]:3000"),
            ("[::]:3000", "[::]:3000", "http://localhost:3000"),
            ("192.0.2.7:3000", "192.0.2.7:3000", "http://192.0.2.7:3000"),
        ] {
            let words = ["lexchat", "serve", "--insecure-http", "--listen", listen];
            let Command::Serve(serve) = Cli::parse_from(words).typed() else { panic!("not serve") };
            let bound: SocketAddr = bound.parse().unwrap();
            assert_eq!(own_url(&Config::new(&serve).unwrap(), &[bound]), expected);
        }
    }

    /// A server with everything that goes on behind it.
    async fn started(folder: &tempfile::TempDir) -> App {
        let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        for (name, text) in [
            ("cert.pem", own.cert.pem()),
            ("key.pem", own.signing_key.serialize_pem()),
            ("stripe", "sk_test_abc".to_owned()),
            ("hook", "whsec_abc".to_owned()),
            ("jaas", "a-secret-of-webhooks".to_owned()),
            ("jitsi", "a-secret-of-tokens".to_owned()),
        ] {
            std::fs::write(place(name), text).unwrap();
        }
        let mut words = vec!["lexchat".to_owned(), "serve".to_owned()];
        for (flag, value) in [
            ("--listen", "127.0.0.1:0".to_owned()),
            ("--db", place("lexchat.db")),
            ("--tls-cert", place("cert.pem")),
            ("--tls-key", place("key.pem")),
            ("--stripe-key-file", place("stripe")),
            ("--stripe-webhook-secret-file", place("hook")),
            ("--stripe-api", "http://127.0.0.1:9".to_owned()),
            ("--jitsi-url", "https://127.0.0.1:9".to_owned()),
            ("--jitsi-app-id", "office".to_owned()),
            ("--jitsi-secret-file", place("jitsi")),
            ("--recordings", "consent".to_owned()),
            ("--jaas-secret-file", place("jaas")),
        ] {
            words.extend([flag.to_owned(), value]);
        }
        let Command::Serve(serve) = Cli::parse_from(words).typed() else { panic!("not serve") };
        App::start(Config::new(&serve).unwrap()).await.unwrap()
    }

    /// What whoever watches over the server is answered.
    async fn readiness(app: &App) -> (u16, String) {
        let listen = app.addr().to_string().parse().unwrap();
        let asked = tokio::task::spawn_blocking(move || probe::ask(&listen, "/readyz"));
        let answer = asked.await.unwrap().expect("it answers");
        (answer.status, answer.body)
    }

    /// All that goes on; a part that is missing here does not compile.
    fn all(tasks: &Tasks) -> Vec<&JoinHandle<()>> {
        let Tasks { fan_out, maintenance, sockets, connections, certificate, deliveries } = tasks;
        [fan_out, maintenance, sockets, connections].into_iter().chain(certificate).chain(deliveries).collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_part_of_the_server_ends_unnoticed() {
        let mut names = BTreeSet::new();
        for place in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let app = started(&folder).await;
            assert!(app.is_well() && app.chat.health() == Health::Open);
            assert_eq!(readiness(&app).await, (200, "ok\n".to_owned()));
            let Some(task) = all(&app.tasks).get(place).copied() else { break };
            task.abort();
            let failure = tokio::time::timeout(PATIENCE, app.failed()).await.expect("it is noticed");
            assert!(matches!(failure, Failure::Ended(name) if names.insert(name)), "{failure:?} after {names:?}");
            assert!(!app.is_well() && app.chat.health() == Health::Failed(failure), "{names:?}");
            assert_eq!(readiness(&app).await, (503, "a part of the server has ended\n".to_owned()), "{names:?}");
            tokio::time::timeout(PATIENCE, app.stop()).await.expect("and it can still be stopped");
        }
        assert_eq!(names.len(), 10, "{names:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_stop_is_no_failure() {
        let folder = tempfile::tempdir().unwrap();
        let app = started(&folder).await;
        let chat = app.chat.clone();
        app.stop().await;
        assert_eq!(chat.health(), Health::Closed);
        assert_eq!(chat.faults().first(), None);
    }
}
