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
    let outsider = server.socket_of("juriste2").await;
    let foreign = outsider.refused("message:read", json!({"messageId": id}), "NOT_FOUND").await;
    let missing = outsider.refused("message:read", json!({"messageId": 77_777}), "NOT_FOUND").await;
    assert_eq!(foreign, missing);
    pair.left.expect_silence("message:read:ack").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn marking_as_unread_is_told_to_ones_own_sockets_and_undone_by_reading() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let id = pair.conversation;
    let (first, second) = (pair.say("un").await["id"].clone(), pair.say("deux").await["id"].clone());
    pair.right.done("message:read", json!({"messageId": second})).await;
    pair.left.expect_event("message:read:ack").await;
    for socket in [&mut pair.left, &mut pair.right] {
        while socket.expect_event("conversation:updated").await["conversation"]["unreadCountLawyer"] != 0 {}
    }
    let mut phone = server.socket(&pair.jurist).await;

    let ask = json!({"conversationId": id, "messageId": second});
    let shown = pair.right.done("conversation:unread", ask).await["conversation"].clone();
    assert_eq!((&shown["lastReadMessageId"], &shown["unreadCount"]), (&first, &json!(1)));
    for own in [&mut pair.right, &mut phone] {
        let told = own.expect_event("conversation:updated").await;
        assert_eq!(told["conversation"]["unreadCount"], 1);
    }
    let seen = server.request(&pair.client, "GET", &format!("/conversations/{id}"), None).await.expect(200).json();
    assert_eq!((&seen["peerLastReadMessageId"], &seen["unreadCountLawyer"]), (&second, &json!(0)));
    let message = server.request(&pair.client, "GET", &format!("/messages/{second}"), None).await.expect(200).json();
    assert_eq!(message["isRead"], true);

    let path = format!("/conversations/{id}/mark-as-unread");
    let all = server.request(&pair.jurist, "POST", &path, Some(&json!({"messageId": first}))).await.expect(200).json();
    assert_eq!((&all["lastReadMessageId"], &all["unreadCount"]), (&json!(null), &json!(2)));
    for wrong in [json!({}), json!({"messageId": 0}), json!({"messageId": "1"})] {
        let refused = server.request(&pair.jurist, "POST", &path, Some(&wrong)).await.expect(400).json();
        assert_eq!(refused["details"][0]["field"], "messageId", "{wrong}");
    }
    server.request(&pair.jurist, "POST", &path, Some(&json!({"messageId": 77_777}))).await.expect(404);

    let reply = pair.right.done("message:read", json!({"messageId": second})).await;
    assert_eq!(reply, json!({"success": true, "lastReadMessageId": second, "unreadCount": 0}));
    while phone.expect_event("conversation:updated").await["conversation"]["unreadCount"] != 0 {}
    phone.expect_silence("message:read:ack").await;
    phone.expect_silence("notification").await;
    pair.left.expect_silence("message:read:ack").await;
    pair.left.expect_silence("conversation:updated").await;
}
