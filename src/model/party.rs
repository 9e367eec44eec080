//! The two parties of an invoice: the practice that sells and the person or company that buys.

use serde::{Deserialize, Serialize};

use crate::model::cents::Cents;
use crate::model::country::{VatTerritory, vat_prefix, vat_territory};
use crate::model::day::Day;
use crate::model::text::fold::fold;

/// The days from which small firms must hand in their invoices by an approved platform (ordonnance 2021-1190).
const E_INVOICING_FROM: (i32, u8, u8) = (2027, 9, 1);

/// What those who give legal advice are by law (loi 71-1130, art. 54 and 56).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profession {
    /// A barrister.
    Avocat,
    /// A notary.
    Notaire,
    /// A bailiff.
    CommissaireDeJustice,
    /// Somebody who gives legal advice beside another activity, by an authorisation that must be named.
    Other,
}

/// When VAT becomes due, or that there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VatRegime {
    /// When money comes in (the rule for services).
    Collection,
    /// When the invoice is issued (by choice).
    Debits,
    /// None: a small business (CGI art. 293 B).
    Franchise,
}

/// Where a party is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// Number and street.
    pub line1: String,
    /// What else the post needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    /// The postcode.
    pub postcode: String,
    /// The town.
    pub city: String,
    /// ISO 3166-1 alpha-2: `FR`.
    pub country: String,
}

/// The mediator whom a consumer may turn to (Code de la consommation, art. L616-1).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mediator {
    /// Who.
    pub name: String,
    /// Where: an address or a site.
    pub contact: String,
}

impl Mediator {
    /// Whether it is the barristers' own, who mediates for nobody else's clients.
    #[must_use]
    pub fn is_of_the_bar(&self) -> bool {
        let folded = fold(&format!("{} {}", self.name, self.contact));
        ["avocat", "barreau"].iter().any(|word| folded.contains(word))
    }
}

/// A picture for the head of the page: PNG or JPEG, ≤ 256 KiB.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Logo {
    /// `image/png` or `image/jpeg`.
    pub mime_type: String,
    /// Its bytes.
    #[serde(with = "base64_bytes")]
    pub data: Vec<u8>,
}

/// The practice that issues an invoice.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Practice {
    /// Its name.
    pub name: String,
    /// What it is by law.
    pub profession: Profession,
    /// What allows it to give legal advice, where `profession` is `other`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorisation: Option<String>,
    /// `SELARL`, `EI` …
    pub legal_form: String,
    /// Its capital; `None` where the form has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_capital_cents: Option<Cents>,
    /// Where it is.
    pub address: Address,
    /// Nine digits.
    pub siren: String,
    /// Fourteen digits, the first nine the SIREN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub siret: Option<String>,
    /// The town of its trade register.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rcs: Option<String>,
    /// `FR…`; `None` in franchise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vat_number: Option<String>,
    /// When VAT becomes due.
    pub vat_regime: VatRegime,
    /// Where to transfer to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iban: Option<String>,
    /// The bank of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bic: Option<String>,
    /// Days until an invoice is to be paid.
    pub payment_term_days: u16,
    /// The penalty for late payment, in hundredths of a per cent a year.
    pub penalty_rate_bp: u32,
    /// Whom a consumer may turn to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mediator: Option<Mediator>,
    /// The day of the fee agreement, for barristers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convention_date: Option<Day>,
    /// From when the original of an invoice to a French business goes by an approved platform.
    #[serde(default = "e_invoicing_from")]
    pub e_invoicing_from: Day,
    /// A picture for the head of the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<Logo>,
}

/// The day of the law.
#[must_use]
pub fn e_invoicing_from() -> Day {
    let (year, month, day) = E_INVOICING_FROM;
    Day::new(year, month, day).expect("a day of the calendar")
}

/// Whether a buyer is a person or a company.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BuyerKind {
    /// A private person.
    Person,
    /// A business.
    Company,
}

/// Who is billed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Buyer {
    /// A person or a company.
    pub kind: BuyerKind,
    /// Full name.
    pub name: String,
    /// Where they are.
    pub address: Address,
    /// Nine digits, of a French business.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub siren: Option<String>,
    /// With its country's prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vat_number: Option<String>,
}

impl Buyer {
    /// Of a business: where it is for VAT. Its place decides which VAT there is on services for it (CGI art. 259, 1°).
    #[must_use]
    pub fn business_territory(&self) -> Option<VatTerritory> {
        (self.kind == BuyerKind::Company).then(|| vat_territory(&self.address.country))
    }

    /// A business in France, where VAT is in force: the law asks for its SIREN, and for a platform from a day on. One in
    /// Monaco has no SIREN, and invoices to it stay out of the directory of electronic ones.
    #[must_use]
    pub fn is_french_business(&self) -> bool {
        let is_in_monaco = self.address.country == "MC";
        matches!(self.business_territory(), Some(VatTerritory::France | VatTerritory::Overseas)) && !is_in_monaco
    }

    /// A business with a VAT number of the other member of the EU in which it is: it owes the VAT itself.
    #[must_use]
    pub fn is_business_elsewhere_in_eu(&self) -> bool {
        self.business_territory() == Some(VatTerritory::Union)
            && self.vat_number.as_ref().is_some_and(|number| number.starts_with(vat_prefix(&self.address.country)))
    }
}

mod base64_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        STANDARD.decode(text.as_bytes()).map_err(de::Error::custom)
    }
}

#[cfg(test)]
pub(in crate::model) mod tests {
    use super::*;

    /// A practice that may issue.
    pub(in crate::model) fn practice() -> Practice {
        Practice {
            name: "Cabinet Delorme & Associés".to_owned(),
            profession: Profession::Avocat,
            authorisation: None,
            legal_form: "SELARL".to_owned(),
            share_capital_cents: Some(Cents(2_000_000)),
            address: address("FR"),
            siren: "732829320".to_owned(),
            siret: Some("73282932000074".to_owned()),
            rcs: Some("Lyon".to_owned()),
            vat_number: Some("FR44732829320".to_owned()),
            vat_regime: VatRegime::Collection,
            iban: Some("FR7630006000011234567890189".to_owned()),
            bic: Some("AGRIFRPP882".to_owned()),
            payment_term_days: 30,
            penalty_rate_bp: 1_200,
            mediator: Some(Mediator {
                name: "Médiateur de la consommation de la profession d’avocat".to_owned(),
                contact: "mediateur-consommation-avocat.fr".to_owned(),
            }),
            convention_date: Day::new(2026, 3, 2),
            e_invoicing_from: e_invoicing_from(),
            logo: None,
        }
    }

    /// A private person.
    pub(in crate::model) fn person() -> Buyer {
        Buyer {
            kind: BuyerKind::Person,
            name: "Camille Lefèvre".to_owned(),
            address: address("FR"),
            siren: None,
            vat_number: None,
        }
    }

    /// A company somewhere.
    pub(in crate::model) fn company(country: &str, vat_number: Option<&str>) -> Buyer {
        Buyer {
            kind: BuyerKind::Company,
            name: "Müller & Fils".to_owned(),
            address: address(country),
            siren: (country == "FR").then(|| "552100554".to_owned()),
            vat_number: vat_number.map(str::to_owned),
        }
    }

    fn address(country: &str) -> Address {
        Address {
            line1: "12 rue de la République".to_owned(),
            line2: None,
            postcode: "69002".to_owned(),
            city: "Lyon".to_owned(),
            country: country.to_owned(),
        }
    }

    #[test]
    fn where_a_business_is_decides_who_owes_the_vat() {
        assert!(company("FR", Some("FR44552100554")).is_french_business());
        assert!(company("DE", Some("DE123456789")).is_business_elsewhere_in_eu());
        assert!(!company("DE", None).is_business_elsewhere_in_eu());
        assert!(!company("DE", Some("US12")).is_business_elsewhere_in_eu());
        assert!(!company("DE", Some("FR44552100554")).is_business_elsewhere_in_eu());
        assert!(company("GR", Some("EL123456789")).is_business_elsewhere_in_eu());
        assert!(!company("MC", Some("FR34000123456")).is_business_elsewhere_in_eu());
        for (country, is_french) in
            [("GP", true), ("RE", true), ("MC", false), ("GF", false), ("NC", false), ("CH", false)]
        {
            assert_eq!(company(country, None).is_french_business(), is_french, "{country}");
        }
        assert!(!person().is_french_business());
        assert_eq!(Buyer { address: address("CH"), ..person() }.business_territory(), None);
    }

    #[test]
    fn a_practice_is_read_as_it_was_written() {
        let logo = Some(Logo { mime_type: "image/png".to_owned(), data: vec![1, 2, 255] });
        let practice = Practice { logo, ..practice() };
        let text = serde_json::to_string(&practice).unwrap();
        assert_eq!(serde_json::from_str::<Practice>(&text).unwrap(), practice);
        assert!(text.contains("\"profession\":\"avocat\"") && text.contains("\"eInvoicingFrom\":\"2027-09-01\""));
    }
}
