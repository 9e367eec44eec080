//! The one HTTP client: everything that goes out over HTTP goes through it.
//!
//! - **Only where it may go.** A [`client::Client`] reaches the origins on its allow-list; a redirect is an answer like any
//!   other and is never followed.
//! - **Never inside the house by accident.** The address is checked after the name was resolved, on the very address
//!   that is connected to, so no name can be rebound between check and use. Private addresses are reached only for an
//!   origin that the operator named, plain HTTP only for such an origin on loopback.
//! - **Bounded.** Every request has a time limit, every answer a limit in bytes.
//! - HTTP/1.1 over TLS 1.2 or 1.3 with connections kept for the next request; through a proxy (`CONNECT`) where one is
//!   set.

pub mod address;
pub mod client;
pub mod connect;
pub mod origin;
