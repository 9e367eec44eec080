//! Payments by Stripe, against a fake that keeps Stripe's rules: money is never counted twice, whatever fails where.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::billing::Stage;
use crate::harness::stripe::{Fault, SECRET, Stripe};
use crate::setup::until;
use crate::support::PATIENCE;
use crate::support::http::{self, Reply};

/// A stage whose invoices can be paid at the fake.
pub struct Till {
    pub stage: Stage,
    pub stripe: Stripe,
    arguments: Vec<String>,
    _secrets: TempDir,
}

fn arguments(stripe: &Stripe, folder: &Path, key: &str) -> Vec<String> {
    let path = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, format!("{text}\n")).expect("a file");
        path.to_str().expect("a UTF-8 path").to_owned()
    };
    let mut arguments: Vec<String> = Vec::new();
    for (flag, value) in [
        ("--message-rate", "0".to_owned()),
        ("--stripe-key-file", path("key", key)),
        ("--stripe-webhook-secret-file", path("old", "whsec_before")),
        ("--stripe-webhook-secret-file", path("new", SECRET)),
        ("--stripe-api", format!("http://{}", stripe.at)),
    ] {
        arguments.extend([flag.to_owned(), value]);
    }
    arguments
}

impl Till {
    pub async fn open() -> Till {
        Till::open_with("sk_live_abc").await
    }

    pub async fn open_with(key: &str) -> Till {
        let (stripe, secrets) = (Stripe::start().await, tempfile::tempdir().expect("a folder"));
        let arguments = arguments(&stripe, secrets.path(), key);
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let stage = Stage::open(&words).await;
        // What happened before it is asked for at the start: what a test has happen comes behind that.
        let deadline = Instant::now() + PATIENCE;
        while stripe.account().calls.is_empty() {
            assert!(Instant::now() < deadline, "nobody asks for events");
            sleep(Duration::from_millis(10)).await;
        }
        Till { stage, stripe, arguments, _secrets: secrets }
    }

    /// Another server goes on with the same database, as after a crash.
    pub async fn restart(self) -> Till {
        let Till { stage, stripe, arguments, _secrets } = self;
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let Stage { server, pair, admin } = stage;
        let server = server.restart(&words).await;
        Till { stage: Stage { server, pair, admin }, stripe, arguments, _secrets }
    }

    /// An invoice of 120 €.
    pub async fn invoice(&self) -> Value {
        let line = json!({ "description": "Consultation", "unitPriceCents": 10_000, "vatRateBp": 2_000 });
        self.stage.issue(&[line], &json!({})).await
    }

    pub async fn checkout(&self, invoice: &Value) -> Reply {
        self.stage.client("POST", &format!("/invoices/{}/checkout", invoice["id"]), None).await
    }

    /// The id of the page that a client is sent to.
    pub async fn page(&self, invoice: &Value) -> String {
        let url = self.checkout(invoice).await.expect(200).json()["url"].clone();
        url.as_str().expect("an address").rsplit('/').next().expect("an id").to_owned()
    }

    pub async fn tell(&self, event: &Value) {
        self.stripe.tell(self.stage.server.at, event).await.expect(200);
    }

    pub async fn now(&self, invoice: &Value) -> Value {
        self.stage.juriste("GET", &format!("/invoices/{}", invoice["id"]), None).await.expect(200).json()
    }

    /// The invoice once this holds of it.
    pub async fn until(&self, invoice: &Value, what: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen = self.now(invoice).await;
            if what(&seen) {
                return seen;
            }
            assert!(Instant::now() < deadline, "it stays {seen}");
            sleep(Duration::from_millis(30)).await;
        }
    }

    /// Whatever waits at Stripe is due now.
    pub fn hurry(&self) {
        let hurry = "UPDATE checkout_sessions SET due_at = 0; UPDATE refunds SET due_at = 0;
                     UPDATE stripe_events SET due_at = 0;";
        self.stage.server.database().execute_batch(hurry).expect("three statements");
    }

    pub async fn metrics(&self) -> String {
        http::get(self.stage.server.at, "/metrics").send().await.expect(200).text().to_owned()
    }

    /// Events that were told have all come to something.
    pub async fn heard_out(&self) {
        let deadline = Instant::now() + PATIENCE;
        let waiting = "SELECT count(*) FROM stripe_events WHERE outcome = 'waiting'";
        while self.stage.server.database().query_row(waiting, [], |row| row.get::<_, i64>(0)).expect("a count") > 0 {
            assert!(Instant::now() < deadline, "events wait");
            sleep(Duration::from_millis(30)).await;
        }
    }

    /// A paid invoice, and the id of its payment.
    pub async fn paid(&self) -> (Value, String) {
        let invoice = self.invoice().await;
        let page = self.page(&invoice).await;
        self.tell(&self.stripe.pay(&page, true)).await;
        self.until(&invoice, |it| it["payment"] == "paid").await;
        // What is noted as done after its effect would be looked at again after a restart.
        let waiting = "SELECT count(*) FROM stripe_events WHERE outcome = 'waiting'";
        let database = self.stage.server.database();
        until("all that was told is done", || database.query_row(waiting, [], |row| row.get(0)) == Ok(0)).await;
        let payment = self.stripe.account().sessions[&page]["payment_intent"].as_str().expect("an id").to_owned();
        (invoice, payment)
    }
}

pub fn is(state: &'static str) -> impl Fn(&Value) -> bool {
    move |invoice| invoice["payment"] == state
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_booked_once_however_often_and_in_whatever_order_it_is_told() {
    let till = Till::open().await;
    let invoice = till.invoice().await;
    assert_eq!(invoice["canPayOnline"], json!(true));
    let page = till.page(&invoice).await;
    assert_eq!(till.page(&invoice).await, page, "one page while it is open and right");
    let event = till.stripe.pay(&page, true);
    for _ in 0..3 {
        till.tell(&event).await;
    }
    let late = json!({
        "id": "evt_late", "object": "event", "type": "checkout.session.expired", "livemode": true, "created": 1,
        "data": event["data"],
    });
    till.tell(&late).await;
    till.until(&invoice, is("paid")).await;
    till.heard_out().await;
    let paid = till.now(&invoice).await;
    assert_eq!((&paid["paidCents"], paid["payments"].as_array().map(Vec::len)), (&json!(12_000), Some(1)));
    assert_eq!(paid["payments"][0]["method"], json!("card"));
    assert_eq!(till.stripe.account().sessions.len(), 1);
    till.checkout(&invoice).await.expect(409);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_whose_webhook_is_lost_is_asked_for() {
    let till = Till::open().await;
    let invoice = till.invoice().await;
    let page = till.page(&invoice).await;
    till.stripe.pay(&page, true);
    till.hurry();
    till.until(&invoice, is("paid")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_fails_at_any_point_leads_to_one_page_and_one_charge() {
    for fault in [Fault::Before, Fault::After, Fault::Broken, Fault::Busy] {
        let mut till = Till::open().await;
        let invoice = till.invoice().await;
        till.stripe.fail(&[fault, fault]);
        let path = format!("/invoices/{}/checkout", invoice["id"]);
        let (asked, restarted) = (till.stage.client("POST", &path, None), async {
            sleep(Duration::from_millis(300)).await;
        });
        let (first, ()) = tokio::join!(asked, restarted);
        till = till.restart().await;
        let page = till.page(&invoice).await;
        assert_eq!(first.status, 200, "{fault:?}: {}", first.text());
        assert_eq!(till.stripe.account().sessions.len(), 1, "{fault:?}");
        till.stripe.pay(&page, true);
        till = till.restart().await;
        till.hurry();
        let paid = till.until(&invoice, is("paid")).await;
        assert_eq!(paid["payments"].as_array().map(Vec::len), Some(1), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_stripe_does_not_answer_it_is_said_and_then_there_is_one_page() {
    let till = Till::open().await;
    let invoice = till.invoice().await;
    till.stripe.fail(&[Fault::Broken; 1_000]);
    let refused = till.checkout(&invoice).await.expect(503);
    assert_eq!(refused.json()["code"], "UNAVAILABLE", "{}", refused.text());
    let shown = till.now(&invoice).await;
    assert_eq!((&shown["payment"], &shown["paidCents"]), (&json!("open"), &json!(0)));
    till.stripe.fail(&[]);
    till.hurry();
    till.page(&invoice).await;
    assert_eq!(till.stripe.account().sessions.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_fails_at_any_point_goes_back_once() {
    for fault in [Fault::Before, Fault::After, Fault::Broken, Fault::Busy] {
        let mut till = Till::open().await;
        let (invoice, payment) = till.paid().await;
        till.stripe.fail(&[fault, fault]);
        let credit = json!({ "reason": "annulation", "refundCents": 12_000 });
        till.stage.juriste("POST", &format!("/invoices/{}/credit", invoice["id"]), Some(&credit)).await.expect(201);
        till = till.restart().await;
        till.hurry();
        let back = till.until(&invoice, is("refunded")).await;
        assert_eq!((&back["paidCents"], &back["refunds"][0]["state"]), (&json!(0), &json!("succeeded")), "{fault:?}");
        let refunds: Vec<Value> = till.stripe.account().refunds.values().cloned().collect();
        assert_eq!(refunds.len(), 1, "{fault:?}: {refunds:?}");
        let told = till.stripe.account().events.clone();
        for event in told.iter().rev() {
            till.tell(event).await;
        }
        till.heard_out().await;
        let after = till.now(&invoice).await;
        assert_eq!((&after["paidCents"], after["payments"].as_array().map(Vec::len)), (&json!(0), Some(2)));
        let again = json!({ "amountCents": 1 });
        till.stage.juriste("POST", &format!("/invoices/{}/refund", invoice["id"]), Some(&again)).await.expect(409);
        assert!(!payment.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_all_the_same_is_booked_shown_as_too_much_and_given_back() {
    let till = Till::open().await;
    let invoice = till.invoice().await;
    let page = till.page(&invoice).await;
    // The client pays at the very moment at which the jurist notes a transfer.
    till.stripe.pay(&page, true);
    till.stage.pay(&invoice, "transfer", 12_000).await.expect(201);
    let over = till.until(&invoice, is("overpaid")).await;
    assert_eq!(over["toRefundCents"], json!(12_000));
    let more = json!({ "amountCents": 12_001 });
    let path = format!("/invoices/{}/refund", invoice["id"]);
    till.stage.juriste("POST", &path, Some(&more)).await.expect(409);
    till.stage.juriste("POST", &path, Some(&json!({ "amountCents": 12_000 }))).await.expect(200);
    let paid = till.until(&invoice, is("paid")).await;
    assert_eq!((&paid["paidCents"], &paid["toRefundCents"]), (&json!(12_000), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_over_another_amount_is_expired_before_a_new_one_is_made() {
    let till = Till::open().await;
    let invoice = till.invoice().await;
    let first = till.page(&invoice).await;
    till.stage.pay(&invoice, "cheque", 2_000).await.expect(201);
    let second = till.page(&invoice).await;
    let account = till.stripe.account();
    assert_eq!(
        (&account.sessions[&first]["status"], &account.sessions[&second]["status"]),
        (&json!("expired"), &json!("open"))
    );
    assert_eq!(account.sessions[&second]["amount_total"], json!(10_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_debit_is_under_way_until_the_money_is_there() {
    let till = Till::open().await;
    for arrives in [true, false] {
        let invoice = till.invoice().await;
        let page = till.page(&invoice).await;
        till.tell(&till.stripe.pay(&page, false)).await;
        till.until(&invoice, is("in_process")).await;
        till.checkout(&invoice).await.expect(409);
        till.tell(&till.stripe.settle(&page, arrives)).await;
        let after = till.until(&invoice, |it| it["payment"] != "in_process").await;
        let (state, method) = if arrives { ("paid", json!("sepa_debit")) } else { ("open", Value::Null) };
        assert_eq!((&after["payment"], &after["payments"][0]["method"]), (&json!(state), &method));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_key_for_tests_whatever_is_issued_is_a_specimen_and_can_be_paid() {
    let till = Till::open_with("sk_test_abc").await;
    let invoice = till.invoice().await;
    assert!(invoice["number"].as_str().is_some_and(|number| number.starts_with("DEMO-")), "{invoice}");
    for flag in ["isSpecimen", "testMode", "canPayOnline"] {
        assert_eq!(invoice[flag], json!(true), "{flag}");
    }
    let Stage { server, admin, .. } = &till.stage;
    let known = server.request(admin, "GET", "/admin/practice", None).await.expect(200).json();
    assert_eq!((&known["latestNumbers"]["invoice"], &known["onlinePayment"]), (&Value::Null, &json!("test")));
    let day = invoice["issuedAt"].as_str().expect("a day");
    let export = format!("/admin/invoices/export?from={day}&to={day}");
    let export = server.request(admin, "GET", &export, None).await.expect(200).text();
    assert_eq!(export.lines().count(), 1, "the head alone: {export}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_little_for_stripe_is_not_paid_there_and_nothing_is_paid_already() {
    let till = Till::open().await;
    // Without VAT 42 cents, with it 50.
    for (cents, payment, status) in [(41, "open", 409), (0, "paid", 409), (42, "open", 200)] {
        assert!(till.stripe.account().sessions.is_empty());
        let line = json!({ "description": "Consultation", "unitPriceCents": cents, "vatRateBp": 2_000 });
        let invoice = till.stage.issue(&[line], &json!({})).await;
        assert_eq!(
            (&invoice["payment"], &invoice["canPayOnline"]),
            (&json!(payment), &json!(status == 200)),
            "{cents}"
        );
        till.checkout(&invoice).await.expect(status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_is_shown_and_paid_according_to_the_key_of_now() {
    for (first, second) in [("sk_live_abc", "sk_test_abc"), ("sk_test_abc", "sk_live_abc")] {
        let till = Till::open_with(first).await;
        let invoice = till.invoice().await;
        let key = till.arguments.iter().position(|flag| flag == "--stripe-key-file").expect("a flag") + 1;
        std::fs::write(&till.arguments[key], second).expect("a file");
        let till = till.restart().await;
        let now = till.now(&invoice).await;
        assert_eq!(
            (&now["testMode"], &now["canPayOnline"]),
            (&json!(second == "sk_test_abc"), &json!(false)),
            "{second}"
        );
        till.checkout(&invoice).await.expect(409);
        assert!(till.stripe.account().sessions.is_empty(), "nothing is booked on a number of the series");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stripe_told_is_taken_back_by_nobody_and_no_more_goes_back_than_it_holds() {
    let till = Till::open().await;
    let (invoice, _) = till.paid().await;
    let payment = format!("/payments/{}", invoice_payment(&till, &invoice).await);
    let reason = json!({ "reason": "erreur" });
    till.stage.juriste("DELETE", &payment, Some(&reason)).await.expect(409);
    let path = format!("/invoices/{}/credit", invoice["id"]);
    let credit = |cents: i64| json!({ "reason": "annulation", "refundCents": cents });
    till.stage.juriste("POST", &path, Some(&credit(12_001))).await.expect(409);
    let after = till.now(&invoice).await;
    assert_eq!((&after["credits"], &after["creditedCents"], &after["refunds"]), (&json!([]), &json!(0), &json!([])));
    let note = till.stage.juriste("POST", &path, Some(&credit(12_000))).await.expect(201).json();
    assert!(note["number"].as_str().is_some_and(|number| number.ends_with("-00001")), "no number was lost: {note}");
    till.until(&invoice, is("refunded")).await;
}

async fn invoice_payment(till: &Till, invoice: &Value) -> Value {
    till.now(invoice).await["payments"][0]["id"].clone()
}
