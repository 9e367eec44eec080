//! What the black-box tests share: the real binary as a child process, a plain HTTP client, a Socket.IO client.
//!
//! Written on raw bytes over TCP, so that a mistake in the server's own codecs cannot hide itself here.

#![allow(dead_code, reason = "each test binary uses its own part of it")]

pub mod http;
pub mod needs;
pub mod people;
pub mod polling;
pub mod server;
pub mod socket;
pub mod tracer;
pub mod wire;
