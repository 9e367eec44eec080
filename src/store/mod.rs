//! The database: one writer, many readers, and every line of SQL.
//!
//! One SQLite file holds all state. `database` opens it and refuses what is not ours, and has the one
//! connection that writes and those that cannot; the other files hold the statements, one file per noun, as functions
//! over `&Connection` that work in a read, a write and a test alike. Nothing in here knows a rule.

pub mod attachments;
pub mod calls;
pub mod checkout;
pub mod columns;
pub mod conversations;
pub mod credit_lines;
pub mod database;
pub mod devices;
pub mod entries;
pub mod free_pages;
pub mod fulltext;
pub mod invitations;
pub mod invoice_documents;
pub mod invoice_series;
pub mod invoice_transmissions;
pub mod invoices;
pub mod keys;
pub mod mail_tokens;
pub mod memberships;
pub mod messages;
pub mod new_messages;
pub mod notices;
pub mod outbox;
pub mod payments;
pub mod practice;
pub mod reactions;
pub mod reads;
pub mod recordings;
pub mod search;
pub mod service_recordings;
pub mod sessions;
pub mod shown;
pub mod statistics;
pub mod stripe_events;
pub mod throttles;
pub mod users;
