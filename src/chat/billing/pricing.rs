//! From what was typed to what is billed: VAT categories, lines with their amounts, sums within bounds.

use crate::chat::contract::error::Error;
use crate::model::billing::DraftLine;
use crate::model::cents::Cents;
use crate::model::fields::Fault;
use crate::model::invoice::{Line, LineKind, TOTAL_MAX, Totals, VatCategory, VatMisfit};
use crate::model::locale::Text;
use crate::model::party::{Buyer, Practice, Profession};

/// Words that only the regulated professions may bill under.
const RESERVED: [&str; 2] = ["consultation", "honoraire"];

/// Words of money that a barrister may only handle through the CARPA, and so never bills.
const OTHERS_MONEY: [&str; 3] = ["carpa", "fonds de tiers", "sequestre"];

/// Prices lines for these two parties.
///
/// # Errors
/// What does not fit, by its field.
pub fn price(practice: &Practice, buyer: &Buyer, typed: &[DraftLine]) -> Result<(Vec<Line>, Totals), Vec<Fault>> {
    let mut faults = Vec::new();
    let mut lines = Vec::with_capacity(typed.len());
    for (place, line) in typed.iter().enumerate() {
        let named = |field: &str| format!("lines[{place}].{field}");
        if let Some(text) = unlawful(practice.profession, &line.description) {
            faults.push(Fault::new(named("description"), text));
        }
        match VatCategory::derive(practice, buyer, line.kind, line.vat_rate_bp) {
            Ok(category) => lines.push(priced(line, category)),
            Err(misfit) => faults.push(Fault::new(named("vatRateBp"), text_of(misfit))),
        }
    }
    let totals = Totals::of(&lines);
    let total = totals.total();
    if total < Cents::ZERO || total > TOTAL_MAX {
        faults.push(Fault::new(
            "lines",
            Text::new("le total doit être entre 0 et 999 999,99 €", "the total must be between 0 and 999,999.99 €"),
        ));
    }
    if faults.is_empty() { Ok((lines, totals)) } else { Err(faults) }
}

/// Prices lines as far as they fit, to show a draft whose parties have changed since it was typed.
#[must_use]
pub fn price_as_typed(practice: &Practice, buyer: &Buyer, typed: &[DraftLine]) -> (Vec<Line>, Totals) {
    let lines: Vec<Line> = typed
        .iter()
        .map(|line| {
            let category = VatCategory::derive(practice, buyer, line.kind, line.vat_rate_bp);
            let fallback = match line.kind {
                LineKind::Disbursement => VatCategory::Disbursement,
                LineKind::Fee | LineKind::Expense => VatCategory::Standard,
            };
            priced(line, category.unwrap_or(fallback))
        })
        .collect();
    let totals = Totals::of(&lines);
    (lines, totals)
}

fn priced(line: &DraftLine, vat_category: VatCategory) -> Line {
    Line {
        description: line.description.clone(),
        quantity: line.quantity,
        unit_price_cents: line.unit_price_cents,
        discount_cents: line.discount_cents,
        vat_rate_bp: line.vat_rate_bp,
        kind: line.kind,
        vat_category,
    }
}

/// Lets only a text go on that may stand on an invoice of this profession.
///
/// # Errors
/// `INVALID` naming the field.
pub fn require_lawful(profession: Profession, field: &'static str, text: &str) -> Result<(), Error> {
    unlawful(profession, text).map_or(Ok(()), |said| Err(Error::invalid(field, said)))
}

/// Why a text must not stand on an invoice of this profession.
fn unlawful(profession: Profession, text: &str) -> Option<Text> {
    let folded = crate::model::text::fold::fold(text);
    let has = |words: &[&str]| words.iter().any(|word| folded.contains(word));
    match profession {
        Profession::Avocat if has(&OTHERS_MONEY) => Some(Text::new(
            "les fonds de tiers passent par la CARPA et ne se facturent pas",
            "money of third parties goes through the CARPA and is not billed",
        )),
        Profession::Other if has(&RESERVED) => Some(Text::new(
            "« consultation » et « honoraires » sont réservés aux professions réglementées",
            "“consultation” and “honoraires” are kept for the regulated professions",
        )),
        _ => None,
    }
}

fn text_of(misfit: VatMisfit) -> Text {
    match misfit {
        VatMisfit::MustBeZero(category) => {
            let why = category.exemption().map_or("", |(_, words)| words);
            Text::new(format!("le taux doit être 0 : {why}"), format!("the rate must be 0: {why}"))
        }
        VatMisfit::ZeroWithoutReason => Text::new(
            "un taux de 0 demande un motif : seul un débours en a un ici",
            "a rate of 0 needs a reason: only a disbursement has one here",
        ),
        VatMisfit::NotInForce { overseas: true } => Text::new(
            "en Guadeloupe, en Martinique et à La Réunion, le taux est 8,5 % ou 2,1 % (CGI, art. 296)",
            "in Guadeloupe, Martinique and Réunion the rate is 8.5% or 2.1% (CGI, art. 296)",
        ),
        VatMisfit::NotInForce { overseas: false } => Text::new(
            "8,5 % est le taux de la Guadeloupe, de la Martinique et de La Réunion (CGI, art. 296)",
            "8.5% is the rate of Guadeloupe, Martinique and Réunion (CGI, art. 296)",
        ),
    }
}
