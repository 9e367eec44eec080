//! What is told to who has not joined.

use serde_json::json;

use crate::harness::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_goes_to_the_recipients_sockets_that_have_not_joined() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let mut elsewhere = server.socket(&pair.jurist).await;
    let mut own = server.socket(&pair.client).await;
    let message = pair.say("Bonjour Maître").await;
    let told = elsewhere.expect_event("notification").await;
    let sender = server.request(&pair.client, "GET", "/users/me", None).await.expect(200).json();
    assert_eq!(
        told,
        json!({
            "type": "message", "conversationId": 1, "messageId": message["id"], "senderId": 1,
            "senderName": sender["name"], "preview": "Bonjour Maître", "unreadCount": 1,
            "timestamp": told["timestamp"],
        })
    );
    elsewhere.expect_silence("message:new").await;
    pair.right.expect_silence("notification").await;
    own.expect_silence("notification").await;
    pair.left.expect_silence("notification").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_senders_other_devices_see_the_conversation_move() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let mut own_other_device = server.socket(&pair.client).await;
    pair.say("Bonjour").await;
    let told = own_other_device.expect_event("conversation:updated").await;
    let conversation = &told["conversation"];
    assert_eq!((&conversation["lastMessageText"], &conversation["unreadCount"]), (&json!("Bonjour"), &json!(0)));
    own_other_device.expect_silence("message:new").await;
    own_other_device.expect_silence("notification").await;
}
