//! Pages from elsewhere get nothing: exact match of scheme, host and port, the same on all doors.

use crate::security::stage::Stage;
use crate::support::http;
use crate::support::polling::Polling;
use crate::support::wire::{Opening, Refusal};

/// Whether all doors of the socket let this origin in; they must agree.
async fn lets_in(stage: &Stage, origin: Option<&str>) -> bool {
    let with = |ask: http::Ask| origin.map_or(ask.clone(), |origin| ask.header("Origin", origin));
    let to = stage.address();
    let handshake = with(http::get(to, "/socket.io/?EIO=4&transport=polling")).send().await;
    let session = Polling::shake_hands(to).await;
    let path = format!("/socket.io/?EIO=4&transport=polling&sid={}", session.sid);
    let posted = with(http::ask(to, "POST", &path)).body(b"40/chat,{}".to_vec()).send().await;
    let mut opening = Opening::new(to);
    if let Some(origin) = origin {
        opening = opening.header("Origin", origin);
    }
    let upgraded = match opening.open().await {
        Ok(_) => 101,
        Err(Refusal::Answered(reply)) => reply.status,
        Err(Refusal::Io(error)) => panic!("{origin:?}: {error}"),
    };
    let statuses = (handshake.status, posted.status, upgraded);
    match statuses {
        (200, 200, 101) => {
            let allowed = handshake.header("Access-Control-Allow-Origin");
            assert!(allowed.is_none() || allowed == origin, "{origin:?}: {allowed:?}");
            assert!(vary_on_origin(&handshake), "{origin:?}: {:?}", handshake.headers);
            true
        }
        (403, 403, 403) => {
            assert_eq!(handshake.header("Access-Control-Allow-Origin"), None, "{origin:?}");
            assert_eq!(handshake.json()["code"], 4, "{}", handshake.text());
            false
        }
        _ => panic!("{origin:?}: the doors disagree, {statuses:?}: {}", handshake.text()),
    }
}

fn vary_on_origin(reply: &http::Reply) -> bool {
    reply.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("vary") && value.split(',').any(|field| field.trim().eq_ignore_ascii_case("origin"))
    })
}

#[tokio::test]
async fn only_allowed_origins_reach_the_socket() {
    let stage = Stage::with(&["--allow-origin", "https://app.example"]).await;
    let own = format!("http://{}", stage.address());
    let allowed = [
        None,
        Some(own.as_str()),
        Some("http://localhost:5173"),
        Some("http://127.0.0.1:8080"),
        Some("http://[::1]:4200"),
        Some("https://app.example"),
        Some("null"),
    ];
    for origin in allowed {
        assert!(lets_in(&stage, origin).await, "{origin:?} is allowed");
    }
    let refused = [
        "https://evil.example",
        "http://app.example",
        "https://app.example:8443",
        "https://sub.app.example",
        "https://app.example.evil.example",
        "https://app.example@evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://evil.example/localhost",
        "http://evil.example#localhost",
        "http://127.1.evil.example",
        "file://",
        "",
    ];
    for origin in refused {
        assert!(!lets_in(&stage, Some(origin)).await, "{origin:?} is refused");
    }
}

#[tokio::test]
async fn a_page_opened_from_disk_is_let_in_only_while_demo_accounts_are_active() {
    let stage = Stage::with(&["--no-demo"]).await;
    assert!(!lets_in(&stage, Some("null")).await);
    assert!(lets_in(&stage, Some("http://localhost:5173")).await, "the server still listens on loopback");
}

#[tokio::test]
async fn a_preflight_answers_the_same_list_and_never_a_star() {
    let stage = Stage::with(&["--allow-origin", "https://app.example"]).await;
    for path in ["/socket.io/?EIO=4&transport=polling", "/conversations", "/auth/sign-in"] {
        for (origin, allowed) in [("https://app.example", true), ("https://evil.example", false)] {
            let reply = http::ask(stage.address(), "OPTIONS", path)
                .header("Origin", origin)
                .header("Access-Control-Request-Method", "POST")
                .header("Access-Control-Request-Headers", "authorization,content-type")
                .send()
                .await;
            let told = reply.header("Access-Control-Allow-Origin");
            assert_eq!(told, allowed.then_some(origin), "{path} from {origin}: {} {:?}", reply.status, reply.headers);
            assert_ne!(told, Some("*"));
            assert!(vary_on_origin(&reply), "{path}: {:?}", reply.headers);
        }
    }
}
