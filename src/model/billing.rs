//! Bills as people handle them: what is typed, what became of it, and how each reader sees it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::cents::Cents;
use crate::model::day::Day;
use crate::model::id::{ConversationId, InvoiceId, PaymentId, UserId};
use crate::model::invoice::{InvoiceType, LineKind, VatCategory, VatGroup, VatRate};
use crate::model::party::Buyer;
use crate::model::timestamp::Timestamp;

/// Cents below which Stripe takes no payment.
pub const CHECKOUT_MIN: Cents = Cents(50);

/// Cash of one invoice between a consumer or business and a practice (Code monétaire et financier, art. D112-3).
pub const CASH_MAX: Cents = Cents(100_000);

/// A line as it is typed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DraftLine {
    /// What was done or paid, 1…500 characters.
    pub description: String,
    /// Thousandths.
    pub quantity: i64,
    /// The price of one.
    pub unit_price_cents: Cents,
    /// Taken off the line.
    pub discount_cents: Cents,
    /// The rate.
    pub vat_rate_bp: VatRate,
    /// What it stands for.
    pub kind: LineKind,
}

/// A draft as it is typed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Draft {
    /// `standard` or `deposit`.
    pub r#type: InvoiceType,
    /// 1…200.
    pub lines: Vec<DraftLine>,
    /// Who is billed, where it is not the client as they said.
    pub buyer: Option<Buyer>,
    /// Days until it is to be paid, where it is not the practice's term.
    pub due_in_days: Option<u16>,
    /// A line for the buyer.
    pub note: Option<String>,
    /// Deposits that a final invoice deducts.
    pub deposit_ids: Vec<InvoiceId>,
}

/// How far a bill is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceState {
    /// Its juriste's alone.
    Draft,
    /// Frozen, with a number.
    Issued,
    /// Issued, and credited as a whole.
    Cancelled,
}

impl InvoiceState {
    /// The state with this word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        [("draft", Self::Draft), ("issued", Self::Issued), ("cancelled", Self::Cancelled)]
            .into_iter()
            .find_map(|(known, state)| (known == word).then_some(state))
    }
}

/// What became of the money.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// Nothing has come.
    Open,
    /// A payment is under way (SEPA, for days).
    InProcess,
    /// Some of it has come.
    PartlyPaid,
    /// Nothing is owed any more.
    Paid,
    /// More has come than is owed.
    Overpaid,
    /// Credited as a whole, and all that had come has gone back.
    Refunded,
    /// The payer's bank asks for money back.
    Disputed,
}

impl PaymentState {
    /// Every state with its word.
    pub const ALL: [(&str, Self); 7] = [
        ("open", Self::Open),
        ("in_process", Self::InProcess),
        ("partly_paid", Self::PartlyPaid),
        ("paid", Self::Paid),
        ("overpaid", Self::Overpaid),
        ("refunded", Self::Refunded),
        ("disputed", Self::Disputed),
    ];

    /// The state with this word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(known, state)| (known == word).then_some(state))
    }
}

/// The sums from which everything about the money follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Balance {
    /// With VAT.
    pub total: Cents,
    /// Deducted deposits.
    pub prepaid: Cents,
    /// Credit notes.
    pub credited: Cents,
    /// All that ever came in, less what was noted by mistake.
    pub received: Cents,
    /// That, less what went back.
    pub paid: Cents,
    /// Whether a payment is under way.
    pub is_in_process: bool,
    /// Whether a payer's bank asks for money back.
    pub is_disputed: bool,
}

impl Balance {
    /// What the buyer owes altogether; below zero where credit notes take back what deposits paid.
    #[must_use]
    pub fn owed(&self) -> Cents {
        self.total - self.prepaid - self.credited
    }

    /// What is still to be paid.
    #[must_use]
    pub fn due(&self) -> Cents {
        (self.owed() - self.paid).max(Cents::ZERO)
    }

    /// What is to go back.
    #[must_use]
    pub fn to_refund(&self) -> Cents {
        (self.paid - self.owed()).max(Cents::ZERO)
    }

    /// Whether it was credited as a whole.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.credited > Cents::ZERO && self.credited == self.total
    }

    /// What became of the money. A bill of zero, or one that was credited before anything came, is `paid`: nothing is owed.
    #[must_use]
    pub fn payment(&self) -> PaymentState {
        if self.is_disputed {
            PaymentState::Disputed
        } else if self.to_refund() > Cents::ZERO {
            PaymentState::Overpaid
        } else if self.is_cancelled() && self.received > Cents::ZERO {
            PaymentState::Refunded
        } else if self.due() == Cents::ZERO {
            PaymentState::Paid
        } else if self.is_in_process {
            PaymentState::InProcess
        } else if self.paid > Cents::ZERO {
            PaymentState::PartlyPaid
        } else {
            PaymentState::Open
        }
    }
}

/// How money moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMethod {
    /// From bank to bank.
    Transfer,
    /// On paper.
    Cheque,
    /// In notes.
    Cash,
    /// By card, at Stripe.
    Card,
    /// A direct debit, at Stripe.
    SepaDebit,
    /// Another way that Stripe knows.
    Other,
}

impl PaymentMethod {
    /// Every way with its word.
    pub const ALL: [(&str, Self); 6] = [
        ("transfer", Self::Transfer),
        ("cheque", Self::Cheque),
        ("cash", Self::Cash),
        ("card", Self::Card),
        ("sepa_debit", Self::SepaDebit),
        ("other", Self::Other),
    ];

    /// The word on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find_map(|(word, known)| (known == self).then_some(word)).unwrap_or("other")
    }

    /// The way with this word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(known, method)| (known == word).then_some(method))
    }

    /// Whether a person notes it, and may take it back.
    #[must_use]
    pub const fn is_by_hand(self) -> bool {
        matches!(self, Self::Transfer | Self::Cheque | Self::Cash)
    }
}

/// A line as it is shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownLine {
    /// Its place, from 1: what a credit note names it by.
    pub id: i64,
    /// What was typed.
    #[serde(flatten)]
    pub line: DraftLine,
    /// Why it bears VAT or none.
    pub vat_category: VatCategory,
    /// Quantity × price, less the discount.
    pub net_cents: Cents,
    /// What credit notes have taken back of that.
    pub credited_cents: Cents,
}

/// A movement of money as it is shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownPayment {
    pub id: PaymentId,
    pub method: PaymentMethod,
    /// Below zero where it went back.
    pub amount_cents: Cents,
    pub date: Day,
    pub reference: Option<String>,
    /// What this row takes back.
    pub reverses_id: Option<PaymentId>,
    /// Why.
    pub reason: Option<String>,
}

/// Money on its way back by Stripe, as it is shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownRefund {
    pub amount_cents: Cents,
    /// `requested`, `pending`, `succeeded` or `failed`.
    pub state: String,
    pub failure: Option<String>,
    /// The credit note that it belongs to.
    pub credit_id: Option<InvoiceId>,
}

/// Another document that belongs to a bill.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Related {
    pub id: InvoiceId,
    pub number: String,
    pub total_cents: Cents,
    pub issued_at: Day,
}

/// What only the members of the conversation see of a bill.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inside {
    pub lines: Vec<ShownLine>,
    pub note: Option<String>,
    pub payments: Vec<ShownPayment>,
    pub refunds: Vec<ShownRefund>,
    pub deposits: Vec<Related>,
    pub credits: Vec<Related>,
    pub credit_of: Option<Related>,
    /// What was typed, for its juriste.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<Draft>,
}

/// How what is due of a bill is paid by transfer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transfer {
    /// Who is paid.
    pub name: String,
    /// Without spaces.
    pub iban: String,
    pub bic: Option<String>,
    pub amount_cents: Cents,
    /// What the transfer names: the bill's number.
    pub reference: String,
    /// Of a specimen nobody is asked to pay anything.
    pub is_specimen: bool,
}

/// A bill as somebody sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownInvoice {
    pub id: InvoiceId,
    pub r#type: InvoiceType,
    pub state: InvoiceState,
    pub payment: PaymentState,
    pub overdue: bool,
    pub number: Option<String>,
    pub conversation_id: ConversationId,
    pub lawyer_id: UserId,
    pub client_id: UserId,
    pub buyer: Option<Buyer>,
    pub vat: Vec<VatGroup>,
    pub net_cents: Cents,
    pub vat_cents: Cents,
    pub total_cents: Cents,
    /// Deposits that it deducts.
    pub prepaid_cents: Cents,
    pub credited_cents: Cents,
    pub paid_cents: Cents,
    /// What is still to be paid.
    pub due_cents: Cents,
    /// What is to go back to the buyer.
    pub to_refund_cents: Cents,
    /// `EUR`.
    pub currency: &'static str,
    pub issued_at: Option<Day>,
    pub due_at: Option<Day>,
    /// A specimen: it counts nowhere.
    pub is_specimen: bool,
    /// Whether it can be paid at Stripe now.
    pub can_pay_online: bool,
    /// Whether Stripe's key is one for tests.
    pub test_mode: bool,
    /// Whether its original must still go by an approved platform.
    pub to_transmit: bool,
    /// By which it went, with its reference and date.
    pub transmitted: Option<Value>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(flatten)]
    pub inside: Option<Inside>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_the_money_follows_from_the_sums() {
        let balance = |total, credited, received, paid| Balance {
            total: Cents(total),
            credited: Cents(credited),
            received: Cents(received),
            paid: Cents(paid),
            ..Balance::default()
        };
        for (balance, expected) in [
            (balance(100, 0, 0, 0), PaymentState::Open),
            (balance(0, 0, 0, 0), PaymentState::Paid),
            (balance(100, 0, 40, 40), PaymentState::PartlyPaid),
            (balance(100, 0, 100, 100), PaymentState::Paid),
            (balance(100, 0, 150, 150), PaymentState::Overpaid),
            (balance(100, 100, 0, 0), PaymentState::Paid),
            (balance(100, 60, 40, 40), PaymentState::Paid),
            (balance(100, 60, 100, 100), PaymentState::Overpaid),
            (balance(100, 100, 100, 100), PaymentState::Overpaid),
            (balance(100, 100, 100, 0), PaymentState::Refunded),
            (Balance { is_in_process: true, ..balance(100, 0, 0, 0) }, PaymentState::InProcess),
            (Balance { is_in_process: true, ..balance(100, 0, 100, 100) }, PaymentState::Paid),
            (Balance { is_disputed: true, ..balance(100, 0, 100, 100) }, PaymentState::Disputed),
            (Balance { prepaid: Cents(30), ..balance(100, 0, 70, 70) }, PaymentState::Paid),
            (Balance { prepaid: Cents(30), ..balance(100, 100, 0, 0) }, PaymentState::Overpaid),
        ] {
            assert_eq!(balance.payment(), expected, "{balance:?}");
        }
    }
}
