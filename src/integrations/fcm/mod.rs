//! Firebase Cloud Messaging, HTTP v1: a notice to a phone's app.
//!
//! The service account signs an assertion (RFC 7523), Google's token service trades it for a bearer token, which is kept until
//! five minutes before its end and fetched once however many wait for it. Each message is one request.
//!
//! <https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages>

pub mod account;
pub mod message;
pub mod sender;
