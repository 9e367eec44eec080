//! Text as people write it, and what of it counts when it is compared.
//!
//! Stored text is in Unicode's form NFC ([`nfc`]). Searching compares folded text ([`fold`], [`words`]): what stands in
//! the database and what somebody types go through the same functions, so that both agree by construction.

pub mod emoji;
pub mod fold;
pub mod nfc;
pub mod visible;
pub mod words;
