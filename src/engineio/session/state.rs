//! The states of a session, each a closed list, and what a change of them stirs.

use std::time::{Duration, Instant};

/// What a session needs to know of the endpoint's settings.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From a pong to the next ping.
    pub ping_interval: Duration,
    /// From a ping to its pong.
    pub ping_timeout: Duration,
    /// How long what is queued may take to leave once the session is closing.
    pub close_timeout: Duration,
    /// Bytes that may be queued.
    pub queue_bytes_max: usize,
}

/// What carries the packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// HTTP requests.
    Polling,
    /// One WebSocket.
    WebSocket,
}

/// How far the session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engineio) enum Stage {
    Open,
    Closing { by: Instant },
    Closed,
}

/// How far a WebSocket is that wants to take over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engineio) enum Upgrade {
    None,
    Probing,
    Probed,
}

/// What the heartbeat waits for, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engineio) enum Heartbeat {
    PingDue(Instant),
    PongDue(Instant),
}

/// Why a request has no place in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misplaced {
    /// The session is over.
    Closed,
    /// Another transport carries the session.
    OtherCarrier,
    /// There is one already; two at once end the session.
    Doubled,
}

/// Who has something to look at after a change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stirred {
    /// The layer above.
    pub owner: bool,
    /// The GET that waits.
    pub poll: bool,
    /// The POST that waits.
    pub post: bool,
}
