//! The HTTP API: one file per noun, each route parse → command or question → reply.

pub mod admin;
pub mod attachments;
pub mod auth;
pub mod billing;
pub mod call;
pub mod call_hooks;
pub mod calls;
pub mod conversations;
pub mod counters;
pub mod diagnosis;
pub mod export;
pub mod files;
pub mod health;
pub mod invitations;
pub mod messages;
pub mod metrics;
pub mod notifications;
pub mod openapi;
pub mod page;
pub mod recordings;
pub mod reply;
pub mod sessions;
pub mod users;
pub mod zip;
