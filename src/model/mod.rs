//! The nouns of the trade: plain data that cannot be wrong.
