//! The embedded web client.
