//! What every integration test stands on: the real app on a free port with a database file of its own, people
//! from `seed.sql`, and clients that speak raw HTTP and raw Socket.IO.

pub mod http;
pub mod server;
pub mod socket;
