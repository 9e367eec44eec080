//! What may be typed on a bill and about the practice: each limit from both sides, each mention by its name, each refusal.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::billing::{Stage, buyer, practice};
use crate::support::http::Reply;
use crate::support::people;

fn fee(cents: i64) -> Value {
    json!({ "description": "Assistance", "unitPriceCents": cents, "vatRateBp": 2_000 })
}

/// The first field that a refusal names.
fn field(refused: &Reply) -> String {
    refused.json()["details"][0]["field"].as_str().unwrap_or_default().to_owned()
}

impl Stage {
    async fn office(&self, changes: &Value) -> Reply {
        self.server.request(&self.admin, "PATCH", "/admin/practice", Some(changes)).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_is_taken_up_to_each_limit_and_not_beyond() {
    const MOST: i64 = 1_000_000_000;
    let stage = Stage::open(&[]).await;
    let free = |name: &str, value: Value| {
        // Nothing but the field itself is at its limit.
        let mut line = json!({ "description": "Pièce", "quantity": 1, "unitPriceCents": 1, "vatRateBp": 2_000 });
        line[name] = value;
        line
    };
    for (name, value, is_taken) in [
        ("description", json!("é".repeat(500)), true),
        ("description", json!("é".repeat(501)), false),
        ("description", json!("\u{200b} "), false),
        ("quantity", json!(1), true),
        ("quantity", json!(0), false),
        ("quantity", json!(-1), false),
        ("quantity", json!(MOST), true),
        ("quantity", json!(MOST + 1), false),
        ("unitPriceCents", json!(0), true),
        ("unitPriceCents", json!(MOST), true),
        ("unitPriceCents", json!(MOST + 1), false),
        ("discountCents", json!(-1), false),
        ("vatRateBp", json!(0), false),
        ("kind", json!("expense"), true),
        ("kind", json!("gift"), false),
        ("kind", json!(null), true),
    ] {
        let body = json!({ "conversationId": stage.pair.conversation, "lines": [free(name, value.clone())] });
        let answer = stage.juriste("POST", "/invoices", Some(&body)).await;
        assert_eq!(answer.status == 201, is_taken, "{name} {value}: {}", answer.text());
        if !is_taken {
            assert_eq!(field(&answer), format!("lines[0].{name}"), "{value}");
        }
    }
    for (cents, is_taken) in [(99_999_999, true), (100_000_000, false)] {
        let line = json!({ "description": "Débours", "unitPriceCents": cents, "vatRateBp": 0, "kind": "disbursement" });
        let body = json!({ "conversationId": stage.pair.conversation, "lines": [line] });
        let answer = stage.juriste("POST", "/invoices", Some(&body)).await;
        assert_eq!(answer.status == 201, is_taken, "{cents}: {}", answer.text());
        if !is_taken {
            assert_eq!(field(&answer), "lines");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_practice_takes_no_field_that_is_wrong() {
    let stage = Stage::open(&[]).await;
    let before = stage.server.request(&stage.admin, "GET", "/admin/practice", None).await.expect(200).json();
    for (named, changes) in [
        ("name", json!({ "name": " " })),
        ("name", json!({ "name": "é".repeat(201) })),
        ("legalForm", json!({ "legalForm": 1 })),
        ("siren", json!({ "siren": "732829321" })),
        ("siret", json!({ "siret": "73282932000075" })),
        ("siret", json!({ "siret": "55210055400013" })),
        ("vatNumber", json!({ "vatNumber": "FR00732829320" })),
        ("iban", json!({ "iban": "FR7630006000011234567890188" })),
        ("bic", json!({ "bic": "AGRI" })),
        ("conventionDate", json!({ "conventionDate": "2026-02-30" })),
        ("eInvoicingFrom", json!({ "eInvoicingFrom": "1er septembre" })),
        ("vatRegime", json!({ "vatRegime": "none" })),
        ("profession", json!({ "profession": "notary" })),
        ("shareCapitalCents", json!({ "shareCapitalCents": -1 })),
        ("paymentTermDays", json!({ "paymentTermDays": 366 })),
        ("penaltyRateBp", json!({ "penaltyRateBp": 10_001 })),
        ("address.line1", json!({ "address": { "postcode": "69002", "city": "Lyon" } })),
        ("address.country", json!({ "address": { "line1": "1", "postcode": "1", "city": "L", "country": "fr" } })),
        ("mediator.contact", json!({ "mediator": { "name": "CM2C" } })),
        ("logo.data", json!({ "logo": { "data": "%" } })),
        ("logo.data", json!({ "logo": { "data": STANDARD.encode(b"GIF89a") } })),
        ("logo.data", json!({ "logo": { "data": STANDARD.encode(b"\x89PNG\r\n\x1a\nno more") } })),
        ("logo.data", json!({ "logo": { "data": STANDARD.encode(png(200, 200, |place| place.wrapping_mul(97))) } })),
        ("logo.data", json!({ "logo": { "data": STANDARD.encode(vec![0xff; (256 << 10) + 1]) } })),
    ] {
        let refused = stage.office(&changes).await.expect(400);
        assert_eq!(field(&refused), named, "{}", refused.text());
    }
    let after = stage.server.request(&stage.admin, "GET", "/admin/practice", None).await.expect(200).json();
    assert_eq!(after, before);
}

/// A picture of noise or of one colour.
fn png(width: u32, height: u32, of: impl Fn(u32) -> u32) -> Vec<u8> {
    let mut data = Vec::new();
    let mut encoder = png::Encoder::new(&mut data, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().expect("a head");
    let mut noise = 1_u32;
    let pixels = (0..width * height * 3).map(|place| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223).wrapping_add(of(place));
        if of(1) == 0 { 40 } else { (noise >> 24) as u8 }
    });
    writer.write_image_data(&pixels.collect::<Vec<u8>>()).expect("pixels");
    writer.finish().expect("an end");
    data
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logo_that_would_make_every_document_large_is_refused_with_the_limit() {
    let stage = Stage::open(&[]).await;
    let logo = |data: Vec<u8>| json!({ "logo": { "data": STANDARD.encode(data) } });
    let noise = png(200, 200, |place| place.wrapping_mul(97));
    assert!((100_000..256 << 10).contains(&noise.len()), "{}", noise.len());
    let refused = stage.office(&logo(noise)).await.expect(400).json();
    assert!(refused["details"][0]["message"].to_string().contains("96"), "{refused}");
    stage.office(&logo(png(600, 180, |_| 0))).await.expect(200);
    let with = stage.issue(&[fee(100)], &json!({})).await;
    stage.office(&json!({ "logo": null })).await.expect(200);
    let without = stage.issue(&[fee(100)], &json!({})).await;
    let mut pictures = Vec::new();
    for invoice in [&with, &without] {
        let pdf = stage.client("GET", &format!("/invoices/{}/document.pdf", invoice["id"]), None).await.expect(200);
        assert!(pdf.body.len() <= 200_000, "{}", pdf.body.len());
        pictures.push(pdf.body.windows(14).filter(|at| at == b"/Subtype/Image" || at == b"Subtype /Image").count());
    }
    assert!(pictures[0] > pictures[1], "the logo is drawn while there is one: {pictures:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mention_that_is_missing_alone_is_named() {
    let stage = Stage::open(&[]).await;
    let draft = stage.draft(&[fee(100)], &json!({})).await;
    let issue = format!("/invoices/{}/issue", draft["id"]);
    for name in [
        "name",
        "profession",
        "legalForm",
        "address",
        "siren",
        "vatRegime",
        "paymentTermDays",
        "penaltyRateBp",
        "vatNumber",
        "rcs",
        "conventionDate",
        "mediator",
    ] {
        // A SIRET without its SIREN would be refused itself.
        let mut without = json!({ "siret": null });
        without[name] = Value::Null;
        stage.office(&without).await.expect(200);
        let refused = stage.juriste("POST", &issue, None).await.expect(400).json();
        let named: Vec<&Value> =
            refused["details"].as_array().expect("details").iter().map(|it| &it["field"]).collect();
        assert_eq!(named, [&json!(format!("practice.{name}"))], "{refused}");
        stage.office(&practice()).await.expect(200);
    }
    // What does not concern a practice, or a buyer, is not wanted of it.
    let small = json!({ "shareCapitalCents": null, "rcs": null, "vatRegime": "franchise", "vatNumber": null });
    stage.office(&small).await.expect(200);
    let free = json!({ "lines": [{ "description": "Assistance", "unitPriceCents": 100, "vatRateBp": 0 }] });
    let path = format!("/invoices/{}", draft["id"]);
    stage.juriste("PATCH", &path, Some(&free)).await.expect(200);
    let nobody = json!({ "buyer": { "kind": "company", "name": "SCI", "address": buyer()["address"] } });
    stage.juriste("PATCH", &path, Some(&nobody)).await.expect(200);
    let refused = stage.juriste("POST", &issue, None).await.expect(400);
    assert_eq!(field(&refused), "buyer.siren");
    stage.juriste("PATCH", &path, Some(&json!({ "buyer": null }))).await.expect(200);
    stage.juriste("POST", &issue, None).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_to_a_client_of_whom_nothing_is_known_is_not_issued() {
    let stage = Stage::open(&[]).await;
    let forget = "DELETE FROM buyers";
    assert_eq!(stage.server.database().execute(forget, []).expect("a table"), 1);
    let draft = stage.draft(&[fee(100)], &json!({})).await;
    let refused = stage.juriste("POST", &format!("/invoices/{}/issue", draft["id"]), None).await.expect(400);
    assert_eq!(field(&refused), "buyer");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_deposit_that_is_paid_and_theirs_is_deducted() {
    let stage = Stage::open(&[]).await;
    let deposit = json!({ "type": "deposit" });
    let unpaid = stage.issue(&[fee(1_000)], &deposit).await;
    let ordinary = stage.issue(&[fee(1_000)], &json!({})).await;
    stage.pay(&ordinary, "transfer", 1_200).await.expect(201);
    let credited = stage.issue(&[fee(1_000)], &deposit).await;
    stage.pay(&credited, "transfer", 1_200).await.expect(201);
    let part = json!({ "reason": "geste", "lines": [{ "lineId": 1, "netCents": 1 }] });
    stage.juriste("POST", &format!("/invoices/{}/credit", credited["id"]), Some(&part)).await.expect(201);
    let of_other = json!({ "type": "deposit", "buyer": {
        "kind": "person", "name": "Dominique Moreau", "address": buyer()["address"],
    } });
    let of_other = stage.issue(&[fee(1_000)], &of_other).await;
    stage.pay(&of_other, "transfer", 1_200).await.expect(201);
    let paid = stage.issue(&[fee(1_000)], &deposit).await;
    stage.pay(&paid, "transfer", 1_200).await.expect(201);
    let elsewhere = elsewhere(&stage).await;
    let ask = async |lines: &[Value], more: Value| {
        let mut body = json!({ "conversationId": stage.pair.conversation, "lines": lines });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        stage.juriste("POST", "/invoices", Some(&body)).await
    };
    for (why, id) in [
        ("it is not paid", &unpaid["id"]),
        ("it is no deposit", &ordinary["id"]),
        ("it is credited in part", &credited["id"]),
        ("it is another buyer's", &of_other["id"]),
        ("it belongs to another conversation", &elsewhere),
        ("it is not there", &json!(999_999)),
    ] {
        let refused = ask(&[fee(5_000)], json!({ "depositIds": [id] })).await;
        assert_eq!((refused.status, field(&refused)), (409, "depositIds[0]".to_owned()), "{why}: {}", refused.text());
    }
    let larger = ask(&[fee(999)], json!({ "depositIds": [paid["id"]] })).await.expect(409);
    assert_eq!(field(&larger), "depositIds");
    let twice = ask(&[fee(5_000)], json!({ "depositIds": [paid["id"], paid["id"]] })).await.expect(400);
    assert_eq!(field(&twice), "depositIds[1]");
    let nested = ask(&[fee(5_000)], json!({ "type": "deposit", "depositIds": [paid["id"]] })).await.expect(400);
    assert_eq!(field(&nested), "depositIds");
    ask(&[fee(1_000)], json!({ "depositIds": [paid["id"]] })).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_blank_or_lies_in_the_future_is_not_noted_and_null_takes_deposits_away() {
    let stage = Stage::open(&[]).await;
    let deposit = stage.issue(&[fee(1_000)], &json!({ "type": "deposit" })).await;
    let paid = stage.pay(&deposit, "transfer", 1_200).await.expect(201).json();
    let draft = stage.draft(&[fee(5_000)], &json!({ "depositIds": [deposit["id"]] })).await;
    let path = format!("/invoices/{}", draft["id"]);
    for blank in ["   ", "\u{200b}"] {
        let refused = stage.juriste("PATCH", &path, Some(&json!({ "note": blank }))).await.expect(400);
        assert_eq!(field(&refused), "note");
        let payment = format!("/payments/{}", paid["payments"][0]["id"]);
        let refused = stage.juriste("DELETE", &payment, Some(&json!({ "reason": blank }))).await.expect(400);
        assert_eq!(field(&refused), "reason");
    }
    let kept = stage.juriste("GET", &path, None).await.expect(200).json();
    assert_eq!(kept["draft"]["depositIds"], json!([deposit["id"]]));
    let changed = stage.juriste("PATCH", &path, Some(&json!({ "depositIds": null }))).await.expect(200).json();
    assert_eq!(changed["draft"]["depositIds"], json!([]));
    let sent = format!("/invoices/{}/transmitted", deposit["id"]);
    for (platform, reference, date, wrong) in [
        ("  ", "1", "2026-01-31", "platform"),
        ("PA", "\u{200b}", "2026-01-31", "reference"),
        ("PA", "1", "2999-01-01", "date"),
    ] {
        let body = json!({ "platform": platform, "reference": reference, "date": date });
        let refused = stage.juriste("POST", &sent, Some(&body)).await.expect(400);
        assert_eq!(field(&refused), wrong);
    }
    let nowhere = json!({ "buyer": { "kind": "company", "name": "X", "vatNumber": "DE123456789",
        "address": { "line1": "1", "postcode": "1", "city": "L", "country": "UK" } } });
    let refused = stage.juriste("PATCH", &path, Some(&nowhere)).await.expect(400);
    assert_eq!(field(&refused), "buyer.address.country");
}

/// The id of a paid deposit in a conversation with another client.
async fn elsewhere(stage: &Stage) -> Value {
    let other = stage.server.sign_in("client2").await;
    let there = people::conversation(stage.server.at, &other, &stage.pair.jurist).await;
    let of_other = format!("/users/{}/billing", other.id);
    stage.server.request(&other, "PATCH", &of_other, Some(&buyer())).await.expect(200);
    let body = json!({ "conversationId": there, "lines": [fee(1_000)], "type": "deposit" });
    let draft = stage.juriste("POST", "/invoices", Some(&body)).await.expect(201).json();
    let issued = stage.juriste("POST", &format!("/invoices/{}/issue", draft["id"]), None).await.expect(200).json();
    stage.pay(&issued, "transfer", 1_200).await.expect(201);
    issued["id"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_issued_has_no_document_no_money_and_no_credit_note() {
    let stage = Stage::open(&[]).await;
    let draft = stage.draft(&[fee(1_000)], &json!({})).await;
    let paid = json!({ "method": "transfer", "amountCents": 1, "date": "2026-01-31" });
    let went = json!({ "platform": "PA", "reference": "1", "date": "2026-01-31" });
    for (method, rest, body) in [
        ("GET", "document.pdf", None),
        ("GET", "factur-x.xml", None),
        ("GET", "transfer", None),
        ("POST", "link", None),
        ("POST", "payments", Some(&paid)),
        ("POST", "remind", None),
        ("POST", "credit", Some(&json!({ "reason": "erreur" }))),
        ("POST", "refund", Some(&json!({ "amountCents": 1 }))),
        ("POST", "transmitted", Some(&went)),
    ] {
        let answer = stage.juriste(method, &format!("/invoices/{}/{rest}", draft["id"]), body).await;
        assert_eq!((answer.status, &answer.json()["code"]), (409, &json!("CONFLICT")), "{method} {rest}");
    }
    let path = format!("/invoices/{}", draft["id"]);
    stage.juriste("DELETE", &path, None).await.expect(204);
    stage.juriste("GET", &path, None).await.expect(404);
    let left = stage.juriste("GET", "/invoices", None).await.expect(200).json();
    assert_eq!(left["invoices"].as_array().map(Vec::len), Some(0), "{left}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_all_that_it_needs_ends_the_start_with_a_code_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("UTF-8").to_owned()
    };
    let (db, key, secret) = (path("lexchat.db", ""), path("key", "sk_live_abc"), path("secret", "whsec_first"));
    std::fs::remove_file(&db).expect("a file");
    let address = ["--public-url", "https://chat.example"];
    let heard = ["--stripe-webhook-secret-file", &secret];
    for (listen, more, missing) in [("127.0.0.1:0", &address[..], heard[0]), ("0.0.0.0:0", &heard, address[0])] {
        let words =
            ["serve", "--no-demo", "--insecure-http", "--listen", listen, "--db", &db, "--stripe-key-file", &key];
        let (code, said) = crate::setup::typed(&[&words, more].concat()).await;
        assert!(code == Some(3) && said.contains(missing), "{missing}: {code:?} {said}");
    }
}
