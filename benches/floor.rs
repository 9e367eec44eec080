//! The floor that lexchat is measured against: the least that a server can do that stores each message durably before
//! it acknowledges it, with the same WebSocket library and the same SQLite.
//!
//! `cargo run --release --example load -- relay --peer target/release/examples/floor`. It knows no passwords, tokens,
//! members, limits, unread counts or search; whoever asks is believed. Messages that arrive together are stored
//! in one synced transaction, as lexchat does. It is no server for anything else.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use rusqlite::Connection;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    listen: SocketAddr,
    #[arg(long)]
    db: PathBuf,
}

/// Bytes on their way to one socket.
type Outbox = UnboundedSender<Utf8Bytes>;

/// Who listens to a conversation, and how many messages they have been told.
#[derive(Default)]
struct Room {
    members: Vec<Outbox>,
    told: u64,
}

type Rooms = Mutex<HashMap<i64, Room>>;

/// What the connections share.
struct Floor {
    rooms: Rooms,
    jobs: mpsc::Sender<Job>,
    next_id: AtomicI64,
}

/// A message to be stored.
struct Job {
    sent: Sent,
    ack: String,
    outbox: Outbox,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    conversation_id: i64,
    content: String,
    client_message_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Joined {
    conversation_id: i64,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let conn = Connection::open(arguments.db).map_err(io::Error::other)?;
    conn.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         CREATE TABLE IF NOT EXISTS messages (
           id INTEGER PRIMARY KEY, conversation_id INTEGER, content TEXT, client_message_id TEXT
         );",
    )
    .map_err(io::Error::other)?;
    let (jobs, waiting) = mpsc::channel();
    let floor = Arc::new(Floor { rooms: Mutex::default(), jobs, next_id: AtomicI64::new(1) });
    let writer = Arc::clone(&floor);
    std::thread::spawn(move || write(&conn, &waiting, &writer.rooms));
    let listener = TcpListener::bind(arguments.listen).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(serve(stream, Arc::clone(&floor)));
    }
}

/// Stores what waits in one transaction, then tells and acknowledges it.
fn write(conn: &Connection, waiting: &mpsc::Receiver<Job>, rooms: &Rooms) {
    let mut insert = conn
        .prepare("INSERT INTO messages (conversation_id, content, client_message_id) VALUES (?1, ?2, ?3)")
        .expect("the table is there");
    while let Ok(first) = waiting.recv() {
        let batch: Vec<Job> = std::iter::once(first).chain(waiting.try_iter()).collect();
        conn.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([])).expect("nobody else writes");
        let mut ids = Vec::with_capacity(batch.len());
        for Job { sent, .. } in &batch {
            insert.execute((sent.conversation_id, &sent.content, &sent.client_message_id)).expect("there is space");
            ids.push(conn.last_insert_rowid());
        }
        conn.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([])).expect("the disk is sound");
        let mut rooms = rooms.lock().unwrap_or_else(PoisonError::into_inner);
        for (Job { sent, ack, outbox }, id) in batch.into_iter().zip(ids) {
            let room = rooms.entry(sent.conversation_id).or_default();
            room.told += 1;
            let message = serde_json::json!({
                "id": id, "rev": room.told, "conversationId": sent.conversation_id, "content": sent.content,
                "clientMessageId": sent.client_message_id,
            });
            let event = Utf8Bytes::from(format!(r#"42/chat,["message:new",{{"message":{message}}}]"#));
            for member in &room.members {
                let _gone = member.send(event.clone());
            }
            let _gone = outbox.send(format!(r#"43/chat,{ack}[{{"success":true,"message":{message}}}]"#).into());
        }
    }
}

async fn serve(stream: TcpStream, floor: Arc<Floor>) -> io::Result<()> {
    let mut head = [0; 1024];
    let seen = stream.peek(&mut head).await?;
    if String::from_utf8_lossy(&head[..seen]).contains("Upgrade: websocket") {
        return serve_socket(stream, &floor).await.map_err(io::Error::other);
    }
    serve_http(stream, &floor).await
}

/// What the generator asks before it begins; whoever signs in is somebody new.
async fn serve_http(mut stream: TcpStream, floor: &Floor) -> io::Result<()> {
    let mut text = Vec::new();
    loop {
        let Some(end) = text.windows(4).position(|window| window == b"\r\n\r\n") else {
            if stream.read_buf(&mut text).await? == 0 {
                return Ok(());
            }
            continue;
        };
        let head = String::from_utf8_lossy(&text[..end]).to_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.trim().parse().ok());
        while text.len() < end + 4 + length.unwrap_or(0) {
            if stream.read_buf(&mut text).await? == 0 {
                return Ok(());
            }
        }
        text.drain(..end + 4 + length.unwrap_or(0));
        let id = floor.next_id.fetch_add(1, Ordering::Relaxed);
        let body = format!(r#"{{"id":{id},"accessToken":"{id}","user":{{"id":{id}}}}}"#);
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await?;
    }
}

async fn serve_socket(stream: TcpStream, floor: &Floor) -> Result<(), tokio_tungstenite::tungstenite::Error> {
    let (mut out, mut inbox) = tokio_tungstenite::accept_async(stream).await?.split();
    let (outbox, waiting) = unbounded_channel();
    let open = r#"0{"sid":"floor","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
    out.send(Message::text(open)).await?;
    tokio::spawn(drain(waiting, out));
    while let Some(Ok(message)) = inbox.next().await {
        let Message::Text(text) = message else { continue };
        if text.starts_with("40/chat,") {
            let _gone = outbox.send(r#"40/chat,{"sid":"floor"}"#.into());
        } else if let Some(rest) = text.strip_prefix("42/chat,") {
            ask(rest, floor, &outbox);
        }
    }
    Ok(())
}

/// Carries out `7["message:send",{…}]` or `7["conversation:join",{…}]`.
fn ask(packet: &str, floor: &Floor, outbox: &Outbox) {
    let (ack, args) = packet.split_at(packet.find('[').unwrap_or(0));
    if let Ok(("message:send", sent)) = serde_json::from_str(args) {
        let _closing = floor.jobs.send(Job { sent, ack: ack.to_owned(), outbox: outbox.clone() });
    } else if let Ok(("conversation:join", Joined { conversation_id })) = serde_json::from_str(args) {
        let mut rooms = floor.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.entry(conversation_id).or_default().members.push(outbox.clone());
        let _gone = outbox.send(format!(r#"43/chat,{ack}[{{"success":true}}]"#).into());
    }
}

/// Writes all that waits, in one flush.
async fn drain<S>(mut waiting: UnboundedReceiver<Utf8Bytes>, mut out: S)
where
    S: SinkExt<Message> + Unpin,
{
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, 64).await > 0 {
        for text in batch.drain(..) {
            if out.feed(Message::Text(text)).await.is_err() {
                return;
            }
        }
        if out.flush().await.is_err() {
            return;
        }
    }
}
