//! SIGTERM and Ctrl-C under load: nothing acknowledged is lost, clients are told, the process is gone in time.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::durability::{BUSY, assert_all_kept};
use crate::support::http;
use crate::support::server::{self, Setup};
use crate::support::socket::Socket;
use crate::traffic::Traffic;

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn a_stop_under_load_is_quick_clean_and_loses_nothing() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut server = Setup::new(folder.path().join("lexchat.db")).start().await;
        let traffic = Traffic::start(server.address(), BUSY).await;
        let pair = traffic.conversations[0].clone();
        let bystander = Socket::open(server.address(), &pair.members[0].token).await.expect("a live session");
        // An upload that has begun and does not go on, and a poll without end, must not hold the stop up.
        let mut upload = http::connect(server.address(), None).await.expect("it listens");
        let head = format!(
            "POST /attachments?conversationId={}&name=a.bin HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
             Content-Length: 1000000\r\n\r\nabc",
            pair.id, pair.members[0].token
        );
        upload.write_all(head.as_bytes()).await.expect("it reads");
        traffic.acked(500, Duration::from_secs(30)).await;
        let began = Instant::now();
        server.signal(signal);
        let status = server.ended_within(Duration::from_secs(12)).await.expect("it ends");
        let took = began.elapsed();
        println!("{signal:?} under load: ended after {took:?}");
        assert_eq!(status.code(), Some(0), "{}", server.log());
        assert!(took <= Duration::from_secs(10), "{took:?}");
        assert!(bystander.closed_within(Duration::from_secs(1)).await, "clients are told");
        let left = server.wal_bytes();
        assert_eq!(left, 0, "the log was copied back");
        assert!(server::beside(&server.setup.db, "").exists());
        server.restart().await;
        assert_all_kept("stop", &server, traffic).await;
    }
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn a_stop_tells_clients_to_come_back_and_refuses_new_work() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = Setup::new(folder.path().join("lexchat.db")).start().await;
    let pair = crate::traffic::conversations(server.address(), 1).await.remove(0);
    let socket = Socket::open(server.address(), &pair.members[0].token).await.expect("a live session");
    server.signal(Signal::TERM);
    assert!(socket.closed_within(Duration::from_secs(10)).await);
    let late = socket.try_ask("message:send", &json!({ "conversationId": pair.id, "content": "trop tard" })).await;
    assert!(late.is_none_or(|ack| ack["success"] != true));
    assert_eq!(server.ended_within(Duration::from_secs(10)).await.and_then(|status| status.code()), Some(0));
    assert!(http::get(server.address(), "/healthz").try_send().await.is_err());
}
