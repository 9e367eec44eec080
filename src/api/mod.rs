//! The HTTP API: one file per noun, each route parse → command or question → reply.

pub mod admin;
pub mod attachments;
pub mod auth;
pub mod call;
pub mod conversations;
pub mod health;
pub mod invitations;
pub mod messages;
pub mod metrics;
pub mod openapi;
pub mod page;
pub mod reply;
pub mod sessions;
pub mod users;
