//! `lexchat doctor` and third parties: each is asked where it is set up, nothing is sent, and what is wrong names its flag.

use std::path::Path;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::harness::stripe::{SECRET, Stripe};
use crate::setup::{row, typed_with};
use crate::support::relay::{PushService, Relay};

/// A proxy that does not exist: what is not on this machine is out of reach, and nobody is contacted.
const CUT_OFF: (&str, &str) = ("HTTPS_PROXY", "http://127.0.0.1:9");
const NOBODY: &str = "127.0.0.1:9";

/// Its rows with these variables.
async fn examined(folder: &Path, variables: &[(&str, String)]) -> Vec<Value> {
    let mut all = vec![CUT_OFF];
    all.extend(variables.iter().map(|(name, value)| (*name, value.as_str())));
    let db = folder.join("lexchat.db");
    let words = ["doctor", "--json", "--listen", NOBODY, "--db", db.to_str().expect("a UTF-8 path")];
    let (_, text) = typed_with(&all, &words).await;
    let end = text.rfind(']').unwrap_or_else(|| panic!("no list: {text}"));
    serde_json::from_str(&text[..=end]).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A file with a secret in it.
fn secret(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, format!("{text}\n")).expect("room");
    path.to_str().expect("a UTF-8 path").to_owned()
}

/// A Jitsi server that answers with this header.
async fn jitsi(header: &'static str) -> String {
    answering("200 OK", header).await
}

/// The origin of who answers everything with this status and header.
async fn answering(status: &'static str, header: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 2048]).await;
            let answer = format!("HTTP/1.1 {status}\r\n{header}Content-Length: 2\r\nConnection: close\r\n\r\nok");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    url
}

/// Everything that can be set up, at these addresses.
fn variables(folder: &Path, relay: &str, stripe: &str, jitsi: &str, push: &str) -> Vec<(&'static str, String)> {
    vec![
        ("LEXCHAT_SMTP", format!("smtp://{relay}")),
        ("LEXCHAT_MAIL_FROM", "avis@cabinet.example".to_owned()),
        ("LEXCHAT_STRIPE_KEY_FILE", secret(folder, "key", "sk_test_abc")),
        ("LEXCHAT_STRIPE_WEBHOOK_SECRET_FILE", secret(folder, "hook", SECRET)),
        ("LEXCHAT_STRIPE_API", format!("http://{stripe}")),
        ("LEXCHAT_JITSI_URL", jitsi.to_owned()),
        ("LEXCHAT_JITSI_APP_ID", "lexchat".to_owned()),
        ("LEXCHAT_JITSI_SECRET_FILE", secret(folder, "jitsi", "geheim")),
        ("LEXCHAT_PUSH_CONTACT", "mailto:admin@cabinet.example".to_owned()),
        ("LEXCHAT_PUSH_HOST", push.to_owned()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn third_parties_are_asked_where_they_are_set_up_and_nothing_is_sent() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let findings = examined(folder.path(), &[]).await;
    let is_third = |row: &Value| ["mail", "push", "stripe", "jitsi"].contains(&row["check"].as_str().expect("a word"));
    assert!(!findings.iter().any(is_third), "{findings:?}");

    let (relay, stripe, push) = (Relay::start().await, Stripe::start().await, PushService::start().await);
    let meet = jitsi("").await;
    let set_up = variables(folder.path(), &relay.at.to_string(), &stripe.at.to_string(), &meet, &push.origin());
    let findings = examined(folder.path(), &set_up).await;
    for check in ["mail", "stripe", "jitsi"] {
        assert_eq!(row(&findings, check)["verdict"], "good", "{findings:?}");
    }
    assert!(relay.mails().is_empty());
    assert_eq!(stripe.account().calls, ["GET /v1/events"]);
    // Those of the browsers' makers are behind a proxy that does not exist; the one on this machine is not named.
    let pushes = row(&findings, "push");
    assert!(pushes["text"].as_str().unwrap().contains("https://fcm.googleapis.com"), "{pushes}");
    assert!(!pushes["text"].as_str().unwrap().contains(&push.origin()), "{pushes}");
    assert!(pushes["remedy"].as_str().unwrap().contains("HTTPS_PROXY"), "{pushes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_party_that_does_not_answer_or_refuses_names_its_flag() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let nobody = format!("http://{NOBODY}");
    let findings = examined(folder.path(), &variables(folder.path(), NOBODY, NOBODY, &nobody, &nobody)).await;
    for (check, flag) in [("mail", "--smtp"), ("stripe", "--stripe-api"), ("jitsi", "--jitsi-url")] {
        let found = row(&findings, check);
        assert_eq!(found["verdict"], "bad", "{found}");
        assert!(found["remedy"].as_str().unwrap().contains(flag), "{found}");
    }
    let framed = jitsi("X-Frame-Options: SAMEORIGIN\r\n").await;
    let mut wrong = variables(folder.path(), NOBODY, NOBODY, &framed, &nobody);
    wrong.retain(|(name, _)| name.starts_with("LEXCHAT_JITSI"));
    wrong.push(("LEXCHAT_STRIPE_KEY_FILE", secret(folder.path(), "published", "pk_test_abc")));
    wrong.push(("LEXCHAT_STRIPE_WEBHOOK_SECRET_FILE", "/nowhere".to_owned()));
    let findings = examined(folder.path(), &wrong).await;
    assert!(row(&findings, "jitsi")["remedy"].as_str().unwrap().contains("frame-ancestors"), "{findings:?}");
    let stripe = row(&findings, "stripe");
    assert!(stripe["text"].as_str().unwrap().contains("--stripe-key-file"), "{stripe}");
    assert!(
        !format!("{findings:?}").contains("geheim") && !format!("{findings:?}").contains("pk_test"),
        "{findings:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_before_the_server_and_answers_for_it_is_named_with_what_mends_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = folder.path().join("lexchat.db");
    for (status, wanted) in [
        ("401 Unauthorized", ["asks for a password", "HTTP Basic"]),
        ("502 Bad Gateway", ["answered 502 by a proxy", "--listen"]),
        ("404 Not Found", ["answers 404, which is not lexchat", "sub-path"]),
    ] {
        let public = answering(status, "").await;
        let words = ["doctor", "--json", "--listen", NOBODY, "--public-url", &public, "--db", db.to_str().unwrap()];
        let (code, text) = typed_with(&[CUT_OFF], &words).await;
        let findings: Vec<Value> = serde_json::from_str(&text[..=text.rfind(']').expect("a list")]).expect("JSON");
        let found = row(&findings, "reachable");
        assert!(code == Some(1) && found["verdict"] == "bad", "{status}: {found}");
        let said = format!("{}\n{}", found["text"], found["remedy"]);
        assert!(wanted.iter().all(|part| said.contains(part)), "{status}: {said}");
    }
}
