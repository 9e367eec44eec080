//! Numbers that registers and banks give out, each with its own check digits.

/// A SIREN: nine digits whose weighted sum ends in 0 (Luhn). Those that begin with 0 are given to nobody here.
#[must_use]
pub fn is_siren(text: &str) -> bool {
    text.len() == 9 && luhn(text) && text.bytes().any(|digit| digit != b'0')
}

/// A SIRET: a SIREN and five more digits, all fourteen checked together. La Poste's own follow another rule: their digits'
/// sum is a multiple of five.
#[must_use]
pub fn is_siret(text: &str) -> bool {
    const LA_POSTE: &str = "356000000";
    let is_digits = text.len() == 14 && text.bytes().all(|byte| byte.is_ascii_digit());
    let of_la_poste = || text.bytes().map(|digit| u32::from(digit - b'0')).sum::<u32>().is_multiple_of(5);
    is_digits && is_siren(&text[..9]) && (luhn(text) || text.starts_with(LA_POSTE) && of_la_poste())
}

/// A VAT number: the country's two letters and 2 to 12 letters or digits. Of a French one the key is checked, where it is
/// made of digits.
#[must_use]
pub fn is_vat_number(text: &str) -> bool {
    let Some((country, rest)) = text.split_at_checked(2) else { return false };
    let is_plain = (2..=12).contains(&rest.len())
        && country.bytes().all(|byte| byte.is_ascii_uppercase())
        && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if !is_plain || country != "FR" {
        return is_plain;
    }
    let Some((key, siren)) = rest.split_at_checked(2) else { return false };
    let Ok(number) = siren.parse::<u64>() else { return false };
    let is_key = key.parse::<u64>().map_or(true, |key| key == (12 + 3 * (number % 97)) % 97);
    siren.len() == 9 && is_key
}

/// Whether a VAT number may be of who has this SIREN: a French one ends in it. The nine digits of one of Monaco begin with
/// 000 and are no SIREN.
#[must_use]
pub fn goes_with_siren(vat_number: &str, siren: &str) -> bool {
    let digits = vat_number.strip_prefix("FR").and_then(|rest| rest.get(2..));
    digits.is_none_or(|digits| digits == siren || digits.starts_with("000"))
}

/// An IBAN without spaces: the remainder of 97 is 1 (ISO 7064).
#[must_use]
pub fn is_iban(text: &str) -> bool {
    let is_plain = (15..=34).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && text.bytes().take(2).all(|byte| byte.is_ascii_uppercase())
        && text.bytes().skip(2).take(2).all(|byte| byte.is_ascii_digit());
    let turned = text.bytes().skip(4).chain(text.bytes().take(4));
    let remainder = turned.fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte.saturating_sub(b'A')) + 10) % 97,
    });
    is_plain && remainder == 1
}

/// A BIC: four letters of the bank, two of the country, two of the place, three of the branch or none.
#[must_use]
pub fn is_bic(text: &str) -> bool {
    matches!(text.len(), 8 | 11)
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && text.bytes().take(6).all(|byte| byte.is_ascii_uppercase())
}

fn luhn(digits: &str) -> bool {
    let mut sum = 0;
    for (place, byte) in digits.bytes().rev().enumerate() {
        if !byte.is_ascii_digit() {
            return false;
        }
        let digit = u32::from(byte - b'0');
        let weighed = if place % 2 == 1 { digit * 2 } else { digit };
        sum += weighed / 10 + weighed % 10;
    }
    sum % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_that_registers_give_out() {
        for (text, check, is_good) in [
            ("732829320", is_siren as fn(&str) -> bool, true),
            ("732829321", is_siren, false),
            ("000000000", is_siren, false),
            ("73282932", is_siren, false),
            ("73282932é", is_siren, false),
            ("73282932000074", is_siret, true),
            ("73282932000075", is_siret, false),
            ("35600000000048", is_siret, true),
            ("35600000049837", is_siret, true),
            ("FR44732829320", is_vat_number, true),
            ("FR45732829320", is_vat_number, false),
            ("FRXX732829320", is_vat_number, true),
            ("DE136695976", is_vat_number, true),
            ("de136695976", is_vat_number, false),
            ("F", is_vat_number, false),
            ("é1234", is_vat_number, false),
            ("FR7630006000011234567890189", is_iban, true),
            ("FR7630006000011234567890188", is_iban, false),
            ("FR76 3000 6000 0112 3456 7890 189", is_iban, false),
            ("DE89370400440532013000", is_iban, true),
            ("AGRIFRPP882", is_bic, true),
            ("AGRIFRPP", is_bic, true),
            ("AGRIFRPPX", is_bic, false),
            ("AGR1FRPP", is_bic, false),
        ] {
            assert_eq!(check(text), is_good, "{text}");
        }
    }

    #[test]
    fn a_french_vat_number_ends_in_the_siren() {
        for (number, goes) in [
            ("FR44732829320", true),
            ("FRXX732829320", true),
            ("FR96552100554", false),
            ("FR34000123456", true),
            ("DE136695976", true),
        ] {
            assert_eq!(goes_with_siren(number, "732829320"), goes, "{number}");
        }
    }
}
