//! Sending to one namespace of one connection, from anywhere.

use std::time::Duration;

use serde::Serialize;

use crate::engineio::socket::Closed;
use crate::socketio::packet::{AckId, Args, Encoded};

/// Why an acknowledgement did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AckError {
    /// The client did not answer in time.
    #[error("the acknowledgement did not come in time")]
    Timeout,
    /// The connection ended first.
    #[error("the connection is closed")]
    Closed,
}

/// One accepted namespace of one connection; cheap to clone, never waits.
#[derive(Clone)]
pub struct Sender {}

impl Sender {
    pub(crate) fn closed() -> Self {
        Self {}
    }

    /// The public socket id, which the client knows too; says nothing about the secret session id.
    pub fn id(&self) -> &str {
        ""
    }

    /// The namespace, with its slash.
    pub fn namespace(&self) -> &str {
        "/"
    }

    /// Sends a packet that was encoded for this namespace.
    pub fn send(&self, _packet: &Encoded) -> Result<(), Closed> {
        Err(Closed)
    }

    /// Sends an event with one argument.
    pub fn emit(&self, name: &str, data: &impl Serialize) -> Result<(), Closed> {
        self.send(&Encoded::event(self.namespace(), name, data))
    }

    /// Sends an event with any number of arguments, binary included.
    pub fn emit_args(&self, name: &str, args: &Args) -> Result<(), Closed> {
        self.send(&Encoded::event_with(self.namespace(), name, args))
    }

    /// Sends an event and waits until the client acknowledges it. The event is sent at once, whether or not the
    /// returned future is polled.
    pub fn emit_with_ack(
        &self,
        _name: &str,
        _args: &Args,
        _within: Duration,
    ) -> impl Future<Output = Result<Args, AckError>> + Send + use<> {
        std::future::ready(Err(AckError::Closed))
    }

    /// Acknowledges an event with one argument.
    pub fn ack(&self, _id: AckId, _data: &impl Serialize) -> Result<(), Closed> {
        Err(Closed)
    }

    /// Acknowledges an event with any number of arguments, binary included.
    pub fn ack_args(&self, _id: AckId, _args: &Args) -> Result<(), Closed> {
        Err(Closed)
    }

    /// Leaves the namespace: the client is told, and what it still sends there is ignored.
    pub fn disconnect(&self) {}

    /// Closes the whole connection once what is queued has left.
    pub fn close(&self) {}

    /// Whether nothing sent by this handle can arrive any more.
    pub fn is_closed(&self) -> bool {
        true
    }
}
