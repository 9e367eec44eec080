//! An invoice as the law sees it: two parties, lines, VAT per rate, amounts that add up.
//!
//! Everything here is data and integer arithmetic; what is frozen when an invoice is issued is an [`Invoice`], and
//! whoever renders it needs nothing else. VAT categories are derived from the parties and the line, never typed.
//! Rules: CGI art. 289 and ann. II art. 242 nonies A; EN 16931-1 (the business terms "BT-…" and groups "BG-…").

use serde::{Deserialize, Serialize};

use crate::model::cents::Cents;
use crate::model::country::{VatTerritory, vat_territory};
use crate::model::day::Day;
use crate::model::party::{Buyer, Practice, VatRegime};

/// The largest total of one invoice: 999 999,99 €.
pub const TOTAL_MAX: Cents = Cents(99_999_999);

/// Lines of one invoice.
pub const LINES_MAX: usize = 200;

/// Characters of one line's description.
pub const DESCRIPTION_MAX: usize = 500;

/// The largest quantity, in thousandths, and the largest unit price, in cents.
pub const FACTOR_MAX: i64 = 1_000_000_000;

/// What kind of document it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InvoiceType {
    /// An invoice (code 380).
    Standard,
    /// An invoice for money in advance (code 386).
    Deposit,
    /// A credit note: takes an invoice back, wholly or in part (code 381).
    Credit,
}

/// What a line stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LineKind {
    /// Work.
    Fee,
    /// Costs of the practice that are passed on, with VAT.
    Expense,
    /// Money spent in the client's name and on their account: outside VAT (CGI art. 267 II 2°).
    Disbursement,
}

/// A rate of VAT in force in France, in hundredths of a per cent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct VatRate(u16);

impl VatRate {
    /// The rates that a line may have, the highest first.
    pub const ALL: [Self; 6] = [Self(2_000), Self(1_000), Self(850), Self(550), Self(210), Self(0)];
    /// No VAT.
    pub const ZERO: Self = Self(0);

    /// Hundredths of a per cent: 2000 is 20 %.
    #[must_use]
    pub const fn basis_points(self) -> u16 {
        self.0
    }

    /// Whether it is above zero and in force there (CGI art. 278 to 281, overseas art. 296): of the rates that a line may
    /// have, 2,1 % is the one of both.
    fn is_in_force(self, overseas: bool) -> bool {
        match self.0 {
            210 => true,
            850 => overseas,
            rate => rate > 0 && !overseas,
        }
    }
}

impl TryFrom<u16> for VatRate {
    type Error = NotAVatRate;

    fn try_from(basis_points: u16) -> Result<Self, NotAVatRate> {
        Self::ALL.into_iter().find(|rate| rate.0 == basis_points).ok_or(NotAVatRate)
    }
}

impl From<VatRate> for u16 {
    fn from(rate: VatRate) -> Self {
        rate.0
    }
}

/// No rate of VAT in France.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a rate of VAT in force: 2000, 1000, 850, 550, 210 or 0 hundredths of a per cent")]
pub struct NotAVatRate;

/// Why a line bears VAT or none (BT-118, BT-151), with the reason that the document must name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VatCategory {
    /// S: a rate above zero.
    Standard,
    /// E: spent in the client's name.
    Disbursement,
    /// E: the practice is exempt as a small business.
    Franchise,
    /// AE: the buyer, a business elsewhere in the EU, owes the VAT.
    ReverseCharge,
    /// O: a business outside the EU; nothing of the document is in scope.
    OutsideScope,
    /// O: a business in a French department without VAT; as before.
    WithoutVat,
}

impl VatCategory {
    /// The code of UNCL 5305.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Standard => "S",
            Self::Disbursement | Self::Franchise => "E",
            Self::ReverseCharge => "AE",
            Self::OutsideScope | Self::WithoutVat => "O",
        }
    }

    /// The code of the VATEX list and the words that the document must bear.
    #[must_use]
    pub const fn exemption(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Standard => None,
            Self::Disbursement => Some(("VATEX-EU-79-C", "Débours, CGI art. 267 II 2°")),
            Self::Franchise => Some(("VATEX-FR-FRANCHISE", "TVA non applicable, art. 293 B du CGI")),
            Self::ReverseCharge => Some(("VATEX-EU-AE", "Autoliquidation, CGI art. 283-2")),
            Self::OutsideScope => Some(("VATEX-EU-O", "TVA non applicable, art. 259-1 du CGI")),
            Self::WithoutVat => Some(("VATEX-EU-O", "TVA non applicable, art. 294, 1 du CGI")),
        }
    }

    /// Whether nothing of the document is in scope.
    #[must_use]
    pub const fn is_outside(self) -> bool {
        matches!(self, Self::OutsideScope | Self::WithoutVat)
    }

    /// The category of a line, from who sells, who buys and what it stands for.
    ///
    /// # Errors
    /// Why the line's rate does not go with them.
    pub fn derive(practice: &Practice, buyer: &Buyer, kind: LineKind, rate: VatRate) -> Result<Self, VatMisfit> {
        let free = |category| if rate == VatRate::ZERO { Ok(category) } else { Err(VatMisfit::MustBeZero(category)) };
        let territory = buyer.business_territory();
        match territory {
            Some(VatTerritory::Elsewhere) => return free(Self::OutsideScope),
            Some(VatTerritory::WithoutVat) => return free(Self::WithoutVat),
            _ => {}
        }
        if practice.vat_regime == VatRegime::Franchise {
            free(Self::Franchise)
        } else if kind == LineKind::Disbursement {
            free(Self::Disbursement)
        } else if buyer.is_business_elsewhere_in_eu() {
            free(Self::ReverseCharge)
        } else if rate == VatRate::ZERO {
            Err(VatMisfit::ZeroWithoutReason)
        } else {
            // A service for a business is given where that is, any other one where the practice is (CGI art. 259).
            let is_there = matches!(territory, Some(VatTerritory::France | VatTerritory::Overseas));
            let place = territory.filter(|_| is_there).unwrap_or_else(|| vat_territory(&practice.address.country));
            let overseas = place == VatTerritory::Overseas;
            if rate.is_in_force(overseas) { Ok(Self::Standard) } else { Err(VatMisfit::NotInForce { overseas }) }
        }
    }
}

/// A rate that does not go with the parties and the line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum VatMisfit {
    /// The category bears no VAT.
    #[error("the rate must be 0 here: {}", .0.exemption().map_or("", |(_, words)| words))]
    MustBeZero(VatCategory),
    /// A rate of zero needs a reason in law.
    #[error("a rate of 0 needs a reason: only a disbursement has one here")]
    ZeroWithoutReason,
    /// A rate of another part of France than the one where the service is given.
    #[error("the rate is one of another part of France")]
    NotInForce {
        /// Whether it is given in Guadeloupe, Martinique or Réunion.
        overseas: bool,
    },
}

/// One line, priced.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// What was done or paid, 1…500 characters.
    pub description: String,
    /// How much of it, in thousandths.
    pub quantity: i64,
    /// The price of one.
    pub unit_price_cents: Cents,
    /// Taken off the line.
    pub discount_cents: Cents,
    /// The rate.
    pub vat_rate_bp: VatRate,
    /// What it stands for.
    pub kind: LineKind,
    /// Why it bears VAT or none.
    pub vat_category: VatCategory,
}

impl Line {
    /// Quantity × price, halves up, less the discount (BT-131).
    #[must_use]
    pub fn net(&self) -> Cents {
        self.unit_price_cents.scaled(self.quantity, 1_000) - self.discount_cents
    }
}

/// What all lines of one category and rate come to (BG-23).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VatGroup {
    /// Why they bear VAT or none.
    pub category: VatCategory,
    /// Their rate.
    pub rate_bp: VatRate,
    /// Their net amounts together (BT-116).
    pub base_cents: Cents,
    /// The VAT on that (BT-117).
    pub vat_cents: Cents,
}

/// The sums of a document.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// By category and rate, the highest rate first.
    pub vat_groups: Vec<VatGroup>,
}

impl Totals {
    /// VAT per category and rate on the summed base, rounded once per group, halves up.
    #[must_use]
    pub fn of(lines: &[Line]) -> Self {
        let mut groups: Vec<VatGroup> = Vec::new();
        for line in lines {
            let same = groups.iter().position(|g| (g.category, g.rate_bp) == (line.vat_category, line.vat_rate_bp));
            let place = same.unwrap_or_else(|| {
                let (category, rate_bp) = (line.vat_category, line.vat_rate_bp);
                groups.push(VatGroup { category, rate_bp, base_cents: Cents::ZERO, vat_cents: Cents::ZERO });
                groups.len() - 1
            });
            groups[place].base_cents += line.net();
        }
        for group in &mut groups {
            group.vat_cents = group.base_cents.scaled(i64::from(group.rate_bp.basis_points()), 10_000);
        }
        groups.sort_by_key(|group| (std::cmp::Reverse(group.rate_bp), group.category));
        Self { vat_groups: groups }
    }

    /// Without VAT (BT-109).
    #[must_use]
    pub fn net(&self) -> Cents {
        self.vat_groups.iter().map(|group| group.base_cents).sum()
    }

    /// The VAT (BT-110).
    #[must_use]
    pub fn vat(&self) -> Cents {
        self.vat_groups.iter().map(|group| group.vat_cents).sum()
    }

    /// With VAT (BT-112).
    #[must_use]
    pub fn total(&self) -> Cents {
        self.net() + self.vat()
    }
}

/// An earlier document that this one takes back or deducts (BG-3).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Preceding {
    /// Its number.
    pub number: String,
    /// When it was issued.
    pub issued_on: Day,
    /// What it came to, VAT included.
    pub total_cents: Cents,
}

/// An invoice or a credit note with all that is printed on it. Once issued it never changes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invoice {
    /// What kind of document it is.
    pub r#type: InvoiceType,
    /// Its number; `None` while it is a draft.
    pub number: Option<String>,
    /// When it is, or would be, issued.
    pub issued_on: Day,
    /// When it is to be paid; of a credit note the day of issue.
    pub due_on: Day,
    /// Who sells.
    pub seller: Practice,
    /// Who buys.
    pub buyer: Buyer,
    /// What for.
    pub lines: Vec<Line>,
    /// What it comes to. Stored, since the VAT of a credit note is what the invoice still leaves.
    pub totals: Totals,
    /// Deposits that a final invoice deducts, or the invoice that a credit note takes back.
    pub preceding: Vec<Preceding>,
    /// What is paid already: the deposits of a final invoice (BT-113).
    pub prepaid_cents: Cents,
    /// A line for the buyer; of a credit note its reason.
    pub note: Option<String>,
    /// A document of the demonstration: "SPÉCIMEN" stands across it and it counts nowhere.
    pub is_specimen: bool,
}

impl Invoice {
    /// What remains to be paid (BT-115).
    #[must_use]
    pub fn due(&self) -> Cents {
        self.totals.total() - self.prepaid_cents
    }

    /// Whether the original goes by an approved platform, so that this document is its copy: a business in France buys,
    /// and the practice's day for electronic invoices has come.
    #[must_use]
    pub fn goes_by_platform(&self) -> bool {
        self.buyer.is_french_business() && self.issued_on >= self.seller.e_invoicing_from
    }

    /// Whether it is the final invoice behind deposits.
    #[must_use]
    pub fn deducts_deposits(&self) -> bool {
        self.r#type == InvoiceType::Standard && !self.preceding.is_empty()
    }

    /// The code of UNTDID 1001 (BT-3).
    #[must_use]
    pub const fn type_code(&self) -> &'static str {
        match self.r#type {
            InvoiceType::Standard => "380",
            InvoiceType::Deposit => "386",
            InvoiceType::Credit => "381",
        }
    }

    /// The business process of the French reform (BT-23): services to be paid, paid already, or after deposits.
    #[must_use]
    pub fn process(&self) -> &'static str {
        if self.deducts_deposits() {
            "S4"
        } else if self.due() <= Cents::ZERO && self.r#type != InvoiceType::Credit && self.prepaid_cents > Cents::ZERO {
            "S2"
        } else {
            "S1"
        }
    }
}

#[cfg(test)]
mod tests;
