//! Who may connect, how the token is given, and when a socket must go.

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use crate::harness::server::Server;
use crate::support::PATIENCE;
use crate::support::socket::{Heard, Socket, TokenIn};

/// Within a second, and five times that on a machine that does other work too.
const SOON: Duration = Duration::from_secs(5);
/// The life of a token that ends in a test: so long that what comes before fits into it on such a machine as well.
const SHORT_S: u64 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn the_token_may_stand_in_four_places() {
    let server = Server::start().await;
    let token = server.sign_in("client1").await.token;
    for place in [TokenIn::Query, TokenIn::Auth, TokenIn::Header, TokenIn::ChatPath] {
        let mut socket = Socket::shake_hands(server.at, &token, place).await;
        let accepted = socket.join_namespace("/chat", Some(&token), place).await;
        let accepted = accepted.unwrap_or_else(|error| panic!("{place:?}: {error}"));
        assert!(accepted["sid"].as_str().is_some_and(|sid| !sid.is_empty()), "{accepted}");
        socket.refused("conversation:join", json!({"conversationId": 1}), "NOT_FOUND").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_and_a_bad_token_are_refused_in_these_words() {
    let server = Server::start().await;
    let mut socket = Socket::shake_hands(server.at, "", TokenIn::Query).await;
    let refusal = socket.join_namespace("/chat", None, TokenIn::Query).await.unwrap_err();
    assert_eq!(refusal, json!({"message": "Token manquant", "data": {"code": "UNAUTHENTICATED"}}));
    let token = server.sign_in("client1").await.token;
    for bad in ["garbage", "a.b.c", &token[..token.len() - 2]] {
        let mut socket = Socket::shake_hands(server.at, bad, TokenIn::Query).await;
        let refusal = socket.join_namespace("/chat", Some(bad), TokenIn::Query).await.unwrap_err();
        assert_eq!(refusal, json!({"message": "Token invalide ou expiré", "data": {"code": "UNAUTHENTICATED"}}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_namespaces_are_invalid() {
    let server = Server::start().await;
    let token = server.sign_in("client1").await.token;
    let mut socket = Socket::shake_hands(server.at, &token, TokenIn::Query).await;
    let refusal = socket.join_namespace("/other", Some(&token), TokenIn::Query).await.unwrap_err();
    assert_eq!(refusal, json!({"message": "Invalid namespace"}));
    socket.join_namespace("/chat", Some(&token), TokenIn::Query).await.expect("the connection goes on");
    let refusal = socket.join_namespace("/admin", Some(&token), TokenIn::Query).await.unwrap_err();
    assert_eq!(refusal, json!({"message": "Invalid namespace"}));
    socket.refused("conversation:join", json!({"conversationId": 1}), "NOT_FOUND").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_may_leave_the_namespace_and_come_back() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    pair.right.write("41/chat,".to_owned()).await;
    pair.left.expect_event("user:offline").await;
    pair.left.done("message:send", json!({"conversationId": 1, "content": "x"})).await;
    pair.right.join_namespace("/chat", None, TokenIn::Query).await.expect("the opening request's token is still good");
    pair.right.done("conversation:users:online", json!({"conversationId": 1})).await;
    let told: Vec<&Heard> = pair
        .right
        .unread()
        .iter()
        .filter(
            |heard| matches!(heard, Heard::Event(name, _) if name.starts_with("message:") || name == "notification"),
        )
        .collect();
    assert!(told.is_empty(), "nothing was told while it was away, and nothing is joined now: {told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_closes_the_sessions_sockets_and_no_others() {
    let server = Server::start().await;
    let (first, second) = (server.sign_in("client1").await, server.sign_in("client1").await);
    let (mut gone, mut other_tab, mut stays) =
        (server.socket(&first).await, server.socket(&first).await, server.socket(&second).await);
    server.request(&first, "POST", "/auth/sign-out", None).await.expect(204);
    for socket in [&mut gone, &mut other_tab] {
        let closed = async {
            assert_eq!(socket.expect_event("auth:expired").await["reason"], "signed_out");
            socket.expect_close().await;
        };
        timeout(SOON, closed).await.expect("within a second");
    }
    stays.expect_silence("auth:expired").await;
    let mut again = Socket::shake_hands(server.at, &first.token, TokenIn::Query).await;
    let refusal = again.join_namespace("/chat", Some(&first.token), TokenIn::Query).await.unwrap_err();
    assert_eq!(refusal["message"], "Token invalide ou expiré");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_closes_the_other_sessions_sockets() {
    let server = Server::start().await;
    let (first, second) = (server.sign_in("client1").await, server.sign_in("client1").await);
    let (mut own, mut other) = (server.socket(&first).await, server.socket(&second).await);
    let body = json!({"current": "Pass123!", "next": "une phrase assez longue"});
    let reply = server.request(&first, "POST", "/users/me/password", Some(&body)).await;
    assert!(matches!(reply.status, 200 | 204), "{}", reply.text());
    assert_eq!(other.expect_event("auth:expired").await["reason"], "password_changed");
    other.expect_close().await;
    own.expect_silence("auth:expired").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_persons_sockets_are_closed() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let admin = server.sign_in("admin").await;
    server.request(&admin, "PATCH", "/admin/users/6", Some(&json!({"isActive": false}))).await.expect(200);
    let closed = async {
        assert_eq!(pair.right.expect_event("auth:expired").await["reason"], "disabled");
        pair.right.expect_close().await;
    };
    timeout(SOON, closed).await.expect("within a second");
    pair.left.expect_event("user:offline").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_token_of_the_same_person_prolongs_the_socket() {
    let server = Server::start().await;
    let person = server.sign_in("client1").await;
    let socket = server.socket(&person).await;
    let refreshed = server
        .request(&person, "POST", "/auth/refresh-token", Some(&json!({"refreshToken": person.refresh})))
        .await
        .expect(200)
        .json();
    let reply = socket.done("auth:refresh", json!({"token": refreshed["accessToken"]})).await;
    assert!(reply["expiresAt"].as_str().is_some_and(|time| time.ends_with('Z')), "{reply}");
    assert!(reply.get("caller").is_none());
    let stranger = server.sign_in("client2").await;
    socket.refused("auth:refresh", json!({"token": stranger.token}), "UNAUTHENTICATED").await;
    socket.refused("auth:refresh", json!({"token": "garbage"}), "UNAUTHENTICATED").await;
    socket.refused("auth:refresh", json!({}), "INVALID").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_warned_before_its_token_ends_and_closed_when_it_does() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let short = server.token_ending_in(&pair.client, SHORT_S);
    let mut socket = Socket::connect(server.at, &short).await;
    let warning = socket.expect_event("auth:expiring").await;
    assert!(warning["expiresAt"].as_str().is_some_and(|time| time.ends_with(".000Z")), "{warning}");
    socket.done("conversation:join", json!({"conversationId": 1})).await;
    assert_eq!(socket.expect_event("auth:expired").await["reason"], "token_expired");
    socket.expect_close().await;
    pair.left.expect_silence("auth:expiring").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_to_a_socket_after_its_token_ended() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let mut socket = Socket::connect(server.at, &server.token_ending_in(&pair.jurist, SHORT_S)).await;
    socket.done("conversation:join", json!({"conversationId": 1})).await;
    socket.expect_event("auth:expired").await;
    pair.say("trop tard").await;
    socket.expect_close().await;
    let told = socket.unread().iter().any(|heard| matches!(heard, Heard::Event(name, _) if name == "message:new"));
    assert!(!told, "{:?}", socket.unread());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refreshed_socket_outlives_its_first_token() {
    let server = Server::start().await;
    let person = server.sign_in("client1").await;
    let mut socket = Socket::connect(server.at, &server.token_ending_in(&person, SHORT_S)).await;
    socket.expect_event("auth:expiring").await;
    socket.done("auth:refresh", json!({"token": person.token})).await;
    socket.expect_silence_for("auth:expired", Duration::from_secs(SHORT_S + 1)).await;
    socket.expect_silence("auth:expiring").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_a_bounded_number_of_sockets() {
    let server = Server::start_with(&["--sockets-per-user", "3"]).await;
    let person = server.sign_in("client1").await;
    let mut sockets = Vec::new();
    for _ in 0..3 {
        sockets.push(server.socket(&person).await);
    }
    let mut fourth = Socket::shake_hands(server.at, &person.token, TokenIn::Query).await;
    let refusal = fourth.join_namespace("/chat", Some(&person.token), TokenIn::Query).await.unwrap_err();
    assert_eq!(refusal["data"], json!({"code": "RATE_LIMITED", "retryAfter": 45}));
    server.socket_of("client2").await;
    sockets.pop().expect("three").leave().await;
    // The place is free again once the server has seen the leave.
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while fourth.join_namespace("/chat", Some(&person.token), TokenIn::Query).await.is_err() {
        assert!(tokio::time::Instant::now() < deadline, "the place was not given back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_tells_sockets_and_closes_them() {
    let server = Server::start().await;
    let mut socket = server.socket_of("client1").await;
    server.stop().await;
    socket.expect_close().await;
}
