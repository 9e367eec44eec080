//! The rules that hold always: the ack after its own event, order by rev, writing without waiting.

use serde_json::json;

use crate::harness::server::{Pair, Server};
use crate::support::socket::Heard;

#[tokio::test(flavor = "multi_thread")]
async fn the_ack_comes_after_the_changes_own_event() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let id = pair.say("d'abord").await["id"].clone();
    for (event, data, own) in [
        ("message:send", json!({"conversationId": 1, "content": "x"}), "message:new"),
        ("message:edit", json!({"messageId": id, "content": "y"}), "message:edited"),
        ("message:react", json!({"messageId": id, "emoji": "👍"}), "message:reaction"),
        ("message:delete", json!({"messageId": id}), "message:deleted"),
    ] {
        let ack = pair.left.send(event, data).await;
        let heard = pair.left.heard_until_ack(ack).await;
        let is_told = heard.iter().any(|heard| matches!(heard, Heard::Event(name, _) if name == own));
        assert!(is_told, "{event}: {own} was not heard before the ack, but {heard:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_reach_every_socket_in_the_order_of_rev() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let mut last = (0, 0);
    for number in 0..200 {
        let data = json!({"conversationId": 1, "content": format!("{number}")});
        last = (pair.left.send("message:send", data.clone()).await, pair.right.send("message:send", data).await);
    }
    let left = pair.left.heard_until_ack(last.0).await;
    let right = pair.right.heard_until_ack(last.1).await;
    pair.left.done("conversation:users:online", json!({"conversationId": 1})).await;
    pair.right.done("conversation:users:online", json!({"conversationId": 1})).await;
    for (heard, rest) in [(left, pair.left.unread()), (right, pair.right.unread())] {
        let revs: Vec<i64> = heard.iter().chain(rest).filter_map(rev_of_new).collect();
        assert_eq!(revs, (1..=400).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_sends_without_waiting_and_is_answered_in_order() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let mut acks = Vec::new();
    for number in 0..300 {
        acks.push(pair.left.send("message:send", json!({"conversationId": 1, "content": format!("{number}")})).await);
    }
    let heard = pair.left.heard_until_ack(acks[299]).await;
    let answered: Vec<u64> = heard
        .iter()
        .filter_map(|heard| match heard {
            Heard::Ack(id, data) => {
                assert_eq!(data["success"], true, "{data}");
                Some(*id)
            }
            _ => None,
        })
        .collect();
    assert_eq!(answered, acks);
    for number in 0..300 {
        assert_eq!(pair.right.expect_event("message:new").await["message"]["content"], format!("{number}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reads_sees_the_writes_before_it_and_none_after() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    for round in 0..20 {
        let before =
            pair.left.send("message:send", json!({"conversationId": 1, "content": format!("avant {round}")})).await;
        let asked = pair.left.send("conversation:history", json!({"conversationId": 1, "limit": 1})).await;
        let after =
            pair.left.send("message:send", json!({"conversationId": 1, "content": format!("après {round}")})).await;
        let page = pair.left.ack(asked).await;
        assert_eq!(page["messages"][0]["content"], format!("avant {round}"));
        pair.left.ack(before).await;
        pair.left.ack(after).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn joining_and_sending_at_once_keep_their_order() {
    let server = Server::start().await;
    let Pair { client, .. } = server.pair().await;
    let mut socket = server.socket(&client).await;
    let early = socket.send("message:send", json!({"conversationId": 1, "content": "avant"})).await;
    let joined = socket.send("conversation:join", json!({"conversationId": 1})).await;
    let late = socket.send("message:send", json!({"conversationId": 1, "content": "après"})).await;
    let heard = socket.heard_until_ack(late).await;
    let news: Vec<i64> = heard.iter().filter_map(rev_of_new).collect();
    assert_eq!(news, [2], "only what was said after joining is told as an event: {heard:?}");
    let acks: Vec<u64> =
        heard.iter().filter_map(|heard| if let Heard::Ack(id, _) = heard { Some(*id) } else { None }).collect();
    assert_eq!(acks, [early, joined, late]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_write_leaves_its_neighbours_alone() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let first = pair.left.send("message:send", json!({"conversationId": 1, "content": "un"})).await;
    let refused = pair.left.send("message:send", json!({"conversationId": 1, "content": ""})).await;
    let foreign = pair.left.send("message:send", json!({"conversationId": 2, "content": "x"})).await;
    let last = pair.left.send("message:send", json!({"conversationId": 1, "content": "deux"})).await;
    assert_eq!(pair.left.ack(first).await["message"]["rev"], 1);
    assert_eq!(pair.left.ack(refused).await["code"], "INVALID");
    assert_eq!(pair.left.ack(foreign).await["code"], "NOT_FOUND");
    assert_eq!(pair.left.ack(last).await["message"]["rev"], 2, "no gap");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let id = pair.say("à jamais").await["id"].clone();
    let server = server.restart(&[]).await;
    let socket = server.socket(&pair.jurist).await;
    let joined = socket.done("conversation:join", json!({"conversationId": 1})).await;
    assert_eq!(joined["messages"][0]["id"], id, "and the token is good for the restarted server");
}

fn rev_of_new(heard: &Heard) -> Option<i64> {
    match heard {
        Heard::Event(name, data) if name == "message:new" => data["message"]["rev"].as_i64(),
        _ => None,
    }
}
