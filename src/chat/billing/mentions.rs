//! What the law wants on an invoice, and what of it is still unknown.

use serde_json::{Map, Value};

use crate::chat::billing::legibility;
use crate::chat::contract::bill_fields;
use crate::model::billing::Draft;
use crate::model::fields::Fault;
use crate::model::legal_number::{goes_with_siren, is_siren};
use crate::model::locale::Text;
use crate::model::party::{Buyer, BuyerKind, Mediator, Practice, Profession, VatRegime};
use crate::store::practice::PracticeRow;

/// Fields without which there is no practice on paper.
const ALWAYS: [&str; 8] =
    ["name", "profession", "legalForm", "address", "siren", "vatRegime", "paymentTermDays", "penaltyRateBp"];

/// The names of the fields that the law wants and that are missing, whoever is billed.
#[must_use]
pub fn missing(data: &Map<String, Value>) -> Vec<&'static str> {
    let has = |name: &str| data.contains_key(name);
    let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut missing: Vec<&'static str> = ALWAYS.into_iter().filter(|name| !has(name)).collect();
    let mut want = |name: &'static str, is_wanted: bool| {
        if is_wanted && !has(name) {
            missing.push(name);
        }
    };
    want("vatNumber", matches!(text("vatRegime"), "collection" | "debits"));
    want("rcs", has("shareCapitalCents"));
    want("authorisation", text("profession") == "other");
    want("conventionDate", text("profession") == "avocat");
    if !has("mediator") || text("profession") == "other" && is_of_the_bar(data) {
        missing.push("mediator");
    }
    missing
}

/// Whether the mediator is one that only barristers may name.
fn is_of_the_bar(data: &Map<String, Value>) -> bool {
    let mediator = data.get("mediator").and_then(|it| serde_json::from_value::<Mediator>(it.clone()).ok());
    mediator.is_some_and(|mediator| mediator.is_of_the_bar())
}

/// The practice as a party, with what is missing left empty: for drafts.
#[must_use]
pub fn incomplete(row: &PracticeRow) -> Practice {
    let mut data = row.data.clone();
    let blank = serde_json::json!({
        "name": "—", "profession": "avocat", "legalForm": "—", "siren": "000000000", "vatRegime": "collection",
        "address": {"line1": "—", "postcode": "", "city": "", "country": "FR"},
        "paymentTermDays": 30, "penaltyRateBp": 0,
    });
    if let Value::Object(blank) = blank {
        for (name, value) in blank {
            data.entry(name).or_insert(value);
        }
    }
    let mut practice: Practice =
        serde_json::from_value(Value::Object(data)).expect("every field that must be there is, and each was checked");
    practice.logo.clone_from(&row.logo);
    if practice.profession == Profession::Other {
        practice.mediator = practice.mediator.filter(|mediator| !mediator.is_of_the_bar());
    }
    practice
}

/// What was stored before it was looked at: a French VAT number of somebody else than the SIREN beside it.
fn contradictions(row: &PracticeRow, buyer: &Buyer) -> Vec<Fault> {
    let text = |name: &str| row.data.get(name).and_then(Value::as_str);
    let numbers = [
        ("practice.vatNumber", text("siren"), text("vatNumber")),
        ("buyer.vatNumber", buyer.siren.as_deref(), buyer.vat_number.as_deref()),
    ];
    let is_wrong = |siren: Option<&str>, number: Option<&str>| {
        siren.zip(number).is_some_and(|(siren, number)| !goes_with_siren(number, siren))
    };
    let wrong = numbers.into_iter().filter(|(_, siren, number)| is_wrong(*siren, *number));
    wrong.map(|(name, ..)| Fault::new(name, bill_fields::other_siren())).collect()
}

/// The practice as a party of an invoice to this buyer.
///
/// # Errors
/// What the law wants and is missing, contradicts itself or cannot be printed, by its field (`practice.…`, `buyer.…`).
pub fn complete(row: &PracticeRow, buyer: Option<&Buyer>, draft: &Draft) -> Result<(Practice, Buyer), Vec<Fault>> {
    let said = || Text::new("mention obligatoire manquante", "a mention that the law wants is missing");
    let is_person = buyer.is_none_or(|buyer| buyer.kind == BuyerKind::Person);
    let is_wanted = |name: &&str| *name != "mediator" || is_person;
    let named = missing(&row.data).into_iter().filter(is_wanted);
    let mut faults: Vec<Fault> = named.map(|name| Fault::new(format!("practice.{name}"), said())).collect();
    let Some(buyer) = buyer else {
        faults.push(Fault::new("buyer", said()));
        return Err(faults);
    };
    if buyer.is_french_business() && !buyer.siren.as_deref().is_some_and(is_siren) {
        faults.push(Fault::new("buyer.siren", said()));
    }
    faults.extend(contradictions(row, buyer));
    if draft.lines.is_empty() {
        faults.push(Fault::new("lines", said()));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut practice = incomplete(row);
    if practice.vat_regime == VatRegime::Franchise {
        practice.vat_number = None;
    }
    if practice.profession == Profession::Other {
        practice.convention_date = None;
    }
    let faults = legibility::faults(&practice, buyer, draft);
    if faults.is_empty() { Ok((practice, buyer.clone())) } else { Err(faults) }
}
