//! What the protocol allows beside the official suite's cases: compression, bounds, upgrades under load, bare WebSockets.

use std::io::Read;
use std::time::Duration;

use lexchat::engineio::packet::Unit;
use lexchat::engineio::server::Settings;

use crate::echo::Layer;
use crate::engine_cases::upgraded;
use crate::fixture::{Echo, ask, calm, get, held, post, until};
use crate::support::PATIENCE;
use crate::support::wire::{Frame, WebSocket};

#[tokio::test]
async fn long_answers_are_compressed_when_asked_for() {
    let echo = Echo::calm_engine().await;
    let target = echo.poll(&echo.polling().await);
    for (length, accepted, packed) in
        [(100_000, "gzip, deflate", true), (5_000, "gzip", true), (5_000, "br", false), (100, "gzip", false)]
    {
        let message = format!("4{}", "é".repeat(length / 2));
        assert_eq!(post(echo.address, &target, &message).await.status, 200);
        let reply = ask(echo.address, "GET", &target, &[("Accept-Encoding", accepted)], b"").await;
        assert_eq!(reply.header("content-encoding"), packed.then_some("gzip"), "{length} {accepted}");
        let mut text = String::new();
        match packed {
            true => flate2::read::GzDecoder::new(&reply.body[..]).read_to_string(&mut text).map(drop).expect("gzip"),
            false => text = reply.text(),
        }
        assert_eq!(text, message);
    }
}

#[tokio::test]
async fn a_body_over_the_bound_is_refused_and_ends_the_session() {
    let echo = Echo::start(Layer::Engine, Settings { max_payload: 1000, ..calm() }).await;
    let fits = format!("4{}", "x".repeat(999));
    let over = format!("4{}", "x".repeat(1000));
    let target = echo.poll(&echo.polling().await);
    assert_eq!(post(echo.address, &target, &fits).await.status, 200);
    assert_eq!(get(echo.address, &target).await.text(), fits);
    assert_eq!(post(echo.address, &target, &over).await.status, 413);
    assert_eq!(get(echo.address, &target).await.code(), 1);
    let target = echo.poll(&echo.polling().await);
    let chunked = format!(
        "POST {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n{over}\r\n0\r\n\r\n"
    );
    let answer = crate::support::http::talk(echo.address, chunked.as_bytes()).await;
    assert!(answer.starts_with(b"HTTP/1.1 413 "), "{:?}", String::from_utf8_lossy(&answer));
    assert_eq!(get(echo.address, &target).await.code(), 1);
}

#[tokio::test]
async fn a_websocket_message_over_the_bound_closes_with_1009() {
    let echo = Echo::start(Layer::Engine, Settings { max_payload: 1000, ..calm() }).await;
    let mut websocket = echo.websocket().await;
    websocket.text(&format!("4{}", "x".repeat(999))).await;
    assert_eq!(websocket.message().await.len(), 1000);
    websocket.text(&format!("4{}", "x".repeat(1000))).await;
    assert_eq!(websocket.closed().await, Some(1009));
    let mut websocket = echo.websocket().await;
    websocket.frame(0x01, &[b'4'; 600]).await;
    websocket.frame(0x80, &[b'x'; 600]).await;
    assert_eq!(websocket.closed().await, Some(1009));
}

#[tokio::test]
async fn a_fragmented_message_arrives_whole_with_pings_between() {
    let echo = Echo::calm_engine().await;
    let mut websocket = echo.websocket().await;
    websocket.frame(0x01, "4h\u{e9}".as_bytes().split_at(3).0).await;
    websocket.frame(0x89, b"are you there").await;
    websocket.frame(0x00, "4h\u{e9}".as_bytes().split_at(3).1).await;
    websocket.frame(0x80, b"llo").await;
    assert_eq!(websocket.next().await, Frame::Pong(b"are you there".to_vec()));
    assert_eq!(websocket.message().await, "4h\u{e9}llo");
}

#[tokio::test]
async fn a_post_waits_until_the_last_one_was_taken() {
    let (echo, mut sockets) = held(calm()).await;
    let target = echo.poll(&echo.polling().await);
    let mut socket = sockets.recv().await.expect("a socket");
    assert_eq!(post(echo.address, &target, "4a\u{1e}4b").await.status, 200);
    let second = tokio::spawn({
        let target = target.clone();
        async move { post(echo.address, &target, "4c").await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!second.is_finished(), "more was read than was taken");
    for expected in ["a", "b", "c"] {
        let message = tokio::time::timeout(PATIENCE, socket.recv()).await.expect("in time").expect("a message");
        assert_eq!(message, lexchat::engineio::packet::Message::Text(expected.into()));
    }
    assert_eq!(second.await.expect("answered").status, 200);
}

#[tokio::test]
async fn a_holder_that_only_drives_still_writes_and_beats() {
    let (echo, mut sockets) = held(Settings {
        ping_interval: Duration::from_millis(100),
        ping_timeout: Duration::from_millis(100),
        ..calm()
    })
    .await;
    let mut websocket = WebSocket::open(echo.address, &echo.at("EIO=4&transport=websocket")).await;
    let mut socket = sockets.recv().await.expect("a socket");
    let sender = socket.sender();
    let (enough, is_enough) = tokio::sync::oneshot::channel::<()>();
    let driving = tokio::spawn(async move {
        tokio::select! {
            _ = socket.drive() => {}
            _ = is_enough => {}
        }
        socket
    });
    assert!(matches!(websocket.next().await, Frame::Text(opening) if opening.starts_with('0')));
    websocket.text("4unread").await;
    sender.send(Unit::text("driven")).expect("open");
    assert_eq!(websocket.next().await, Frame::Text("4driven".to_owned()));
    assert_eq!(websocket.next().await, Frame::Text("2".to_owned()));
    websocket.text("3").await;
    // The pong lies unread behind the message, longer than a client may take; that is not the client's fault.
    tokio::time::sleep(Duration::from_millis(500)).await;
    enough.send(()).expect("it drives");
    let mut socket = driving.await.expect("driven");
    let message = tokio::time::timeout(PATIENCE, socket.recv()).await.expect("in time");
    assert_eq!(message, Some(lexchat::engineio::packet::Message::Text("unread".into())));
    assert!(!sender.is_closed());
}

#[tokio::test]
async fn a_stray_poll_does_not_hold_an_unread_pong_against_a_session() {
    let beat = Duration::from_millis(300);
    let (echo, mut sockets) = held(Settings { ping_interval: beat, ping_timeout: beat * 5, ..calm() }).await;
    let sid = echo.polling().await;
    let mut socket = sockets.recv().await.expect("a socket");
    let mut websocket = WebSocket::open(echo.address, &echo.upgrade(&sid)).await;
    for packet in ["2probe", "5", "4first"] {
        websocket.text(packet).await;
    }
    let first = tokio::time::timeout(PATIENCE, socket.recv()).await.expect("in time");
    assert_eq!(first, Some(lexchat::engineio::packet::Message::Text("first".into())));
    let driving = tokio::spawn(async move {
        let _ = tokio::time::timeout(beat * 10, socket.drive()).await;
        socket
    });
    while websocket.next().await != Frame::Text("2".to_owned()) {}
    websocket.text("3").await;
    websocket.text("4second").await;
    let mut socket = driving.await.expect("driven");
    assert_eq!(get(echo.address, &echo.poll(&sid)).await.code(), 3);
    let second = tokio::time::timeout(PATIENCE, socket.recv()).await.expect("in time");
    assert_eq!(second, Some(lexchat::engineio::packet::Message::Text("second".into())));
}

#[tokio::test]
async fn nothing_is_lost_or_reordered_across_an_upgrade() {
    let (echo, mut sockets) = held(calm()).await;
    let sid = echo.polling().await;
    let mut socket = sockets.recv().await.expect("a socket");
    let sender = socket.sender();
    tokio::spawn(async move { while socket.recv().await.is_some() {} });
    let sending = tokio::spawn(async move {
        for number in 0..500 {
            sender.send(Unit::text(&number.to_string())).expect("open");
            if number % 7 == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        sender
    });
    let mut heard = Vec::new();
    let mut take = |text: &str| {
        heard.extend(text.split('\u{1e}').filter(|packet| *packet != "6").map(|packet| packet[1..].to_owned()));
    };
    take(&get(echo.address, &echo.poll(&sid)).await.text());
    let mut websocket = WebSocket::open(echo.address, &echo.upgrade(&sid)).await;
    take(&get(echo.address, &echo.poll(&sid)).await.text());
    websocket.text("2probe").await;
    assert_eq!(websocket.message().await, "3probe");
    take(&get(echo.address, &echo.poll(&sid)).await.text());
    websocket.text("5").await;
    while !heard_all(&heard) {
        let text = websocket.message().await;
        heard.push(text[1..].to_owned());
    }
    let expected: Vec<String> = (0..500).map(|number| number.to_string()).collect();
    assert_eq!(heard, expected);
    drop(sending.await.expect("sent"));
}

fn heard_all(heard: &[String]) -> bool {
    heard.last().is_some_and(|last| last == "499")
}

#[tokio::test]
async fn an_upgrade_that_fails_leaves_polling_alone() {
    let echo = Echo::start(Layer::Engine, Settings { upgrade_timeout: Duration::from_secs(1), ..calm() }).await;
    for first in ["4hello", "2prob", "5", "3", "abc"] {
        let sid = echo.polling().await;
        let mut websocket = WebSocket::open(echo.address, &echo.upgrade(&sid)).await;
        websocket.text(first).await;
        // A malformed packet takes the WebSocket without a word, a misplaced one with the code for it.
        assert!(matches!(websocket.refused().await, Some(1008) | None), "{first}");
        assert_eq!(post(echo.address, &echo.poll(&sid), "4still").await.status, 200, "{first}");
        assert_eq!(get(echo.address, &echo.poll(&sid)).await.text(), "4still", "{first}");
        // And another one may try.
        upgraded(&echo, &sid).await;
    }
    let sid = echo.polling().await;
    let mut silent = WebSocket::open(echo.address, &echo.upgrade(&sid)).await;
    assert_eq!(silent.refused().await, None);
    upgraded(&echo, &sid).await;
}

#[tokio::test]
async fn an_address_has_so_many_sessions_until_somebody_vouches_for_them() {
    let (echo, mut sockets) = held(Settings { sessions_max_per_address: 3, ..calm() }).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        echo.polling().await;
        held.push(sockets.recv().await.expect("a socket"));
    }
    let refused = get(echo.address, &echo.at("EIO=4&transport=polling")).await;
    assert_eq!((refused.status, refused.code()), (429, 4));
    let refused = WebSocket::try_open(echo.address, &echo.at("EIO=4&transport=websocket"), &[]).await.err();
    assert_eq!(refused.expect("no upgrade").status, 429);
    assert_eq!(held[0].request().query("transport"), Some("polling"));
    held[0].admit();
    held[0].admit();
    assert_eq!(held[0].request().query("transport"), None, "the request is kept");
    echo.polling().await;
    held.push(sockets.recv().await.expect("a socket"));
    assert_eq!(get(echo.address, &echo.at("EIO=4&transport=polling")).await.status, 429);
    held.clear();
    until("the sessions are gone", || echo.server.sessions() == 0).await;
    echo.polling().await;
}

#[tokio::test]
async fn a_bare_websocket_is_taken_where_the_settings_say_so() {
    let settings = Settings { bare_websocket_paths: vec!["/engine.io".to_owned()], ..calm() };
    let echo = Echo::start(Layer::Engine, settings).await;
    for target in ["/engine.io?token=x", "/engine.io/?token=x", "/engine.io/"] {
        let mut websocket = WebSocket::open(echo.address, target).await;
        assert!(matches!(websocket.next().await, Frame::Text(opening) if opening.starts_with("0{")));
        websocket.text("4hello").await;
        assert_eq!(websocket.message().await, "4hello");
    }
    assert_eq!(get(echo.address, "/engine.io/?token=x").await.code(), 0);
    for query in ["EIO=4", "transport=polling&token=x", "sid=x"] {
        let refused = WebSocket::try_open(echo.address, &echo.at(query), &[]).await;
        assert_eq!(refused.err().expect("no upgrade").status, 400, "{query}");
    }
    let other = Echo::calm_engine().await;
    let refused = WebSocket::try_open(other.address, "/engine.io/?token=x", &[]).await.err().expect("no upgrade");
    assert_eq!(refused.code(), 0);
}
