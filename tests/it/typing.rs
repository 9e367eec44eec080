//! Who is writing.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::harness::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn typing_is_told_to_the_other_party_only() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let mut own_other_device = server.socket(&pair.jurist).await;
    own_other_device.done("conversation:join", json!({"conversationId": 1})).await;
    let reply = pair.right.done("message:typing", json!({"conversationId": 1, "isTyping": true})).await;
    assert_eq!(reply, json!({"success": true}));
    let told = pair.left.expect_event("user:typing").await;
    assert_eq!((&told["userId"], &told["conversationId"], &told["isTyping"]), (&json!(6), &json!(1), &json!(true)));
    pair.right.done("message:typing", json!({"conversationId": 1, "isTyping": false})).await;
    assert_eq!(pair.left.expect_event("user:typing").await["isTyping"], false);
    pair.right.expect_silence("user:typing").await;
    own_other_device.expect_silence("user:typing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_is_not_told_to_who_has_not_joined() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    pair.left.done("conversation:leave", json!({"conversationId": 1})).await;
    pair.right.done("message:typing", json!({"conversationId": 1, "isTyping": true})).await;
    pair.left.expect_silence("user:typing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_ends_by_itself_after_six_seconds() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let began = Instant::now();
    pair.right.done("message:typing", json!({"conversationId": 1, "isTyping": true})).await;
    assert_eq!(pair.left.expect_event("user:typing").await["isTyping"], true);
    assert_eq!(pair.left.expect_event("user:typing").await["isTyping"], false);
    let lasted = began.elapsed();
    assert!(lasted >= Duration::from_millis(5_900), "it ended after {lasted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_away_no_longer_writes() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    pair.right.done("message:typing", json!({"conversationId": 1, "isTyping": true})).await;
    assert_eq!(pair.left.expect_event("user:typing").await["isTyping"], true);
    pair.right.leave().await;
    assert_eq!(pair.left.expect_event("user:typing").await["isTyping"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outsider_cannot_type() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let outsider = server.socket_of("client2").await;
    outsider.refused("message:typing", json!({"conversationId": 1, "isTyping": true}), "NOT_FOUND").await;
    outsider.refused("message:typing", json!({"conversationId": 1}), "INVALID").await;
    pair.left.expect_silence("user:typing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_changes_of_who_writes_are_told() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    for _ in 0..50 {
        pair.right.done("message:typing", json!({"conversationId": 1, "isTyping": true})).await;
    }
    assert_eq!(pair.left.expect_event("user:typing").await["isTyping"], true);
    for _ in 0..50 {
        pair.right.done("message:typing", json!({"conversationId": 1, "isTyping": false})).await;
    }
    assert_eq!(pair.left.expect_event("user:typing").await["isTyping"], false);
    pair.left.expect_silence("user:typing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_ends_that_its_sender_writes() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    pair.right.done("message:typing", json!({"conversationId": 1, "isTyping": true})).await;
    assert_eq!(pair.left.expect_event("user:typing").await["isTyping"], true);
    pair.right.done("message:send", json!({"conversationId": 1, "content": "voilà"})).await;
    assert_eq!(pair.left.expect_event("user:typing").await["isTyping"], false);
    pair.left.expect_event("message:new").await;
    // Over HTTP just so, and of somebody who was not writing nothing is told.
    pair.right.done("message:typing", json!({"conversationId": 1, "isTyping": true})).await;
    assert_eq!(pair.left.expect_event("user:typing").await["isTyping"], true);
    for told in [true, false] {
        let message = json!({"conversationId": 1, "content": "encore"});
        server.request(&pair.jurist, "POST", "/messages", Some(&message)).await.expect(201);
        if told {
            assert_eq!(pair.left.expect_event("user:typing").await["isTyping"], false);
        }
    }
    pair.left.expect_silence("user:typing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn starts_and_stops_in_turn_from_several_sockets_come_out_of_one_budget() {
    let (rate, burst) = (20, 40);
    let server = Server::start_with(&["--event-rate", "20", "--event-burst", "40"]).await;
    let mut pair = server.pair().await;
    let began = Instant::now();
    let mut floods = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let socket = server.socket(&pair.client).await;
        floods.spawn(async move {
            for turn in 0.. {
                let is_typing = turn % 2 == 0;
                let typing = json!(["message:typing", {"conversationId": 1, "isTyping": is_typing}]);
                if socket.raw(&format!("42/chat,{typing}")).await.is_err() {
                    return;
                }
            }
        });
    }
    let mut told = 0;
    while told < 2 * burst {
        pair.right.expect_event("user:typing").await;
        told += 1;
    }
    let least = Duration::from_secs_f64(f64::from(told - burst) / f64::from(rate)) * 9 / 10;
    assert!(began.elapsed() >= least, "{told} told in {:?}", began.elapsed());
    pair.right.done("message:send", json!({"conversationId": 1, "content": "encore là"})).await;
}
