//! What a bill says can be read and is so: letters, numbers of registers, VAT by the place, money, slips.

use serde_json::{Value, json};

use crate::billing::Stage;
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
    /// What becomes of a draft for this buyer at this rate.
    async fn bill(&self, buyer: &Value, rate: i64) -> Reply {
        let body = json!({ "conversationId": self.pair.conversation, "lines": [fee(rate)], "buyer": buyer });
        self.juriste("POST", "/invoices", Some(&body)).await
    }
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
