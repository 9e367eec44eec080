//! The nouns of the trade: plain data that cannot be wrong.
//!
//! What is serialisable here serialises exactly as clients see it: camelCase, ids as integers, times as
//! ISO 8601. Nothing in here has heard of SQL, events or HTTP.

pub mod account;
pub mod attachment;
pub mod billing;
pub mod call;
pub mod cents;
pub mod conversation;
pub mod country;
pub mod day;
pub mod delivery;
pub mod email;
pub mod fields;
pub mod file_name;
pub mod finding;
pub mod id;
pub mod invitation;
pub mod invoice;
pub mod legal_number;
pub mod locale;
pub mod media_type;
pub mod message;
pub mod message_kind;
pub mod notices;
pub mod party;
pub mod person_name;
pub mod recording;
pub mod session;
pub mod text;
pub mod timestamp;
pub mod transcript;
pub mod user;
pub mod zone;
