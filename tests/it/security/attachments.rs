//! Files from strangers: their bytes decide what they are, their names are only names, members alone get them.

use serde_json::{Value, json};

use crate::security::stage::Stage;
use crate::support::http::{self, Reply};
use crate::support::people::{self, Person};

const PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 3, 0, 0, 0, 2, 8,
    2, 0, 0, 0, 0x12, 0x16, 0xf1, 0x4d,
];
const SVG: &[u8] = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";

struct Place {
    stage: Stage,
    client: Person,
    jurist: Person,
    conversation: i64,
}

async fn place() -> Place {
    let stage = Stage::new().await;
    let client = people::sign_in(stage.address(), "client1").await;
    let jurist = people::sign_in(stage.address(), "juriste1").await;
    let conversation = people::conversation(stage.address(), &client, &jurist).await;
    Place { stage, client, jurist, conversation }
}

impl Place {
    async fn upload(&self, name: &str, content_type: &str, bytes: &[u8]) -> Reply {
        let path = format!("/attachments?conversationId={}&name={name}", self.conversation);
        let ask = http::ask(self.stage.address(), "POST", &path).token(&self.client.token);
        ask.header("Content-Type", content_type).body(bytes.to_vec()).send().await
    }

    /// A file that the peer may have as well: one that was sent.
    async fn send(&self, name: &str, content_type: &str, bytes: &[u8]) -> Value {
        let file = self.upload(name, content_type, bytes).await.expect(201).json();
        let message = json!({ "conversationId": self.conversation, "content": "", "files": [file["id"]] });
        http::post(self.stage.address(), "/messages", &message).token(&self.client.token).send().await.expect(201);
        file
    }

    async fn load(&self, person: &Person, url: &str) -> Reply {
        http::get(self.stage.address(), url).token(&person.token).send().await
    }
}

#[tokio::test]
async fn what_a_file_is_is_decided_by_its_bytes_and_only_safe_kinds_are_shown() {
    let place = place().await;
    let octets = "application/octet-stream";
    let cases: [(&str, &str, &[u8], &str, bool); 8] = [
        ("photo.png", "image/png", PNG, "image/png", true),
        ("photo.png", "text/html", PNG, "image/png", true),
        ("fausse.png", "image/png", b"<html><script>alert(1)</script>", octets, false),
        ("image.svg", "image/svg+xml", SVG, octets, false),
        ("page.html", "text/html", b"<!doctype html><script>alert(1)</script>", octets, false),
        ("script.js", "text/javascript", b"alert(1)", octets, false),
        ("polyglotte.html", "text/html", b"GIF89a=1;<script>alert(1)</script>", "image/gif", true),
        ("contrat.pdf", octets, b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "application/pdf", true),
    ];
    for (name, told, bytes, kind, shown) in cases {
        let file = place.send(name, told, bytes).await;
        let reply = place.load(&place.jurist, file["url"].as_str().expect("an address")).await.expect(200);
        assert_eq!(reply.body, bytes, "{name}");
        let header = |name: &str| reply.header(name).unwrap_or_default().to_owned();
        assert_eq!(header("Content-Type"), kind, "{name} told to be {told}");
        let disposition = header("Content-Disposition");
        assert_eq!(disposition.starts_with("inline"), shown, "{name}: {disposition}");
        assert!(shown || disposition.starts_with("attachment"), "{name}: {disposition}");
        assert_eq!(header("Content-Security-Policy"), "sandbox; default-src 'none'", "{name}");
        assert_eq!(header("X-Content-Type-Options"), "nosniff", "{name}");
        let caching = header("Cache-Control");
        assert!(caching.contains("private") && caching.contains("no-store"), "{name}: {caching}");
    }
}

#[tokio::test]
async fn every_range_of_a_file_is_for_members_alone() {
    let place = place().await;
    let file = place.send("photo.png", "image/png", PNG).await;
    let url = file["url"].as_str().expect("an address").to_owned();
    let to = place.stage.address();
    let range = |token: &str| http::get(to, &url).token(token).header("Range", "bytes=1-3").send();
    let part = range(&place.jurist.token).await.expect(206);
    assert_eq!(part.body, b"PNG");
    let missing = http::get(to, "/attachments/424242/photo.png").token(&place.jurist.token).send().await.expect(404);
    for who in ["client2", "juriste2", "admin"] {
        let stranger = people::sign_in(to, who).await;
        for (what, reply) in [
            ("whole", place.load(&stranger, &url).await),
            ("range", range(&stranger.token).await),
            ("etag", http::get(to, &url).token(&stranger.token).header("If-None-Match", "*").send().await),
            (
                "link",
                http::ask(to, "POST", &format!("/attachments/{}/link", file["id"])).token(&stranger.token).send().await,
            ),
        ] {
            assert_eq!(reply.status, 404, "{who}, {what}: {}", reply.text());
            assert_eq!(reply.body, missing.body, "{who}, {what}: as if there were none");
        }
        let head = http::ask(to, "HEAD", &url).token(&stranger.token).send().await;
        assert_eq!(head.status, 404, "{who}");
    }
    http::get(to, &url).send().await.expect(401);
}

#[tokio::test]
async fn a_link_works_for_its_file_alone_and_cannot_be_forged() {
    let place = place().await;
    let one = place.upload("a.png", "image/png", PNG).await.expect(201).json();
    let other = place.upload("b.png", "image/png", PNG).await.expect(201).json();
    let to = place.stage.address();
    let path = format!("/attachments/{}/link", one["id"]);
    let link = http::ask(to, "POST", &path).token(&place.client.token).send().await.expect(200).json();
    let url = link["url"].as_str().expect("an address");
    let url = url.find("/attachments/").map_or(url, |at| &url[at..]).to_owned();
    assert_eq!(http::get(to, &url).send().await.expect(200).body, PNG);
    let (path, query) = url.split_once('?').expect("a signature");
    let other_path = other["url"].as_str().expect("an address");
    let mut tampered = vec![format!("{other_path}?{query}"), path.to_owned()];
    for at in 0..query.len() {
        if query.as_bytes()[at].is_ascii_alphanumeric() && at % 7 == 3 {
            let mut bytes = query.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
            tampered.push(format!("{path}?{}", String::from_utf8_lossy(&bytes)));
        }
    }
    for url in tampered.into_iter().filter(|candidate| *candidate != url) {
        let reply = http::get(to, &url).send().await;
        assert!(matches!(reply.status, 401 | 404), "{url}: {}", reply.status);
    }
}

#[tokio::test]
async fn a_file_name_is_never_a_path_and_hides_nothing() {
    let place = place().await;
    let cases = [
        "..%2F..%2Fetc%2Fpasswd",
        "C:%5Cwindows%5Cwin.ini",
        "a%00b.pdf",
        "ligne%0D%0ASet-Cookie:%20x=1",
        "exe%E2%80%AEfdp.pdf",
        "CON",
        "nul.txt",
        "%20%20..%20",
        "%22quoted%22;%20filename=evil.html",
        "",
        "..",
    ];
    for name in cases {
        let reply = place.upload(name, "application/octet-stream", b"bytes").await;
        if reply.status == 400 {
            continue;
        }
        let file = reply.expect(201).json();
        let kept = file["name"].as_str().expect("a name").to_owned();
        let forbidden =
            |c: char| c.is_control() || "/\\\u{202a}\u{202b}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}".contains(c);
        assert!(!kept.is_empty() && !kept.chars().any(forbidden), "{name} became {kept:?}");
        let stem = kept.split('.').next().unwrap_or_default().to_ascii_uppercase();
        assert!(
            !["CON", "NUL", "PRN", "AUX"].contains(&stem.trim()) && !kept.starts_with('.'),
            "{name} became {kept:?}"
        );
        let reply = place.load(&place.client, file["url"].as_str().expect("an address")).await.expect(200);
        assert_eq!(reply.header("Set-Cookie"), None, "{name}");
        let disposition = reply.header("Content-Disposition").expect("always").to_owned();
        assert!(disposition.is_ascii() && disposition.matches('"').count() <= 2, "{name}: {disposition}");
    }
}
