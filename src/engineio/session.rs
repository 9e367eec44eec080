//! One session as a pure state machine: packets and the time come in, frames and a deadline come out.
//!
//! Everything that moves a session's state lives in this file; it has no socket and no clock.
//!
//! ```text
//!            poll/post              probe        5
//! Open ── carried by polling ──▶ Probing ──▶ Probed ──▶ carried by WebSocket
//!   │ close()                                                  │
//!   ▼                                                          ▼
//! Closing: what is queued may still leave ──▶ Closed: the client gone, cut off, late or wrong
//! ```
//!
//! Guarantees: one poll and one post at a time, and exactly one WebSocket; what is queued never exceeds its bound in
//! bytes (the session is closed instead); messages leave and arrive in order, across an upgrade too.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::engineio::packet::{Frame, Malformed, Message, Packet, Unit};
use crate::engineio::session::state::{Carrier, Heartbeat, Limits, Misplaced, Stage, Stirred, Upgrade};

pub mod state;

/// Packets in the answer of a poll, unless one unit alone has more: some clients refuse bodies with more than 16.
const ANSWER_PACKETS_MAX: usize = 16;

/// A queue that grew beyond this is given back once it is empty.
const QUEUE_KEPT: usize = 32;

/// How far a ping may be sent late and still be owed its pong at the planned time, as a part of the timeout.
const LATENESS: u32 = 8;

/// How soon a late pong is looked for again while the client's words may still be unread.
const PATIENCE: Duration = Duration::from_secs(1);

/// The state of one session.
#[derive(Debug)]
pub struct Session {
    limits: Limits,
    stage: Stage,
    carrier: Carrier,
    upgrade: Upgrade,
    heartbeat: Heartbeat,
    /// What a poll that is still waiting gets when the session ends.
    farewell: Frame,
    queue: VecDeque<Unit>,
    /// Cost of the queue and of what a WebSocket has taken and not yet written.
    queue_bytes: usize,
    inbox: VecDeque<Message>,
    polling: bool,
    posting: bool,
    stirred: Stirred,
}

impl Session {
    /// A session that opens now; `opening` is the first packet.
    pub fn open(limits: Limits, carrier: Carrier, opening: Frame, now: Instant) -> Self {
        let opening = Unit::from(opening);
        Self {
            limits,
            stage: Stage::Open,
            carrier,
            upgrade: Upgrade::None,
            heartbeat: Heartbeat::PingDue(now + limits.ping_interval),
            farewell: Frame::CLOSE,
            queue_bytes: opening.cost(),
            queue: VecDeque::from([opening]),
            inbox: VecDeque::new(),
            polling: false,
            posting: false,
            stirred: Stirred::default(),
        }
    }

    // What the layer above does.

    /// Queues a unit; `false` if the session takes no more, or just ended because too much is waiting.
    pub fn send(&mut self, unit: Unit) -> bool {
        self.stage == Stage::Open && self.push(unit)
    }

    /// Queues a unit unless more than `queued_max` bytes wait already: what is worth nothing to a client that is behind.
    pub fn send_if_short(&mut self, unit: Unit, queued_max: usize) {
        if self.stage == Stage::Open && self.queue_bytes <= queued_max {
            self.push(unit);
        }
    }

    /// Has the layer above look at the session again.
    pub fn nudge(&mut self) {
        self.stirred.owner = true;
    }

    /// The next message that came by POST.
    pub fn take_message(&mut self) -> Option<Message> {
        let message = self.inbox.pop_front();
        if self.inbox.is_empty() {
            shrink(&mut self.inbox);
            self.stirred.post |= self.posting;
        }
        message
    }

    /// Takes no more; what is queued may still leave.
    pub fn close(&mut self, now: Instant) {
        if self.stage == Stage::Open {
            self.stage = Stage::Closing { by: now + self.limits.close_timeout };
            self.stirred.owner = true;
            self.stirred.poll = true;
        }
    }

    /// Ends the session at once.
    pub fn end(&mut self) {
        if self.stage != Stage::Closed {
            self.stage = Stage::Closed;
            self.stirred = Stirred { owner: true, poll: true, post: true };
        }
    }

    // What time does.

    /// Sends the ping that is due, ends the session if its pong or its end is late. `heard` says whether all that the
    /// client has sent so far was received: only then a missing pong is its fault.
    pub fn tick(&mut self, now: Instant, heard: bool) {
        if self.stage == Stage::Closed {
            return;
        }
        if let Stage::Closing { by } = self.stage
            && now >= by
        {
            self.end();
        }
        match self.heartbeat {
            Heartbeat::PingDue(at) if now >= at => {
                let sent = now.checked_sub(self.limits.ping_timeout / LATENESS).map_or(at, |earliest| at.max(earliest));
                self.heartbeat = Heartbeat::PongDue(sent + self.limits.ping_timeout);
                self.push(Unit::from(Frame::PING));
            }
            Heartbeat::PongDue(at) if now >= at && heard && !self.posting => self.end(),
            Heartbeat::PingDue(_) | Heartbeat::PongDue(_) => {}
        }
    }

    /// When [`Session::tick`] has something to do again, after a tick at `now`.
    pub fn deadline(&self, now: Instant) -> Instant {
        let (Heartbeat::PingDue(due) | Heartbeat::PongDue(due)) = self.heartbeat;
        let beat = if due > now { due } else { now + PATIENCE };
        match self.stage {
            Stage::Closing { by } => by.min(beat),
            Stage::Open | Stage::Closed => beat,
        }
    }

    // What a WebSocket does.

    /// Takes a packet that came over the WebSocket that carries the session. A malformed one ends the session.
    pub fn receive(&mut self, packet: Result<Packet, Malformed>, now: Instant) -> Option<Message> {
        match packet {
            Ok(Packet::Message(message)) => return Some(message),
            Ok(Packet::Pong(_)) => self.beat(now),
            Ok(Packet::Noop) => {}
            Ok(Packet::Close | Packet::Ping(_) | Packet::Upgrade) | Err(Malformed) => self.end(),
        }
        None
    }

    /// The next unit to write; it counts as queued until [`Session::written`].
    pub fn take_unit(&mut self) -> Option<Unit> {
        let unit = self.queue.pop_front();
        if self.queue.is_empty() {
            shrink(&mut self.queue);
        }
        unit
    }

    /// Units of this cost have left.
    pub fn written(&mut self, cost: usize) {
        self.queue_bytes = self.queue_bytes.saturating_sub(cost);
    }

    /// Bytes that wait to be written, those that a WebSocket is writing included.
    pub fn queue_bytes(&self) -> usize {
        self.queue_bytes
    }

    /// Whether a closing session has nothing left to send.
    pub fn is_drained(&self) -> bool {
        matches!(self.stage, Stage::Closing { .. }) && self.queue_bytes == 0
    }

    // What an upgrade does.

    /// A WebSocket wants to take over. `false` if there is one already.
    pub fn begin_probe(&mut self) -> bool {
        let free = self.stage == Stage::Open && self.carrier == Carrier::Polling && self.upgrade == Upgrade::None;
        if free {
            self.upgrade = Upgrade::Probing;
        }
        free
    }

    /// The probe was answered: polls end at once, so that the client may switch.
    pub fn probed(&mut self) {
        if self.upgrade == Upgrade::Probing {
            self.upgrade = Upgrade::Probed;
            self.stirred.poll = true;
        }
    }

    /// The WebSocket carries the session from now on. `false` if it may not.
    pub fn finish_upgrade(&mut self) -> bool {
        if self.stage == Stage::Closed || self.upgrade != Upgrade::Probed {
            return false;
        }
        self.upgrade = Upgrade::None;
        self.carrier = Carrier::WebSocket;
        self.stirred.poll = true;
        self.stirred.owner = true;
        true
    }

    /// The WebSocket that wanted to take over is gone; polling goes on.
    pub fn abandon_probe(&mut self) {
        self.upgrade = Upgrade::None;
    }

    // What polling does.

    /// A GET came. A second one at the same time ends the session.
    pub fn begin_poll(&mut self) -> Result<(), Misplaced> {
        self.place(self.polling)?;
        self.polling = true;
        Ok(())
    }

    /// What the GET is answered with; `None` while it has to wait.
    pub fn poll(&mut self) -> Option<Vec<Frame>> {
        if self.carrier == Carrier::WebSocket {
            return Some(vec![Frame::NOOP]);
        }
        if self.stage == Stage::Closed {
            return Some(vec![self.farewell.clone()]);
        }
        let mut frames = Vec::new();
        while let Some(unit) = self.queue.pop_front_if(|unit| frames.is_empty() || fits(&frames, unit)) {
            self.queue_bytes -= unit.cost();
            frames.extend(unit.frames());
        }
        if self.queue.is_empty() {
            shrink(&mut self.queue);
        }
        // The end travels alone: clients act on it at once, but on messages of the same answer only afterwards.
        if matches!(self.stage, Stage::Closing { .. }) && frames.is_empty() {
            frames.push(Frame::CLOSE);
            self.end();
        }
        if frames.is_empty() && self.upgrade == Upgrade::Probed {
            frames.push(Frame::NOOP);
        }
        (!frames.is_empty()).then_some(frames)
    }

    /// The GET was answered.
    pub fn end_poll(&mut self) {
        self.polling = false;
    }

    /// A POST came. A second one at the same time ends the session.
    pub fn begin_post(&mut self) -> Result<(), Misplaced> {
        self.place(self.posting)?;
        self.posting = true;
        Ok(())
    }

    /// Whether the messages of the last POST were taken, so that this one may be read.
    pub fn may_read_post(&self) -> bool {
        self.inbox.is_empty() || self.stage == Stage::Closed
    }

    /// Takes the packets of a POST; one that has no place there ends the session.
    pub fn post(&mut self, packets: Vec<Packet>, now: Instant) -> Result<(), Malformed> {
        for packet in packets {
            match packet {
                Packet::Message(message) => self.inbox.push_back(message),
                Packet::Pong(_) => self.beat(now),
                Packet::Noop => {}
                Packet::Close => {
                    self.farewell = Frame::NOOP;
                    self.end();
                    break;
                }
                Packet::Ping(_) | Packet::Upgrade => {
                    self.end();
                    return Err(Malformed);
                }
            }
        }
        self.stirred.owner = true;
        Ok(())
    }

    /// The POST was answered.
    pub fn end_post(&mut self) {
        self.posting = false;
    }

    // What anybody may ask.

    /// What carries the session.
    pub fn carrier(&self) -> Carrier {
        self.carrier
    }

    /// Whether a WebSocket carries the session.
    pub fn is_upgraded(&self) -> bool {
        self.carrier == Carrier::WebSocket
    }

    /// Whether the session is over.
    pub fn is_closed(&self) -> bool {
        self.stage == Stage::Closed
    }

    /// Whether the client said goodbye while no poll was waiting: one that is under way is owed its answer.
    pub fn owes_farewell(&self) -> bool {
        self.farewell == Frame::NOOP && !self.polling
    }

    /// Whether the layer above may still send.
    pub fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    /// Who has something to look at since this was last asked.
    pub fn take_stirred(&mut self) -> Stirred {
        std::mem::take(&mut self.stirred)
    }

    fn place(&mut self, taken: bool) -> Result<(), Misplaced> {
        if self.stage == Stage::Closed {
            return Err(Misplaced::Closed);
        }
        if self.carrier == Carrier::WebSocket {
            return Err(Misplaced::OtherCarrier);
        }
        if taken {
            self.end();
            return Err(Misplaced::Doubled);
        }
        Ok(())
    }

    fn beat(&mut self, now: Instant) {
        if let Heartbeat::PongDue(_) = self.heartbeat {
            self.heartbeat = Heartbeat::PingDue(now + self.limits.ping_interval);
        }
    }

    /// Queues a unit within the bound; what does not fit ends the session. `false` then. Pings count too: a client that
    /// answers them unseen and takes nothing would otherwise gather them.
    fn push(&mut self, unit: Unit) -> bool {
        self.queue_bytes += unit.cost();
        if self.queue_bytes > self.limits.queue_bytes_max {
            self.queue.clear();
            self.end();
            return false;
        }
        self.queue.push_back(unit);
        self.stir_writer();
        true
    }

    fn stir_writer(&mut self) {
        match self.carrier {
            Carrier::Polling => self.stirred.poll |= self.polling,
            Carrier::WebSocket => self.stirred.owner = true,
        }
    }
}

fn fits(frames: &[Frame], unit: &Unit) -> bool {
    frames.len() + unit.frames().count() <= ANSWER_PACKETS_MAX
}

fn shrink<T>(queue: &mut VecDeque<T>) {
    if queue.capacity() > QUEUE_KEPT {
        *queue = VecDeque::new();
    }
}

#[cfg(test)]
mod tests;
