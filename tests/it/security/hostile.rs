//! Input made to break things: event names, search syntax, JSON without end, numbers without sense.

use std::time::Duration;

use serde_json::{Value, json};

use crate::security::stage::Stage;
use crate::support::http;
use crate::support::needs;
use crate::support::people::{self, Person};
use crate::support::server::Setup;
use crate::support::socket::Socket;

async fn pair(stage: &Stage, number: usize) -> (Person, Person, i64) {
    let client = people::sign_in(stage.address(), &format!("client{number}")).await;
    let jurist = people::sign_in(stage.address(), &format!("juriste{number}")).await;
    let conversation = people::conversation(stage.address(), &client, &jurist).await;
    (client, jurist, conversation)
}

#[tokio::test]
async fn reserved_names_reach_nothing_and_unknown_events_are_invalid() {
    let stage = Stage::new().await;
    let (client, _, conversation) = pair(&stage, 1).await;
    let witness = Socket::open(stage.address(), &client.token).await.expect("a live session");
    for name in ["connect", "connect_error", "disconnect", "disconnecting", "error", "newListener", "removeListener"] {
        let socket = Socket::open(stage.address(), &client.token).await.expect("a live session");
        let ack = socket.start(name, &json!({})).await;
        if let Ok(Ok(ack)) = tokio::time::timeout(Duration::from_millis(500), ack).await {
            assert_eq!((&ack["success"], &ack["code"]), (&json!(false), &json!("INVALID")), "{name}: {ack}");
        }
    }
    for name in ["nonsense", "__proto__", "constructor", "toString", "", "message:new", "hasOwnProperty", "é\u{202e}"]
    {
        let socket = Socket::open(stage.address(), &client.token).await.expect("a live session");
        let ack = socket.ask(name, &json!({ "conversationId": conversation })).await;
        assert_eq!((&ack["success"], &ack["code"]), (&json!(false), &json!("INVALID")), "{name}: {ack}");
    }
    let mut socket = Socket::open(stage.address(), &client.token).await.expect("a live session");
    socket.raw("42/chat,[\"nonsense\",{}]").await.expect("open");
    let told = socket.next("exception").await.data;
    assert_eq!(
        (&told["status"], &told["code"], &told["event"]),
        (&json!("error"), &json!("INVALID"), &json!("nonsense"))
    );
    let ack = witness.ask("conversation:join", &json!({ "conversationId": conversation })).await;
    assert_eq!(ack["success"], true);
}

#[tokio::test]
async fn search_text_is_never_an_operator() {
    let stage = Stage::new().await;
    let (client, _, conversation) = pair(&stage, 1).await;
    let (stranger, _, _) = pair(&stage, 2).await;
    let say = json!({ "conversationId": conversation, "content": "contenu secret du bail" });
    http::post(stage.address(), "/messages", &say).token(&client.token).send().await.expect(201);
    let texts = [
        "\"",
        "*",
        "secret*",
        "NEAR(secret bail)",
        "secret NEAR bail",
        "content:secret",
        "members:u1",
        "u1",
        "-secret",
        "-",
        "--",
        "secret OR bail",
        "secret AND bail",
        "NOT secret",
        "^secret",
        "{content members}: secret",
        "(",
        ")",
        "sec\0ret",
        "'; DROP TABLE messages; --",
        "%",
        "_",
        "\u{202e}",
        "'''",
        "\"secret",
        "\"\"",
        "+",
        "secret + bail",
        "members : u1",
        "a\"b",
        "🦊",
        "ﬁ",
        " ",
        "",
    ];
    let socket = Socket::open(stage.address(), &stranger.token).await.expect("a live session");
    for text in texts {
        let ack = socket.ask("message:search", &json!({ "query": text })).await;
        assert_ne!(ack["code"], "INTERNAL", "{text:?}: {ack}");
        assert!(!ack.to_string().contains("contenu secret"), "{text:?}: a stranger found {ack}");
        let query: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/messages/search?q={query}");
        for token in [&client.token, &stranger.token] {
            let reply = http::get(stage.address(), &path).token(token).send().await;
            assert!(matches!(reply.status, 200 | 400), "{text:?}: {} {}", reply.status, reply.text());
            assert!(token == &client.token || !reply.text().contains("contenu"), "{text:?}: {}", reply.text());
        }
    }
    // A megabyte, as far as it fits into a payload; one that does not fit never gets to the search.
    let ack = socket.ask("message:search", &json!({ "query": "mot ".repeat(240_000) })).await;
    assert_eq!(ack["code"], "INVALID", "{ack}");
    let path = format!("/messages/search?q={}", "a".repeat(1_000_000));
    // Whoever hangs up on a request that is still being sent may not be heard out.
    if let Ok(reply) = http::get(stage.address(), &path).token(&client.token).try_send().await {
        assert!(matches!(reply.status, 400 | 414 | 431), "{}", reply.status);
    }
    let found = http::get(stage.address(), "/messages/search?q=secr").token(&client.token).send().await.expect(200);
    assert_eq!(found.json()["results"].as_array().map(Vec::len), Some(1), "the owner finds it: {}", found.text());
}

#[tokio::test]
async fn json_without_sense_is_invalid_and_harms_nothing() {
    let stage = Stage::new().await;
    let (client, _, conversation) = pair(&stage, 2).await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_object = format!("{}1{}", "{\"a\":".repeat(50_000), "}".repeat(50_000));
    let bodies = [
        deep.clone(),
        deep_object,
        "{".to_owned(),
        "\u{feff}{}".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        format!("{{\"conversationId\":{conversation},\"content\":\"a\\u0000b\"}}"),
        format!("{{\"conversationId\":{conversation},\"content\":\"\\ud800\"}}"),
        format!("{{\"conversationId\":{conversation}.5,\"content\":\"x\"}}"),
        format!("{{\"conversationId\":\"{conversation}\",\"content\":\"x\"}}"),
        "{\"conversationId\":1e400,\"content\":\"x\"}".to_owned(),
        "{\"conversationId\":9007199254740993,\"content\":\"x\"}".to_owned(),
        "{\"conversationId\":99999999999999999999999,\"content\":\"x\"}".to_owned(),
        "{\"conversationId\":-1,\"content\":\"x\"}".to_owned(),
        format!("{{\"conversationId\":{conversation},\"content\":{{\"$gt\":\"\"}}}}"),
        format!("{{\"conversationId\":{conversation},\"content\":\"x\",\"replyToId\":\"1\"}}"),
        format!("{{\"conversationId\":{conversation},\"content\":\"{}\"}}", "x".repeat(10_001)),
    ];
    for body in bodies {
        let shown: String = body.chars().take(80).collect();
        let ask = http::ask(stage.address(), "POST", "/messages").token(&client.token);
        let ask = ask.header("Content-Type", "application/json").body(body.clone().into_bytes());
        let reply = ask.send().await;
        assert!(matches!(reply.status, 400 | 404 | 413), "{shown}: {} {}", reply.status, reply.text());
        let socket = Socket::open(stage.address(), &client.token).await.expect("a live session");
        let _ = socket.raw(&format!("42/chat,5[\"message:send\",{body}]")).await;
        // An answer to what comes behind it, or the end of the socket: either way it was dealt with.
        socket.try_ask("conversation:leave", &json!({ "conversationId": conversation })).await;
    }
    let stored = format!("/messages?conversationId={conversation}");
    let stored = http::get(stage.address(), &stored).token(&client.token).send().await.expect(200).json();
    assert_eq!(stored, json!([]), "nothing of it was stored");
}

#[tokio::test]
async fn fields_that_would_forge_state_have_no_effect() {
    let stage = Stage::new().await;
    let (client, jurist, conversation) = pair(&stage, 2).await;
    let forged = json!({
        "conversationId": conversation, "content": "de moi", "senderId": jurist.id, "id": 4242, "rev": 99,
        "isRead": true, "readAt": "2020-01-01T00:00:00.000Z", "createdAt": "2020-01-01T00:00:00.000Z",
        "isDeleted": true, "role": "admin", "editedAt": "2020-01-01T00:00:00.000Z", "reactions": [{ "emoji": "👍" }],
    });
    let message =
        http::post(stage.address(), "/messages", &forged).token(&client.token).send().await.expect(201).json();
    assert_eq!(message["senderId"], client.id);
    assert_ne!(message["id"], 4242);
    assert_eq!((&message["rev"], &message["isRead"], &message["isDeleted"]), (&json!(1), &json!(false), &json!(false)));
    assert_eq!(
        (&message["readAt"], &message["editedAt"], &message["reactions"]),
        (&Value::Null, &Value::Null, &json!([]))
    );
    assert!(message["createdAt"].as_str().is_some_and(|at| !at.starts_with("2020")), "{message}");
    let me = http::ask(stage.address(), "PATCH", "/users/me").token(&client.token);
    let me = me.json(&json!({ "name": "Moi", "role": "admin", "id": 11, "isActive": false, "email": "x@y.z" }));
    let me = me.send().await.expect(200).json();
    assert_eq!((&me["role"], &me["id"], &me["email"]), (&json!("client"), &json!(client.id), &json!(client.email)));
}

#[tokio::test]
async fn the_server_calls_nobody() {
    if !needs::met("the_server_calls_nobody", &[("strace", needs::can_trace())]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let calls = folder.path().join("calls");
    let path = calls.display().to_string();
    let watch = ["strace", "-D", "-f", "-qq", "-o", &path, "-e", "trace=connect,sendto,sendmsg"];
    let mut server = Setup::new(folder.path().join("lexchat.db")).wrapper(&watch).start().await;
    let client = people::sign_in(server.address(), "client1").await;
    let jurist = people::sign_in(server.address(), "juriste1").await;
    let conversation = people::conversation(server.address(), &client, &jurist).await;
    let link = json!({ "conversationId": conversation, "content": "voir https://example.com/a", "attachments": ["https://example.com/b.pdf"] });
    http::post(server.address(), "/messages", &link).token(&client.token).send().await.expect(201);
    let beacon = format!("/nowhere?url={}", "http://example.com");
    http::get(server.address(), &beacon).send().await;
    server.kill();
    let calls = std::fs::read_to_string(&calls).expect("strace wrote it");
    let outward: Vec<&str> = calls
        .lines()
        .filter(|line| line.contains("connect(") || line.contains("sin_addr") || line.contains("sin6_addr"))
        .filter(|line| !line.contains("AF_UNIX"))
        .collect();
    assert!(outward.is_empty(), "{outward:#?}");
}
