//! An echo server on the protocol layers alone: what the official protocol suites and foreign clients are run against.
//!
//! `cargo run --example protocol_echo -- --listen 127.0.0.1:3000` serves Socket.IO at `/socket.io/`, with `--engine`
//! Engine.IO at `/engine.io/`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use hyper::body::Incoming as RequestBody;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use lexchat::engineio::answer::Body;
use lexchat::engineio::packet::{Message, Unit};
use lexchat::engineio::server::{Incoming, Server, Settings};
use lexchat::engineio::socket::Socket;
use lexchat::socketio::connection::{self, Connection, Received};
use lexchat::socketio::sender::Sender;
use tokio::net::{TcpListener, TcpStream};

/// How long the client may take to acknowledge `emit-with-ack`.
const ACK_TIME: Duration = Duration::from_secs(5);
/// Longest head of a request, in bytes.
const HEAD_MAX: usize = 16 * 1024;

#[derive(Parser)]
#[command(about = "Echoes over Socket.IO, or over Engine.IO alone")]
struct Arguments {
    /// Address and port
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Engine.IO at /engine.io/ instead of Socket.IO at /socket.io/
    #[arg(long)]
    engine: bool,
    /// Milliseconds that a client may take to answer a ping: the official suites wait for this to pass
    #[arg(long, default_value_t = 200)]
    ping_timeout: u64,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let listener = TcpListener::bind(arguments.listen).await?;
    println!("listening on {}", listener.local_addr()?);
    let layer = if arguments.engine { Layer::Engine } else { Layer::Socket(socket_settings()) };
    let ping_timeout = Duration::from_millis(arguments.ping_timeout);
    let (server, incoming) = Server::new(Settings { ping_timeout, ..engine_settings() });
    tokio::spawn(accept(incoming, layer.clone()));
    serve(listener, server, layer.path()).await
}

/// What echoes.
#[derive(Debug, Clone)]
pub enum Layer {
    /// Engine.IO messages, as they came.
    Engine,
    /// Socket.IO events.
    Socket(connection::Settings),
}

impl Layer {
    /// Where clients of this layer look for it.
    pub fn path(&self) -> &'static str {
        match self {
            Self::Engine => "/engine.io/",
            Self::Socket(_) => "/socket.io/",
        }
    }
}

/// What the official suites expect of the transport.
pub fn engine_settings() -> Settings {
    Settings {
        ping_interval: Duration::from_millis(300),
        ping_timeout: Duration::from_millis(200),
        max_payload: 1_000_000,
        ..Settings::default()
    }
}

/// What the official suites expect of the namespaces.
pub fn socket_settings() -> connection::Settings {
    connection::Settings { connect_timeout: Duration::from_secs(1), ..connection::Settings::default() }
}

/// Answers HTTP at `path` until the listener fails.
pub async fn serve(listener: TcpListener, server: Server, path: &'static str) -> std::io::Result<()> {
    loop {
        let (stream, peer) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(converse(stream, peer, server.clone(), path));
    }
}

async fn converse(stream: TcpStream, peer: SocketAddr, server: Server, path: &'static str) {
    let service = service_fn(|request: Request<RequestBody>| answer(request, peer, &server, path));
    // A connection that breaks off concerns its client alone.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(10))
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

async fn answer(
    request: Request<RequestBody>,
    peer: SocketAddr,
    server: &Server,
    path: &str,
) -> Result<Response<Body>, Infallible> {
    if request.uri().path().trim_end_matches('/') == path.trim_end_matches('/') {
        return Ok(server.respond(request, peer.ip()).await);
    }
    let mut missing = Response::new(Body::default());
    *missing.status_mut() = StatusCode::NOT_FOUND;
    Ok(missing)
}

/// Echoes over each socket that comes in.
pub async fn accept(mut incoming: Incoming, layer: Layer) {
    while let Some(socket) = incoming.accept().await {
        match &layer {
            Layer::Engine => tokio::spawn(echo_messages(socket)),
            Layer::Socket(settings) => tokio::spawn(echo_events(Connection::new(socket, settings.clone()))),
        };
    }
}

async fn echo_messages(mut socket: Socket) {
    let sender = socket.sender();
    while let Some(message) = socket.recv().await {
        let echo = match message {
            Message::Text(text) => Unit::text(text.as_str()),
            Message::Binary(data) => Unit::binary(data),
        };
        if sender.send(echo).is_err() {
            return;
        }
    }
}

/// Emits `auth`, a moment after the namespace was accepted: the official suite listens for one message at a time and
/// misses the second of two that arrive together.
async fn greet(sender: Sender, auth: serde_json::Value) {
    tokio::time::sleep(Duration::from_millis(50)).await;
    let _ = sender.emit("auth", &auth);
}

async fn echo_events(mut connection: Connection) {
    let mut senders: Vec<Sender> = Vec::new();
    while let Some(received) = connection.recv().await {
        match received {
            Received::Connect { namespace, auth } => {
                if !["/", "/custom"].contains(&&*namespace) {
                    connection.refuse(&namespace, "Invalid namespace", None);
                    continue;
                }
                connection.admit();
                let sender = connection.accept(&namespace);
                tokio::spawn(greet(sender.clone(), auth.unwrap_or_else(|| serde_json::json!({}))));
                senders.push(sender);
            }
            Received::Event { namespace, name, args, ack } => {
                let Some(sender) = senders.iter().find(|sender| sender.namespace() == &*namespace) else { continue };
                match (name.as_str(), ack) {
                    ("message", _) => drop(sender.emit_args("message-back", &args)),
                    ("message-with-ack", Some(id)) => drop(sender.ack_args(id, &args)),
                    ("emit-with-ack", _) => {
                        let (answered, sender) =
                            (sender.emit_with_ack("emit-with-ack", &args, ACK_TIME), sender.clone());
                        tokio::spawn(async move {
                            if let Ok(answer) = answered.await {
                                let _ = sender.emit_args("emit-with-ack", &answer);
                            }
                        });
                    }
                    _ => {}
                }
            }
            Received::Disconnect { namespace } => senders.retain(|sender| sender.namespace() != &*namespace),
        }
    }
}
