//! Those who do not read, do not poll, do not answer, or send one byte at a time: they are cut off, and nobody else
//! notices.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::people;
use crate::support::polling::Polling;
use crate::support::server::{Server, Setup};
use crate::support::socket::Socket;
use crate::support::wire::Opening;
use crate::support::{http, needs};
use crate::traffic::{self, Conversation};

const MIB: u64 = 1 << 20;
/// What a queue of 1 MiB may cost with its bookkeeping and the allocator's habits.
const SLACK_BYTES: u64 = 24 * MIB;

async fn served() -> (tempfile::TempDir, Server, Conversation) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Setup::new(folder.path().join("lexchat.db")).start().await;
    let pair = traffic::conversations(server.address(), 1).await.remove(0);
    (folder, server, pair)
}

async fn joined(to: SocketAddr, token: &str, conversation: i64) -> Socket {
    let socket = Socket::open(to, token).await.expect("a live session");
    let ack = socket.ask("conversation:join", &json!({ "conversationId": conversation })).await;
    assert_eq!(ack["success"], true, "{ack}");
    socket
}

/// How long acks took.
#[derive(Debug)]
struct Waits {
    /// Nine of ten took at most this long.
    most: Duration,
    longest: Duration,
}

impl Waits {
    /// Nobody waited for somebody slow: not now and then, nor once for as long as a timeout takes. A busy machine can
    /// hold a single ack up, but not most of them.
    fn assert_undisturbed(&self, alone: &Waits) {
        println!("acks took {self:?}, {alone:?} alone");
        assert!(self.most < alone.most * 5 + Duration::from_millis(300), "{self:?}, alone {alone:?}");
        assert!(self.longest < alone.longest + Duration::from_secs(4), "{self:?}, alone {alone:?}");
    }
}

/// Sends that many messages of 8 KB, 16 in flight; how long their acks took and the most memory seen.
async fn flood(server: &Server, writer: &Socket, conversation: i64, count: usize) -> (Waits, u64) {
    let content = "abcdefgh".repeat(1000);
    let mut in_flight = std::collections::VecDeque::new();
    let (mut took, mut most) = (Vec::with_capacity(count), 0);
    for n in 0..count + 16 {
        if n < count {
            let message = json!({ "conversationId": conversation, "content": format!("{n} {content}") });
            in_flight.push_back((Instant::now(), writer.start("message:send", &message).await));
        }
        if n >= 16 {
            let (sent, ack) = in_flight.pop_front().expect("one for each");
            assert_eq!(ack.await.expect("an ack")["success"], true);
            took.push(sent.elapsed());
            most = most.max(server.memory_bytes());
        }
    }
    took.sort_unstable();
    (Waits { most: took[count * 9 / 10], longest: took[count - 1] }, most)
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn a_reader_that_stops_reading_is_cut_off_and_catches_up() {
    let (_folder, server, pair) = served().await;
    let [client, jurist] = &pair.members;
    let writer = joined(server.address(), &client.token, pair.id).await;
    let mut healthy = joined(server.address(), &jurist.token, pair.id).await;
    let mut slow = joined(server.address(), &jurist.token, pair.id).await;
    // The same without anybody slow, so that the database's own caches have grown as far as they do.
    let count = 2500;
    let (alone, before) = flood(&server, &writer, pair.id, count).await;
    for _ in 0..count {
        slow.next("message:new").await;
    }
    slow.set_reading(false);
    let (among, most) = flood(&server, &writer, pair.id, count).await;
    let grown = most.saturating_sub(before);
    println!("memory grew by {} KiB", grown / 1024);
    assert!(grown <= MIB + SLACK_BYTES, "grew by {grown} bytes");
    among.assert_undisturbed(&alone);
    for _ in 0..2 * count {
        healthy.next("message:new").await;
    }

    slow.set_reading(true);
    assert!(slow.closed_within(Duration::from_secs(10)).await, "still connected");
    let seen: Vec<Value> = slow.drain().into_iter().map(|event| event.data["message"]["rev"].clone()).collect();
    assert!(seen.len() < count, "it was told {} messages without reading", seen.len());
    let halfway = i64::try_from(count).expect("small");
    let last = seen.last().and_then(Value::as_i64).unwrap_or(halfway);
    let back = joined(server.address(), &jurist.token, pair.id).await;
    let total = 2 * halfway;
    assert_eq!(sync_from(&back, pair.id, last).await, (last + 1..=total).collect::<Vec<_>>());
}

/// The revs that `conversation:sync` gives from there to the end.
async fn sync_from(socket: &Socket, conversation: i64, mut rev: i64) -> Vec<i64> {
    let mut revs = Vec::new();
    loop {
        let ack = socket.ask("conversation:sync", &json!({ "conversationId": conversation, "rev": rev })).await;
        let page = ack["messages"].as_array().unwrap_or_else(|| panic!("{ack}"));
        revs.extend(page.iter().filter_map(|message| message["rev"].as_i64()));
        if ack["hasMore"] != true {
            return revs;
        }
        rev = *revs.last().expect("more means some");
    }
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn the_longest_messages_come_in_answers_that_fit() {
    let (_folder, server, pair) = served().await;
    let socket = joined(server.address(), &pair.members[0].token, pair.id).await;
    for n in 0..210 {
        let content = format!("{n} {}", "𝄞\"\u{1}".repeat(3300));
        let ack = socket.ask("message:send", &json!({ "conversationId": pair.id, "content": content })).await;
        assert_eq!(ack["success"], true, "{n}: {ack}");
    }
    let back = joined(server.address(), &pair.members[1].token, pair.id).await;
    assert_eq!(sync_from(&back, pair.id, 0).await, (1..=210).collect::<Vec<_>>());
    let place = |cursor: &str, id: &Value| json!({ "conversationId": pair.id, cursor: id, "limit": 200 });
    let latest = back.ask("conversation:history", &place("limit", &json!(200))).await;
    assert_eq!(latest["hasMoreBefore"], true);
    let around = back.ask("conversation:history", &place("around", &latest["messages"][0]["id"])).await;
    assert_eq!(around["hasMoreBefore"], true);
    let stored = traffic::all_messages(server.address(), &pair.members[0].token, pair.id).await;
    assert_eq!(stored.len(), 210);
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn a_polling_client_that_stops_polling_is_cut_off() {
    let (_folder, server, pair) = served().await;
    let [client, jurist] = &pair.members;
    let writer = joined(server.address(), &client.token, pair.id).await;
    let silent = Polling::open(server.address(), &jurist.token).await;
    let ack = silent.ask("conversation:join", &json!({ "conversationId": pair.id })).await;
    assert_eq!(ack["success"], true, "{ack}");
    let before = server.memory_bytes();
    let (_, most) = flood(&server, &writer, pair.id, 1000).await;
    assert!(most.saturating_sub(before) <= MIB + SLACK_BYTES, "grew from {before} to {most}");
    let reply = silent.poll().await.expect(400);
    assert_eq!(reply.json()["code"], 1, "the session is gone: {}", reply.text());
}

/// Waits for somebody's `user:offline`, then makes sure that there is no second one.
async fn told_once_offline(watcher: &mut Socket, user: i64, since: Instant) -> Duration {
    loop {
        let event = watcher.next_within("user:offline", Duration::from_secs(60)).await.expect("an end of silence");
        if event.data["userId"] == user {
            let again = watcher.next_within("user:offline", Duration::from_secs(3)).await;
            assert!(again.is_none(), "told twice: {again:?}");
            return event.at - since;
        }
    }
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn silence_ends_a_socket_at_the_ping_timeout_and_is_told_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut setup = Setup::new(folder.path().join("lexchat.db"));
    let mut bound = Duration::from_secs(25 + 20);
    if !needs::long_form() {
        setup = setup.argument("--ping-interval=4000").argument("--ping-timeout=3000");
        bound = Duration::from_secs(4 + 3);
    }
    let server = setup.start().await;
    let pairs = traffic::conversations(server.address(), 2).await;
    let to = server.address();
    let mut watchers = Vec::new();
    for pair in &pairs {
        watchers.push(Socket::open(to, &pair.members[0].token).await.expect("a live session"));
    }
    let on_websocket = Socket::open(to, &pairs[0].members[1].token).await.expect("a live session");
    on_websocket.fall_silent();
    let on_polling = Polling::open(to, &pairs[1].members[1].token).await;
    let since = Instant::now();
    let (first, second) = watchers.split_at_mut(1);
    let (by_websocket, by_polling) = tokio::join!(
        told_once_offline(&mut first[0], pairs[0].members[1].id, since),
        told_once_offline(&mut second[0], pairs[1].members[1].id, since),
    );
    println!("offline told after {by_websocket:?} on WebSocket, {by_polling:?} on polling");
    // As much again, on a machine that does other work too.
    let slack = bound;
    assert!(by_websocket <= bound + slack && by_polling <= bound + slack, "ping interval + timeout is {bound:?}");
    assert!(!on_websocket.is_open());
    assert_eq!(on_polling.poll().await.expect(400).json()["code"], 1);
}

/// How a connection is kept busy without ever getting anywhere.
#[derive(Clone, Copy, Debug)]
enum Drip {
    Headers,
    Body,
    ChunkedBody,
    Nothing,
    NoNamespace,
    KeptAlive,
}

impl Drip {
    /// The longest that the server may put up with it, and twice that on a machine that does other work too.
    fn bound(self) -> Duration {
        match self {
            Drip::KeptAlive => Duration::from_secs(180),
            Drip::NoNamespace => Duration::from_secs(30),
            _ => Duration::from_secs(80),
        }
    }

    /// Drips until the server closes; how long that took.
    async fn run(self, to: SocketAddr, number: usize) -> Duration {
        let began = Instant::now();
        if let Drip::NoNamespace = self {
            let opening = Opening { from: Some(people::loopback(number)), ..Opening::new(to) };
            let mut websocket = opening.open().await.unwrap_or_else(|refusal| panic!("{refusal:?}"));
            let _ = websocket.stream.read_to_end(&mut Vec::new()).await;
            return began.elapsed();
        }
        let mut stream = http::connect(to, Some(people::loopback(number))).await.expect("it listens");
        stream.write_all(self.head().as_bytes()).await.expect("it reads");
        let mut bytes = [0; 4096];
        loop {
            tokio::select! {
                read = stream.read(&mut bytes) => if matches!(read, Ok(0) | Err(_)) { return began.elapsed() },
                () = tokio::time::sleep(Duration::from_secs(1)) => if self.drop_into(&mut stream).await.is_err() {
                    return began.elapsed();
                },
            }
        }
    }

    fn head(self) -> &'static str {
        match self {
            Drip::Headers => "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
            Drip::Body => {
                "POST /auth/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"
            }
            Drip::ChunkedBody => {
                "POST /auth/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            }
            Drip::Nothing | Drip::NoNamespace => "",
            Drip::KeptAlive => "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        }
    }

    async fn drop_into(self, stream: &mut TcpStream) -> std::io::Result<()> {
        match self {
            Drip::Headers | Drip::Body => stream.write_all(b"a").await,
            Drip::ChunkedBody => stream.write_all(b"1\r\na\r\n").await,
            Drip::Nothing | Drip::NoNamespace | Drip::KeptAlive => Ok(()),
        }
    }
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn five_hundred_dripping_connections_disturb_nobody_and_are_closed() {
    let (_folder, server, pair) = served().await;
    let to = server.address();
    let witness = joined(to, &pair.members[0].token, pair.id).await;
    let (alone, _) = flood(&server, &witness, pair.id, 100).await;
    let kinds = [Drip::Headers, Drip::Body, Drip::ChunkedBody, Drip::Nothing, Drip::NoNamespace, Drip::KeptAlive];
    let mut drips = JoinSet::new();
    for number in 0..500 {
        let kind = kinds[number % kinds.len()];
        drips.spawn(async move { (kind, tokio::time::timeout(kind.bound(), kind.run(to, number)).await) });
    }
    let (among, _) = flood(&server, &witness, pair.id, 300).await;
    among.assert_undisturbed(&alone);
    http::get(to, "/users/me").token(&pair.members[0].token).send().await.expect(200);
    let waiting = Instant::now();
    while let Some(ended) = drips.join_next().await {
        let (kind, took) = ended.expect("no panic");
        assert!(took.is_ok(), "{kind:?} is still connected after {:?}", kind.bound());
    }
    println!("all closed {:?} later", waiting.elapsed());
    assert!(witness.is_open());
    assert!(server.descriptors() < 100, "{} descriptors are left", server.descriptors());
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn a_body_over_its_limit_is_refused_with_or_without_a_length() {
    let (_folder, server, pair) = served().await;
    let to = server.address();
    let token = &pair.members[0].token;
    let told = format!(
        "POST /messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    );
    let lengths = ["Content-Length: 200000000\r\n\r\n".to_owned(), "Transfer-Encoding: chunked\r\n\r\n".to_owned()];
    for length in lengths {
        let before = server.memory_bytes();
        let mut stream = TcpStream::connect(to).await.expect("it listens");
        let head = format!("{told}{length}");
        stream.write_all(head.as_bytes()).await.expect("it reads");
        let (mut reading, mut writing) = stream.into_split();
        let pouring = tokio::spawn(async move {
            let chunk = [&b"10000\r\n"[..], &[b' '; 0x10000], b"\r\n"].concat();
            for _ in 0..1000 {
                if writing.write_all(&chunk).await.is_err() {
                    return;
                }
            }
        });
        let mut bytes = vec![0; 4096];
        let answer = tokio::time::timeout(Duration::from_secs(20), reading.read(&mut bytes)).await;
        let count = answer.expect("an answer in time").unwrap_or(0);
        let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
        assert!(text.starts_with("HTTP/1.1 413"), "{length:?}: {text}");
        pouring.abort();
        assert!(server.memory_bytes().saturating_sub(before) < 8 * MIB);
    }
    let socket = Socket::open(to, token).await.expect("a live session");
    let _ = socket.raw(&format!("42/chat,[\"message:send\",\"{}\"]", "a".repeat(1_000_001))).await;
    assert!(socket.closed_within(Duration::from_secs(5)).await, "a frame over maxPayload closes its socket");
    let polling = Polling::open(to, token).await;
    assert_eq!(polling.post(&format!("4{}", "a".repeat(1_000_001))).await.status, 413);
}
