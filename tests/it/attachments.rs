//! Files over HTTP: in, out, in part, by link, and never to strangers.

use serde_json::{Value, json};

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
