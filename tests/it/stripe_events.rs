//! What Stripe tells, in whatever order, late, or not at all: refunds, disputes, other histories.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::billing::Stage;
use crate::harness::stripe::SECRET;
use crate::payments::{Till, is};
use crate::support::PATIENCE;

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
    assert!(till.metrics().await.contains("\nlexchat_billing_on_hold 1\n"));
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

/// How often Stripe was asked for its events.
fn rounds(till: &Till) -> usize {
    till.stripe.account().calls.iter().filter(|call| *call == "GET /v1/events").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_read_page_by_page_until_all_of_it_is_there() {
    const DOWN_S: i64 = 4 * 3_600;
    let till = Till::open().await;
    let (first, payment) = till.paid().await;
    // Four hours ago the server went away; an hour later this happened, and nobody was told.
    let refunded = till.stripe.refund_there(&payment, 2_000);
    {
        let mut account = till.stripe.account();
        let missed = account.events.iter_mut().find(|event| event["id"] == refunded["id"]).expect("the event");
        missed["created"] = json!(missed["created"].as_i64().expect("a time") - DOWN_S + 3_600);
        account.events.sort_by_key(|event| event["created"].as_i64());
        (account.events_of_a_page, account.stops_at_the_first_page) = (1, true);
    }
    let ago = format!(
        "UPDATE settings SET value = value - {DOWN_S} WHERE name = 'stripe_events_asked_s';
         UPDATE stripe_events SET created_s = created_s - {DOWN_S};"
    );
    till.stage.server.database().execute_batch(&ago).expect("two statements");
    let before = rounds(&till);
    let till = till.restart().await;
    let second = till.invoice().await;
    let page = till.page(&second).await;
    till.tell(&till.stripe.pay(&page, true)).await;
    till.until(&second, is("paid")).await;
    let deadline = Instant::now() + PATIENCE;
    // A round is two calls; the second of them fails, and the round is begun anew without an hour's wait.
    while rounds(&till) < before + 4 {
        assert!(Instant::now() < deadline, "nobody asks again");
        sleep(Duration::from_millis(30)).await;
    }
    assert_eq!(till.now(&first).await["payment"], json!("paid"));
    let till = till.restart().await;
    till.stripe.account().stops_at_the_first_page = false;
    let less = till.until(&first, is("partly_paid")).await;
    assert_eq!(less["paidCents"], json!(10_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_that_is_lost_takes_the_money_back_once_and_it_is_owed_again() {
    let till = Till::open().await;
    let invoice = till.invoice().await;
    let page = till.page(&invoice).await;
    let paid = till.stripe.pay(&page, true);
    let payment = till.stripe.account().sessions[&page]["payment_intent"].as_str().expect("an id").to_owned();
    let asked = till.stripe.dispute(&payment, 12_000, "needs_response");
    till.tell(&asked).await;
    till.heard_out().await;
    assert_eq!(till.now(&invoice).await["payments"], json!([]), "nothing is known of the payment yet");
    till.tell(&paid).await;
    till.until(&invoice, is("disputed")).await;
    let lost = till.stripe.dispute(&payment, 12_000, "lost");
    let updated = json!({
        "id": "evt_updated", "object": "event", "type": "charge.dispute.updated", "livemode": true,
        "created": lost["created"].as_i64().expect("a time") + 1, "data": asked["data"],
    });
    for event in [&lost, &updated, &lost, &asked] {
        till.tell(event).await;
    }
    till.until(&invoice, is("open")).await;
    till.heard_out().await;
    let gone = till.now(&invoice).await;
    assert_eq!((&gone["paidCents"], &gone["dueCents"], &gone["toRefundCents"]), (&json!(0), &json!(12_000), &json!(0)));
    let moved: Vec<_> = gone["payments"].as_array().into_iter().flatten().map(|it| &it["amountCents"]).collect();
    assert_eq!((moved, &gone["canPayOnline"]), (vec![&json!(12_000), &json!(-12_000)], &json!(true)));
    let credit = json!({ "reason": "annulation", "refundCents": 1 });
    let path = format!("/invoices/{}/credit", invoice["id"]);
    till.stage.juriste("POST", &path, Some(&credit)).await.expect(409);
    // Answers of one second do not overtake each other; the bank thinks better of it later.
    let before = "UPDATE disputes SET asked_s = asked_s - 1";
    till.stage.server.database().execute(before, []).expect("one row");
    till.tell(&till.stripe.dispute(&payment, 12_000, "won")).await;
    let back = till.until(&invoice, is("paid")).await;
    assert_eq!((&back["paidCents"], back["payments"].as_array().map(Vec::len)), (&json!(12_000), Some(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn money_over_another_amount_than_was_asked_for_is_booked_and_said() {
    let till = Till::open().await;
    let invoice = till.invoice().await;
    let page = till.page(&invoice).await;
    let paid = till.stripe.pay(&page, true);
    let row = async || {
        let status =
            till.stage.server.request(&till.stage.admin, "GET", "/admin/status", None).await.expect(200).json();
        status["checks"].as_array().expect("rows").iter().find(|row| row["check"] == "payments").cloned()
    };
    assert_eq!(row().await, None);
    let payment = till.stripe.account().sessions[&page]["payment_intent"].as_str().expect("an id").to_owned();
    till.stripe.account().payments.get_mut(&payment).expect("a payment")["amount_received"] = json!(11_000);
    till.tell(&paid).await;
    let part = till.until(&invoice, is("partly_paid")).await;
    assert_eq!((&part["paidCents"], &part["dueCents"]), (&json!(11_000), &json!(1_000)));
    let said = row().await.expect("a row")["text"].to_string();
    for words in ["110,00", "120,00", invoice["number"].as_str().expect("a number")] {
        assert!(said.contains(words), "{said}");
    }
}

/// What an event came to.
fn outcome(till: &Till, id: &str) -> String {
    let outcome = "SELECT outcome FROM stripe_events WHERE id = :id";
    till.stage.server.database().query_row(outcome, [id], |row| row.get(0)).expect("the event")
}

#[tokio::test(flavor = "multi_thread")]
async fn paid_is_what_stripe_answers_and_not_what_an_event_says() {
    let till = Till::open().await;
    let invoice = till.invoice().await;
    let page = till.page(&invoice).await;
    let event = |id: &str, object: &serde_json::Value| {
        json!({
            "id": id, "object": "event", "type": "checkout.session.completed", "livemode": true, "created": 1,
            "data": { "object": object },
        })
    };
    let open = till.stripe.account().sessions[&page].clone();
    let mut claimed = open.clone();
    (claimed["status"], claimed["payment_status"]) = (json!("complete"), json!("paid"));
    // What is signed says paid; asked, Stripe says that nobody has.
    till.tell(&event("evt_claimed", &claimed)).await;
    till.heard_out().await;
    assert_eq!(
        (till.now(&invoice).await["payment"].clone(), outcome(&till, "evt_claimed")),
        (json!("open"), "done".into())
    );
    // A page of nobody here, and the page itself in the other mode: paid, and nothing that is ours.
    let paid = till.stripe.pay(&page, true);
    let mut strange = till.stripe.account().sessions[&page].clone();
    (strange["id"], strange["client_reference_id"]) = (json!("cs_strange"), json!("nobody"));
    till.stripe.account().sessions.insert("cs_strange".to_owned(), strange.clone());
    till.stripe.account().sessions.get_mut(&page).expect("the page")["livemode"] = json!(false);
    till.tell(&event("evt_strange", &strange)).await;
    till.tell(&paid).await;
    till.heard_out().await;
    assert_eq!(till.now(&invoice).await["payment"], json!("open"));
    for id in ["evt_strange", paid["id"].as_str().expect("an id")] {
        assert_eq!(outcome(&till, id), "unknown", "{id}");
    }
    let metrics = till.metrics().await;
    for line in [
        "lexchat_stripe_waiting 1",
        "lexchat_refunds_failed 0",
        "lexchat_documents_waiting 0",
        "lexchat_stripe_events_total{outcome=\"done\"} 1",
        "lexchat_stripe_events_total{outcome=\"unknown\"} 2",
    ] {
        assert!(metrics.contains(&format!("\n{line}\n")), "{line}: {metrics}");
    }
    till.stripe.account().sessions.get_mut(&page).expect("the page")["livemode"] = json!(true);
    till.hurry();
    till.until(&invoice, is("paid")).await;
    till.stripe.account().refuses_refunds = Some("charge_disputed");
    let credit = json!({ "reason": "annulation", "refundCents": 12_000 });
    till.stage.juriste("POST", &format!("/invoices/{}/credit", invoice["id"]), Some(&credit)).await.expect(201);
    till.until(&invoice, |it| it["refunds"][0]["state"] == "failed").await;
    assert!(till.metrics().await.contains("\nlexchat_refunds_failed 1\n"));
}
