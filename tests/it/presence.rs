//! Who is there: once per change, over many devices, told to those who share a conversation.

use serde_json::json;

use crate::harness::server::Server;
use crate::support::people;

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_presence_is_told_once_however_many_devices() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let second = server.socket(&pair.jurist).await;
    pair.left.done("conversation:users:online", json!({"conversationId": 1})).await;
    pair.left.expect_silence("user:online").await;
    pair.right.leave().await;
    // The second device is still there; its own leaving is the only one told.
    second.leave().await;
    let told = pair.left.expect_event("user:offline").await;
    assert_eq!(told["userId"], 6);
    let third = server.socket(&pair.jurist).await;
    assert_eq!(pair.left.expect_event("user:online").await["userId"], 6);
    pair.left.expect_silence("user:offline").await;
    third.leave().await;
    pair.left.expect_event("user:offline").await;
    pair.left.expect_silence("user:online").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_is_told_only_to_those_who_share_a_conversation() {
    let server = Server::start().await;
    let mut stranger = server.socket_of("client2").await;
    let mut colleague = server.socket_of("juriste2").await;
    let mut admin = server.socket_of("admin").await;
    let mut pair = server.pair().await;
    pair.right.leave().await;
    pair.left.expect_event("user:offline").await;
    for socket in [&mut stranger, &mut colleague, &mut admin] {
        socket.expect_silence("user:online").await;
        socket.expect_silence("user:offline").await;
    }
    pair.left.expect_silence("user:online").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_connection_counts_as_leaving() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    drop(pair.right);
    assert_eq!(pair.left.expect_event("user:offline").await["userId"], 6);
    let conversation = server.request(&pair.client, "GET", "/conversations/1", None).await.expect(200).json();
    assert_eq!(conversation["lawyer"]["isOnline"], false);
    assert!(conversation["lawyer"]["lastSeenAt"].is_string(), "{conversation}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_contact_is_told_from_then_on() {
    let server = Server::start().await;
    let (client, jurist) = (server.sign_in("client2").await, server.sign_in("juriste2").await);
    let mut left = server.socket(&client).await;
    let right = server.socket(&jurist).await;
    left.expect_silence("user:online").await;
    people::conversation(server.at, &client, &jurist).await;
    let told = left.expect_event("conversation:new").await;
    assert_eq!(told["conversation"]["lawyer"]["isOnline"], true);
    right.leave().await;
    assert_eq!(left.expect_event("user:offline").await["userId"], 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_seen_there_is_told_to_have_left_however_short_the_visit() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let bystander = server.socket_of("client2").await;
    pair.right.leave().await;
    pair.left.expect_event("user:offline").await;
    // That the bystander was last seen cannot be noted, so what comes after it cannot be told yet.
    let held = server.held_writer();
    bystander.leave().await;
    let right = server.socket(&pair.jurist).await;
    let seen = pair.left.done("conversation:users:online", json!({"conversationId": 1})).await;
    assert_eq!(seen["onlineUsers"], json!([1, 6]));
    right.leave().await;
    drop(held);
    assert_eq!(pair.left.expect_event("user:offline").await["userId"], 6);
}
