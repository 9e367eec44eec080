//! lexchat: real-time messaging between the clients and the jurists of a legal practice.
//!
//! Two wings that meet once. The left wing is a protocol library that has never heard of lawyers; the right
//! wing is a product that has never heard of sockets; they meet in `gateway::connection` and nowhere else.
//! A part imports only from floors below its own, and only what `tests/layers.rs` allows.
//!
//! ```text
//! 7                                  main
//! 6                       operator   app
//! 5                                 routes
//! 4            gateway                       api   delivery
//! 3   config                 chat
//! 2   socketio       auth         store   documents   assets   logging
//! 1   engineio   cli   service    model   integrations   http   console
//! ```
//!
//! `docs/ARCHITECTURE.md` walks one message through all of it.

#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod api;
pub mod app;
pub mod assets;
pub mod auth;
pub mod chat;
pub mod cli;
pub mod config;
pub mod console;
pub mod delivery;
pub mod documents;
pub mod engineio;
pub mod gateway;
pub mod http;
pub mod integrations;
pub mod logging;
pub mod model;
pub mod operator;
pub mod routes;
pub mod service;
pub mod socketio;
pub mod store;
