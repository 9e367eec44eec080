//! What leaves the house, as its operator sees it: `lexchat test`, flags that do not fit, and what is listed.

use std::process::{Command, Stdio};

use serde_json::json;

use crate::harness::server::Server;
use crate::https::Papers;
use crate::support::http;
use crate::support::relay::{PushService, Relay};

const FROM: [&str; 2] = ["--mail-from", "Cabinet Dupré <avis@cabinet.test>"];

/// What the program says, and how it ends.
async fn run(words: &[&str]) -> (Option<i32>, String) {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    let ran = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lexchat"));
        command.args(words).stdin(Stdio::null()).output().expect("the binary was built")
    });
    let output = ran.await.expect("no panic");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_mail_arrives_or_it_is_said_why_not() {
    let relay = Relay::start().await;
    let smtp = format!("smtp://{}", relay.at);
    let to = |smtp: &str| {
        let words = ["test", "email", "marie@cabinet.test", "--smtp", smtp, FROM[0], FROM[1]];
        words.map(str::to_owned).to_vec()
    };
    let send = async |smtp: &str| run(&to(smtp).iter().map(String::as_str).collect::<Vec<_>>()).await;
    let (code, text) = send(&smtp).await;
    assert!(code == Some(0) && text.contains("the relay has it"), "{code:?} {text}");
    let mail = relay.mails_to("marie@cabinet.test", 1).await.remove(0);
    assert_eq!(mail.header("Auto-Submitted").as_deref(), Some("auto-generated"));
    relay.answer_next("550 5.1.1 nobody");
    let (code, text) = send(&smtp).await;
    assert!(code == Some(1) && text.contains("550"), "{code:?} {text}");
    let (code, text) = run(&["test", "email", "marie@cabinet.test"]).await;
    assert!(code == Some(2) && text.contains("--smtp"), "{code:?} {text}");
    assert_eq!(relay.mails().len(), 1);
}

/// What `lexchat test email` says where it fails, with this relay and these other flags.
async fn unmailed(smtp: &str, more: &[&str]) -> String {
    let words = ["test", "email", "marie@cabinet.test", "--smtp", smtp, FROM[0], FROM[1]];
    let (code, text) = run(&[&words[..], more].concat()).await;
    assert_eq!(code, Some(1), "{text}");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_a_relay_does_not_take_says_which_flag_mends_it() {
    let relay = Relay::start().await;
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password").display().to_string();
    std::fs::write(&password, "geheim\n").unwrap();
    let (open, signed_in) = (format!("smtp://{}", relay.at), format!("smtp://avis@{}", relay.at));
    for (command, answer, wanted) in [
        ("AUTH", "535 5.7.8 bad credentials", ["535 5.7.8", "--smtp-password-file"]),
        ("MAIL", "530 5.7.0 Authentication required", ["530 5.7.0", "smtps://USER@HOST"]),
        ("MAIL", "553 5.7.1 not owned by user avis", ["553 5.7.1", "--mail-from"]),
        ("RCPT", "554 5.7.1 Relay access denied", ["554 5.7.1", "--smtp-password-file"]),
        ("RCPT", "550 5.1.1 nobody", ["550 5.1.1", "is the address written"]),
        ("RCPT", "450 4.7.1 greylisted", ["not now: 450", "comes back by itself"]),
        ("DATA", "554 5.7.1 looks like spam", ["554 5.7.1", "SPF and DKIM"]),
        ("EHLO", "554 5.7.1 you are listed", ["554 5.7.1", "submission account"]),
        ("EHLO", "250 no way to sign in", ["no way to sign in", "neither USER@ nor --smtp-password-file"]),
    ] {
        relay.answer_next_to(command, answer);
        let text = unmailed(&signed_in, &["--smtp-password-file", &password]).await;
        assert!(wanted.iter().all(|part| text.contains(part)) && !text.contains("geheim"), "{answer}: {text}");
    }
    let begins_with_tls = open.replace("smtp:", "smtps:");
    for (smtp, wanted) in [
        ("smtp://127.0.0.1:9", ["not now: ", "does the firewall let it through"]),
        ("smtps://relay.invalid:465", ["not now: ", "does this machine's DNS know it"]),
        (&begins_with_tls, ["does not begin with TLS there", "smtp://…:587"]),
    ] {
        let text = unmailed(smtp, &[]).await;
        assert!(wanted.iter().all(|part| text.contains(part)), "{smtp}: {text}");
    }
    assert!(relay.mails().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_whose_certificate_is_not_trusted_says_which_flag_mends_it() {
    let papers = Papers::new();
    // It does not speak SMTP: what is wrong shows before that.
    let server = papers.serve().await;
    let at = format!("smtps://localhost:{}", server.at.port());
    let text = unmailed(&at, &[]).await;
    assert!(text.contains("TLS: ") && text.contains("--extra-ca FILE"), "{text}");
    let trusted = ["--extra-ca", &papers.path("cert.pem")];
    let text = unmailed(&format!("smtps://127.0.0.1:{}", server.at.port()), &trusted).await;
    assert!(text.contains("TLS: ") && text.contains("name the host as its certificate does"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_push_goes_to_each_device_of_a_person_and_says_what_became_of_it() {
    let service = PushService::start().await;
    let origin = service.origin();
    let push = ["--push-contact", "avis@cabinet.test", "--push-host", &origin];
    let server = Server::start_with(&push).await;
    let client = server.sign_in("client1").await;
    let db = server.database().path().expect("a file").to_owned();
    let send = async || run(&[&["test", "push", "client1@example.com", "--db", &db], &push[..]].concat()).await;
    let (code, text) = send().await;
    assert!(code == Some(1) && text.contains("no device") && text.contains("under /moi"), "{code:?} {text}");
    let (code, text) = run(&["test", "push", "client1@example.com", "--db", &db]).await;
    assert!(code == Some(2) && text.contains("--push-contact"), "{code:?} {text}");
    let (code, text) = run(&[&["test", "push", "nobody@example.com", "--db", &db], &push[..]].concat()).await;
    assert!(code == Some(1) && text.contains("nobody@example.com") && text.contains("user list"), "{code:?} {text}");
    let keys = json!({
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    });
    let endpoint = format!("{origin}/secret-of-the-device");
    let device = json!({"kind": "webpush", "endpoint": endpoint, "keys": keys, "name": "Firefox · Linux"});
    server.request(&client, "POST", "/notifications/devices", Some(&device)).await.expect(201);
    let (code, text) = send().await;
    assert!(code == Some(0) && text.contains("Firefox · Linux: accepted"), "{code:?} {text}");
    assert_eq!(service.wait_for(1).await[0].path, "/secret-of-the-device");
    for (answer, wanted) in [
        ("403 Forbidden", ["takes nothing from this server: 403", "--push-contact"]),
        ("401 Unauthorized", ["takes nothing from this server: 401", "clock"]),
        ("410 Gone", ["does not exist any more", "its owner turns them on there again"]),
        ("503 Unavailable", ["not now: 503", "comes back by itself"]),
        ("400 Bad Request", ["not understood: 400", "report these words"]),
    ] {
        service.answer_next(answer);
        let (code, text) = send().await;
        assert!(code == Some(1) && wanted.iter().all(|part| text.contains(part)), "{answer}: {code:?} {text}");
        assert!(text.contains("1 of them did not go") && !text.contains("secret-of"), "{answer}: {text}");
    }
    // Its service is not among those that are allowed by these flags.
    let (code, text) = run(&["test", "push", "client1@example.com", "--db", &db, push[0], push[1]]).await;
    assert!(code == Some(1) && text.contains("--push-host"), "{code:?} {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_whose_links_lead_nowhere_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("lexchat.db").display().to_string();
    let serve = ["serve", "--no-demo", "--db", &db, "--listen", "0.0.0.0:0", "--insecure-http"];
    let mail = ["--smtp", "smtp://127.0.0.1:9", FROM[0], FROM[1]];
    let (code, text) = run(&[&serve[..], &mail[..]].concat()).await;
    assert!(code == Some(3) && text.contains("--public-url"), "{code:?} {text}");
    let (code, text) = run(&[&serve[..], &mail[..2]].concat()).await;
    assert!(code == Some(2) && text.contains("--mail-from"), "{code:?} {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leaves_is_listed_page_by_page_by_state_and_channel_and_counted_while_it_waits() {
    let server = Server::start_with(&["--smtp", "smtp://127.0.0.1:9", FROM[0], FROM[1]]).await;
    let admin = server.sign_in("admin").await;
    for number in 0..51 {
        let to = json!({"to": format!("essai{number}@cabinet.test")});
        server.request(&admin, "POST", "/admin/test-mail", Some(&to)).await.expect(202);
    }
    let list = async |query: &str| {
        let path = format!("/admin/deliveries?{query}");
        server.request(&admin, "GET", &path, None).await.expect(200).json()
    };
    let first = list("state=waiting&channel=email").await;
    let ids = |page: &serde_json::Value| -> Vec<i64> {
        page["deliveries"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect()
    };
    assert_eq!((ids(&first).len(), first["nextCursor"].as_i64()), (50, ids(&first).last().copied()));
    assert!(ids(&first).is_sorted_by(|one, next| one > next), "the latest first");
    let second = list(&format!("state=waiting&channel=email&cursor={}", first["nextCursor"])).await;
    assert_eq!((ids(&second).len(), second["nextCursor"].is_null()), (1, true));
    assert!(ids(&second)[0] < ids(&first)[49]);
    for query in ["state=sent", "channel=webpush", "channel=fcm&state=failed"] {
        assert_eq!(ids(&list(query).await), [0; 0], "{query}");
    }
    server.request(&admin, "GET", "/admin/deliveries?state=lost", None).await.expect(400);
    let metrics = http::get(server.at, "/metrics").send().await.expect(200).text();
    assert!(metrics.contains("lexchat_deliveries_waiting{channel=\"email\"} 51"), "{metrics}");
    assert!(metrics.contains("lexchat_deliveries_oldest_seconds{channel=\"email\"} "), "{metrics}");
    let client = server.sign_in("client1").await;
    server.request(&client, "GET", "/admin/deliveries", None).await.expect(403);
}
