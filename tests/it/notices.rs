//! What is told to who is not looking: choices, devices, muting, attention.

use serde_json::{Value, json};

use crate::harness::server::Server;
use crate::support::http::{self, Reply};
use crate::support::people;
use crate::support::relay::{PushService, Relay};

#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_set_up_no_channel_is_offered_and_no_device_is_taken() {
    let server = Server::start().await;
    let client = server.sign_in("client1").await;
    let settings = server.request(&client, "GET", "/notifications/settings", None).await.expect(200).json();
    assert_eq!(settings["available"], json!({"webPush": null, "fcm": false, "email": false, "detail": "none"}));
    for device in [
        json!({"kind": "webpush", "endpoint": "https://push.example/x", "keys": {"p256dh": "x", "auth": "x"}}),
        json!({"kind": "fcm", "registration": "cDEFabcdefghijklmnopqr:APA91bH"}),
    ] {
        let refused = server.request(&client, "POST", "/notifications/devices", Some(&device)).await.expect(409);
        assert!(refused.json()["message"].as_str().unwrap().contains("pas configuré"), "{}", refused.text());
    }
    let devices = server.request(&client, "GET", "/notifications/devices", None).await.expect(200).json();
    assert_eq!(devices, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn choices_are_kept_and_told_to_ones_own_sockets_alone() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let mut elsewhere = server.socket(&pair.client).await;
    let choice = json!({
        "email": "daily", "timeZone": "europe/berlin",
        "quietHours": {"from": "20:00", "to": "08:00", "days": [1, 2, 3, 4, 5]},
    });
    let path = "/notifications/settings";
    let changed = server.request(&pair.client, "PATCH", path, Some(&choice)).await.expect(200).json();
    assert_eq!((&changed["email"], &changed["timeZone"]), (&json!("daily"), &json!("Europe/Berlin")));
    assert_eq!((&changed["quietHours"], &changed["push"]), (&choice["quietHours"], &json!(true)));
    for socket in [&mut pair.left, &mut elsewhere] {
        assert_eq!(socket.expect_event("notifications:settings").await["settings"], changed);
    }
    pair.right.expect_silence("notifications:settings").await;
    let read = server.request(&pair.client, "GET", path, None).await.expect(200).json();
    assert_eq!(read, changed);
    let back = server.request(&pair.client, "PATCH", path, Some(&json!({"timeZone": null, "quietHours": null}))).await;
    let back = back.expect(200).json();
    assert_eq!((&back["timeZone"], &back["quietHours"]), (&json!("Europe/Paris"), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_names_its_field() {
    let server = Server::start().await;
    let client = server.sign_in("client1").await;
    let quiet = |from: &str, to: &str, days: Value| json!({"quietHours": {"from": from, "to": to, "days": days}});
    for (body, field) in [
        (json!({"email": "weekly"}), "email"),
        (json!({"timeZone": "Paris"}), "timeZone"),
        (json!({"detail": "sender"}), "detail"),
        (json!({"push": "yes"}), "push"),
        (json!({"quietHours": "always"}), "quietHours"),
        (quiet("24:00", "08:00", json!([1])), "quietHours.from"),
        (quiet("20:00", "8", json!([1])), "quietHours.to"),
        (quiet("20:00", "08:00", json!([])), "quietHours.days"),
        (quiet("20:00", "08:00", json!([0])), "quietHours.days"),
        (quiet("00:00", "00:00", json!([1, 2, 3, 4, 5, 6, 7])), "quietHours"),
    ] {
        let refused = server.request(&client, "PATCH", "/notifications/settings", Some(&body)).await.expect(400).json();
        assert_eq!(refused["details"][0]["field"], field, "{body}: {refused}");
    }
    for body in [json!({}), json!({"mutedUntil": "tomorrow"})] {
        let conversation = json!({"participantId": 6});
        let id = server.request(&client, "POST", "/conversations", Some(&conversation)).await.json()["id"].clone();
        let path = format!("/conversations/{id}/settings");
        let refused = server.request(&client, "PATCH", &path, Some(&body)).await.expect(400).json();
        assert_eq!(refused["details"][0]["field"], "mutedUntil");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_muted_for_oneself_and_the_other_members_do_not_see_it() {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let mut elsewhere = server.socket(&pair.client).await;
    let path = format!("/conversations/{}/settings", pair.conversation);
    let until = json!({"mutedUntil": "2099-01-01T00:00:00.000Z"});
    let muted = server.request(&pair.client, "PATCH", &path, Some(&until)).await.expect(200).json();
    assert_eq!(muted["mutedUntil"], until["mutedUntil"]);
    let told = elsewhere.expect_event("conversation:updated").await;
    assert_eq!(told["conversation"]["mutedUntil"], until["mutedUntil"]);
    pair.right.expect_silence("conversation:updated").await;
    pair.say("on continue").await;
    let told = elsewhere.expect_event("conversation:updated").await;
    assert_eq!(told["conversation"]["mutedUntil"], until["mutedUntil"], "what is said does not end it");
    let told = pair.right.expect_event("conversation:updated").await;
    assert_eq!(told["conversation"]["mutedUntil"], Value::Null);
    let list = server.request(&pair.jurist, "GET", "/conversations", None).await.expect(200).json();
    assert_eq!(list[0]["mutedUntil"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn attention_is_said_by_a_socket_and_acknowledged() {
    let server = Server::start().await;
    let socket = server.socket_of("client1").await;
    for visible in [true, true, false] {
        assert_eq!(socket.done("presence:attention", json!({"visible": visible})).await, json!({"success": true}));
    }
    socket.refused("presence:attention", json!({"visible": "yes"}), "INVALID").await;
}

/// A server whose mail goes to a relay of the tests.
async fn mailing() -> (Server, Relay) {
    let relay = Relay::start().await;
    let smtp = format!("smtp://{}", relay.at);
    let flags = ["--smtp", &smtp, "--mail-from", "Cabinet Dupré <avis@cabinet.test>", "--message-rate", "0"];
    (Server::start_with(&flags).await, relay)
}

async fn post(server: &Server, path: &str, body: &Value) -> Reply {
    http::post(server.at, path, body).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_set_anew_by_the_link_that_was_mailed() {
    let (server, relay) = mailing().await;
    let before = server.sign_in("client1").await;
    for email in ["client1@example.com", "nobody@example.com"] {
        let reply = post(&server, "/auth/forgot-password", &json!({"email": email})).await.expect(202);
        assert!(reply.body.is_empty());
    }
    let mail = relay.mails_to("client1@example.com", 1).await.remove(0);
    assert_eq!(mail.header("Auto-Submitted").as_deref(), Some("auto-generated"));
    let token = mail.secret("/mot-de-passe/");
    let weak = json!({"token": token, "password": "court"});
    post(&server, "/auth/reset-password", &weak).await.expect(400);
    let next = json!({"token": token, "password": "une phrase assez longue"});
    let signed_in = post(&server, "/auth/reset-password", &next).await.expect(200).json();
    assert_eq!(signed_in["user"]["email"], "client1@example.com");
    server.request(&before, "GET", "/users/me", None).await.expect(401);
    post(&server, "/auth/reset-password", &next).await.expect(404);
    let sign_in = json!({"email": "client1@example.com", "password": "une phrase assez longue"});
    post(&server, "/auth/sign-in", &sign_in).await.expect(200);
    assert!(relay.mails().iter().all(|mail| mail.to != "nobody@example.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_mailed_and_accepting_it_confirms_the_address() {
    let (server, relay) = mailing().await;
    let juriste = server.sign_in("juriste1").await;
    let nowhere = json!({"role": "client", "send": true});
    server.request(&juriste, "POST", "/invitations", Some(&nowhere)).await.expect(400);
    let invite = json!({"role": "client", "name": "Canari Secret", "email": "invite@cabinet.test", "send": true});
    server.request(&juriste, "POST", "/invitations", Some(&invite)).await.expect(201);
    let mail = relay.mails_to("invite@cabinet.test", 1).await.remove(0);
    assert!(!mail.text().contains("Canari"), "no name leaves the house");
    let token = mail.secret("/invitation/");
    let account = json!({
        "token": token, "name": "Canari Secret", "email": "invite@cabinet.test", "password": "une phrase assez longue",
    });
    let guest = people::person(&post(&server, "/auth/accept-invitation", &account).await.expect(201).json());
    let settings = server.request(&guest, "GET", "/notifications/settings", None).await.expect(200).json();
    assert_eq!(settings["emailAddress"], "confirmed");
    assert_eq!(settings["available"]["email"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_moves_to_another_address_and_a_taken_one_is_told_to_its_owner() {
    let (server, relay) = mailing().await;
    let client = server.sign_in("client1").await;
    let change = |email: &str, password: &str| json!({"email": email, "password": password});
    let path = "/users/me/email";
    let wrong = server.request(&client, "POST", path, Some(&change("moi@cabinet.test", "pas celui-là"))).await;
    assert_eq!(wrong.expect(400).json()["details"][0]["field"], "password");
    server.request(&client, "POST", path, Some(&change("client2@example.com", people::PASSWORD))).await.expect(202);
    relay.mails_to("client2@example.com", 1).await;
    server.request(&client, "POST", path, Some(&change("moi@cabinet.test", people::PASSWORD))).await.expect(202);
    let token = relay.mails_to("moi@cabinet.test", 1).await.remove(0).secret("/confirmation/");
    let confirmed = post(&server, "/auth/confirm-email", &json!({"token": token})).await.expect(200).json();
    assert_eq!(confirmed, json!({"email": "moi@cabinet.test"}));
    relay.mails_to("client1@example.com", 1).await;
    post(&server, "/auth/sign-in", &change("client1@example.com", people::PASSWORD)).await.expect(401);
    post(&server, "/auth/sign-in", &change("moi@cabinet.test", people::PASSWORD)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leaves_is_seen_by_administrators_with_shortened_addresses() {
    let (server, relay) = mailing().await;
    let admin = server.sign_in("admin").await;
    // What is answered by 450 is tried again in five minutes, not at some time within a minute, which may be at once.
    relay.answer_next("450 4.7.1 later, says <essai@cabinet.test>");
    let to = json!({"to": "essai@cabinet.test"});
    server.request(&admin, "POST", "/admin/test-mail", Some(&to)).await.expect(202);
    let waiting = loop {
        let page = server.request(&admin, "GET", "/admin/deliveries?state=waiting", None).await.expect(200);
        assert!(!page.text().contains("essai@"), "{}", page.text());
        let page = page.json();
        if page["deliveries"][0]["reason"].is_string() {
            break page["deliveries"][0].clone();
        }
    };
    assert_eq!((&waiting["to"], &waiting["attempts"]), (&json!("e…@cabinet.test"), &json!(1)));
    let status = server.request(&admin, "GET", "/admin/status", None).await.expect(200).json();
    let checks = status["checks"].as_array().unwrap();
    assert!(checks.iter().any(|check| check["check"] == "deliveries"), "{checks:?}");
    let path = format!("/admin/deliveries/{}/retry", waiting["id"]);
    server.request(&admin, "POST", &path, None).await.expect(202);
    let mail = relay.mails_to("essai@cabinet.test", 1).await.remove(0);
    assert!(mail.header("Message-ID").unwrap().ends_with("@cabinet.test>"));
    loop {
        let page = server.request(&admin, "GET", "/admin/deliveries?state=sent", None).await.expect(200).json();
        if page["deliveries"][0]["id"] == waiting["id"] {
            break;
        }
    }
    server.request(&admin, "POST", &path, None).await.expect(409);
    let metrics = http::get(server.at, "/metrics").send().await.expect(200).text();
    assert!(metrics.contains("lexchat_deliveries_total{channel=\"email\",result=\"sent\"} 1"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_address_gets_nothing_more_and_its_owner_sees_it() {
    let (server, relay) = mailing().await;
    let client = server.sign_in("client1").await;
    relay.answer_next("550 5.1.1 User unknown");
    server.request(&client, "POST", "/users/me/email/confirmation", None).await.expect(202);
    loop {
        let settings = server.request(&client, "GET", "/notifications/settings", None).await.expect(200).json();
        if settings["emailAddress"] == "failed" {
            break;
        }
    }
    assert!(relay.mails().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_tried_and_forgotten_when_its_service_says_that_it_is_gone() {
    let service = PushService::start().await;
    let flags = ["--push-contact", "avis@cabinet.test", "--push-host", &service.origin()];
    let server = Server::start_with(&flags).await;
    let client = server.sign_in("client1").await;
    let settings = server.request(&client, "GET", "/notifications/settings", None).await.expect(200).json();
    assert_eq!(settings["available"]["webPush"]["publicKey"].as_str().map(str::len), Some(87));
    let endpoint = |path: &str| {
        let keys = json!({
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        });
        json!({"kind": "webpush", "endpoint": path, "keys": keys, "name": "Firefox"})
    };
    let path = "/notifications/devices";
    for elsewhere in ["https://push.example/x", "http://127.0.0.1:1/x", "https://fcm.googleapis.com/other"] {
        let refused = server.request(&client, "POST", path, Some(&endpoint(elsewhere))).await.expect(400);
        assert_eq!(refused.json()["details"][0]["field"], "endpoint");
    }
    let own = endpoint(&format!("{}/secret-of-the-device", service.origin()));
    let device = server.request(&client, "POST", path, Some(&own)).await.expect(201);
    assert!(!device.text().contains("secret-of"), "{}", device.text());
    let id = device.json()["id"].clone();
    server.request(&client, "POST", path, Some(&own)).await.expect(200);
    let test = format!("{path}/{id}/test");
    server.request(&client, "POST", &test, None).await.expect(202);
    let push = service.wait_for(1).await.remove(0);
    assert_eq!((push.path.as_str(), push.body.len()), ("/secret-of-the-device", 2048), "padded to one size");
    assert!(push.head.contains("content-encoding: aes128gcm") && push.head.contains("authorization: vapid t="));
    let limited = server.request(&client, "POST", &test, None).await.expect(429);
    assert!(limited.json()["retryAfter"].as_u64().unwrap() <= 10);
    let other = server.sign_in("client2").await;
    server.request(&other, "POST", &test, None).await.expect(404);
    let taken = server.request(&other, "POST", path, Some(&own)).await.expect(201).json();
    service.answer_next("410 Gone");
    server.request(&other, "POST", &format!("{path}/{}/test", taken["id"]), None).await.expect(202);
    loop {
        let devices = server.request(&other, "GET", path, None).await.expect(200).json();
        if devices[0]["goneAt"].is_string() {
            break;
        }
    }
    let left = server.request(&client, "GET", path, None).await.expect(200).json();
    assert_eq!(left, json!([]), "it belonged to who registered it last");
}

/// A browser of somebody at a push service of the tests.
async fn register(server: &Server, service: &PushService, person: &people::Person, path: &str) {
    let keys = json!({
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    });
    let device = json!({"kind": "webpush", "endpoint": format!("{}/{path}", service.origin()), "keys": keys});
    server.request(person, "POST", "/notifications/devices", Some(&device)).await.expect(201);
}

/// Shows that somebody reads what is mailed to them.
async fn confirm(server: &Server, relay: &Relay, person: &people::Person) {
    server.request(person, "POST", "/users/me/email/confirmation", None).await.expect(202);
    let token = relay.mails_to(&person.email, 1).await.remove(0).secret("/confirmation/");
    post(server, "/auth/confirm-email", &json!({"token": token})).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_look_is_pushed_to_once_and_who_looks_is_not() {
    let service = PushService::start().await;
    let flags = ["--push-contact", "avis@cabinet.test", "--push-host", &service.origin(), "--push-after", "1s"];
    let server = Server::start_with(&flags).await;
    let mut pair = server.pair().await;
    register(&server, &service, &pair.jurist, "jurist").await;
    pair.say("bonjour").await;
    let push = service.wait_for(1).await.remove(0);
    assert_eq!((push.path.as_str(), push.body.len()), ("/jurist", 2048));
    assert!(push.head.contains("urgency: high") && push.head.contains("\r\ntopic: "), "{}", push.head);
    pair.right.done("presence:attention", json!({"visible": true})).await;
    pair.say("on me voit").await;
    pair.right.done("presence:attention", json!({"visible": false})).await;
    pair.say("on ne me voit plus").await;
    let pushes = service.wait_for(2).await;
    let topic = |push: &crate::support::relay::Push| {
        push.head.split("\r\n").find(|line| line.starts_with("topic: ")).map(str::to_owned)
    };
    assert_eq!(topic(&pushes[0]), topic(&pushes[1]), "a newer one takes the place of an older one");
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert_eq!(service.pushes().len(), 2, "nobody is told twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_rings_on_a_device_of_who_does_not_look_and_what_became_of_it_takes_its_place() {
    let service = PushService::start().await;
    let flags = ["--push-contact", "avis@cabinet.test", "--push-host", &service.origin(), "--push-after", "0"];
    let server = Server::start_with(&flags).await;
    let pair = server.pair().await;
    register(&server, &service, &pair.jurist, "jurist").await;
    let header = |push: &crate::support::relay::Push, name: &str| {
        let line = push.head.split("\r\n").find_map(|line| line.strip_prefix(name).map(str::to_owned));
        line.unwrap_or_else(|| panic!("{name}{}", push.head))
    };
    let path = format!("/conversations/{}/calls", pair.conversation);
    let call = server.request(&pair.client, "POST", &path, Some(&json!({"media": "audio"}))).await.expect(201).json();
    let rings = service.wait_for(1).await.remove(0);
    let ttl: u64 = header(&rings, "ttl: ").parse().unwrap();
    assert!((1..=45).contains(&ttl) && header(&rings, "urgency: ") == "high", "{}", rings.head);
    let path = format!("/calls/{}/leave", call["id"]);
    server.request(&pair.client, "POST", &path, None).await.expect(200);
    let missed = service.wait_for(2).await.remove(1);
    assert_eq!(header(&missed, "topic: "), header(&rings, "topic: "), "it takes the place of the ringing");
    assert!(header(&missed, "ttl: ").parse::<u64>().unwrap() > 3600, "it stays");
    let said = json!({"conversationId": pair.conversation, "content": "rappelez-moi"});
    pair.left.done("message:send", said).await;
    let pushes = service.wait_for(3).await;
    assert_ne!(header(&pushes[2], "topic: "), header(&rings, "topic: "), "a message hides no call");
    assert_eq!(service.pushes().len(), 3, "and the missed call is not told again as a message");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_what_was_said_leaves_the_house_by_default() {
    let (relay, service) = (Relay::start().await, PushService::start().await);
    let smtp = format!("smtp://{}", relay.at);
    let flags = [
        "--smtp",
        &smtp,
        "--mail-from",
        "Cabinet <avis@cabinet.test>",
        "--mail-after",
        "1s",
        "--push-after",
        "0",
        "--push-contact",
        "avis@cabinet.test",
        "--push-host",
        &service.origin(),
    ];
    let server = Server::start_with(&flags).await;
    let pair = server.pair().await;
    confirm(&server, &relay, &pair.jurist).await;
    let name = json!({"name": "Canari Nom"});
    server.request(&pair.client, "PATCH", "/users/me", Some(&name)).await.expect(200);
    let upload = format!("/attachments?conversationId={}&name=canari-fichier.txt", pair.conversation);
    let upload = http::ask(server.at, "POST", &upload).token(&pair.client.token).body(b"canari-octets".to_vec());
    let file = upload.send().await.expect(201).json()["id"].clone();
    let said = json!({"conversationId": pair.conversation, "content": "canari-texte", "files": [file]});
    pair.left.done("message:send", said).await;
    let mail = relay.mails_to(&pair.jurist.email, 2).await.remove(1);
    let text = mail.text().to_lowercase();
    assert!(!text.contains("canari"), "{text}");
    assert!(text.contains("list-unsubscribe-post: list-unsubscribe=one-click") && text.contains("in-reply-to:"));
    let link = mail.text().split("/notifications/unsubscribe/").nth(1).unwrap_or_default().to_owned();
    let token: String = link.chars().take_while(char::is_ascii_hexdigit).collect();
    let path = format!("/notifications/unsubscribe/{token}");
    http::get(server.at, &path).send().await.expect(200);
    let settings = || server.request(&pair.jurist, "GET", "/notifications/settings", None);
    assert_eq!(settings().await.expect(200).json()["email"], "10m", "opening it changes nothing");
    http::ask(server.at, "POST", &path).body(b"List-Unsubscribe=One-Click".to_vec()).send().await.expect(200);
    assert_eq!(settings().await.expect(200).json()["email"], "never");
    let admin = server.sign_in("admin").await;
    let deliveries = server.request(&admin, "GET", "/admin/deliveries", None).await.expect(200).text();
    let metrics = http::get(server.at, "/metrics").send().await.expect(200).text();
    for text in [deliveries, metrics] {
        assert!(!text.to_lowercase().contains("canari"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_could_not_leave_before_the_end_leaves_once_after_the_next_start() {
    let relay = Relay::start().await;
    let smtp = format!("smtp://{}", relay.at);
    let flags = ["--smtp", &smtp, "--mail-from", "avis@cabinet.test", "--mail-after", "0"];
    let server = Server::start_with(&flags).await;
    let mut pair = server.pair().await;
    confirm(&server, &relay, &pair.jurist).await;
    let dead = ["--smtp", "smtp://127.0.0.1:9", "--mail-from", "avis@cabinet.test", "--mail-after", "0"];
    let server = server.restart(&dead).await;
    drop(pair);
    pair = server.pair().await;
    pair.say("bonjour").await;
    let admin = server.sign_in("admin").await;
    loop {
        let page = server.request(&admin, "GET", "/admin/deliveries?state=waiting", None).await.expect(200).json();
        if page["deliveries"][0]["attempts"].as_u64() >= Some(1) {
            let id = page["deliveries"][0]["id"].clone();
            assert_eq!(page["deliveries"][0]["kind"], "messages");
            let server = server.restart(&flags).await;
            let path = format!("/admin/deliveries/{id}/retry");
            // It may have left by itself by then.
            let hurried = server.request(&admin, "POST", &path, None).await;
            assert!(matches!(hurried.status, 202 | 409), "{}", hurried.text());
            relay.mails_to(&pair.jurist.email, 2).await;
            tokio::time::sleep(std::time::Duration::from_millis(700)).await;
            assert_eq!(relay.mails_to(&pair.jurist.email, 2).await.len(), 2, "the confirmation, and one notice");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_edited_before_its_mail_left_is_told_as_it_stands() {
    let relay = Relay::start().await;
    let smtp = format!("smtp://{}", relay.at);
    let flags = ["--smtp", &smtp, "--mail-from", "a@cabinet.test", "--mail-after", "8s", "--notify-detail", "preview"];
    let server = Server::start_with(&flags).await;
    let mut pair = server.pair().await;
    confirm(&server, &relay, &pair.jurist).await;
    let detail = json!({"detail": "preview"});
    server.request(&pair.jurist, "PATCH", "/notifications/settings", Some(&detail)).await.expect(200);
    let path = format!("/messages/{}", pair.say("premier jet").await["id"]);
    let edit = json!({"content": "texte relu"});
    server.request(&pair.client, "PATCH", &path, Some(&edit)).await.expect(200);
    let text = relay.mails_to(&pair.jurist.email, 2).await.remove(1).text();
    assert!(text.contains("texte relu") && !text.contains("premier jet"), "{text}");
}
