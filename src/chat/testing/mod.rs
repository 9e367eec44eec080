//! What tests of the chat start from.

pub mod bills;
pub mod fixtures;
pub mod notices;
