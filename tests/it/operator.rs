//! The command line beside a server: what an operator types, run as the built binary.

use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};

use crate::harness::server::Server;
use crate::https::Papers;

/// Runs the binary to its end without any of our variables; no program that it could start is found.
async fn typed(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lexchat"));
    command.args(words).env_clear().stdin(Stdio::null());
    let ended = tokio::task::spawn_blocking(move || command.output());
    ended.await.expect("a thread").expect("the binary was built")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

async fn assert_healthy(at: SocketAddr) {
    let asked = typed(&["healthcheck", "--listen", &at.to_string()]).await;
    assert!(asked.status.success(), "{}", text(&asked.stderr));
}

/// A second double click: it says where the first one serves.
async fn assert_found(at: SocketAddr, scheme: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = folder.path().join("another.db");
    let words = ["serve", "--open", "--listen", &at.to_string(), "--db", db.to_str().expect("a UTF-8 path")];
    let second = typed(&words).await;
    assert!(second.status.success(), "{}", text(&second.stderr));
    let expected = format!("lexchat is running already: {scheme}://localhost:{}/\n", at.port());
    assert_eq!(text(&second.stdout), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_found_healthy_and_running_with_and_without_a_certificate() {
    let papers = Papers::new();
    let (plain, secure) = (Server::start().await, papers.serve().await);
    assert_healthy(plain.at).await;
    assert_healthy(secure.at).await;
    assert_found(plain.at, "http").await;
    assert_found(secure.at, "https").await;

    let at = secure.at;
    secure.stop().await;
    let asked = typed(&["healthcheck", "--listen", &at.to_string()]).await;
    assert_eq!(asked.status.code(), Some(1));
    assert!(text(&asked.stderr).contains("nobody answers"), "{}", text(&asked.stderr));
}
