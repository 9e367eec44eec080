//! Which pages may talk to the endpoint, as a browser would ask.

use std::sync::Arc;

use lexchat::engineio::origin::Origins;
use lexchat::engineio::server::Settings;

use crate::echo::{self, Layer};
use crate::fixture::{Echo, ask};
use crate::support::http::Reply;
use crate::support::wire::WebSocket;

const LISTED: &str = "https://app.example";

async fn with(origins: Origins) -> Echo {
    Echo::start(Layer::Engine, Settings { origins, ..echo::engine_settings() }).await
}

async fn listed() -> Echo {
    with(Origins { allowed: vec![LISTED.to_owned()], ..Origins::default() }).await
}

async fn from(echo: &Echo, method: &str, target: &str, origin: &str) -> Reply {
    ask(echo.address, method, target, &[("Origin", origin)], b"4x").await
}

async fn upgrade(echo: &Echo, target: &str, origin: &str) -> Result<WebSocket, Reply> {
    WebSocket::try_open(echo.address, target, &[("Origin", origin)]).await
}

#[tokio::test]
async fn pages_of_the_own_and_of_listed_origins_are_served() {
    let echo = listed().await;
    let own = format!("http://{}", echo.address);
    for origin in [own.as_str(), LISTED] {
        let target = echo.poll(&echo.polling().await);
        let opened = from(&echo, "GET", &echo.at("EIO=4&transport=polling"), origin).await;
        let posted = from(&echo, "POST", &target, origin).await;
        let polled = from(&echo, "GET", &target, origin).await;
        for reply in [opened, posted, polled] {
            assert_eq!(reply.status, 200);
            assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
            assert_eq!(reply.header("vary"), Some("Origin"));
        }
        assert!(upgrade(&echo, &echo.at("EIO=4&transport=websocket"), origin).await.is_ok());
    }
}

#[tokio::test]
async fn other_pages_are_forbidden_every_request() {
    let echo = listed().await;
    let near = format!("http://{}0", echo.address);
    let sid = echo.polling().await;
    for origin in ["https://evil.example", "http://app.example", "https://app.example.evil", "null", &near, "garbage"] {
        let opened = from(&echo, "GET", &echo.at("EIO=4&transport=polling"), origin).await;
        let posted = from(&echo, "POST", &echo.poll(&sid), origin).await;
        let polled = from(&echo, "GET", &echo.poll(&sid), origin).await;
        let asked = from(&echo, "OPTIONS", &echo.poll(&sid), origin).await;
        let direct = upgrade(&echo, &echo.at("EIO=4&transport=websocket"), origin).await.err().expect("no upgrade");
        let takeover = upgrade(&echo, &echo.upgrade(&sid), origin).await.err().expect("no upgrade");
        for reply in [opened, posted, polled, asked, direct, takeover] {
            assert_eq!((reply.status, reply.code()), (403, 4), "{origin}");
            assert_eq!(reply.header("access-control-allow-origin"), None);
            assert_eq!(reply.header("vary"), Some("Origin"));
        }
    }
    let unharmed = ask(echo.address, "POST", &echo.poll(&sid), &[], b"4x").await;
    assert_eq!(unharmed.status, 200, "a forbidden page closed somebody's session");
}

#[tokio::test]
async fn loopback_pages_and_pages_from_disk_are_served_where_the_policy_says_so() {
    let open = with(Origins { loopback: true, null: Arc::new(true.into()), ..Origins::default() }).await;
    for origin in ["http://localhost:5173", "http://[::1]:8080", "null"] {
        let reply = from(&open, "GET", &open.at("EIO=4&transport=polling"), origin).await;
        assert_eq!((reply.status, reply.header("access-control-allow-origin")), (200, Some(origin)));
    }
    let reply = from(&open, "GET", &open.at("EIO=4&transport=polling"), "http://localhost.example").await;
    assert_eq!(reply.status, 403);
}

#[tokio::test]
async fn a_preflight_tells_what_may_be_sent() {
    let echo = listed().await;
    let asked = [
        ("Origin", LISTED),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "authorization,x-extra"),
    ];
    let reply = ask(echo.address, "OPTIONS", &echo.at("EIO=4&transport=polling"), &asked, b"").await;
    assert_eq!(reply.status, 204);
    assert_eq!(reply.header("access-control-allow-origin"), Some(LISTED));
    assert_eq!(reply.header("access-control-allow-methods"), Some("GET, POST"));
    assert_eq!(reply.header("access-control-allow-headers"), Some("authorization,x-extra"));
    assert_eq!(echo.server.sessions(), 0);
}

#[tokio::test]
async fn two_origins_are_forbidden() {
    let echo = listed().await;
    let headers = [("Origin", LISTED), ("Origin", LISTED)];
    let reply = ask(echo.address, "GET", &echo.at("EIO=4&transport=polling"), &headers, b"").await;
    assert_eq!((reply.status, reply.code()), (403, 4));
}
