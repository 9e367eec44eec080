//! The rows about bills: what has to be transmitted, and money that was not expected so.

use crate::api::diagnosis::Facts;
use crate::chat::billing::pending::Pending;
use crate::model::day::Day;
use crate::model::finding::{Finding, Verdict, told};
use crate::model::locale::Locale;
use crate::store::checkout::Unexpected;
use crate::store::invoice_transmissions::Waiting;

/// An original that waits longer for its approved platform is late: what is issued on a Friday can go on the Monday.
const TRANSMISSION_DAYS_MAX: i64 = 3;

pub(super) fn rows(facts: &Facts<'_>) -> Vec<Finding> {
    let (Pending { untransmitted, unexpected }, l) = (facts.bills, facts.locale);
    let transmission = untransmitted.iter().map(|(waiting, today)| transmission_row(waiting, *today, l));
    transmission.chain(unexpected.iter().map(|payment| payment_row(payment, l))).collect()
}

/// Money that came over another amount than was asked for.
fn payment_row(payment: &Unexpected, l: Locale) -> Finding {
    let Unexpected { number, asked, came } = payment;
    let text = match l {
        Locale::French => {
            format!("Stripe a encaissé {came} pour {number}, alors que {asked} étaient demandés.")
        }
        Locale::English => format!("Stripe took {came} for {number}, where {asked} was asked for."),
    };
    let remedy = told(
        l,
        "Le montant reçu est noté\u{a0}: voyez sous /factures ce qui reste dû ou doit être remboursé, et le paiement chez Stripe.",
        "What came is noted: see under /factures what is still due or is to go back, and the payment at Stripe.",
    );
    Finding::fault("payments", Verdict::Warning, text, remedy)
}

/// What the practice issued and has not noted as transmitted yet.
fn transmission_row(waiting: &Waiting, today: Day, l: Locale) -> Finding {
    let Waiting { count, number, issued_on } = waiting;
    let days = today.days_since(*issued_on);
    if days <= TRANSMISSION_DAYS_MAX {
        let text = match l {
            Locale::French => {
                format!("Factures et avoirs à déposer : {count} ; le plus ancien, {number}, est du {issued_on}.")
            }
            Locale::English => {
                format!("Invoices and credit notes to transmit: {count}; the oldest, {number}, is of {issued_on}.")
            }
        };
        return Finding::good("transmissions", text);
    }
    let text = match l {
        Locale::French => format!(
            "Factures et avoirs à déposer : {count} ; le plus ancien, {number} du {issued_on}, attend depuis {days} jours."
        ),
        Locale::English => format!(
            "Invoices and credit notes to transmit: {count}; the oldest, {number} of {issued_on}, has waited for {days} days."
        ),
    };
    let remedy = told(
        l,
        "Déposez-les sur votre plateforme agréée, puis « Noter le dépôt » sur chaque document sous /factures.",
        "Transmit them by your approved platform, then “Record the transmission” on each document under /factures.",
    );
    Finding::fault("transmissions", Verdict::Warning, text, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_its_platform_is_shown_and_late_once_a_weekend_is_over() {
        let day = |day| Day::new(2027, 9, day).unwrap();
        let waiting = Waiting { count: 2, number: "F2027-00042".to_owned(), issued_on: day(3) };
        for l in [Locale::French, Locale::English] {
            for (today, verdict) in [(3, Verdict::Good), (6, Verdict::Good), (7, Verdict::Warning)] {
                let row = transmission_row(&waiting, day(today), l);
                assert_eq!((row.check, row.verdict), ("transmissions", verdict), "{row:?}");
                assert_eq!(row.remedy.is_some(), verdict == Verdict::Warning, "{row:?}");
                assert!(row.text.contains(": 2;") || row.text.contains(": 2\u{202f};"), "{row:?}");
                assert!(row.text.contains("F2027-00042") && row.text.contains("2027-09-03"), "{row:?}");
            }
        }
    }
}
