//! Sending, editing, deleting, reacting, searching; what is refused, and how it is told.

use serde_json::json;

use crate::harness::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_reaches_both_members_with_all_its_fields() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let message = pair.say("  Bonjour  ").await;
    let expected = [
        ("conversationId", json!(1)),
        ("kind", json!("text")),
        ("call", json!(null)),
        ("invoice", json!(null)),
        ("senderId", json!(1)),
        ("content", json!("Bonjour")),
        ("attachments", json!(null)),
        ("files", json!([])),
        ("replyToId", json!(null)),
        ("reactions", json!([])),
        ("isRead", json!(false)),
        ("readAt", json!(null)),
        ("isDeleted", json!(false)),
        ("deletedAt", json!(null)),
        ("editedAt", json!(null)),
        ("clientMessageId", json!(null)),
        ("rev", json!(1)),
    ];
    for (field, value) in expected {
        assert_eq!(message.get(field), Some(&value), "{field}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_forge_state_has_no_effect() {
    let server = Server::start().await;
    let pair = server.pair().await;
    let data = json!({
        "conversationId": pair.conversation, "content": "x", "senderId": 6, "isRead": true, "id": 99, "rev": 99,
        "createdAt": "1999-01-01T00:00:00.000Z", "isDeleted": true, "kind": "call", "call": {"state": "missed"},
    });
    let message = &pair.left.done("message:send", data).await["message"];
    assert_eq!((&message["senderId"], &message["isRead"], &message["rev"]), (&json!(1), &json!(false), &json!(1)));
    assert_eq!((&message["kind"], &message["call"]), (&json!("text"), &json!(null)));
    assert!(!message["createdAt"].as_str().unwrap().starts_with("1999"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_client_message_id_is_the_same_message_for_ever() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let data = json!({"conversationId": pair.conversation, "content": "une fois", "clientMessageId": "a-1"});
    let first = pair.left.done("message:send", data.clone()).await;
    assert_eq!((&first["duplicate"], &first["message"]["clientMessageId"]), (&json!(false), &json!("a-1")));
    let told = pair.right.expect_event("message:new").await;
    assert_eq!(told["message"]["clientMessageId"], json!(null), "told to the sender only");
    assert_eq!(pair.left.expect_event("message:new").await["message"]["clientMessageId"], "a-1");

    let second = pair.left.done("message:send", data.clone()).await;
    assert_eq!((&second["duplicate"], &second["message"]["id"]), (&json!(true), &first["message"]["id"]));
    pair.left.expect_silence("message:new").await;
    pair.right.expect_silence("message:new").await;

    let other = json!({"conversationId": pair.conversation, "content": "autre chose", "clientMessageId": "a-1"});
    pair.left.refused("message:send", other, "CONFLICT").await;
    let same_id_of_another = pair.right.done("message:send", data).await;
    assert_eq!(same_id_of_another["duplicate"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_author_edits_and_deletes_and_nobody_else_does() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let id = pair.say("faute").await["id"].clone();
    pair.right.refused("message:edit", json!({"messageId": id, "content": "x"}), "FORBIDDEN").await;
    pair.right.refused("message:delete", json!({"messageId": id}), "FORBIDDEN").await;
    let outsider = server.socket_of("client2").await;
    outsider.refused("message:edit", json!({"messageId": id, "content": "x"}), "NOT_FOUND").await;
    outsider.refused("message:delete", json!({"messageId": id}), "NOT_FOUND").await;

    let edited = pair.left.done("message:edit", json!({"messageId": id, "content": "correct"})).await;
    assert_eq!(edited["message"]["content"], "correct");
    assert!(edited["message"]["editedAt"].is_string() && edited.get("duplicate").is_none());
    let told = pair.right.expect_event("message:edited").await;
    assert_eq!((&told["message"]["content"], &told["message"]["rev"]), (&json!("correct"), &json!(2)));

    let deleted = pair.left.done("message:delete", json!({"messageId": id})).await;
    assert_eq!((&deleted["message"]["content"], &deleted["message"]["isDeleted"]), (&json!(""), &json!(true)));
    let told = pair.right.expect_event("message:deleted").await;
    assert_eq!((&told["message"]["content"], &told["message"]["id"]), (&json!(""), &id));
    pair.left.refused("message:edit", json!({"messageId": id, "content": "x"}), "CONFLICT").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reactions_are_told_with_all_that_are_there() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let id = pair.say("bravo").await["id"].clone();
    let reply = pair.right.done("message:react", json!({"messageId": id, "emoji": "🎉"})).await;
    assert_eq!(reply, json!({"success": true, "reactions": [{"emoji": "🎉", "userIds": [6]}]}));
    let told = pair.left.expect_event("message:reaction").await;
    assert_eq!(
        (&told["messageId"], &told["conversationId"], &told["emoji"], &told["userId"], &told["action"], &told["rev"]),
        (&id, &json!(1), &json!("🎉"), &json!(6), &json!("added"), &json!(2))
    );
    pair.right.done("message:react", json!({"messageId": id, "emoji": "🎉", "remove": true})).await;
    let told = pair.left.expect_event("message:reaction").await;
    assert_eq!((&told["action"], &told["reactions"]), (&json!("removed"), &json!([])));
    pair.right.refused("message:react", json!({"messageId": id, "emoji": "abc"}), "INVALID").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_look_is_one_reaction_however_its_emoji_is_sent() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let id = pair.say("bravo").await["id"].clone();
    let thumbs = ["%F0%9F%91%8D", "%F0%9F%91%8D%EF%B8%8F", "%F0%9F%91%8D%EF%B8%8E"];
    for (emoji, status) in [(thumbs[0], 200), (thumbs[1], 200), (thumbs[2], 200), ("%F0%9F%91%8D%E2%80%8D", 400)] {
        let path = format!("/messages/{id}/reactions/{emoji}");
        server.request(&pair.client, "PUT", &path, None).await.expect(status);
    }
    let shown = server.request(&pair.client, "GET", &format!("/messages/{id}"), None).await.expect(200).json();
    assert_eq!(shown["reactions"], json!([{"emoji": "👍", "userIds": [1]}]));
    let path = format!("/messages/{id}/reactions/{}", thumbs[1]);
    let left = server.request(&pair.client, "DELETE", &path, None).await.expect(200).json();
    assert_eq!(left["reactions"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_every_field_in_the_readers_language() {
    let server = Server::start().await;
    let pair = server.pair().await;
    let refusal = pair.left.refused("message:send", json!({"content": 1}), "INVALID").await;
    let fields: Vec<&str> =
        refusal["details"].as_array().unwrap().iter().map(|detail| detail["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["conversationId", "content"]);
    for content in ["", "   "] {
        pair.left.refused("message:send", json!({"conversationId": 1, "content": content}), "INVALID").await;
    }
    let long = json!({"conversationId": 1, "content": "x".repeat(10_001)});
    pair.left.refused("message:send", long, "TOO_LARGE").await;
    pair.left.done("message:send", json!({"conversationId": 1, "content": "é".repeat(10_000)})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_without_an_ack_is_told_by_exception() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    pair.left.emit("message:send", json!({"conversationId": 99, "content": "x"})).await;
    let told = pair.left.expect_event("exception").await;
    assert_eq!(
        (&told["status"], &told["code"], &told["event"]),
        (&json!("error"), &json!("NOT_FOUND"), &json!("message:send"))
    );
    pair.left.emit("message:send", json!({"conversationId": 1, "content": "x"})).await;
    pair.right.expect_event("message:new").await;
    pair.left.expect_silence("exception").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_and_reserved_events_reach_nothing() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    pair.left.refused("no:such:event", json!({}), "INVALID").await;
    pair.left.refused("__proto__", json!({}), "INVALID").await;
    pair.left.refused("message:new", json!({}), "INVALID").await;
    for data in [json!(null), json!([]), json!("x"), json!(1)] {
        pair.left.refused("conversation:join", data, "INVALID").await;
    }
    pair.say("toujours là").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_may_come_with_its_message() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let data = json!({
        "conversationId": pair.conversation, "content": "",
        "files": [{"name": "note.pdf", "data": {"_placeholder": true, "num": 0}}],
    });
    let bytes = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n";
    let ack = pair.left.send_binary("message:send", data, &[bytes]).await;
    let sent = pair.left.ack(ack).await;
    assert_eq!(sent["success"], true, "{sent}");
    let file = &sent["message"]["files"][0];
    assert_eq!(
        (&file["name"], &file["size"], &file["mimeType"]),
        (&json!("note.pdf"), &json!(bytes.len()), &json!("application/pdf"))
    );
    assert_eq!(sent["message"]["attachments"], json!([file["url"]]));
    let reply = server.request(&pair.jurist, "GET", file["url"].as_str().unwrap(), None).await.expect(200);
    assert_eq!(reply.body, bytes);
    let stranger = server.sign_in("client2").await;
    server.request(&stranger, "GET", file["url"].as_str().unwrap(), None).await.expect(404);

    let not_binary =
        json!({"conversationId": pair.conversation, "content": "", "files": [{"name": "x", "data": "text"}]});
    pair.left.refused("message:send", not_binary, "INVALID").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_ones_own_messages_and_marks_nothing_read() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let id = pair.say("La Résiliation du bail").await["id"].clone();
    let found = pair.right.done("message:search", json!({"query": "resilia"})).await;
    assert_eq!(found["results"][0]["message"]["id"], id);
    assert_eq!(found["results"][0]["snippet"], "La ⟦Résiliation⟧ du bail");
    assert_eq!(found["nextCursor"], json!(null));
    let outsider = server.socket_of("client2").await;
    assert_eq!(outsider.done("message:search", json!({"query": "resilia"})).await["results"], json!([]));
    pair.left.expect_silence("message:read:ack").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_messages_than_allowed_are_refused_with_a_time_to_wait() {
    let server = Server::start_with(&["--message-rate", "1", "--message-burst", "2"]).await;
    let mut pair = server.pair().await;
    let mut sent = Vec::new();
    for number in 0..20 {
        sent.push(pair.left.send("message:send", json!({"conversationId": 1, "content": format!("{number}")})).await);
    }
    let (mut let_in, mut refused) = (0, 0);
    for id in sent {
        let ack = pair.left.ack(id).await;
        if ack["success"] == true {
            let_in += 1;
        } else {
            assert_eq!((&ack["code"], &ack["retryAfter"]), (&json!("RATE_LIMITED"), &json!(1)), "{ack}");
            refused += 1;
        }
    }
    assert!(let_in >= 2 && refused > 0, "{let_in} were let in, {refused} refused");
    pair.right.done("message:send", json!({"conversationId": 1, "content": "chacun la sienne"})).await;
}
