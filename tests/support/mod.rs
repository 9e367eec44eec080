//! What the tests over TCP share: the real binary as a child process, a plain HTTP client, a WebSocket, and the Socket.IO
//! client on it.
//!
//! Written on raw bytes over TCP, so that a mistake in the server's own codecs cannot hide itself here.

#![allow(dead_code, reason = "each test binary uses its own part of it")]

use std::time::Duration;

pub mod database;
pub mod http;
pub mod people;
pub mod polling;
pub mod relay;
pub mod socket;
pub mod wire;

// The binary as a process is driven by signals and read from /proc.
#[cfg(unix)]
pub mod needs;
#[cfg(unix)]
pub mod server;
#[cfg(unix)]
pub mod tracer;

/// How long anything that must happen may take before the test fails. Generous, because what is waited for is a condition
/// and a busy machine is no fault of the server's; shorter than the 45 s after which the server itself gives up a
/// connection that says nothing.
pub const PATIENCE: Duration = Duration::from_secs(40);
