//! Integration: the real app on a free port, a real database file, real bytes over TCP; one file per noun.

#![allow(unreachable_pub, reason = "a test binary has nobody above it")]

mod harness;
#[path = "../support/mod.rs"]
mod support;

mod attachments;
mod conversations;
mod http;
mod https;
mod limits;
mod messages;
mod notifications;
mod operator;
mod ordering;
mod permissions;
mod presence;
mod reads;
mod routes;
mod service;
mod sessions;
mod typing;
