use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::*;
use crate::integrations::fcm::message::{Channel, Notice};
use crate::integrations::jws;
use crate::integrations::testing::{Heard, Party, RSA_KEY};

const APP: &str = "cDEFabcdefghijklmnopqr:APA91bH";

fn account(token_uri: &str) -> Result<Account, BadAccount> {
    let file = json!({
        "type": "service_account", "project_id": "cabinet-1", "private_key_id": "key1", "private_key": RSA_KEY,
        "client_email": "push@cabinet-1.iam.gserviceaccount.com", "token_uri": token_uri,
    });
    Account::from_json(file.to_string().as_bytes())
}

fn sender(party: &Party) -> Sender {
    let account = account(&format!("{}/token", party.origin)).unwrap();
    Sender::new(Settings::new(account, Some(party.origin.clone())).unwrap(), &party.outbound())
}

fn granted(number: usize, expires_in: u64) -> (&'static str, String) {
    (
        "200 OK",
        json!({"access_token": format!("ya29.{number}"), "expires_in": expires_in, "token_type": "Bearer"}).to_string(),
    )
}

fn refused(code: u16, status: &str, details: Value) -> String {
    json!({"error": {"code": code, "message": "words", "status": status, "details": details}}).to_string()
}

fn fcm_error(code: &str) -> Value {
    json!([{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}])
}

fn notice() -> Message {
    Message::Notice(Notice {
        title: "Cabinet".to_owned(),
        body: "Vous avez un nouveau message".to_owned(),
        tag: "00ff".to_owned(),
        data: BTreeMap::new(),
        ttl: Duration::from_secs(60),
        channel: Channel::Messages,
    })
}

fn app() -> Registration {
    Registration::new(APP).unwrap()
}

#[tokio::test]
async fn a_message_goes_with_a_bearer_token_that_was_traded_for_an_assertion() {
    let party = Party::start(|heard| match heard.line.as_str() {
        "POST /token" => granted(1, 3599),
        _ => ("200 OK", json!({"name": "projects/cabinet-1/messages/1"}).to_string()),
    })
    .await;
    let sender = sender(&party);
    for _ in 0..3 {
        assert_eq!(sender.send(&app(), &notice()).await, Outcome::Accepted);
    }
    let heard = party.heard();
    let lines: Vec<&str> = heard.iter().map(|heard| heard.line.as_str()).collect();
    let send = "POST /v1/projects/cabinet-1/messages:send";
    assert_eq!(lines, ["POST /token", send, send, send], "one token for all");
    let form = String::from_utf8(heard[0].body.to_vec()).unwrap();
    let assertion =
        form.strip_prefix("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=").unwrap();
    let (header, claims) = jws::parts(assertion);
    assert_eq!(header, json!({"alg": "RS256", "typ": "JWT", "kid": "key1"}));
    assert_eq!(claims["iss"], "push@cabinet-1.iam.gserviceaccount.com");
    assert_eq!(claims["aud"], format!("{}/token", party.origin));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
    assert_eq!(heard[1].header("authorization"), Some("Bearer ya29.1"));
    let body: Value = serde_json::from_slice(&heard[1].body).unwrap();
    assert_eq!(body["message"]["token"], APP);
}

#[tokio::test]
async fn many_who_wait_fetch_one_token() {
    let party = Party::start(|heard| match heard.line.as_str() {
        "POST /token" => granted(1, 3599),
        _ => ("200 OK", "{}".to_owned()),
    })
    .await;
    let sender = sender(&party);
    let (app, notice) = (app(), notice());
    let sent = futures_util::future::join_all((0..20).map(|_| sender.send(&app, &notice))).await;
    assert!(sent.iter().all(|outcome| *outcome == Outcome::Accepted));
    assert_eq!(party.heard().iter().filter(|heard| heard.line == "POST /token").count(), 1);
}

#[tokio::test]
async fn a_token_that_is_refused_is_fetched_anew_once() {
    let tokens = AtomicUsize::new(0);
    let party = Party::start(move |heard: &Heard| match heard.line.as_str() {
        "POST /token" => granted(tokens.fetch_add(1, Ordering::SeqCst), 3599),
        _ if heard.header("authorization") == Some("Bearer ya29.0") => {
            ("401 Unauthorized", refused(401, "UNAUTHENTICATED", json!([])))
        }
        _ => ("200 OK", "{}".to_owned()),
    })
    .await;
    assert_eq!(sender(&party).send(&app(), &notice()).await, Outcome::Accepted);

    let party = Party::start(|heard| match heard.line.as_str() {
        "POST /token" => granted(0, 3599),
        _ => ("401 Unauthorized", refused(401, "UNAUTHENTICATED", json!([]))),
    })
    .await;
    let outcome = sender(&party).send(&app(), &notice()).await;
    assert!(matches!(outcome, Outcome::Misconfigured { .. }), "{outcome:?}");
    assert_eq!(party.heard().len(), 4, "two tokens, two messages, no more");
}

#[tokio::test]
async fn a_token_that_is_at_its_end_is_not_used() {
    let party = Party::start(|heard| match heard.line.as_str() {
        "POST /token" => granted(1, 0),
        _ => ("200 OK", "{}".to_owned()),
    })
    .await;
    let sender = sender(&party);
    for _ in 0..2 {
        assert_eq!(sender.send(&app(), &notice()).await, Outcome::Accepted);
    }
    assert_eq!(party.heard().iter().filter(|heard| heard.line == "POST /token").count(), 2);
}

#[test]
fn a_token_is_renewed_five_minutes_before_its_end() {
    for (expires_in, good_for) in [(3600, 3300), (400, 200), (60, 30), (0, 0), (u64::MAX, 86_100)] {
        assert_eq!(super::good_for(expires_in), Duration::from_secs(good_for), "{expires_in}");
    }
}

#[tokio::test]
async fn no_token_is_a_wrong_setting_or_a_bad_moment() {
    for (status, temporary) in [("400 Bad Request", false), ("401 Unauthorized", false), ("503 Busy", true), ("", true)]
    {
        let party = Party::start(move |_| (status, json!({"error": "invalid_grant"}).to_string())).await;
        let outcome = sender(&party).send(&app(), &notice()).await;
        let right = if temporary {
            matches!(outcome, Outcome::Retry { .. })
        } else {
            matches!(outcome, Outcome::Misconfigured { .. })
        };
        assert!(right, "{status}: {outcome:?}");
        assert!(party.heard().iter().all(|heard| heard.line == "POST /token"));
    }
}

#[test]
fn every_answer_has_its_meaning() {
    let answered = |status: u16, body: String| {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = Answer { status, headers: hyper::HeaderMap::new(), body: body.into() };
        read(&answer, &app(), SystemTime::now())
    };
    let violation = |field: &str| {
        json!([
            {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": field, "description": "Invalid"}]},
        ])
    };
    let both = |field: &str| json!([fcm_error("INVALID_ARGUMENT")[0], violation(field)[0]]);
    for (status, name, details, expected) in [
        (404, "NOT_FOUND", fcm_error("UNREGISTERED"), "gone"),
        (404, "NOT_FOUND", json!([]), "misconfigured"),
        (400, "INVALID_ARGUMENT", fcm_error("INVALID_ARGUMENT"), "gone"),
        (400, "INVALID_ARGUMENT", both("message.token"), "gone"),
        (400, "INVALID_ARGUMENT", both("message.data[0].value"), "our fault"),
        (400, "INVALID_ARGUMENT", violation("message.data[0].value"), "our fault"),
        (401, "UNAUTHENTICATED", fcm_error("THIRD_PARTY_AUTH_ERROR"), "misconfigured"),
        (403, "PERMISSION_DENIED", fcm_error("SENDER_ID_MISMATCH"), "other sender"),
        (403, "PERMISSION_DENIED", json!([]), "misconfigured"),
        (429, "RESOURCE_EXHAUSTED", fcm_error("QUOTA_EXCEEDED"), "retry 60"),
        (500, "INTERNAL", fcm_error("INTERNAL"), "retry 10"),
        (503, "UNAVAILABLE", fcm_error("UNAVAILABLE"), "retry 10"),
    ] {
        let outcome = answered(status, refused(status, name, details.clone()));
        let kind = match &outcome {
            Outcome::Gone => "gone".to_owned(),
            Outcome::OtherSender { .. } => "other sender".to_owned(),
            Outcome::Misconfigured { .. } => "misconfigured".to_owned(),
            Outcome::OurFault { .. } => "our fault".to_owned(),
            Outcome::Retry { after, .. } => format!("retry {}", after.unwrap().as_secs()),
            Outcome::Accepted | Outcome::TooLarge => panic!("{outcome:?}"),
        };
        assert_eq!(kind, expected, "{status} {details}");
    }
    for body in ["", "no JSON", "[]", r#"{"error":[1]}"#, r#"{"error":{"details":[{"@type":7}]}}"#] {
        assert!(matches!(answered(400, body.to_owned()), Outcome::OurFault { .. }), "{body}");
    }
    let quoting = json!({"error": {"status": "INTERNAL", "message": format!("{APP} failed")}}).to_string();
    assert!(matches!(answered(500, quoting), Outcome::Retry { reason, .. } if !reason.contains(APP)));
}

#[tokio::test]
async fn what_is_too_much_is_not_sent() {
    let party = Party::start(|_| granted(1, 3599)).await;
    let Message::Notice(notice) = notice() else { unreachable!("it is one") };
    let long = Message::Notice(Notice { body: "x".repeat(MESSAGE_BYTES_MAX), ..notice });
    assert_eq!(sender(&party).send(&app(), &long).await, Outcome::TooLarge);
    assert!(party.heard().is_empty());
}

#[test]
fn an_account_is_googles_and_whole() {
    let google = account("https://oauth2.googleapis.com/token").unwrap();
    assert!(Settings::new(google.clone(), None).is_ok());
    assert!(Settings::new(google, Some("http://127.0.0.1:90".parse().unwrap())).is_ok());
    let elsewhere = account("https://evil.example/token").unwrap();
    assert_eq!(Settings::new(elsewhere, None).unwrap_err(), BadAccount::TokenUri);
    assert_eq!(account("http://evil.example/token").unwrap_err(), BadAccount::TokenUri);
    for json in
        ["", "{}", r#"{"project_id":"a/../b","client_email":"","private_key_id":"","private_key":"","token_uri":""}"#]
    {
        assert_eq!(Account::from_json(json.as_bytes()).unwrap_err(), BadAccount::Malformed, "{json}");
    }
    let flat = json!({
        "project_id": "p", "client_email": "a@b", "private_key_id": "k", "private_key": RSA_KEY.replace('\n', "\\n"),
        "token_uri": "https://oauth2.googleapis.com/token",
    });
    assert!(Account::from_json(flat.to_string().as_bytes()).is_ok());
    let keyless = json!({
        "project_id": "p", "client_email": "a@b", "private_key_id": "k", "private_key": "secret",
        "token_uri": "https://oauth2.googleapis.com/token",
    });
    let error = Account::from_json(keyless.to_string().as_bytes()).unwrap_err();
    assert_eq!(error, BadAccount::Key);
}
