//! Bills, from the practice's first field to the document that never changes.

use serde_json::{Value, json};

use crate::harness::server::{Pair, Server};
use crate::support::http::Reply;
use crate::support::people::Person;

/// A practice that may issue.
pub fn practice() -> Value {
    json!({
        "name": "Cabinet Delorme & Associés", "profession": "avocat", "legalForm": "SELARL",
        "shareCapitalCents": 2_000_000, "rcs": "Lyon",
        "address": {"line1": "12 rue de la République", "postcode": "69002", "city": "Lyon", "country": "FR"},
        "siren": "732 829 320", "siret": "73282932000074", "vatNumber": "FR44732829320", "vatRegime": "collection",
        "iban": "FR76 3000 6000 0112 3456 7890 189", "bic": "AGRIFRPP882", "paymentTermDays": 30,
        "penaltyRateBp": 1_200, "conventionDate": "2026-03-02",
        "mediator": {"name": "Médiateur de la profession d’avocat", "contact": "mediateur-consommation-avocat.fr"},
    })
}

/// A client who may be billed.
pub fn buyer() -> Value {
    json!({
        "kind": "person", "name": "Camille Moreau",
        "address": {"line1": "3 place Bellecour", "postcode": "69002", "city": "Lyon"},
    })
}

fn line(price: i64) -> Value {
    json!({ "description": "Consultation", "quantity": 1_500, "unitPriceCents": price, "vatRateBp": 2_000, "kind": "fee" })
}

/// The bills that rows of the tables of permissions name.
pub const NAMES: [&str; 4] = ["{issued}", "{draft}", "{second}", "{payment}"];

/// A draft in a conversation.
pub fn draft(conversation: i64) -> Value {
    json!({ "conversationId": conversation, "lines": [line(1_000)] })
}

/// The ids of an issued bill, two drafts and a payment noted by hand, in the order of [`NAMES`].
pub async fn bills(server: &Server, admin: &Person, pair: &Pair) -> [i64; 4] {
    let juriste = &pair.jurist;
    let id = |value: &Value| value.as_i64().expect("an id");
    server.request(admin, "PATCH", "/admin/practice", Some(&practice())).await.expect(200);
    let of_client = format!("/users/{}/billing", pair.client.id);
    server.request(&pair.client, "PATCH", &of_client, Some(&buyer())).await.expect(200);
    let mut ids = [0; 4];
    for place in ids.iter_mut().take(3) {
        let made = server.request(juriste, "POST", "/invoices", Some(&draft(pair.conversation))).await;
        *place = id(&made.expect(201).json()["id"]);
    }
    server.request(juriste, "POST", &format!("/invoices/{}/issue", ids[0]), None).await.expect(200);
    let cent = json!({ "method": "transfer", "amountCents": 1, "date": "2026-01-31" });
    let paid = server.request(juriste, "POST", &format!("/invoices/{}/payments", ids[0]), Some(&cent)).await;
    ids[3] = id(&paid.expect(201).json()["payments"][0]["id"]);
    ids
}

/// A server with a real practice, and a juriste and a client who talk.
pub struct Stage {
    pub server: Server,
    pub pair: Pair,
    pub admin: Person,
}

impl Stage {
    pub async fn open(arguments: &[&str]) -> Stage {
        let server = Server::start_with(arguments).await;
        let pair = server.pair().await;
        let admin = server.sign_in("admin").await;
        server.request(&admin, "PATCH", "/admin/practice", Some(&practice())).await.expect(200);
        let of_client = format!("/users/{}/billing", pair.client.id);
        server.request(&pair.client, "PATCH", &of_client, Some(&buyer())).await.expect(200);
        Stage { server, pair, admin }
    }

    pub async fn juriste(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        self.server.request(&self.pair.jurist, method, path, body).await
    }

    pub async fn client(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        self.server.request(&self.pair.client, method, path, body).await
    }

    pub async fn draft(&self, lines: &[Value], more: &Value) -> Value {
        let mut body = json!({ "conversationId": self.pair.conversation, "lines": lines });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        self.juriste("POST", "/invoices", Some(&body)).await.expect(201).json()
    }

    pub async fn issue(&self, lines: &[Value], more: &Value) -> Value {
        let draft = self.draft(lines, more).await;
        self.juriste("POST", &format!("/invoices/{}/issue", draft["id"]), None).await.expect(200).json()
    }

    pub async fn pay(&self, invoice: &Value, method: &str, cents: i64) -> Reply {
        let today = invoice["issuedAt"].clone();
        let body = json!({ "method": method, "amountCents": cents, "date": today });
        self.juriste("POST", &format!("/invoices/{}/payments", invoice["id"]), Some(&body)).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_its_juristes_alone_until_it_is_issued_and_frozen() {
    let mut stage = Stage::open(&[]).await;
    let draft = stage.draft(&[line(20_001), line(100)], &json!({})).await;
    assert_eq!((&draft["number"], &draft["state"]), (&Value::Null, &json!("draft")));
    assert_eq!(
        (&draft["netCents"], &draft["vatCents"], &draft["totalCents"]),
        (&json!(30_152), &json!(6_030), &json!(36_182))
    );
    let path = format!("/invoices/{}", draft["id"]);
    for person in [&stage.pair.client, &stage.admin, &stage.server.sign_in("juriste2").await] {
        stage.server.request(person, "GET", &path, None).await.expect(404);
        let list = stage.server.request(person, "GET", "/invoices", None).await.expect(200).json();
        assert_eq!(list["invoices"], json!([]));
    }
    let preview = stage.juriste("GET", &format!("{path}/preview.pdf"), None).await.expect(200);
    assert!(preview.body.starts_with(b"%PDF"));
    stage.juriste("PATCH", &path, Some(&json!({ "lines": [line(20_000)] }))).await.expect(200);
    let issued = stage.juriste("POST", &format!("{path}/issue"), None).await.expect(200).json();
    let year = issued["issuedAt"].as_str().unwrap()[..4].to_owned();
    assert_eq!((&issued["number"], &issued["payment"]), (&json!(format!("F{year}-00001")), &json!("open")));
    let known = stage.server.request(&stage.admin, "GET", "/admin/practice", None).await.expect(200).json();
    assert_eq!(known["latestNumbers"], json!({ "invoice": issued["number"], "credit": null }));
    let news = stage.pair.left.expect_event("message:new").await;
    assert_eq!((&news["message"]["kind"], &news["message"]["invoice"]["id"]), (&json!("invoice"), &issued["id"]));
    stage.juriste("POST", &format!("{path}/issue"), None).await.expect(409);
    stage.juriste("PATCH", &path, Some(&json!({ "note": "autre" }))).await.expect(409);
    stage.juriste("DELETE", &path, None).await.expect(409);
    let seen = stage.client("GET", &path, None).await.expect(200).json();
    assert_eq!(seen["lines"][0]["netCents"], json!(30_000));
    let by_admin = stage.server.request(&stage.admin, "GET", &path, None).await.expect(200).json();
    assert_eq!((&by_admin["lines"], &by_admin["totalCents"]), (&Value::Null, &json!(36_000)));
    let first = stage.client("GET", &format!("{path}/document.pdf"), None).await.expect(200).body;
    let change = json!({ "name": "Un autre nom" });
    stage.server.request(&stage.admin, "PATCH", "/admin/practice", Some(&change)).await.expect(200);
    assert_eq!(stage.client("GET", &format!("{path}/document.pdf"), None).await.expect(200).body, first);
    let xml = stage.client("GET", &format!("{path}/factur-x.xml"), None).await.expect(200).text().to_owned();
    assert!(xml.contains("360.00") && xml.contains("Delorme"), "{xml}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_can_be_transferred_and_what_is_settled_cannot() {
    let stage = Stage::open(&[]).await;
    let draft = stage.draft(&[line(100)], &json!({})).await;
    stage.juriste("GET", &format!("/invoices/{}/transfer", draft["id"]), None).await.expect(409);
    let bill = stage.issue(&[line(10_000)], &json!({})).await;
    let path = format!("/invoices/{}/transfer", bill["id"]);
    let of = async || stage.client("GET", &path, None).await.expect(200).json()["transfer"].clone();
    let mut whole = of().await;
    let code = whole["code"].take();
    assert_eq!(
        whole,
        json!({
            "name": "Cabinet Delorme & Associés", "iban": "FR7630006000011234567890189", "bic": "AGRIFRPP882",
            "amountCents": 18_000, "reference": bill["number"], "isSpecimen": false, "code": null,
        })
    );
    stage.pay(&bill, "transfer", 8_000).await.expect(201);
    let rest = of().await;
    assert_eq!(rest["amountCents"], json!(10_000));
    assert!(rest["code"] != code && code["size"].as_i64() > Some(20), "another amount is another code");
    stage.pay(&bill, "transfer", 10_000).await.expect(201);
    assert_eq!(of().await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_law_wants_and_is_missing_is_named_and_nothing_is_issued() {
    let stage = Stage::open(&[]).await;
    let taken = json!({ "mediator": null, "conventionDate": null });
    stage.server.request(&stage.admin, "PATCH", "/admin/practice", Some(&taken)).await.expect(200);
    let draft = stage.draft(&[line(100)], &json!({})).await;
    let path = format!("/invoices/{}/issue", draft["id"]);
    let refused = stage.juriste("POST", &path, None).await.expect(400).json();
    let named: Vec<&str> =
        refused["details"].as_array().unwrap().iter().filter_map(|it| it["field"].as_str()).collect();
    assert_eq!(named, ["practice.conventionDate", "practice.mediator"]);
    stage.server.request(&stage.admin, "PATCH", "/admin/practice", Some(&practice())).await.expect(200);
    let issued = stage.juriste("POST", &path, None).await.expect(200).json();
    assert!(issued["number"].as_str().unwrap().ends_with("-00001"), "a refusal takes no number: {issued}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_does_not_fit_is_named() {
    let stage = Stage::open(&[]).await;
    for (line, field) in [
        (json!({"description": "x", "unitPriceCents": 100, "vatRateBp": 0}), "lines[0].vatRateBp"),
        (json!({"description": "x", "unitPriceCents": 100, "vatRateBp": 1960}), "lines[0].vatRateBp"),
        (
            json!({"description": "x", "unitPriceCents": 100, "vatRateBp": 2000, "kind": "disbursement"}),
            "lines[0].vatRateBp",
        ),
        (json!({"description": " ", "unitPriceCents": 100, "vatRateBp": 2000}), "lines[0].description"),
        (json!({"description": "\u{200b}\u{2800}", "unitPriceCents": 100, "vatRateBp": 2000}), "lines[0].description"),
        (json!({"description": "Fonds CARPA", "unitPriceCents": 100, "vatRateBp": 2000}), "lines[0].description"),
        (json!({"description": "x", "unitPriceCents": -1, "vatRateBp": 2000}), "lines[0].unitPriceCents"),
        (json!({"description": "x", "unitPriceCents": 1.5, "vatRateBp": 2000}), "lines[0].unitPriceCents"),
        (
            json!({"description": "x", "unitPriceCents": 100, "vatRateBp": 2000, "discountCents": 101}),
            "lines[0].discountCents",
        ),
        (
            json!({"description": "x", "quantity": 1_000_000_000, "unitPriceCents": 1_000_000_000, "vatRateBp": 2000}),
            "lines",
        ),
    ] {
        let body = json!({ "conversationId": stage.pair.conversation, "lines": [line] });
        let refused = stage.juriste("POST", "/invoices", Some(&body)).await.expect(400).json();
        assert_eq!(refused["details"][0]["field"], json!(field), "{refused}");
    }
    let too_many = vec![line(1); 201];
    for (lines, said) in [(json!([]), "au moins une ligne"), (json!(too_many), "au plus 200 éléments")] {
        let body = json!({ "conversationId": stage.pair.conversation, "lines": lines });
        let refused = stage.juriste("POST", "/invoices", Some(&body)).await.expect(400).json();
        assert_eq!(refused["details"], json!([{ "field": "lines", "message": said }]));
    }
    for name in [" ", "\u{a0}\u{200b}", "Camille\u{202e}uaeroM"] {
        let mut blank = buyer();
        blank["name"] = json!(name);
        let of_client = format!("/users/{}/billing", stage.pair.client.id);
        let refused = stage.client("PATCH", &of_client, Some(&blank)).await.expect(400).json();
        assert_eq!(refused["details"][0]["field"], json!("name"), "nobody sees {name:?}");
    }
    let mut spaced = buyer();
    spaced["name"] = json!(" Camille\r\n\tMoreau ");
    let of_client = format!("/users/{}/billing", stage.pair.client.id);
    let kept = stage.client("PATCH", &of_client, Some(&spaced)).await.expect(200).json();
    assert_eq!(kept["name"], json!("Camille Moreau"), "a name is one line");
    let list = stage.juriste("GET", "/invoices", None).await.expect(200).json();
    assert_eq!(list["invoices"], json!([]), "nothing that was refused is stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_bills_goes_on_where_the_one_before_ended() {
    let stage = Stage::open(&[]).await;
    for _ in 0..5 {
        stage.issue(&[line(1_000)], &json!({})).await;
    }
    let (mut numbers, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = stage.client("GET", &format!("/invoices?limit=2{cursor}"), None).await.expect(200).json();
        let shown = page["invoices"].as_array().unwrap();
        numbers.extend(shown.iter().map(|it| it["number"].as_str().unwrap().to_owned()));
        match page["nextCursor"].as_i64() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let places: Vec<&str> = numbers.iter().filter_map(|number| number.split_once('-')).map(|(_, it)| it).collect();
    assert_eq!(places, ["00005", "00004", "00003", "00002", "00001"]);
    let none = stage.client("GET", "/invoices?payment=paid", None).await.expect(200).json();
    assert_eq!(none["invoices"], json!([]));
    stage.client("GET", "/invoices?payment=lost", None).await.expect(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_back_what_went_back_leaves_no_more_cash_than_the_law_allows() {
    let stage = Stage::open(&[]).await;
    let invoice = stage.issue(&[line(10_000)], &json!({})).await;
    let paid = stage.pay(&invoice, "cash", 100_000).await.expect(201).json();
    let too_much = paid["toRefundCents"].as_i64().expect("cents");
    let back = stage.pay(&invoice, "cash", -too_much).await.expect(201).json();
    stage.pay(&invoice, "cash", too_much).await.expect(201);
    let path = format!("/payments/{}", back["payments"][1]["id"]);
    let refused = stage.juriste("DELETE", &path, Some(&json!({ "reason": "erreur" }))).await.expect(400).json();
    assert_eq!(refused["details"][0]["field"], json!("amountCents"));
}

#[tokio::test(flavor = "multi_thread")]
async fn money_by_hand_is_booked_limited_in_cash_and_reversed_by_a_row_of_its_own() {
    let stage = Stage::open(&[]).await;
    let invoice = stage.issue(&[line(100_000)], &json!({})).await;
    stage.pay(&invoice, "cash", 100_001).await.expect(400);
    let paid = stage.pay(&invoice, "cash", 60_000).await.expect(201).json();
    assert_eq!((&paid["payment"], &paid["dueCents"]), (&json!("partly_paid"), &json!(120_000)));
    stage.pay(&invoice, "cash", 40_001).await.expect(400);
    let paid = stage.pay(&invoice, "transfer", 150_000).await.expect(201).json();
    assert_eq!((&paid["payment"], &paid["toRefundCents"]), (&json!("overpaid"), &json!(30_000)));
    let second = paid["payments"][1]["id"].clone();
    let reason = json!({ "reason": "erreur de saisie" });
    let back = stage.juriste("DELETE", &format!("/payments/{second}"), Some(&reason)).await.expect(200).json();
    assert_eq!((&back["payment"], back["payments"].as_array().unwrap().len()), (&json!("partly_paid"), 3));
    stage.juriste("DELETE", &format!("/payments/{second}"), Some(&reason)).await.expect(409);
    let reversal = back["payments"][2]["id"].clone();
    stage.juriste("DELETE", &format!("/payments/{reversal}"), Some(&reason)).await.expect(409);
    stage.client("POST", &format!("/invoices/{}/payments", invoice["id"]), Some(&json!({}))).await.expect(400);
    stage.juriste("POST", &format!("/invoices/{}/remind", invoice["id"]), None).await.expect(200);
    stage.juriste("POST", &format!("/invoices/{}/remind", invoice["id"]), None).await.expect(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn credit_notes_take_an_invoice_back_to_the_cent_and_never_more() {
    let stage = Stage::open(&[]).await;
    let three = |price| json!({ "description": "Heure", "unitPriceCents": price, "vatRateBp": 2_000 });
    let invoice = stage.issue(&[three(33), three(33), three(33)], &json!({})).await;
    assert_eq!(invoice["vatCents"], json!(20), "20 % of 99 is 19.8");
    let path = format!("/invoices/{}/credit", invoice["id"]);
    let part = |id: i64| json!({ "lines": [{ "lineId": id, "netCents": 33 }], "reason": "geste" });
    let mut vat = 0;
    for id in 1..=2 {
        let credit = stage.juriste("POST", &path, Some(&part(id))).await.expect(201).json();
        assert_eq!((&credit["type"], &credit["creditOf"]["id"]), (&json!("credit"), &invoice["id"]));
        vat += credit["vatCents"].as_i64().unwrap();
    }
    stage.juriste("POST", &path, Some(&part(1))).await.expect(409);
    let rest = stage.juriste("POST", &path, Some(&json!({ "reason": "le reste" }))).await.expect(201).json();
    assert!(rest["number"].as_str().unwrap().starts_with('A') && rest["number"].as_str().unwrap().ends_with("-00003"));
    assert_eq!((vat, &rest["vatCents"]), (14, &json!(6)));
    stage.juriste("POST", &path, Some(&json!({ "reason": "encore" }))).await.expect(409);
    let after = stage.juriste("GET", &format!("/invoices/{}", invoice["id"]), None).await.expect(200).json();
    assert_eq!(
        (&after["state"], &after["creditedCents"], &after["dueCents"]),
        (&json!("cancelled"), &json!(119), &json!(0))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_is_deducted_once_and_only_when_it_is_paid() {
    let stage = Stage::open(&[]).await;
    let deposit = stage.issue(&[line(10_000)], &json!({ "type": "deposit" })).await;
    let with =
        json!({ "conversationId": stage.pair.conversation, "lines": [line(50_000)], "depositIds": [deposit["id"]] });
    stage.juriste("POST", "/invoices", Some(&with)).await.expect(409);
    stage.pay(&deposit, "transfer", 18_000).await.expect(201);
    let last = stage.issue(&[line(50_000)], &json!({ "depositIds": [deposit["id"]] })).await;
    assert_eq!((&last["prepaidCents"], &last["dueCents"]), (&json!(18_000), &json!(72_000)));
    stage.juriste("POST", "/invoices", Some(&with)).await.expect(409);
    let credit = format!("/invoices/{}/credit", deposit["id"]);
    stage.juriste("POST", &credit, Some(&json!({ "reason": "x" }))).await.expect(409);
    stage.pay(&last, "transfer", 72_000).await.expect(201);
    let day = last["issuedAt"].as_str().unwrap();
    let csv = format!("/admin/invoices/export?from={day}&to={day}");
    let csv = stage.server.request(&stage.admin, "GET", &csv, None).await.expect(200).text().to_owned();
    assert!(csv.contains("acompte déduit") && csv.contains("-150,00;-30,00;-180,00"), "{csv}");
    let payments = format!("/admin/invoices/export?from={day}&to={day}&table=payments");
    let payments = stage.server.request(&stage.admin, "GET", &payments, None).await.expect(200).text().to_owned();
    assert!(payments.contains("600,00;120,00;720,00"), "{payments}");
    let zip = format!("/admin/invoices/export?from={day}&to={day}&format=zip");
    let zip = stage.server.request(&stage.admin, "GET", &zip, None).await.expect(200);
    assert!(zip.body.starts_with(b"PK"));
}

#[tokio::test(flavor = "multi_thread")]
async fn vat_changes_rates_with_the_document_that_changes_what_was_paid_for() {
    let stage = Stage::open(&[]).await;
    let fee = |net: i64| json!({ "description": "Heure", "unitPriceCents": net, "vatRateBp": 2_000 });
    let stamp =
        |net: i64| json!({ "description": "Timbre", "unitPriceCents": net, "vatRateBp": 0, "kind": "disbursement" });
    let deposit = stage.issue(&[fee(10_000)], &json!({ "type": "deposit" })).await;
    stage.pay(&deposit, "transfer", 12_000).await.expect(201);
    let covered = stage.issue(&[fee(5_000), stamp(6_000)], &json!({ "depositIds": [deposit["id"]] })).await;
    assert_eq!((&covered["dueCents"], &covered["payment"]), (&json!(0), &json!("paid")));
    let credited = stage.issue(&[fee(10_000), stamp(6_000)], &json!({})).await;
    stage.pay(&credited, "transfer", 12_000).await.expect(201);
    let note = json!({ "reason": "timbre", "lines": [{ "lineId": 2, "netCents": 6_000 }] });
    let note =
        stage.juriste("POST", &format!("/invoices/{}/credit", credited["id"]), Some(&note)).await.expect(201).json();
    let day = covered["issuedAt"].as_str().unwrap();
    let path = format!("/admin/invoices/export?from={day}&to={day}&table=payments");
    let csv = stage.server.request(&stage.admin, "GET", &path, None).await.expect(200).text().to_owned();
    let number = |of: &Value| of["number"].as_str().unwrap().to_owned();
    let set_right =
        |of: &Value, by: &Value, rest: &str| format!("{day};{};régularisation;{};{rest}\r\n", number(of), number(by));
    for expected in [
        set_right(&covered, &deposit, "20,00;-50,00;-10,00;-60,00;acompte déduit"),
        set_right(&covered, &deposit, "0,00;60,00;0,00;60,00;acompte déduit"),
        set_right(&credited, &note, "20,00;33,33;6,67;40,00;avoir"),
        set_right(&credited, &note, "0,00;-40,00;0,00;-40,00;avoir"),
    ] {
        assert!(csv.contains(&expected), "{expected} is not in {csv}");
    }
    assert_eq!(csv.matches("régularisation").count(), 4, "{csv}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_has_specimens_that_go_when_the_practice_is_real() {
    let server = Server::demonstration().await;
    let admin = server.sign_in("admin").await;
    let shown = server.request(&admin, "GET", "/admin/practice", None).await.expect(200).json();
    assert_eq!((&shown["isDemo"], &shown["siren"]), (&json!(true), &json!("000000000")));
    assert_eq!(shown["onlinePayment"], json!(null));
    assert_eq!(
        shown["latestNumbers"],
        json!({ "invoice": null, "credit": null }),
        "specimens are outside every series"
    );
    let list = server.request(&admin, "GET", "/invoices", None).await.expect(200).json();
    let states: Vec<(&str, bool)> = list["invoices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["payment"].as_str().unwrap(), it["overdue"].as_bool().unwrap()))
        .collect();
    assert_eq!(states, [("open", false), ("open", true), ("paid", false)]);
    assert!(list["invoices"][0]["number"].as_str().unwrap().starts_with("DEMO-"), "{list}");
    server.request(&admin, "PATCH", "/admin/practice", Some(&practice())).await.expect(200);
    let list = server.request(&admin, "GET", "/invoices", None).await.expect(200).json();
    assert_eq!(list["invoices"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_see_what_still_has_to_go_by_an_approved_platform() {
    let stage = Stage::open(&[]).await;
    let row = async || {
        let status = stage.server.request(&stage.admin, "GET", "/admin/status", None).await.expect(200).json();
        status["checks"].as_array().unwrap().iter().find(|row| row["check"] == "transmissions").cloned()
    };
    let company = json!({ "buyer": {
        "kind": "company", "name": "Boulangerie Moreau", "siren": "552100554",
        "address": {"line1": "3 place Bellecour", "postcode": "69002", "city": "Lyon"},
    }});
    let electronic_from = async |day: &str| {
        let change = json!({ "eInvoicingFrom": day });
        stage.server.request(&stage.admin, "PATCH", "/admin/practice", Some(&change)).await.expect(200);
    };
    electronic_from("2999-01-01").await;
    let before = stage.issue(&[line(1_000)], &company).await;
    assert_eq!((&before["toTransmit"], row().await), (&json!(false), None), "the day has not come");
    electronic_from("2026-01-01").await;
    let of_person = stage.issue(&[line(1_000)], &json!({})).await;
    assert_eq!((&of_person["toTransmit"], row().await), (&json!(false), None), "a person's is the PDF");
    let invoice = stage.issue(&[line(1_000)], &company).await;
    assert_eq!(invoice["toTransmit"], json!(true));
    let path = format!("/invoices/{}", invoice["id"]);
    let credited = json!({ "reason": "erreur" });
    let credit = stage.juriste("POST", &format!("{path}/credit"), Some(&credited)).await.expect(201).json();
    let shown = row().await.expect("a row");
    let (text, number) = (shown["text"].as_str().unwrap(), invoice["number"].as_str().unwrap());
    assert!(text.contains(": 2") && text.contains(number), "the credit note goes the same way: {shown}");
    assert_eq!(shown["verdict"], json!("good"), "nothing is late on the first day: {shown}");
    let went = json!({ "platform": "PA", "reference": "1", "date": invoice["issuedAt"] });
    for document in [&invoice, &credit] {
        let path = format!("/invoices/{}/transmitted", document["id"]);
        let noted = stage.juriste("POST", &path, Some(&went)).await.expect(200).json();
        assert_eq!(noted["toTransmit"], json!(false));
    }
    assert_eq!(row().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_account_is_still_billed_and_called_by_nobody() {
    let stage = Stage::open(&[]).await;
    let bill = stage.issue(&[line(10_000)], &json!({})).await;
    let off = json!({ "isActive": false });
    stage.server.request(&stage.admin, "PATCH", "/admin/users/1", Some(&off)).await.expect(200);
    let said = json!({ "conversationId": stage.pair.conversation, "content": "Bonjour" });
    stage.juriste("POST", "/messages", Some(&said)).await.expect(409);
    let calls = format!("/conversations/{}/calls", stage.pair.conversation);
    stage.juriste("POST", &calls, Some(&json!({ "media": "audio" }))).await.expect(409);
    let second = stage.issue(&[line(5_000)], &json!({})).await;
    let credit = format!("/invoices/{}/credit", bill["id"]);
    stage.juriste("POST", &credit, Some(&json!({ "reason": "Erreur de montant" }))).await.expect(201);
    let path = format!("/messages?conversationId={}", stage.pair.conversation);
    let stored = stage.juriste("GET", &path, None).await.expect(200).json();
    let entries: Vec<&Value> = stored.as_array().expect("messages").iter().map(|message| &message["kind"]).collect();
    assert_eq!((entries.len(), &stored[1]["invoice"]["id"]), (3, &second["id"]), "{stored}");
    assert!(entries.iter().all(|kind| *kind == "invoice"), "{stored}");
}
