//! Who may send which event: every event × everybody. An event without a row fails, and so does a row without an event.

use std::collections::BTreeMap;

use lexchat::gateway::request::EVENTS;
use serde_json::{Value, json};

use crate::harness::server::Server;
use crate::harness::socket::{Socket, TokenIn};

/// What an event answers to the author of message 1, to the other member, and to everybody outside.
struct Row {
    event: &'static str,
    data: Value,
    author: &'static str,
    other_member: &'static str,
    outside: &'static str,
}

/// The rows, in an order in which none spoils the next. `ok` stands for `success: true`.
fn rows() -> Vec<Row> {
    let row = |event, data, author, other_member, outside| Row { event, data, author, other_member, outside };
    let conversation = json!({"conversationId": 1});
    vec![
        row("conversation:join", conversation.clone(), "ok", "ok", "NOT_FOUND"),
        row("conversation:users:online", conversation.clone(), "ok", "ok", "NOT_FOUND"),
        row("conversation:history", conversation.clone(), "ok", "ok", "NOT_FOUND"),
        row("conversation:sync", json!({"conversationId": 1, "rev": 0}), "ok", "ok", "NOT_FOUND"),
        row("message:send", json!({"conversationId": 1, "content": "x"}), "ok", "ok", "NOT_FOUND"),
        row("message:read", json!({"messageId": 1}), "ok", "ok", "NOT_FOUND"),
        row("message:react", json!({"messageId": 1, "emoji": "👍"}), "ok", "ok", "NOT_FOUND"),
        row("message:typing", json!({"conversationId": 1, "isTyping": true}), "ok", "ok", "NOT_FOUND"),
        row("message:search", json!({"query": "x", "conversationId": 1}), "ok", "ok", "NOT_FOUND"),
        row("message:edit", json!({"messageId": 1, "content": "y"}), "ok", "FORBIDDEN", "NOT_FOUND"),
        row("message:delete", json!({"messageId": 1}), "ok", "FORBIDDEN", "NOT_FOUND"),
        row("conversation:leave", conversation, "ok", "ok", "NOT_FOUND"),
        row("auth:refresh", json!({"token": "garbage"}), "UNAUTHENTICATED", "UNAUTHENTICATED", "UNAUTHENTICATED"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_answers_everybody_as_the_table_says() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    pair.say("le premier").await;
    let mut outside = BTreeMap::new();
    for who in ["client2", "juriste2", "admin"] {
        outside.insert(who, server.socket_of(who).await);
    }
    for row in rows() {
        // Those who may do least go first: a refusal changes nothing for who comes next.
        for (who, socket) in &mut outside {
            expect(socket, &row, row.outside, who).await;
        }
        expect(&mut pair.right, &row, row.other_member, "juriste1").await;
        expect(&mut pair.left, &row, row.author, "client1").await;
    }
    for socket in outside.values_mut() {
        for event in ["message:new", "message:edited", "message:deleted", "message:reaction", "message:read:ack"] {
            socket.expect_silence(event).await;
        }
        socket.expect_silence("user:typing").await;
        socket.expect_silence("notification").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ended_and_the_disabled_are_not_answered_at_all() {
    let server = Server::start().await;
    let pair = server.pair().await;
    let gone = server.sign_in("client1").await;
    let mut socket = server.socket(&gone).await;
    server.request(&gone, "POST", "/auth/sign-out", None).await.expect(204);
    socket.expect_close().await;
    refused(&server, &gone.token).await;
    let admin = server.sign_in("admin").await;
    server.request(&admin, "PATCH", "/admin/users/6", Some(&json!({"isActive": false}))).await.expect(200);
    refused(&server, &pair.jurist.token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_connected_to_the_namespace_is_closed_for_any_event() {
    let server = Server::start().await;
    let token = server.sign_in("client1").await.token;
    for event in EVENTS {
        let mut socket = Socket::open(server.at, &token, TokenIn::Query).await;
        socket.write(format!("42/chat,0{}", json!([event, {"conversationId": 1}]))).await;
        socket.expect_close().await;
    }
}

#[test]
fn the_table_has_every_event_and_no_other() {
    let mut named: Vec<&str> = rows().iter().map(|row| row.event).collect();
    let mut there = EVENTS.to_vec();
    named.sort_unstable();
    there.sort_unstable();
    assert_eq!(named, there);
}

async fn expect(socket: &mut Socket, row: &Row, expected: &str, who: &str) {
    let reply = socket.ask(row.event, row.data.clone()).await;
    let answered = if reply["success"] == true { "ok" } else { reply["code"].as_str().unwrap_or("no code") };
    assert_eq!(answered, expected, "{who} {}: {reply}", row.event);
}

async fn refused(server: &Server, token: &str) {
    let mut socket = Socket::open(server.at, token, TokenIn::Query).await;
    let refusal = socket.join_namespace("/chat", Some(token), TokenIn::Query).await.expect_err("a refusal");
    assert_eq!(refusal["data"]["code"], "UNAUTHENTICATED", "{refusal}");
}
