//! Which bills a list, an export and the metrics show, and what of a bill can be changed and what never.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::billing::{Stage, buyer};
use crate::harness::server::Server;
use crate::support::http;
use crate::support::people;

fn fee(cents: i64) -> Value {
    json!({ "description": "Assistance", "unitPriceCents": cents, "vatRateBp": 2_000 })
}

/// Some days before or after an ISO day, as the database counts.
fn day(stage: &Stage, of: &Value, shift: i64) -> String {
    let count = "SELECT date(:day, :shift || ' days')";
    let day = of.as_str().expect("a day");
    stage.server.database().query_row(count, (day, shift), |row| row.get(0)).expect("a day")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_what_is_asked_for_and_nothing_else() {
    let stage = Stage::open(&[]).await;
    let draft = stage.draft(&[fee(100)], &json!({})).await;
    let open = stage.issue(&[fee(200)], &json!({})).await;
    let late = stage.issue(&[fee(300)], &json!({ "dueInDays": 0 })).await;
    assert_eq!((&late["dueAt"], &late["overdue"]), (&late["issuedAt"], &json!(false)), "it is due today");
    // The days of an issued bill never change: the test lets the trigger go to age it.
    let aged = "DROP TRIGGER invoices_are_frozen; UPDATE invoices SET due_on = date(due_on, '-1 days') WHERE id = ";
    stage.server.database().execute_batch(&format!("{aged}{}", late["id"])).expect("two statements");
    let gone = stage.issue(&[fee(400)], &json!({})).await;
    let whole = json!({ "reason": "erreur" });
    let path = format!("/invoices/{}/credit", gone["id"]);
    let note = stage.juriste("POST", &path, Some(&whole)).await.expect(201).json();
    let other = stage.server.sign_in("client2").await;
    let there = people::conversation(stage.server.at, &other, &stage.pair.jurist).await;
    let of_other = format!("/users/{}/billing", other.id);
    stage.server.request(&other, "PATCH", &of_other, Some(&buyer())).await.expect(200);
    let elsewhere = json!({ "conversationId": there, "lines": [fee(500)] });
    let elsewhere = stage.juriste("POST", "/invoices", Some(&elsewhere)).await.expect(201).json();
    let here = stage.pair.conversation;
    let all = [&draft, &open, &late, &gone, &note, &elsewhere];
    for (query, expected) in [
        (String::new(), &all[..]),
        (format!("?conversationId={here}"), &all[..5]),
        (format!("?conversationId={there}"), &all[5..]),
        ("?state=draft".to_owned(), &[&draft, &elsewhere]),
        ("?state=issued".to_owned(), &[&open, &late, &note]),
        ("?state=cancelled".to_owned(), &[&gone]),
        ("?overdue=true".to_owned(), &[&late]),
        (format!("?overdue=false&conversationId={here}"), &[&draft, &open, &gone, &note]),
        ("?payment=open".to_owned(), &[&open, &late]),
        ("?payment=open&overdue=true".to_owned(), &[&late]),
        (format!("?payment=open&conversationId={there}"), &[]),
    ] {
        let list = stage.juriste("GET", &format!("/invoices{query}"), None).await.expect(200).json();
        let mut shown: Vec<&Value> = list["invoices"].as_array().expect("a list").iter().map(|it| &it["id"]).collect();
        shown.reverse();
        assert_eq!(shown, expected.iter().map(|it| &it["id"]).collect::<Vec<_>>(), "{query}");
    }
    stage.juriste("GET", "/invoices?state=lost", None).await.expect(400);
    let theirs = stage.client("GET", &format!("/invoices?conversationId={there}"), None).await;
    assert_ne!(theirs.json()["invoices"].as_array().map(Vec::len), Some(1), "{}", theirs.text());
    let metrics = http::get(stage.server.at, "/metrics").send().await.expect(200).text();
    for line in ["lexchat_invoices 4", "lexchat_invoices_overdue 1", "lexchat_billing_on_hold 0"] {
        assert!(metrics.contains(&format!("\n{line}\n")), "{line}: {metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_draft_was_given_can_be_taken_away_again() {
    let stage = Stage::open(&[]).await;
    let mut company = buyer();
    company["name"] = json!("Dominique Moreau");
    let given = json!({ "buyer": company, "dueInDays": 10, "note": "Merci" });
    let draft = stage.draft(&[fee(100)], &given).await;
    assert_eq!((&draft["buyer"]["name"], &draft["note"]), (&json!("Dominique Moreau"), &json!("Merci")));
    let path = format!("/invoices/{}", draft["id"]);
    let kept = stage.juriste("PATCH", &path, Some(&json!({ "type": "standard" }))).await.expect(200).json();
    assert_eq!((&kept["draft"]["buyer"]["name"], &kept["draft"]["dueInDays"]), (&company["name"], &json!(10)));
    let taken = json!({ "buyer": null, "dueInDays": null, "note": null });
    let plain = stage.juriste("PATCH", &path, Some(&taken)).await.expect(200).json();
    assert_eq!((&plain["buyer"]["name"], &plain["note"]), (&json!("Camille Moreau"), &Value::Null));
    let issued = stage.juriste("POST", &format!("{path}/issue"), None).await.expect(200).json();
    assert_eq!(issued["dueAt"], json!(day(&stage, &issued["issuedAt"], 30)), "the practice's term");
    let soon = stage.issue(&[fee(100)], &json!({ "dueInDays": 10 })).await;
    assert_eq!(soon["dueAt"], json!(day(&stage, &soon["issuedAt"], 10)));
}

/// The files of an archive, by name, out of its central directory.
fn unpacked(zip: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let number =
        |at: usize, bytes: usize| zip[at..at + bytes].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    let mut files = BTreeMap::new();
    for at in (0..zip.len() - 46).filter(|at| zip[*at..].starts_with(b"PK\x01\x02")) {
        assert_eq!(number(at + 10, 2), 0, "nothing is packed more than once");
        let (size, named, local) = (number(at + 24, 4), number(at + 28, 2), number(at + 42, 4));
        let name = String::from_utf8(zip[at + 46..at + 46 + named].to_vec()).expect("a name");
        let begin = local + 30 + number(local + 26, 2) + number(local + 28, 2);
        files.insert(name, zip[begin..begin + size].to_vec());
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_the_days_that_were_asked_for_and_the_documents_themselves() {
    let stage = Stage::open(&[]).await;
    let (first, second) = (stage.issue(&[fee(100)], &json!({})).await, stage.issue(&[fee(200)], &json!({})).await);
    let today = first["issuedAt"].as_str().expect("a day").to_owned();
    let [before, yesterday, tomorrow] = [-2, -1, 1].map(|shift| day(&stage, &first["issuedAt"], shift));
    for (on, cents) in [(&before, 11), (&yesterday, 22), (&today, 33)] {
        let paid = json!({ "method": "transfer", "amountCents": cents, "date": on });
        stage.juriste("POST", &format!("/invoices/{}/payments", first["id"]), Some(&paid)).await.expect(201);
    }
    let export = async |from: &str, to: &str, more: &str| {
        let path = format!("/admin/invoices/export?from={from}&to={to}{more}");
        stage.server.request(&stage.admin, "GET", &path, None).await.expect(200)
    };
    for (from, to, count) in [(&before, &yesterday, 0), (&tomorrow, &tomorrow, 0), (&yesterday, &tomorrow, 2)] {
        assert_eq!(export(from, to, "").await.text().lines().count(), 1 + count, "{from} {to}");
    }
    for (from, to, paid) in
        [(&before, &before, vec!["0,11"]), (&yesterday, &today, vec!["0,22", "0,33"]), (&tomorrow, &tomorrow, vec![])]
    {
        let table = export(from, to, "&table=payments").await.text().to_owned();
        let shown: Vec<&str> = table.lines().skip(1).filter_map(|line| line.split(';').nth(7)).collect();
        assert_eq!(shown, paid, "{from} {to}: {table}");
    }
    let files = unpacked(&export(&today, &today, "&format=zip").await.body);
    let names = [&first, &second].map(|it| format!("{}.pdf", it["number"].as_str().expect("a number")));
    assert_eq!(files.keys().collect::<Vec<_>>(), [&names[0], &names[1], "invoices.csv", "payments.csv"]);
    for (name, invoice) in names.iter().zip([&first, &second]) {
        let path = format!("/invoices/{}/document.pdf", invoice["id"]);
        assert!(files[name] == stage.client("GET", &path, None).await.expect(200).body, "{name}");
    }
    assert_eq!(files["invoices.csv"], export(&today, &today, "").await.body);
    assert_eq!(files["payments.csv"], export(&today, &today, "&table=payments").await.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_and_what_is_printed_never_change() {
    let stage = Stage::open(&[]).await;
    let invoice = stage.issue(&[fee(100)], &json!({})).await;
    let path = format!("/invoices/{}/document.pdf", invoice["id"]);
    let first = stage.client("GET", &path, None).await.expect(200).body;
    for wrong in [
        "UPDATE invoice_documents SET pdf = x'00'",
        "UPDATE invoices SET content = '{}' WHERE number IS NOT NULL",
        "UPDATE invoices SET number = 'F2026-99999' WHERE number IS NOT NULL",
        "DELETE FROM invoices WHERE number IS NOT NULL",
    ] {
        let refused = stage.server.database().execute_batch(wrong).expect_err(wrong).to_string();
        assert!(refused.contains("never changes") || refused.contains("stays"), "{wrong}: {refused}");
    }
    // Neither a change of the buyer nor one of the practice reaches what left the house, nor a credit note of it.
    let mut renamed = buyer();
    renamed["name"] = json!("Un autre nom");
    let of_client = format!("/users/{}/billing", stage.pair.client.id);
    stage.server.request(&stage.pair.client, "PATCH", &of_client, Some(&renamed)).await.expect(200);
    let practice = json!({ "name": "Un autre cabinet" });
    stage.server.request(&stage.admin, "PATCH", "/admin/practice", Some(&practice)).await.expect(200);
    assert!(stage.client("GET", &path, None).await.expect(200).body == first);
    let shown = stage.client("GET", &format!("/invoices/{}", invoice["id"]), None).await.expect(200).json();
    assert_eq!(shown["buyer"]["name"], json!("Camille Moreau"));
    let credit = json!({ "reason": "erreur" });
    let note = stage.juriste("POST", &format!("/invoices/{}/credit", invoice["id"]), Some(&credit)).await.expect(201);
    let xml = format!("/invoices/{}/factur-x.xml", note.json()["id"]);
    let xml = stage.client("GET", &xml, None).await.expect(200).text().to_owned();
    assert!(xml.contains("Camille Moreau") && xml.contains("Delorme") && !xml.contains("Un autre"), "{xml}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credit_names_lines_that_are_there_once_each() {
    let stage = Stage::open(&[]).await;
    let invoice = stage.issue(&[fee(1_000)], &json!({})).await;
    let path = format!("/invoices/{}/credit", invoice["id"]);
    for (lines, status, named) in [
        (json!([{ "lineId": 2, "netCents": 1 }]), 400, "lines[0].lineId"),
        (json!([{ "lineId": 0, "netCents": 1 }]), 400, "lines[0].lineId"),
        (json!([{ "lineId": 1, "netCents": 0 }]), 400, "lines[0].netCents"),
        (json!([{ "lineId": 1, "netCents": 1 }, { "lineId": 1, "netCents": 1 }]), 400, "lines[1]"),
        (json!([]), 400, "lines"),
        (json!([{ "lineId": 1, "netCents": 1_001 }]), 409, ""),
    ] {
        let body = json!({ "reason": "erreur", "lines": lines });
        let refused = stage.juriste("POST", &path, Some(&body)).await;
        let field = refused.json()["details"][0]["field"].as_str().unwrap_or_default().to_owned();
        assert_eq!((refused.status, field.as_str()), (status, named), "{lines}: {}", refused.text());
    }
    let day = invoice["issuedAt"].clone();
    let paths = format!("/invoices/{}/payments", invoice["id"]);
    let tomorrow = self::day(&stage, &day, 1);
    for (cents, on, named) in
        [(1_200, json!(tomorrow), "date"), (-1, day.clone(), "amountCents"), (0, day, "amountCents")]
    {
        let paid = json!({ "method": "transfer", "amountCents": cents, "date": on });
        let refused = stage.juriste("POST", &paths, Some(&paid)).await.expect(400).json();
        assert_eq!(refused["details"][0]["field"], json!(named), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_demonstration_there_is_no_practice_and_no_bill() {
    let server = Server::start_with(&["--no-demo"]).await;
    for table in ["practice", "buyers", "invoices", "users"] {
        let count = format!("SELECT count(*) FROM {table}");
        let count: i64 = server.database().query_row(&count, [], |row| row.get(0)).expect("a count");
        assert_eq!(count, 0, "{table}");
    }
}
