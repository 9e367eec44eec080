//! The echo, in this process or in one of its own, and the witness who must not notice anything.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lexchat::engineio::server::{Server, Settings};
use lexchat::engineio::socket::Socket;
use lexchat::socketio::connection;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

use crate::echo::{self, Layer};
use crate::support::PATIENCE;
use crate::support::http::{self, Reply};
use crate::support::wire::{Frame, WebSocket};

const CHILD: &str = "LEXCHAT_TEST_ECHO";

/// The usual settings, but for no heartbeat while a test runs: what is not about time must not depend on it.
pub(crate) fn calm() -> Settings {
    Settings { ping_interval: Duration::from_secs(300), ..Settings::default() }
}

/// An echo in this process; ends with the test's runtime.
pub(crate) struct Echo {
    pub(crate) address: SocketAddr,
    pub(crate) server: Server,
    path: &'static str,
}

impl Echo {
    /// Engine.IO with the settings of the official suite.
    pub(crate) async fn engine() -> Self {
        Self::start(Layer::Engine, echo::engine_settings()).await
    }

    /// Socket.IO with the settings of the official suite.
    pub(crate) async fn socket() -> Self {
        Self::start(Layer::Socket(echo::socket_settings()), echo::engine_settings()).await
    }

    /// Engine.IO without a heartbeat.
    pub(crate) async fn calm_engine() -> Self {
        Self::start(Layer::Engine, calm()).await
    }

    /// Socket.IO without a heartbeat, and time enough to connect.
    pub(crate) async fn calm_socket() -> Self {
        Self::start(Layer::Socket(connection::Settings::default()), calm()).await
    }

    /// Both with a quick heartbeat and much patience for the pong.
    pub(crate) async fn beating() -> [Self; 2] {
        let settings = || Settings { ping_timeout: PATIENCE, ..echo::engine_settings() };
        let namespaces = Layer::Socket(connection::Settings::default());
        [Self::start(Layer::Engine, settings()).await, Self::start(namespaces, settings()).await]
    }

    pub(crate) async fn start(layer: Layer, settings: Settings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (server, incoming) = Server::new(settings);
        let path = layer.path();
        tokio::spawn(echo::accept(incoming, layer));
        tokio::spawn(echo::serve(listener, server.clone(), path));
        Self { address, server, path }
    }

    /// The endpoint with a query string.
    pub(crate) fn at(&self, query: &str) -> String {
        format!("{}?{query}", self.path)
    }

    pub(crate) async fn websocket(&self) -> WebSocket {
        open_websocket(self.address, self.path).await
    }

    /// A polling session; its secret name.
    pub(crate) async fn polling(&self) -> String {
        open_polling(self.address, self.path).await
    }

    /// The target of a polling session's requests.
    pub(crate) fn poll(&self, sid: &str) -> String {
        self.at(&format!("EIO=4&transport=polling&sid={sid}"))
    }

    /// The target of a WebSocket that wants to take a session over.
    pub(crate) fn upgrade(&self, sid: &str) -> String {
        self.at(&format!("EIO=4&transport=websocket&sid={sid}"))
    }
}

pub(crate) async fn ask(to: SocketAddr, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut ask = http::ask(to, method, target);
    for (name, value) in headers {
        ask = ask.header(name, value);
    }
    ask.body(body.to_vec()).send().await
}

pub(crate) async fn get(to: SocketAddr, target: &str) -> Reply {
    ask(to, "GET", target, &[], b"").await
}

pub(crate) async fn post(to: SocketAddr, target: &str, body: &str) -> Reply {
    ask(to, "POST", target, &[("Content-Type", "text/plain;charset=UTF-8")], body.as_bytes()).await
}

/// A WebSocket session whose `open` packet was read.
pub(crate) async fn open_websocket(address: SocketAddr, path: &str) -> WebSocket {
    let mut websocket = WebSocket::open(address, &format!("{path}?EIO=4&transport=websocket")).await;
    let opening = websocket.next().await;
    assert!(matches!(&opening, Frame::Text(text) if text.starts_with("0{")), "{opening:?}");
    websocket
}

pub(crate) async fn open_polling(address: SocketAddr, path: &str) -> String {
    let reply = get(address, &format!("{path}?EIO=4&transport=polling")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let opening: Value = serde_json::from_str(&reply.text()[1..]).expect("an open packet");
    opening["sid"].as_str().expect("a session").to_owned()
}

/// A Socket.IO connection in the main namespace, its greeting read.
pub(crate) async fn open_namespace(address: SocketAddr) -> WebSocket {
    let mut websocket = open_websocket(address, "/socket.io/").await;
    websocket.text("40").await;
    assert!(websocket.message().await.starts_with("40{"));
    assert_eq!(websocket.message().await, r#"42["auth",{}]"#);
    websocket
}

/// An endpoint whose sockets the test holds itself.
pub(crate) async fn held(settings: Settings) -> (Echo, mpsc::Receiver<Socket>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (server, mut incoming) = Server::new(settings);
    let (hand, sockets) = mpsc::channel(16);
    tokio::spawn(async move {
        while let Some(socket) = incoming.accept().await {
            if hand.send(socket).await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(echo::serve(listener, server.clone(), "/engine.io/"));
    (Echo { address, server, path: "/engine.io/" }, sockets)
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// An echo in a process of its own, with a witness connected to it and its memory and descriptors noted.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    child: Child,
    witness: mpsc::Sender<oneshot::Sender<Duration>>,
    before: Usage,
}

#[derive(Debug, Clone, Copy)]
struct Usage {
    resident_kb: u64,
    descriptors: usize,
}

/// How much a process may grow that was attacked: allocators keep some of what they had.
const GROWTH_KB: u64 = 6 * 1024;

impl Target {
    /// Engine.IO at `/engine.io/`.
    pub(crate) async fn engine() -> Self {
        Self::start("engine").await
    }

    /// Socket.IO at `/socket.io/`.
    pub(crate) async fn socket() -> Self {
        Self::start("socket").await
    }

    async fn start(layer: &'static str) -> Self {
        let test = std::env::current_exe().expect("this test");
        let mut child = Command::new(test)
            .args(["--exact", "fixture::serves_as_a_child", "--ignored", "--nocapture"])
            .env(CHILD, layer)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let address = read_address(child.stdout.take().expect("its output"));
        let before = Usage { resident_kb: 0, descriptors: 0 };
        let mut target = Self { address, child, witness: attend(address, layer), before };
        target.testify().await;
        target.before = target.usage();
        target
    }

    /// The witness is served within a second.
    pub(crate) async fn testify(&mut self) {
        let (served, heard) = oneshot::channel();
        self.witness.send(served).await.expect("the witness is connected");
        let took = timeout(3 * PATIENCE, heard).await.expect("the witness waits").expect("the witness was cut off");
        assert!(took <= budget(1000), "the witness waited for {took:?}");
    }

    /// Up, the witness served, memory and descriptors as before.
    pub(crate) async fn assert_unharmed(mut self) {
        self.testify().await;
        if !cfg!(target_os = "linux") {
            return;
        }
        let deadline = Instant::now() + Duration::from_secs(15);
        loop {
            let now = self.usage();
            let flat = now.resident_kb <= self.before.resident_kb + GROWTH_KB;
            if flat && now.descriptors <= self.before.descriptors {
                return;
            }
            assert!(Instant::now() < deadline, "grown from {:?} to {now:?}", self.before);
            self.testify().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// CPU time that the server has used so far.
    pub(crate) fn cpu(&self) -> Duration {
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())) else {
            return Duration::ZERO;
        };
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: u64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 10)
    }

    /// Memory in use.
    pub(crate) fn resident_kb(&self) -> u64 {
        self.usage().resident_kb
    }

    fn usage(&self) -> Usage {
        let process = format!("/proc/{}", self.child.id());
        let status = std::fs::read_to_string(format!("{process}/status")).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident_kb = resident.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0);
        let descriptors = std::fs::read_dir(format!("{process}/fd")).map_or(0, Iterator::count);
        Usage { resident_kb, descriptors }
    }
}

/// Keeps a connection alive and, when asked, says something and tells how long the echo took. It lives on a thread of its
/// own: what keeps a test busy must not look like a server that does not serve.
fn attend(address: SocketAddr, layer: &'static str) -> mpsc::Sender<oneshot::Sender<Duration>> {
    let (ask, asked) = mpsc::channel(1);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(witness(address, layer, asked));
    });
    ask
}

async fn witness(address: SocketAddr, layer: &str, mut asked: mpsc::Receiver<oneshot::Sender<Duration>>) {
    let (mut client, says, hears) = match layer {
        "engine" => (open_websocket(address, "/engine.io/").await, "4witness", "4witness"),
        _ => (open_namespace(address).await, r#"42["message","witness"]"#, r#"42["message-back","witness"]"#),
    };
    let mut waiting = None;
    loop {
        tokio::select! {
            next = asked.recv(), if waiting.is_none() => {
                let Some(next) = next else { return };
                waiting = Some((next, Instant::now()));
                client.text(says).await;
            }
            frame = client.next_within(Duration::from_secs(60)) => match frame {
                Some(Frame::Text(text)) if text == "2" => client.text("3").await,
                Some(Frame::Text(text)) if text == hears => {
                    waiting.take().map(|(served, since)| served.send(since.elapsed()));
                }
                _ => return,
            },
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU time that something may cost; code that was not optimised is given more.
pub(crate) fn budget(milliseconds: u64) -> Duration {
    Duration::from_millis(if cfg!(debug_assertions) { 4 * milliseconds } else { milliseconds })
}

fn read_address(output: impl Read + Send + 'static) -> SocketAddr {
    let mut lines = BufReader::new(output).lines();
    let found = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let address = line.split("echo at ").nth(1)?;
        address.parse().ok()
    });
    // Go on reading, so that the child never waits for its output to be taken.
    std::thread::spawn(move || lines.for_each(drop));
    found.expect("the child tells where it listens")
}

/// Not a test: what a child of [`Target::start`] runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs only as a child of other tests"]
async fn serves_as_a_child() {
    let Ok(layer) = std::env::var(CHILD) else { return };
    let layer = match layer.as_str() {
        "engine" => Layer::Engine,
        _ => Layer::Socket(echo::socket_settings()),
    };
    let settings = Settings {
        ping_interval: Duration::from_secs(3),
        ping_timeout: Duration::from_secs(4),
        body_timeout: Duration::from_secs(3),
        sessions_max_per_address: 20_000,
        ..echo::engine_settings()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("echo at {}", listener.local_addr().expect("an address"));
    let (server, incoming) = Server::new(settings);
    let path = layer.path();
    tokio::spawn(echo::accept(incoming, layer));
    echo::serve(listener, server, path).await.expect("served");
}
