//! The nouns of the trade: plain data that cannot be wrong.

pub mod fields;
pub mod locale;
