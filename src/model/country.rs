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

/// Where somebody is, as French VAT on services sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VatTerritory {
    /// French VAT at the rates of the mainland. Monaco counts as France (convention of 18 May 1963), and its VAT numbers
    /// are French ones.
    France,
    /// French VAT at rates of its own (CGI art. 296).
    Overseas,
    /// France, where no VAT is in force (CGI art. 294, 1).
    WithoutVat,
    /// Another member of the European Union.
    Union,
    /// Neither: also what is French and outside the Union's VAT, like Saint-Barthélemy or New Caledonia.
    Elsewhere,
}

/// All countries that are not [`VatTerritory::Elsewhere`]. Of the French departments overseas only those count that an
/// address names by their own code.
const TERRITORIES: [(VatTerritory, &str); 4] = [
    (VatTerritory::France, "FR MC"),
    (VatTerritory::Overseas, "GP MQ RE"),
    (VatTerritory::WithoutVat, "GF YT"),
    (VatTerritory::Union, "AT BE BG CY CZ DE DK EE ES FI GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"),
];

/// Where this country is for French VAT on services.
#[must_use]
pub fn vat_territory(code: &str) -> VatTerritory {
    let found = TERRITORIES.into_iter().find(|(_, codes)| codes.split(' ').any(|one| one == code));
    found.map_or(VatTerritory::Elsewhere, |(territory, _)| territory)
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
        for (_, codes) in TERRITORIES {
            assert!(codes.split(' ').all(is_country), "{codes}");
        }
        for code in ["", "F", "FRA", "fr", "R G", " "] {
            assert!(!is_country(code), "{code:?}");
        }
    }

    #[test]
    fn what_is_french_is_not_all_of_it_in_the_same_vat() {
        for (codes, territory) in [
            ("FR MC", VatTerritory::France),
            ("GP MQ RE", VatTerritory::Overseas),
            ("GF YT", VatTerritory::WithoutVat),
            ("DE GR IE", VatTerritory::Union),
            ("BL MF PM PF NC WF TF", VatTerritory::Elsewhere),
            ("CH GB AX SM", VatTerritory::Elsewhere),
        ] {
            for code in codes.split(' ') {
                assert_eq!(vat_territory(code), territory, "{code}");
            }
        }
    }
}
