//! The edges of HTTP: what is refused before anybody asks what it wants, in the contract's words, and so that it arrives.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::harness::server::Server;
use crate::support::http::{self, Reply};
use crate::support::people::Person;

const PATIENCE: Duration = Duration::from_secs(20);

/// Sends bytes as they are and reads until the server closes.
async fn raw(server: &Server, request: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(server.at).await.expect("a connection");
    stream.write_all(request).await.expect("all of it is taken");
    let mut bytes = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("an end").expect("no reset");
    http::parse(&bytes).unwrap_or_else(|| panic!("no answer in {:?}", String::from_utf8_lossy(&bytes)))
}

fn upload(server: &Server, person: &Person, query: &str) -> http::Ask {
    http::ask(server.at, "POST", &format!("/attachments?conversationId=1&{query}")).token(&person.token)
}

/// An error body with everything that each has.
fn code(reply: &Reply) -> String {
    let body = reply.json();
    assert_eq!(body["statusCode"], reply.status, "{body}");
    assert!(body["error"].is_string() && body["message"].is_string(), "{body}");
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{body}");
    body["code"].as_str().expect("a code").to_owned()
}

fn named(reply: &Reply) -> Vec<String> {
    let details = reply.json()["details"].as_array().cloned().unwrap_or_default();
    details.iter().filter_map(|detail| detail["field"].as_str().map(str::to_owned)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_method_is_allowed_or_told_the_allowed_ones() {
    let server = Server::start().await;
    for path in ["/conversations", "/messages/1", "/attachments", "/", "/healthz", "/messages/1/reactions/x", "/c/1"] {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "BREW", "TRACE"] {
            let reply = http::ask(server.at, method, path).send().await;
            let Some(allowed) = reply.header("allow") else {
                assert_ne!(reply.status, 405, "{method} {path}");
                continue;
            };
            let allowed: Vec<&str> = allowed.split(", ").collect();
            assert!(reply.status == 405 && !allowed.contains(&method), "{method} {path}: {allowed:?}");
            if method != "HEAD" {
                assert_eq!(code(&reply), "METHOD_NOT_ALLOWED");
            }
            for other in allowed {
                assert_ne!(http::ask(server.at, other, path).send().await.status, 405, "{other} {path}");
            }
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_cannot_be_decoded_is_not_found_by_any_method() {
    let server = Server::start().await;
    for path in
        ["/x%2f", "/%2f", "/messages%00", "/%ff", "/a%5cb", "/conversations/%2e%2f", "/%c0%af", "/%", "/%zz", "//%2f"]
    {
        for method in ["GET", "POST", "OPTIONS", "DELETE"] {
            let reply = http::ask(server.at, method, path).send().await.expect(404);
            assert_eq!((code(&reply).as_str(), reply.header("allow")), ("NOT_FOUND", None), "{method} {path}");
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packed_body_is_refused_and_nothing_of_it_kept() {
    let server = Server::start().await;
    let pair = server.pair().await;
    let message = json!({"conversationId": 1, "content": "x"});
    for coding in ["gzip", "br", "zstd", "deflate, gzip", "x"] {
        let file = upload(&server, &pair.client, "name=a.txt").header("Content-Encoding", coding).body(vec![7; 99]);
        let text = http::post(server.at, "/messages", &message).token(&pair.client.token);
        for ask in [file, text.header("Content-Encoding", coding)] {
            let reply = ask.send().await.expect(415);
            assert_eq!((code(&reply).as_str(), named(&reply)), ("UNSUPPORTED", vec!["Content-Encoding".to_owned()]));
        }
    }
    let begun = upload(&server, &pair.client, "name=b.txt&size=99").send().await.expect(201).json();
    let part = format!("/attachments/{}?offset=0", begun["id"]);
    let part = http::ask(server.at, "PATCH", &part).token(&pair.client.token).body(vec![7; 99]);
    let reply = part.clone().header("Content-Encoding", "gzip").send().await.expect(415);
    assert_eq!(code(&reply), "UNSUPPORTED");
    assert_eq!(part.send().await.expect(200).json()["file"]["size"], 99, "nothing of it was kept");
    let plain = upload(&server, &pair.client, "name=a.txt").header("Content-Encoding", "identity").body(vec![7; 99]);
    assert_eq!(plain.send().await.expect(201).json()["size"], 99);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_taken_with_its_boundary_and_one_file_only() {
    let server = Server::start().await;
    let pair = server.pair().await;
    for kind in ["multipart/form-data", "Multipart/Form-Data; charset=utf-8", "multipart/mixed; boundary=x"] {
        let ask = upload(&server, &pair.client, "name=a.txt").header("Content-Type", kind).body(b"--x--".to_vec());
        let reply = ask.send().await.expect(415);
        assert_eq!((code(&reply).as_str(), named(&reply)), ("UNSUPPORTED", vec!["Content-Type".to_owned()]), "{kind}");
    }
    let part = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nun\r\n";
    let form = |body: String| {
        let ask = upload(&server, &pair.client, "").header("Content-Type", "multipart/form-data; boundary=x");
        ask.body(body.into_bytes()).send()
    };
    for body in [format!("{part}{part}--x--\r\n"), "--x--\r\n".to_owned(), part.to_owned()] {
        let reply = form(body.clone()).await.expect(400);
        assert_eq!((code(&reply).as_str(), named(&reply)), ("INVALID", vec!["file".to_owned()]), "{body}");
    }
    form(format!("{part}--x--\r\n")).await.expect(201);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_older_programs_keep_their_letters() {
    let server = Server::start().await;
    let pair = server.pair().await;
    let asked = upload(&server, &pair.client, "name=caf%E9%20n%B0%201.pdf").body(vec![7]).send().await.expect(201);
    assert_eq!(asked.json()["name"], "café n° 1.pdf");
    for name in [&b"caf\xe9.pdf"[..], "café.pdf".as_bytes(), b"caf%E9.pdf"] {
        let body =
            [b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"", name, b"\"\r\n\r\nun\r\n--x--\r\n"];
        let ask = upload(&server, &pair.client, "").header("Content-Type", "multipart/form-data; boundary=x");
        let reply = ask.body(body.concat()).send().await.expect(201);
        assert_eq!(reply.json()["name"], "café.pdf");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_read_whatever_it_calls_itself_and_what_is_wrong_is_named() {
    let server = Server::start().await;
    let good = json!({"email": "client1@example.com", "password": "Pass123!"}).to_string();
    for (kind, body) in [
        ("text/plain", good.clone()),
        ("application/x-www-form-urlencoded", good.clone()),
        ("application/json; charset=latin1", good.clone()),
        ("application/json", format!("\u{feff}{good}")),
    ] {
        let ask = http::ask(server.at, "POST", "/auth/sign-in").header("Content-Type", kind);
        ask.body(body.into_bytes()).send().await.expect(200);
    }
    for (body, fields) in [
        (r#"{"email":"\ud83d","password":"x"}"#, vec!["email"]),
        ("null", vec!["email", "password"]),
        ("{\"email\":", vec!["body"]),
    ] {
        let reply = http::ask(server.at, "POST", "/auth/sign-in").body(body.as_bytes().to_vec()).send().await;
        assert_eq!(
            (code(&reply).as_str(), named(&reply)),
            ("INVALID", fields.iter().map(|f| (*f).to_owned()).collect())
        );
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_with_two_meanings_is_refused_and_ends_the_connection() {
    let server = Server::start().await;
    let second = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    for (line, head) in [
        ("GET / HTTP/1.1", "Accept: */*\r\n"),
        ("GET / HTTP/1.1", "Host:\r\n"),
        ("GET / HTTP/1.1", "Host: localhost\r\nHost: evil.example\r\n"),
        ("GET / HTTP/1.1", "Host: localhost\r\nHost: localhost\r\n"),
        ("GET / HTTP/1.1", "Host: localhost/x\r\n"),
        ("GET / HTTP/1.1", "Host: a@localhost\r\n"),
        ("GET http://evil.example/ HTTP/1.1", "Host: localhost\r\n"),
        ("POST /auth/sign-in HTTP/1.1", "Host: localhost\r\nTransfer-Encoding: gzip, chunked\r\n"),
        ("POST /auth/sign-in HTTP/1.1", "Host: localhost\r\nTransfer-Encoding: chunked, chunked\r\n"),
        (
            "POST /auth/sign-in HTTP/1.1",
            "Host: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        ),
        ("POST /auth/sign-in HTTP/1.1", "Host: localhost\r\nTransfer-Encoding: identity\r\n"),
    ] {
        let body = if line.starts_with("POST") { "0\r\n\r\n" } else { "" };
        let reply = raw(&server, format!("{line}\r\n{head}\r\n{body}{second}").as_bytes()).await;
        assert_eq!((reply.status, code(&reply).as_str()), (400, "INVALID"), "{line} {head}");
        assert!(!reply.text().contains("ok\n"), "{line} {head}: a second request was answered");
    }
    raw(&server, b"GET /healthz HTTP/1.0\r\n\r\n").await.expect(200);
    let chunked = "POST /auth/sign-in HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: Chunked\r\n\r\n\
        2\r\n{}\r\n0\r\n\r\n";
    assert_eq!(named(&raw(&server, chunked.as_bytes()).await.expect(400)), ["email", "password"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_cannot_be_read_is_refused_in_the_same_words_as_all_else() {
    let server = Server::start().await;
    let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(70_000));
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X-A: b\r\n".repeat(2_000));
    for (head, statuses, expected) in [
        ("NONSENSE\r\n\r\n", &[400][..], "INVALID"),
        ("GET / HTTP/9.9\r\n\r\n", &[400], "INVALID"),
        ("GET / HTTP/1.1\r\nHost: localhost\r\n bad\r\n\r\n", &[400], "INVALID"),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", &[400], "INVALID"),
        (&many, &[431], "TOO_LARGE"),
        (&long, &[414, 431], "TOO_LARGE"),
    ] {
        // Also behind a request that was answered, on the same connection.
        for before in ["", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
            let mut stream = TcpStream::connect(server.at).await.expect("a connection");
            stream.write_all(before.as_bytes()).await.expect("sent");
            let mut bytes = Vec::new();
            while !before.is_empty() && !bytes.ends_with(b"ok\n") {
                assert_ne!(stream.read_buf(&mut bytes).await.expect("an answer"), 0);
            }
            bytes.clear();
            // The server may close before it has read everything.
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("an end");
            let reply = http::parse(&bytes).unwrap_or_else(|| panic!("{:.40} {bytes:?}", head));
            assert!(statuses.contains(&reply.status), "{:.40}: {}", head, reply.status);
            assert_eq!(code(&reply), expected, "{head:.40}");
            assert!(
                reply.header("date").is_some() && reply.header("connection") == Some("close"),
                "{:?}",
                reply.headers
            );
            assert!(reply.header("content-security-policy").is_some());
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_text_that_looks_like_a_refusal_is_a_text() {
    let server = Server::start().await;
    let pair = server.pair().await;
    let text = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n".repeat(9_000);
    let file = upload(&server, &pair.client, "name=a.txt").body(text.clone()).send().await.expect(201).json();
    let path = file["url"].as_str().expect("an address");
    assert!(server.request(&pair.client, "GET", path, None).await.expect(200).body == text);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_another_server_is_told_the_way_out() {
    let server = Server::start().await;
    let reply = raw(&server, b"GET / HTTP/1.1\r\nHost: chat.example\r\nConnection: close\r\n\r\n").await.expect(421);
    assert_eq!(code(&reply), "MISDIRECTED");
    assert!(reply.text().contains("--public-url https://chat.example"), "{}", reply.text());
    server.stop().await;
}

/// Sends all of a request before it reads anything, as proxies do.
async fn stubborn(server: &Server, head: &str, body: impl Iterator<Item = Vec<u8>>) -> Reply {
    let mut stream = TcpStream::connect(server.at).await.expect("a connection");
    stream.write_all(head.as_bytes()).await.expect("sent");
    for piece in body {
        stream.write_all(&piece).await.expect("the server reads on");
    }
    let mut bytes = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("an end").expect("no reset");
    http::parse(&bytes).expect("an answer")
}

fn chunks(count: usize) -> impl Iterator<Item = Vec<u8>> {
    let chunk = [&b"10000\r\n"[..], &[7; 0x10000], b"\r\n"].concat();
    std::iter::repeat_n(chunk, count).chain(std::iter::once(b"0\r\n\r\n".to_vec()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_reaches_whoever_sends_all_of_a_body_first() {
    let server = Server::start_with(&["--file-size", "9000000", "--user-quota", "2000000"]).await;
    let pair = server.pair().await;
    let head = |token: &str, length: &str| {
        format!(
            "POST /attachments?conversationId=1&name=a.bin HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             {length}\r\n\r\n"
        )
    };
    let chunked = "Transfer-Encoding: chunked";
    for (token, length, code) in [
        ("x", "Content-Length: 20000000", "UNAUTHENTICATED"),
        (pair.client.token.as_str(), "Content-Length: 20000000", "TOO_LARGE"),
        (pair.client.token.as_str(), "Content-Length: 8000000", "TOO_LARGE"),
    ] {
        let size: usize = length.rsplit(' ').next().and_then(|size| size.parse().ok()).expect("a size");
        let body = std::iter::repeat_n(vec![7; 100_000], size / 100_000);
        let reply = stubborn(&server, &head(token, length), body).await;
        assert_eq!(
            (reply.json()["code"].as_str(), reply.header("connection")),
            (Some(code), Some("close")),
            "{length}"
        );
    }
    for (token, count, code) in [
        ("x", 400, "UNAUTHENTICATED"),
        (pair.client.token.as_str(), 60, "TOO_LARGE"),
        (&pair.client.token, 300, "TOO_LARGE"),
    ] {
        let reply = stubborn(&server, &head(token, chunked), chunks(count)).await;
        assert_eq!(reply.json()["code"], code, "{count} chunks, refused in the middle");
    }
    let stopping = Instant::now();
    server.stop().await;
    // Who lingers otherwise does so for five seconds at least.
    assert!(stopping.elapsed() < Duration::from_secs(4), "nobody lingers at a stop");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_body_that_nobody_wanted_does_not_end_the_connection() {
    let server = Server::start().await;
    let pair = server.pair().await;
    let request = format!(
        "PATCH /conversations/1/mark-as-read HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Length: 2\r\n\r\n{{}}",
        pair.client.token
    );
    let last = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut stream = TcpStream::connect(server.at).await.expect("a connection");
    stream.write_all(request.repeat(2).as_bytes()).await.expect("sent");
    stream.write_all(last.as_bytes()).await.expect("sent");
    let mut text = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut text)).await.expect("an end").expect("text");
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 3, "{text}");
    server.stop().await;
}

/// How long the server lets a connection be that was opened then, or a moment later.
async fn kept_for(stream: &mut TcpStream, since: Instant) -> Duration {
    let _ = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await.expect("an end");
    since.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_asks_nothing_is_closed_soon_and_one_that_asked_later() {
    let server = Server::start_with(&["--first-request-timeout", "1", "--idle-timeout", "8"]).await;
    let since = Instant::now();
    let mut silent = TcpStream::connect(server.at).await.expect("a connection");
    let mut dripping = TcpStream::connect(server.at).await.expect("a connection");
    dripping.write_all(b"GET / HT").await.expect("sent");
    let mut asked = TcpStream::connect(server.at).await.expect("a connection");
    asked.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sent");
    let (silent, dripping, asked) =
        tokio::join!(kept_for(&mut silent, since), kept_for(&mut dripping, since), kept_for(&mut asked, since));
    for kept in [silent, dripping] {
        assert!(kept >= Duration::from_millis(900) && kept < Duration::from_secs(6), "{kept:?}");
    }
    assert!(asked >= Duration::from_millis(7_900), "{asked:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_a_trusted_proxy_stay_open_before_and_between_requests() {
    let server = Server::start_with(&[
        "--trust-proxy",
        "127.0.0.1",
        "--first-request-timeout",
        "1",
        "--idle-timeout",
        "1",
        "--connections-per-address",
        "1",
    ])
    .await;
    let mut pool = Vec::new();
    for _ in 0..5 {
        pool.push(TcpStream::connect(server.at).await.expect("a connection"));
    }
    for stream in &mut pool {
        let closed = timeout(Duration::from_millis(600), stream.read_u8()).await;
        assert!(closed.is_err(), "still open");
    }
    let mut stream = pool.remove(0);
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("text");
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_and_asks_is_served_whatever_one_address_holds_open() {
    let server = Server::start_with(&["--connections-per-address", "3", "--first-request-timeout", "60"]).await;
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(TcpStream::connect(server.at).await.expect("a connection"));
    }
    let (oldest, youngest) = held.split_at_mut(5);
    // Long before its time is over.
    for stream in oldest {
        kept_for(stream, Instant::now()).await;
    }
    for stream in youngest {
        assert!(timeout(Duration::from_millis(200), stream.read_u8()).await.is_err(), "within the bound");
    }
    for _ in 0..5 {
        http::get(server.at, "/healthz").send().await.expect(200);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_behind_a_trusted_proxy_is_the_servers_own_however_the_proxy_says_so() {
    let server = Server::start_with(&["--trust-proxy", "127.0.0.1"]).await;
    for (name, value) in [
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Proto", "HTTPS"),
        ("X-Forwarded-Proto", "wss"),
        ("X-Forwarded-Proto", "https, http"),
        ("Forwarded", "for=192.0.2.1;proto=https;host=chat.example"),
    ] {
        let ask = http::get(server.at, "/socket.io/?EIO=4&transport=polling").header("Origin", "https://chat.example");
        let ask = ask.header("X-Forwarded-Host", "chat.example").header(name, value);
        assert_eq!(ask.send().await.status, 200, "{name}: {value}");
    }
    let other = http::get(server.at, "/socket.io/?EIO=4&transport=polling").header("Origin", "https://other.example");
    other.header("X-Forwarded-Host", "chat.example").header("X-Forwarded-Proto", "https").send().await.expect(403);
    let direct = Server::start().await;
    let forged = http::get(direct.at, "/socket.io/?EIO=4&transport=polling").header("Origin", "https://chat.example");
    forged.header("X-Forwarded-Host", "chat.example").header("X-Forwarded-Proto", "https").send().await.expect(403);
    server.stop().await;
    direct.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_for_the_operator_are_told_to_this_machine_alone() {
    for (flags, headers, status) in [
        (&[][..], &[][..], 200),
        (&[], &[("X-Forwarded-For", "203.0.113.9")][..], 401),
        (&[], &[("Forwarded", "for=203.0.113.9")], 401),
        (&[], &[("Via", "1.1 proxy")], 401),
        (&[], &[("CF-Connecting-IP", "203.0.113.9")], 401),
        (&[], &[("True-Client-IP", "203.0.113.9")], 401),
        (&["--public-url", "http://localhost:9"], &[], 401),
        (&["--trust-proxy", "10.0.0.1"], &[], 401),
    ] {
        let server = Server::start_with(flags).await;
        let mut ask = http::get(server.at, "/metrics");
        for (name, value) in headers {
            ask = ask.header(name, value);
        }
        assert_eq!(ask.send().await.status, status, "{flags:?} {headers:?}");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_this_machine_pass_only_while_nobody_else_is_meant() {
    for (flags, status) in
        [(&[][..], 200), (&["--public-url", "https://chat.example"], 403), (&["--trust-proxy", "127.0.0.1"], 403)]
    {
        let server = Server::start_with(flags).await;
        for origin in ["http://localhost:9", "http://127.0.0.1:5173", "null"] {
            let ask = http::get(server.at, "/socket.io/?EIO=4&transport=polling").header("Origin", origin);
            assert_eq!(ask.send().await.status, status, "{flags:?} {origin}");
        }
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn apps_are_let_in_by_name() {
    let server = Server::start_with(&["--allow-origin", "capacitor://localhost,app://."]).await;
    for (origin, status) in
        [("capacitor://localhost", 200), ("app://.", 200), ("ionic://localhost", 403), ("tauri://localhost", 403)]
    {
        let ask = http::get(server.at, "/socket.io/?EIO=4&transport=polling").header("Origin", origin);
        let reply = ask.send().await.expect(status);
        assert_eq!(reply.header("access-control-allow-origin").is_some(), status == 200, "{origin}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_for_no_polling_client_and_tells_those_who_come() {
    let server = Server::start_with(&["--sockets-per-address", "2000"]).await;
    let at = server.at;
    // Side by side, so that the first is not given up before the last is there.
    let opening: Vec<_> =
        (0..90).map(|_| tokio::spawn(http::get(at, "/socket.io/?EIO=4&transport=polling").send())).collect();
    let mut paths = Vec::new();
    for opened in opening {
        let opened = opened.await.expect("a task").expect(200).text();
        let opened: serde_json::Value = serde_json::from_str(&opened[1..]).expect("an opening packet");
        paths.push(format!("/socket.io/?EIO=4&transport=polling&sid={}", opened["sid"].as_str().expect("a sid")));
    }
    // A third waits in a poll, a third comes back while the others are told, a third never does.
    let late = paths.split_off(60);
    let gone = paths.split_off(30);
    let waiting: Vec<_> = paths.into_iter().map(|path| tokio::spawn(http::get(at, &path).try_send())).collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let began = Instant::now();
    let stopping = tokio::spawn(server.stop());
    for reply in waiting {
        assert_eq!(reply.await.expect("a task").expect("an answer").text(), "1");
    }
    let late: Vec<_> = late.into_iter().map(|path| tokio::spawn(http::get(at, &path).try_send())).collect();
    for reply in late {
        assert_eq!(reply.await.expect("a task").expect("the port is open while clients are told").text(), "1");
    }
    stopping.await.expect("a task");
    // Whoever waited for them would wait until they are given up.
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    drop(gone);
}
