//! Who has no place in a call, or none any more: people outside of it, whose account is closed, whose session has ended,
//! and its own members once it is over. And that what browsers say in it leaves no trace.

use serde_json::{Value, json};

use crate::harness::server::{Pair, Server};
use crate::support::http::{self, Reply};
use crate::support::people::{self, Person};
use crate::support::socket::Socket;

/// What a browser says of itself; with its addresses.
const SDP: &str = "v=0 o=- 4611731400430051336 2 IN IP4 192.0.2.17";

/// A call in which both members sit and that is recorded.
async fn recorded(pair: &Pair) -> i64 {
    let start = json!({"conversationId": pair.conversation, "media": "video"});
    let call = pair.right.done("call:start", start).await["call"]["id"].as_i64().expect("an id");
    join(&pair.right, call, "caller").await;
    join(&pair.left, call, "callee").await;
    pair.right.done("call:recording", json!({"callId": call, "ask": true})).await;
    let agreed = pair.left.done("call:recording", json!({"callId": call, "consent": true})).await;
    assert_eq!(agreed["call"]["recording"]["state"], "on");
    call
}

async fn join(socket: &Socket, call: i64, seat: &str) -> Value {
    socket.done("call:join", json!({"callId": call, "seat": seat})).await
}

fn signal(call: i64, to: &str) -> Value {
    json!({"callId": call, "toSeat": to, "data": {"description": {"type": "offer", "sdp": SDP}}})
}

async fn part(server: &Server, person: &Person, call: i64) -> Reply {
    let path = format!("/calls/{call}/recording/parts/0");
    http::ask(server.at, "PUT", &path).token(&person.token).body(vec![0x1a, 0x45, 0xdf, 0xa3, 0x80]).send().await
}

/// One line of the metrics.
async fn metric(server: &Server, name: &str) -> f64 {
    let text = http::get(server.at, "/metrics").send().await.expect(200).text();
    let line = text.lines().find(|line| line.split(' ').next() == Some(name));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_else(|| panic!("no {name} in {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_outside_of_the_conversation_hears_joins_signals_or_records() {
    let server = Server::start_with(&["--recordings", "consent", "--message-rate", "0", "--event-rate", "0"]).await;
    let mut pair = server.pair().await;
    let mut others = Vec::new();
    for who in ["client2", "juriste2", "admin"] {
        let person = server.sign_in(who).await;
        others.push((server.socket(&person).await, person));
    }
    let call = recorded(&pair).await;
    for (socket, person) in &mut others {
        for (event, data) in [
            ("call:start", json!({"conversationId": pair.conversation, "media": "audio"})),
            ("call:join", json!({"callId": call, "seat": "callee", "takeOver": true})),
            ("call:signal", signal(call, "callee")),
            ("call:decline", json!({"callId": call})),
            ("call:leave", json!({"callId": call})),
            ("call:end", json!({"callId": call})),
            ("call:recording", json!({"callId": call, "ask": true})),
            ("call:recording", json!({"callId": call, "consent": true})),
            ("call:recording", json!({"callId": call, "consent": false})),
        ] {
            socket.refused(event, data, "NOT_FOUND").await;
        }
        part(&server, person, call).await.expect(404);
        let listed = server.request(person, "GET", "/calls", None).await.expect(200).json();
        assert_eq!(listed, json!([]), "no history of others");
        let finish = format!("/calls/{call}/recording/finish");
        server.request(person, "POST", &finish, None).await.expect(404);
    }
    pair.right.done("call:signal", signal(call, "callee")).await;
    pair.left.expect_event("call:signal").await;
    let ended = pair.left.done("call:end", json!({"callId": call})).await;
    assert_eq!(ended["call"]["state"], "ended", "nobody else had ended it");
    for (socket, _) in &mut others {
        for event in ["call:incoming", "call:updated", "call:signal", "call:taken", "message:new", "notification"] {
            socket.expect_silence(event).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_closed_during_a_call_has_no_place_in_it_any_more() {
    let server = Server::start_with(&["--recordings", "consent"]).await;
    let mut pair = server.pair().await;
    let call = recorded(&pair).await;
    part(&server, &pair.jurist, call).await.expect(201);
    let admin = server.sign_in("admin").await;
    pair.left.drain();
    server.request(&admin, "PATCH", "/admin/users/6", Some(&json!({"isActive": false}))).await.expect(200);
    pair.right.expect_close().await;
    part(&server, &pair.jurist, call).await.expect(401);
    for (method, path) in [
        ("GET", format!("/calls/{call}")),
        ("POST", format!("/calls/{call}/join")),
        ("POST", format!("/calls/{call}/recording/finish")),
    ] {
        server.request(&pair.jurist, method, &path, None).await.expect(401);
    }
    let entry = pair.left.expect_event("message:new").await;
    assert_eq!(entry["message"]["call"]["state"], "ended", "with nobody else left the call ends");
    let told = pair.left.expect_event("call:updated").await;
    assert_eq!((&told["call"]["state"], &told["call"]["endReason"]), (&json!("ended"), &json!("lost")));
    assert_eq!(told["call"]["recording"]["state"], "stored", "what came is all that comes");
    assert!(told["call"]["participants"].as_array().expect("all").iter().all(|one| one["leftAt"].is_string()));
    pair.left.refused("call:signal", signal(call, "caller"), "NOT_FOUND").await;
    let again = json!({"conversationId": pair.conversation, "media": "audio"});
    pair.left.refused("call:start", again, "CONFLICT").await;
    let other = people::conversation(server.at, &pair.client, &server.sign_in("juriste2").await).await;
    let elsewhere = json!({"conversationId": other, "media": "audio"});
    assert_eq!(
        pair.left.done("call:start", elsewhere).await["call"]["state"],
        "ringing",
        "they are in no call any more"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_rings_ends_with_the_account_that_calls_or_is_called() {
    for (closed, state) in [(6, "cancelled"), (1, "missed")] {
        let server = Server::start().await;
        let mut pair = server.pair().await;
        let start = json!({"conversationId": pair.conversation, "media": "audio"});
        pair.right.done("call:start", start).await;
        pair.left.expect_event("call:incoming").await;
        let admin = server.sign_in("admin").await;
        let path = format!("/admin/users/{closed}");
        server.request(&admin, "PATCH", &path, Some(&json!({"isActive": false}))).await.expect(200);
        let other = if closed == 6 { &mut pair.left } else { &mut pair.right };
        let entry = other.expect_event("message:new").await;
        assert_eq!(entry["message"]["call"]["state"], state, "after {closed} was closed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_has_ended_sits_nowhere_and_another_of_the_same_person_does_not_record_for_it() {
    let server = Server::start_with(&["--recordings", "consent"]).await;
    let mut pair = server.pair().await;
    let call = recorded(&pair).await;
    let other = server.sign_in("juriste1").await;
    part(&server, &other, call).await.expect(403);
    server.request(&pair.jurist, "POST", "/auth/sign-out", None).await.expect(204);
    pair.right.expect_close().await;
    part(&server, &pair.jurist, call).await.expect(401);
    part(&server, &other, call).await.expect(403);
    assert_eq!(pair.left.done("call:signal", signal(call, "caller")).await["delivered"], false);
    let laptop = server.socket(&other).await;
    laptop.refused("call:signal", signal(call, "callee"), "NOT_FOUND").await;
    let taken = json!({"callId": call, "seat": "laptop", "takeOver": true});
    assert_eq!(laptop.done("call:join", taken).await["call"]["state"], "ongoing");
    assert_eq!(laptop.done("call:signal", signal(call, "callee")).await["delivered"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_runs_out_during_a_call_takes_its_seat_along() {
    let server = Server::start().await;
    let pair = server.pair().await;
    let start = json!({"conversationId": pair.conversation, "media": "audio"});
    let call = pair.right.done("call:start", start).await["call"]["id"].as_i64().expect("an id");
    join(&pair.right, call, "caller").await;
    let short = server.token_ending_in(&pair.client, 10);
    let mut phone = Socket::connect(server.at, &short).await;
    join(&phone, call, "phone").await;
    assert_eq!(pair.right.done("call:signal", signal(call, "phone")).await["delivered"], true);
    phone.expect_event("auth:expired").await;
    phone.expect_close().await;
    assert_eq!(pair.right.done("call:signal", signal(call, "phone")).await["delivered"], false);
    http::ask(server.at, "POST", &format!("/calls/{call}/join")).token(&short).send().await.expect(401);
    pair.left.refused("call:signal", signal(call, "caller"), "NOT_FOUND").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_over_is_joined_signalled_and_recorded_by_nobody() {
    let server = Server::start_with(&["--recordings", "consent", "--message-rate", "0"]).await;
    let mut pair = server.pair().await;
    let call = recorded(&pair).await;
    pair.left.done("call:recording", json!({"callId": call, "consent": false})).await;
    pair.left.done("call:end", json!({"callId": call})).await;
    for (socket, seat, to) in [(&pair.right, "caller", "callee"), (&pair.left, "callee", "caller")] {
        let again = json!({"callId": call, "seat": seat, "takeOver": true});
        socket.refused("call:join", again, "CONFLICT").await;
        socket.refused("call:signal", signal(call, to), "NOT_FOUND").await;
    }
    pair.right.refused("call:recording", json!({"callId": call, "ask": true}), "CONFLICT").await;
    pair.left.refused("call:recording", json!({"callId": call, "consent": true}), "CONFLICT").await;
    part(&server, &pair.jurist, call).await.expect(409);
    part(&server, &pair.client, call).await.expect(403);
    let shown = server.request(&pair.client, "GET", &format!("/calls/{call}"), None).await.expect(200).json();
    assert_eq!((&shown["state"], &shown["recording"]["state"]), (&json!("ended"), &json!("refused")));
    for socket in [&mut pair.left, &mut pair.right] {
        socket.expect_silence("call:signal").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_browsers_say_is_written_nowhere_and_the_calls_are_counted() {
    let server = Server::start_with(&["--recordings", "consent", "--recordings-total", "3GiB"]).await;
    let mut pair = server.pair().await;
    assert_eq!((metric(&server, "lexchat_calls_total").await, metric(&server, "lexchat_calls_live").await), (0.0, 0.0));
    let call = recorded(&pair).await;
    assert_eq!((metric(&server, "lexchat_calls_total").await, metric(&server, "lexchat_calls_live").await), (1.0, 1.0));
    for (event, data) in [("call:signal", signal(call, "callee")), ("call:signal", signal(call, "nobody"))] {
        pair.right.done(event, data).await;
    }
    assert_eq!(pair.left.expect_event("call:signal").await["data"], signal(call, "callee")["data"]);
    pair.say("kept among the rows").await;
    let file = server.database().path().expect("a file").to_owned();
    let written = [file.clone(), format!("{file}-wal")].map(|path| std::fs::read(path).unwrap_or_default()).concat();
    let holds = |text: &str| written.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    assert!(holds("kept among the rows") && !holds(SDP));
    part(&server, &pair.jurist, call).await.expect(201);
    assert_eq!(metric(&server, "lexchat_recordings").await, 1.0);
    assert!(metric(&server, "lexchat_recording_bytes").await > 0.0);
    assert_eq!(metric(&server, "lexchat_recording_bytes_max").await, f64::from(3_u32 << 30));
    assert_eq!(metric(&server, "lexchat_recordings_refused").await, 0.0);
    pair.left.done("call:end", json!({"callId": call})).await;
    assert_eq!((metric(&server, "lexchat_calls_total").await, metric(&server, "lexchat_calls_live").await), (1.0, 0.0));
}
