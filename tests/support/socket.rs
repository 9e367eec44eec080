//! A Socket.IO client on the namespace `/chat` that does what a test tells it, also stop reading or fall silent.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::wire::{self, Opening, Refusal};

/// How long an ack, an event or a close may take before the test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Why a socket did not come about.
#[derive(Debug)]
pub enum Failure {
    Transport(Refusal),
    /// `connect_error`, with its data.
    Refused(Value),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        Failure::Transport(refusal)
    }
}

/// An event as it came.
#[derive(Clone, Debug)]
pub struct Event {
    pub name: String,
    pub data: Value,
    pub at: Instant,
}

/// A connected socket. Dropping it drops the TCP connection without a word.
pub struct Socket {
    /// The public socket id.
    pub id: String,
    /// The Engine.IO session id.
    pub sid: String,
    shared: Arc<Shared>,
    events: mpsc::UnboundedReceiver<Event>,
    reading: watch::Sender<bool>,
    reader: JoinHandle<()>,
}

struct Shared {
    writer: tokio::sync::Mutex<OwnedWriteHalf>,
    acks: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    next_ack: AtomicU64,
    answers_pings: AtomicBool,
    pings: AtomicU64,
    open: watch::Sender<bool>,
}

impl Socket {
    /// Connects with the token in the auth payload.
    pub async fn open(to: SocketAddr, token: &str) -> Result<Socket, Failure> {
        Socket::open_with(&Opening::new(to), json!({ "token": token })).await
    }

    /// Connects by any opening, with any auth payload.
    pub async fn open_with(opening: &Opening, auth: Value) -> Result<Socket, Failure> {
        timeout(PATIENCE, Socket::connect(opening, auth))
            .await
            .map_err(|_| Refusal::Io(std::io::ErrorKind::TimedOut.into()))?
    }

    async fn connect(opening: &Opening, auth: Value) -> Result<Socket, Failure> {
        let mut wire = opening.open().await?;
        let open = wire::read_frame(&mut wire.reader).await.map_err(Refusal::Io)?;
        let open: Value = serde_json::from_slice(open.payload.get(1..).unwrap_or_default()).unwrap_or_default();
        let connect = if auth.is_null() { "40/chat,".to_owned() } else { format!("40/chat,{auth}") };
        wire::write_text(&mut wire.writer, &connect).await.map_err(Refusal::Io)?;
        let id = loop {
            let frame = wire::read_frame(&mut wire.reader).await.map_err(Refusal::Io)?;
            let text = String::from_utf8_lossy(&frame.payload).into_owned();
            if let Some(data) = text.strip_prefix("44/chat,") {
                return Err(Failure::Refused(serde_json::from_str(data).unwrap_or_default()));
            }
            if let Some(data) = text.strip_prefix("40/chat,") {
                let data: Value = serde_json::from_str(data).unwrap_or_default();
                break data["sid"].as_str().unwrap_or_default().to_owned();
            }
            if frame.opcode == 8 {
                return Err(Refusal::Io(std::io::ErrorKind::ConnectionReset.into()).into());
            }
        };
        let (events_in, events) = mpsc::unbounded_channel();
        let (reading, gate) = watch::channel(true);
        let shared = Arc::new(Shared {
            writer: tokio::sync::Mutex::new(wire.writer),
            acks: Mutex::default(),
            next_ack: AtomicU64::new(0),
            answers_pings: AtomicBool::new(true),
            pings: AtomicU64::new(0),
            open: watch::channel(true).0,
        });
        let reader = tokio::spawn(Arc::clone(&shared).read(wire.reader, gate, events_in));
        let sid = open["sid"].as_str().unwrap_or_default().to_owned();
        Ok(Socket { id, sid, shared, events, reading, reader })
    }

    /// Emits an event and gives the receiver of its ack at once (an error when the socket closes first).
    pub async fn start(&self, name: &str, data: &Value) -> oneshot::Receiver<Value> {
        let (sender, receiver) = oneshot::channel();
        let id = self.shared.next_ack.fetch_add(1, Ordering::Relaxed);
        self.shared.acks.lock().expect("no panic inside").insert(id, sender);
        let packet = format!("42/chat,{id}{}", json!([name, data]));
        if !*self.shared.open.borrow() || self.raw(&packet).await.is_err() {
            self.shared.acks.lock().expect("no panic inside").remove(&id);
        }
        receiver
    }

    /// The ack of an event, or `None` when the socket closed first; the test fails if neither comes.
    pub async fn try_ask(&self, name: &str, data: &Value) -> Option<Value> {
        let ack = self.start(name, data).await;
        timeout(PATIENCE, ack).await.unwrap_or_else(|_| panic!("no ack of {name}")).ok()
    }

    /// The ack of an event; the test fails if the socket closes first.
    pub async fn ask(&self, name: &str, data: &Value) -> Value {
        self.try_ask(name, data).await.unwrap_or_else(|| panic!("closed before the ack of {name}"))
    }

    /// Writes one Engine.IO packet as it is.
    pub async fn raw(&self, packet: &str) -> std::io::Result<()> {
        wire::write_text(&mut *self.shared.writer.lock().await, packet).await
    }

    /// The next event of this name, others dropped; the test fails if it does not come.
    pub async fn next(&mut self, name: &str) -> Event {
        self.next_within(name, PATIENCE).await.unwrap_or_else(|| panic!("no {name} came"))
    }

    /// The next event of this name if it comes in time, others dropped.
    pub async fn next_within(&mut self, name: &str, patience: Duration) -> Option<Event> {
        let find = async {
            loop {
                match self.events.recv().await {
                    Some(event) if event.name == name => return Some(event),
                    Some(_) => {}
                    None => return None,
                }
            }
        };
        timeout(patience, find).await.ok().flatten()
    }

    /// All events that came so far.
    pub fn drain(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }

    /// Waits until the server has closed the connection; false if it did not in time.
    pub async fn closed_within(&self, patience: Duration) -> bool {
        let mut open = self.shared.open.subscribe();
        timeout(patience, open.wait_for(|open| !open)).await.is_ok()
    }

    pub fn is_open(&self) -> bool {
        *self.shared.open.borrow()
    }

    /// How many pings have come.
    pub fn pings(&self) -> u64 {
        self.shared.pings.load(Ordering::Relaxed)
    }

    /// Stops (or resumes) taking bytes from the connection.
    pub fn set_reading(&self, reading: bool) {
        self.reading.send_replace(reading);
    }

    /// From now on the server's pings go unanswered: what a dead network looks like.
    pub fn fall_silent(&self) {
        self.shared.answers_pings.store(false, Ordering::Relaxed);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Shared {
    async fn read(
        self: Arc<Shared>,
        mut from: BufReader<OwnedReadHalf>,
        mut gate: watch::Receiver<bool>,
        events: mpsc::UnboundedSender<Event>,
    ) {
        while gate.wait_for(|reading| *reading).await.is_ok() {
            let Ok(frame) = wire::read_frame(&mut from).await else { break };
            if frame.opcode == 8 {
                break;
            }
            let text = String::from_utf8_lossy(&frame.payload);
            if text == "2" {
                self.pings.fetch_add(1, Ordering::Relaxed);
                if self.answers_pings.load(Ordering::Relaxed) {
                    let _ = wire::write_text(&mut *self.writer.lock().await, "3").await;
                }
            } else if let Some(rest) = text.strip_prefix("43/chat,") {
                self.settle(rest);
            } else if let Some(rest) = text.strip_prefix("42/chat,") {
                let start = rest.find('[').unwrap_or_default();
                let Ok(Value::Array(parts)) = serde_json::from_str(&rest[start..]) else { continue };
                let name = parts.first().and_then(Value::as_str).unwrap_or_default().to_owned();
                let data = parts.into_iter().nth(1).unwrap_or_default();
                let _ = events.send(Event { name, data, at: Instant::now() });
            } else if text.starts_with("41") || text == "1" {
                break;
            }
        }
        self.acks.lock().expect("no panic inside").clear();
        self.open.send_replace(false);
        self.acks.lock().expect("no panic inside").clear();
        let _ = self.writer.lock().await.shutdown().await;
    }

    fn settle(&self, rest: &str) {
        let Some(start) = rest.find('[') else { return };
        let Ok(id) = rest[..start].parse::<u64>() else { return };
        let Ok(Value::Array(mut parts)) = serde_json::from_str(&rest[start..]) else { return };
        let data = if parts.is_empty() { Value::Null } else { parts.remove(0) };
        if let Some(waiting) = self.acks.lock().expect("no panic inside").remove(&id) {
            let _ = waiting.send(data);
        }
    }
}
