//! Where sockets meet the chat: connections, the hub, presence.
//!
//! [`connection`] is one socket's life; [`request`] reads what it asks, [`window`] keeps it in order, [`asking`] answers
//! what only reads, [`reply`] shapes acks. [`hub`] knows who is connected, [`fan_out`] brings them what was committed,
//! [`presence`] knows who is there and, with [`typing`], who writes; [`calls`] leads from one seat of a call to another.
//! Nothing in here has heard of the HTTP API or SQL.

pub mod admission;
pub mod asking;
pub mod calls;
pub mod connection;
pub mod fan_out;
pub mod hub;
pub mod presence;
pub mod reply;
pub mod request;
pub mod typing;
pub mod window;
