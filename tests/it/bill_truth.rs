//! What a bill says can be read and is so: letters, numbers of registers, VAT by the place, money, slips.

use serde_json::{Value, json};

use crate::billing::{Stage, buyer};
use crate::support::http::Reply;

fn fee(rate: i64) -> Value {
    json!({ "description": "Assistance", "unitPriceCents": 10_000, "vatRateBp": rate })
}

/// The first field that a refusal names, and what it says of it.
fn fault(refused: &Reply) -> (String, String) {
    let detail = refused.json()["details"][0].clone();
    let text = |name: &str| detail[name].as_str().unwrap_or_default().to_owned();
    (text("field"), text("message"))
}

fn company(country: &str, siren: Option<&str>, vat_number: Option<&str>) -> Value {
    let address = json!({ "line1": "1 quai", "postcode": "97110", "city": "Port", "country": country });
    json!({ "kind": "company", "name": "Société", "address": address, "siren": siren, "vatNumber": vat_number })
}

impl Stage {
    async fn admin(&self, changes: &Value) -> Reply {
        self.server.request(&self.admin, "PATCH", "/admin/practice", Some(changes)).await
    }

    /// What becomes of a draft for this buyer at this rate.
    async fn bill(&self, buyer: &Value, rate: i64) -> Reply {
        let body = json!({ "conversationId": self.pair.conversation, "lines": [fee(rate)], "buyer": buyer });
        self.juriste("POST", "/invoices", Some(&body)).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_printed_is_refused_where_it_is_typed() {
    let stage = Stage::open(&[]).await;
    let practice = stage.server.request(&stage.admin, "GET", "/admin/practice", None).await.expect(200).json();
    for (field, changes) in [
        ("name", json!({ "name": "漢 Conseil" })),
        ("legalForm", json!({ "legalForm": "漢" })),
        ("rcs", json!({ "rcs": "漢" })),
        ("authorisation", json!({ "authorisation": "漢" })),
        ("address.city", json!({ "address": { "line1": "1", "postcode": "1", "city": "漢" } })),
        ("mediator.contact", json!({ "mediator": { "name": "CM2C", "contact": "漢" } })),
    ] {
        let (named, said) = fault(&stage.admin(&changes).await.expect(400));
        assert!(named == field && said.contains("漢 (U+6F22)"), "{named}: {said}");
    }
    let after = stage.server.request(&stage.admin, "GET", "/admin/practice", None).await.expect(200).json();
    assert_eq!(after, practice);
    let path = format!("/users/{}/billing", stage.pair.client.id);
    let refused = stage.client("PATCH", &path, Some(&json!({ "name": "محمد" }))).await.expect(400);
    assert_eq!(fault(&refused).0, "name");
    let draft = stage.draft(&[fee(2_000)], &json!({})).await;
    let path = format!("/invoices/{}", draft["id"]);
    let line = json!({ "description": "Dossier 😀", "unitPriceCents": 1, "vatRateBp": 2_000 });
    let mut named = buyer();
    named["address"]["line2"] = json!("漢");
    for (field, changes) in [
        ("lines[0].description", json!({ "lines": [line] })),
        ("note", json!({ "note": "Merci 👍" })),
        ("buyer.address.line2", json!({ "buyer": named })),
    ] {
        assert_eq!(fault(&stage.juriste("PATCH", &path, Some(&changes)).await.expect(400)).0, field);
    }
    // What shows nothing is no loss, and what the typeface has in another form is brought into that.
    let note = json!({ "note": "Cafe\u{301}, Москва, Αθήνα\u{2066}\u{7}" });
    let kept = stage.juriste("PATCH", &path, Some(&note)).await.expect(200).json();
    assert_eq!(kept["note"], json!("Café, Москва, Αθήνα"));
    let issued = stage.juriste("POST", &format!("{path}/issue"), None).await.expect(200).json();
    let credit = format!("/invoices/{}/credit", issued["id"]);
    let refused = stage.juriste("POST", &credit, Some(&json!({ "reason": "错误" }))).await.expect(400);
    assert_eq!(fault(&refused).0, "reason");
    // What no document has may be in any script.
    let paid = json!({ "method": "transfer", "amountCents": 100, "date": issued["issuedAt"], "reference": "محمد" });
    let paid = stage.juriste("POST", &format!("{path}/payments"), Some(&paid)).await.expect(201).json();
    let payment = format!("/payments/{}", paid["payments"][0]["id"]);
    stage.juriste("DELETE", &payment, Some(&json!({ "reason": "错误" }))).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_printed_and_was_stored_before_is_named_before_it_is_issued() {
    let stage = Stage::open(&[]).await;
    for (field, before) in [
        ("note", "UPDATE invoices SET draft = json_set(draft, '$.note', 'Merci 😀') WHERE number IS NULL"),
        (
            "lines[0].description",
            "UPDATE invoices SET draft = json_set(draft, '$.lines[0].description', '漢') WHERE number IS NULL",
        ),
        ("buyer.address.city", "UPDATE buyers SET data = json_set(data, '$.address.city', '漢')"),
        ("practice.name", "UPDATE practice SET data = json_set(data, '$.name', '漢')"),
    ] {
        let draft = stage.draft(&[fee(2_000)], &json!({})).await;
        stage.server.database().execute(before, []).expect("the row");
        let path = format!("/invoices/{}", draft["id"]);
        for (method, rest) in [("GET", "preview.pdf"), ("POST", "issue")] {
            let (named, said) = fault(&stage.juriste(method, &format!("{path}/{rest}"), None).await.expect(400));
            assert!(named == field && said.contains("U+"), "{method} {rest}: {named}: {said}");
        }
        // Once it is put right it is issued.
        stage.juriste("PATCH", &path, Some(&json!({ "note": null, "lines": [fee(2_000)] }))).await.expect(200);
        let of_client = format!("/users/{}/billing", stage.pair.client.id);
        stage.client("PATCH", &of_client, Some(&buyer())).await.expect(200);
        stage.admin(&crate::billing::practice()).await.expect(200);
        stage.juriste("POST", &format!("{path}/issue"), None).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vat_number_of_another_siren_is_refused() {
    let stage = Stage::open(&[]).await;
    for changes in [
        json!({ "vatNumber": "FR96552100554" }),
        json!({ "vatNumber": "FRXX552100554" }),
        json!({ "siren": "552100554", "siret": null }),
    ] {
        let (field, said) = fault(&stage.admin(&changes).await.expect(400));
        assert!(field == "vatNumber" && said.contains("SIREN"), "{field}: {said}");
    }
    let (siren, other) = (Some("552100554"), Some("FR44732829320"));
    let path = format!("/users/{}/billing", stage.pair.client.id);
    let refused = stage.client("PATCH", &path, Some(&company("FR", siren, other))).await.expect(400);
    assert_eq!(fault(&refused).0, "vatNumber");
    let refused = stage.bill(&company("FR", siren, other), 2_000).await.expect(400);
    assert_eq!(fault(&refused).0, "buyer.vatNumber");
    for number in [Some("FR96552100554"), Some("FR34000123456"), Some("DE136695976"), None] {
        stage.bill(&company("FR", siren, number), 2_000).await.expect(201);
    }
    // One that was stored before is named when the bill is issued.
    let draft = stage.bill(&company("FR", siren, Some("FR96552100554")), 2_000).await.expect(201).json();
    let before = "UPDATE invoices SET draft = json_set(draft, '$.buyer.vatNumber', 'FR44732829320') WHERE id = ?1";
    assert_eq!(stage.server.database().execute(before, [draft["id"].as_i64()]).expect("the row"), 1);
    let refused = stage.juriste("POST", &format!("/invoices/{}/issue", draft["id"]), None).await.expect(400);
    assert_eq!(fault(&refused).0, "buyer.vatNumber");
}

#[tokio::test(flavor = "multi_thread")]
async fn vat_is_that_of_the_part_of_france_where_a_business_is() {
    let stage = Stage::open(&[]).await;
    let siren = Some("552100554");
    for (country, rate, category) in [
        ("MC", 2_000, "standard"),
        ("GP", 850, "standard"),
        ("MQ", 210, "standard"),
        ("RE", 850, "standard"),
        ("GF", 0, "withoutVat"),
        ("YT", 0, "withoutVat"),
        ("NC", 0, "outsideScope"),
        ("PF", 0, "outsideScope"),
    ] {
        let made = stage.bill(&company(country, siren, None), rate).await.expect(201).json();
        assert_eq!(made["vat"][0]["category"], json!(category), "{country}");
        let issued = stage.juriste("POST", &format!("/invoices/{}/issue", made["id"]), None).await.expect(200).json();
        let path = format!("/invoices/{}/factur-x.xml", issued["id"]);
        let xml = stage.juriste("GET", &path, None).await.expect(200).text();
        let (none, outside) = ("art. 294, 1 du CGI", "art. 259-1 du CGI");
        assert_eq!((xml.contains(none), xml.contains(outside)), (category == "withoutVat", category == "outsideScope"));
        assert!(!xml.contains("Autoliquidation"), "{country}");
    }
    for (country, rate) in [("MC", 0), ("MC", 850), ("GP", 0), ("RE", 2_000), ("GF", 850), ("FR", 850), ("NC", 2_000)] {
        let refused = stage.bill(&company(country, siren, None), rate).await.expect(400);
        assert_eq!(fault(&refused).0, "lines[0].vatRateBp", "{country} at {rate}");
    }
    let draft = stage.bill(&company("GP", None, None), 850).await.expect(201).json();
    let refused = stage.juriste("POST", &format!("/invoices/{}/issue", draft["id"]), None).await.expect(400);
    assert_eq!(fault(&refused).0, "buyer.siren", "a business in Guadeloupe has one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_whose_money_went_back_is_not_taken_out_of_the_books() {
    let stage = Stage::open(&[]).await;
    let invoice = stage.issue(&[fee(2_000)], &json!({})).await;
    let paid = stage.pay(&invoice, "transfer", 12_000).await.expect(201).json();
    let credit = json!({ "reason": "geste commercial" });
    stage.juriste("POST", &format!("/invoices/{}/credit", invoice["id"]), Some(&credit)).await.expect(201);
    let back = stage.pay(&invoice, "transfer", -12_000).await.expect(201).json();
    assert_eq!((&back["paidCents"], &back["payment"]), (&json!(0), &json!("refunded")));
    let payment = |place: usize| format!("/payments/{}", back["payments"][place]["id"]);
    let reason = json!({ "reason": "saisie par erreur" });
    let refused = stage.juriste("DELETE", &payment(0), Some(&reason)).await.expect(409).json();
    assert!(refused["message"].as_str().is_some_and(|said| said.contains("rendu")), "{refused}");
    let now = stage.juriste("GET", &format!("/invoices/{}", invoice["id"]), None).await.expect(200).json();
    assert_eq!((&now["paidCents"], now["payments"].as_array().map(Vec::len)), (&json!(0), Some(2)));
    // Once the refund is taken back, so may be the payment.
    stage.juriste("DELETE", &payment(1), Some(&reason)).await.expect(200);
    let over = stage.juriste("DELETE", &payment(0), Some(&reason)).await.expect(200).json();
    assert_eq!((&over["paidCents"], &paid["paidCents"]), (&json!(0), &json!(12_000)));
    stage.juriste("DELETE", &payment(0), Some(&reason)).await.expect(409);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_that_is_corrected_leaves_the_one_before_it() {
    let stage = Stage::open(&[]).await;
    let invoice = stage.issue(&[fee(2_000)], &json!({})).await;
    let path = format!("/invoices/{}/transmitted", invoice["id"]);
    let slip = |reference: &str| json!({ "platform": "PA", "reference": reference, "date": invoice["issuedAt"] });
    let note = async |reference: &str| {
        stage.juriste("POST", &path, Some(&slip(reference))).await.expect(200).json()["transmitted"].clone()
    };
    assert_eq!(note("1").await, slip("1"));
    assert_eq!(note("1").await, slip("1"), "twice the same is once");
    let with = |reference: &str, earlier: &[&str]| {
        let mut with = slip(reference);
        with["earlier"] = earlier.iter().map(|reference| slip(reference)).collect();
        with
    };
    assert_eq!(note("2").await, with("2", &["1"]));
    assert_eq!(note("3").await, with("3", &["1", "2"]));
    assert_eq!(note("3").await, with("3", &["1", "2"]));
    for reference in 4..=21 {
        note(&reference.to_string()).await;
    }
    stage.juriste("POST", &path, Some(&slip("22"))).await.expect(409);
    let shown = stage.client("GET", &format!("/invoices/{}", invoice["id"]), None).await.expect(200).json();
    assert_eq!(shown["transmitted"]["reference"], json!("21"));
    assert_eq!(shown["transmitted"]["earlier"].as_array().map(Vec::len), Some(20));
}
