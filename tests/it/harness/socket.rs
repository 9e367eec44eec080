//! A Socket.IO client over a raw WebSocket: what it heard, in the order in which it heard it.
//!
//! It keeps nothing from the test: a lost ack, a second copy or a wrong order is visible because everything stays in
//! one list until somebody takes it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// How long something expected may take before the test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// One thing that the server said on the namespace `/chat`.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// An event and its first argument.
    Event(String, Value),
    /// The ack of the emission with that number, and its first argument.
    Ack(u64, Value),
    /// CONNECT_ERROR and its payload.
    Refused(String, Value),
    /// The server left the namespace.
    Disconnected,
    /// The connection ended.
    Closed,
}

/// How the token is given.
#[derive(Debug, Clone, Copy)]
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

/// One connected socket.
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    unread: VecDeque<Heard>,
    next_ack: u64,
    closed: bool,
}

impl Socket {
    /// Connects to `/chat`; fails the test if it is refused.
    pub async fn connect(at: SocketAddr, token: &str) -> Socket {
        let mut socket = Socket::open(at, token, TokenIn::Query).await;
        socket.join_namespace("/chat", Some(token), TokenIn::Query).await.expect("the namespace is open");
        socket
    }

    /// Opens the WebSocket and reads the Engine.IO handshake; asks for no namespace yet.
    pub async fn open(at: SocketAddr, token: &str, place: TokenIn) -> Socket {
        let query = match place {
            TokenIn::Query => format!("/socket.io/?EIO=4&transport=websocket&token={token}"),
            TokenIn::ChatPath => format!("/chat?token={token}"),
            TokenIn::Auth | TokenIn::Header => "/socket.io/?EIO=4&transport=websocket".to_owned(),
        };
        let mut request = format!("ws://{at}{query}").into_client_request().expect("a valid address");
        if matches!(place, TokenIn::Header) {
            let value = format!("Bearer {token}").parse().expect("a header value");
            request.headers_mut().insert("authorization", value);
        }
        let tcp = TcpStream::connect(at).await.expect("the server listens");
        tcp.set_nodelay(true).expect("a live socket");
        let (stream, _) = tokio_tungstenite::client_async(request, tcp).await.expect("the upgrade is accepted");
        let mut socket = Socket { stream, unread: VecDeque::new(), next_ack: 0, closed: false };
        let hello = socket.frame(Instant::now() + PATIENCE).await.expect("the Engine.IO handshake");
        assert!(matches!(&hello, Message::Text(text) if text.starts_with("0{")), "not a handshake: {hello:?}");
        socket
    }

    /// Sends CONNECT; the CONNECT_ERROR payload if it is refused.
    pub async fn join_namespace(&mut self, name: &str, token: Option<&str>, place: TokenIn) -> Result<Value, Value> {
        let auth = match (place, token) {
            (TokenIn::Auth, Some(token)) => json!({ "token": token }).to_string(),
            _ => String::new(),
        };
        self.write(format!("40{},{auth}", name)).await;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let Some(Message::Text(text)) = self.frame(deadline).await else { return Err(Value::Null) };
            let (root, named) = (format!("40{name},"), format!("44{name},"));
            if let Some(payload) = text.strip_prefix(root.as_str()) {
                return Ok(serde_json::from_str(payload).expect("a CONNECT payload"));
            }
            if let Some(payload) = text.strip_prefix(named.as_str()) {
                return Err(serde_json::from_str(payload).expect("a CONNECT_ERROR payload"));
            }
            self.note(&Message::Text(text)).await;
        }
    }

    /// Emits without asking for an ack.
    pub async fn emit(&mut self, event: &str, data: Value) {
        self.write(format!("42/chat,{}", json!([event, data]))).await;
    }

    /// Emits asking for an ack, and does not wait for it; the ack's number.
    pub async fn send(&mut self, event: &str, data: Value) -> u64 {
        let id = self.next_ack;
        self.next_ack += 1;
        self.write(format!("42/chat,{id}{}", json!([event, data]))).await;
        id
    }

    /// Emits binary data with an ack: `data` holds the placeholders; the ack's number.
    pub async fn send_binary(&mut self, event: &str, data: Value, files: &[&[u8]]) -> u64 {
        let id = self.next_ack;
        self.next_ack += 1;
        self.write(format!("45{}-/chat,{id}{}", files.len(), json!([event, data]))).await;
        for file in files {
            self.stream.send(Message::Binary(file.to_vec().into())).await.expect("a live socket");
        }
        id
    }

    /// Emits and waits for the ack.
    pub async fn ask(&mut self, event: &str, data: Value) -> Value {
        let id = self.send(event, data).await;
        self.ack(id).await
    }

    /// Emits and waits for an ack that must say `success: true`.
    pub async fn done(&mut self, event: &str, data: Value) -> Value {
        let reply = self.ask(event, data).await;
        assert_eq!(reply["success"], json!(true), "{event} was refused: {reply}");
        reply
    }

    /// Emits and waits for an ack that must be the refusal with that code.
    pub async fn refused(&mut self, event: &str, data: Value, code: &str) -> Value {
        let reply = self.ask(event, data).await;
        assert_eq!(reply["success"], json!(false), "{event} was not refused: {reply}");
        assert_eq!(reply["code"], json!(code), "{event}: {reply}");
        assert!(reply["error"].as_str().is_some_and(|text| !text.is_empty()), "a refusal says why: {reply}");
        reply
    }

    /// Waits for the ack with that number.
    pub async fn ack(&mut self, id: u64) -> Value {
        self.take(&format!("the ack {id}"), PATIENCE, |heard| match heard {
            Heard::Ack(given, data) if *given == id => Some(data.clone()),
            _ => None,
        })
        .await
    }

    /// Waits for the next event of that name.
    pub async fn expect_event(&mut self, event: &str) -> Value {
        self.expect_event_within(event, PATIENCE).await
    }

    /// Waits so long for the next event of that name.
    pub async fn expect_event_within(&mut self, event: &str, patience: Duration) -> Value {
        let is_wanted = |heard: &Heard| match heard {
            Heard::Event(name, data) if name == event => Some(data.clone()),
            _ => None,
        };
        self.take(event, patience, is_wanted).await
    }

    /// Nothing of that name was sent before now. A round trip proves it: the server's answer is behind whatever it
    /// had queued for this socket.
    pub async fn expect_silence(&mut self, event: &str) {
        self.ask("conversation:leave", json!({ "conversationId": 9_007_199_254_740_991_i64 })).await;
        let heard: Vec<_> = self.unread.iter().filter(|heard| is_event(heard, event)).collect();
        assert!(heard.is_empty(), "there should have been no {event}: {heard:?}");
    }

    /// Nothing of that name comes within `during`; for what a timer would send.
    pub async fn expect_silence_for(&mut self, event: &str, during: Duration) {
        let deadline = Instant::now() + during;
        while self.hear(deadline).await {}
        let heard: Vec<_> = self.unread.iter().filter(|heard| is_event(heard, event)).collect();
        assert!(heard.is_empty(), "there should have been no {event}: {heard:?}");
    }

    /// Waits until the server has closed the socket.
    pub async fn expect_close(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.closed {
            assert!(self.hear(deadline).await || self.closed, "the socket is still open; heard {:?}", self.unread);
        }
    }

    /// Everything heard and not yet taken, oldest first.
    pub fn unread(&self) -> &VecDeque<Heard> {
        &self.unread
    }

    /// Takes everything heard until the ack with that number, it included.
    pub async fn heard_until_ack(&mut self, id: u64) -> Vec<Heard> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(place) =
                self.unread.iter().position(|heard| matches!(heard, Heard::Ack(given, _) if *given == id))
            {
                return self.unread.drain(..=place).collect();
            }
            assert!(self.hear(deadline).await, "no ack {id}; heard {:?}", self.unread);
        }
    }

    /// Says goodbye on the namespace and closes.
    pub async fn leave(mut self) {
        self.write("41/chat,".to_owned()).await;
        self.stream.close(None).await.ok();
    }

    /// Writes one text frame as it is.
    pub async fn write(&mut self, text: String) {
        self.stream.send(Message::Text(text.into())).await.expect("a live socket");
    }

    async fn take(&mut self, what: &str, patience: Duration, wanted: impl Fn(&Heard) -> Option<Value>) -> Value {
        let deadline = Instant::now() + patience;
        let mut looked_at = 0;
        loop {
            while looked_at < self.unread.len() {
                if let Some(value) = wanted(&self.unread[looked_at]) {
                    self.unread.remove(looked_at);
                    return value;
                }
                looked_at += 1;
            }
            assert!(self.hear(deadline).await, "{what} did not come; heard {:?}", self.unread);
        }
    }

    /// Hears one more frame; false when the deadline passed or the connection ended.
    async fn hear(&mut self, deadline: Instant) -> bool {
        if self.closed {
            return false;
        }
        match self.frame(deadline).await {
            Some(frame) => {
                self.note(&frame).await;
                true
            }
            None => false,
        }
    }

    async fn frame(&mut self, deadline: Instant) -> Option<Message> {
        match timeout_at(deadline, self.stream.next()).await {
            Err(_) => None,
            Ok(Some(Ok(frame))) => Some(frame),
            Ok(Some(Err(_)) | None) => {
                self.closed = true;
                self.unread.push_back(Heard::Closed);
                None
            }
        }
    }

    async fn note(&mut self, frame: &Message) {
        let Message::Text(text) = frame else { return };
        let text = text.as_str();
        if text == "2" {
            self.stream.send(Message::Text("3".into())).await.ok();
        } else if let Some(rest) = text.strip_prefix("42/chat,") {
            let array: Value = serde_json::from_str(rest).expect("an event");
            let name = array[0].as_str().expect("an event's name").to_owned();
            self.unread.push_back(Heard::Event(name, array[1].clone()));
        } else if let Some(rest) = text.strip_prefix("43/chat,") {
            let split = rest.find('[').expect("an ack's arguments");
            let array: Value = serde_json::from_str(&rest[split..]).expect("an ack");
            self.unread.push_back(Heard::Ack(rest[..split].parse().expect("an ack's number"), array[0].clone()));
        } else if text.starts_with("41/chat") {
            self.unread.push_back(Heard::Disconnected);
        } else if let Some(rest) = text.strip_prefix("44") {
            let (namespace, payload) = rest.split_once(',').expect("a namespace");
            let payload = serde_json::from_str(payload).expect("a CONNECT_ERROR payload");
            self.unread.push_back(Heard::Refused(namespace.to_owned(), payload));
        }
    }
}

fn is_event(heard: &Heard, event: &str) -> bool {
    matches!(heard, Heard::Event(name, _) if name == event)
}
