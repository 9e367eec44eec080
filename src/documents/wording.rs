//! The words that the law wants on an invoice, in French, as one list for the page and for the data in it.
//!
//! Sources: CGI ann. II art. 242 nonies A; Code de commerce art. L441-9, L441-10, D441-5; Code de la consommation art.
//! L616-1; décret 2005-790 (barristers' fees); loi 71-1130 art. 54.

use crate::model::cents::Cents;
use crate::model::day::Day;
use crate::model::invoice::{Invoice, InvoiceType};
use crate::model::party::{Address, Practice, Profession, VatRegime};

/// A sentence and, where the data has a place of its own for it, its code (UNTDID 4451, BT-21).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// `PMT`, `PMD`, `AAB`, `BAR`, `TXD` …
    pub code: Option<&'static str>,
    /// The sentence.
    pub text: String,
    /// Whether people are shown it, or programs alone.
    pub is_printed: bool,
}

/// What the document is called.
#[must_use]
pub fn title(invoice: &Invoice) -> &'static str {
    match invoice.r#type {
        InvoiceType::Standard => "Facture",
        InvoiceType::Deposit => "Facture d’acompte",
        InvoiceType::Credit => "Avoir",
    }
}

/// All sentences, in the order in which they are printed.
#[must_use]
pub fn notes(invoice: &Invoice) -> Vec<Note> {
    let mut notes = Vec::new();
    let printed = |code, text: String| Note { code, text, is_printed: true };
    if let Some(text) = &invoice.note {
        notes.push(printed(None, text.clone()));
    }
    for (_, words) in exemptions(invoice) {
        notes.push(printed(None, words.to_owned()));
    }
    if invoice.seller.vat_regime == VatRegime::Debits {
        notes.push(printed(None, "Option pour le paiement de la taxe d’après les débits.".to_owned()));
    }
    let is_for_business = is_for_business(invoice);
    if is_for_business {
        let rate = percent(invoice.seller.penalty_rate_bp);
        notes.push(printed(Some("PMD"), format!("Pénalités de retard au taux annuel de {rate} (C. com. L441-10).")));
        let fee = "Indemnité forfaitaire pour frais de recouvrement en cas de retard : 40 € (C. com. D441-5).";
        notes.push(printed(Some("PMT"), fee.to_owned()));
        notes.push(printed(Some("AAB"), "Pas d’escompte pour paiement anticipé.".to_owned()));
    }
    notes.extend(profession(invoice, is_for_business).into_iter().map(|text| printed(None, text)));
    let kind = match (is_for_business, invoice.buyer.is_french_business()) {
        (true, true) => "B2B",
        (true, false) => "B2BINT",
        (false, _) => "B2C",
    };
    notes.push(Note { code: Some("BAR"), text: kind.to_owned(), is_printed: false });
    notes
}

/// The reasons for which parts of the document bear no VAT: code and words, each once.
#[must_use]
pub fn exemptions(invoice: &Invoice) -> Vec<(&'static str, &'static str)> {
    let mut reasons: Vec<_> = invoice.totals.vat_groups.iter().filter_map(|group| group.category.exemption()).collect();
    reasons.dedup();
    reasons
}

/// Whether the buyer is a business, to which other mentions apply.
#[must_use]
pub fn is_for_business(invoice: &Invoice) -> bool {
    invoice.buyer.kind == crate::model::party::BuyerKind::Company
}

/// What is said above everything when this file is not the invoice itself.
#[must_use]
pub fn copy_notice(invoice: &Invoice) -> Option<&'static str> {
    invoice.goes_by_platform().then_some("Copie. L’original est transmis par la plateforme agréée.")
}

/// What the practice is, for the foot of each page.
#[must_use]
pub fn identity(practice: &Practice) -> Vec<String> {
    let mut form = practice.legal_form.clone();
    if let Some(capital) = practice.share_capital_cents {
        form = format!("{form} au capital de {}", whole_euros(capital));
    }
    let mut first = vec![practice.name.clone(), form];
    first.extend(practice.rcs.iter().map(|town| format!("RCS {town} {}", grouped(&practice.siren))));
    let mut second = vec![match &practice.siret {
        Some(siret) => format!("SIRET {}", grouped_siret(siret)),
        None => format!("SIREN {}", grouped(&practice.siren)),
    }];
    second.extend(practice.vat_number.iter().map(|number| format!("TVA {number}")));
    vec![first.join(" · "), second.join(" · ")]
}

/// The lines of an address; the country only where it is not France.
#[must_use]
pub fn address(address: &Address) -> Vec<String> {
    let mut lines = vec![address.line1.clone()];
    lines.extend(address.line2.clone());
    lines.push(format!("{} {}", address.postcode, address.city));
    if address.country != "FR" {
        lines.push(address.country.clone());
    }
    lines
}

/// `28 novembre 2026`.
#[must_use]
pub fn day(day: Day) -> String {
    const MONTHS: [&str; 12] = [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ];
    let month = MONTHS.get(usize::from(day.month()) - 1).copied().unwrap_or_default();
    let number = if day.day() == 1 { "1er".to_owned() } else { day.day().to_string() };
    format!("{number} {month} {}", day.year())
}

/// `5,5 %` of hundredths of a per cent.
#[must_use]
pub fn percent(basis_points: u32) -> String {
    let (whole, rest) = (basis_points / 100, basis_points % 100);
    match rest {
        0 => format!("{whole}\u{a0}%"),
        _ if rest % 10 == 0 => format!("{whole},{}\u{a0}%", rest / 10),
        _ => format!("{whole},{rest:02}\u{a0}%"),
    }
}

/// `1,5` of thousandths.
#[must_use]
pub fn quantity(thousandths: i64) -> String {
    let text = format!("{},{:03}", thousandths / 1_000, thousandths % 1_000);
    text.trim_end_matches('0').trim_end_matches(',').to_owned()
}

/// Groups of four, as IBANs are read.
#[must_use]
pub fn iban(iban: &str) -> String {
    let letters: Vec<char> = iban.chars().filter(|c| !c.is_whitespace()).collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("\u{a0}")
}

fn profession(invoice: &Invoice, is_for_business: bool) -> Vec<String> {
    let practice = &invoice.seller;
    let mut sentences = Vec::new();
    match practice.profession {
        Profession::Avocat => {
            if let Some(signed) = practice.convention_date {
                sentences.push(format!("Honoraires fixés par la convention d’honoraires du {}.", day(signed)));
            }
        }
        Profession::Other => {
            let authorisation = practice.authorisation.as_deref().unwrap_or_default();
            sentences.push(format!("Activité juridique exercée au titre de : {authorisation}."));
        }
        Profession::Notaire | Profession::CommissaireDeJustice => {}
    }
    if let Some(mediator) = practice.mediator.as_ref().filter(|_| !is_for_business) {
        let (name, contact) = (&mediator.name, &mediator.contact);
        sentences.push(format!("En cas de litige, médiation de la consommation gratuite : {name}, {contact}."));
    }
    sentences
}

fn whole_euros(amount: Cents) -> String {
    amount.to_string().replace(",00\u{a0}€", "\u{a0}€")
}

fn grouped(digits: &str) -> String {
    let digits: Vec<char> = digits.chars().collect();
    digits.chunks(3).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("\u{a0}")
}

fn grouped_siret(siret: &str) -> String {
    match siret.split_at_checked(9) {
        Some((siren, rest)) => format!("{}\u{a0}{rest}", grouped(siren)),
        None => siret.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_french_readers_expect() {
        assert_eq!(percent(550), "5,5\u{a0}%");
        assert_eq!(percent(2_000), "20\u{a0}%");
        assert_eq!(percent(1_075), "10,75\u{a0}%");
        assert_eq!((quantity(1_500), quantity(1_000), quantity(333)), ("1,5".into(), "1".into(), "0,333".into()));
        assert_eq!(day("2026-12-01".parse().unwrap()), "1er décembre 2026");
        assert_eq!(iban("FR7630006000011234567890189").replace('\u{a0}', " "), "FR76 3000 6000 0112 3456 7890 189");
        assert_eq!(grouped_siret("73282932000074").replace('\u{a0}', " "), "732 829 320 00074");
    }
}
