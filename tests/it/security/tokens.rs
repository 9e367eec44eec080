//! Access tokens: whatever is not exactly ours is refused, always with the same words; and they are written nowhere.

use ring::hmac::{self, Algorithm, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512};
use serde_json::{Value, json};

use crate::security::stage::Stage;
use crate::support::http;
use crate::support::people::{self, Person};
use crate::support::server::Setup;
use crate::support::socket::{Failure, Socket};
use crate::support::wire::Opening;

/// The three parts of a token, decoded.
struct Parts {
    header: Value,
    claims: Value,
}

fn parts(token: &str) -> Parts {
    let decode = |part: &str| serde_json::from_slice(&base64url(part)).expect("JSON");
    let mut pieces = token.split('.');
    Parts { header: decode(pieces.next().expect("a header")), claims: decode(pieces.next().expect("claims")) }
}

fn base64url(text: &str) -> Vec<u8> {
    let value =
        |c: u8| b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".iter().position(|k| *k == c);
    let bits = text.bytes().filter_map(value).flat_map(|six| (0..6).rev().map(move |bit| six >> bit & 1));
    let bits: Vec<usize> = bits.collect();
    bits.chunks_exact(8)
        .map(|eight| u8::try_from(eight.iter().fold(0, |byte, bit| byte << 1 | bit)).expect("eight bits"))
        .collect()
}

pub fn encode(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    bits.chunks(6)
        .map(|six| {
            let value = (0..6).fold(0, |sum, at| sum << 1 | six.get(at).copied().unwrap_or(0));
            char::from(ALPHABET[usize::from(value)])
        })
        .collect()
}

/// Signs any header and payload with this key.
fn sign(header: &Value, payload: &Value, key: &[u8], algorithm: Algorithm) -> String {
    let message = format!("{}.{}", encode(header.to_string().as_bytes()), encode(payload.to_string().as_bytes()));
    let signature = hmac::sign(&hmac::Key::new(algorithm, key), message.as_bytes());
    format!("{message}.{}", encode(signature.as_ref()))
}

/// A real token of a person with other claims, signed with the real key.
pub fn forged(stage: &Stage, person: &Person, change: impl FnOnce(&mut Value)) -> String {
    let Parts { header, mut claims } = parts(&person.token);
    change(&mut claims);
    sign(&header, &claims, &stage.signing_key(), HMAC_SHA256)
}

/// Whether this key signed that token.
pub fn is_signed_with(token: &str, key: &[u8]) -> bool {
    let (message, signature) = token.rsplit_once('.').expect("three parts");
    encode(hmac::sign(&hmac::Key::new(HMAC_SHA256, key), message.as_bytes()).as_ref()) == signature
}

/// Everything that must be refused, by name.
fn vectors(stage: &Stage, person: &Person) -> Vec<(String, String)> {
    let Parts { header, claims } = parts(&person.token);
    let key = stage.signing_key();
    let payload = person.token.split('.').nth(1).expect("three parts").to_owned();
    let mut vectors: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, token: String| vectors.push((name.to_owned(), token));
    add("garbage", "garbage".into());
    add("dots", "..".into());
    add("stripped signature", person.token.rsplit_once('.').map(|(rest, _)| format!("{rest}.")).expect("dots"));
    add("a changed signature", format!("{}A", &person.token[..person.token.len() - 2]));
    add("the refresh token", person.refresh.clone());
    for none in ["none", "None", "NONE", "nOnE"] {
        let mut header = header.clone();
        header["alg"] = none.into();
        add(none, format!("{}.{payload}.", encode(header.to_string().as_bytes())));
        add(&format!("{none}, signed"), sign(&header, &claims, &key, HMAC_SHA256));
    }
    for (name, algorithm) in [("HS384", HMAC_SHA384), ("HS512", HMAC_SHA512)] {
        let mut header = header.clone();
        header["alg"] = name.into();
        add(name, sign(&header, &claims, &key, algorithm));
    }
    add("another key", sign(&header, &claims, b"another instance's key, 32 bytes", HMAC_SHA256));
    add("an empty key", sign(&header, &claims, b"", HMAC_SHA256));
    add("an array", sign(&header, &json!([1, 2]), &key, HMAC_SHA256));
    add("a text", sign(&header, &json!("sub"), &key, HMAC_SHA256));
    for claim in ["sub", "email", "role", "sid", "iat", "exp", "iss", "aud", "jti"] {
        let mut claims = claims.clone();
        claims.as_object_mut().expect("an object").remove(claim);
        add(&format!("no {claim}"), sign(&header, &claims, &key, HMAC_SHA256));
    }
    let exp = claims["exp"].as_i64().expect("a time");
    let iat = claims["iat"].as_i64().expect("a time");
    let changes = [
        ("exp", json!(exp.to_string())),
        ("exp", json!(-1)),
        ("exp", json!(exp as f64 + 0.5)),
        ("exp", json!(1e300)),
        ("exp", json!(null)),
        ("exp", json!([exp])),
        ("exp", json!(iat - 31)),
        ("nbf", json!("99999999999")),
        ("nbf", json!(exp + 100_000)),
        ("sub", json!("6")),
        ("sub", json!(0)),
        ("sub", json!(999_999)),
        ("sub", json!(1.5)),
        ("sub", json!([1])),
        ("sid", json!(999_999_999)),
        ("sid", json!(null)),
        ("role", json!("root")),
        ("iss", json!("elsewhere")),
        ("aud", json!("elsewhere")),
        ("aud", json!([])),
    ];
    for (claim, value) in changes {
        let mut claims = claims.clone();
        let name = format!("{claim} {value}");
        claims[claim] = value;
        add(&name, sign(&header, &claims, &key, HMAC_SHA256));
    }
    vectors
}

#[tokio::test]
async fn whatever_is_not_exactly_our_token_is_refused_with_the_same_words() {
    let stage = Stage::new().await;
    let to = stage.address();
    let client = people::sign_in(to, "client1").await;
    let unchanged = forged(&stage, &client, |_| {});
    http::get(to, "/users/me").token(&unchanged).send().await.expect(200);
    let words = http::get(to, "/users/me").token("garbage").send().await.expect(401).body;
    for (name, token) in vectors(&stage, &client) {
        let reply = http::get(to, "/users/me").token(&token).send().await;
        assert_eq!(reply.status, 401, "{name}: {}", reply.text());
        assert_eq!(reply.body, words, "{name}: {}", reply.text());
        match Socket::open(to, &token).await {
            Err(Failure::Refused(data)) => assert_eq!(data["data"]["code"], "UNAUTHENTICATED", "{name}: {data}"),
            Err(Failure::Transport(error)) => panic!("{name}: {error:?}"),
            Ok(_) => panic!("{name}: let in"),
        }
    }
}

#[tokio::test]
async fn another_instances_token_is_worth_nothing() {
    let (here, there) = tokio::join!(Stage::new(), Stage::new());
    assert_ne!(here.signing_key(), there.signing_key());
    let stranger = people::sign_in(there.address(), "client1").await;
    http::get(here.address(), "/users/me").token(&stranger.token).send().await.expect(401);
}

#[tokio::test]
async fn tokens_passwords_and_what_people_write_are_written_nowhere() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let loud = Setup::new(folder.path().join("lexchat.db")).environment("RUST_LOG", "trace");
    let server = loud.environment("LEXCHAT_LOG", "trace").start().await;
    let to = server.address();
    let client = people::sign_up(to, 1, people::loopback(1)).await;
    let again = json!({ "email": client.email, "password": people::NEW_PASSWORD });
    http::post(to, "/auth/sign-in", &again).send().await.expect(200);
    let token = &client.token;
    for path in [
        format!("/socket.io/?EIO=4&transport=polling&token={token}"),
        format!("/socket.io/?EIO=4&transport=polling&%74oken={token}"),
        format!("/chat/?EIO=3&transport=polling&TOKEN={token}"),
        format!("/nowhere?token={token}"),
        format!("/messages?conversationId=x&access_token={token}"),
    ] {
        let reply = http::get(to, &path).token(token).header("Referer", &path).send().await;
        assert!(!reply.text().contains(token), "{path}: {}", reply.text());
        assert_eq!(reply.header("Referrer-Policy"), Some("no-referrer"), "{path}");
    }
    for path in [format!("/chat?token={token}"), format!("/socket.io/?EIO=4&transport=websocket&%74oken={token}")] {
        let opening = Opening { path, ..Opening::new(to) };
        let _ = Socket::open_with(&opening, Value::Null).await;
    }
    let socket = Socket::open(to, token).await.expect("a live session");
    let _ = socket.ask("auth:refresh", &json!({ "token": token })).await;
    let renewed = http::post(to, "/auth/refresh-token", &json!({ "refreshToken": client.refresh })).send().await;
    let renewed = renewed.expect(200).json();
    let jurist = people::sign_in(to, "juriste1").await;
    let conversation = people::conversation(to, &client, &jurist).await;
    let (said, posted, sought) = ("dit-entre-nous", "poste-entre-nous", "cherchons-entre-nous");
    let say = |content: &str| json!({ "conversationId": conversation, "content": content });
    assert_eq!(socket.ask("message:send", &say(said)).await["success"], true);
    http::post(to, "/messages", &say(posted)).token(token).send().await.expect(201);
    assert_eq!(socket.ask("message:search", &json!({ "query": sought })).await["success"], true);
    http::get(to, &format!("/messages/search?q={sought}")).token(token).send().await.expect(200);
    // Refusals are not told in the log with what was refused.
    socket.ask("message:send", &json!({ "conversationId": "x", "content": said })).await;
    http::post(to, "/messages", &json!({ "conversationId": "x", "content": posted })).token(token).send().await;
    let metrics = http::get(to, "/metrics").send().await.text();
    let log = server.log();
    let secrets = [
        said,
        posted,
        sought,
        token.as_str(),
        token.rsplit('.').next().expect("a signature"),
        &client.refresh,
        renewed["refreshToken"].as_str().expect("a token"),
        renewed["accessToken"].as_str().expect("a token"),
        people::NEW_PASSWORD,
    ];
    for secret in secrets {
        assert!(!log.contains(secret), "the log tells {secret}");
        assert!(!metrics.contains(secret), "the metrics tell {secret}");
    }
    assert!(!log.is_empty(), "this log can show something");
}
