//! The first start: demo accounts never leave this machine, the first administrator comes by a one-time link.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::stage::Stage;
use crate::support::http::{self, Reply};
use crate::support::people;
use crate::support::server::{self, Setup};
use crate::support::socket::Socket;
use crate::tokens::is_signed_with;

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
        if began.elapsed() > Duration::from_secs(10) {
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
        assert!(began.elapsed() < Duration::from_secs(5), "{}", stage.server.log());
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

#[tokio::test]
async fn new_keys_sign_nobody_out() {
    let mut stage = Stage::new().await;
    let client = people::sign_in(stage.address(), "client1").await;
    let socket = Socket::open(stage.address(), &client.token).await.expect("a live session");
    let before = stage.signing_key();
    let (code, text) = server::run(&stage.server.setup.db, &["rotate-keys"]);
    assert_eq!(code, Some(0), "{text}");
    let now = stage.signing_key();
    assert_ne!(now, before);
    http::get(stage.address(), "/users/me").token(&client.token).send().await.expect(200);
    assert!(socket.is_open());
    stage.server.restart().await;
    let renewed = people::sign_in(stage.address(), "client2").await;
    assert!(is_signed_with(&renewed.token, &now) && !is_signed_with(&renewed.token, &before));
    for person in [&client, &renewed] {
        http::get(stage.address(), "/users/me").token(&person.token).send().await.expect(200);
    }
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
