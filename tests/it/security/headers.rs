//! The headers that every answer carries, also errors and also those of the protocol layer.

use serde_json::json;

use crate::security::stage::Stage;
use crate::support::http;
use crate::support::people;

/// Each in full: a directive that goes missing is a hole.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'; frame-src blob:";

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let stage = Stage::new().await;
    let to = stage.address();
    let client = people::sign_in(to, "client1").await;
    let answers = [
        http::get(to, "/"),
        http::get(to, "/test-websocket.html"),
        http::get(to, "/healthz"),
        http::get(to, "/readyz"),
        http::get(to, "/openapi.json"),
        http::get(to, "/api"),
        http::get(to, "/metrics"),
        http::get(to, "/nowhere"),
        http::get(to, "/conversations"),
        http::get(to, "/conversations").token(&client.token),
        http::get(to, "/messages?conversationId=nonsense").token(&client.token),
        http::ask(to, "DELETE", "/conversations"),
        http::ask(to, "OPTIONS", "/conversations"),
        http::ask(to, "BREW", "/"),
        http::post(to, "/auth/sign-in", &json!("nonsense")),
        http::get(to, "/socket.io/"),
        http::get(to, "/socket.io/?EIO=4&transport=polling"),
        http::get(to, "/socket.io/?EIO=4&transport=polling&sid=unknown"),
        http::get(to, "/socket.io/socket.io.js"),
        http::get(to, "/chat/?EIO=3"),
    ];
    for ask in answers {
        let what = format!("{ask:?}");
        let reply = ask.send().await;
        let header = |name: &str| reply.header(name).unwrap_or_default().to_owned();
        assert_eq!(header("Content-Security-Policy"), CONTENT_SECURITY_POLICY, "{what}");
        assert_eq!(header("X-Content-Type-Options"), "nosniff", "{what}");
        assert_eq!(header("Referrer-Policy"), "no-referrer", "{what}");
        assert_eq!(header("Cross-Origin-Opener-Policy"), "same-origin", "{what}");
        assert!(!header("Cross-Origin-Resource-Policy").is_empty(), "{what}");
        assert!(!header("Permissions-Policy").is_empty(), "{what}");
        assert_eq!(reply.header("Set-Cookie"), None, "{what}");
        assert_eq!(reply.header("Server"), None, "{what}");
    }
}
