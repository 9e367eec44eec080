//! Recordings that a service made: brought in by consent alone, each once, whatever comes twice, late or forged.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::harness::server::{Pair, Server};
use crate::setup::until;
use crate::support::http::{self, Ask, Reply};

const TOKEN: &str = "a-token-that-is-long-enough";
const SECRET: &str = "whsec_of_8x8";
const APP: &str = "lexchat";
const MP4: &[u8] = b"\0\0\0\x18ftypisom\0\0\0\0isommp42 and then what was said";

/// A practice whose calls go through Jitsi and are recorded there, with the host that recordings are fetched from.
async fn practice(folder: &std::path::Path, host: &str) -> Server {
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("a UTF-8 path").to_owned()
    };
    let (secret, token, jaas) = (file("jitsi", "geheim"), file("jibri", TOKEN), file("jaas", SECRET));
    let jitsi = ["--jitsi-url", "https://meet.example", "--jitsi-app-id", APP, "--jitsi-secret-file", &secret];
    let recorded = ["--recordings", "consent", "--jibri-token-file", &token, "--jaas-secret-file", &jaas];
    Server::start_with(&[&jitsi[..], &recorded, &["--jaas-host", host, "--message-rate", "0"]].concat()).await
}

/// A call of the pair: its number, and the name of its room.
async fn talking(pair: &Pair) -> (i64, String) {
    let start = json!({"conversationId": pair.conversation, "media": "audio"});
    let call = pair.right.done("call:start", start).await["call"]["id"].clone();
    pair.left.done("call:join", json!({"callId": call, "seat": "callee"})).await;
    let joined = pair.right.done("call:join", json!({"callId": call, "seat": "caller"})).await;
    (call.as_i64().expect("an id"), joined["jitsi"]["room"].as_str().expect("a room").to_owned())
}

async fn agree(pair: &Pair, call: i64) {
    pair.right.done("call:recording", json!({"callId": call, "ask": true})).await;
    let agreed = pair.left.done("call:recording", json!({"callId": call, "consent": true})).await;
    assert_eq!(agreed["call"]["recording"]["state"], "on");
}

fn jibri(server: &Server, room: &str, session: &str) -> Ask {
    let path = format!("/hooks/jibri?room={room}&session={session}");
    http::ask(server.at, "POST", &path).token(TOKEN).body(MP4.to_vec())
}

/// The file of a call's recording, once the members are told of it.
async fn stored(pair: &mut Pair) -> i64 {
    loop {
        let told = pair.left.expect_event("call:updated").await["call"]["recording"].clone();
        if let Some(id) = told["attachmentId"].as_i64() {
            assert_eq!(told["state"], "stored");
            return id;
        }
    }
}

async fn bytes_of(server: &Server, pair: &Pair, id: i64) -> Vec<u8> {
    server.request(&pair.client, "GET", &format!("/attachments/{id}/x.mp4"), None).await.expect(200).body
}

#[tokio::test(flavor = "multi_thread")]
async fn jibri_brings_in_what_everybody_agreed_to_once_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = practice(folder.path(), "https://recordings.example").await;
    let mut pair = server.pair().await;
    let (call, room) = talking(&pair).await;
    let refused = jibri(&server, &room, "too-early").send().await.expect(200).json();
    assert_eq!(refused, json!({"stored": false}), "nobody was asked");
    agree(&pair, call).await;
    for ask in [
        http::ask(server.at, "POST", &format!("/hooks/jibri?room={room}&session=s")).body(MP4.to_vec()),
        http::ask(server.at, "POST", &format!("/hooks/jibri?room={room}&session=s")).token("wrong").body(MP4.to_vec()),
    ] {
        ask.send().await.expect(401);
    }
    jibri(&server, "lex-aaaaaaaaaaaaaaaaaaaaaaaaaa", "s").send().await.expect(404);
    jibri(&server, "somebody-elses", "s").send().await.expect(404);
    jibri(&server, &room, "s").body(b"no recording at all".to_vec()).send().await.expect(400);
    jibri(&server, &room, "s").send().await.expect(201);
    let id = stored(&mut pair).await;
    assert_eq!(bytes_of(&server, &pair, id).await, MP4);
    assert_eq!(jibri(&server, &room, "s").send().await.expect(200).json(), json!({"stored": true}), "again");
    jibri(&server, &room, "another").send().await.expect(409);
    pair.left.done("call:end", json!({"callId": call})).await;
    server.request(&pair.client, "DELETE", &format!("/calls/{call}/recording"), None).await.expect(200);
    assert_eq!(jibri(&server, &room, "s").send().await.expect(200).json(), json!({"stored": true}), "it stays deleted");
    let shown = server.request(&pair.client, "GET", &format!("/calls/{call}"), None).await.expect(200).json();
    assert_eq!(shown["recording"]["state"], "deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_that_was_taken_back_keeps_what_jibri_made_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = practice(folder.path(), "https://recordings.example").await;
    let pair = server.pair().await;
    let (call, room) = talking(&pair).await;
    agree(&pair, call).await;
    pair.left.done("call:recording", json!({"callId": call, "consent": false})).await;
    assert_eq!(jibri(&server, &room, "s").send().await.expect(200).json(), json!({"stored": false}));
    let files: i64 = server.database().query_row("SELECT count(*) FROM attachments", [], |row| row.get(0)).expect("n");
    assert_eq!(files, 0);
}

/// An event of 8x8's, signed so many seconds ago.
fn event(server: &Server, body: &Value, secret: &str, age_s: u64) -> Ask {
    let body = body.to_string();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() - age_s;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, format!("{now}.{body}").as_bytes()));
    let ask = http::ask(server.at, "POST", "/hooks/jaas");
    ask.header("X-Jaas-Signature", &format!("t={now},v1={signature}")).body(body.into_bytes())
}

fn uploaded(room: &str, key: &str, link: &str) -> Value {
    json!({
        "idempotencyKey": key, "appId": APP, "eventType": "RECORDING_UPLOADED", "sessionId": "s",
        "timestamp": 1_795_860_000_000_i64, "fqn": format!("{APP}/{room}"),
        "data": {"preAuthenticatedLink": link, "recordingSessionId": "r-1", "durationSec": 20},
    })
}

/// Gives everybody the recording, and counts.
async fn host() -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let mut head = [0; 4096];
            let _request = stream.read(&mut head).await;
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", MP4.len());
            let _sent = stream.write_all(&[answer.as_bytes(), MP4].concat()).await;
        }
    });
    (origin, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_8x8_tells_is_believed_when_signed_and_fetched_once_by_consent() {
    let folder = tempfile::tempdir().expect("a folder");
    let (origin, asked) = host().await;
    let server = practice(folder.path(), &origin).await;
    let mut pair = server.pair().await;
    let (call, room) = talking(&pair).await;
    agree(&pair, call).await;
    pair.left.done("call:end", json!({"callId": call})).await;
    let told = uploaded(&room, "k-1", &format!("{origin}/secret"));
    let refused = async |ask: Ask| -> Reply { ask.send().await.expect(400) };
    refused(event(&server, &told, "another secret", 0)).await;
    refused(event(&server, &told, SECRET, 1_000)).await;
    let tampered = event(&server, &told, SECRET, 0);
    refused(tampered.body(uploaded(&room, "k-1", "https://evil.example/x").to_string().into_bytes())).await;
    refused(http::ask(server.at, "POST", "/hooks/jaas").body(told.to_string().into_bytes())).await;
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 0, "nobody was asked for what was not signed");
    event(&server, &told, SECRET, 0).send().await.expect(200);
    let id = stored(&mut pair).await;
    assert_eq!(bytes_of(&server, &pair, id).await, MP4);
    event(&server, &told, SECRET, 0).send().await.expect(200);
    event(&server, &uploaded(&room, "k-2", &format!("{origin}/secret")), SECRET, 0).send().await.expect(200);
    let mut ended = told.clone();
    ended["eventType"] = json!("RECORDING_ENDED");
    ended["idempotencyKey"] = json!("k-0");
    event(&server, &ended, SECRET, 0).send().await.expect(200);
    let (other, room) = talking(&pair).await;
    let mut unasked = uploaded(&room, "k-3", &format!("{origin}/other"));
    unasked["data"]["recordingSessionId"] = json!("r-2");
    event(&server, &unasked, SECRET, 0).send().await.expect(200);
    let count = |query: &str| server.database().query_row(query, [], |row| row.get::<_, i64>(0)).expect("a count");
    let noted = format!("SELECT count(*) FROM refused_recordings WHERE service_id = 'r-2' AND call_id = {other}");
    until("the refusal is noted", || count(&noted) == 1).await;
    let addresses = "SELECT count(*) FROM waiting_recordings WHERE link IS NOT NULL";
    until("what is over has no address any more", || count(addresses) == 0).await;
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1, "one recording, fetched once");
}
