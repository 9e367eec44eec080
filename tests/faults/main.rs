//! Durability, load and faults: the real binary as a black box, killed, starved, cut off and flooded.
//!
//! `tests/faults/run` runs it in groups; `docs/SECURITY.md` says which property each test shows. One test at a time:
//! they measure.

#![cfg(unix)]
#![allow(unreachable_pub, reason = "a test binary has nobody above it")]

#[path = "../support/mod.rs"]
mod support;

mod changes;
mod history;
mod traffic;

mod backup;
mod crowd;
mod durability;
mod growth;
mod power_cut;
mod slow;
mod stop;
mod storage;
