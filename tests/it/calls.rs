//! Calls between two people over real sockets: who is told, who sits where, what goes from seat to seat.

use serde_json::{Value, json};

use crate::harness::server::{Pair, Server};
use crate::support::http;
use crate::support::socket::Socket;

/// The juriste of the pair calls; the call, as it was acknowledged.
async fn start(pair: &Pair) -> Value {
    let data = json!({"conversationId": pair.conversation, "media": "video"});
    pair.right.done("call:start", data).await["call"].clone()
}

async fn join(socket: &Socket, call: &Value, seat: &str) -> Value {
    socket.done("call:join", json!({"callId": call["id"], "seat": seat})).await
}

/// The next `call:updated` that says this state.
async fn expect_state(socket: &mut Socket, state: &str) -> Value {
    loop {
        let told = socket.expect_event("call:updated").await;
        if told["call"]["state"] == state {
            return told["call"].clone();
        }
    }
}

/// Caller and callee, each in a seat of one call.
async fn talking(pair: &mut Pair) -> Value {
    let call = start(pair).await;
    join(&pair.right, &call, "caller").await;
    let joined = join(&pair.left, &call, "callee").await;
    assert_eq!(joined["direct"]["seats"], json!([{"userId": 6, "seat": "caller"}]));
    joined["call"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_rings_on_every_device_and_falls_silent_where_it_was_not_answered() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let mut others = [server.socket(&pair.client).await, server.socket(&pair.client).await];
    let call = start(&pair).await;
    assert_eq!(
        (&call["state"], &call["reachable"], &call["provider"]),
        (&json!("ringing"), &json!(true), &json!("direct"))
    );
    for socket in others.iter_mut().chain([&mut pair.left]) {
        assert_eq!(socket.expect_event("call:incoming").await["call"], call);
    }
    pair.right.expect_silence("call:incoming").await;
    let mut late = server.socket(&pair.client).await;
    assert_eq!(late.expect_event("call:incoming").await["call"], call, "it still rings");
    let joined = join(&others[0], &call, "phone").await;
    assert_eq!(joined["call"]["state"], "ongoing");
    for socket in [&mut pair.left, &mut pair.right, &mut late] {
        assert_eq!(expect_state(socket, "ongoing").await["id"], call["id"]);
    }
    let mut later = server.socket(&pair.client).await;
    later.expect_silence("call:incoming").await;
    let second = json!({"callId": call["id"], "seat": "laptop"});
    pair.left.refused("call:join", second, "CONFLICT").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_browsers_say_goes_from_seat_to_seat_and_nowhere_else() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let mut other_device = server.socket(&pair.client).await;
    let mut outsider = server.socket_of("client2").await;
    let call = talking(&mut pair).await;
    let offer = json!({"description": {"type": "offer", "sdp": "v=0"}});
    let signal = |to: &str| json!({"callId": call["id"], "toSeat": to, "data": offer});
    assert_eq!(pair.right.done("call:signal", signal("callee")).await["delivered"], true);
    let heard = pair.left.expect_event("call:signal").await;
    assert_eq!(heard, json!({"callId": call["id"], "fromSeat": "caller", "data": offer}));
    for nobody in ["caller", "elsewhere"] {
        assert_eq!(pair.right.done("call:signal", signal(nobody)).await["delivered"], false, "{nobody}");
    }
    for socket in [&mut other_device, &mut outsider] {
        socket.refused("call:signal", signal("callee"), "NOT_FOUND").await;
        socket.expect_silence("call:signal").await;
    }
    let long = json!({"callId": call["id"], "toSeat": "callee", "data": {"candidate": "x".repeat(64 << 10)}});
    pair.right.refused("call:signal", long, "TOO_LARGE").await;
    pair.right.refused("call:signal", json!({"callId": call["id"], "toSeat": "callee", "data": 1}), "INVALID").await;
    pair.left.expect_silence("call:signal").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_signals_passes_and_a_flood_does_not() {
    let server = Server::start_with(&[]).await;
    let mut pair = server.pair().await;
    let call = talking(&mut pair).await;
    let signal = json!({"callId": call["id"], "toSeat": "callee", "data": {"candidate": "x"}});
    let (mut sent, mut refused) = (0, 0);
    // A machine that is too busy to flood at once goes on: what it sends is more than what is allowed again meanwhile.
    while refused == 0 {
        assert!(sent < 20_000, "a flood passes");
        let mut answers = Vec::new();
        for _ in 0..260 {
            answers.push(pair.right.start("call:signal", &signal).await);
        }
        for answer in answers {
            let answer = answer.await.expect("an ack");
            assert!(sent >= 200 || answer["delivered"] == true, "signal {sent}: {answer}");
            refused += usize::from(answer["code"] == "RATE_LIMITED");
            sent += 1;
        }
    }
    pair.right.done("conversation:users:online", json!({"conversationId": pair.conversation})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_device_takes_the_seat_over_and_the_first_is_told() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let call = talking(&mut pair).await;
    let mut laptop = server.socket(&pair.client).await;
    laptop.done("call:join", json!({"callId": call["id"], "seat": "laptop", "takeOver": true})).await;
    assert_eq!(pair.left.expect_event("call:taken").await, json!({"callId": call["id"]}));
    laptop.expect_silence("call:taken").await;
    let signal = |to: &str| json!({"callId": call["id"], "toSeat": to, "data": {}});
    assert_eq!(pair.right.done("call:signal", signal("callee")).await["delivered"], false);
    assert_eq!(pair.right.done("call:signal", signal("laptop")).await["delivered"], true);
    pair.left.refused("call:signal", signal("caller"), "NOT_FOUND").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_was_cut_finds_its_seat_again() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let call = talking(&mut pair).await;
    let before = std::mem::replace(&mut pair.left, server.socket(&pair.client).await);
    before.leave().await;
    let signal = json!({"callId": call["id"], "toSeat": "callee", "data": {}});
    pair.right.expect_silence("call:taken").await;
    let joined = join(&pair.left, &call, "callee").await;
    assert_eq!(joined["call"]["state"], "ongoing");
    assert_eq!(pair.right.done("call:signal", &signal).await["delivered"], true);
    pair.left.expect_event("call:signal").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_joins_the_conversation_finds_the_call_and_afterwards_its_entry() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let call = talking(&mut pair).await;
    let place = json!({"conversationId": pair.conversation});
    let joined = pair.left.done("conversation:join", &place).await;
    assert_eq!((&joined["call"]["id"], &joined["call"]["state"]), (&call["id"], &json!("ongoing")));
    let left = pair.left.done("call:end", json!({"callId": call["id"]})).await["call"].clone();
    assert_eq!((&left["state"], &left["endReason"]), (&json!("ended"), &json!("hung_up")));
    let told = pair.right.expect_event("message:new").await["message"].clone();
    assert_eq!((&told["kind"], &told["call"], &told["id"]), (&json!("call"), &left, &left["messageId"]));
    assert_eq!(pair.left.done("conversation:join", &place).await["call"], json!(null));
    let history = server.request(&pair.client, "GET", "/calls?conversationId=1", None).await.expect(200).json();
    assert_eq!(history, json!([left]));
    let live = server.request(&pair.client, "GET", "/calls?live=true", None).await.expect(200).json();
    assert_eq!(live, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_call_is_unread_and_notified_for_who_missed_it() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let mut elsewhere = server.socket(&pair.client).await;
    let call = start(&pair).await;
    pair.right.done("call:leave", json!({"callId": call["id"]})).await;
    let told = elsewhere.expect_event("notification").await;
    assert_eq!((&told["preview"], &told["unreadCount"]), (&json!("Appel manqué"), &json!(1)));
    assert_eq!(expect_state(&mut elsewhere, "cancelled").await["id"], call["id"]);
    pair.right.expect_silence("notification").await;
    let declined = start(&pair).await;
    let path = format!("/calls/{}/decline", declined["id"]);
    let reply = server.request(&pair.client, "POST", &path, None).await.expect(200).json();
    assert_eq!(reply["state"], "declined");
    elsewhere.expect_silence("notification").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_who_call_at_once_talk_in_one_call() {
    let server = Server::start().await;
    let pair = server.pair().await;
    let data = json!({"conversationId": pair.conversation, "media": "audio"});
    let (one, other) = tokio::join!(pair.left.ask("call:start", &data), pair.right.ask("call:start", &data));
    assert_eq!(one["call"]["id"], other["call"]["id"]);
    let states = [&one["call"]["state"], &other["call"]["state"]];
    assert!(states.contains(&&json!("ringing")) && states.contains(&&json!("ongoing")), "{states:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_while_it_rings_makes_it_missed() {
    let server = Server::start().await;
    let pair = server.pair().await;
    let call = start(&pair).await;
    drop(pair);
    let server = server.restart(&[]).await;
    let juriste = server.sign_in("juriste1").await;
    let mut socket = server.socket(&juriste).await;
    let path = format!("/calls/{}", call["id"]);
    let found = loop {
        let found = server.request(&juriste, "GET", &path, None).await.expect(200).json();
        if found["state"] != "ringing" {
            break found;
        }
        // It is looked at twice a second, and told.
        expect_state(&mut socket, "missed").await;
    };
    assert_eq!((&found["state"], &found["endReason"]), (&json!("missed"), &json!("restart")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_may_use_camera_and_microphone_while_there_are_calls_and_says_who_may_start_them() {
    for (calls, client_may, camera) in [("all", Some(true), true), ("juriste", Some(false), true), ("off", None, false)]
    {
        let server = Server::start_with(&["--calls", calls]).await;
        let pair = server.pair().await;
        let page = http::get(server.at, "/").send().await.expect(200);
        let permitted = page.header("permissions-policy").expect("a policy").to_owned();
        for device in ["camera", "microphone", "display-capture"] {
            let may = format!("{device}={}", if camera { "(self)" } else { "()" });
            assert!(permitted.contains(&may), "{calls}: {permitted}");
        }
        let api = http::get(server.at, "/healthz").send().await.expect(200);
        assert!(api.header("permissions-policy").expect("a policy").contains("camera=()"));
        let me = server.request(&pair.client, "GET", "/users/me", None).await.expect(200).json();
        assert_eq!(me["calls"]["mayStart"].as_bool(), client_may, "{calls}");
        let data = json!({"conversationId": pair.conversation, "media": "audio"});
        let started = pair.left.ask("call:start", data).await;
        assert_eq!(started["success"] == true, client_may == Some(true), "{calls}: {started}");
        if client_may != Some(true) {
            assert_eq!(started["code"], "FORBIDDEN");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_and_files_keep_their_own_policies_whatever_calls_need() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("jitsi");
    std::fs::write(&secret, "geheim").expect("a file");
    let jitsi = ["--jitsi-url", "https://meet.example", "--jitsi-app-id", "lexchat", "--jitsi-secret-file"];
    let server = Server::start_with(&[&jitsi[..], &[secret.to_str().expect("UTF-8")]].concat()).await;
    let pair = server.pair().await;
    let page = http::get(server.at, "/").send().await.expect(200);
    let policy = page.header("content-security-policy").expect("a policy");
    for kept in ["script-src 'self';", "connect-src 'self';", "frame-ancestors 'none';"] {
        assert!(policy.contains(kept), "{policy}");
    }
    let path = "/attachments?conversationId=1&name=page.html";
    let upload = http::ask(server.at, "POST", path).token(&pair.client.token).body(b"<p>".to_vec());
    let url = upload.send().await.expect(201).json()["url"].as_str().expect("an address").to_owned();
    for path in ["/users/me", "/calls", &url, "/openapi.json"] {
        let answer = server.request(&pair.client, "GET", path, None).await.expect(200);
        let header = |name: &str| answer.header(name).expect("a policy").to_owned();
        let (permitted, policy) = (header("permissions-policy"), header("content-security-policy"));
        for device in ["camera=()", "microphone=()", "display-capture=()"] {
            assert!(permitted.contains(device), "{path}: {permitted}");
        }
        assert!(policy.contains("default-src 'none'") && !policy.contains("meet.example"), "{path}: {policy}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_person_gets_the_servers_and_a_password_of_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("turn");
    std::fs::write(&secret, "geheim").expect("a file");
    let turn = ["--ice-server", "stun:a.example", "--ice-server", "turn:a.example?transport=udp", "--ice-relay-only"];
    let secret = ["--turn-secret-file", secret.to_str().expect("UTF-8")];
    let server = Server::start_with(&[&turn[..], &secret[..]].concat()).await;
    let pair = server.pair().await;
    let call = start(&pair).await;
    let direct = join(&pair.left, &call, "callee").await["direct"].clone();
    assert_eq!(direct["relayOnly"], true);
    assert_eq!(direct["iceServers"][0], json!({"urls": ["stun:a.example"]}));
    let turn = &direct["iceServers"][1];
    assert_eq!(turn["urls"], json!(["turn:a.example?transport=udp"]));
    assert!(turn["username"].as_str().is_some_and(|name| name.ends_with(":1")), "{turn}");
    assert!(!direct.to_string().contains("geheim"));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_jitsi_server_each_person_gets_a_way_into_a_room_of_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("jitsi");
    std::fs::write(&secret, "geheim").expect("a file");
    let jitsi = ["--jitsi-url", "https://meet.example", "--jitsi-app-id", "lexchat", "--jitsi-secret-file"];
    let server = Server::start_with(&[&jitsi[..], &[secret.to_str().expect("UTF-8")]].concat()).await;
    let mut pair = server.pair().await;
    let page = http::get(server.at, "/").send().await.expect(200);
    let header = |name: &str| page.header(name).expect("a policy").to_owned();
    assert!(header("permissions-policy").contains("camera=(self \"https://meet.example\")"));
    let policy = header("content-security-policy");
    assert!(
        policy.ends_with("; frame-src blob: https://meet.example") && policy.contains("script-src 'self';"),
        "{policy}"
    );
    let call = start(&pair).await;
    assert_eq!(call["provider"], "jitsi");
    let own = join(&pair.right, &call, "caller").await;
    let path = format!("/calls/{}/join", call["id"]);
    let theirs = server.request(&pair.client, "POST", &path, None).await.expect(200).json();
    assert_eq!(theirs["call"]["state"], "ongoing");
    expect_state(&mut pair.right, "ongoing").await;
    for (answer, user, moderator) in [(&own, "6", "true"), (&theirs, "1", "false")] {
        let way = &answer["jitsi"];
        assert!(answer.get("direct").is_none() && way["domain"] == "meet.example", "{answer}");
        let room = way["room"].as_str().expect("a room");
        assert_eq!(way["url"], format!("https://meet.example/{room}"));
        let key = jsonwebtoken::DecodingKey::from_secret(b"geheim");
        let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::HS256);
        rules.set_audience(&["jitsi"]);
        rules.set_issuer(&["lexchat"]);
        let token = way["token"].as_str().expect("a token");
        let claims = jsonwebtoken::decode::<Value>(token, &key, &rules).expect("a good token").claims;
        let who = &claims["context"]["user"];
        assert_eq!((&claims["room"], &who["id"], &who["moderator"]), (&json!(room), &json!(user), &json!(moderator)));
        assert_eq!(claims["context"]["features"]["recording"], false);
    }
    assert_eq!(own["jitsi"]["room"], theirs["jitsi"]["room"]);
    let outsider = server.sign_in("client2").await;
    server.request(&outsider, "POST", &path, None).await.expect(404);
    let shown = server.request(&pair.client, "GET", &format!("/calls/{}", call["id"]), None).await.expect(200).json();
    assert!(!shown.to_string().contains("lex-"), "the room is for those alone who join: {shown}");
}
