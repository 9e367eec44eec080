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
    let second = server.socket(&pair.jurist).await;
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
    for wrong in [json!(-1), json!(1.5), json!("1"), json!(9_007_199_254_740_992_i64), json!(u64::MAX), json!({})] {
        let ask = json!({"conversationId": id, "before": wrong});
        let refused = pair.left.refused("conversation:history", ask, "INVALID").await;
        assert_eq!(refused["details"][0]["field"], "before", "{wrong}");
    }
    pair.left.refused("conversation:history", json!({"conversationId": id, "limit": 201}), "INVALID").await;
    pair.left.refused("conversation:history", json!({"conversationId": id, "before": 1, "after": 2}), "INVALID").await;
}

/// A number stands between the ids below and above it, whoever's they are.
#[tokio::test(flavor = "multi_thread")]
async fn a_position_is_any_number_and_pages_say_truly_whether_there_is_more() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let other = server.sign_in("client2").await;
    let elsewhere = people::conversation(server.at, &other, &pair.jurist).await;
    let (mut ids, mut foreign) = (Vec::new(), Vec::new());
    for number in 0..4 {
        ids.push(pair.say(&format!("{number}")).await["id"].as_i64().unwrap());
        let body = json!({"conversationId": elsewhere, "content": "ailleurs"});
        let sent = server.request(&other, "POST", "/messages", Some(&body)).await.expect(201);
        foreign.push(sent.json()["id"].as_i64().unwrap());
    }
    let (id, far) = (pair.conversation, 9_007_199_254_740_991_i64);
    let all = ["0", "1", "2", "3"];
    for (name, position, expected, before, after) in [
        ("after", 0, &all[..], false, false),
        ("after", ids[0] - 1, &all[..], false, false),
        ("after", foreign[1], &all[2..], true, false),
        ("after", far, &[], true, false),
        ("before", 0, &[], false, true),
        ("before", ids[0], &[], false, true),
        ("before", foreign[1], &all[..2], false, true),
        ("before", foreign[3], &all[..], false, false),
        ("before", far, &all[..], false, false),
        ("around", 0, &all[..], false, false),
        ("around", foreign[1], &all[..], false, false),
        ("around", far, &all[1..], true, false),
    ] {
        let limit = if name == "around" && position == far { 4 } else { 10 };
        let ask = json!({"conversationId": id, name: position, "limit": limit});
        let page = pair.left.done("conversation:history", ask.clone()).await;
        assert_eq!(contents(&page), expected, "{ask}");
        assert_eq!((&page["hasMoreBefore"], &page["hasMoreAfter"]), (&json!(before), &json!(after)), "{ask}");
        let path = format!("/messages?conversationId={id}&{name}={position}&limit={limit}");
        let answer = server.request(&pair.client, "GET", &path, None).await.expect(200);
        assert_eq!(contents(&json!({"messages": answer.json()})), expected, "{path}");
        let link = answer.header("link").unwrap_or_default().to_owned();
        assert_eq!((link.contains("\"prev\""), link.contains("\"next\"")), (before, after), "{path}: {link}");
    }
    for wrong in ["-1", "99999999999999999999", "1.5", "x", ""] {
        let path = format!("/messages?conversationId={id}&before={wrong}");
        let refused = server.request(&pair.client, "GET", &path, None).await.expect(400);
        assert_eq!(refused.json()["details"][0]["field"], "before", "{wrong}");
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_knows_another_history_is_told_to_forget_it() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let rev = pair.say("un").await["rev"].as_i64().unwrap();
    let id = pair.conversation;
    let joined = pair.left.done("conversation:join", json!({"conversationId": id})).await;
    let history = joined["history"].as_str().expect("a name").to_owned();
    let same = pair.left.done("conversation:sync", json!({"conversationId": id, "rev": rev, "history": history})).await;
    assert_eq!(same["history"], history.as_str());
    for known in [
        json!({"conversationId": id, "rev": rev + 1}),
        json!({"conversationId": id, "rev": rev + 1, "history": history}),
        json!({"conversationId": id, "rev": 999_999}),
        json!({"conversationId": id, "rev": rev, "history": "0123456789abcdef"}),
        json!({"conversationId": id, "rev": 0, "history": "another"}),
    ] {
        let refused = pair.left.refused("conversation:sync", &known, "CONFLICT").await;
        assert_eq!(refused["history"], history.as_str(), "{known}: {refused}");
        let detail = &refused["details"][0];
        assert_eq!((&detail["field"], &detail["value"]), (&json!("history"), &json!(history)), "{known}: {refused}");
    }
    pair.left.refused("conversation:sync", json!({"conversationId": id, "rev": 0, "history": 7}), "INVALID").await;
    // Who is no member learns nothing, not even that.
    let outsider = server.socket_of("client2").await;
    let ahead = json!({"conversationId": id, "rev": 999_999});
    outsider.refused("conversation:sync", ahead, "NOT_FOUND").await;
    let shown = server.request(&pair.client, "GET", &format!("/conversations/{id}"), None).await.expect(200);
    assert_eq!(shown.json()["history"], history.as_str());
    assert_eq!(shown.header("X-History"), Some(history.as_str()));
}

fn contents(page: &Value) -> Vec<String> {
    let messages = page["messages"].as_array().expect("messages");
    messages.iter().map(|message| message["content"].as_str().expect("a text").to_owned()).collect()
}
