//! The cases of the official Socket.IO suite, against the Socket.IO echo. Those that it shares with the Engine.IO suite
//! run there, against both echoes.

use serde_json::Value;
use tokio::time::Instant;

use crate::echo;
use crate::fixture::{Echo, open_namespace};
use crate::support::wire::{Frame, WebSocket};

/// Connects to a namespace with `packet`; what the greeting says.
async fn assert_connects(websocket: &mut WebSocket, packet: &str, namespace: &str, greeting: &str) {
    websocket.text(packet).await;
    let connected = websocket.message().await;
    let payload = connected.strip_prefix(&format!("40{namespace}")).expect("CONNECT");
    let payload: Value = serde_json::from_str(payload).expect("JSON");
    assert_eq!(payload.as_object().expect("an object").len(), 1);
    assert_eq!(payload["sid"].as_str().expect("a socket id").len(), 20);
    assert_eq!(websocket.message().await, format!("42{namespace}[\"auth\",{greeting}]"));
}

#[tokio::test]
async fn the_main_namespace_lets_in() {
    let echo = Echo::calm_socket().await;
    assert_connects(&mut echo.websocket().await, "40", "", "{}").await;
}

#[tokio::test]
async fn the_main_namespace_lets_in_with_a_payload() {
    let echo = Echo::calm_socket().await;
    assert_connects(&mut echo.websocket().await, r#"40{"token":"123"}"#, "", r#"{"token":"123"}"#).await;
}

#[tokio::test]
async fn a_custom_namespace_lets_in() {
    let echo = Echo::calm_socket().await;
    assert_connects(&mut echo.websocket().await, "40/custom,", "/custom,", "{}").await;
    assert_connects(&mut echo.websocket().await, "40/custom", "/custom,", "{}").await;
}

#[tokio::test]
async fn a_custom_namespace_lets_in_with_a_payload() {
    let echo = Echo::calm_socket().await;
    let mut websocket = echo.websocket().await;
    assert_connects(&mut websocket, r#"40/custom,{"token":"abc"}"#, "/custom,", r#"{"token":"abc"}"#).await;
}

#[tokio::test]
async fn an_unknown_namespace_is_refused() {
    let echo = Echo::calm_socket().await;
    let mut websocket = echo.websocket().await;
    websocket.text("40/random").await;
    assert_eq!(websocket.message().await, r#"44/random,{"message":"Invalid namespace"}"#);
}

#[tokio::test]
async fn an_invalid_first_packet_closes() {
    let echo = Echo::calm_socket().await;
    for packet in ["4abc", "4", r#"42["message","x"]"#, "41", "43[]", r#"44{"message":"x"}"#, "40[]", "40null", "401"] {
        let mut websocket = echo.websocket().await;
        websocket.text(packet).await;
        assert_eq!(websocket.closed().await, Some(1002), "{packet}");
    }
}

#[tokio::test]
async fn a_connection_without_a_namespace_ends() {
    let echo = Echo::socket().await;
    let began = Instant::now();
    let mut websocket = echo.websocket().await;
    let heard = websocket.data().await;
    assert_eq!(heard, Frame::Close(Some(1002)));
    assert!(began.elapsed() >= echo::socket_settings().connect_timeout, "closed early");
}

#[tokio::test]
async fn leaving_the_main_namespace_keeps_the_connection() {
    let [_, echo] = Echo::beating().await;
    let mut websocket = open_namespace(echo.address).await;
    websocket.text("41").await;
    assert_eq!(websocket.next().await, Frame::Text("2".to_owned()));
}

#[tokio::test]
async fn leaving_a_custom_namespace_keeps_the_others() {
    let echo = Echo::calm_socket().await;
    let mut websocket = open_namespace(echo.address).await;
    assert_connects(&mut websocket, "40/custom", "/custom,", "{}").await;
    websocket.text("41/custom").await;
    websocket.text(r#"42["message","message to main namespace"]"#).await;
    assert_eq!(websocket.message().await, r#"42["message-back","message to main namespace"]"#);
}

#[tokio::test]
async fn text_is_echoed() {
    let echo = Echo::calm_socket().await;
    let mut websocket = open_namespace(echo.address).await;
    websocket.text(r#"42["message",1,"2",{"3":[true]}]"#).await;
    assert_eq!(websocket.message().await, r#"42["message-back",1,"2",{"3":[true]}]"#);
    websocket.text(r#"42["message"]"#).await;
    assert_eq!(websocket.message().await, r#"42["message-back"]"#);
}

#[tokio::test]
async fn binary_is_echoed() {
    const TWO: &str = r#"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#;
    let echo = Echo::calm_socket().await;
    let mut websocket = open_namespace(echo.address).await;
    websocket.text(&format!(r#"452-["message",{TWO}]"#)).await;
    websocket.binary(&[1, 2, 3]).await;
    websocket.binary(&[4, 5, 6]).await;
    assert_eq!(websocket.message().await, format!(r#"452-["message-back",{TWO}]"#));
    assert_eq!(websocket.next().await, Frame::Binary(vec![1, 2, 3]));
    assert_eq!(websocket.next().await, Frame::Binary(vec![4, 5, 6]));
}

#[tokio::test]
async fn text_is_acknowledged() {
    let echo = Echo::calm_socket().await;
    let mut websocket = open_namespace(echo.address).await;
    websocket.text(r#"42456["message-with-ack",1,"2",{"3":[false]}]"#).await;
    assert_eq!(websocket.message().await, r#"43456[1,"2",{"3":[false]}]"#);
}

#[tokio::test]
async fn binary_is_acknowledged() {
    const TWO: &str = r#"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#;
    let echo = Echo::calm_socket().await;
    let mut websocket = open_namespace(echo.address).await;
    websocket.text(&format!(r#"452-789["message-with-ack",{TWO}]"#)).await;
    websocket.binary(&[1, 2, 3]).await;
    websocket.binary(&[4, 5, 6]).await;
    assert_eq!(websocket.message().await, format!("462-789[{TWO}]"));
    assert_eq!(websocket.next().await, Frame::Binary(vec![1, 2, 3]));
    assert_eq!(websocket.next().await, Frame::Binary(vec![4, 5, 6]));
}

#[tokio::test]
async fn an_unknown_packet_type_closes() {
    let echo = Echo::calm_socket().await;
    let mut websocket = open_namespace(echo.address).await;
    websocket.text("4abc").await;
    assert_eq!(websocket.closed().await, Some(1002));
}

#[tokio::test]
async fn an_invalid_payload_closes() {
    let echo = Echo::calm_socket().await;
    let mut websocket = open_namespace(echo.address).await;
    websocket.text("42{}").await;
    assert_eq!(websocket.closed().await, Some(1002));
}

#[tokio::test]
async fn an_invalid_ack_id_closes() {
    let echo = Echo::calm_socket().await;
    let mut websocket = open_namespace(echo.address).await;
    websocket.text(r#"42abc["message-with-ack",1,"2",{"3":[false]}]"#).await;
    assert_eq!(websocket.closed().await, Some(1002));
}
