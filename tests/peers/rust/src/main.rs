//! `rust_socketio` against the echo server. usage: protocol-peer http://127.0.0.1:PORT
//!
//! Each transport says and hears events with text and binary, acknowledges and is acknowledged, in both namespaces.

use std::time::Duration;

use futures_util::FutureExt;
use rust_socketio::asynchronous::{Client, ClientBuilder};
use rust_socketio::{Payload, TransportType};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const PATIENCE: Duration = Duration::from_secs(40);

type Heard = UnboundedReceiver<(&'static str, Payload)>;

#[tokio::main]
async fn main() {
    let address = std::env::args().nth(1).expect("the server's address");
    let transports = [
        ("polling", TransportType::Polling),
        ("websocket", TransportType::Websocket),
        ("upgrade", TransportType::WebsocketUpgrade),
        ("any", TransportType::Any),
    ];
    for (name, transport) in transports {
        for namespace in ["/", "/custom"] {
            converse(&address, namespace, transport.clone()).await;
            println!("ok rust_socketio {name} {namespace}");
        }
    }
}

async fn converse(address: &str, namespace: &str, transport: TransportType) {
    let (client, mut heard) = connect(address, namespace, transport).await;
    let (event, payload) = next(&mut heard).await;
    assert_eq!((event, texts(payload)), ("auth", vec![json!({ "token": "abc" })]));

    client.emit("message", json!({ "text": "héllo €", "list": [1, null, true] })).await.expect("emitted");
    let (event, payload) = next(&mut heard).await;
    assert_eq!((event, texts(payload)), ("message-back", vec![json!({ "text": "héllo €", "list": [1, null, true] })]));

    client.emit("message", Payload::Binary(vec![0, 1, 254, 255].into())).await.expect("emitted");
    match next(&mut heard).await {
        ("message-back", Payload::Binary(data)) => assert_eq!(&data[..], [0, 1, 254, 255]),
        other => panic!("{other:?}"),
    }

    let (acknowledged, mut acks) = unbounded_channel();
    let ack = move |payload: Payload, _: Client| {
        let _ = acknowledged.send(payload);
        async {}.boxed()
    };
    client.emit_with_ack("message-with-ack", json!({ "n": 1 }), PATIENCE, ack).await.expect("emitted");
    let ack = tokio::time::timeout(PATIENCE, acks.recv()).await.expect("an ack in time").expect("an ack");
    assert!(texts(ack).iter().any(|value| value.to_string().contains(r#"{"n":1}"#)));

    for number in 0..200 {
        client.emit("message", json!(number)).await.expect("emitted");
    }
    for number in 0..200 {
        let (_, payload) = next(&mut heard).await;
        assert_eq!(texts(payload), [json!(number)]);
    }
    client.disconnect().await.expect("disconnected");
}

async fn connect(address: &str, namespace: &str, transport: TransportType) -> (Client, Heard) {
    let (heard, events) = unbounded_channel();
    let listen = |event: &'static str| {
        let heard = heard.clone();
        move |payload: Payload, _: Client| {
            let _ = heard.send((event, payload));
            async {}.boxed()
        }
    };
    let client = ClientBuilder::new(address)
        .namespace(namespace)
        .transport_type(transport)
        .auth(json!({ "token": "abc" }))
        .on("auth", listen("auth"))
        .on("message-back", listen("message-back"))
        .connect()
        .await
        .expect("connected");
    (client, events)
}

async fn next(heard: &mut Heard) -> (&'static str, Payload) {
    tokio::time::timeout(PATIENCE, heard.recv()).await.expect("an event in time").expect("an event")
}

fn texts(payload: Payload) -> Vec<Value> {
    match payload {
        Payload::Text(values) => values,
        other => panic!("{other:?}"),
    }
}
