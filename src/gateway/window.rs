//! What one socket has asked and not been answered, in order.
//!
//! Changes are submitted at once and wait for their commits side by side. What only reads waits for the changes before
//! it, and nothing is taken behind it until it is answered; so it sees all that the socket did before, and nothing of
//! what it does after. Answers leave in the order of the questions, so only the oldest is ever looked at.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::chat::contract::error::Error;
use crate::chat::contract::reply::{CallStarted, MessageSent, ReadMarkMoved};
use crate::chat::contract::request::Pending;
use crate::gateway::reply::Answer;
use crate::model::call::Call;
use crate::model::conversation::Conversation;
use crate::model::message::{Reaction, Shared};
use crate::socketio::packet::AckId;

/// A question that starts when it is first looked at.
pub type Reading = Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send>>;

/// An answer to come.
pub enum Work {
    /// A message on its way to the disk.
    Sent(Pending<MessageSent>),
    /// A changed message on its way to the disk.
    Changed(Pending<Arc<Shared>>),
    /// Reactions on their way to the disk.
    Reacted(Pending<Vec<Reaction>>),
    /// A read mark on its way to the disk.
    Read(Pending<ReadMarkMoved>),
    /// A conversation on its way to the disk.
    Shown(Pending<Arc<Conversation>>),
    /// A question.
    Reading(Reading),
    /// A call that is declined or left.
    Called(Pending<Arc<Call>>),
    /// A call that is started.
    Started(Pending<CallStarted>),
    /// Answered at once: refused before it began, or passed on.
    Settled(Option<Box<Result<Answer, Error>>>),
}

/// An event that has been taken, and what it asked.
pub struct Asked {
    /// The event's name.
    pub event: String,
    /// Set if an acknowledgement is wanted.
    pub ack: Option<AckId>,
    /// What it asked.
    pub work: Work,
}

/// The requests of one socket that are under way, the oldest first.
pub struct Window {
    asked: VecDeque<Asked>,
    length_max: usize,
}

impl Window {
    /// Nothing asked yet.
    #[must_use]
    pub fn new(length_max: usize) -> Self {
        Self { asked: VecDeque::new(), length_max }
    }

    /// Whether another event may be taken.
    #[must_use]
    pub fn has_room(&self) -> bool {
        let is_read_last = matches!(self.asked.back(), Some(Asked { work: Work::Reading(_), .. }));
        !is_read_last && self.asked.len() < self.length_max
    }

    /// Takes an event in; only while there is room.
    pub fn push(&mut self, asked: Asked) {
        self.asked.push_back(asked);
    }

    /// Waits for the next answer, for ever if nothing was asked. Cancel-safe.
    pub async fn next(&mut self) -> (Asked, Result<Answer, Error>) {
        let result = poll_fn(|cx| match self.asked.front_mut() {
            Some(asked) => asked.work.poll(cx),
            None => Poll::Pending,
        })
        .await;
        let asked = self.asked.pop_front().expect("the answer was that of the first in the queue");
        if self.asked.is_empty() {
            // A socket that falls silent again gives the memory of its busy time back.
            self.asked.shrink_to(4);
        }
        (asked, result)
    }
}

impl Work {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answer, Error>> {
        match self {
            Self::Sent(pending) => Pin::new(pending).poll(cx).map_ok(Answer::from),
            Self::Changed(pending) => Pin::new(pending).poll(cx).map_ok(Answer::from),
            Self::Reacted(pending) => Pin::new(pending).poll(cx).map_ok(Answer::from),
            Self::Read(pending) => Pin::new(pending).poll(cx).map_ok(Answer::from),
            Self::Shown(pending) => Pin::new(pending).poll(cx).map_ok(Answer::from),
            Self::Reading(reading) => reading.as_mut().poll(cx),
            Self::Called(pending) => Pin::new(pending).poll(cx).map_ok(Answer::from),
            Self::Started(pending) => Pin::new(pending).poll(cx).map_ok(|started| Answer::from(started.call)),
            Self::Settled(result) => result.take().map_or(Poll::Pending, |result| Poll::Ready(*result)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use futures_util::FutureExt;

    use super::*;
    use crate::chat::contract::error::Reason;

    fn asked(event: &str, work: Work) -> Asked {
        Asked { event: event.to_owned(), ack: None, work }
    }

    fn refused() -> Work {
        Work::Settled(Some(Box::new(Err(Reason::NotFound.into()))))
    }

    fn reading(reading: impl Future<Output = Result<Answer, Error>> + Send + 'static) -> Work {
        Work::Reading(Box::pin(reading))
    }

    #[test]
    fn no_more_is_taken_than_the_window_holds() {
        let mut window = Window::new(2);
        window.push(asked("one", refused()));
        assert!(window.has_room());
        window.push(asked("two", refused()));
        assert!(!window.has_room());
        let (first, _) = window.next().now_or_never().unwrap();
        assert_eq!(first.event, "one");
        assert!(window.has_room());
    }

    #[test]
    fn nothing_is_taken_behind_what_reads_until_it_is_answered() {
        let mut window = Window::new(64);
        window.push(asked("write", refused()));
        window.push(asked("read", reading(async { Ok(Answer::Done {}) })));
        assert!(!window.has_room());
        let (write, _) = window.next().now_or_never().unwrap();
        assert!(write.event == "write" && !window.has_room());
        let (read, result) = window.next().now_or_never().unwrap();
        assert!(read.event == "read" && result.is_ok() && window.has_room());
    }

    #[test]
    fn what_reads_starts_only_when_all_before_it_is_done() {
        let started = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&started);
        let mut window = Window::new(64);
        window.push(asked("never done", reading(std::future::pending())));
        window.push(asked(
            "read",
            reading(async move {
                seen.store(true, Ordering::Relaxed);
                Ok(Answer::Done {})
            }),
        ));
        assert!(window.next().now_or_never().is_none());
        assert!(!started.load(Ordering::Relaxed));
    }

    #[test]
    fn an_empty_window_waits() {
        assert!(Window::new(64).next().now_or_never().is_none());
    }
}
