//! What every integration test stands on: the real app on a free port with a database file of its own, and a socket
//! that hides nothing of what it heard.

pub mod server;
pub mod socket;
