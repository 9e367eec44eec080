//! `/invoices`, `/payments`, the two parties of a bill, and what Stripe tells.

pub mod buyers;
pub mod documents;
pub mod exports;
pub mod hooks;
pub mod invoices;
pub mod money;
pub mod practice;
pub mod transfer;
