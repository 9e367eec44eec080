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
async fn both_members_see_the_conversation_move_on_every_socket() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let mut own_other_device = server.socket(&pair.client).await;
    let mut peers_other_device = server.socket(&pair.jurist).await;
    pair.say("Bonjour").await;
    for (socket, unread) in
        [(&mut pair.left, 0), (&mut own_other_device, 0), (&mut pair.right, 1), (&mut peers_other_device, 1)]
    {
        let told = socket.expect_event("conversation:updated").await;
        let conversation = &told["conversation"];
        let seen = (&conversation["lastMessageText"], &conversation["unreadCount"]);
        assert_eq!(seen, (&json!("Bonjour"), &json!(unread)));
    }
    own_other_device.expect_silence("message:new").await;
    own_other_device.expect_silence("notification").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_messages_at_once_end_with_the_last_state_of_the_conversation() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    for number in 1..=20 {
        let data = json!({ "conversationId": pair.conversation, "content": format!("n° {number}") });
        pair.left.emit("message:send", data).await;
    }
    loop {
        let told = pair.right.expect_event("conversation:updated").await;
        if told["conversation"]["rev"] == json!(20) {
            assert_eq!(told["conversation"]["unreadCount"], json!(20));
            break;
        }
    }
    pair.right.expect_silence("conversation:updated").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_a_conversation_is_told_to_sockets_that_have_not_joined() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let mut elsewhere = server.socket(&pair.jurist).await;
    let first = pair.say("le premier").await["id"].clone();
    pair.say("le dernier").await;
    for (rev, event, data) in [
        (3, "message:edit", json!({ "messageId": first, "content": "corrigé" })),
        (4, "message:react", json!({ "messageId": first, "emoji": "👍" })),
        (5, "message:delete", json!({ "messageId": first })),
    ] {
        pair.left.done(event, data).await;
        while elsewhere.expect_event("conversation:updated").await["conversation"]["rev"] != json!(rev) {}
    }
    let name = json!({ "name": "Camille Moreau-Petit" });
    server.request(&pair.client, "PATCH", "/users/me", Some(&name)).await.expect(200);
    let told = elsewhere.expect_event("conversation:updated").await;
    assert_eq!(told["conversation"]["client"]["name"], name["name"]);
}
