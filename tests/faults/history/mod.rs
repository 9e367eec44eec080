//! What clients did and saw, and the judge of it.
//!
//! `record` is what a history is made of, `checker` says what is wrong with one, `effects` what is
//! wrong with the changes in it that are no new messages. Neither knows how lexchat works:
//! `cargo run --example check_history FILE` judges a history kept in a file.

pub mod checker;
pub mod effects;
pub mod record;
