//! What every integration test stands on: the real app on a free port with a database file of its own.

pub mod server;
pub mod stripe;
