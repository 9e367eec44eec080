//! How sessions end: by either side, by a cut, by a client that is too slow.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use lexchat::engineio::packet::Unit;
use lexchat::engineio::server::{Server, Settings};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::echo::{self, Layer};
use crate::fixture::{Echo, calm, get, held, post, until};
use crate::support::PATIENCE;
use crate::support::wire::{Frame, WebSocket, frame_head, masked};

#[tokio::test]
async fn a_slow_reader_is_cut_off_and_nobody_waits_for_it() {
    // What the kernel's own buffers take comes on top.
    for (transport, sent_max) in [("polling", 100), ("websocket", 30_000)] {
        let (echo, mut sockets) = held(Settings { queue_bytes_max: 100_000, ..calm() }).await;
        let _slow = match transport {
            "polling" => echo.polling().await.len(),
            _ => {
                let websocket = WebSocket::open(echo.address, &echo.at("EIO=4&transport=websocket")).await;
                std::mem::forget(websocket);
                0
            }
        };
        let mut socket = sockets.recv().await.expect("a socket");
        let sender = socket.sender();
        let ended = tokio::spawn(async move { while socket.recv().await.is_some() {} });
        let message = Unit::text(&"x".repeat(1000));
        let mut sent = 0;
        let deadline = Instant::now() + PATIENCE;
        while sender.send(message.clone()).is_ok() {
            sent += 1;
            if sent % 50 == 0 {
                tokio::task::yield_now().await;
            }
            assert!(Instant::now() < deadline, "never cut off");
        }
        assert!((90..=sent_max).contains(&sent), "cut off after {sent}");
        tokio::time::timeout(PATIENCE, ended).await.expect("told in time").expect("no panic");
        assert!(sender.is_closed());
        assert_eq!(echo.server.sessions(), 0);
    }
}

#[tokio::test]
async fn what_is_queued_leaves_before_a_close() {
    let (echo, mut sockets) = held(calm()).await;
    let target = echo.poll(&echo.polling().await);
    let mut websocket = WebSocket::open(echo.address, &echo.at("EIO=4&transport=websocket")).await;
    for _ in 0..2 {
        let mut socket = sockets.recv().await.expect("a socket");
        let sender = socket.sender();
        for number in 0..3 {
            sender.send(Unit::text(&number.to_string())).expect("open");
        }
        sender.close();
        assert!(sender.send(Unit::text("late")).is_err());
        tokio::spawn(async move { while socket.recv().await.is_some() {} });
    }
    assert_eq!(get(echo.address, &target).await.text(), "40\u{1e}41\u{1e}42");
    assert_eq!(get(echo.address, &target).await.text(), "1", "clients act on the end before messages beside it");
    assert_eq!(get(echo.address, &target).await.code(), 1);
    assert!(matches!(websocket.next().await, Frame::Text(opening) if opening.starts_with("0{")));
    for expected in ["40", "41", "42"] {
        assert_eq!(websocket.message().await, expected);
    }
    assert_eq!(websocket.next().await, Frame::Close(Some(1000)));
}

#[tokio::test]
async fn a_poll_behind_its_clients_goodbye_ends_in_peace_once() {
    let echo = Echo::calm_engine().await;
    let target = echo.poll(&echo.polling().await);
    assert_eq!(post(echo.address, &target, "1").await.status, 200);
    let crossed = get(echo.address, &target).await;
    assert_eq!((crossed.status, crossed.text().as_str()), (200, "6"));
    assert_eq!(get(echo.address, &target).await.code(), 1);
}

#[tokio::test]
async fn a_poll_or_post_that_is_cut_off_ends_its_session() {
    let echo = Echo::calm_engine().await;
    for method in ["GET", "POST"] {
        let target = echo.poll(&echo.polling().await);
        let length = if method == "POST" { "Content-Length: 10\r\n" } else { "" };
        let mut stream = TcpStream::connect(echo.address).await.expect("connected");
        let request = format!("{method} {target} HTTP/1.1\r\nHost: x\r\n{length}\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        drop(stream);
        until("the session is over", || echo.server.sessions() == 0).await;
    }
}

#[tokio::test]
async fn a_message_or_body_that_drips_is_given_up() {
    let body_timeout = Duration::from_millis(300);
    let echo = Echo::start(Layer::Engine, Settings { body_timeout, ..calm() }).await;
    let fragment = [masked(0x01, b"4a"), masked(0x00, b"b")].concat();
    for start in [frame_head(0x81, 100), fragment, vec![0x81]] {
        let mut websocket = echo.websocket().await;
        websocket.text("4whole").await;
        assert_eq!(websocket.message().await, "4whole");
        let began = Instant::now();
        websocket.raw(&start).await;
        assert_eq!(websocket.refused().await, Some(1008));
        assert!(began.elapsed() >= body_timeout, "given up early");
    }
    let target = echo.poll(&echo.polling().await);
    let head = format!("POST {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\n4");
    let answer = crate::support::http::talk(echo.address, head.as_bytes()).await;
    assert!(answer.starts_with(b"HTTP/1.1 408 "), "{:?}", String::from_utf8_lossy(&answer));
    assert_eq!(get(echo.address, &target).await.code(), 1);
}

#[tokio::test]
async fn closing_the_server_ends_every_session_and_opens_no_more() {
    let echo = Echo::calm_engine().await;
    let mut websocket = echo.websocket().await;
    let target = echo.poll(&echo.polling().await);
    let waiting = tokio::spawn({
        let target = target.clone();
        async move { get(echo.address, &target).await }
    });
    websocket.text("4a").await;
    assert_eq!(websocket.message().await, "4a");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let began = Instant::now();
    echo.server.close(PATIENCE).await;
    assert!(began.elapsed() < PATIENCE, "waited in vain");
    assert_eq!(websocket.closed().await, Some(1000));
    assert_eq!(waiting.await.expect("answered").text(), "1");
    assert_eq!(echo.server.sessions(), 0);
    let refused = get(echo.address, &echo.at("EIO=4&transport=polling")).await;
    assert_eq!(refused.status, 503);
}

#[tokio::test]
async fn who_comes_after_the_server_closed_hears_goodbye_and_strangers_that_there_is_no_such_session() {
    let echo = Echo::calm_engine().await;
    let (between_polls, left) = (echo.polling().await, echo.polling().await);
    assert_eq!(post(echo.address, &echo.poll(&left), "1").await.status, 200);
    echo.server.close(PATIENCE).await;
    assert_eq!(echo.server.sessions(), 0);
    // An answer may be lost, and the client asks once more.
    for _ in 0..2 {
        let goodbye = get(echo.address, &echo.poll(&between_polls)).await;
        assert_eq!((goodbye.status, goodbye.text().as_str()), (200, "1"));
        let taken = post(echo.address, &echo.poll(&between_polls), "4late").await;
        assert_eq!((taken.status, taken.text().as_str()), (200, "ok"));
        assert_eq!(get(echo.address, &echo.upgrade(&between_polls)).await.status, 503);
    }
    assert_eq!(get(echo.address, &echo.poll(&left)).await.text(), "6", "it has said goodbye itself");
    for stranger in [&left[..], "AAAAAAAAAAAAAAAAAAAAAA", "none"] {
        assert_eq!(get(echo.address, &echo.poll(stranger)).await.code(), 1, "{stranger}");
        assert_eq!(post(echo.address, &echo.poll(stranger), "4late").await.code(), 1, "{stranger}");
    }
}

#[tokio::test(start_paused = true)]
async fn closing_the_server_takes_as_long_as_clients_come_for_their_goodbye_and_no_longer() {
    let (server, incoming) = Server::new(calm());
    tokio::spawn(echo::accept(incoming, Layer::Engine));
    let polled = |sid: String| {
        let server = server.clone();
        async move {
            let request = Request::get(format!("/?EIO=4&transport=polling{sid}")).body(Full::<Bytes>::default());
            let answer = server.respond(request.expect("a request"), IpAddr::from([127, 0, 0, 1])).await;
            let body = answer.into_body().collect().await.expect("a body").to_bytes();
            String::from_utf8(body.into()).expect("text")
        }
    };
    let mut sids = Vec::new();
    for _ in 0..40 {
        let opening: Value = serde_json::from_str(&polled(String::new()).await[1..]).expect("an open packet");
        sids.push(format!("&sid={}", opening["sid"].as_str().expect("a session")));
    }
    let never = sids.split_off(30);
    let closing = tokio::spawn({
        let server = server.clone();
        async move { server.close(PATIENCE).await }
    });
    for sid in sids {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!closing.is_finished(), "somebody came a moment ago");
        assert_eq!(polled(sid).await, "1");
    }
    let last = Instant::now();
    closing.await.expect("no panic");
    assert!(last.elapsed() <= Duration::from_millis(250), "{:?} in vain for {}", last.elapsed(), never.len());
    assert_eq!(server.sessions(), 0);
}

#[tokio::test]
async fn a_dropped_socket_closes_its_session() {
    let (echo, mut sockets) = held(calm()).await;
    let target = echo.poll(&echo.polling().await);
    let mut websocket = WebSocket::open(echo.address, &echo.at("EIO=4&transport=websocket")).await;
    let polling = sockets.recv().await.expect("a socket");
    let mut other = sockets.recv().await.expect("a socket");
    let _ = tokio::time::timeout(Duration::from_millis(50), other.recv()).await;
    drop((polling, other));
    assert_eq!(get(echo.address, &target).await.code(), 1);
    assert_eq!(websocket.closed().await, Some(1000));
    assert_eq!(echo.server.sessions(), 0);
}
