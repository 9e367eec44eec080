//! Payments by Stripe, against a fake that keeps Stripe's rules: money is never counted twice, whatever fails where.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::billing::Stage;
use crate::harness::stripe::{Fault, SECRET, Stripe};
use crate::support::PATIENCE;
use crate::support::http::Reply;

/// A stage whose invoices can be paid at the fake.
struct Till {
    stage: Stage,
    stripe: Stripe,
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
    async fn open() -> Till {
        Till::open_with("sk_live_abc").await
    }

    async fn open_with(key: &str) -> Till {
        let (stripe, secrets) = (Stripe::start().await, tempfile::tempdir().expect("a folder"));
        let arguments = arguments(&stripe, secrets.path(), key);
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let stage = Stage::open(&words).await;
        Till { stage, stripe, arguments, _secrets: secrets }
    }

    /// Another server goes on with the same database, as after a crash.
    async fn restart(self) -> Till {
        let Till { stage, stripe, arguments, _secrets } = self;
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let Stage { server, pair, admin } = stage;
        let server = server.restart(&words).await;
        Till { stage: Stage { server, pair, admin }, stripe, arguments, _secrets }
    }

    /// An invoice of 120 €.
    async fn invoice(&self) -> Value {
        let line = json!({ "description": "Consultation", "unitPriceCents": 10_000, "vatRateBp": 2_000 });
        self.stage.issue(&[line], &json!({})).await
    }

    async fn checkout(&self, invoice: &Value) -> Reply {
        self.stage.client("POST", &format!("/invoices/{}/checkout", invoice["id"]), None).await
    }

    /// The id of the page that a client is sent to.
    async fn page(&self, invoice: &Value) -> String {
        let url = self.checkout(invoice).await.expect(200).json()["url"].clone();
        url.as_str().expect("an address").rsplit('/').next().expect("an id").to_owned()
    }

    async fn tell(&self, event: &Value) {
        self.stripe.tell(self.stage.server.at, event).await.expect(200);
    }

    async fn now(&self, invoice: &Value) -> Value {
        self.stage.juriste("GET", &format!("/invoices/{}", invoice["id"]), None).await.expect(200).json()
    }

    /// The invoice once this holds of it.
    async fn until(&self, invoice: &Value, what: impl Fn(&Value) -> bool) -> Value {
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
    fn hurry(&self) {
        let hurry = "UPDATE checkout_sessions SET due_at = 0; UPDATE refunds SET due_at = 0;
                     UPDATE stripe_events SET due_at = 0;";
        self.stage.server.database().execute_batch(hurry).expect("three statements");
    }

    /// Events that were told have all come to something.
    async fn heard_out(&self) {
        let deadline = Instant::now() + PATIENCE;
        let waiting = "SELECT count(*) FROM stripe_events WHERE outcome = 'waiting'";
        while self.stage.server.database().query_row(waiting, [], |row| row.get::<_, i64>(0)).expect("a count") > 0 {
            assert!(Instant::now() < deadline, "events wait");
            sleep(Duration::from_millis(30)).await;
        }
    }

    /// A paid invoice, and the id of its payment.
    async fn paid(&self) -> (Value, String) {
        let invoice = self.invoice().await;
        let page = self.page(&invoice).await;
        self.tell(&self.stripe.pay(&page, true)).await;
        self.until(&invoice, |it| it["payment"] == "paid").await;
        let payment = self.stripe.account().sessions[&page]["payment_intent"].as_str().expect("an id").to_owned();
        (invoice, payment)
    }
}

fn is(state: &'static str) -> impl Fn(&Value) -> bool {
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
async fn what_is_not_signed_by_stripe_now_is_refused() {
    let till = Till::open().await;
    let invoice = till.invoice().await;
    let page = till.page(&invoice).await;
    let event = till.stripe.pay(&page, true);
    let to = till.stage.server.at;
    till.stripe.tell_signed(to, &event, "whsec_other", 0).await.expect(400);
    till.stripe.tell_signed(to, &event, SECRET, 600).await.expect(400);
    till.stage.client("POST", "/hooks/stripe", Some(&event)).await.expect(400);
    let test = json!({
        "id": "evt_test", "object": "event", "type": "checkout.session.completed", "livemode": false, "created": 1,
        "data": event["data"],
    });
    till.tell(&test).await;
    let other = json!({
        "id": "evt_other", "object": "event", "type": "payout.paid", "livemode": true, "created": 1,
        "data": {"object": {"id": "po_1", "object": "payout"}},
    });
    till.tell(&other).await;
    till.heard_out().await;
    let counted = "SELECT count(*) FROM stripe_events WHERE outcome = 'unknown'";
    let counted: i64 = till.stage.server.database().query_row(counted, [], |row| row.get(0)).expect("a count");
    assert_eq!((&till.now(&invoice).await["payment"], counted), (&json!("open"), 2));
    till.stripe.tell_signed(to, &event, "whsec_before", 0).await.expect(200);
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
async fn refunds_made_at_stripe_refunds_that_come_back_and_disputes_are_shown() {
    let till = Till::open().await;
    let (invoice, payment) = till.paid().await;
    till.tell(&till.stripe.refund_there(&payment, 2_000)).await;
    let less = till.until(&invoice, is("partly_paid")).await;
    assert_eq!(less["paidCents"], json!(10_000));
    let refund = till.stripe.account().refunds.keys().next().expect("one").clone();
    till.tell(&till.stripe.fail_refund(&refund)).await;
    let back = till.until(&invoice, is("paid")).await;
    assert_eq!((&back["paidCents"], &back["refunds"][0]["state"]), (&json!(12_000), &json!("failed")));
    till.tell(&till.stripe.dispute(&payment, 12_000, "needs_response")).await;
    till.until(&invoice, is("disputed")).await;
    till.tell(&till.stripe.dispute(&payment, 12_000, "won")).await;
    till.until(&invoice, is("paid")).await;
    till.stripe.account().refuses_refunds = Some("charge_disputed");
    let credit = json!({ "reason": "annulation", "refundCents": 12_000 });
    till.stage.juriste("POST", &format!("/invoices/{}/credit", invoice["id"]), Some(&credit)).await.expect(201);
    let failed = till.until(&invoice, |it| it["refunds"][1]["state"] == "failed").await;
    assert_eq!((&failed["payment"], &failed["toRefundCents"]), (&json!("overpaid"), &json!(12_000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_is_told_of_before_its_payment_is_booked_behind_it() {
    let till = Till::open().await;
    let invoice = till.invoice().await;
    let page = till.page(&invoice).await;
    let paid = till.stripe.pay(&page, true);
    let payment = till.stripe.account().sessions[&page]["payment_intent"].as_str().expect("an id").to_owned();
    let refunded = till.stripe.refund_there(&payment, 2_000);
    till.tell(&refunded).await;
    till.heard_out().await;
    assert_eq!(till.now(&invoice).await["payments"], json!([]), "nothing is known of the payment yet");
    for event in [&paid, &refunded] {
        till.tell(event).await;
    }
    let less = till.until(&invoice, is("partly_paid")).await;
    assert_eq!((&less["paidCents"], less["payments"].as_array().map(Vec::len)), (&json!(10_000), Some(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_wrong_for_a_while_loses_no_event() {
    let till = Till::open().await;
    let (invoice, payment) = till.paid().await;
    till.stripe.account().rejects_the_key = true;
    let refunded = till.stripe.refund_there(&payment, 2_000);
    till.tell(&refunded).await;
    let id = refunded["id"].as_str().expect("an id");
    let deadline = Instant::now() + PATIENCE;
    let tried = "SELECT checks > 0 OR outcome <> 'waiting' FROM stripe_events WHERE id = :id";
    let is_tried = || till.stage.server.database().query_row(tried, [id], |row| row.get::<_, bool>(0)).expect("a row");
    while !is_tried() {
        assert!(Instant::now() < deadline, "nobody asks");
        sleep(Duration::from_millis(30)).await;
    }
    till.stripe.account().rejects_the_key = false;
    till.hurry();
    let less = till.until(&invoice, is("partly_paid")).await;
    assert_eq!(less["paidCents"], json!(10_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_while_nobody_listened_is_asked_for() {
    let till = Till::open().await;
    let (invoice, payment) = till.paid().await;
    till.stripe.refund_there(&payment, 2_000);
    let till = till.restart().await;
    let less = till.until(&invoice, is("partly_paid")).await;
    assert_eq!(less["paidCents"], json!(10_000));
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
    for (cents, payment) in [(40, "open"), (0, "paid")] {
        let line = json!({ "description": "Consultation", "unitPriceCents": cents, "vatRateBp": 2_000 });
        let invoice = till.stage.issue(&[line], &json!({})).await;
        assert_eq!((&invoice["payment"], &invoice["canPayOnline"]), (&json!(payment), &json!(false)));
        till.checkout(&invoice).await.expect(409);
    }
    assert!(till.stripe.account().sessions.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_stripe_gave_back_unknown_here_goes_back_no_second_time() {
    let till = Till::open().await;
    let (invoice, payment) = till.paid().await;
    // A copy from before it was told, or one that was restored, asks for the same again.
    till.stripe.refund_there(&payment, 5_000);
    let line = json!([{ "lineId": invoice["lines"][0]["id"], "netCents": 5_000 }]);
    let credit = json!({ "reason": "geste", "lines": line, "refundCents": 6_000 });
    till.stage.juriste("POST", &format!("/invoices/{}/credit", invoice["id"]), Some(&credit)).await.expect(201);
    let after = till.until(&invoice, |it| it["refunds"][0]["state"] == "failed").await;
    assert_eq!(after["refunds"][0]["failure"], json!("refunded_elsewhere"));
    assert_eq!(
        (&after["refunds"][1]["state"], &after["refunds"][1]["amountCents"]),
        (&json!("succeeded"), &json!(5_000))
    );
    assert_eq!((&after["paidCents"], &after["toRefundCents"]), (&json!(7_000), &json!(1_000)));
    assert_eq!(till.stripe.account().refunds.len(), 1, "nothing was sent");
    let rest = json!({ "amountCents": 1_000 });
    till.stage.juriste("POST", &format!("/invoices/{}/refund", invoice["id"]), Some(&rest)).await.expect(200);
    let settled = till.until(&invoice, |it| it["refunds"][2]["state"] == "succeeded").await;
    assert_eq!((&settled["paidCents"], &settled["payment"]), (&json!(6_000), &json!("paid")));
    assert_eq!(till.stripe.account().refunds.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_copy_is_on_hold_and_takes_no_event_of_the_other_history() {
    let till = Till::open().await;
    let invoice = till.invoice().await;
    let page = till.page(&invoice).await;
    let event = till.stripe.pay(&page, true);
    let other = "UPDATE settings SET value = 'ffffffffffffffff' WHERE name = 'history'";
    till.stage.server.database().execute(other, []).expect("one row");
    let till = till.restart().await;
    till.tell(&event).await;
    let line = json!({ "description": "Consultation", "unitPriceCents": 10_000, "vatRateBp": 2_000 });
    let draft = till.stage.draft(&[line], &json!({})).await;
    let issue = format!("/invoices/{}/issue", draft["id"]);
    till.stage.juriste("POST", &issue, None).await.expect(409);
    till.stage.client("POST", &format!("/invoices/{}/checkout", invoice["id"]), None).await.expect(409);
    let resume = |number: &str| json!({ "invoice": number });
    let year = invoice["issuedAt"].as_str().expect("a day")[..4].to_owned();
    let Stage { server, admin, .. } = &till.stage;
    let path = "/admin/invoices/resume";
    server.request(admin, "POST", path, Some(&resume("n'importe quoi"))).await.expect(400);
    server.request(admin, "POST", path, Some(&resume(&format!("F{year}-00004")))).await.expect(204);
    let issued = till.stage.juriste("POST", &issue, None).await.expect(200).json();
    assert_eq!(issued["number"], json!(format!("F{year}-00005")), "the series goes on behind what was lost");
    let day = issued["issuedAt"].as_str().expect("a day");
    let export = format!("/admin/invoices/export?from={day}&to={day}");
    let export = server.request(admin, "GET", &export, None).await.expect(200).text();
    assert_eq!(export.matches("perdu à la restauration").count(), 3, "{export}");
    let foreign = "SELECT count(*) FROM stripe_events WHERE outcome = 'foreign'";
    let foreign: i64 = server.database().query_row(foreign, [], |row| row.get(0)).expect("a count");
    assert_eq!(foreign, 1);
}
