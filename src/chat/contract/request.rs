//! A command on its way: who waits for its reply, and how it ends.
//!
//! ```text
//! Ask ── apply, inside a transaction ──▶ Applied ── COMMIT ──▶ Settled ── announced ──▶ the reply
//!  └─ refuse ─▶ Settled                     └─ lost ──▶ Settled, refused
//! ```
//!
//! The reply is kept back all the way: [`Applied`] may still be lost with its batch, and what drops it gives no reply but
//! `UNAVAILABLE`. A [`Settled`] command gives its reply when it is completed or dropped, after its events.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::chat::contract::error::{Code, Error, Reason};
use crate::chat::contract::event::Announcement;
use crate::chat::contract::outcome::Outcome;

/// What can be asked, with the type of its reply.
pub trait Request: fmt::Debug + Send + 'static {
    /// What whoever asked gets.
    type Reply: Send + 'static;
}

/// A request, and where its reply goes.
pub struct Ask<R: Request> {
    request: R,
    reply: oneshot::Sender<Result<R::Reply, Error>>,
}

impl<R: Request> Ask<R> {
    /// A request and its reply to come.
    pub fn new(request: R) -> (Self, Pending<R::Reply>) {
        let (reply, receiver) = oneshot::channel();
        (Self { request, reply }, Pending { receiver })
    }

    /// What is asked.
    pub fn request(&self) -> &R {
        &self.request
    }

    /// Carries the request out by its rule. A rule that panics is our fault and refuses; what it wrote must be taken back.
    pub fn apply(self, rule: impl FnOnce(R) -> Result<Outcome<R::Reply>, Error>) -> Applied {
        let Self { request, reply } = self;
        let result = catch_unwind(AssertUnwindSafe(|| rule(request)));
        let (events, result) = match result.unwrap_or_else(|_| Err(Error::internal("a rule panicked"))) {
            Ok(outcome) => (outcome.events, Ok(outcome.reply)),
            Err(refusal) => (Vec::new(), Err(refusal)),
        };
        let refusal = result.as_ref().err().map(Error::code);
        let answer = Box::new(move |lost: Option<Reason>| {
            let _nobody_waits = reply.send(lost.map_or(result, |reason| Err(reason.into())));
        });
        Applied { events, refusal, answer }
    }

    /// Refuses the request without a look at it.
    pub fn refuse(self, reason: Reason) -> Settled {
        self.apply(|_| Err(reason.into())).settle()
    }
}

impl<R: Request> fmt::Debug for Ask<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.request.fmt(f)
    }
}

/// A reply to come. Dropping it does not stop the command.
#[derive(Debug)]
pub struct Pending<T> {
    receiver: oneshot::Receiver<Result<T, Error>>,
}

impl<T> Pending<T> {
    /// The reply, if the command has been completed; it can be taken once.
    ///
    /// # Errors
    /// The refusal, in the contract's codes; `UNAVAILABLE` where there is no reply.
    pub fn take(&mut self) -> Result<T, Error> {
        self.receiver.try_recv().unwrap_or_else(|_| Err(Reason::Unavailable.into()))
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.receiver).poll(cx).map(|reply| reply.unwrap_or_else(|_| Err(Reason::Unavailable.into())))
    }
}

/// Gives the reply that it keeps, or this refusal instead.
type Answer = Box<dyn FnOnce(Option<Reason>) + Send>;

/// A command that was carried out or refused, in a transaction that is not committed yet.
pub struct Applied {
    events: Vec<Announcement>,
    refusal: Option<Code>,
    answer: Answer,
}

impl Applied {
    /// Whether its rule refused it.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.refusal.is_some()
    }

    /// What is to be announced after the commit.
    #[must_use]
    pub fn events(&self) -> &[Announcement] {
        &self.events
    }

    /// The transaction is on disk.
    #[must_use]
    pub fn settle(self) -> Settled {
        Settled { events: self.events, refusal: self.refusal, answer: Some(self.answer), lost: None }
    }

    /// The transaction is lost: nothing of it is announced, and the reply is this refusal.
    #[must_use]
    pub fn lose(self, reason: Reason) -> Settled {
        Settled { events: Vec::new(), refusal: Some(reason.code()), answer: Some(self.answer), lost: Some(reason) }
    }
}

/// A command that is over: its events, and its reply still kept back.
pub struct Settled {
    events: Vec<Announcement>,
    refusal: Option<Code>,
    answer: Option<Answer>,
    lost: Option<Reason>,
}

impl Settled {
    /// What is to be announced before the reply is given.
    #[must_use]
    pub fn events(&self) -> &[Announcement] {
        &self.events
    }

    /// The code of the refusal, if it was refused.
    #[must_use]
    pub fn refusal(&self) -> Option<Code> {
        self.refusal
    }

    /// Gives the reply. So does dropping it.
    pub fn complete(self) {}
}

impl Drop for Settled {
    fn drop(&mut self) {
        if let Some(answer) = self.answer.take() {
            answer(self.lost);
        }
    }
}

impl fmt::Debug for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settled").field("events", &self.events).field("refusal", &self.refusal).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Double(u32);

    impl Request for Double {
        type Reply = u32;
    }

    fn double(Double(number): Double) -> Result<Outcome<u32>, Error> {
        Ok((number * 2).into())
    }

    #[test]
    fn the_reply_is_kept_back_until_the_command_is_complete() {
        let (ask, mut pending) = Ask::new(Double(2));
        let settled = ask.apply(double).settle();
        assert_eq!(pending.take().unwrap_err().code(), Code::Unavailable, "nothing yet");
        settled.complete();
        assert_eq!(pending.take().unwrap(), 4);
    }

    #[test]
    fn what_is_lost_before_its_commit_is_never_acknowledged() {
        let (ask, mut pending) = Ask::new(Double(2));
        ask.apply(double).lose(Reason::StorageFull).complete();
        assert_eq!(pending.take().unwrap_err().reason, Reason::StorageFull);
        let (ask, mut pending) = Ask::new(Double(2));
        drop(ask.apply(double));
        assert_eq!(pending.take().unwrap_err().code(), Code::Unavailable);
    }

    #[test]
    fn a_rule_that_panics_is_an_internal_error_of_its_own() {
        let (ask, mut pending) = Ask::new(Double(u32::MAX));
        let applied = ask.apply(|Double(number)| Ok(number.checked_mul(2).expect("too large").into()));
        assert!(applied.is_refused());
        applied.settle().complete();
        assert_eq!(pending.take().unwrap_err().code(), Code::Internal);
    }
}
