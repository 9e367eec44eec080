//! What one message costs between the wire and the rules: reading the client's event, writing ours.
#![allow(missing_docs)]

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lexchat::engineio::packet::{Frame, Packet, Text, Unit};
use lexchat::engineio::payload;
use lexchat::model::id::{ConversationId, MessageId, UserId};
use lexchat::model::message::Message;
use lexchat::model::timestamp::Timestamp;
use lexchat::socketio;
use lexchat::socketio::encoded::Encoded;
use serde::Serialize;

/// As a browser sends it: 120 bytes of text and a UUID.
const SEND: &str = r#"42/chat,17["message:send",{"conversationId":3,"content":"Bonjour maître, le préavis de résiliation du bail a été reçu lundi; je joins la quittance et le courrier du propriétaire.","clientMessageId":"1f0c1c2e-6d0d-4f5b-9a55-0d3c3b1f9e11"}]"#;

#[derive(Serialize)]
struct MessageNew<'a> {
    message: &'a Message,
    timestamp: Timestamp,
}

fn message() -> Message {
    let content =
        "Bonjour maître, le préavis de résiliation du bail a été reçu lundi; je joins la quittance et le courrier.";
    let (id, conversation_id) = (MessageId::new(123_456), ConversationId::new(3));
    let sent = Message::sent(
        id.expect("it is positive"),
        conversation_id.expect("it is positive"),
        UserId::new(1).expect("it is positive"),
        4_711,
        content.to_owned(),
        Timestamp::now(),
    );
    Message { client_message_id: Some("1f0c1c2e-6d0d-4f5b-9a55-0d3c3b1f9e11".to_owned()), ..sent }
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    let text = Text::from(SEND);
    group.throughput(Throughput::Bytes(SEND.len() as u64));
    group.bench_function("engine.io packet", |b| b.iter(|| Packet::decode(black_box(&text))));
    let inner = Text::from(&SEND[1..]);
    group.bench_function("socket.io event", |b| b.iter(|| socketio::packet::Packet::decode(black_box(&inner))));
    let body = Text::from(vec![SEND; 50].join("\u{1e}"));
    group.throughput(Throughput::Bytes(body.as_str().len() as u64));
    group.bench_function("polling body of 50 events", |b| b.iter(|| payload::decode(black_box(&body))));
    group.finish();
}

fn encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("encode");
    let (message, timestamp) = (message(), Timestamp::now());
    group.bench_function("message:new", |b| {
        b.iter(|| Encoded::event("/chat", "message:new", &MessageNew { message: black_box(&message), timestamp }))
    });
    let frames: Vec<Frame> = (0..50).flat_map(|_| Unit::text(&SEND[1..]).frames().collect::<Vec<_>>()).collect();
    group.bench_function("polling body of 50 events", |b| b.iter(|| payload::encode(black_box(&frames))));
    let binary = [Frame::Binary(Bytes::from(vec![7; 100_000]))];
    group.throughput(Throughput::Bytes(100_000));
    group.bench_function("polling body of 100 kB binary", |b| b.iter(|| payload::encode(black_box(&binary))));
    group.finish();
}

criterion_group!(benches, decode, encode);
criterion_main!(benches);
