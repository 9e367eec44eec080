//! How long each state of a call may last. Looked at twice a second, by the clock that only measures: setting the
//! machine's clock ends no call.
//!
//! Nothing is noted when a call changes: each look compares what a call is now with what it was at the last one, and a
//! change begins a new span. So a change that was taken back with its batch leaves no deadline behind, and a restart gives
//! every call that goes on its time anew. Only what rang before the restart is missed at once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::access::context::Context;
use crate::chat::calls::{closing, keeping, rules};
use crate::chat::contract::error::Error;
use crate::chat::contract::event::Announcement;
use crate::chat::contract::outcome::Outcome;
use crate::model::call::{Call, CallState, EndReason, Participant, RINGS_FOR};
use crate::model::id::CallId;
use crate::model::recording::RecordingState;
use crate::model::timestamp::Timestamp;
use crate::store::{calls, recordings};

/// What a call waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// That somebody answers.
    Ringing,
    /// That somebody is there.
    Empty,
    /// That another member is there too.
    Alone,
    /// For nothing: they talk.
    Talking,
}

impl Phase {
    fn of(call: &Call, context: &Context<'_>) -> Self {
        if call.state == CallState::Ringing {
            return Self::Ringing;
        }
        // Of one without a socket, in a Jitsi room, it is not known: they are there until they hang up.
        let is_there = |one: &&Participant| {
            one.left_at.is_none() && (one.seat.is_none() || context.seats.is_taken_by(call.id, one.user_id))
        };
        match call.participants.iter().filter(is_there).count() {
            0 => Self::Empty,
            1 => Self::Alone,
            _ => Self::Talking,
        }
    }

    const fn span(self) -> Duration {
        match self {
            Self::Ringing => RINGS_FOR,
            Self::Empty => Duration::from_secs(30),
            Self::Alone => Duration::from_secs(60),
            Self::Talking => Duration::from_secs(12 * 3600),
        }
    }

    const fn end(self) -> (CallState, EndReason) {
        match self {
            Self::Ringing => (CallState::Missed, EndReason::Timeout),
            Self::Empty | Self::Alone => (CallState::Ended, EndReason::Lost),
            Self::Talking => (CallState::Ended, EndReason::TooLong),
        }
    }
}

/// How long a question whether to record waits for its answers, and a recording for its next part.
const RECORDING_SPAN: Duration = Duration::from_secs(60);

/// When what is over. Lives on the writer's thread.
#[derive(Debug, Default)]
pub struct Deadlines {
    known: HashMap<CallId, (Phase, Instant)>,
    /// The recordings that wait: in which state, for which part, since when.
    recordings: HashMap<CallId, ((RecordingState, u32), Instant)>,
    /// The latest call of the processes before this one; 0 for none.
    last_before: Option<i64>,
}

impl Deadlines {
    /// To be called when a batch begins: what there is at the first one is from before this process.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn begin(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        if self.last_before.is_none() {
            self.last_before = Some(calls::last_id(conn)?);
        }
        Ok(())
    }

    /// Ends the calls whose time is over, or that nobody is left in.
    ///
    /// # Errors
    /// `FORBIDDEN` for all but the program itself; `INTERNAL`.
    pub fn sweep(
        &mut self,
        conn: &Connection,
        actor: Actor,
        (now, steady): (Timestamp, Instant),
        context: &mut Context<'_>,
    ) -> Result<Outcome<()>, Error> {
        caller::require_system(actor)?;
        let mut events = closing::sweep(conn, now, context)?;
        let live = calls::list_live(conn)?;
        let mut known = HashMap::with_capacity(live.len());
        for call in live {
            let phase = Phase::of(&call, context);
            let since = match self.known.get(&call.id) {
                Some((before, since)) if *before == phase => *since,
                _ => steady,
            };
            let is_from_before = self.last_before.is_some_and(|last| call.id.as_i64() <= last);
            let rang_before = phase == Phase::Ringing && is_from_before;
            if rang_before || steady.saturating_duration_since(since) >= phase.span() {
                let (state, reason) = phase.end();
                let reason = if rang_before { EndReason::Restart } else { reason };
                events.extend(rules::end(conn, call.id, (state, reason), now, context)?.1);
            } else {
                known.insert(call.id, (phase, since));
            }
        }
        self.known = known;
        events.extend(self.sweep_recordings(conn, (now, steady), context)?);
        Ok(Outcome::done(events))
    }

    /// Ends the questions that nobody answered, and the recordings of which nothing comes any more.
    fn sweep_recordings(
        &mut self,
        conn: &Connection,
        (now, steady): (Timestamp, Instant),
        context: &mut Context<'_>,
    ) -> Result<Vec<Announcement>, Error> {
        let (mut events, mut known) = (Vec::new(), HashMap::new());
        for call_id in recordings::list_open(conn)? {
            let Some(row) = recordings::find(conn, call_id)? else { continue };
            if row.shown.state == RecordingState::On && row.by_service {
                continue;
            }
            let phase = (row.shown.state, recordings::next_part(conn, call_id)?);
            let since = match self.recordings.get(&call_id) {
                Some((before, since)) if *before == phase => *since,
                _ => steady,
            };
            if steady.saturating_duration_since(since) >= RECORDING_SPAN {
                keeping::stop(conn, &row, true, now)?;
                events.extend(keeping::changed(conn, call_id, now, context)?.events);
            } else {
                known.insert(call_id, (phase, since));
            }
        }
        self.recordings = known;
        Ok(events)
    }
}
