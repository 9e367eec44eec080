//! What a rule comes to: the answer to whoever asked, and what is to be told to others after the commit.

use crate::chat::event::Told;
use crate::chat::reply::Reply;

/// The result of a command that was carried out.
#[derive(Debug)]
pub struct Outcome {
    /// For the one who asked.
    pub reply: Reply,
    /// For the sockets, in this order.
    pub events: Vec<Told>,
}

impl Outcome {
    /// Done, with nothing to say to the caller.
    #[must_use]
    pub fn done(events: Vec<Told>) -> Self {
        Self { reply: Reply::Done, events }
    }
}

impl From<Reply> for Outcome {
    /// An answer that concerns nobody else.
    fn from(reply: Reply) -> Self {
        Self { reply, events: Vec::new() }
    }
}
