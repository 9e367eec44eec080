//! Namespaces, acknowledgements and binary, seen from both ends: the test holds the connection and speaks as its client.

use std::time::Duration;

use lexchat::engineio::server::{Server, Settings};
use lexchat::socketio::args::{Args, Placeholder};
use lexchat::socketio::connection::{self, Connection, Received};
use lexchat::socketio::encoded::Encoded;
use lexchat::socketio::sender::{AckError, Sender};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::echo;
use crate::fixture::{get, open_polling, open_websocket, post};
use crate::support::PATIENCE;
use crate::support::wire::{Frame, WebSocket};

const PATH: &str = "/socket.io/";

/// A server that lets everybody into `/chat` and `/`, and tells the test what it receives.
struct Desk {
    address: std::net::SocketAddr,
    senders: mpsc::UnboundedReceiver<Sender>,
    received: mpsc::UnboundedReceiver<Received>,
    ended: mpsc::UnboundedReceiver<()>,
}

impl Desk {
    async fn open(settings: connection::Settings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (server, mut incoming) = Server::new(Settings::default());
        let (tell_sender, senders) = mpsc::unbounded_channel();
        let (tell, received) = mpsc::unbounded_channel();
        let (tell_end, ended) = mpsc::unbounded_channel();
        tokio::spawn(echo::serve(listener, server, PATH));
        tokio::spawn(async move {
            while let Some(socket) = incoming.accept().await {
                let connection = Connection::new(socket, settings.clone());
                let (tell_sender, tell, tell_end) = (tell_sender.clone(), tell.clone(), tell_end.clone());
                tokio::spawn(async move {
                    attend(connection, tell_sender, tell).await;
                    let _ = tell_end.send(());
                });
            }
        });
        Self { address, senders, received, ended }
    }

    async fn usual() -> Self {
        Self::open(connection::Settings::default()).await
    }

    /// A client in `/chat`, and the server's handle on it.
    async fn chat(&mut self) -> (WebSocket, Sender) {
        let mut client = open_websocket(self.address, PATH).await;
        client.text("40/chat,").await;
        let sender = self.sender().await;
        assert_eq!(client.message().await, format!(r#"40/chat,{{"sid":"{}"}}"#, sender.id()));
        (client, sender)
    }

    async fn sender(&mut self) -> Sender {
        tokio::time::timeout(PATIENCE, self.senders.recv()).await.expect("in time").expect("a sender")
    }

    async fn next(&mut self) -> Received {
        tokio::time::timeout(PATIENCE, self.received.recv()).await.expect("in time").expect("something received")
    }

    async fn ended(&mut self) {
        tokio::time::timeout(PATIENCE, self.ended.recv()).await.expect("in time").expect("an end");
    }
}

async fn attend(
    mut connection: Connection,
    senders: mpsc::UnboundedSender<Sender>,
    tell: mpsc::UnboundedSender<Received>,
) {
    while let Some(received) = connection.recv().await {
        match received {
            Received::Connect { namespace, auth } if ["/", "/chat"].contains(&&*namespace) => {
                let _ = (auth, senders.send(connection.accept(&namespace)));
            }
            Received::Connect { namespace, auth } => {
                connection.refuse(
                    &namespace,
                    "Token manquant",
                    Some(json!({ "code": "UNAUTHENTICATED", "auth": auth })),
                );
            }
            other => drop(tell.send(other)),
        }
    }
}

fn args(values: &[Value]) -> Args {
    let mut args = Args::default();
    values.iter().for_each(|value| args.push(value).expect("plain data"));
    args
}

#[tokio::test]
async fn the_socket_id_is_public_and_the_session_id_is_not() {
    let mut desk = Desk::usual().await;
    let sid = open_polling(desk.address, PATH).await;
    let target = format!("{PATH}?EIO=4&transport=polling&sid={sid}");
    assert_eq!(post(desk.address, &target, "40/chat,").await.status, 200);
    let sender = desk.sender().await;
    let connected = get(desk.address, &target).await.text();
    assert!(connected.contains(sender.id()));
    assert!(!connected.contains(&sid) && !sid.contains(sender.id()) && !sender.id().contains(&sid));
}

#[tokio::test]
async fn a_refusal_carries_message_and_data() {
    let mut desk = Desk::usual().await;
    let mut client = open_websocket(desk.address, PATH).await;
    client.text(r#"40/admin,{"token":"x"}"#).await;
    assert_eq!(
        client.message().await,
        r#"44/admin,{"message":"Token manquant","data":{"auth":{"token":"x"},"code":"UNAUTHENTICATED"}}"#
    );
    client.text("40/chat,").await;
    desk.sender().await;
    assert!(client.message().await.starts_with("40/chat,"));
    client.text(r#"42/admin,["into","a","namespace","that","refused"]"#).await;
    client.closed().await;
}

#[tokio::test]
async fn an_acknowledgement_that_the_server_asks_for_comes_back() {
    let mut desk = Desk::usual().await;
    let (mut client, sender) = desk.chat().await;
    let first = sender.emit_with_ack("question", &args(&[json!(1)]), PATIENCE);
    let second = sender.emit_with_ack("question", &args(&[json!(2)]), PATIENCE);
    assert_eq!(client.message().await, r#"42/chat,0["question",1]"#);
    assert_eq!(client.message().await, r#"42/chat,1["question",2]"#);
    client.text(r#"43/chat,1["second"]"#).await;
    client.text(r#"461-/chat,0["first",{"_placeholder":true,"num":0}]"#).await;
    client.binary(&[7]).await;
    let (first, second) = (first.await.expect("acknowledged"), second.await.expect("acknowledged"));
    assert_eq!((first.raw(0), first.attachments()), (Some("\"first\""), &[bytes::Bytes::from_static(&[7])][..]));
    assert_eq!((second.len(), second.raw(0)), (1, Some("\"second\"")));
}

#[tokio::test]
async fn an_acknowledgement_that_does_not_come_is_given_up() {
    let mut desk = Desk::usual().await;
    let (mut client, sender) = desk.chat().await;
    let late = sender.emit_with_ack("question", &args(&[]), Duration::from_millis(50)).await;
    assert_eq!(late, Err(AckError::Timeout));
    assert_eq!(client.message().await, r#"42/chat,0["question"]"#);
    // Too late, or never asked for: both are ignored.
    client.text("43/chat,0[]").await;
    client.text("43/chat,99[]").await;
    let cut = sender.emit_with_ack("question", &args(&[]), PATIENCE);
    assert_eq!(client.message().await, r#"42/chat,1["question"]"#);
    drop(client);
    let began = Instant::now();
    assert_eq!(cut.await, Err(AckError::Closed));
    assert!(began.elapsed() < PATIENCE / 2, "waited for a client that is gone");
    let after = sender.emit_with_ack("question", &args(&[]), PATIENCE).await;
    assert_eq!(after, Err(AckError::Closed));
}

#[tokio::test]
async fn binary_arrives_where_its_placeholder_stands() {
    #[derive(serde::Deserialize)]
    struct Upload {
        name: String,
        data: Placeholder,
    }
    let mut desk = Desk::usual().await;
    let (mut client, sender) = desk.chat().await;
    client.text(r#"452-/chat,9["upload",{"name":"b","data":{"num":1,"_placeholder":true}},"x",{"_placeholder":true,"num":0}]"#).await;
    client.binary(b"zero").await;
    client.binary(b"one").await;
    let Received::Event { name, args, ack, .. } = desk.next().await else { panic!("no event") };
    let upload: Upload = args.parse(0).expect("an upload");
    assert_eq!((name.as_str(), args.len(), upload.name.as_str()), ("upload", 3, "b"));
    assert_eq!(args.attachment(&upload.data).expect("there"), "one");
    assert_eq!(args.attachment(&args.parse(2).expect("a placeholder")).expect("there"), "zero");
    assert!(args.parse::<Placeholder>(1).is_err());
    let mut answer = Args::default();
    answer.push(&json!({ "success": true })).expect("plain data");
    answer.push_binary(bytes::Bytes::from_static(b"two"));
    sender.ack_args(ack.expect("an ack is wanted"), &answer).expect("open");
    assert_eq!(client.message().await, r#"461-/chat,9[{"success":true},{"_placeholder":true,"num":0}]"#);
    assert_eq!(client.data().await, Frame::Binary(b"two".to_vec()));
}

#[tokio::test]
async fn a_header_and_its_attachments_leave_as_one_unit() {
    let mut desk = Desk::usual().await;
    let (mut client, sender) = desk.chat().await;
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let sender = sender.clone();
            tokio::spawn(async move {
                for _ in 0..50 {
                    let mut args = Args::default();
                    args.push_binary(bytes::Bytes::from(vec![number]));
                    args.push_binary(bytes::Bytes::from(vec![number, number]));
                    sender.emit_args("b", &args).expect("open");
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for _ in 0..400 {
        assert!(client.message().await.starts_with("452-/chat,"));
        let Frame::Binary(first) = client.next().await else { panic!("text between a header and its binary") };
        assert_eq!(client.next().await, Frame::Binary(vec![first[0], first[0]]));
    }
    for task in tasks {
        task.await.expect("sent");
    }
}

#[tokio::test]
async fn a_packet_is_encoded_once_for_all() {
    let mut desk = Desk::usual().await;
    let packet = Encoded::event("/chat", "message:new", &json!({ "text": "é\u{2028}" }));
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(desk.chat().await);
    }
    for (client, sender) in &mut clients {
        sender.send(&packet).expect("open");
        assert_eq!(client.message().await, "42/chat,[\"message:new\",{\"text\":\"é\u{2028}\"}]");
    }
}

#[tokio::test]
async fn a_client_that_was_put_out_is_told_and_no_longer_heard() {
    let mut desk = Desk::usual().await;
    let (mut client, sender) = desk.chat().await;
    client.text("40").await;
    let main = desk.sender().await;
    assert!(client.message().await.starts_with("40{"));
    sender.disconnect();
    sender.disconnect();
    assert!(sender.is_closed() && sender.emit("late", &1).is_err());
    assert_eq!(client.message().await, "41/chat,");
    client.text(r#"42/chat,["under way"]"#).await;
    client.text(r#"42["heard"]"#).await;
    assert!(matches!(desk.next().await, Received::Event { name, .. } if name == "heard"));
    assert!(!main.is_closed());
    client.text("40/chat,").await;
    assert_ne!(desk.sender().await.id(), sender.id());
    assert!(client.message().await.starts_with("40/chat,{"));
}

#[tokio::test]
async fn a_client_that_leaves_is_told_about_once() {
    let mut desk = Desk::usual().await;
    let (mut client, sender) = desk.chat().await;
    client.text("41/chat,").await;
    assert!(matches!(desk.next().await, Received::Disconnect { namespace } if &*namespace == "/chat"));
    assert!(sender.is_closed());
    client.text("41/chat,").await;
    client.closed().await;
    desk.ended().await;
}

#[tokio::test]
async fn a_connection_that_left_its_last_namespace_ends() {
    let settings = connection::Settings { connect_timeout: Duration::from_secs(3), ..Default::default() };
    let mut desk = Desk::open(settings).await;
    let (mut client, sender) = desk.chat().await;
    client.silent(Duration::from_secs(4)).await;
    sender.disconnect();
    assert_eq!(client.message().await, "41/chat,");
    client.closed().await;
    desk.ended().await;
    let (mut client, _sender) = desk.chat().await;
    client.text("41/chat,").await;
    assert_eq!(client.closed().await, Some(1002));
    desk.ended().await;
    // A polling client that was put out by somebody else than its connection's holder, and asks for nothing more.
    let sid = open_polling(desk.address, PATH).await;
    let target = format!("{PATH}?EIO=4&transport=polling&sid={sid}");
    assert_eq!(post(desk.address, &target, "40/chat,").await.status, 200);
    let sender = desk.sender().await;
    assert!(get(desk.address, &target).await.text().starts_with("40/chat,"));
    // The connection's holder sleeps by now, and nothing of the client's wakes it.
    tokio::time::sleep(Duration::from_millis(50)).await;
    sender.disconnect();
    desk.ended().await;
    assert_eq!(get(desk.address, &target).await.code(), 1);
}

#[tokio::test]
async fn attachments_that_do_not_come_end_the_connection() {
    let settings = connection::Settings { assembly_timeout: Duration::from_millis(200), ..Default::default() };
    let mut desk = Desk::open(settings).await;
    let (mut client, _sender) = desk.chat().await;
    client.text(r#"452-/chat,["x"]"#).await;
    client.binary(&[1]).await;
    client.closed().await;
    desk.ended().await;
}

#[tokio::test]
async fn ten_attachments_are_taken_and_eleven_are_not() {
    let mut desk = Desk::usual().await;
    for (count, taken) in [(10, true), (11, false)] {
        let (mut client, _sender) = desk.chat().await;
        client.text(&format!(r#"45{count}-/chat,["x"]"#)).await;
        for _ in 0..count {
            client.binary(&[1]).await;
        }
        match taken {
            true => {
                let Received::Event { args, .. } = desk.next().await else { panic!("no event") };
                assert_eq!(args.attachments().len(), 10);
            }
            false => {
                client.closed().await;
                assert!(desk.received.try_recv().is_err());
            }
        }
    }
}

#[tokio::test]
async fn closing_a_connection_lets_what_is_queued_leave() {
    let mut desk = Desk::usual().await;
    let (mut client, sender) = desk.chat().await;
    sender.emit("auth:expired", &json!({ "reason": "revoked" })).expect("open");
    sender.disconnect();
    sender.close();
    assert_eq!(client.message().await, r#"42/chat,["auth:expired",{"reason":"revoked"}]"#);
    assert_eq!(client.message().await, "41/chat,");
    assert_eq!(client.closed().await, Some(1000));
    desk.ended().await;
}

#[tokio::test]
async fn names_of_every_kind_are_events() {
    let mut desk = Desk::usual().await;
    let (mut client, _sender) = desk.chat().await;
    for (json, expected) in
        [("\"\"", ""), ("\"error\"", "error"), ("\"__proto__\"", "__proto__"), ("7", "7"), (r#""\u00e9""#, "é")]
    {
        client.text(&format!("42/chat,[{json}]")).await;
        let Received::Event { name, args, ack, .. } = desk.next().await else { panic!("no event") };
        assert_eq!((name.as_str(), args.is_empty(), ack), (expected, true, None));
    }
}
