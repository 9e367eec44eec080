//! The two protocol layers as a crate of their own: they need nothing of lexchat, and this builds only as long as that
//! stays true.

#[path = "../../src/engineio/mod.rs"]
pub mod engineio;
#[path = "../../src/socketio/mod.rs"]
pub mod socketio;
