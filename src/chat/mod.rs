//! The product: what can be asked, what can be told, and the rules between the two.
//!
//! `execute::Chat` is the one door. Whatever changes anything is a `command::Command` and goes through the one
//! pen in the order in which it was submitted; whatever is told afterwards is an `event::Told` and leaves
//! through `execute::Outcomes`, in commit order, never before its commit. Questions are methods on `Chat` that
//! read a snapshot. Nothing in here has heard of sockets or HTTP.

pub mod access;
pub mod accounts;
pub mod administration;
pub mod attachments;
pub mod body;
pub mod command;
pub mod conversations;
pub mod credentials;
pub mod directory;
pub mod error;
pub mod event;
pub mod execute;
pub mod figures;
pub mod history;
pub mod invitations;
pub mod keys;
pub mod messages;
pub mod offline;
pub mod outcome;
pub mod pen;
pub mod presence;
pub mod queue;
pub mod rates;
pub mod reactions;
pub mod reads;
pub mod reply;
pub mod rules;
pub mod search;
pub mod sessions;
pub mod sign_in;
#[cfg(test)]
pub mod stage;
pub mod standings;
pub mod throttle;
pub mod transfer;
#[cfg(test)]
pub mod trial;
pub mod upkeep;
pub mod wire;
