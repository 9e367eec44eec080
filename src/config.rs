//! What was typed, checked.
