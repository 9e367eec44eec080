//! Bills: who bills whom, drafts, numbers without gaps, and what became of the money.
//!
//! - An issued document never changes: all that is printed is copied when it takes its number, in one transaction.
//! - Money is a list of rows that is only added to ([`crate::store::payments`]); what an invoice shows of it is summed up
//!   anew in the same transaction as each row.
//! - Nothing is computed in floating point, and nothing is rendered or sent here.

pub mod apply;
pub mod buyers;
pub mod callers;
pub mod checkout;
pub mod credits;
pub mod demo;
pub mod deposits;
pub mod documents;
pub mod drafts;
pub mod events;
pub mod exports;
pub mod hold;
pub mod issuing;
pub mod legibility;
pub mod mentions;
pub mod numbers;
pub mod payments;
pub mod pending;
pub mod practice;
pub mod pricing;
pub mod refunds;
pub mod reminders;
pub mod sharing;
pub mod transmissions;
pub mod view;
