//! Who is asking: passwords, tokens, and the actor that only verified claims can make.
//!
//! This part has no SQL and no HTTP: what it needs from the database (hashes, keys) is handed to it, and what it
//! makes is handed back to be stored.

pub mod actor;
pub mod hasher;
mod hmac;
pub mod keyring;
pub mod link;
pub mod password;
pub mod secret;
pub mod token;
pub mod vapid;
