//! Integration: the real app on a free port, a real database file, real bytes over TCP; one file per noun, and in
//! `security` one per subject that an attacker may try.

#![allow(unreachable_pub, reason = "a test binary has nobody above it")]

mod harness;
#[path = "../support/mod.rs"]
mod support;

mod attachments;
mod bill_limits;
mod bill_lists;
mod bill_truth;
mod billing;
mod call_access;
mod call_hooks;
mod calls;
mod conversations;
#[cfg(unix)]
mod databases;
mod delivery;
#[cfg(unix)]
mod doctor;
mod edges;
mod export;
mod http;
mod https;
mod invoicing;
mod limits;
mod messages;
mod notices;
mod notifications;
#[cfg(unix)]
mod operator;
mod ordering;
#[cfg(unix)]
mod output;
mod payments;
mod permissions;
mod presence;
mod reads;
mod recordings;
mod routes;
#[cfg(unix)]
mod security;
mod service;
mod sessions;
mod setup;
mod stripe_events;
mod typing;
mod wording;
