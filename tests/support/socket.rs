//! A Socket.IO client on the namespace `/chat`: what it heard, in the order in which it heard it.
//!
//! It keeps nothing from the test: a lost ack, a second copy or a wrong order is visible because everything stays in one
//! list until somebody takes it. It also does what no client should: stop reading, or fall silent.

use std::borrow::Borrow;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::PATIENCE;
use super::wire::{self, BINARY, CLOSE, ENDPOINT, Frame, Opening, Refusal, TEXT};

/// Why a socket did not come about.
#[derive(Debug)]
pub enum Failure {
    Transport(Refusal),
    /// CONNECT_ERROR, with its payload.
    Refused(Value),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        Failure::Transport(refusal)
    }
}

/// One thing that the server said.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// An event and its first argument.
    Event(String, Value),
    /// The ack of the emission with that number, and its first argument.
    Ack(u64, Value),
    /// CONNECT of a namespace and its payload.
    Connected(String, Value),
    /// CONNECT_ERROR of a namespace and its payload.
    Refused(String, Value),
    /// The server left the namespace.
    Disconnected,
    /// The connection ended.
    Closed,
}

/// An event as it came.
#[derive(Clone, Debug)]
pub struct Event {
    pub name: String,
    pub data: Value,
    pub at: Instant,
}

/// How the token is given.
#[derive(Clone, Copy, Debug)]
pub enum TokenIn {
    /// `?token=…`
    Query,
    /// The CONNECT packet's payload `{"token":…}`.
    Auth,
    /// `Authorization: Bearer …` on the upgrade request.
    Header,
    /// `ws://host/chat?token=…`: no EIO, no transport.
    ChatPath,
}

/// One socket. Dropping it drops the TCP connection without a word.
pub struct Socket {
    /// The public socket id; empty until the namespace is joined.
    pub id: String,
    /// The Engine.IO session id.
    pub sid: String,
    shared: Arc<Shared>,
    incoming: mpsc::UnboundedReceiver<(Instant, Heard)>,
    times: VecDeque<Instant>,
    unread: VecDeque<Heard>,
    reading: watch::Sender<bool>,
    reader: JoinHandle<()>,
}

struct Shared {
    writer: tokio::sync::Mutex<OwnedWriteHalf>,
    /// Who waits for an ack by itself; all other acks go into the list.
    acks: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    next_ack: AtomicU64,
    answers_pings: AtomicBool,
    pings: AtomicU64,
    open: watch::Sender<bool>,
}

impl Socket {
    /// Connects with the token in the query; the test fails if it is refused.
    pub async fn connect(to: SocketAddr, token: &str) -> Socket {
        let mut socket = Socket::shake_hands(to, token, TokenIn::Query).await;
        socket.join_namespace("/chat", Some(token), TokenIn::Query).await.expect("the namespace is open");
        socket
    }

    /// Opens the WebSocket and reads the Engine.IO handshake; asks for no namespace yet.
    pub async fn shake_hands(to: SocketAddr, token: &str, place: TokenIn) -> Socket {
        let opening = match place {
            TokenIn::Query => Opening::new(to).path(format!("{ENDPOINT}&token={token}")),
            TokenIn::ChatPath => Opening::new(to).path(format!("/chat?token={token}")),
            TokenIn::Header => Opening::new(to).header("Authorization", &format!("Bearer {token}")),
            TokenIn::Auth => Opening::new(to),
        };
        Socket::shake_hands_with(&opening).await.unwrap_or_else(|refusal| panic!("no handshake: {refusal:?}"))
    }

    /// Connects with the token in the auth payload.
    pub async fn open(to: SocketAddr, token: &str) -> Result<Socket, Failure> {
        Socket::open_with(&Opening::new(to), json!({ "token": token })).await
    }

    /// Connects by any opening, with any auth payload.
    pub async fn open_with(opening: &Opening, auth: Value) -> Result<Socket, Failure> {
        let mut socket = Socket::shake_hands_with(opening).await?;
        match socket.ask_for("/chat", &auth).await {
            Ok(_) => Ok(socket),
            Err(Some(refusal)) => Err(Failure::Refused(refusal)),
            Err(None) => Err(Refusal::Io(io::ErrorKind::ConnectionReset.into()).into()),
        }
    }

    async fn shake_hands_with(opening: &Opening) -> Result<Socket, Refusal> {
        let mut websocket = opening.open().await?;
        let hello = websocket.next_within(PATIENCE).await.ok_or(io::Error::from(io::ErrorKind::TimedOut))?;
        let Frame::Text(hello) = hello else { return Err(io::Error::from(io::ErrorKind::ConnectionReset).into()) };
        let hello: Value = serde_json::from_str(&hello[1..]).expect("an Engine.IO handshake");
        let sid = hello["sid"].as_str().expect("a session id").to_owned();
        let (from, writer) = websocket.stream.into_split();
        let shared = Arc::new(Shared {
            writer: tokio::sync::Mutex::new(writer),
            acks: Mutex::default(),
            next_ack: AtomicU64::new(0),
            answers_pings: AtomicBool::new(true),
            pings: AtomicU64::new(0),
            open: watch::channel(true).0,
        });
        let (heard, incoming) = mpsc::unbounded_channel();
        let (reading, gate) = watch::channel(true);
        let reader = tokio::spawn(Arc::clone(&shared).read(from, websocket.read, gate, heard));
        let (times, unread) = (VecDeque::new(), VecDeque::new());
        Ok(Socket { id: String::new(), sid, shared, incoming, times, unread, reading, reader })
    }

    /// Sends CONNECT; the CONNECT_ERROR payload if it is refused, null if the connection ends instead.
    pub async fn join_namespace(&mut self, name: &str, token: Option<&str>, place: TokenIn) -> Result<Value, Value> {
        let auth = match (place, token) {
            (TokenIn::Auth, Some(token)) => json!({ "token": token }),
            _ => Value::Null,
        };
        self.ask_for(name, &auth).await.map_err(Option::unwrap_or_default)
    }

    async fn ask_for(&mut self, name: &str, auth: &Value) -> Result<Value, Option<Value>> {
        let auth = if auth.is_null() { String::new() } else { auth.to_string() };
        let _ = self.raw(&format!("40{name},{auth}")).await;
        let answer = |heard: &Heard| match heard {
            Heard::Connected(given, payload) if given == name => Some(Ok(payload.clone())),
            Heard::Refused(given, payload) if given == name => Some(Err(Some(payload.clone()))),
            Heard::Closed => Some(Err(None)),
            _ => None,
        };
        let (_, answer) = self.take(&format!("the answer to CONNECT {name}"), PATIENCE, answer).await;
        let payload = answer?;
        self.id = payload["sid"].as_str().unwrap_or_default().to_owned();
        Ok(payload)
    }

    /// Emits without asking for an ack.
    pub async fn emit(&self, event: &str, data: impl Borrow<Value>) {
        self.write(format!("42/chat,{}", json!([event, data.borrow()]))).await;
    }

    /// Emits asking for an ack, which will stand in the list; the ack's number.
    pub async fn send(&self, event: &str, data: impl Borrow<Value>) -> u64 {
        let id = self.shared.next_ack.fetch_add(1, Ordering::Relaxed);
        self.write(format!("42/chat,{id}{}", json!([event, data.borrow()]))).await;
        id
    }

    /// Emits binary data asking for an ack, which will stand in the list: `data` holds the placeholders.
    pub async fn send_binary(&self, event: &str, data: impl Borrow<Value>, files: &[&[u8]]) -> u64 {
        let id = self.shared.next_ack.fetch_add(1, Ordering::Relaxed);
        let head = format!("45{}-/chat,{id}{}", files.len(), json!([event, data.borrow()]));
        let mut bytes = wire::masked(TEXT, head.as_bytes());
        files.iter().for_each(|file| bytes.extend(wire::masked(BINARY, file)));
        self.shared.writer.lock().await.write_all(&bytes).await.expect("a live socket");
        id
    }

    /// Emits and gives the receiver of the ack at once (an error when the socket closes first).
    pub async fn start(&self, event: &str, data: impl Borrow<Value>) -> oneshot::Receiver<Value> {
        let (sender, receiver) = oneshot::channel();
        let id = self.shared.next_ack.fetch_add(1, Ordering::Relaxed);
        self.shared.acks.lock().expect("no panic inside").insert(id, sender);
        let packet = format!("42/chat,{id}{}", json!([event, data.borrow()]));
        if !self.is_open() || self.raw(&packet).await.is_err() {
            self.shared.acks.lock().expect("no panic inside").remove(&id);
        }
        receiver
    }

    /// The ack of an event, or `None` when the socket closed first; the test fails if neither comes.
    pub async fn try_ask(&self, event: &str, data: impl Borrow<Value>) -> Option<Value> {
        let ack = self.start(event, data).await;
        timeout(PATIENCE, ack).await.unwrap_or_else(|_| panic!("no ack of {event}")).ok()
    }

    /// The ack of an event; the test fails if the socket closes first.
    pub async fn ask(&self, event: &str, data: impl Borrow<Value>) -> Value {
        self.try_ask(event, data).await.unwrap_or_else(|| panic!("closed before the ack of {event}"))
    }

    /// Emits and waits for an ack that must say `success: true`.
    pub async fn done(&self, event: &str, data: impl Borrow<Value>) -> Value {
        let reply = self.ask(event, data).await;
        assert_eq!(reply["success"], json!(true), "{event} was refused: {reply}");
        reply
    }

    /// Emits and waits for an ack that must be the refusal with that code.
    pub async fn refused(&self, event: &str, data: impl Borrow<Value>, code: &str) -> Value {
        let reply = self.ask(event, data).await;
        assert_eq!(reply["success"], json!(false), "{event} was not refused: {reply}");
        assert_eq!(reply["code"], json!(code), "{event}: {reply}");
        assert!(reply["error"].as_str().is_some_and(|text| !text.is_empty()), "a refusal says why: {reply}");
        reply
    }

    /// Takes the ack with the number that `send` gave.
    pub async fn ack(&mut self, id: u64) -> Value {
        let wanted = |heard: &Heard| match heard {
            Heard::Ack(given, data) if *given == id => Some(data.clone()),
            _ => None,
        };
        self.take(&format!("the ack {id}"), PATIENCE, wanted).await.1
    }

    /// Takes everything heard until the ack with the number that `send` gave, it included.
    pub async fn heard_until_ack(&mut self, id: u64) -> Vec<Heard> {
        let is_it = |heard: &Heard| matches!(heard, Heard::Ack(given, _) if *given == id);
        let at = self.find(PATIENCE, is_it).await;
        let at = at.unwrap_or_else(|| panic!("no ack {id}; heard {:?}", self.unread));
        self.times.drain(..=at);
        self.unread.drain(..=at).collect()
    }

    /// Takes the next event of this name; the test fails if it does not come.
    pub async fn next(&mut self, name: &str) -> Event {
        let (at, data) = self.take(name, PATIENCE, |heard| data_of(heard, name)).await;
        Event { name: name.to_owned(), data, at }
    }

    /// Takes the next event of this name if it comes in time.
    pub async fn next_within(&mut self, name: &str, patience: Duration) -> Option<Event> {
        let at = self.find(patience, |heard| is_event(heard, name)).await?;
        match self.remove(at) {
            (at, Heard::Event(name, data)) => Some(Event { name, data, at }),
            _ => None,
        }
    }

    /// The data of the next event of this name.
    pub async fn expect_event(&mut self, name: &str) -> Value {
        self.next(name).await.data
    }

    /// The data of the next event of this name, which must come in time.
    pub async fn expect_event_within(&mut self, name: &str, patience: Duration) -> Value {
        self.take(name, patience, |heard| data_of(heard, name)).await.1
    }

    /// Nothing of that name was sent before now. A round trip proves it: the server's answer is behind whatever it had
    /// queued for this socket.
    pub async fn expect_silence(&mut self, name: &str) {
        self.ask("conversation:leave", json!({ "conversationId": 9_007_199_254_740_991_i64 })).await;
        self.assert_unheard(name);
    }

    /// Nothing of that name comes within `during`; for what a timer would send.
    pub async fn expect_silence_for(&mut self, name: &str, during: Duration) {
        self.find(during, |heard| is_event(heard, name)).await;
        self.assert_unheard(name);
    }

    fn assert_unheard(&mut self, name: &str) {
        let heard: Vec<&Heard> = self.unread().iter().filter(|heard| is_event(heard, name)).collect();
        assert!(heard.is_empty(), "there should have been no {name}: {heard:?}");
    }

    /// Waits until the server has closed the connection.
    pub async fn expect_close(&mut self) {
        let closed = self.find(PATIENCE, |heard| *heard == Heard::Closed).await;
        assert!(closed.is_some(), "the socket is still open; heard {:?}", self.unread);
    }

    /// Waits until the server has left the namespace or closed the connection; false if it did not in time.
    pub async fn closed_within(&self, patience: Duration) -> bool {
        let mut open = self.shared.open.subscribe();
        timeout(patience, open.wait_for(|open| !open)).await.is_ok()
    }

    pub fn is_open(&self) -> bool {
        *self.shared.open.borrow()
    }

    /// Everything heard and not yet taken, oldest first.
    pub fn unread(&mut self) -> &VecDeque<Heard> {
        while let Ok(heard) = self.incoming.try_recv() {
            self.push(heard);
        }
        &self.unread
    }

    /// Takes everything heard so far; the events of it.
    pub fn drain(&mut self) -> Vec<Event> {
        self.unread();
        let all = self.times.drain(..).zip(self.unread.drain(..));
        let event = |(at, heard)| match heard {
            Heard::Event(name, data) => Some(Event { name, data, at }),
            _ => None,
        };
        all.filter_map(event).collect()
    }

    /// Says goodbye on the namespace and closes.
    pub async fn leave(self) {
        self.write("41/chat,".to_owned()).await;
        let _ = self.shared.writer.lock().await.write_all(&wire::masked(CLOSE, b"")).await;
    }

    /// Writes one text frame as it is; the test fails if the connection is gone.
    pub async fn write(&self, text: String) {
        self.raw(&text).await.expect("a live socket");
    }

    /// Writes one text frame as it is.
    pub async fn raw(&self, text: &str) -> io::Result<()> {
        self.shared.write(text).await
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

    async fn take<T>(&mut self, what: &str, patience: Duration, wanted: impl Fn(&Heard) -> Option<T>) -> (Instant, T) {
        let at = self.find(patience, |heard| wanted(heard).is_some()).await;
        let at = at.unwrap_or_else(|| panic!("{what} did not come; heard {:?}", self.unread));
        let (time, heard) = self.remove(at);
        (time, wanted(&heard).expect("it was what was wanted"))
    }

    /// Where in the list the first of these is, awaited; `None` when time is up or the connection has ended.
    async fn find(&mut self, patience: Duration, wanted: impl Fn(&Heard) -> bool) -> Option<usize> {
        let deadline = tokio::time::Instant::now() + patience;
        let mut looked_at = 0;
        loop {
            while looked_at < self.unread.len() {
                if wanted(&self.unread[looked_at]) {
                    return Some(looked_at);
                }
                looked_at += 1;
            }
            let heard = tokio::time::timeout_at(deadline, self.incoming.recv()).await.ok().flatten()?;
            self.push(heard);
        }
    }

    fn push(&mut self, (at, heard): (Instant, Heard)) {
        self.times.push_back(at);
        self.unread.push_back(heard);
    }

    fn remove(&mut self, at: usize) -> (Instant, Heard) {
        let time = self.times.remove(at).expect("a time for each");
        (time, self.unread.remove(at).expect("just found"))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Shared {
    async fn write(&self, text: &str) -> io::Result<()> {
        self.writer.lock().await.write_all(&wire::masked(TEXT, text.as_bytes())).await
    }

    async fn read(
        self: Arc<Shared>,
        mut from: OwnedReadHalf,
        mut read: Vec<u8>,
        mut gate: watch::Receiver<bool>,
        heard: mpsc::UnboundedSender<(Instant, Heard)>,
    ) {
        while gate.wait_for(|reading| *reading).await.is_ok() {
            let text = match wire::next_frame(&mut from, &mut read).await {
                Frame::Text(text) => text,
                Frame::Close(_) | Frame::End => break,
                Frame::Binary(_) | Frame::Pong(_) => continue,
            };
            if text == "2" {
                self.pings.fetch_add(1, Ordering::Relaxed);
                if self.answers_pings.load(Ordering::Relaxed) {
                    let _ = self.write("3").await;
                }
            } else if let Some(said) = understand(&text) {
                self.note(said, &heard);
            } else if text == "1" {
                break;
            }
        }
        self.end();
        let _ = heard.send((Instant::now(), Heard::Closed));
        let _ = self.writer.lock().await.shutdown().await;
    }

    fn note(&self, said: Heard, heard: &mpsc::UnboundedSender<(Instant, Heard)>) {
        match said {
            Heard::Disconnected => self.end(),
            Heard::Connected(..) => drop(self.open.send_replace(true)),
            Heard::Ack(id, ref data) => {
                let waiting = self.acks.lock().expect("no panic inside").remove(&id);
                if let Some(waiting) = waiting {
                    let _ = waiting.send(data.clone());
                    return;
                }
            }
            _ => {}
        }
        let _ = heard.send((Instant::now(), said));
    }

    /// Nobody is answered any more. Whoever asks meanwhile either sees that it is over or is forgotten here.
    fn end(&self) {
        self.open.send_replace(false);
        self.acks.lock().expect("no panic inside").clear();
    }
}

/// What a Socket.IO packet says; `None` for a packet that is none.
fn understand(text: &str) -> Option<Heard> {
    let first = |arguments: &str| match serde_json::from_str(arguments) {
        Ok(Value::Array(mut values)) if !values.is_empty() => values.remove(0),
        Ok(_) => Value::Null,
        Err(error) => panic!("{error} in {text}"),
    };
    if let Some(rest) = text.strip_prefix("42/chat,") {
        let start = rest.find('[').expect("an event's arguments");
        let Ok(Value::Array(mut parts)) = serde_json::from_str(&rest[start..]) else { panic!("no event: {text}") };
        let data = if parts.len() > 1 { parts.remove(1) } else { Value::Null };
        return Some(Heard::Event(parts[0].as_str().expect("an event's name").to_owned(), data));
    }
    if let Some(rest) = text.strip_prefix("43/chat,") {
        let start = rest.find('[').expect("an ack's arguments");
        return Some(Heard::Ack(rest[..start].parse().expect("an ack's number"), first(&rest[start..])));
    }
    let payload = |rest: &str| {
        let (namespace, payload) = rest.split_once(',').unwrap_or(("/", rest));
        (namespace.to_owned(), serde_json::from_str(payload).unwrap_or_default())
    };
    match text.get(..2)? {
        "40" => Some(payload(&text[2..])).map(|(namespace, payload)| Heard::Connected(namespace, payload)),
        "44" => Some(payload(&text[2..])).map(|(namespace, payload)| Heard::Refused(namespace, payload)),
        "41" => Some(Heard::Disconnected),
        _ => None,
    }
}

fn is_event(heard: &Heard, name: &str) -> bool {
    matches!(heard, Heard::Event(given, _) if given == name)
}

fn data_of(heard: &Heard, name: &str) -> Option<Value> {
    match heard {
        Heard::Event(given, data) if given == name => Some(data.clone()),
        _ => None,
    }
}
