//! The nouns of the trade: plain data that cannot be wrong.

pub mod fields;
pub mod file_name;
pub mod locale;
pub mod media_type;
