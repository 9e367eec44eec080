//! The running server: built from a checked configuration, drained and stopped as one.
