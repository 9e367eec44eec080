//! What a refusal says: the same of a field on the socket and over HTTP, and true; and that blanks are nothing.

use serde_json::{Value, json};

use crate::harness::server::{Pair, Server};

/// What nobody sees.
const BLANKS: [&str; 6] = [" ", "\u{200b}", "\u{3164}", "\u{2800}", "\u{ad}", "\u{a0}\u{feff}"];

/// What is wrong with fields, in order.
fn texts(refusal: &Value) -> Vec<String> {
    let details = refusal["details"].as_array().unwrap_or_else(|| panic!("no field is named in {refusal}"));
    details.iter().map(|detail| detail["message"].as_str().expect("a text").to_owned()).collect()
}

async fn by_http(server: &Server, pair: &Pair, request: (&str, &str, Option<Value>)) -> Vec<String> {
    let (method, path, body) = request;
    let reply = server.request(&pair.client, method, path, body.as_ref()).await;
    assert_eq!(reply.status, 400, "{method} {path}: {}", reply.text());
    texts(&reply.json())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_is_refused_in_the_same_words_on_the_socket_and_over_http() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let id = pair.conversation;
    let message = pair.say("bonjour").await["id"].as_i64().expect("an id");
    let page = |query: &str| format!("/messages?conversationId={id}&{query}");
    let send = |more: Value| {
        let mut body = json!({"conversationId": id, "content": "x"});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        body
    };
    let many = |count: usize| json!(vec![1; count]);
    let history = |more: Value| {
        let mut data = json!({ "conversationId": id });
        data.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        data
    };
    let mut cases = Vec::new();
    for (field, value, typed) in [
        ("before", json!("x"), "x"),
        ("after", json!(-1), "-1"),
        ("around", json!(1.5), "1.5"),
        ("limit", json!(0), "0"),
        ("limit", json!(201), "201"),
    ] {
        let data = history(json!({ field: value }));
        cases.push(("conversation:history", data, ("GET", page(&format!("{field}={typed}")), None)));
    }
    for (field, value, typed) in [
        ("cursor", json!("x"), "x"),
        ("cursor", json!(-1), "-1"),
        ("cursor", json!(1.5), "1.5"),
        ("cursor", json!([]), "%5B%5D"),
        ("from", json!("hier"), "hier"),
        ("limit", json!(0), "0"),
        ("senderId", json!(0), "0"),
    ] {
        let data = json!({ "query": "bonjour", field: value });
        cases.push(("message:search", data, ("GET", format!("/messages/search?q=bonjour&{field}={typed}"), None)));
    }
    for blank in BLANKS {
        let typed: String = blank.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let data = json!({ "query": blank });
        cases.push(("message:search", data, ("GET", format!("/messages/search?q={typed}"), None)));
    }
    for more in [
        json!({ "files": many(21) }),
        json!({ "files": many(1_500) }),
        json!({"attachments": vec!["https://a.fr"; 1_500]}),
        json!({"attachments": ["x"]}),
        json!({"clientMessageId": "x".repeat(65)}),
        json!({"clientMessageId": " "}),
        json!({"content": "\u{2800}"}),
    ] {
        cases.push(("message:send", send(more.clone()), ("POST", "/messages".to_owned(), Some(send(more)))));
    }
    for emoji in ["x".to_owned(), "x".repeat(65)] {
        let data = json!({"messageId": message, "emoji": emoji});
        cases.push(("message:react", data, ("PUT", format!("/messages/{message}/reactions/{emoji}"), None)));
    }
    let unread = json!({"messageId": "x"});
    let path = format!("/conversations/{id}/mark-as-unread");
    cases.push(("conversation:unread", history(unread.clone()), ("POST", path, Some(unread))));
    let media = json!({"media": "sourd"});
    cases.push(("call:start", history(media.clone()), ("POST", format!("/conversations/{id}/calls"), Some(media))));
    for (event, data, (method, path, body)) in cases {
        let told = pair.left.refused(event, &data, "INVALID").await;
        assert_eq!(texts(&told), by_http(&server, &pair, (method, &path, body)).await, "{event} {data} and {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_a_cursor_of_a_search_on_the_socket_too() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    for text in ["un bail", "deux baux", "trois baux"] {
        pair.say(text).await;
    }
    let first = pair.left.done("message:search", json!({"query": "bail", "limit": 1})).await;
    let cursor = first["nextCursor"].as_str().expect("more").to_owned();
    let mut found = Vec::new();
    for cursor in [json!(cursor), json!(cursor.parse::<i64>().expect("a number"))] {
        let next = pair.left.done("message:search", json!({"query": "bail", "limit": 1, "cursor": cursor})).await;
        found.push(next["results"][0]["message"]["content"].clone());
    }
    assert_eq!(found, ["deux baux", "deux baux"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_shows_nothing_is_no_value_where_one_is_needed() {
    let server = Server::start().await;
    let pair = server.pair().await;
    let message = pair.left.done("message:send", json!({"conversationId": pair.conversation, "content": "a"})).await;
    let message = message["message"]["id"].as_i64().expect("an id");
    for blank in BLANKS {
        for (event, data, field) in [
            ("message:send", json!({"conversationId": pair.conversation, "content": blank}), "content"),
            ("message:edit", json!({"messageId": message, "content": blank}), "content"),
            ("message:react", json!({"messageId": message, "emoji": blank}), "emoji"),
            ("call:join", json!({"callId": 1, "seat": blank}), "seat"),
            ("call:signal", json!({"callId": 1, "toSeat": blank, "data": {}}), "toSeat"),
            ("auth:refresh", json!({ "token": blank }), "token"),
        ] {
            let refused = pair.left.refused(event, &data, "INVALID").await;
            assert_eq!(refused["details"][0]["field"], field, "{event} {blank:?}");
        }
        let typed: String = blank.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let upload = format!("/attachments?conversationId={}&size=3&name={typed}", pair.conversation);
        let device = json!({"kind": "fcm", "registration": "x", "name": blank});
        for (method, path, body, field) in [
            ("POST", upload.as_str(), None, "name"),
            ("PATCH", "/users/me", Some(json!({ "name": blank })), "name"),
            ("POST", "/notifications/devices", Some(device), "name"),
            ("POST", "/auth/refresh-token", Some(json!({ "refreshToken": blank })), "refreshToken"),
        ] {
            let refused = server.request(&pair.client, method, path, body.as_ref()).await.expect(400).json();
            assert_eq!(refused["details"][0]["field"], field, "{method} {path} {blank:?}");
        }
    }
}
