//! How bills, and their two parties, are spelled in JSON.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::chat::contract::command::billing::{
    CreateInvoice, CreditInvoice, RecordPayment, UpdateInvoice, UpdatePractice,
};
use crate::chat::contract::printed_fields::{optional_printed, optional_words, printed, words};
use crate::model::billing::{Draft, DraftLine, PaymentMethod};
use crate::model::cents::Cents;
use crate::model::country::is_country;
use crate::model::day::Day;
use crate::model::fields::Fields;
use crate::model::id::InvoiceId;
use crate::model::invoice::{DESCRIPTION_MAX, FACTOR_MAX, InvoiceType, LINES_MAX, LineKind, VatRate};
use crate::model::legal_number::{goes_with_siren, is_bic, is_iban, is_siren, is_siret, is_vat_number};
use crate::model::locale::Text;
use crate::model::party::{Address, Buyer, BuyerKind, Logo};

/// Bytes of a logo.
const LOGO_MAX: usize = 256 << 10;
/// Days until a bill is to be paid, at most.
const TERM_MAX: i64 = 365;
/// Deposits of one final invoice.
const DEPOSITS_MAX: usize = 50;

/// Which fields of the practice are texts, and how long.
const TEXTS: [(&str, usize); 4] = [("name", 200), ("authorisation", 300), ("legalForm", 100), ("rcs", 100)];

/// A field of the practice with a form of its own.
type Formed = (&'static str, fn(&str) -> bool, &'static str, &'static str);

const FORMED: [Formed; 8] = [
    ("siren", is_siren, "doit être un SIREN : neuf chiffres", "must be a SIREN: nine digits"),
    ("siret", is_siret, "doit être un SIRET : quatorze chiffres", "must be a SIRET: fourteen digits"),
    ("vatNumber", is_vat_number, "doit être un numéro de TVA", "must be a VAT number"),
    ("iban", is_iban, "doit être un IBAN", "must be an IBAN"),
    ("bic", is_bic, "doit être un BIC", "must be a BIC"),
    ("conventionDate", is_day, "doit être une date AAAA-MM-JJ", "must be a date YYYY-MM-DD"),
    ("eInvoicingFrom", is_day, "doit être une date AAAA-MM-JJ", "must be a date YYYY-MM-DD"),
    (
        "vatRegime",
        |word| matches!(word, "collection" | "debits" | "franchise"),
        "doit être « collection », « debits » ou « franchise »",
        "must be `collection`, `debits` or `franchise`",
    ),
];

fn is_day(text: &str) -> bool {
    Day::from_str(text).is_ok()
}

/// The fields of `PATCH /admin/practice`; `null` takes one away.
pub fn practice(fields: &mut Fields) -> UpdatePractice {
    let mut changes = Map::new();
    for (name, max) in TEXTS {
        change(fields, &mut changes, name, |fields| optional_words(fields, name, max).map(Value::from));
    }
    for (name, check, fr, en) in FORMED {
        change(fields, &mut changes, name, |fields| {
            let text = |text: &str| Some(text.replace([' ', '\u{a0}'], "")).filter(|text| check(text));
            fields.optional_parsed(name, Text::new(fr, en), text).map(Value::from)
        });
    }
    change(fields, &mut changes, "profession", |fields| {
        let known = ["avocat", "notaire", "commissaire-de-justice", "other"];
        let said = Text::new("n’est pas une profession connue", "is no known profession");
        let word = |word: &str| known.contains(&word).then(|| Value::from(word));
        fields.optional_parsed("profession", said, word)
    });
    for (name, range) in
        [("shareCapitalCents", 0..=1_000_000_000_000), ("paymentTermDays", 0..=TERM_MAX), ("penaltyRateBp", 0..=10_000)]
    {
        change(fields, &mut changes, name, |fields| fields.optional_integer(name, range).map(Value::from));
    }
    change(fields, &mut changes, "address", |fields| {
        let value = fields.take("address")?;
        fields.inner("address", value, address).and_then(|address| serde_json::to_value(address).ok())
    });
    change(fields, &mut changes, "mediator", |fields| {
        let value = fields.take("mediator")?;
        fields.inner(
            "mediator",
            value,
            |fields| json!({ "name": words(fields, "name", 200), "contact": words(fields, "contact", 300) }),
        )
    });
    let logo = if fields.is_null("logo") {
        Some(None)
    } else {
        fields.take("logo").and_then(|value| fields.inner("logo", value, logo)).flatten().map(Some)
    };
    UpdatePractice { changes, logo }
}

fn change(
    fields: &mut Fields,
    changes: &mut Map<String, Value>,
    name: &str,
    read: impl FnOnce(&mut Fields) -> Option<Value>,
) {
    let value = if fields.is_null(name) { Some(Value::Null) } else { read(fields) };
    if let Some(value) = value {
        changes.insert(name.to_owned(), value);
    }
}

fn logo(fields: &mut Fields) -> Option<Logo> {
    let said =
        Text::new("doit être une image PNG ou JPEG de 256 Kio au plus", "must be a PNG or JPEG of 256 KiB at most");
    let data = fields.parsed("data", said.clone(), Vec::new(), |text| {
        STANDARD.decode(text).ok().filter(|bytes| bytes.len() <= LOGO_MAX)
    });
    let mime_type = match data.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [] => return None,
        _ => return fields.wrong("data", said),
    };
    Some(Logo { mime_type: mime_type.to_owned(), data })
}

/// An address.
fn address(fields: &mut Fields) -> Address {
    let country = fields.optional_parsed(
        "country",
        Text::new(
            "doit être un code de pays ISO 3166 (FR, GB, GR)",
            "must be a country's code by ISO 3166 (FR, GB, GR)",
        ),
        |text| is_country(text).then(|| text.to_owned()),
    );
    Address {
        line1: words(fields, "line1", 200),
        line2: optional_words(fields, "line2", 200),
        postcode: words(fields, "postcode", 20),
        city: words(fields, "city", 100),
        country: country.unwrap_or_else(|| "FR".to_owned()),
    }
}

/// `{kind, name, address, siren?, vatNumber?}`.
pub fn buyer(fields: &mut Fields) -> Buyer {
    let said = Text::new("doit être « person » ou « company »", "must be `person` or `company`");
    let kind = fields.parsed("kind", said, BuyerKind::Person, |word| match word {
        "person" => Some(BuyerKind::Person),
        "company" => Some(BuyerKind::Company),
        _ => None,
    });
    let name = words(fields, "name", 200);
    let address = match fields.take("address") {
        Some(value) => fields.inner("address", value, address),
        None => {
            fields.text("address", 1..=1);
            None
        }
    };
    let plain = |text: &str| text.replace([' ', '\u{a0}'], "");
    let said = Text::new("doit être un SIREN : neuf chiffres", "must be a SIREN: nine digits");
    let siren = fields.optional_parsed("siren", said, |text| Some(plain(text)).filter(|text| is_siren(text)));
    let said = Text::new("doit être un numéro de TVA", "must be a VAT number");
    let vat_number =
        fields.optional_parsed("vatNumber", said, |text| Some(plain(text)).filter(|text| is_vat_number(text)));
    if siren.as_ref().zip(vat_number.as_ref()).is_some_and(|(siren, number)| !goes_with_siren(number, siren)) {
        fields.wrong::<()>("vatNumber", other_siren());
    }
    Buyer { kind, name, address: address.unwrap_or_else(nowhere), siren, vat_number }
}

/// What is said of a VAT number that is another one's.
#[must_use]
pub fn other_siren() -> Text {
    Text::new(
        "est d’un autre SIREN : un numéro de TVA français finit par le SIREN",
        "is of another SIREN: a French VAT number ends in the SIREN",
    )
}

/// Stands in while the rest of a bad object is read.
fn nowhere() -> Address {
    let (line1, postcode, city, country) = (String::new(), String::new(), String::new(), "FR".to_owned());
    Address { line1, line2: None, postcode, city, country }
}

/// `{conversationId, type?, lines, buyer?, dueInDays?, note?, depositIds?}`.
pub fn create_invoice(fields: &mut Fields) -> CreateInvoice {
    let conversation_id = fields.id("conversationId");
    let lines = optional_lines(fields);
    if lines.is_none() {
        fields.wrong::<()>("lines", Text::new("est requis", "is required"));
    }
    let draft = Draft {
        r#type: optional_type(fields).unwrap_or(InvoiceType::Standard),
        lines: lines.unwrap_or_default(),
        buyer: optional_buyer(fields).flatten(),
        due_in_days: optional_term(fields).flatten(),
        note: optional_note(fields).flatten(),
        deposit_ids: optional_deposits(fields).unwrap_or_default(),
    };
    CreateInvoice { conversation_id, draft }
}

/// `{type?, lines?, buyer?, dueInDays?, note?, depositIds?}`; `null` takes one of the optional ones away.
pub fn update_invoice(fields: &mut Fields, invoice_id: InvoiceId) -> UpdateInvoice {
    UpdateInvoice {
        invoice_id,
        r#type: optional_type(fields),
        lines: optional_lines(fields),
        buyer: optional_buyer(fields),
        due_in_days: optional_term(fields),
        note: optional_note(fields),
        deposit_ids: optional_deposits(fields),
    }
}

fn optional_type(fields: &mut Fields) -> Option<InvoiceType> {
    let said = Text::new("doit être « standard » ou « deposit »", "must be `standard` or `deposit`");
    fields.optional_parsed("type", said, |word| match word {
        "standard" => Some(InvoiceType::Standard),
        "deposit" => Some(InvoiceType::Deposit),
        _ => None,
    })
}

/// `None`: not said; `Some(None)`: taken away.
fn optional_buyer(fields: &mut Fields) -> Option<Option<Buyer>> {
    if fields.is_null("buyer") {
        return Some(None);
    }
    let value = fields.take("buyer")?;
    fields.inner("buyer", value, buyer).map(Some)
}

fn optional_term(fields: &mut Fields) -> Option<Option<u16>> {
    if fields.is_null("dueInDays") {
        return Some(None);
    }
    let days = fields.optional_integer("dueInDays", 0..=TERM_MAX)?;
    Some(u16::try_from(days).ok())
}

fn optional_note(fields: &mut Fields) -> Option<Option<String>> {
    if fields.is_null("note") { Some(None) } else { optional_printed(fields, "note", 1_000).map(Some) }
}

fn optional_deposits(fields: &mut Fields) -> Option<Vec<InvoiceId>> {
    if fields.is_null("depositIds") {
        return Some(Vec::new());
    }
    let list = fields.optional_list("depositIds", DEPOSITS_MAX)?;
    let mut ids = Vec::new();
    for (place, value) in list.into_iter().enumerate() {
        match fields.id_in::<InvoiceId>(&value) {
            Some(id) if !ids.contains(&id) => ids.push(id),
            _ => fields.wrong(
                &format!("depositIds[{place}]"),
                Text::new("doit être un acompte, nommé une fois", "must be a deposit, named once"),
            ),
        }
    }
    Some(ids)
}

/// At least one, if there are any.
fn some_lines(fields: &mut Fields) -> Option<Vec<Value>> {
    if fields.is_empty_list("lines") {
        fields.wrong::<()>("lines", Text::new("au moins une ligne", "at least one line"));
    }
    fields.optional_list("lines", LINES_MAX)
}

fn optional_lines(fields: &mut Fields) -> Option<Vec<DraftLine>> {
    let list = some_lines(fields)?;
    let lines = list.into_iter().enumerate();
    Some(lines.filter_map(|(place, value)| fields.inner(&format!("lines[{place}]"), value, line)).collect())
}

fn line(fields: &mut Fields) -> DraftLine {
    let rates = Text::new("doit être 2000, 1000, 850, 550, 210 ou 0", "must be 2000, 1000, 850, 550, 210 or 0");
    let description = printed(fields, "description", DESCRIPTION_MAX);
    let quantity = fields.optional_integer("quantity", 1..=FACTOR_MAX).unwrap_or(1_000);
    let unit_price = fields.integer("unitPriceCents", 0..=FACTOR_MAX);
    let discount = fields.optional_integer("discountCents", 0..=FACTOR_MAX * 1_000).unwrap_or(0);
    let rate = fields.integer("vatRateBp", 0..=10_000);
    let vat_rate_bp = match u16::try_from(rate).ok().and_then(|rate| VatRate::try_from(rate).ok()) {
        Some(rate) => rate,
        None => {
            fields.wrong::<()>("vatRateBp", rates);
            VatRate::ZERO
        }
    };
    let kinds =
        Text::new("doit être « fee », « expense » ou « disbursement »", "must be `fee`, `expense` or `disbursement`");
    let kind = fields.optional_parsed("kind", kinds, |word| match word {
        "fee" => Some(LineKind::Fee),
        "expense" => Some(LineKind::Expense),
        "disbursement" => Some(LineKind::Disbursement),
        _ => None,
    });
    let line = DraftLine {
        description,
        quantity,
        unit_price_cents: Cents(unit_price),
        discount_cents: Cents(discount),
        vat_rate_bp,
        kind: kind.unwrap_or(LineKind::Fee),
    };
    if line.discount_cents > line.unit_price_cents.scaled(line.quantity, 1_000) {
        let said = Text::new("ne doit pas dépasser le montant de la ligne", "must not be more than the line's amount");
        fields.wrong::<()>("discountCents", said);
    }
    line
}

/// `{method, amountCents, date, reference?}`.
pub fn record_payment(fields: &mut Fields, invoice_id: InvoiceId) -> RecordPayment {
    let said = Text::new("doit être « transfer », « cheque » ou « cash »", "must be `transfer`, `cheque` or `cash`");
    let by_hand = |word: &str| PaymentMethod::find(word).filter(|method| method.is_by_hand());
    let amount = fields.integer("amountCents", -FACTOR_MAX..=FACTOR_MAX);
    if amount == 0 {
        fields.wrong::<()>("amountCents", Text::new("ne doit pas être nul", "must not be zero"));
    }
    RecordPayment {
        invoice_id,
        method: fields.parsed("method", said, PaymentMethod::Transfer, by_hand),
        amount: Cents(amount),
        date: day(fields, "date"),
        reference: fields.optional_text("reference", 1..=200),
    }
}

/// `{lines?: [{lineId, netCents}], reason, refundCents?}`.
pub fn credit_invoice(fields: &mut Fields, invoice_id: InvoiceId) -> CreditInvoice {
    let lines = some_lines(fields).map(|list| {
        let mut lines: Vec<(i64, Cents)> = Vec::new();
        for (place, value) in list.into_iter().enumerate() {
            let path = format!("lines[{place}]");
            let read = fields.inner(&path, value, |line| {
                (line.integer("lineId", 1..=LINES_MAX as i64), Cents(line.integer("netCents", 1..=FACTOR_MAX * 1_000)))
            });
            let Some(line) = read else { continue };
            if lines.iter().any(|(id, _)| *id == line.0) {
                fields.wrong::<()>(&path, Text::new("est nommée deux fois", "is named twice"));
            }
            lines.push(line);
        }
        lines
    });
    CreditInvoice {
        invoice_id,
        lines,
        reason: printed(fields, "reason", 500),
        refund: Cents(fields.optional_integer("refundCents", 0..=FACTOR_MAX).unwrap_or(0)),
    }
}

/// A day that must be there.
pub fn day(fields: &mut Fields, name: &str) -> Day {
    let said = Text::new("doit être une date AAAA-MM-JJ", "must be a date YYYY-MM-DD");
    let stand_in = Day::new(2000, 1, 1).expect("a day of the calendar");
    fields.parsed(name, said, stand_in, |text| text.parse().ok())
}
