//! Bills: the practice and its clients as parties of an invoice, drafts, issuing, and what becomes of the money.

use serde_json::{Map, Value};

use crate::model::billing::{Draft, DraftLine, PaymentMethod};
use crate::model::cents::Cents;
use crate::model::day::Day;
use crate::model::id::{ConversationId, InvoiceId, PaymentId, UserId};
use crate::model::invoice::InvoiceType;
use crate::model::party::{Buyer, Logo};

/// Changes what is known of the practice. Administrators only.
#[derive(Debug)]
pub struct UpdatePractice {
    /// Checked fields by their names on the wire; `null` takes one away.
    pub changes: Map<String, Value>,
    /// Another picture, or none any more.
    pub logo: Option<Option<Logo>>,
}

/// Says how somebody is to be billed: they themselves, or a juriste of theirs.
#[derive(Debug)]
pub struct UpdateBuyer {
    pub user_id: UserId,
    pub buyer: Buyer,
}

/// Begins a bill. The juriste of the conversation only.
#[derive(Debug)]
pub struct CreateInvoice {
    pub conversation_id: ConversationId,
    pub draft: Draft,
}

/// Changes a draft; what is not said stays.
#[derive(Debug)]
pub struct UpdateInvoice {
    pub invoice_id: InvoiceId,
    pub r#type: Option<InvoiceType>,
    pub lines: Option<Vec<DraftLine>>,
    pub buyer: Option<Option<Buyer>>,
    pub due_in_days: Option<Option<u16>>,
    pub note: Option<Option<String>>,
    pub deposit_ids: Option<Vec<InvoiceId>>,
}

/// Throws a draft away.
#[derive(Debug)]
pub struct DeleteInvoice {
    pub invoice_id: InvoiceId,
}

/// Freezes a draft: it takes the next number and appears in the conversation.
#[derive(Debug)]
pub struct IssueInvoice {
    pub invoice_id: InvoiceId,
}

/// Keeps the document of an issued invoice, once. System only.
#[derive(Debug)]
pub struct StoreDocument {
    pub invoice_id: InvoiceId,
    pub pdf: Vec<u8>,
    pub xml: Vec<u8>,
    /// Of the PDF.
    pub sha256: [u8; 32],
}

/// Notes money that came, or went back, beside Stripe.
#[derive(Debug)]
pub struct RecordPayment {
    pub invoice_id: InvoiceId,
    /// By hand.
    pub method: PaymentMethod,
    /// Below zero: it went back.
    pub amount: Cents,
    pub date: Day,
    pub reference: Option<String>,
}

/// Takes back what was noted by mistake; both rows stay.
#[derive(Debug)]
pub struct ReversePayment {
    pub payment_id: PaymentId,
    pub reason: String,
}

/// Writes to the client once more that a bill is open.
#[derive(Debug)]
pub struct RemindInvoice {
    pub invoice_id: InvoiceId,
}

/// Takes an invoice back, wholly or in part, by a credit note.
#[derive(Debug)]
pub struct CreditInvoice {
    pub invoice_id: InvoiceId,
    /// Places of lines, from 1, with what is taken back of each, without VAT; `None`: all that is left.
    pub lines: Option<Vec<(i64, Cents)>>,
    pub reason: String,
    /// What of it Stripe is to give back.
    pub refund: Cents,
}

/// Has Stripe give back what came beyond what is owed.
#[derive(Debug)]
pub struct RefundInvoice {
    pub invoice_id: InvoiceId,
    pub amount: Cents,
}

/// Notes by which approved platform the original went.
#[derive(Debug)]
pub struct NoteTransmission {
    pub invoice_id: InvoiceId,
    pub platform: String,
    pub reference: String,
    pub date: Day,
}

/// Ends the hold of a restored copy: which numbers had left the house. Administrators only.
#[derive(Debug)]
pub struct ResumeBilling {
    /// The last invoice's number; `None`: none had.
    pub invoice: Option<String>,
    /// The last credit note's.
    pub credit: Option<String>,
}
