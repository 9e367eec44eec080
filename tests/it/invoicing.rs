//! Who hears of a bill and by what words, what may stand on it, on which day it is issued, and by which ways it is read.

use serde_json::{Value, json};

use crate::billing::{Stage, buyer};
use crate::support::http;

fn fee(cents: i64) -> Value {
    json!({ "description": "Assistance", "unitPriceCents": cents, "vatRateBp": 2_000 })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_is_told_to_its_juriste_and_from_issue_on_to_its_client_without_amounts() {
    let mut stage = Stage::open(&[]).await;
    let mut elsewhere = stage.server.socket(&stage.pair.client).await;
    let draft = stage.draft(&[fee(10_000)], &json!({})).await;
    assert_eq!(stage.pair.right.expect_event("invoice:updated").await["invoice"]["id"], draft["id"]);
    stage.pair.left.expect_silence("invoice:updated").await;
    let path = format!("/invoices/{}/issue", draft["id"]);
    let issued = stage.juriste("POST", &path, None).await.expect(200).json();
    let told = stage.pair.left.expect_event("invoice:updated").await["invoice"].clone();
    assert_eq!((&told["number"], &told["payment"]), (&issued["number"], &json!("open")));
    let mut notice = elsewhere.expect_event("notification").await;
    assert_eq!(notice["preview"], json!(format!("Facture {}", issued["number"].as_str().expect("a number"))));
    // Digits stand there too, one day as these.
    notice["timestamp"].take();
    assert!(!notice.to_string().contains("120"), "{notice}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hears_how_the_other_has_the_client_billed() {
    let mut stage = Stage::open(&[]).await;
    for socket in [&mut stage.pair.left, &mut stage.pair.right] {
        assert_eq!(socket.expect_event("billing:updated").await["billing"]["name"], json!("Camille Moreau"));
    }
    for name in ["Camille M.", "Camille Moreau-Petit"] {
        let mut changed = buyer();
        changed["name"] = json!(name);
        let path = format!("/users/{}/billing", stage.pair.client.id);
        let by = if name.ends_with('.') { &stage.pair.client } else { &stage.pair.jurist };
        stage.server.request(by, "PATCH", &path, Some(&changed)).await.expect(200);
        for socket in [&mut stage.pair.left, &mut stage.pair.right] {
            assert_eq!(socket.expect_event("billing:updated").await["billing"]["name"], json!(name));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_comes_into_the_conversation_of_a_client_whose_account_is_closed() {
    let stage = Stage::open(&[]).await;
    let close = json!({ "isActive": false });
    let path = format!("/admin/users/{}", stage.pair.client.id);
    stage.server.request(&stage.admin, "PATCH", &path, Some(&close)).await.expect(200);
    let issued = stage.issue(&[fee(10_000)], &json!({})).await;
    let line = "SELECT content FROM messages WHERE kind = 'invoice'";
    let line: String = stage.server.database().query_row(line, [], |row| row.get(0)).expect("one entry");
    assert_eq!(json!(line), json!(format!("Facture {}", issued["number"].as_str().expect("a number"))));
    let metrics = http::get(stage.server.at, "/metrics").send().await.expect(200).text();
    assert!(metrics.contains("\nlexchat_invoices 1\n"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_day_of_issue_is_that_of_the_practices_zone() {
    let mut days = Vec::new();
    // These are never on the same day: their clocks are twenty-five hours apart.
    for zone in ["Pacific/Pago_Pago", "Pacific/Kiritimati"] {
        let stage = Stage::open(&["--time-zone", zone]).await;
        let issued = stage.issue(&[fee(10_000)], &json!({})).await;
        let (day, number) = (issued["issuedAt"].as_str().expect("a day"), issued["number"].as_str().expect("a number"));
        assert_eq!(number, format!("F{}-00001", &day[..4]));
        days.push(day.to_owned());
    }
    assert!(days[0] < days[1], "{days:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_of_no_regulated_profession_bills_under_other_words_and_says_by_what_right() {
    let stage = Stage::open(&[]).await;
    let other = json!({ "profession": "other", "authorisation": null });
    stage.server.request(&stage.admin, "PATCH", "/admin/practice", Some(&other)).await.expect(200);
    let named = |refused: Value| refused["details"][0]["field"].as_str().map(str::to_owned);
    let consultation = json!({ "description": "CONSULTATIÓN", "unitPriceCents": 100, "vatRateBp": 2_000 });
    for (line, note, field) in [
        (
            json!({ "description": "Honoraires", "unitPriceCents": 100, "vatRateBp": 2_000 }),
            "Merci",
            "lines[0].description",
        ),
        (consultation, "Merci", "lines[0].description"),
        (fee(100), "Consultations du mois", "note"),
    ] {
        let body = json!({ "conversationId": stage.pair.conversation, "lines": [line], "note": note });
        let refused = stage.juriste("POST", "/invoices", Some(&body)).await.expect(400).json();
        assert_eq!(named(refused).as_deref(), Some(field));
    }
    let draft = stage.draft(&[fee(100)], &json!({})).await;
    let path = format!("/invoices/{}/issue", draft["id"]);
    let refused = stage.juriste("POST", &path, None).await.expect(400).json();
    assert_eq!(named(refused).as_deref(), Some("practice.authorisation"));
    let right = json!({ "authorisation": "arrêté du 1er décembre 2000" });
    stage.server.request(&stage.admin, "PATCH", "/admin/practice", Some(&right)).await.expect(200);
    let refused = stage.juriste("POST", &path, None).await.expect(400).json();
    assert_eq!(
        named(refused).as_deref(),
        Some("practice.mediator"),
        "the bar's mediates for barristers' clients alone"
    );
    let own = json!({ "mediator": { "name": "CM2C", "contact": "cm2c.net" } });
    stage.server.request(&stage.admin, "PATCH", "/admin/practice", Some(&own)).await.expect(200);
    let issued = stage.juriste("POST", &path, None).await.expect(200).json();
    let credit = format!("/invoices/{}/credit", issued["id"]);
    let because = |reason| json!({ "reason": reason });
    let refused = stage.juriste("POST", &credit, Some(&because("Consultation annulée"))).await.expect(400).json();
    assert_eq!(named(refused).as_deref(), Some("reason"));
    stage.juriste("POST", &credit, Some(&because("Annulation"))).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_from_before_the_profession_changed_is_not_printed() {
    let stage = Stage::open(&[]).await;
    let draft = stage.draft(&[fee(100)], &json!({ "note": "Honoraires de mars" })).await;
    let other = json!({
        "profession": "other", "authorisation": "arrêté du 1er décembre 2000",
        "mediator": { "name": "CM2C", "contact": "cm2c.net" },
    });
    stage.server.request(&stage.admin, "PATCH", "/admin/practice", Some(&other)).await.expect(200);
    let path = format!("/invoices/{}", draft["id"]);
    let refused = stage.juriste("POST", &format!("{path}/issue"), None).await.expect(400).json();
    assert_eq!(refused["details"][0]["field"], json!("note"));
    stage.juriste("PATCH", &path, Some(&json!({ "note": null }))).await.expect(200);
    stage.juriste("POST", &format!("{path}/issue"), None).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_address_gives_one_document_to_whoever_has_it() {
    let stage = Stage::open(&[]).await;
    let (one, other) = (stage.issue(&[fee(100)], &json!({})).await, stage.issue(&[fee(200)], &json!({})).await);
    let path = format!("/invoices/{}/document.pdf", one["id"]);
    let whole = stage.client("GET", &path, None).await.expect(200).body;
    http::get(stage.server.at, &path).send().await.expect(401);
    let link = stage.client("POST", &format!("/invoices/{}/link", one["id"]), None).await.expect(200).json();
    let url = link["url"].as_str().expect("an address");
    assert_eq!(http::get(stage.server.at, url).send().await.expect(200).body, whole);
    let elsewhere = url.replace(&path, &format!("/invoices/{}/document.pdf", other["id"]));
    assert_ne!(elsewhere, url);
    http::get(stage.server.at, &elsewhere).send().await.expect(401);
}
