//! The nouns of the trade: plain data that cannot be wrong.
//!
//! What is serialisable here serialises exactly as clients see it: camelCase, ids as integers, times as
//! ISO 8601. Nothing in here has heard of SQL, events or HTTP.

pub mod account;
pub mod attachment;
pub mod conversation;
pub mod email;
pub mod fields;
pub mod file_name;
pub mod fold;
pub mod id;
pub mod invitation;
pub mod locale;
pub mod media_type;
pub mod message;
pub mod person_name;
pub mod session;
pub mod timestamp;
pub mod user;
