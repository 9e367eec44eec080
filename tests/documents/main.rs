//! Sample invoices of every kind, written to `target/documents` for the checkers that others wrote
//! (`tests/documents/run`), and what can be said of them without those.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;

use lexchat::documents::{factur_x, invoice as page};
use lexchat::model::cents::Cents;
use lexchat::model::invoice::{Invoice, InvoiceType, Line, LineKind, Preceding, Totals, VatCategory, VatRate};
use lexchat::model::party::{Buyer, Logo, Practice};

const PRACTICE: &str = r#"{"name":"Cabinet Delorme & Associés","profession":"avocat","legalForm":"SELARL",
  "shareCapitalCents":2000000,"address":{"line1":"12 rue de la République","postcode":"69002","city":"Lyon","country":"FR"},
  "siren":"732829320","siret":"73282932000074","rcs":"Lyon","vatNumber":"FR44732829320","vatRegime":"collection",
  "iban":"FR7630006000011234567890189","bic":"AGRIFRPP882","paymentTermDays":30,"penaltyRateBp":1200,
  "mediator":{"name":"Médiateur de la consommation de la profession d’avocat","contact":"mediateur-consommation-avocat.fr"},
  "conventionDate":"2026-03-02"}"#;

const PERSON: &str = r#"{"kind":"person","name":"Camille Lefèvre",
  "address":{"line1":"3 place Bellecour","line2":"Bâtiment B","postcode":"69002","city":"Lyon","country":"FR"}}"#;

const COMPANY: &str = r#"{"kind":"company","name":"Étoile & Fils SAS","siren":"552100554","vatNumber":"FR96552100554",
  "address":{"line1":"8 quai des Célestins","postcode":"69002","city":"Lyon","country":"FR"}}"#;

const GERMAN: &str = r#"{"kind":"company","name":"Müller Łukasz GmbH","vatNumber":"DE136695976",
  "address":{"line1":"Unter den Linden 7","postcode":"10117","city":"Berlin","country":"DE"}}"#;

const SWISS: &str = r#"{"kind":"company","name":"Helvetia SA",
  "address":{"line1":"Rue du Rhône 1","postcode":"1204","city":"Genève","country":"CH"}}"#;

const GUIANAN: &str = r#"{"kind":"company","name":"Maison des Îles","siren":"552100554",
  "address":{"line1":"1 place des Palmistes","postcode":"97300","city":"Cayenne","country":"GF"}}"#;

const ANTILLEAN: &str = r#"{"kind":"company","name":"Maison des Îles","siren":"552100554","vatNumber":"FR96552100554",
  "address":{"line1":"1 rue Frébault","postcode":"97110","city":"Pointe-à-Pitre","country":"GP"}}"#;

const MONEGASQUE: &str = r#"{"kind":"company","name":"Maison du Rocher","vatNumber":"FR34000123456",
  "address":{"line1":"1 avenue de la Costa","postcode":"98000","city":"Monaco","country":"MC"}}"#;

/// Description, thousandths, unit price, discount, rate, kind.
type Row = (&'static str, i64, i64, i64, u16, LineKind);

const FEES: [Row; 4] = [
    (
        "Consultation et rédaction d’une assignation devant le tribunal judiciaire de Lyon",
        3_500,
        24_000,
        0,
        2_000,
        LineKind::Fee,
    ),
    ("Audience de plaidoirie <procédure & suites>", 1_000, 60_000, 5_000, 2_000, LineKind::Fee),
    ("Frais de déplacement", 128_000, 60, 0, 2_000, LineKind::Expense),
    ("Droit de timbre acquitté pour le compte du client", 1_000, 22_500, 0, 0, LineKind::Disbursement),
];

fn invoice(practice: &str, buyer: &str, rows: &[Row]) -> Invoice {
    let seller: Practice = serde_json::from_str(practice).unwrap();
    let buyer: Buyer = serde_json::from_str(buyer).unwrap();
    let lines: Vec<Line> = rows.iter().map(|row| line(&seller, &buyer, row)).collect();
    Invoice {
        r#type: InvoiceType::Standard,
        number: Some("F2026-00042".to_owned()),
        issued_on: "2026-11-28".parse().unwrap(),
        due_on: "2026-12-28".parse().unwrap(),
        totals: Totals::of(&lines),
        seller,
        buyer,
        lines,
        preceding: Vec::new(),
        prepaid_cents: Cents::ZERO,
        note: None,
        is_specimen: false,
    }
}

fn line(practice: &Practice, buyer: &Buyer, (description, quantity, price, discount, rate, kind): &Row) -> Line {
    let vat_rate_bp = VatRate::try_from(*rate).unwrap();
    Line {
        description: (*description).to_owned(),
        quantity: *quantity,
        unit_price_cents: Cents(*price),
        discount_cents: Cents(*discount),
        vat_rate_bp,
        kind: *kind,
        vat_category: VatCategory::derive(practice, buyer, *kind, vat_rate_bp).unwrap(),
    }
}

/// Every kind of document that can be issued, by name.
fn samples() -> Vec<(&'static str, Invoice)> {
    let overseas: [Row; 1] = [("Rédaction d’un contrat de distribution", 1_000, 150_000, 0, 850, LineKind::Fee)];
    let free: [Row; 1] = [("Rédaction d’un contrat de distribution", 1_000, 150_000, 0, 0, LineKind::Fee)];
    let franchise = PRACTICE.replace("\"vatNumber\":\"FR44732829320\",", "").replace("collection", "franchise");
    let debits = PRACTICE.replace("collection", "debits");
    let mut deposit =
        invoice(PRACTICE, COMPANY, &[("Provision sur honoraires", 1_000, 50_000, 0, 2_000, LineKind::Fee)]);
    deposit.r#type = InvoiceType::Deposit;
    deposit.number = Some("F2026-00040".to_owned());
    let taken = Preceding {
        number: "F2026-00040".to_owned(),
        issued_on: deposit.issued_on,
        total_cents: deposit.totals.total(),
    };
    let mut last = invoice(PRACTICE, COMPANY, &FEES);
    last.prepaid_cents = taken.total_cents;
    last.preceding = vec![taken];
    let mut credit = invoice(PRACTICE, COMPANY, &FEES[..1]);
    credit.r#type = InvoiceType::Credit;
    credit.number = Some("A2026-00007".to_owned());
    credit.due_on = credit.issued_on;
    credit.note = Some("Motif : erreur de quantité.".to_owned());
    credit.preceding =
        vec![Preceding { number: "F2026-00042".to_owned(), issued_on: credit.issued_on, total_cents: Cents(123_456) }];
    let mut copy = invoice(PRACTICE, COMPANY, &FEES);
    copy.issued_on = "2027-09-01".parse().unwrap();
    copy.due_on = "2027-10-01".parse().unwrap();
    let mut specimen = invoice(PRACTICE, PERSON, &FEES);
    specimen.number = Some("DEMO-00001".to_owned());
    specimen.is_specimen = true;
    let mut deposits = invoice(PRACTICE, COMPANY, &FEES);
    deposits.preceding = (0..50)
        .map(|place| Preceding {
            number: format!("F2026-{place:05}"),
            issued_on: deposits.issued_on,
            total_cents: Cents(1_000 + place),
        })
        .collect();
    deposits.prepaid_cents = deposits.preceding.iter().map(|it| it.total_cents).sum();
    let many: Vec<Row> = (0..60).map(|_| FEES[0]).collect();
    let mut draft = invoice(PRACTICE, PERSON, &FEES);
    draft.number = None;
    vec![
        ("business", invoice(PRACTICE, COMPANY, &FEES)),
        ("business-debits", invoice(&debits, COMPANY, &FEES)),
        ("deposit", deposit),
        ("final", last),
        ("deposits", deposits),
        ("names", names()),
        ("logo", with_logo()),
        ("credit", credit),
        ("reverse-charge", invoice(PRACTICE, GERMAN, &free)),
        ("outside", invoice(PRACTICE, SWISS, &free)),
        ("without-vat", invoice(PRACTICE, GUIANAN, &free)),
        ("overseas", invoice(PRACTICE, ANTILLEAN, &overseas)),
        ("monaco", invoice(PRACTICE, MONEGASQUE, &FEES)),
        ("franchise", invoice(&franchise, COMPANY, &free)),
        ("long", invoice(PRACTICE, COMPANY, &many)),
        ("copy", copy),
        ("person", invoice(PRACTICE, PERSON, &FEES)),
        ("specimen", specimen),
        ("draft", draft),
    ]
}

/// With a picture at the head.
fn with_logo() -> Invoice {
    let (width, height) = (300_u32, 90_u32);
    let mut data = Vec::new();
    let mut encoder = png::Encoder::new(&mut data, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    let pixels: Vec<u8> = (0..width * height).flat_map(|place| [40, 70, u8::try_from(place % 256).unwrap()]).collect();
    writer.write_image_data(&pixels).unwrap();
    writer.finish().unwrap();
    let mut invoice = invoice(PRACTICE, PERSON, &FEES);
    invoice.seller.logo = Some(Logo { mime_type: "image/png".to_owned(), data });
    invoice
}

/// Everything as long as it may be, and amounts as large.
fn names() -> Invoice {
    let long = |word: &str, length: usize| word.chars().cycle().take(length).collect::<String>();
    let mut names = invoice(PRACTICE, COMPANY, &FEES);
    names.seller.name = long("Société d’exercice libéral Delorme-Vandenbroucke & Associés, ", 200).trim().to_owned();
    names.seller.legal_form = long("SELARL inter-barreaux à associés multiples ", 100).trim().to_owned();
    names.seller.address.line1 = long("Résidence des Célestins, escalier ", 200).trim().to_owned();
    names.buyer.name = long("ASSOCIATIONDESCOPROPRIÉTAIRES", 200);
    names.buyer.address.line1 = long("Zone d’aménagement concerté des Célestins, ", 200).trim().to_owned();
    names.note = Some(long("Merci.\n", 1_000).trim().to_owned());
    let line = names.lines[0].clone();
    names.lines = (0..3)
        .map(|_| Line { description: long("Mémoire en réplique, ", 500).trim().to_owned(), ..line.clone() })
        .collect();
    names.lines.push(Line { description: long("Pièce\n", 500).trim().to_owned(), ..line.clone() });
    names.lines.push(Line { quantity: 999_999_999, unit_price_cents: Cents(1), ..line.clone() });
    names.lines.push(Line { quantity: 1_000, unit_price_cents: Cents(75_000_000), ..line });
    names.totals = Totals::of(&names.lines);
    names
}

#[test]
fn the_samples_are_written_for_the_checkers_and_are_small() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/documents/samples");
    fs::create_dir_all(&folder).unwrap();
    for (name, invoice) in samples() {
        let pdf = page::pdf(&invoice);
        assert!(pdf.len() <= 200_000, "{name}: {} bytes", pdf.len());
        fs::write(folder.join(format!("{name}.pdf")), &pdf).unwrap();
        if invoice.number.is_some() {
            fs::write(folder.join(format!("{name}.xml")), factur_x::xml(&invoice)).unwrap();
        }
        fs::write(folder.join(format!("{name}.json")), serde_json::to_vec(&invoice).unwrap()).unwrap();
    }
}

/// Numbers without order.
fn random() -> impl FnMut(usize) -> usize {
    let mut seed = 1_u32;
    move |below| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 16) as usize % below
    }
}

#[test]
fn the_longest_texts_fit_in_a_small_document() {
    const SYLLABLES: [&str; 16] =
        ["la", "per", "té", "mi", "sou", "ra", "con", "dé", "vi", "tion", "ju", "ge", "ment", "cour", "ap", "pel"];
    let mut next = random();
    let mut largest = invoice(PRACTICE, COMPANY, &[FEES[0]; 200]);
    for line in &mut largest.lines {
        let mut words = String::new();
        while words.chars().count() < 500 {
            words.extend((0..=next(3)).map(|_| SYLLABLES[next(16)]));
            words.push(' ');
        }
        line.description = words.chars().take(499).chain(['.']).collect();
    }
    let size = page::pdf(&largest).len();
    assert!((150_000..=200_000).contains(&size), "{size} bytes");
}

#[test]
fn a_logo_as_large_as_it_may_be_leaves_an_ordinary_document_small() {
    let (mut next, mut data) = (random(), Vec::new());
    let mut encoder = png::Encoder::new(&mut data, 180, 181);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    let pixels: Vec<u8> = (0..180 * 181 * 3).map(|_| u8::try_from(next(256)).unwrap()).collect();
    writer.write_image_data(&pixels).unwrap();
    writer.finish().unwrap();
    let mut ordinary = invoice(PRACTICE, COMPANY, &FEES);
    ordinary.seller.logo = Some(Logo { mime_type: "image/png".to_owned(), data });
    let size = page::pdf(&ordinary).len();
    assert!((110_000..=150_000).contains(&size), "{size} bytes");
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    for (name, invoice) in samples() {
        let again: Invoice = serde_json::from_slice(&serde_json::to_vec(&invoice).unwrap()).unwrap();
        assert!(page::pdf(&invoice) == page::pdf(&again), "{name}");
    }
}

#[test]
fn a_draft_carries_no_data_and_is_marked() {
    let (_, draft) = samples().pop().unwrap();
    let pdf = page::pdf(&draft);
    assert!(!pdf.windows(12).any(|window| window == b"factur-x.xml"));
}

#[test]
fn other_mentions_stand_on_an_invoice_to_a_person() {
    let words = |invoice: &Invoice| {
        let notes = lexchat::documents::wording::notes(invoice);
        notes.into_iter().filter(|note| note.is_printed).map(|note| note.text).collect::<Vec<_>>().join("\n")
    };
    let (person, business) = (invoice(PRACTICE, PERSON, &FEES), invoice(PRACTICE, COMPANY, &FEES));
    assert!(words(&business).contains("40\u{a0}€") && words(&business).contains("L441-10"));
    assert!(!words(&person).contains("40\u{a0}€") && !words(&person).contains("L441-10"));
    assert!(words(&person).contains("Médiateur") && !words(&business).contains("Médiateur"));
    let other = PRACTICE.replace(
        "\"profession\":\"avocat\"",
        "\"profession\":\"other\",\"authorisation\":\"arrêté du 1er décembre 2000\"",
    );
    let other = words(&invoice(&other, PERSON, &FEES));
    assert!(other.contains("arrêté") && !other.contains("onoraires"), "{other}");
    assert!(words(&person).contains("convention d’honoraires du 2 mars 2026"), "{}", words(&person));
}
