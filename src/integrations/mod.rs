//! Third parties: what is said to them and what their answers mean.
//!
//! Data in, result out. A file or folder per third party; none has heard of the database, of conversations or of each
//! other. Each has `Settings` with checked constructors, and nothing is contacted before somebody calls a `send`: with
//! default settings nothing leaves the house.
//!
//! - Whatever goes out over HTTP goes through [`https`], to the origins that its module allows and to no other.
//! - One provider of cryptography, `ring`; the authorities that TLS trusts are in the binary ([`roots`]).
//! - An answer becomes one of a few outcomes that the caller acts on. Nothing is tried again here: whether and when is
//!   the caller's decision, who also keeps what must not be lost.
//! - Keys, passwords, tokens and the addresses of devices are in no error, outcome or `Debug` output.

pub mod fcm;
pub mod hook;
pub mod https;
pub mod jitsi;
pub mod jws;
pub mod push;
pub mod roots;
pub mod smtp;
pub mod stripe;
#[cfg(test)]
mod testing;
pub mod turn;
pub mod web_push;
