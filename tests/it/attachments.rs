//! Files over HTTP: in, out, in part, by link, and never to strangers.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::harness::server::{Pair, Server};
use crate::support::http::{self, Reply};
use crate::support::people::Person;

async fn upload(server: &Server, person: &Person, name: &str, bytes: &[u8]) -> Reply {
    let path = format!("/attachments?conversationId=1&name={name}");
    http::ask(server.at, "POST", &path).token(&person.token).body(bytes.to_vec()).send().await
}

/// A server with two people who talk, and a file of the client's that went with a message.
async fn with_file(name: &str, bytes: &[u8]) -> (Server, Pair, Value) {
    let server = Server::start().await;
    let pair = server.pair().await;
    let file = upload(&server, &pair.client, name, bytes).await.expect(201).json();
    let message = json!({"conversationId": 1, "content": "", "files": [file["id"]]});
    server.request(&pair.client, "POST", "/messages", Some(&message)).await.expect(201);
    (server, pair, file)
}

fn address(file: &Value) -> String {
    file["url"].as_str().expect("an address").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_comes_back_byte_for_byte() {
    let bytes: Vec<u8> = (0..700_000_u32).map(|n| (n % 251) as u8).collect();
    let (server, pair, file) = with_file("donn%C3%A9es.bin", &bytes).await;
    assert_eq!(file["size"], 700_000);
    let reply = server.request(&pair.jurist, "GET", &address(&file), None).await.expect(200);
    assert!(reply.body == bytes, "other bytes came back");
    let disposition = reply.header("content-disposition").expect("a disposition");
    assert_eq!(disposition, "attachment; filename=\"donn_es.bin\"; filename*=UTF-8''donn%C3%A9es.bin");
    assert_eq!(reply.header("content-security-policy"), Some("sandbox; default-src 'none'"));
    assert_eq!(reply.header("cache-control"), Some("private, no-store"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_versions_and_heads_are_answered() {
    let (server, pair, file) = with_file("a.txt", b"0123456789").await;
    let get = |range: &str| http::get(server.at, &address(&file)).token(&pair.jurist.token).header("Range", range);
    let part = get("bytes=2-4").send().await.expect(206);
    assert_eq!((part.text().as_str(), part.header("content-range")), ("234", Some("bytes 2-4/10")));
    assert_eq!(get("bytes=-3").send().await.expect(206).text(), "789");
    assert_eq!(get("bytes=10-").send().await.expect(416).header("content-range"), Some("bytes */10"));
    let etag = part.header("etag").expect("a tag").to_owned();
    get("bytes=0-").header("If-None-Match", &etag).send().await.expect(304);
    let changed = get("bytes=0-1").header("If-Range", "\"other\"").send().await.expect(200);
    assert_eq!(changed.text(), "0123456789");
    let head = http::ask(server.at, "HEAD", &address(&file)).token(&pair.jurist.token).send().await.expect(200);
    assert_eq!((head.header("content-length"), head.body.len()), (Some("10"), 0));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_not_as_many_as_was_said_are_no_file() {
    let (server, pair, _) = with_file("a.txt", b"0123456789").await;
    for (size, status) in [(4, 400), (5, 201), (6, 400)] {
        let reply = upload(&server, &pair.client, &format!("b.txt&size={size}"), b"abcde").await.expect(status).json();
        assert_eq!(status == 400, reply["details"][0]["field"] == "size", "{size}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_as_good_as_bare_bytes() {
    let server = Server::start().await;
    let pair = server.pair().await;
    let form = "--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nignored\r\n--x\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"contrat.pdf\"\r\n\r\n%PDF-1.4 bonjour\r\n--x--\r\n";
    let ask = |body: &str| {
        http::ask(server.at, "POST", "/attachments?conversationId=1")
            .token(&pair.client.token)
            .header("Content-Type", "multipart/form-data; boundary=x")
            .body(body.as_bytes().to_vec())
    };
    let file = ask(form).send().await.expect(201).json();
    assert_eq!(
        (&file["name"], &file["mimeType"], &file["size"]),
        (&json!("contrat.pdf"), &json!("application/pdf"), &json!(16))
    );
    for broken in ["", "--x--\r\n", "nonsense", &form[..form.len() - 30], &form.replace("\"file\"", "\"other\"")] {
        ask(broken).send().await.expect(400);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_run_in_a_page_is_saved_and_never_shown() {
    let script = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    let (server, pair, file) = with_file("image.png", script).await;
    let reply = server.request(&pair.client, "GET", &address(&file), None).await.expect(200);
    assert_eq!(reply.header("content-type"), Some("application/octet-stream"));
    assert!(reply.header("content-disposition").is_some_and(|kind| kind.starts_with("attachment;")));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_link_opens_one_file_and_nothing_else() {
    let (server, pair, file) = with_file("a.txt", b"bonjour").await;
    let other = upload(&server, &pair.client, "b.txt", b"autre").await.expect(201).json();
    let path = format!("/attachments/{}/link", file["id"]);
    let link = server.request(&pair.jurist, "POST", &path, None).await.expect(200).json();
    let url = link["url"].as_str().expect("an address");
    assert_eq!(http::get(server.at, url).send().await.expect(200).text(), "bonjour");
    let grant = url.split_once('?').expect("a grant").1;
    http::get(server.at, &format!("{}?{grant}", address(&other))).send().await.expect(401);
    http::get(server.at, &format!("{}?grant=x", address(&file))).send().await.expect(401);
    http::get(server.at, &address(&file)).send().await.expect(401);
    let stranger = server.sign_in("client2").await;
    server.request(&stranger, "GET", &address(&file), None).await.expect(404);
    // Whoever signs out takes their links with them.
    server.request(&pair.jurist, "POST", "/auth/sign-out", None).await.expect(204);
    http::get(server.at, url).send().await.expect(401);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_over_the_limit_are_refused_whether_or_not_their_size_was_told() {
    let server = Server::start_with(&["--file-size", "1000"]).await;
    let pair = server.pair().await;
    upload(&server, &pair.client, "a.bin", &[7; 1_000]).await.expect(201);
    assert_eq!(upload(&server, &pair.client, "a.bin", &[7; 1_001]).await.expect(413).json()["code"], "TOO_LARGE");
    let ask = http::ask(server.at, "POST", "/attachments?conversationId=1&name=a.bin").token(&pair.client.token);
    let form = format!(
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n{}\r\n--x--\r\n",
        "x".repeat(1_001)
    );
    let form = ask.header("Content-Type", "multipart/form-data; boundary=x").body(form.into_bytes());
    form.send().await.expect(413);
    server.stop().await;
}

/// The files of an archive in which nothing is packed, by its directory.
fn unzip(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let number = |at: usize, width: usize| bytes[at..at + width].iter().rev().fold(0, |n, b| n << 8 | usize::from(*b));
    let end = bytes.len() - 22;
    let mut at = number(end + 16, 4);
    let mut files = Vec::new();
    for _ in 0..number(end + 10, 2) {
        assert_eq!(&bytes[at..at + 4], b"PK\x01\x02");
        let (checksum, size, name, header) =
            (number(at + 16, 4), number(at + 24, 4), number(at + 28, 2), number(at + 42, 4));
        let text = |at: usize| String::from_utf8(bytes[at..at + name].to_vec()).expect("UTF-8");
        assert_eq!((&bytes[header..header + 4], text(header + 30)), (&b"PK\x03\x04"[..], text(at + 46)));
        let start = header + 30 + name + number(header + 28, 2);
        let body = bytes[start..start + size].to_vec();
        let mut sum = flate2::Crc::new();
        sum.update(&body);
        assert_eq!((sum.sum() as usize, number(header + 14, 4)), (checksum, checksum));
        files.push((text(at + 46), body));
        at += 46 + name + number(at + 30, 2);
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_a_conversation_are_listed_and_come_in_one_archive() {
    let large: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let (server, pair, first) = with_file("contrat.pdf", &large).await;
    let mut ids = vec![first["id"].clone()];
    for (name, bytes) in [("Contrat.pdf", &b"deux"[..]), ("vide.txt", b""), ("%C3%A9t%C3%A9.txt", b"trois")] {
        let file = upload(&server, &pair.jurist, name, bytes).await.expect(201).json();
        let message = json!({"conversationId": 1, "content": "", "files": [file["id"]]});
        server.request(&pair.jurist, "POST", "/messages", Some(&message)).await.expect(201);
        ids.insert(0, file["id"].clone());
    }
    upload(&server, &pair.client, "pas-envoy%C3%A9.txt", b"x").await.expect(201);
    let page = server.request(&pair.client, "GET", "/conversations/1/files?limit=3", None).await.expect(200);
    let next = page.header("link").expect("more").to_owned();
    let mut seen = page.json().as_array().expect("a list").clone();
    let path = next.trim_start_matches('<').split('>').next().expect("an address");
    let rest = server.request(&pair.client, "GET", path, None).await.expect(200);
    assert_eq!(rest.header("link"), None);
    seen.extend(rest.json().as_array().expect("a list").clone());
    assert_eq!(seen.iter().map(|file| file["id"].clone()).collect::<Vec<_>>(), ids);
    assert!(
        seen.iter()
            .all(|file| file["messageId"].is_i64() && file["senderId"].is_i64() && file["createdAt"].is_string())
    );

    let link = json!({"what": "files"});
    let link = server.request(&pair.client, "POST", "/conversations/1/link", Some(&link)).await.expect(200).json();
    let url = link["url"].as_str().expect("an address");
    let archive = http::get(server.at, url).send().await.expect(200);
    let expected = [
        ("contrat.pdf", large.as_slice()),
        ("Contrat (2).pdf", b"deux"),
        ("vide.txt", b""),
        ("été.txt", "trois".as_bytes()),
    ];
    assert_eq!(archive.header("content-length"), Some(archive.body.len().to_string().as_str()));
    assert!(unzip(&archive.body) == expected.map(|(name, bytes)| (name.to_owned(), bytes.to_vec())));
    // The link leads nowhere else, and nobody else comes in without it.
    let grant = url.split_once('?').expect("a grant").1;
    http::get(server.at, &format!("{}?{grant}", address(&first))).send().await.expect(401);
    http::get(server.at, &format!("/conversations/2/files.zip?{grant}")).send().await.expect(401);
    let other = json!({"what": "all"});
    let refused = server.request(&pair.client, "POST", "/conversations/1/link", Some(&other)).await.expect(400).json();
    assert_eq!(refused["details"][0]["field"], "what");
    server.stop().await;
}

/// How far an upload is, by its header.
async fn offset_of(server: &Server, person: &Person, id: &Value) -> u64 {
    let reply =
        http::ask(server.at, "HEAD", &format!("/attachments/{id}")).token(&person.token).send().await.expect(200);
    assert!(reply.body.is_empty());
    reply.header("upload-offset").and_then(|offset| offset.parse().ok()).expect("an offset")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_where_a_cut_and_a_restart_have_left_it() {
    let bytes: Vec<u8> = (0..700_000_u32).map(|n| (n % 251) as u8).collect();
    let server = Server::start().await;
    let pair = server.pair().await;
    let path = "/attachments?conversationId=1&name=plan.bin&size=700000";
    let begun = server.request(&pair.client, "POST", path, None).await.expect(201).json();
    assert_eq!((&begun["offset"], &begun["file"]), (&json!(0), &Value::Null));
    let id = begun["id"].clone();

    // The connection breaks after 300 000 of the bytes.
    let head = format!(
        "PATCH /attachments/{id}?offset=0 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Length: 700000\r\n\r\n",
        pair.client.token
    );
    let mut broken = tokio::net::TcpStream::connect(server.at).await.expect("a connection");
    broken.write_all(head.as_bytes()).await.expect("the head");
    broken.write_all(&bytes[..300_000]).await.expect("some bytes");
    drop(broken);
    let arrived = async { while offset_of(&server, &pair.client, &id).await != 300_000 {} };
    tokio::time::timeout(crate::support::PATIENCE, arrived).await.expect("what came is kept");

    let server = server.restart(&["--message-rate", "0"]).await;
    let client = server.sign_in("client1").await;
    assert_eq!(offset_of(&server, &client, &id).await, 300_000);
    let patch = |offset: u64, part: &[u8]| {
        let path = format!("/attachments/{id}?offset={offset}");
        http::ask(server.at, "PATCH", &path).token(&client.token).body(part.to_vec())
    };
    for wrong in [0, 299_999, 300_001] {
        let refused = patch(wrong, &bytes[300_000..]).send().await.expect(409).json();
        assert_eq!((&refused["code"], &refused["offset"]), (&json!("CONFLICT"), &json!(300_000)));
    }
    patch(300_000, &[0; 400_001]).send().await.expect(413);
    assert_eq!(patch(300_000, &bytes[300_000..500_000]).send().await.expect(200).json()["offset"], 500_000);
    // What is not complete goes with no message.
    let message = json!({"conversationId": 1, "content": "", "files": [id]});
    server.request(&client, "POST", "/messages", Some(&message)).await.expect(409);
    let done = patch(500_000, &bytes[500_000..]).send().await.expect(200).json();
    assert_eq!((&done["offset"], &done["file"]["size"]), (&json!(700_000), &json!(700_000)));
    // An answer that was lost is given again.
    assert_eq!(patch(700_000, &[]).send().await.expect(200).json(), done);
    server.request(&client, "POST", "/messages", Some(&message)).await.expect(201);
    let jurist = server.sign_in("juriste1").await;
    let reply = server.request(&jurist, "GET", &address(&done["file"]), None).await.expect(200);
    assert!(reply.body == bytes, "other bytes came back");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_its_senders_alone_has_limits_and_can_be_given_up() {
    let server = Server::start_with(&["--file-size", "1000", "--message-rate", "0"]).await;
    let pair = server.pair().await;
    let announce = async |size: u64| {
        let path = format!("/attachments?conversationId=1&name=a.bin&size={size}");
        server.request(&pair.client, "POST", &path, None).await
    };
    assert_eq!(announce(1_001).await.expect(413).json()["code"], "TOO_LARGE");
    let id = announce(10).await.expect(201).json()["id"].clone();
    let path = format!("/attachments/{id}");
    for other in [&pair.jurist, &server.sign_in("client2").await] {
        server.request(other, "HEAD", &path, None).await.expect(404);
        server.request(other, "PATCH", &format!("{path}?offset=0"), None).await.expect(404);
        server.request(other, "DELETE", &path, None).await.expect(404);
    }
    server.request(&pair.client, "DELETE", &path, None).await.expect(204);
    server.request(&pair.client, "HEAD", &path, None).await.expect(404);
    let empty = announce(0).await.expect(201).json()["id"].clone();
    let path = format!("/attachments/{empty}");
    let done = server.request(&pair.client, "PATCH", &format!("{path}?offset=0"), None).await.expect(200).json();
    assert_eq!(done["file"]["size"], 0);
    let message = json!({"conversationId": 1, "content": "", "files": [empty]});
    server.request(&pair.client, "POST", "/messages", Some(&message)).await.expect(201);
    server.request(&pair.client, "DELETE", &path, None).await.expect(404);
    server.stop().await;
}
