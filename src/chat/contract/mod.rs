//! The words of the chat: what can be asked, what is answered, what is announced, and how each is spelled.
//!
//! Types only. No rule lives here, and nothing here reads or writes the database.

pub mod attention;
pub mod bell;
pub mod bill_fields;
pub mod catalogue;
pub mod command;
pub mod error;
pub mod event;
pub mod json;
pub mod outcome;
pub mod presence;
pub mod printed_fields;
pub mod question;
pub mod reading;
pub mod reply;
pub mod request;
pub mod seats;
pub mod settings;
