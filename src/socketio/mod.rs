//! Socket.IO v5 over Engine.IO: namespaces, events, acknowledgements, binary attachments.
//!
//! `connection` turns one Engine.IO socket into what a client asks (`Received`) and hands out a `Sender` for
//! each namespace that was accepted. The layer above pulls; nothing here calls upward.
//!
//! The protocol: <https://socket.io/docs/v4/socket-io-protocol/>. What is implemented: `docs/PROTOCOL.md`.

pub mod args;
pub mod assembler;
pub mod connection;
pub mod encoded;
mod mended;
pub mod packet;
pub mod sender;
