//! What a rule comes to: the reply for whoever asked, and what is to be announced to others after the commit.

use crate::chat::contract::event::Announcement;

/// The result of a command that was carried out.
#[derive(Debug)]
pub struct Outcome<T> {
    /// For the one who asked.
    pub reply: T,
    /// For the sockets, in this order.
    pub events: Vec<Announcement>,
}

impl Outcome<()> {
    /// Done, with nothing to say to the caller.
    #[must_use]
    pub fn done(events: Vec<Announcement>) -> Self {
        Self { reply: (), events }
    }
}

impl<T> From<T> for Outcome<T> {
    /// A reply that concerns nobody else.
    fn from(reply: T) -> Self {
        Self { reply, events: Vec::new() }
    }
}
