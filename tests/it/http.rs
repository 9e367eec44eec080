//! What surrounds every answer: headers, limits, names, methods.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::server::Server;
use crate::support::http::{self, Reply};

/// Sends bytes as they are and reads until the server closes.
async fn raw(server: &Server, request: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(server.at).await.expect("a connection");
    // The server may refuse and close before it has read everything.
    let _sent = stream.write_all(request).await;
    let mut bytes = Vec::new();
    let _received = stream.read_to_end(&mut bytes).await;
    http::parse(&bytes).unwrap_or_else(|| panic!("no answer in {:?}", String::from_utf8_lossy(&bytes)))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_answer_carries_the_security_headers() {
    let server = Server::start().await;
    for path in [
        "/",
        "/healthz",
        "/nothing",
        "/conversations",
        "/api",
        "/openapi.json",
        "/socket.io/?EIO=4&transport=polling",
        "/socket.io/?EIO=9",
        "/socket.io/socket.io.js",
        "/messages/x",
    ] {
        let reply = http::get(server.at, path).send().await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("x-demo-accounts", "active"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{path} {name}");
        }
        let policy = reply.header("content-security-policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{path}: {policy}");
        assert!(reply.header("permissions-policy").is_some(), "{path}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_opens_at_every_address_of_the_client_and_is_revalidated() {
    let server = Server::start().await;
    let page = http::get(server.at, "/").send().await.expect(200);
    for path in ["/test-websocket.html", "/c/3", "/c/3/m/9", "/recherche?q=bail", "/moi", "/admin"] {
        assert_eq!(http::get(server.at, path).send().await.expect(200).body, page.body, "{path}");
    }
    let etag = page.header("etag").expect("a tag").to_owned();
    http::get(server.at, "/").header("If-None-Match", &etag).send().await.expect(304);
    let lost = http::get(server.at, "/nowhere").header("Accept", "text/html,*/*").send().await.expect(404);
    assert_eq!(lost.body, page.body, "a person is shown a page");
    let head = http::ask(server.at, "HEAD", "/").send().await.expect(200);
    assert!(head.body.is_empty() && head.header("etag") == Some(etag.as_str()));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_methods_are_told_the_right_ones() {
    let server = Server::start().await;
    let reply = http::ask(server.at, "DELETE", "/conversations").send().await.expect(405);
    assert_eq!(reply.header("allow"), Some("GET, HEAD, POST"));
    let options = http::ask(server.at, "OPTIONS", "/messages/1").send().await.expect(204);
    assert_eq!(options.header("allow"), Some("GET, HEAD, PATCH, DELETE"));
    http::ask(server.at, "BREW", "/nothing").send().await.expect(404);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_origins_read_only_where_they_are_allowed() {
    let server = Server::start_with(&["--allow-origin", "https://app.example"]).await;
    for (origin, allowed) in [
        ("https://app.example", true),
        ("http://localhost:5173", true),
        ("https://app.example.evil.example", false),
        ("http://app.example", false),
    ] {
        let reply = http::get(server.at, "/conversations").header("Origin", origin).send().await.expect(401);
        assert_eq!(reply.header("access-control-allow-origin"), allowed.then_some(origin), "{origin}");
        let preflight = http::ask(server.at, "OPTIONS", "/messages").header("Origin", origin);
        let preflight = preflight.header("Access-Control-Request-Method", "POST").send().await.expect(204);
        assert_eq!(preflight.header("access-control-allow-methods").is_some(), allowed, "{origin}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_name_for_this_machine_reaches_nothing() {
    let server = Server::start().await;
    for (host, status) in
        [("evil.example", 421), ("127.0.0.1.evil.example:80", 421), ("localhost:1", 200), ("[::1]", 200)]
    {
        let request = format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert_eq!(raw(&server, request.as_bytes()).await.status, status, "{host}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_bounded_however_they_are_framed() {
    let server = Server::start().await;
    let large = json!({"email": "x".repeat(400_000), "password": "y"});
    let reply = http::post(server.at, "/auth/sign-in", &large).send().await.expect(413);
    assert_eq!(reply.json()["code"], "TOO_LARGE");
    let mut chunked = b"POST /auth/sign-in HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
        Transfer-Encoding: chunked\r\n\r\n"
        .to_vec();
    for _ in 0..20 {
        chunked.extend_from_slice(format!("8000\r\n{}\r\n", " ".repeat(0x8000)).as_bytes());
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(raw(&server, &chunked).await.expect(413).json()["code"], "TOO_LARGE");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in ["", "{", "[]", "null", "\"x\"", "{\"email\":", &format!("{{\"email\":{deep}}}"), "\u{0}"] {
        let reply = http::ask(server.at, "POST", "/auth/sign-in").body(body.as_bytes().to_vec()).send().await;
        assert_eq!(reply.expect(400).json()["code"], "INVALID");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_are_bounded() {
    let server = Server::start().await;
    let many = "X-A: b\r\n".repeat(2_000);
    let reply = raw(&server, format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n").as_bytes()).await;
    assert!(matches!(reply.status, 400 | 431), "{}", reply.status);
    let long = "a".repeat(100_000);
    let reply = raw(&server, format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-A: {long}\r\n\r\n").as_bytes()).await;
    assert!(matches!(reply.status, 400 | 431), "{}", reply.status);
    http::get(server.at, "/healthz").send().await.expect(200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_to_speak_http2_is_ignored() {
    let server = Server::start().await;
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings, close\r\n\
        Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n";
    assert_eq!(raw(&server, request).await.expect(200).text(), "ok\n");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_field_is_named_in_the_callers_language() {
    let server = Server::start().await;
    let reply = http::post(server.at, "/auth/sign-in", &json!({"password": 1})).header("Accept-Language", "en");
    let body = reply.send().await.expect(400).json();
    assert_eq!(body["details"][0], json!({"field": "email", "message": "is required"}));
    assert_eq!(body["details"][1], json!({"field": "password", "message": "must be a text"}));
    let french = http::post(server.at, "/auth/sign-in", &json!({})).send().await.expect(400).json();
    assert_eq!(french["details"][0]["message"], "est requis");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_hold_numbers_and_nothing_else() {
    let server = Server::start().await;
    let person = server.sign_in("client1").await;
    server.request(&person, "GET", "/conversations/77", None).await.expect(404);
    let text = http::get(server.at, "/metrics").send().await.expect(200).text();
    for named in [
        "lexchat_http_answers_total{class=\"4xx\"} 1",
        "lexchat_http_refused_total{code=\"NOT_FOUND\",reason=\"NotFound\"} 1",
        "lexchat_messages_total 0",
        "lexchat_sockets 0",
        "lexchat_queue_bytes 0",
        "lexchat_socket_refused_total{code=\"NOT_FOUND\"} 0",
        "lexchat_changes_waiting 0",
    ] {
        assert!(text.lines().any(|line| line == named), "{named} in {text}");
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (_, value) = line.rsplit_once(' ').expect("a name and a value");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
    assert!(!text.contains("client1") && !text.contains("127.0.0.1"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_sockets_and_what_they_were_refused() {
    let server = Server::start().await;
    let person = server.sign_in("client1").await;
    let socket = server.socket(&person).await;
    let refused = socket.ask("conversation:history", json!({"conversationId": 77})).await;
    assert_eq!(refused["code"], "NOT_FOUND");
    let metrics = http::get(server.at, "/metrics").send().await.expect(200).text();
    for named in ["lexchat_sessions 1", "lexchat_sockets 1", "lexchat_socket_refused_total{code=\"NOT_FOUND\"} 1"] {
        assert!(metrics.lines().any(|line| line == named), "{named} in {metrics}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_show_how_much_waits_for_those_who_do_not_read() {
    let server = Server::start().await;
    let person = server.sign_in("client1").await;
    let opened = http::get(server.at, "/socket.io/?EIO=4&transport=polling").send().await.expect(200).text();
    let opened: serde_json::Value = serde_json::from_str(&opened[1..]).expect("an opening packet");
    let path = format!("/socket.io/?EIO=4&transport=polling&sid={}", opened["sid"].as_str().expect("a sid"));
    let connect = format!("40/chat,{}", json!({"token": person.token}));
    http::ask(server.at, "POST", &path).body(connect.into_bytes()).send().await.expect(200);
    let waiting = async {
        loop {
            let metrics = http::get(server.at, "/metrics").send().await.expect(200).text();
            let line = metrics.lines().find(|line| line.starts_with("lexchat_queue_bytes ")).expect("a line");
            if line != "lexchat_queue_bytes 0" {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    let patience = std::time::Duration::from_secs(20);
    tokio::time::timeout(patience, waiting).await.expect("the answer waits for a poll");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_for_this_machine_unless_the_operators_token_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    std::fs::write(&token, "ein-langes-geheimnis\n").expect("a file");
    let token = token.to_str().expect("UTF-8");
    // A proxy that is trusted speaks for people elsewhere.
    let server = Server::start_with(&["--trust-proxy", "127.0.0.1", "--metrics-token-file", token]).await;
    http::get(server.at, "/metrics").header("X-Forwarded-For", "203.0.113.9").send().await.expect(401);
    http::get(server.at, "/metrics").token("falsch").send().await.expect(401);
    http::get(server.at, "/metrics").token("ein-langes-geheimnis").send().await.expect(200);
    server.stop().await;
}
