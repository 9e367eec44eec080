//! Deposits: invoices of their own, which a final invoice deducts once they are paid.

use rusqlite::Connection;

use crate::chat::billing::view;
use crate::chat::contract::error::{Error, Reason};
use crate::model::billing::{Draft, PaymentState};
use crate::model::cents::Cents;
use crate::model::fields::Fault;
use crate::model::invoice::{InvoiceType, Preceding, Totals};
use crate::model::locale::Text;
use crate::model::party::Buyer;
use crate::store::invoices::{self, InvoiceRow};

/// How an earlier document stands on a later one (BG-3).
#[must_use]
pub fn preceding(row: &InvoiceRow) -> Option<Preceding> {
    let (number, issued_on) = row.number.clone().zip(row.issued_on)?;
    Some(Preceding { number, issued_on, total_cents: row.balance.total })
}

/// The deposits that a draft deducts: paid, neither credited nor deducted, of the same conversation and buyer, together at
/// most the total.
///
/// # Errors
/// `CONFLICT`, naming the first that is not; `INVALID` on a deposit itself.
pub fn find(
    conn: &Connection,
    row: &InvoiceRow,
    draft: &Draft,
    buyer: &Buyer,
    totals: &Totals,
) -> Result<Vec<InvoiceRow>, Error> {
    if draft.r#type == InvoiceType::Deposit && !draft.deposit_ids.is_empty() {
        let said = Text::new("un acompte n’en déduit pas d’autre", "a deposit deducts no other");
        return Err(Error::invalid("depositIds", said));
    }
    let mut found = Vec::new();
    for (place, id) in draft.deposit_ids.iter().enumerate() {
        let deposit = invoices::find(conn, *id)?.filter(|deposit| {
            deposit.conversation_id == row.conversation_id
                && deposit.r#type == InvoiceType::Deposit
                && deposit.is_issued()
                && view::payment_of(deposit) == PaymentState::Paid
                && deposit.balance.credited == Cents::ZERO
                && deposit.deducted_by.is_none()
        });
        let deposit = deposit.ok_or_else(|| unavailable(place))?;
        let is_theirs = invoices::find_content(conn, *id)?.is_some_and(|content| is_same(&content.buyer, buyer));
        if !is_theirs {
            return Err(unavailable(place));
        }
        found.push(deposit);
    }
    let together: Cents = found.iter().map(|deposit| deposit.balance.total).sum();
    if together > totals.total() {
        let said = Text::new(
            "dépassent le total : le reste est à créditer et à rembourser",
            "are more than the total: credit and refund the rest",
        );
        return Err(Error { details: vec![Fault::new("depositIds", said)], ..Reason::DepositUnavailable.into() });
    }
    Ok(found)
}

fn is_same(one: &Buyer, other: &Buyer) -> bool {
    (one.kind, &one.name, &one.siren) == (other.kind, &other.name, &other.siren)
}

/// The refusal of the deposit at this place.
#[must_use]
pub fn unavailable(place: usize) -> Error {
    let said = Text::new(
        "doit être un acompte payé, ni crédité ni déduit, de la même conversation et du même client",
        "must be a deposit that is paid, neither credited nor deducted, of the same conversation and buyer",
    );
    let details = vec![Fault::new(format!("depositIds[{place}]"), said)];
    Error { details, ..Reason::DepositUnavailable.into() }
}
