//! The product: what can be asked, what is announced, and the rules between the two.
//!
//! `handle::chat::Chat` is the one door. Whatever changes anything is a `contract::command::Command` and goes through the
//! one writer in the order in which it was submitted; what came of it is a `contract::event::Announcement` and leaves
//! through `handle::completion::Outcomes`, in commit order, never before its commit. Questions are methods on `Chat` that
//! read one snapshot. Nothing in here has heard of sockets or HTTP.
//!
//! A room imports only from rooms above it in this list; `tests/layers.rs` keeps that.
//!
//! ```text
//! contract       what can be asked, answered and announced
//! access         who asks, and how often
//! handle         what everybody else holds
//! attachments    files
//! notices        what is told to who is not looking
//! conversations  what is said
//! people         who there is
//! billing        who owes whom
//! calls          who rings for whom
//! writer         carries commands out
//! ```

pub mod access;
pub mod attachments;
pub mod billing;
pub mod calls;
pub mod contract;
pub mod conversations;
pub mod handle;
pub mod notices;
pub mod people;
#[cfg(test)]
pub mod testing;
pub mod writer;
