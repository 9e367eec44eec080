//! Engine.IO v4: a reliable, ordered message channel over HTTP long-polling and WebSocket.
//!
//! A client opens a session by an HTTP request and may move it from polling to WebSocket without losing or
//! reordering a message. The layer above pulls: it accepts sockets, receives messages and sends; nothing here
//! calls upward. This part has never heard of Socket.IO, users or SQL, and names nothing of the crate outside
//! itself, so it could be lifted out as it is.
//!
//! The protocol: <https://socket.io/docs/v4/engine-io-protocol/>. What is implemented: `docs/PROTOCOL.md`.

pub mod answer;
mod link;
pub mod origin;
pub mod packet;
pub mod payload;
mod polling;
mod registry;
pub mod request;
pub mod server;
pub mod session;
pub mod socket;
mod websocket;
mod wire;
