//! Recordings of calls over HTTP and real sockets: consent, uploading in parts, a file that seeks, and who sees it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::harness::server::{Pair, Server};
use crate::support::http::{self, Reply};
use crate::support::people::Person;

const CLUSTER: [u8; 4] = [0x1f, 0x43, 0xb6, 0x75];
const CUES: [u8; 4] = [0x1c, 0x53, 0xbb, 0x6b];

/// An element of EBML whose size takes one byte.
fn element(id: &[u8], payload: &[u8]) -> Vec<u8> {
    [id, &[0x80 | u8::try_from(payload.len()).expect("a short payload")], payload].concat()
}

/// What a browser's recorder gives first: a head in which no size is known yet.
fn head() -> Vec<u8> {
    let ebml = element(&[0x1a, 0x45, 0xdf, 0xa3], &element(&[0x42, 0x82], b"webm"));
    let track = [element(&[0xd7], &[1]), element(&[0x83], &[2])].concat();
    let segment = [0x18, 0x53, 0x80, 0x67, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let tracks = element(&[0x16, 0x54, 0xae, 0x6b], &element(&[0xae], &track));
    [&ebml[..], &segment, &element(&[0x15, 0x49, 0xa9, 0x66], &[]), &tracks].concat()
}

/// A second of it.
fn second(number: u16) -> Vec<u8> {
    let time = (number * 1_000).to_be_bytes();
    let block = element(&[0xa3], &[&[0x81, 0, 10, 0x80][..], &[number as u8; 60]].concat());
    [&CLUSTER[..], &[0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &element(&[0xe7], &time), &block].concat()
}

/// The client and the juriste in a call, each in a seat.
async fn talking(pair: &Pair) -> i64 {
    let start = json!({"conversationId": pair.conversation, "media": "audio"});
    let call = pair.right.done("call:start", start).await["call"]["id"].clone();
    for (socket, seat) in [(&pair.right, "caller"), (&pair.left, "callee")] {
        socket.done("call:join", json!({"callId": call, "seat": seat})).await;
    }
    call.as_i64().expect("an id")
}

async fn part(server: &Server, person: &Person, call: i64, number: u32, bytes: &[u8]) -> Reply {
    let path = format!("/calls/{call}/recording/parts/{number}");
    http::ask(server.at, "PUT", &path).token(&person.token).body(bytes.to_vec()).send().await
}

/// The call once the members are told that its recording has a file.
async fn stored(pair: &mut Pair) -> Value {
    loop {
        let call = pair.left.expect_event("call:updated").await["call"].clone();
        if !call["recording"]["attachmentId"].is_null() {
            return call;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_is_uploaded_by_one_device_and_seen_by_the_members_alone() {
    let server = Server::start_with(&["--recordings", "consent", "--message-rate", "0"]).await;
    let mut pair = server.pair().await;
    let call = talking(&pair).await;
    let path = format!("/calls/{call}/recording");
    let (client, jurist) = (pair.client.clone(), pair.jurist.clone());
    part(&server, &jurist, call, 0, &head()).await.expect(403);
    pair.left.refused("call:recording", json!({"callId": call, "ask": true}), "FORBIDDEN").await;
    let asked = server.request(&jurist, "POST", &path, Some(&json!({"ask": true}))).await.expect(200).json();
    assert_eq!(asked["recording"]["state"], "asked");
    loop {
        let told = pair.left.expect_event("call:updated").await["call"]["recording"].clone();
        if told["state"] == "asked" {
            assert_eq!((&told["askedBy"], &told["consents"][0]["userId"]), (&json!(6), &json!(6)));
            break;
        }
    }
    part(&server, &jurist, call, 0, &head()).await.expect(409);
    let agreed = pair.left.done("call:recording", json!({"callId": call, "consent": true, "version": 1})).await;
    assert_eq!(agreed["call"]["recording"]["state"], "on");

    let first = [head(), second(0)].concat();
    assert_eq!(part(&server, &jurist, call, 0, &first).await.expect(201).json()["nextPart"], 1);
    part(&server, &jurist, call, 0, &first).await.expect(200);
    let gap = part(&server, &jurist, call, 2, &second(2)).await.expect(409).json();
    assert_eq!((&gap["code"], &gap["details"][0]["value"]), (&json!("CONFLICT"), &json!(1)), "{gap}");
    part(&server, &client, call, 1, &second(1)).await.expect(403);
    let digest = |bytes: &[u8]| format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(bytes)));
    let with_digest = |bytes: &[u8]| {
        let part = http::ask(server.at, "PUT", &format!("{path}/parts/1")).token(&jurist.token);
        part.header("Content-Digest", &digest(bytes)).body(second(1))
    };
    with_digest(b"something else").send().await.expect(400);
    with_digest(&second(1)).send().await.expect(201);
    let progress = server.request(&client, "GET", &path, None).await.expect(200).json();
    assert_eq!((&progress["nextPart"], &progress["recording"]["state"]), (&json!(2), &json!("on")));

    pair.left.done("call:end", json!({"callId": call})).await;
    part(&server, &jurist, call, 2, &second(2)).await.expect(201);
    let finished = server.request(&jurist, "POST", &format!("{path}/finish"), None).await.expect(200).json();
    assert_eq!(finished["recording"]["state"], "stored");
    let call_now = stored(&mut pair).await;
    let recording = &call_now["recording"];
    assert!(recording["keptUntil"].is_string(), "{recording}");
    let message = format!("/messages/{}", call_now["messageId"]);
    let message = server.request(&client, "GET", &message, None).await.expect(200).json();
    assert_eq!(message["files"][0]["id"], recording["attachmentId"]);
    assert_eq!(message["call"]["recording"], *recording, "the entry tells the same");

    let file = message["files"][0].clone();
    let name = file["name"].as_str().expect("a name");
    for what in ["files", "files.zip", "export?format=json", "export?format=html"] {
        let given = server.request(&client, "GET", &format!("/conversations/1/{what}"), None).await.expect(200);
        assert!(given.body.windows(name.len()).any(|part| part == name.as_bytes()), "{name} is in {what}");
    }
    let url = file["url"].as_str().expect("an address");
    for (person, status) in [(&client, 200), (&jurist, 200)] {
        let whole = server.request(person, "GET", url, None).await.expect(status);
        assert_eq!(whole.header("content-type"), Some("video/webm"));
        let sha256: String = Sha256::digest(&whole.body).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            (file["sha256"].as_str(), file["size"].as_u64()),
            (Some(&sha256[..]), Some(whole.body.len() as u64))
        );
        let kept = [second(0), second(1), second(2)].concat();
        assert!(whole.body.windows(kept.len()).any(|part| part == kept), "what was recorded is in it");
        assert!(whole.body.windows(4).any(|part| part == CUES), "and an index");
    }
    let part = http::get(server.at, url).token(&client.token).header("Range", "bytes=0-3").send().await.expect(206);
    assert_eq!(part.body, [0x1a, 0x45, 0xdf, 0xa3]);
    for who in ["client2", "juriste2", "admin"] {
        let other = server.sign_in(who).await;
        server.request(&other, "GET", url, None).await.expect(404);
        for method in ["GET", "DELETE"] {
            server.request(&other, method, &path, None).await.expect(404);
        }
        server.request(&other, "POST", &path, Some(&json!({"consent": false}))).await.expect(404);
    }

    let deleted = server.request(&client, "DELETE", &path, None).await.expect(200).json();
    assert_eq!((&deleted["recording"]["state"], &deleted["recording"]["deletedBy"]), (&json!("deleted"), &json!(1)));
    server.request(&client, "GET", url, None).await.expect(404);
    let message = format!("/messages/{}", call_now["messageId"]);
    let message = server.request(&jurist, "GET", &message, None).await.expect(200).json();
    assert_eq!((&message["files"], &message["call"]["recording"]["state"]), (&json!([]), &json!("deleted")));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_record_is_said_to_each_and_by_default_nobody_may() {
    let server = Server::start().await;
    let pair = server.pair().await;
    let me = server.request(&pair.jurist, "GET", "/users/me", None).await.expect(200).json();
    assert_eq!(me["calls"]["recordings"], Value::Null);
    let call = talking(&pair).await;
    pair.right.refused("call:recording", json!({"callId": call, "ask": true}), "FORBIDDEN").await;
    let server = server.restart(&["--recordings", "consent", "--recordings-keep", "30d"]).await;
    for (who, may_ask) in [("juriste1", true), ("client1", false)] {
        let person = server.sign_in(who).await;
        let offer = server.request(&person, "GET", "/users/me", None).await.expect(200).json()["calls"].clone();
        assert_eq!(offer["recordings"]["mayAsk"], may_ask);
        assert_eq!((&offer["recordings"]["keepDays"], &offer["recordings"]["by"]), (&json!(30), &json!("browser")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_to_the_question_is_refused() {
    let server = Server::start_with(&["--recordings", "consent"]).await;
    let pair = server.pair().await;
    let call = talking(&pair).await;
    for wish in [json!({}), json!({"ask": false}), json!({"ask": true, "consent": true}), json!({"consent": "yes"})] {
        let mut data = wish.clone();
        data["callId"] = json!(call);
        pair.right.refused("call:recording", data, "INVALID").await;
        let path = format!("/calls/{call}/recording");
        server.request(&pair.jurist, "POST", &path, Some(&wish)).await.expect(400);
    }
    for number in ["-1", "x", "01", "4294967296"] {
        let path = format!("/calls/{call}/recording/parts/{number}");
        http::ask(server.at, "PUT", &path).token(&pair.jurist.token).body(head()).send().await.expect(404);
    }
}
