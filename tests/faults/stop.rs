//! SIGTERM and Ctrl-C under load: nothing acknowledged is lost, clients are told, the process is gone in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt};
use rustix::process::Signal;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::durability::{BUSY, assert_all_kept};
use crate::support::http;
use crate::support::polling::Polling;
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

/// Polls until the server says goodbye, with pauses; how many events came before, as they come.
async fn poll_until_the_goodbye(session: Polling, pause: Duration, heard: Arc<AtomicUsize>) {
    loop {
        tokio::time::sleep(pause).await;
        let reply = session.poll().await.expect(200);
        for packet in reply.text().split('\x1e') {
            match packet {
                "1" => return,
                "2" => drop(session.post("3").await.expect(200)),
                event if event.contains("\"message:new\"") => drop(heard.fetch_add(1, Ordering::Relaxed)),
                _ => {}
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: tests/faults/run"]
async fn a_stop_tells_a_thousand_who_poll_and_waits_in_vain_for_nobody() {
    const POLLING: usize = 1000;
    const SLOW: usize = 100;
    const SILENT: usize = 20;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let setup = Setup::new(folder.path().join("lexchat.db"));
    let mut server = setup.argument("--sockets-per-user").argument("2000").start().await;
    let to = server.address();
    let pair = crate::traffic::conversations(to, 1).await.remove(0);
    let (id, token) = (pair.id, &pair.members[0].token);
    let open = || async move {
        let session = Polling::open(to, token).await;
        assert_eq!(session.ask("conversation:join", &json!({ "conversationId": id })).await["success"], true);
        session
    };
    let heard = Arc::new(AtomicUsize::new(0));
    // Each polls from its first moment: where opening a thousand takes long, the first would be given up meanwhile.
    let mut polling = Vec::with_capacity(POLLING);
    let mut opened = std::pin::pin!(stream::iter(0..POLLING).map(|_| open()).buffer_unordered(20));
    while let Some(session) = opened.next().await {
        polling.push(tokio::spawn(poll_until_the_goodbye(session, Duration::ZERO, heard.clone())));
    }
    // Of these many are between two polls at any moment, and what they hear is not waited for.
    let slow: Vec<Polling> = stream::iter(0..SLOW).map(|_| open()).buffer_unordered(20).collect().await;
    for (number, session) in (0..).zip(slow) {
        let pause = Duration::from_millis(number % 100);
        polling.push(tokio::spawn(poll_until_the_goodbye(session, pause, Arc::default())));
    }
    // They are between two polls, for ever.
    let silent: Vec<Polling> = stream::iter(0..SILENT).map(|_| open()).buffer_unordered(20).collect().await;
    // How long this machine takes to tell everybody something is what the stop is measured by.
    let mut telling = Duration::ZERO;
    for round in 1..=2 {
        let began = Instant::now();
        let message = json!({ "conversationId": id, "content": format!("message {round}") });
        http::post(to, "/messages", &message).token(token).send().await.expect(201);
        while heard.load(Ordering::Relaxed) < round * POLLING {
            assert!(began.elapsed() < Duration::from_secs(60), "{heard:?} of {POLLING} heard it");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        telling = began.elapsed();
    }
    let began = Instant::now();
    server.signal(Signal::TERM);
    let status = server.ended_within(Duration::from_secs(12)).await.expect("it ends");
    let took = began.elapsed();
    println!("a stop with {POLLING} who poll took {took:?}; telling them something took {telling:?}");
    assert_eq!(status.code(), Some(0), "{}", server.log());
    for poll in polling {
        poll.await.expect("each gets an answer, until the goodbye");
    }
    // Who waited in vain would wait for ten seconds, and say so.
    assert!(took <= Duration::from_secs(2) + 4 * telling, "{took:?}, telling took {telling:?}");
    assert!(!server.log().contains("cut off") && !server.log().contains("in time"), "{}", server.log());
    drop(silent);
}
