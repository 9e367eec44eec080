//! The QR code that a banking application reads: a SEPA transfer ready to be signed.
//!
//! European Payments Council, EPC069-12 version 3.1: "Quick Response Code: Guidelines to enable data capture for the
//! initiation of a SEPA credit transfer".

use qrcodegen::{QrCode, QrCodeEcc};

use crate::model::cents::Cents;

/// Characters of the payee's name and of the remittance text.
const NAME_MAX: usize = 70;
const REMITTANCE_MAX: usize = 140;

/// The code for a transfer of an amount; `None` where there is nothing to pay or it does not fit.
#[must_use]
pub fn transfer(name: &str, iban: &str, bic: Option<&str>, amount: Cents, remittance: &str) -> Option<QrCode> {
    let text = transfer_text(name, iban, bic, amount, remittance)?;
    QrCode::encode_text(&text, QrCodeEcc::Medium).ok()
}

/// What the code says: version 002, UTF-8, one element a line.
#[must_use]
pub fn transfer_text(name: &str, iban: &str, bic: Option<&str>, amount: Cents, remittance: &str) -> Option<String> {
    if !(1..=99_999_999_999).contains(&amount.0) {
        return None;
    }
    let [name, remittance] = [(name, NAME_MAX), (remittance, REMITTANCE_MAX)].map(one_line);
    let iban: String = iban.chars().filter(char::is_ascii_alphanumeric).collect();
    let bic = bic.unwrap_or_default();
    Some(format!("BCD\n002\n1\nSCT\n{bic}\n{name}\n{iban}\nEUR{}\n\n\n{remittance}", amount.plain()))
}

fn one_line((text, most): (&str, usize)) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_has_the_elements_in_their_order() {
        let text = transfer_text(
            "Cabinet Delorme",
            "FR76 3000 6000 0112 3456 7890 189",
            Some("AGRIFRPP882"),
            Cents(123_450),
            "F2026-00042",
        );
        assert_eq!(
            text.unwrap(),
            "BCD\n002\n1\nSCT\nAGRIFRPP882\nCabinet Delorme\nFR7630006000011234567890189\nEUR1234.50\n\n\nF2026-00042"
        );
    }

    #[test]
    fn nothing_to_pay_has_no_code_and_line_breaks_add_no_element() {
        assert_eq!(transfer_text("a", "FR76", None, Cents(0), "b"), None);
        let text = transfer_text("a\nb", "FR76", None, Cents(1), "c\nd").unwrap();
        assert_eq!(text.lines().count(), 11);
        assert!(transfer("é".repeat(90).as_str(), "FR76", None, Cents(1), &"x".repeat(300)).is_some());
    }
}
