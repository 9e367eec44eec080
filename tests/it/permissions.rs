//! Every event of the catalogue over a real socket: what it is acknowledged with, what is announced, and that nobody else
//! hears of it. Who may send which event is the table of `security/authorisation.rs`.

use std::collections::{BTreeMap, BTreeSet};

use lexchat::chat::contract::catalogue::{ANNOUNCED, ASKED, Announced, Asked};
use serde_json::{Value, json};

use crate::harness::server::Server;
use crate::support::socket::{Socket, TokenIn};

/// The data of an event that is right for whoever sent `message` and may be in `call`.
fn data(event: &str, message: &Value, call: &Value, token: &str) -> Value {
    let mut data = json!({
        "messageId": message["id"], "content": "autre chose", "emoji": "👍", "isTyping": true, "query": "mot", "rev": 0,
        "token": token, "visible": true, "callId": call, "media": "audio", "seat": "a", "toSeat": "b", "data": {},
        "consent": false,
    });
    if event != "message:search" {
        data["conversationId"] = json!(1);
    }
    data
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_acknowledged_and_announced_with_the_fields_of_the_catalogue() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let mut outside = BTreeMap::new();
    for who in ["client2", "juriste2", "admin"] {
        outside.insert(who, server.socket_of(who).await);
    }
    // Leaving comes last: whoever has left hears nothing more.
    let (last, first): (Vec<&Asked>, Vec<&Asked>) = ASKED.iter().partition(|event| event.name == "conversation:leave");
    let mut heard = BTreeSet::new();
    let mut call = Value::Null;
    for event in first.into_iter().chain(last) {
        let message = pair.say("un mot").await;
        if event.name == "call:decline" {
            // One declines what the other has begun.
            pair.right.done("call:end", json!({"callId": call})).await;
            call = pair.right.done("call:start", json!({"conversationId": 1, "media": "audio"})).await["call"]["id"]
                .clone();
        }
        let reply = pair.left.done(event.name, data(event.name, &message, &call, &pair.client.token)).await;
        if event.name == "call:start" {
            call = reply["call"]["id"].clone();
        }
        let named: BTreeSet<&str> = event.ack.iter().copied().chain(["success"]).collect();
        assert_eq!(fields_of(&reply), named, "the catalogue's ack of {}", event.name);
        // What was announced before has arrived once a question behind it is answered.
        pair.right.done("conversation:users:online", json!({"conversationId": 1})).await;
        for event in pair.left.drain().into_iter().chain(pair.right.drain()) {
            let announced = Announced::find(&event.name).expect("an event of the catalogue");
            let named: BTreeSet<&str> = announced.fields().collect();
            assert_eq!(fields_of(&event.data), named, "the catalogue's data of {}", event.name);
            heard.insert(announced.name);
        }
    }
    for event in ["message:edited", "message:deleted", "message:reaction", "user:typing", "conversation:updated"] {
        assert!(heard.contains(event), "{event} was announced");
    }
    for socket in outside.values_mut() {
        for event in ANNOUNCED.iter().filter(|event| !event.name.starts_with("user:o")) {
            socket.expect_silence(event.name).await;
        }
    }
}

fn fields_of(data: &Value) -> BTreeSet<&str> {
    data.as_object().expect("an object").keys().map(String::as_str).collect()
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
    for event in ASKED {
        let mut socket = Socket::shake_hands(server.at, &token, TokenIn::Query).await;
        socket.write(format!("42/chat,0{}", json!([event.name, {"conversationId": 1}]))).await;
        socket.expect_close().await;
    }
}

async fn refused(server: &Server, token: &str) {
    let mut socket = Socket::shake_hands(server.at, token, TokenIn::Query).await;
    let refusal = socket.join_namespace("/chat", Some(token), TokenIn::Query).await.expect_err("a refusal");
    assert_eq!(refusal["data"]["code"], "UNAUTHENTICATED", "{refusal}");
}
