//! Each limit is a setting: with another value another amount is let through.

use serde_json::{Value, json};

use crate::harness::server::Server;
use crate::support::http;
use crate::support::people;
use crate::support::polling::Polling;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_has_as_many_files_and_addresses_as_the_operator_says() {
    for most in [2, 25] {
        let server = Server::start_with(&["--files-per-message", &most.to_string(), "--file-size", "4096"]).await;
        let pair = server.pair().await;
        let me = server.request(&pair.client, "GET", "/users/me", None).await.expect(200).json();
        assert_eq!(
            me["limits"],
            json!({ "fileBytes": 4096, "filesPerMessage": most, "editWindow": 86_400 }),
            "pages are told"
        );
        let with = |count: usize| {
            let addresses: Vec<String> = (0..count).map(|n| format!("https://example.com/{n}")).collect();
            json!({ "conversationId": 1, "content": "voir", "attachments": addresses })
        };
        server.request(&pair.client, "POST", "/messages", Some(&with(most))).await.expect(201);
        let refused = server.request(&pair.client, "POST", "/messages", Some(&with(most + 1))).await.expect(400).json();
        assert_eq!(refused["details"][0]["field"], "files", "{refused}");
        pair.left.done("message:send", with(most)).await;
        pair.left.refused("message:send", with(most + 1), "INVALID").await;
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_keeps_as_many_bytes_as_the_operator_says() {
    let server = Server::start_with(&["--user-quota", "1500"]).await;
    let pair = server.pair().await;
    let upload = |token: &str| {
        let ask = http::ask(server.at, "POST", "/attachments?conversationId=1&name=a.bin").token(token);
        ask.body(vec![7; 1000]).send()
    };
    upload(&pair.client.token).await.expect(201);
    assert_eq!(upload(&pair.client.token).await.expect(413).json()["code"], "TOO_LARGE");
    upload(&pair.jurist.token).await.expect(201);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packet_has_as_many_attachments_as_the_operator_says() {
    let server = Server::start_with(&["--binary-attachments", "1"]).await;
    let mut pair = server.pair().await;
    let with = |count: usize| {
        let files: Vec<Value> = (0..count)
            .map(|n| json!({ "name": format!("{n}.bin"), "data": { "_placeholder": true, "num": n } }))
            .collect();
        json!({ "conversationId": 1, "content": "", "files": files })
    };
    let id = pair.left.send_binary("message:send", with(1), &[b"un"]).await;
    assert_eq!(pair.left.ack(id).await["success"], true);
    pair.left.write(format!("452-/chat,7{}", json!(["message:send", with(2)]))).await;
    pair.left.expect_close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_is_as_long_as_the_operator_says() {
    let server = Server::start_with(&["--max-payload", "5000"]).await;
    let client = server.sign_in("client1").await;
    let polling = Polling::open(server.at, &client.token).await;
    assert_eq!(polling.post(&format!("4{}", "a".repeat(5000))).await.status, 413);
    let mut socket = server.socket(&client).await;
    socket.write(format!("42/chat,1[\"{}\"]", "a".repeat(5000))).await;
    socket.expect_close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_opens_as_many_sockets_before_sign_in_as_the_operator_says() {
    let server = Server::start_with(&["--sockets-per-address", "2"]).await;
    let client = server.sign_in("client1").await;
    let shake = |from: usize| {
        let ask = http::get(server.at, "/socket.io/?EIO=4&transport=polling");
        ask.from(people::loopback(from)).send()
    };
    for _ in 0..2 {
        shake(0).await.expect(200);
    }
    shake(0).await.expect(429);
    shake(1).await.expect(200);
    // Those that signed in do not count.
    for _ in 0..3 {
        Polling::open(server.at, &client.token).await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_tries_to_sign_in_as_often_as_the_operator_says() {
    let server = Server::start_with(&["--sign-in-rate", "3"]).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let body = json!({ "email": "client1@example.com", "password": people::PASSWORD });
        statuses.push(http::post(server.at, "/auth/sign-in", &body).from(people::loopback(9)).send().await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 429]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_one_person_asks_comes_out_of_one_budget() {
    let server = Server::start_with(&["--event-rate", "1", "--event-burst", "30"]).await;
    let client = server.sign_in("client1").await;
    let (first, second) = (server.socket(&client).await, server.socket(&client).await);
    let mut refused = None;
    for asked in 0.. {
        let socket = if asked % 2 == 0 { &first } else { &second };
        let event = ["conversation:users:online", "conversation:leave", "nonsense", "message:read"][asked % 4];
        let ack = socket.ask(event, json!({"conversationId": 1, "messageId": 1})).await;
        if ack["code"] == "RATE_LIMITED" {
            refused = Some((asked, ack));
            break;
        }
    }
    let (asked, ack) = refused.expect("it ends");
    assert!((30..40).contains(&asked), "{asked} were let through");
    assert_eq!(ack["retryAfter"], 1);
    let search = server.request(&client, "GET", "/messages/search?q=bail", None).await.expect(429);
    assert_eq!(search.json()["code"], "RATE_LIMITED");
    let other = server.socket_of("juriste1").await;
    other.refused("conversation:join", json!({"conversationId": 1}), "NOT_FOUND").await;
    let again = async {
        while first.ask("conversation:leave", json!({"conversationId": 1})).await["code"] == "RATE_LIMITED" {}
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), again).await.expect("the budget fills up again");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_waits_on_its_senders_side() {
    let server = Server::start_with(&["--event-rate", "1", "--event-burst", "10"]).await;
    let mut socket = server.socket_of("client1").await;
    let began = std::time::Instant::now();
    for _ in 0..30 {
        socket.raw("42/chat,[\"conversation:leave\",{\"conversationId\":1}]").await.expect("open");
    }
    let mut refused = 0;
    for _ in 0..30 {
        refused += usize::from(socket.next("exception").await.data["code"] == "RATE_LIMITED");
    }
    // Each refusal has a pause of at least 50 ms behind it, in which nothing is read.
    let pauses = std::time::Duration::from_millis(50) * u32::try_from(refused).expect("a small number") * 9 / 10;
    assert!(refused > 5 && began.elapsed() >= pauses, "{refused} in {:?}", began.elapsed());
    server.stop().await;
}
