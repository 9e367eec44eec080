//! Read marks: how far, told to whom, never backwards.

use serde_json::json;

use crate::harness::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn reading_a_message_reads_all_before_it_and_both_are_told() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    pair.say("un").await;
    let second = pair.say("deux").await["id"].clone();
    pair.say("trois").await;
    let reply = pair.right.done("message:read", json!({"messageId": second})).await;
    assert_eq!(reply, json!({"success": true, "lastReadMessageId": second, "unreadCount": 1}));
    for socket in [&mut pair.left, &mut pair.right] {
        let told = socket.expect_event("message:read:ack").await;
        assert_eq!((&told["messageId"], &told["conversationId"], &told["readBy"]), (&second, &json!(1), &json!(6)));
    }
    let page = pair.left.done("conversation:history", json!({"conversationId": 1})).await;
    let is_read: Vec<bool> =
        page["messages"].as_array().unwrap().iter().map(|message| message["isRead"].as_bool().unwrap()).collect();
    assert_eq!(is_read, [true, true, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_mark_never_moves_backwards() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let first = pair.say("un").await["id"].clone();
    let second = pair.say("deux").await["id"].clone();
    pair.right.done("message:read", json!({"messageId": second})).await;
    pair.left.expect_event("message:read:ack").await;
    let reply = pair.right.done("message:read", json!({"messageId": first})).await;
    assert_eq!((&reply["lastReadMessageId"], &reply["unreadCount"]), (&second, &json!(0)));
    pair.left.expect_silence("message:read:ack").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outsider_cannot_read() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let id = pair.say("un").await["id"].clone();
    let mut outsider = server.socket_of("juriste2").await;
    let foreign = outsider.refused("message:read", json!({"messageId": id}), "NOT_FOUND").await;
    let missing = outsider.refused("message:read", json!({"messageId": 77_777}), "NOT_FOUND").await;
    assert_eq!(foreign, missing);
    pair.left.expect_silence("message:read:ack").await;
}
