//! Joining, leaving, who is there, pages and catching up.

use serde_json::{Value, json};

use crate::harness::server::Server;
use crate::support::people;

#[tokio::test(flavor = "multi_thread")]
async fn joining_shows_the_conversation_and_its_latest_messages() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    for number in 0..51 {
        pair.say(&format!("message {number}")).await;
    }
    let mut second = server.socket(&pair.jurist).await;
    let joined = second.done("conversation:join", json!({"conversationId": pair.conversation})).await;
    assert_eq!(joined["message"], "Rejoint la conversation 1");
    assert_eq!(joined["conversation"]["id"], 1);
    assert_eq!(joined["conversation"]["unreadCount"], 51);
    assert_eq!(joined["conversation"]["client"]["isOnline"], true);
    assert_eq!(joined["hasMore"], true);
    assert_eq!(joined["onlineUsers"], json!([1, 6]));
    let contents = contents(&joined);
    assert_eq!((contents.len(), contents[0].as_str(), contents[49].as_str()), (50, "message 1", "message 50"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_and_what_is_not_ones_own_are_refused_alike() {
    let server = Server::start().await;
    let pair = server.pair().await;
    let mut outsider = server.socket_of("client2").await;
    let mut other_role = server.socket_of("juriste2").await;
    let mut admin = server.socket_of("admin").await;
    for socket in [&mut outsider, &mut other_role, &mut admin] {
        for event in [
            "conversation:join",
            "conversation:leave",
            "conversation:users:online",
            "conversation:history",
            "conversation:sync",
        ] {
            let data = |id: i64| json!({"conversationId": id, "rev": 0});
            let foreign = socket.refused(event, data(pair.conversation), "NOT_FOUND").await;
            let missing = socket.refused(event, data(4_711), "NOT_FOUND").await;
            assert_eq!(foreign, missing, "{event}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outsider_who_tried_to_join_hears_nothing() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let mut outsider = server.socket_of("client2").await;
    outsider.refused("conversation:join", json!({"conversationId": pair.conversation}), "NOT_FOUND").await;
    pair.say("entre nous").await;
    pair.left.done("message:typing", json!({"conversationId": pair.conversation, "isTyping": true})).await;
    for event in ["message:new", "notification", "user:typing", "user:online", "conversation:updated"] {
        outsider.expect_silence(event).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_is_only_notified() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let left = pair.right.done("conversation:leave", json!({"conversationId": pair.conversation})).await;
    assert_eq!(left, json!({"success": true, "message": "Quitté la conversation 1"}));
    pair.left.done("message:send", json!({"conversationId": pair.conversation, "content": "es-tu là ?"})).await;
    pair.right.expect_event("notification").await;
    pair.right.expect_silence("message:new").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn online_users_are_the_members_with_a_live_socket_once_each() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let second = server.socket(&pair.jurist).await;
    let ask = json!({"conversationId": pair.conversation});
    let online = pair.left.done("conversation:users:online", ask.clone()).await;
    assert_eq!(online, json!({"success": true, "onlineUsers": [1, 6]}));
    second.leave().await;
    pair.right.leave().await;
    pair.left.expect_event("user:offline").await;
    let online = pair.left.done("conversation:users:online", ask).await;
    assert_eq!(online["onlineUsers"], json!([1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_members_hear_of_a_new_conversation() {
    let server = Server::start().await;
    let (client, jurist) = (server.sign_in("client1").await, server.sign_in("juriste1").await);
    let (mut left, mut right) = (server.socket(&client).await, server.socket(&jurist).await);
    people::conversation(server.at, &client, &jurist).await;
    for (socket, own) in [(&mut left, 1), (&mut right, 6)] {
        let told = socket.expect_event("conversation:new").await;
        assert_eq!(told["conversation"]["id"], 1, "to {own}");
        assert_eq!(told["conversation"]["unreadCount"], 0);
    }
    people::conversation(server.at, &jurist, &client).await;
    left.expect_silence("conversation:new").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_paged_in_both_directions() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let mut ids = Vec::new();
    for number in 0..7 {
        ids.push(pair.say(&format!("{number}")).await["id"].as_i64().unwrap());
    }
    let id = pair.conversation;
    for (ask, expected, before, after) in [
        (json!({"conversationId": id, "limit": 2}), vec!["5", "6"], true, false),
        (json!({"conversationId": id, "limit": 2, "before": ids[2]}), vec!["0", "1"], false, true),
        (json!({"conversationId": id, "limit": 2, "after": ids[2]}), vec!["3", "4"], true, true),
        (json!({"conversationId": id, "limit": 3, "around": ids[3]}), vec!["2", "3", "4"], true, true),
        (json!({"conversationId": id}), vec!["0", "1", "2", "3", "4", "5", "6"], false, false),
    ] {
        let page = pair.left.done("conversation:history", ask.clone()).await;
        assert_eq!(contents(&page), expected, "{ask}");
        assert_eq!((&page["hasMoreBefore"], &page["hasMoreAfter"]), (&json!(before), &json!(after)), "{ask}");
    }
    pair.left.refused("conversation:history", json!({"conversationId": id, "limit": 201}), "INVALID").await;
    pair.left.refused("conversation:history", json!({"conversationId": id, "before": 1, "after": 2}), "INVALID").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_was_away_catches_up_by_rev() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let first = pair.say("un").await;
    let second = pair.say("deux").await;
    let rev = second["rev"].as_i64().unwrap();
    pair.left.done("message:edit", json!({"messageId": first["id"], "content": "une"})).await;
    pair.left.done("message:delete", json!({"messageId": second["id"]})).await;
    pair.right.done("message:react", json!({"messageId": first["id"], "emoji": "👍"})).await;
    pair.right.done("message:read", json!({"messageId": second["id"]})).await;
    let ask = json!({"conversationId": pair.conversation, "rev": rev});
    let changes = pair.left.done("conversation:sync", ask).await;
    let messages = changes["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 2, "{changes}");
    assert_eq!((&messages[0]["content"], &messages[0]["isDeleted"]), (&json!(""), &json!(true)));
    assert_eq!((&messages[1]["content"], &messages[1]["reactions"][0]["userIds"]), (&json!("une"), &json!([6])));
    assert_eq!((&changes["rev"], &changes["hasMore"]), (&messages[1]["rev"], &json!(false)));
    let reads = changes["reads"].as_array().unwrap();
    assert!(reads.iter().any(|read| read["userId"] == 6 && read["messageId"] == second["id"]), "{changes}");
    let again =
        pair.left.done("conversation:sync", json!({"conversationId": pair.conversation, "rev": changes["rev"]})).await;
    assert_eq!(again["messages"], json!([]));
}

fn contents(page: &Value) -> Vec<String> {
    let messages = page["messages"].as_array().expect("messages");
    messages.iter().map(|message| message["content"].as_str().expect("a text").to_owned()).collect()
}
