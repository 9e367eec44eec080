//! The first start: demo accounts never leave this machine, the first administrator comes by a one-time link.

use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::security::stage::Stage;
use crate::security::tokens::is_signed_with;
use crate::support::PATIENCE;
use crate::support::http::{self, Reply};
use crate::support::people;
use crate::support::server::{self, Setup};
use crate::support::socket::Socket;

/// Runs a server on a database that is expected to end by itself.
fn run_to_its_end(setup: &Setup, words: &[&str]) -> Output {
    let mut child = Command::new(&setup.binary)
        .arg("serve")
        .args(words)
        .arg("--db")
        .arg(&setup.db)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built");
    let began = Instant::now();
    while child.try_wait().expect("a child of ours").is_none() {
        if began.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("{words:?}: it serves");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().expect("it ended")
}

#[tokio::test]
async fn demo_accounts_never_listen_beyond_this_machine() {
    let mut stage = Stage::new().await;
    people::sign_in(stage.address(), "client1").await;
    stage.server.kill();
    let setup = &stage.server.setup;
    let listen = format!("0.0.0.0:{}", setup.port);
    let refused = run_to_its_end(setup, &["--listen", &listen, "--insecure-http"]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(3), "{text}");
    assert!(text.contains("demo") || text.contains("démo"), "it says why: {text}");
    assert!(text.contains("lexchat user") || text.contains("--no-demo"), "and the way out: {text}");
}

/// The token of the link that a new server prints, once it has.
async fn printed_token(stage: &Stage) -> String {
    let began = Instant::now();
    while !stage.server.log().contains("/installation/") {
        assert!(began.elapsed() < PATIENCE, "{}", stage.server.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    token_in(&stage.server.log())
}

/// The token of the one-time link in a text.
fn token_in(text: &str) -> String {
    let link = text.split_whitespace().find(|word| word.contains("/installation/")).unwrap_or_else(|| panic!("{text}"));
    link.rsplit('/').next().expect("a last segment").to_owned()
}

async fn set_up(stage: &Stage, token: &str, number: usize) -> Reply {
    let body = json!({
        "token": token, "name": "Anne Roy", "email": format!("anne{number}@cabinet.example"),
        "password": "une phrase assez longue",
    });
    http::post(stage.address(), "/auth/setup", &body).send().await
}

#[tokio::test]
async fn the_first_administrator_comes_by_a_link_that_works_once() {
    let stage = Stage::with(&["--no-demo"]).await;
    let demo = json!({ "email": people::email("client1"), "password": people::PASSWORD });
    http::post(stage.address(), "/auth/sign-in", &demo).send().await.expect(401);
    let token = printed_token(&stage).await;
    assert!(token.len() >= 22, "{token}");
    assert_ne!(set_up(&stage, &format!("{}x", &token[1..]), 0).await.status, 201);
    let (one, other) = tokio::join!(set_up(&stage, &token, 1), set_up(&stage, &token, 2));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201, "one of two at once: {statuses:?}");
    assert!(statuses[1] >= 400, "{statuses:?}");
    let admins = "SELECT count(*) FROM users WHERE role = 'admin'";
    let admins: i64 = stage.database().query_row(admins, (), |row| row.get(0)).expect("a table");
    assert_eq!(admins, 1);
    assert!(set_up(&stage, &token, 3).await.status >= 400, "it worked once already");
}

#[tokio::test]
async fn a_setup_link_ends_after_half_an_hour() {
    let stage = Stage::with(&["--no-demo"]).await;
    let token = printed_token(&stage).await;
    let life = "SELECT max(expires_at - created_at) FROM setup_tokens";
    let life: i64 = stage.database().query_row(life, (), |row| row.get(0)).expect("a link");
    assert_eq!(life, 30 * 60 * 1000);
    stage.database().execute("UPDATE setup_tokens SET expires_at = created_at + 1", ()).expect("time passes");
    assert!(set_up(&stage, &token, 1).await.status >= 400);
    let (code, text) = server::run(&stage.server.setup.db, &["setup-link"]);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(set_up(&stage, &token_in(&text), 2).await.status, 201, "a new one works");
}

/// The signed address of the picture that the demonstration has.
async fn signed_picture(at: SocketAddr, token: &str) -> String {
    let messages = http::get(at, "/messages?conversationId=1").token(token).send().await.expect(200).json();
    let mut files =
        messages.as_array().expect("a list").iter().filter_map(|message| message["files"][0]["id"].as_i64());
    let path = format!("/attachments/{}/link", files.next().expect("a picture"));
    let link = http::ask(at, "POST", &path).token(token).send().await.expect(200).json();
    link["url"].as_str().expect("an address").to_owned()
}

#[tokio::test]
async fn new_keys_end_every_access_token_at_once_and_no_session() {
    let mut stage = Stage::new().await;
    let at = stage.address();
    let client = people::sign_in(at, "client1").await;
    let socket = Socket::open(at, &client.token).await.expect("a live session");
    let signed = signed_picture(at, &client.token).await;
    http::get(at, &signed).send().await.expect(200);
    let before = stage.signing_key();
    let (code, text) = server::run(&stage.server.setup.db, &["rotate-keys"]);
    assert_eq!(code, Some(0), "{text}");
    // The command has returned: from here on nothing passes, whether or not the server has looked yet.
    for path in ["/users/me", "/conversations", "/messages?conversationId=1"] {
        http::get(at, path).token(&client.token).send().await.expect(401);
    }
    let said = json!({ "conversationId": 1, "content": "volé" });
    http::post(at, "/messages", &said).token(&client.token).send().await.expect(401);
    assert!(http::get(at, &signed).send().await.status >= 400, "the address of a file");
    let ack = socket.try_ask("message:send", &said).await;
    assert!(ack.is_none_or(|ack| ack["success"] == false), "a socket that is still open");
    let now = stage.signing_key();
    assert_ne!(now, before);
    assert!(socket.closed_within(Duration::from_secs(10)).await, "whoever came with a stolen key is out");
    assert!(Socket::open(at, &client.token).await.is_err(), "and does not come back");
    let refresh = json!({ "refreshToken": client.refresh });
    let renewed = http::post(at, "/auth/refresh-token", &refresh).send().await.expect(200).json();
    let renewed = renewed["accessToken"].as_str().expect("a token");
    assert!(is_signed_with(renewed, &now) && !is_signed_with(renewed, &before));
    stage.server.restart().await;
    http::get(stage.address(), "/users/me").token(renewed).send().await.expect(200);
}

#[tokio::test]
async fn wrong_usage_and_refused_configuration_have_their_own_exit_codes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let setup = Setup::new(folder.path().join("lexchat.db"));
    assert_eq!(run_to_its_end(&setup, &["--no-such-flag"]).status.code(), Some(2));
    let beyond = run_to_its_end(&setup, &["--listen", "0.0.0.0:0", "--no-demo"]);
    assert_eq!(beyond.status.code(), Some(3), "clear text beyond this machine needs a word");
    assert!(!setup.db.exists(), "and nothing was made");
}

/// The first window is not empty, and the walk that others were shown still works.
#[tokio::test]
async fn a_new_database_has_a_conversation_to_look_at() {
    let stage = Stage::new().await;
    let at = stage.address();
    let (client, jurist) = (people::sign_in(at, "client1").await, people::sign_in(at, "juriste1").await);
    let opened = http::post(at, "/conversations", &json!({ "participantId": 6 })).token(&client.token).send().await;
    let seen = opened.expect(200).json();
    assert_eq!((&seen["id"], &seen["clientId"], &seen["lawyerId"]), (&json!(1), &json!(1), &json!(6)));
    assert_eq!((&seen["unreadCount"], &seen["unreadCountLawyer"]), (&json!(0), &json!(1)));
    let get = async |path: &str| http::get(at, path).token(&jurist.token).send().await.expect(200);
    let messages = get("/messages?conversationId=1").await.json();
    let messages = messages.as_array().expect("a list");
    let all = |field: &str| messages.iter().map(|message| message[field].clone()).collect::<Vec<_>>();
    assert_eq!(all("id"), [1, 2, 3, 4, 5, 6].map(|id| json!(id)));
    assert_eq!(all("isRead"), [true, true, true, true, true, false].map(|is_read| json!(is_read)));
    let times: Vec<String> = all("createdAt").iter().map(|at| at.as_str().expect("a time").to_owned()).collect();
    let now = lexchat::model::timestamp::Timestamp::now().to_string();
    assert!(times.is_sorted() && times[5] < now, "{times:?} before {now}");
    assert_eq!((all("replyToId").len(), &messages[3]["replyToId"]), (6, &json!(3)));
    assert_eq!(messages[3]["reactions"], json!([{ "emoji": "👍", "userIds": [1] }]));
    let file = &messages[2]["files"][0];
    let bytes = get(file["url"].as_str().expect("an address")).await.body;
    assert!(bytes.starts_with(b"\x89PNG") && bytes.len() <= 4096 && file["size"] == bytes.len());
    let found = get("/messages/search?q=pension").await.json();
    assert_eq!(found["results"][0]["message"]["id"], 6);
    let (code, text) = server::run(&stage.server.setup.db, &["check"]);
    assert_eq!((code, text.as_str()), (Some(0), "1 conversations, 6 messages, 1 files\n"));
}
