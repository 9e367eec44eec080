//! The cases of the official Engine.IO suite, against the Engine.IO echo, and those that the Socket.IO suite repeats
//! against the Socket.IO echo as well.

use std::net::SocketAddr;

use lexchat::engineio::server::Settings;
use lexchat::socketio::connection;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::echo::{self, Layer};
use crate::fixture::{Echo, ask, get, open_polling, post, until};
use crate::support::PATIENCE;
use crate::support::wire::{Frame, WebSocket};

/// What the `open` packet of a session says, but for the session's name.
fn assert_opening(text: &str, upgrades: Value) {
    let mut opening: Value = serde_json::from_str(text.strip_prefix('0').expect("an open packet")).expect("JSON");
    let sid = opening.as_object_mut().expect("an object").remove("sid").expect("a session");
    assert_eq!(sid.as_str().expect("text").len(), 22);
    assert_eq!(
        opening,
        json!({ "upgrades": upgrades, "pingInterval": 300, "pingTimeout": 200, "maxPayload": 1_000_000 })
    );
}

#[tokio::test]
async fn polling_opens_a_session() {
    for echo in [Echo::engine().await, Echo::socket().await] {
        let reply = get(echo.address, &echo.at("EIO=4&transport=polling")).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), Some("text/plain; charset=UTF-8"));
        assert_opening(&reply.text(), json!(["websocket"]));
    }
}

#[tokio::test]
async fn polling_refuses_other_versions() {
    for echo in [Echo::calm_engine().await, Echo::calm_socket().await] {
        for query in
            ["transport=polling", "EIO=abc&transport=polling", "EIO=3&transport=polling", "EIO=&transport=polling"]
        {
            let reply = get(echo.address, &echo.at(query)).await;
            assert_eq!((reply.status, reply.code()), (400, 5), "{query}");
        }
    }
}

#[tokio::test]
async fn polling_refuses_other_transports() {
    for echo in [Echo::calm_engine().await, Echo::calm_socket().await] {
        for query in ["EIO=4", "EIO=4&transport=abc", "", "EIO=4&transport="] {
            let reply = get(echo.address, &echo.at(query)).await;
            assert_eq!((reply.status, reply.code()), (400, 0), "{query}");
        }
    }
}

#[tokio::test]
async fn polling_opens_by_get_only() {
    for echo in [Echo::calm_engine().await, Echo::calm_socket().await] {
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let reply = ask(echo.address, method, &echo.at("EIO=4&transport=polling"), &[], b"").await;
            assert_eq!((reply.status, reply.code()), (400, 2), "{method}");
        }
        assert_eq!(echo.server.sessions(), 0);
    }
}

#[tokio::test]
async fn websocket_opens_a_session() {
    for echo in [Echo::engine().await, Echo::socket().await] {
        let mut websocket = WebSocket::open(echo.address, &echo.at("EIO=4&transport=websocket")).await;
        let Frame::Text(opening) = websocket.next().await else { panic!("no text") };
        assert_opening(&opening, json!([]));
    }
}

#[tokio::test]
async fn websocket_refuses_other_versions_and_transports() {
    for echo in [Echo::calm_engine().await, Echo::calm_socket().await] {
        let rows = [
            ("transport=websocket", 5),
            ("EIO=abc&transport=websocket", 5),
            ("EIO=4", 0),
            ("EIO=4&transport=abc", 0),
            ("", 0),
        ];
        for (query, code) in rows {
            let refused = WebSocket::try_open(echo.address, &echo.at(query), &[]).await.err().expect("no upgrade");
            assert_eq!((refused.status, refused.code()), (400, code), "{query}");
        }
    }
}

#[tokio::test]
async fn polling_carries_payloads_both_ways() {
    let echo = Echo::calm_engine().await;
    for payload in ["4hello", "4test1\u{1e}4test2\u{1e}4test3", "4hello\u{1e}bAQIDBA==", "4é€𝄞", "4"] {
        let target = echo.poll(&echo.polling().await);
        let sent = post(echo.address, &target, payload).await;
        assert_eq!((sent.status, sent.text().as_str()), (200, "ok"));
        let mut heard = String::new();
        while heard.len() < payload.len() {
            let reply = get(echo.address, &target).await;
            assert_eq!(reply.status, 200);
            heard.push_str(if heard.is_empty() { "" } else { "\u{1e}" });
            heard.push_str(&reply.text());
        }
        assert_eq!(heard, payload);
    }
}

#[tokio::test]
async fn polling_closes_upon_a_malformed_packet() {
    let echo = Echo::calm_engine().await;
    for body in ["abc", "", "4ok\u{1e}abc", "2probe", "5", "0{}"] {
        let target = echo.poll(&echo.polling().await);
        let sent = post(echo.address, &target, body).await;
        assert_eq!((sent.status, sent.code()), (400, 3), "{body:?}");
        let reply = get(echo.address, &target).await;
        assert_eq!((reply.status, reply.code()), (400, 1), "{body:?}");
    }
}

#[tokio::test]
async fn polling_closes_upon_a_second_poll() {
    let echo = Echo::calm_engine().await;
    let target = echo.poll(&echo.polling().await);
    assert_one_of_two_polls(echo.address, &target).await;
    let third = get(echo.address, &target).await;
    assert_eq!((third.status, third.code()), (400, 1));
}

/// Of two polls at once, whichever comes first waits and gets `1`, and the other is refused.
pub(crate) async fn assert_one_of_two_polls(to: SocketAddr, target: &str) {
    let (one, other) = tokio::join!(get(to, target), get(to, target));
    let (waited, refused) = if one.status == 200 { (one, other) } else { (other, one) };
    assert_eq!((waited.status, waited.text().as_str()), (200, "1"));
    assert_eq!((refused.status, refused.code()), (400, 3));
}

#[tokio::test]
async fn websocket_carries_text_and_binary() {
    let echo = Echo::calm_engine().await;
    let mut websocket = echo.websocket().await;
    websocket.text("4hello").await;
    assert_eq!(websocket.data().await, Frame::Text("4hello".to_owned()));
    websocket.binary(&[1, 2, 3, 4]).await;
    assert_eq!(websocket.data().await, Frame::Binary(vec![1, 2, 3, 4]));
    websocket.text("4").await;
    assert_eq!(websocket.data().await, Frame::Text("4".to_owned()));
    websocket.binary(&[]).await;
    assert_eq!(websocket.data().await, Frame::Binary(vec![]));
}

#[tokio::test]
async fn websocket_closes_upon_a_malformed_packet() {
    let echo = Echo::calm_engine().await;
    for text in ["abc", "", "0{}", "7", "2", "2probe", "5", "1x"] {
        let mut websocket = echo.websocket().await;
        websocket.text(text).await;
        assert_eq!(websocket.closed().await, Some(1002), "{text:?}");
    }
}

#[tokio::test]
async fn polling_beats() {
    for echo in Echo::beating().await {
        let target = echo.poll(&echo.polling().await);
        let interval = echo::engine_settings().ping_interval;
        // Each ping comes an interval after the pong before it, so no earlier than that after this side sent the pong.
        let mut answered = None;
        for _ in 0..3 {
            let ping = get(echo.address, &target).await;
            assert_eq!((ping.status, ping.text().as_str()), (200, "2"));
            let soon = answered.is_some_and(|answered: Instant| answered.elapsed() < interval);
            assert!(!soon, "a ping came early");
            answered = Some(Instant::now());
            assert_eq!(post(echo.address, &target, "3").await.status, 200);
        }
    }
}

#[tokio::test]
async fn polling_closes_upon_a_missing_pong() {
    for echo in [Echo::engine().await, Echo::socket().await] {
        let began = Instant::now();
        let target = echo.poll(&echo.polling().await);
        until("the session is over", || echo.server.sessions() == 0).await;
        let Settings { ping_interval, ping_timeout, .. } = echo::engine_settings();
        assert!(began.elapsed() >= ping_interval + ping_timeout * 7 / 8, "closed early");
        let reply = get(echo.address, &target).await;
        assert_eq!((reply.status, reply.code()), (400, 1));
    }
}

#[tokio::test]
async fn websocket_beats() {
    for echo in Echo::beating().await {
        let mut websocket = echo.websocket().await;
        if echo.at("").starts_with("/socket.io") {
            websocket.text("40").await;
            websocket.message().await;
            websocket.message().await;
        }
        for _ in 0..3 {
            assert_eq!(websocket.next().await, Frame::Text("2".to_owned()));
            websocket.text("3").await;
        }
    }
}

#[tokio::test]
async fn websocket_closes_upon_a_missing_pong() {
    for layer in [Layer::Engine, Layer::Socket(connection::Settings::default())] {
        let echo = Echo::start(layer, echo::engine_settings()).await;
        let began = Instant::now();
        let mut websocket = echo.websocket().await;
        assert_eq!(websocket.closed().await, Some(1000));
        let Settings { ping_interval, ping_timeout, .. } = echo::engine_settings();
        assert!(began.elapsed() >= ping_interval + ping_timeout * 7 / 8, "closed early");
        assert!(began.elapsed() < PATIENCE, "closed late");
    }
}

#[tokio::test]
async fn polling_ends_when_the_client_says_so() {
    for echo in [Echo::calm_engine().await, Echo::calm_socket().await] {
        let target = echo.poll(&echo.polling().await);
        let (poll, goodbye) = tokio::join!(get(echo.address, &target), post(echo.address, &target, "1"));
        assert_eq!((poll.status, poll.text().as_str()), (200, "6"));
        assert_eq!((goodbye.status, goodbye.text().as_str()), (200, "ok"));
        let later = get(echo.address, &target).await;
        assert_eq!((later.status, later.code()), (400, 1));
    }
}

#[tokio::test]
async fn websocket_ends_when_the_client_says_so() {
    for echo in [Echo::calm_engine().await, Echo::calm_socket().await] {
        let mut websocket = echo.websocket().await;
        websocket.text("1").await;
        assert_eq!(websocket.closed().await, Some(1000));
    }
}

#[tokio::test]
async fn a_session_moves_from_polling_to_websocket() {
    for (echo, says, hears) in
        [(Echo::calm_engine().await, "4hello", "4hello"), (Echo::calm_socket().await, "40", "40{")]
    {
        let sid = echo.polling().await;
        let mut websocket = WebSocket::open(echo.address, &echo.upgrade(&sid)).await;
        websocket.text("2probe").await;
        assert_eq!(websocket.message().await, "3probe");
        let poll = get(echo.address, &echo.poll(&sid)).await;
        assert_eq!((poll.status, poll.text().as_str()), (200, "6"));
        websocket.text("5").await;
        websocket.text(says).await;
        let heard = websocket.message().await;
        assert!(heard.starts_with(hears), "{heard}");
    }
}

#[tokio::test]
async fn a_probe_ends_the_poll_that_waits() {
    let echo = Echo::calm_engine().await;
    let sid = echo.polling().await;
    let target = echo.poll(&sid);
    let waiting = tokio::spawn(async move { get(echo.address, &target).await });
    let mut websocket = WebSocket::open(echo.address, &echo.upgrade(&sid)).await;
    websocket.text("2probe").await;
    assert_eq!(websocket.message().await, "3probe");
    assert_eq!(waiting.await.expect("answered").text(), "6");
}

#[tokio::test]
async fn polling_is_over_after_an_upgrade() {
    for echo in [Echo::calm_engine().await, Echo::calm_socket().await] {
        let sid = open_polling(echo.address, echo.at("").trim_end_matches('?')).await;
        let mut websocket = upgraded(&echo, &sid).await;
        for reply in [get(echo.address, &echo.poll(&sid)).await, post(echo.address, &echo.poll(&sid), "4late").await] {
            assert_eq!((reply.status, reply.code()), (400, 3));
        }
        websocket.text(if echo.at("").starts_with("/socket") { "40" } else { "4hello" }).await;
        assert!(websocket.message().await.starts_with('4'));
    }
}

#[tokio::test]
async fn a_second_websocket_is_closed_after_an_upgrade() {
    for echo in [Echo::calm_engine().await, Echo::calm_socket().await] {
        let sid = echo.polling().await;
        let mut first = upgraded(&echo, &sid).await;
        let mut second = WebSocket::open(echo.address, &echo.upgrade(&sid)).await;
        second.closed().await;
        first.text(if echo.at("").starts_with("/socket") { "40" } else { "4hello" }).await;
        assert!(first.message().await.starts_with('4'));
    }
}

/// A WebSocket that took a session over.
pub(crate) async fn upgraded(echo: &Echo, sid: &str) -> WebSocket {
    let mut websocket = WebSocket::open(echo.address, &echo.upgrade(sid)).await;
    websocket.text("2probe").await;
    assert_eq!(websocket.message().await, "3probe");
    websocket.text("5").await;
    // A session carried by WebSocket answers polls at once: wait for that.
    while get(echo.address, &echo.poll(sid)).await.status == 200 {}
    websocket
}
