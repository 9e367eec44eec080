//! Jitsi Meet, the practice's own or 8x8's (JaaS): who may enter which room, and what comes of a recording.
//!
//! Nothing is said to a Jitsi server from here: a token is made, the browser shows it. The server that checks it has the
//! secret (HS256) or fetches the public key (RS256). 8x8 tells by signed requests that a recording is ready; it is then
//! fetched from a host that is allowed and from no other.
//!
//! <https://jitsi.github.io/handbook/docs/devops-guide/token-authentication>, <https://developer.8x8.com/jaas/docs/api-keys-jwt>

pub mod recording;
pub mod room;
pub mod token;
