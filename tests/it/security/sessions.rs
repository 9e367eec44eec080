//! Sessions: they end everywhere within a second, a socket dies with its session, refresh tokens work once.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::security::stage::Stage;
use crate::security::tokens::forged;
use crate::support::http::{self, Reply};
use crate::support::people::{self, Person};
use crate::support::polling::Polling;
use crate::support::server::{self, Setup};
use crate::support::socket::Socket;

/// Within a second, and five times that on a machine that does other work too.
const SOON: Duration = Duration::from_secs(5);

async fn refresh(stage: &Stage, token: &str) -> Reply {
    http::post(stage.address(), "/auth/refresh-token", &json!({ "refreshToken": token })).send().await
}

/// The person's session is over on HTTP, on this socket and for its refresh token.
async fn assert_over(stage: &Stage, person: &Person, socket: &Socket) {
    assert!(socket.closed_within(SOON).await, "the socket lives on");
    http::get(stage.address(), "/users/me").token(&person.token).send().await.expect(401);
    assert!(Socket::open(stage.address(), &person.token).await.is_err());
    assert_eq!(refresh(stage, &person.refresh).await.status, 401);
}

#[tokio::test]
async fn signing_out_ends_the_session_everywhere_and_no_other() {
    let stage = Stage::new().await;
    let (here, elsewhere) =
        (people::sign_in(stage.address(), "client1").await, people::sign_in(stage.address(), "client1").await);
    let socket = Socket::open(stage.address(), &here.token).await.expect("a live session");
    let other = Socket::open(stage.address(), &elsewhere.token).await.expect("a live session");
    http::ask(stage.address(), "POST", "/auth/sign-out").token(&here.token).send().await.expect(204);
    assert_over(&stage, &here, &socket).await;
    assert!(other.is_open());
    http::get(stage.address(), "/users/me").token(&elsewhere.token).send().await.expect(200);
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let stage = Stage::new().await;
    let (here, elsewhere) =
        (people::sign_in(stage.address(), "client1").await, people::sign_in(stage.address(), "client1").await);
    let socket = Socket::open(stage.address(), &elsewhere.token).await.expect("a live session");
    let change = json!({ "current": people::PASSWORD, "next": "une phrase bien à moi" });
    let reply = http::post(stage.address(), "/users/me/password", &change).token(&here.token).send().await;
    assert!(reply.status < 300, "{}", reply.text());
    assert_over(&stage, &elsewhere, &socket).await;
    http::get(stage.address(), "/users/me").token(&here.token).send().await.expect(200);
    let old = json!({ "email": here.email, "password": people::PASSWORD });
    http::post(stage.address(), "/auth/sign-in", &old).send().await.expect(401);
}

#[tokio::test]
async fn a_disabled_account_is_out_within_a_second() {
    let stage = Stage::new().await;
    let admin = people::sign_in(stage.address(), "admin").await;
    let client = people::sign_in(stage.address(), "client1").await;
    let socket = Socket::open(stage.address(), &client.token).await.expect("a live session");
    let polling = Polling::open(stage.address(), &client.token).await;
    let off = http::ask(stage.address(), "PATCH", "/admin/users/1").token(&admin.token);
    off.json(&json!({ "isActive": false })).send().await.expect(200);
    assert_over(&stage, &client, &socket).await;
    let poll = polling.poll().await;
    assert!(poll.status == 400 || poll.text().contains("41/chat") || poll.text().contains('1'), "{}", poll.text());
    let again = json!({ "email": client.email, "password": people::PASSWORD });
    http::post(stage.address(), "/auth/sign-in", &again).send().await.expect(401);
}

#[tokio::test]
async fn a_session_that_an_admin_or_its_owner_ends_is_over() {
    let stage = Stage::new().await;
    let (here, elsewhere) =
        (people::sign_in(stage.address(), "client2").await, people::sign_in(stage.address(), "client2").await);
    let socket = Socket::open(stage.address(), &elsewhere.token).await.expect("a live session");
    let devices = http::get(stage.address(), "/auth/sessions").token(&elsewhere.token).send().await.expect(200).json();
    let current = devices.as_array().expect("a list").iter().find(|device| device["isCurrent"] == true);
    let id = current.unwrap_or_else(|| panic!("{devices}"))["id"].clone();
    let path = format!("/auth/sessions/{id}");
    let foreign = people::sign_in(stage.address(), "client3").await;
    http::ask(stage.address(), "DELETE", &path).token(&foreign.token).send().await.expect(404);
    assert!(socket.is_open());
    let reply = http::ask(stage.address(), "DELETE", &path).token(&here.token).send().await;
    assert!(reply.status < 300, "{}", reply.text());
    assert_over(&stage, &elsewhere, &socket).await;
    let admin = people::sign_in(stage.address(), "admin").await;
    let socket = Socket::open(stage.address(), &here.token).await.expect("a live session");
    let reply = http::ask(stage.address(), "DELETE", "/admin/users/2/sessions").token(&admin.token).send().await;
    assert!(reply.status < 300, "{}", reply.text());
    assert_over(&stage, &here, &socket).await;
}

#[tokio::test]
async fn a_refresh_token_used_after_its_successor_ends_its_session() {
    let stage = Stage::new().await;
    let client = people::sign_in(stage.address(), "client1").await;
    let first = refresh(&stage, &client.refresh).await.expect(200).json();
    let second = refresh(&stage, first["refreshToken"].as_str().expect("a token")).await.expect(200).json();
    let renewed = second["accessToken"].as_str().expect("a token");
    let socket = Socket::open(stage.address(), renewed).await.expect("a live session");
    http::get(stage.address(), "/users/me").token(renewed).send().await.expect(200);
    assert_eq!(refresh(&stage, &client.refresh).await.status, 401, "its successor was traded already");
    assert!(socket.closed_within(SOON).await);
    http::get(stage.address(), "/users/me").token(renewed).send().await.expect(401);
    let latest = second["refreshToken"].as_str().expect("a token");
    assert_eq!(refresh(&stage, latest).await.status, 401, "the whole session is over");
}

#[tokio::test]
async fn two_refreshes_at_once_get_the_same_successor() {
    let stage = Stage::new().await;
    for _ in 0..10 {
        let client = people::sign_in(stage.address(), "client4").await;
        let (one, other) = tokio::join!(refresh(&stage, &client.refresh), refresh(&stage, &client.refresh));
        let (one, other) = (one.expect(200).json(), other.expect(200).json());
        assert_eq!(one["refreshToken"], other["refreshToken"]);
        let renewed = other["accessToken"].as_str().expect("a token");
        http::get(stage.address(), "/users/me").token(renewed).send().await.expect(200);
    }
}

#[tokio::test]
async fn refresh_tokens_are_opaque_and_stored_hashed() {
    let stage = Stage::new().await;
    let client = people::sign_in(stage.address(), "client1").await;
    assert!(client.refresh.len() >= 32 && !client.refresh.contains('.'), "{}", client.refresh);
    stage.database().execute_batch("PRAGMA wal_checkpoint(FULL)").expect("beside the server");
    let file = std::fs::read(&stage.server.setup.db).expect("readable");
    let clear = client.refresh.as_bytes();
    assert!(!file.windows(clear.len()).any(|window| window == clear), "the database has the token itself");
}

#[tokio::test]
async fn a_socket_dies_with_its_token_unless_it_is_prolonged() {
    let stage = Stage::new().await;
    let client = people::sign_in(stage.address(), "client1").await;
    let jurist = people::sign_in(stage.address(), "juriste1").await;
    let place = json!({ "conversationId": people::conversation(stage.address(), &client, &jurist).await });
    // A few seconds of life, whatever leeway verification grants.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let short = forged(&stage, &client, |claims| claims["exp"] = json!(now + 10));
    let mut dying = Socket::open(stage.address(), &short).await.expect("valid for a moment");
    let mut prolonged = Socket::open(stage.address(), &short).await.expect("valid for a moment");
    for socket in [&mut dying, &mut prolonged] {
        assert_eq!(socket.ask("conversation:join", &place).await["success"], true);
        socket.next("auth:expiring").await;
    }
    let foreign = prolonged.ask("auth:refresh", &json!({ "token": jurist.token })).await;
    assert_eq!(foreign["success"], false, "another person's token: {foreign}");
    let ack = prolonged.ask("auth:refresh", &json!({ "token": client.token })).await;
    assert_eq!(ack["success"], true, "{ack}");
    assert!(ack["expiresAt"].is_string(), "{ack}");
    let expired = dying.next("auth:expired").await;
    assert!(expired.data["reason"].is_string(), "{}", expired.data);
    assert!(dying.closed_within(SOON).await);
    let late = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    assert!((now + 10..=now + 10 + SOON.as_secs()).contains(&late), "it lived {} s", late - now);
    let send = json!({ "conversationId": place["conversationId"], "content": "après" });
    assert!(dying.try_ask("message:send", &send).await.is_none(), "nothing is accepted any more");
    assert_eq!(prolonged.ask("message:send", &send).await["success"], true);
    assert!(dying.next_within("message:new", Duration::from_secs(1)).await.is_none(), "nothing is delivered any more");
}

#[tokio::test]
async fn the_session_id_is_a_secret_and_not_the_socket_id() {
    let stage = Stage::new().await;
    let client = people::sign_in(stage.address(), "client1").await;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..20 {
        let socket = Socket::open(stage.address(), &client.token).await.expect("a live session");
        assert!(socket.sid.len() >= 20, "128 random bits: {}", socket.sid);
        assert_ne!(socket.sid, socket.id);
        assert!(!socket.id.contains(&socket.sid) && !socket.sid.contains(&socket.id));
        assert!(seen.insert(socket.sid.clone()) && seen.insert(socket.id.clone()), "used twice");
    }
}

#[tokio::test]
async fn two_first_starts_make_one_key() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let db = folder.path().join("lexchat.db");
        let mut starts = [Setup::new(&db).spawn(), Setup::new(&db).spawn()];
        let mut serving: Vec<usize> = Vec::new();
        for (number, start) in starts.iter_mut().enumerate() {
            if start.ready_or_ended().await {
                serving.push(number);
            }
        }
        assert!(!serving.is_empty(), "one of them serves");
        let stage_key = "SELECT count(*) FROM keys WHERE purpose = 'token'";
        let keys: i64 = rusqlite::Connection::open(&db)
            .and_then(|db| db.query_row(stage_key, (), |row| row.get(0)))
            .expect("a database");
        assert_eq!(keys, 1);
        let to = starts[serving[0]].address();
        let client = people::sign_in(to, "client1").await;
        for number in serving {
            let reply = http::get(starts[number].address(), "/users/me").token(&client.token).send().await;
            assert_eq!(reply.status, 200, "both verify with the same key");
        }
    }
}

/// Each way in which somebody's session ends.
const ENDINGS: [&str; 6] = ["sign-out", "revoke", "revoke-all", "password", "disable", "command-line"];

/// Ends client 1's session on `elsewhere` in this way.
async fn end(stage: &Stage, way: &str, admin: &Person, here: &Person, elsewhere: &Person) {
    let at = stage.address();
    let done = match way {
        "sign-out" => http::ask(at, "POST", "/auth/sign-out").token(&elsewhere.token),
        "revoke" => {
            let devices = http::get(at, "/auth/sessions").token(&elsewhere.token).send().await.expect(200).json();
            let current = devices.as_array().expect("a list").iter().find(|device| device["isCurrent"] == true);
            http::ask(at, "DELETE", &format!("/auth/sessions/{}", current.expect("a device")["id"])).token(&here.token)
        }
        "revoke-all" => http::ask(at, "DELETE", "/admin/users/1/sessions").token(&admin.token),
        "password" => {
            let change = json!({ "current": people::PASSWORD, "next": "une phrase bien à moi" });
            http::post(at, "/users/me/password", &change).token(&here.token)
        }
        "disable" => http::ask(at, "PATCH", "/admin/users/1").token(&admin.token).json(&json!({ "isActive": false })),
        _ => {
            let (code, text) = server::run(&stage.server.setup.db, &["user", "disable", &here.email]);
            return assert_eq!(code, Some(0), "{text}");
        }
    };
    let reply = done.send().await;
    assert!(reply.status < 300, "{way}: {}", reply.text());
}

/// At the moment in which the socket hears of it, every other door is shut already.
#[tokio::test]
async fn whoever_hears_that_it_is_over_is_refused_everywhere_already() {
    for way in ENDINGS {
        let stage = Stage::new().await;
        let at = stage.address();
        let admin = people::sign_in(at, "admin").await;
        let (here, elsewhere) = (people::sign_in(at, "client1").await, people::sign_in(at, "client1").await);
        let mut socket = Socket::open(at, &elsewhere.token).await.expect("a live session");
        let (_, told) = tokio::join!(end(&stage, way, &admin, &here, &elsewhere), async {
            let told = socket.next("auth:expired").await;
            let me = http::get(at, "/users/me").token(&elsewhere.token).send().await.status;
            let said = json!({ "conversationId": 1, "content": "après" });
            let sent = http::post(at, "/messages", &said).token(&elsewhere.token).send().await.status;
            let renewed = refresh(&stage, &elsewhere.refresh).await.status;
            (told.data["reason"].is_string(), me, sent, renewed)
        });
        assert_eq!(told, (true, 401, 401, 401), "{way}");
    }
}

/// What `auth:expired` tells is a value of its own, never null.
#[tokio::test]
async fn a_revoked_socket_is_told_why() {
    let stage = Stage::new().await;
    let client = people::sign_in(stage.address(), "client5").await;
    let mut socket = Socket::open(stage.address(), &client.token).await.expect("a live session");
    http::ask(stage.address(), "POST", "/auth/sign-out").token(&client.token).send().await.expect(204);
    let told = socket.next_within("auth:expired", SOON).await.map(|event| event.data["reason"].clone());
    assert!(matches!(told, Some(Value::String(_))), "{told:?}");
}
