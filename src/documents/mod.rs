//! Papers: an invoice as PDF/A-3 with Factur-X in it, a conversation, and what else leaves the house as a file to be kept.
//! A recording of a call gets what makes it seek.
//!
//! Pure functions from data of `model` to bytes: no clock, no database, no network. The same data gives the same
//! bytes.

pub mod factur_x;
pub mod invoice;
pub mod letter;
pub mod payment_code;
pub mod pdf;
pub mod transcript;
pub mod webm;
pub mod wording;
