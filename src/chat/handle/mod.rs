//! What everybody else holds: the handle on the chat, the queue behind it, and how a command completes.

pub mod activity;
pub mod chat;
pub mod completion;
pub mod deliveries;
pub mod guard;
pub mod metrics;
pub mod news;
pub mod queue;
pub mod searching;
