//! What is said: conversations, messages, reactions, read marks, and how they are found again.

pub mod apply;
pub mod conversation;
pub mod entries;
pub mod export;
pub mod history;
pub mod message_body;
pub mod messages;
pub mod mute;
pub mod query;
pub mod reactions;
pub mod reads;
pub mod search;
pub mod snippet;
