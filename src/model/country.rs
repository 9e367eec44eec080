//! Countries, as ISO 3166-1 names them by two letters: what addresses on bills are given in.

/// All that are assigned.
const CODES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR \
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP \
    KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT \
    MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW \
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG \
    UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// Whether this is the code of a country.
#[must_use]
pub fn is_country(code: &str) -> bool {
    CODES.split(' ').any(|one| one == code)
}

/// What VAT numbers of a country begin with: its code, but for Greece.
#[must_use]
pub fn vat_prefix(code: &str) -> &str {
    if code == "GR" { "EL" } else { code }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_that_are_assigned() {
        assert_eq!(CODES.split(' ').count(), 249);
        assert!(CODES.split(' ').is_sorted() && CODES.split(' ').all(|code| code.len() == 2));
        for (code, is_one) in [("FR", true), ("GR", true), ("GB", true), ("UK", false), ("EL", false), ("ZZ", false)] {
            assert_eq!(is_country(code), is_one, "{code}");
        }
        for code in ["", "F", "FRA", "fr", "R G", " "] {
            assert!(!is_country(code), "{code:?}");
        }
    }
}
