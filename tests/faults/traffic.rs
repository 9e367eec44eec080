//! People who write to each other through whatever happens: every message is retried under the same
//! `clientMessageId`, in order, until it is acked, over sockets and over HTTP, and some bring a file. All that they do and
//! see goes into a journal.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::changes::Changer;
use crate::history::record::{Journal, Record};
use crate::support::http;
use crate::support::people::{self, Person};
use crate::support::socket::Socket;

/// How the writers write.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Conversations, each with two people who both write.
    pub pairs: usize,
    /// Messages in flight per writer.
    pub window: usize,
    /// Between two messages of a writer.
    pub pause: Duration,
}

/// Writers at work.
pub struct Traffic {
    pub journal: Journal,
    pub conversations: Vec<Conversation>,
    /// Where things are changed rather than said.
    pub changed: Option<Conversation>,
    tasks: JoinSet<()>,
    stopping: Arc<AtomicBool>,
}

/// A conversation and its two people.
#[derive(Clone, Debug)]
pub struct Conversation {
    pub id: i64,
    pub members: [Person; 2],
}

static NEXT_READ: AtomicU64 = AtomicU64::new(1);

impl Traffic {
    /// Signs the people in, makes their conversations and lets them write.
    pub async fn start(to: SocketAddr, pace: Pace) -> Traffic {
        let conversations = conversations(to, pace.pairs).await;
        let mut traffic = Traffic::resume(to, pace, conversations, Journal::default());
        let changed = conversation_of(to, "client5", "juriste5").await;
        let changer = Changer {
            to,
            pause: pace.pause,
            conversation: changed.clone(),
            journal: traffic.journal.clone(),
            stopping: Arc::clone(&traffic.stopping),
        };
        traffic.tasks.spawn(changer.work());
        traffic.changed = Some(changed);
        traffic
    }

    /// Lets people who are signed in write.
    pub fn resume(to: SocketAddr, pace: Pace, conversations: Vec<Conversation>, journal: Journal) -> Traffic {
        let stopping = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for conversation in &conversations {
            for person in &conversation.members {
                let writer = Writer {
                    to,
                    pace,
                    name: format!("user {}", person.id),
                    person: person.clone(),
                    conversation: conversation.id,
                    journal: journal.clone(),
                    stopping: Arc::clone(&stopping),
                    next: 0,
                    unacked: VecDeque::new(),
                    connections: 0,
                };
                tasks.spawn(writer.work());
            }
            let person = conversation.members[0].clone();
            let poster = Poster {
                to,
                pause: pace.pause,
                name: poster_name(&person),
                person,
                conversation: conversation.id,
                journal: journal.clone(),
                stopping: Arc::clone(&stopping),
            };
            tasks.spawn(poster.work());
        }
        Traffic { journal, conversations, changed: None, tasks, stopping }
    }

    /// Waits until that many acks have come in all.
    pub async fn acked(&self, enough: usize, patience: Duration) {
        let waiting = async {
            while self.journal.acked() < enough {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let came = tokio::time::timeout(patience, waiting).await;
        assert!(came.is_ok(), "{} of {enough} acks came in {patience:?}", self.journal.acked());
    }

    /// Lets the writers end what they have begun; the test fails if they cannot.
    pub async fn finish(mut self) -> (Journal, Vec<Conversation>) {
        self.stopping.store(true, Ordering::Relaxed);
        let ending = async {
            while let Some(ended) = self.tasks.join_next().await {
                ended.expect("a writer never panics");
            }
        };
        tokio::time::timeout(Duration::from_secs(60), ending).await.expect("the writers get their acks");
        (self.journal, self.conversations)
    }

    /// Stops the writers where they are, whatever is unanswered.
    pub async fn abandon(mut self) -> (Journal, Vec<Conversation>) {
        self.tasks.shutdown().await;
        (self.journal, self.conversations)
    }
}

/// Client n writes with jurist n + 1: nobody has said anything to them yet.
pub async fn conversations(to: SocketAddr, pairs: usize) -> Vec<Conversation> {
    conversations_apart(to, pairs, 0).await
}

/// Client n writes with jurist n + 1 + `apart`; everybody signs in anew, and is good for an hour.
pub async fn conversations_apart(to: SocketAddr, pairs: usize, apart: usize) -> Vec<Conversation> {
    let mut conversations = Vec::new();
    for n in 1..=pairs {
        conversations.push(conversation_of(to, &format!("client{n}"), &format!("juriste{}", n + 1 + apart)).await);
    }
    conversations
}

async fn conversation_of(to: SocketAddr, client: &str, jurist: &str) -> Conversation {
    let client = people::sign_in(to, client).await;
    let jurist = people::sign_in(to, jurist).await;
    let id = people::conversation(to, &client, &jurist).await;
    Conversation { id, members: [client, jurist] }
}

/// Reads every conversation to its end and every file that was uploaded, and adds them to a history as what is stored.
pub async fn read_stored(to: SocketAddr, conversations: &[Conversation], history: &mut Vec<Record>) {
    let mut stored = Vec::new();
    for conversation in conversations {
        let owner = &conversation.members[0];
        for message in all_messages(to, &owner.token, conversation.id).await {
            stored.push(stored_message(&message));
        }
        let name = poster_name(owner);
        for record in history.iter() {
            if let Record::Uploaded { client, url, .. } = record
                && *client == name
            {
                let reply = http::get(to, url).token(&owner.token).send().await;
                if reply.status == 200 {
                    stored.push(Record::StoredFile { url: url.clone(), digest: digest(&reply.body) });
                }
            }
        }
    }
    history.append(&mut stored);
}

/// All messages of a conversation, oldest first.
pub async fn all_messages(to: SocketAddr, token: &str, conversation: i64) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/messages?conversationId={conversation}&limit=200{cursor}");
        let page = http::get(to, &path).token(token).send().await.expect(200).json();
        let Some(oldest) = page[0]["id"].as_i64() else { break };
        cursor = format!("&before={oldest}");
        all.extend(page.as_array().into_iter().flatten().rev().cloned());
    }
    all.reverse();
    all
}

fn stored_message(message: &Value) -> Record {
    Record::Stored {
        conversation: number(&message["conversationId"]),
        message: number(&message["id"]),
        rev: number(&message["rev"]),
        content: text(&message["content"]),
    }
}

struct Writer {
    to: SocketAddr,
    pace: Pace,
    name: String,
    person: Person,
    conversation: i64,
    journal: Journal,
    stopping: Arc<AtomicBool>,
    next: usize,
    unacked: VecDeque<(String, String)>,
    connections: usize,
}

impl Writer {
    async fn work(mut self) {
        loop {
            match Socket::open(self.to, &self.person.token).await {
                Ok(socket) => self.write(socket).await,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
            if self.stopping.load(Ordering::Relaxed) && self.unacked.is_empty() {
                return;
            }
        }
    }

    /// One connection's life: what is unacked goes first, in order.
    async fn write(&mut self, mut socket: Socket) {
        self.connections += 1;
        let heard_on = format!("{} #{}", self.name, self.connections);
        if !self.join(&socket).await {
            return;
        }
        let mut in_flight = VecDeque::new();
        for (id, content) in self.unacked.clone() {
            in_flight.push_back(self.send(&socket, &id, &content).await);
        }
        while socket.is_open() {
            let stopping = self.stopping.load(Ordering::Relaxed);
            if in_flight.len() < self.pace.window && !stopping {
                let id = format!("{}-{}-{}", self.conversation, self.person.id, self.next);
                let content = format!("message {id} {}.", "é".repeat(self.next % 40));
                self.next += 1;
                self.unacked.push_back((id.clone(), content.clone()));
                in_flight.push_back(self.send(&socket, &id, &content).await);
                if !self.pace.pause.is_zero() {
                    tokio::time::sleep(self.pace.pause).await;
                }
            } else {
                let Some(ack) = in_flight.pop_front() else { break };
                if !self.settle(ack).await {
                    break;
                }
            }
            self.note_told(&heard_on, &mut socket);
        }
        self.note_told(&heard_on, &mut socket);
    }

    /// Joins, and checks on the way that everything acked so far can be read.
    async fn join(&self, socket: &Socket) -> bool {
        let read = NEXT_READ.fetch_add(1, Ordering::Relaxed);
        self.journal.note(Record::Asked { read, conversation: self.conversation });
        let joined = socket.try_ask("conversation:join", &json!({ "conversationId": self.conversation })).await;
        let Some(joined) = joined.filter(|joined| joined["success"] == true) else { return false };
        let latest = joined["messages"].as_array().and_then(|messages| messages.last());
        let rev = latest.map_or(0, |message| number(&message["rev"]));
        self.journal.note(Record::Answered { read, rev });
        true
    }

    async fn send(&self, socket: &Socket, id: &str, content: &str) -> oneshot::Receiver<Value> {
        self.journal.note(Record::Sent {
            client: self.name.clone(),
            id: id.to_owned(),
            conversation: self.conversation,
            content: content.to_owned(),
        });
        let message = json!({ "conversationId": self.conversation, "content": content, "clientMessageId": id });
        socket.start("message:send", &message).await
    }

    /// Takes the next ack; false when this connection is of no more use.
    async fn settle(&mut self, ack: oneshot::Receiver<Value>) -> bool {
        let Ok(Ok(ack)) = tokio::time::timeout(Duration::from_secs(30), ack).await else { return false };
        let Some((id, _)) = self.unacked.front().cloned() else { return false };
        let client = self.name.clone();
        if ack["success"] == true {
            let (message, rev) = (number(&ack["message"]["id"]), number(&ack["message"]["rev"]));
            self.journal.note(Record::Acked { client, id, message, rev });
            self.unacked.pop_front();
            return true;
        }
        // `UNAVAILABLE` promises nothing either way; all else is a refusal. Either way it is sent again, in order.
        if ack["code"] != "UNAVAILABLE" {
            self.journal.note(Record::Refused { client, id });
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        false
    }

    fn note_told(&self, heard_on: &str, socket: &mut Socket) {
        for event in socket.drain().into_iter().filter(|event| event.name == "message:new") {
            let message = &event.data["message"];
            self.journal.note(Record::Announcement {
                socket: heard_on.to_owned(),
                conversation: number(&message["conversationId"]),
                message: number(&message["id"]),
                rev: number(&message["rev"]),
                content: text(&message["content"]),
            });
        }
    }
}

/// A message of a poster that brings a file is one in so many.
const FILE_EVERY: usize = 8;

/// Somebody who writes over HTTP, one request at a time, beside their own socket.
struct Poster {
    to: SocketAddr,
    pause: Duration,
    name: String,
    person: Person,
    conversation: i64,
    journal: Journal,
    stopping: Arc<AtomicBool>,
}

impl Poster {
    async fn work(self) {
        let mut count = 0;
        while !self.stopping.load(Ordering::Relaxed) {
            let file = if count % FILE_EVERY == 0 { Some(self.upload(count).await) } else { None };
            self.post(count, file).await;
            count += 1;
            tokio::time::sleep(self.pause).await;
        }
    }

    /// Uploads until there is a 201; the file's id.
    async fn upload(&self, count: usize) -> Value {
        let bytes: Vec<u8> = (0..2000 + count * 977 % 20_000).map(|n| (n * 7 + count) as u8).collect();
        let path = format!("/attachments?conversationId={}&name=piece{count}.bin", self.conversation);
        loop {
            let ask = http::ask(self.to, "POST", &path).token(&self.person.token).body(bytes.clone());
            if let Ok(reply) = ask.try_send().await
                && reply.status == 201
            {
                let file = reply.json();
                let (client, url) = (self.name.clone(), text(&file["url"]));
                self.journal.note(Record::Uploaded { client, url, digest: digest(&bytes) });
                return file["id"].clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Posts one message, under one id, until there is a 2xx.
    async fn post(&self, count: usize, file: Option<Value>) {
        let id = format!("{}-{}-http-{count}", self.conversation, self.person.id);
        let content = format!("message {id}.");
        let mut body = json!({ "conversationId": self.conversation, "content": content, "clientMessageId": id });
        body["files"] = file.into_iter().collect();
        loop {
            self.journal.note(Record::Sent {
                client: self.name.clone(),
                id: id.clone(),
                conversation: self.conversation,
                content: content.clone(),
            });
            let reply = http::post(self.to, "/messages", &body).token(&self.person.token).try_send().await;
            let (client, id) = (self.name.clone(), id.clone());
            match reply {
                Ok(reply) if matches!(reply.status, 200 | 201) => {
                    let message = reply.json();
                    let (message, rev) = (number(&message["id"]), number(&message["rev"]));
                    return self.journal.note(Record::Acked { client, id, message, rev });
                }
                // As on a socket, a 503 promises nothing either way, and neither does an answer that was cut off.
                Ok(reply) if reply.status != 503 => self.journal.note(Record::Refused { client, id }),
                _ => {}
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn poster_name(person: &Person) -> String {
    format!("user {} over HTTP", person.id)
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(-1)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
