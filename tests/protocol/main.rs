//! The two protocol layers from outside: every case of the official suites, and what nobody should send.
//!
//! Well-behaved cases talk to an echo in this process; hostile ones to an echo in a process of its own, so that its
//! memory and descriptors can be watched.

#![allow(unreachable_pub, reason = "a test binary has nobody above it")]

#[allow(dead_code, reason = "the echo server's own main is not used here")]
mod echo;

mod fixture;
#[path = "../support/mod.rs"]
mod support;

mod docs;
mod endings;
mod engine_cases;
mod features;
mod origins;
mod polling_features;
mod socket_cases;

mod hostile_bodies;
mod hostile_frames;
mod hostile_handshakes;
mod hostile_heads;
mod hostile_packets;
