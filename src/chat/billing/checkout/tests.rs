//! What Stripe tells late is booked on the day it happened; what is not about our page is not booked at all.

use std::time::Duration;

use super::*;
use crate::chat::contract::command::stripe::{BookRefunds, SeenRefund, SeenRefundStatus};
use crate::chat::contract::error::Code;
use crate::chat::contract::settings::Settings;
use crate::chat::testing::bills::{Office, hour};
use crate::model::billing::{PaymentMethod, ShownInvoice};

const DAY: Duration = Duration::from_secs(86_400);

/// An invoice of 120 € with its page at Stripe, and what Stripe says once that is paid.
fn paid(office: &mut Office) -> (ShownInvoice, BookCheckout) {
    let invoice = office.issue(InvoiceType::Standard, vec![hour(10_000)], Vec::new());
    let opened = office.fixture.run(office.client, OpenCheckout { invoice_id: invoice.id }).unwrap();
    let row = checkout::find_session(office.fixture.conn(), opened.reply).unwrap().unwrap();
    let book = BookCheckout {
        stripe_id: "cs_1".to_owned(),
        reference: row.reference,
        status: CheckoutStatus::Paid,
        payment_intent: Some("pi_1".to_owned()),
        amount: Cents(12_000),
        currency: "eur".to_owned(),
        method: PaymentMethod::Card,
        received_s: None,
    };
    (invoice, book)
}

fn booked(office: &Office, invoice: &ShownInvoice) -> Vec<(i64, Day)> {
    let rows = ledger::list_of(office.fixture.conn(), invoice.id).unwrap();
    rows.into_iter().map(|row| (row.shown.amount_cents.0, row.shown.date)).collect()
}

#[test]
fn money_that_is_told_late_is_booked_on_the_day_it_came_and_went() {
    let mut office = Office::with(Some(true));
    let (invoice, book) = paid(&mut office);
    office.fixture.pass(DAY);
    let came = office.fixture.now();
    office.fixture.pass(DAY);
    let went = office.fixture.now();
    office.fixture.pass(DAY * 40);
    office.fixture.run(Actor::System, BookCheckout { received_s: Some(came.as_secs()), ..book }).unwrap();
    let refund = SeenRefund {
        stripe_id: "re_1".to_owned(),
        key: None,
        amount: Cents(2_000),
        asked_s: Some(went.as_secs()),
        status: SeenRefundStatus::Succeeded,
        failure: None,
    };
    let told = BookRefunds { payment_intent: "pi_1".to_owned(), refunds: vec![refund] };
    office.fixture.run(Actor::System, told).unwrap();
    let day = |at| Settings::default().today(at);
    assert_eq!(booked(&office, &invoice), [(12_000, day(came)), (-2_000, day(went))]);
}

#[test]
fn a_day_that_cannot_be_is_that_of_issue_or_today() {
    let mut office = Office::with(Some(true));
    let (invoice, _) = paid(&mut office);
    office.fixture.pass(DAY * 3);
    let now = office.fixture.now();
    let today = Settings::default().today(now);
    for (at_s, day) in [
        (None, today),
        (Some(i64::MIN), invoice.issued_at.unwrap()),
        (Some(0), invoice.issued_at.unwrap()),
        (Some(i64::MAX), today),
    ] {
        let found =
            office.fixture.with_context(|conn, context| day_at_stripe(conn, invoice.id, at_s, now, context)).unwrap();
        assert_eq!(found, day, "{at_s:?}");
    }
}

#[test]
fn another_currency_and_another_page_are_not_booked() {
    let mut office = Office::with(Some(true));
    let (invoice, book) = paid(&mut office);
    let known = NoteCheckout {
        session_id: 1,
        stripe_id: book.stripe_id.clone(),
        url: "https://checkout.stripe.example/cs_1".to_owned(),
        expires_s: office.fixture.now().as_secs() + 1_800,
    };
    office.fixture.run(Actor::System, known).unwrap();
    let like = |stripe_id: &str, reference: &str, currency: &str| BookCheckout {
        stripe_id: stripe_id.to_owned(),
        reference: reference.to_owned(),
        currency: currency.to_owned(),
        payment_intent: book.payment_intent.clone(),
        ..book
    };
    for wrong in [
        like("cs_1", &book.reference, "usd"),
        like("cs_1", &book.reference, ""),
        like("cs_2", &book.reference, "eur"),
        like("cs_1", "of nobody", "eur"),
    ] {
        let what = format!("{wrong:?}");
        let refused = office.fixture.run(Actor::System, wrong).unwrap_err();
        assert_eq!(refused.code(), Code::NotFound, "{what}");
        assert_eq!(booked(&office, &invoice), [], "{what}");
    }
    let right = like("cs_1", &book.reference, "eur");
    office.fixture.run(Actor::System, right).unwrap();
    assert_eq!(booked(&office, &invoice), [(12_000, invoice.issued_at.unwrap())]);
}

#[test]
fn an_open_page_is_asked_about_after_one_five_and_thirty_minutes_then_every_hour_and_at_its_end() {
    let mut office = Office::with(Some(true));
    let (_, book) = paid(&mut office);
    let made = office.fixture.now();
    let session =
        |office: &Office| checkout::find_by_reference(office.fixture.conn(), &book.reference).unwrap().unwrap();
    let due_in = |office: &Office| {
        let due = "SELECT due_at FROM checkout_sessions";
        let due: i64 = office.fixture.conn().query_row(due, [], |row| row.get(0)).unwrap();
        Duration::from_millis((due - office.fixture.now().as_millis()).try_into().unwrap())
    };
    let still_open = || BookCheckout {
        stripe_id: book.stripe_id.clone(),
        reference: book.reference.clone(),
        status: CheckoutStatus::Open,
        payment_intent: None,
        amount: Cents::ZERO,
        currency: "eur".to_owned(),
        method: PaymentMethod::Other,
        received_s: None,
    };
    let id = session(&office).id;
    // As long as Stripe says, so that its end is not what decides.
    let note = NoteCheckout {
        session_id: id,
        stripe_id: "cs_1".to_owned(),
        url: "https://checkout.stripe.example/cs_1".to_owned(),
        expires_s: made.as_secs() + 86_400,
    };
    office.fixture.run(Actor::System, note).unwrap();
    let mut at_s = Vec::new();
    for _ in 0..5 {
        let pause = due_in(&office);
        office.fixture.pass(pause);
        at_s.push((office.fixture.now().as_millis() - made.as_millis()) / 1_000);
        office.fixture.run(Actor::System, still_open()).unwrap();
    }
    assert_eq!(at_s.iter().map(|at| at / 60).collect::<Vec<_>>(), [1, 5, 30, 90, 150]);
    office.fixture.pass(Duration::from_secs(86_400 - 160 * 60));
    office.fixture.run(Actor::System, still_open()).unwrap();
    assert_eq!(due_in(&office).as_secs(), 10 * 60 + 5, "its end comes before the next hour");
}
