//! What is due leaves, or is made, behind the commit: mails and pushes are sent, documents are rendered, Stripe is asked.
//!
//! Everything that is to be done stands in a row first. It is tried until it is done or worth nothing any more, after a restart
//! too, and what came of it is written by commands like any other change. Nothing in here decides a rule. Whom a message waits
//! for is watched over (`watch`); a loop for each channel (`channel`) keeps a relay that is dead from keeping a push waiting.

pub mod channel;
pub mod documents;
mod hosts;
pub mod jaas;
pub mod mail;
pub mod pause;
pub mod push;
pub mod recordings;
pub mod settings;
pub mod stripe;
mod stripe_missed;
mod stripe_trouble;
mod stripe_words;
pub mod watch;
