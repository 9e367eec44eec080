//! Recording by consent: who asks, who agrees, and how it stops. What is recorded comes in [`crate::chat::calls::parts`].
//!
//! It runs only while everybody who is in the call has said yes to the last question. Whoever joins later is asked first,
//! and until they agree nothing is taken. A no stops it with its commit. Every answer is kept, with what the question said.
//!
//! ```text
//!            everybody agreed            ended, kept
//! off ─▶ asked ─────────────▶ on ─────────────────────▶ stored
//!          │ no, or 60 s        │ no          ▲ keep
//!          ▼                    ▼             │
//!        refused ◀──────────────┴─────────────┘ what was recorded is gone
//! ```

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::access::context::Context;
use crate::chat::calls::{call, keeping};
use crate::chat::contract::command::calls::{RecordCall, Wish};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::settings::Settings;
use crate::model::call::{Call, CallState};
use crate::model::id::{CallId, UserId};
use crate::model::recording::{self, Recorder, RecordingState, WORDING};
use crate::model::timestamp::Timestamp;
use crate::model::user::Role;
use crate::store::recordings::{self, Question, RecordingRow};

/// How often it is asked in one call: who said no is not to be worn down.
const QUESTIONS_MAX: i64 = 5;

/// After how long it may be worth asking in another call.
const QUESTIONS_PAUSE: Duration = Duration::from_secs(600);

/// How calls are recorded, where they may be.
///
/// # Errors
/// `FORBIDDEN`.
pub fn require_rules(settings: &Settings) -> Result<recording::Rules, Error> {
    settings.recordings.ok_or_else(|| Reason::RecordingsOff.into())
}

/// Asks, agrees, refuses or stops.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`; `FORBIDDEN` while recordings are off, and for a client who asks; `CONFLICT` where there
/// is nothing to answer, or one is not in the call; `RATE_LIMITED` after many questions.
pub fn record(
    conn: &Connection,
    actor: Actor,
    command: &RecordCall,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Outcome<Arc<Call>>, Error> {
    let (call, membership) = call::require(conn, actor, command.call_id, now)?;
    let me = membership.me.id;
    let found = recordings::find(conn, call.id)?;
    let state = call.recording.state;
    let is_open = is_open(state);
    match (command.wish, found) {
        (Wish::Ask, found) => {
            let settings = require_rules(context.settings)?;
            if membership.me.role != Role::Juriste {
                return Err(Reason::NotAllowed.into());
            }
            if is_open {
                return Ok(Arc::new(call).into());
            }
            require_question(&call, me, found.as_ref())?;
            let session_id = caller::require_member(conn, actor, now)?.session_id;
            let question = Question {
                call_id: call.id,
                asked_by: me,
                session_id,
                asked_at: now,
                by_service: settings.by == Recorder::Service,
                keep_s: i64::try_from(settings.keep.as_secs()).unwrap_or(i64::MAX),
            };
            recordings::ask(conn, &question)?;
            answer(conn, call.id, me, (true, WORDING), now)?;
            settle(conn, &call)?;
        }
        (Wish::Agree { wording }, Some(row)) if is_open => {
            if wording.is_some_and(|wording| wording != WORDING) {
                return Err(Reason::OtherWording.into());
            }
            if !is_in(&call, me) {
                return Err(Reason::NotInCall.into());
            }
            if row.shown.answer_of(me) == Some(true) {
                return Ok(Arc::new(call).into());
            }
            answer(conn, call.id, me, (true, WORDING), now)?;
            settle(conn, &call)?;
        }
        (Wish::Refuse { keep }, Some(row)) if is_open => {
            recordings::insert_consent(conn, &row, me, (false, WORDING), now)?;
            keeping::stop(conn, &row, keep && keeping::has_begun(&row), now)?;
        }
        (Wish::Refuse { .. }, _) if matches!(state, RecordingState::Off | RecordingState::Refused) => {
            return Ok(Arc::new(call).into());
        }
        _ => return Err(Reason::NotRecording.into()),
    }
    keeping::changed(conn, call.id, now, context)
}

/// Has those who are not asked yet be asked before more is recorded. To be called when somebody has joined.
///
/// # Errors
/// When SQLite fails.
pub fn joined(conn: &Connection, call: &Call) -> rusqlite::Result<()> {
    if matches!(call.recording.state, RecordingState::On) { settle(conn, call) } else { Ok(()) }
}

/// Lets what waited for nobody else's answer go on. To be called when somebody has left.
///
/// # Errors
/// When SQLite fails.
pub fn left(conn: &Connection, call: &Call) -> rusqlite::Result<()> {
    if call.recording.state == RecordingState::Asked { settle(conn, call) } else { Ok(()) }
}

/// Ends what somebody recorded or asked for who can send no more of it: what has come is kept. What a service records goes
/// on without them.
///
/// # Errors
/// `INTERNAL`.
pub fn recorder_gone(conn: &Connection, call_id: CallId, user_id: UserId, now: Timestamp) -> Result<(), Error> {
    match recordings::find(conn, call_id)? {
        Some(row) if is_open(row.shown.state) && row.shown.asked_by == Some(user_id) && !row.by_service => {
            keeping::stop(conn, &row, true, now)
        }
        _ => Ok(()),
    }
}

const fn is_open(state: RecordingState) -> bool {
    matches!(state, RecordingState::Asked | RecordingState::On)
}

/// Ends what a call that is over leaves open. What the juriste's browser records may still be on its way.
///
/// # Errors
/// `INTERNAL`.
pub fn call_ended(conn: &Connection, call_id: CallId, now: Timestamp) -> Result<(), Error> {
    match recordings::find(conn, call_id)? {
        Some(row) if row.shown.state == RecordingState::Asked => keeping::stop(conn, &row, true, now),
        Some(row) if row.shown.state == RecordingState::On && row.by_service => {
            Ok(recordings::set_stored(conn, call_id, keeping::kept_until(&row, now))?)
        }
        _ => Ok(()),
    }
}

/// Whether somebody is in a call.
fn is_in(call: &Call, user_id: UserId) -> bool {
    call.participants.iter().any(|one| one.user_id == user_id && one.left_at.is_none())
}

/// It runs while everybody who is there has said yes.
fn settle(conn: &Connection, call: &Call) -> rusqlite::Result<()> {
    let Some(row) = recordings::find(conn, call.id)? else { return Ok(()) };
    let mut there = call.participants.iter().filter(|one| one.left_at.is_none());
    let state = match there.all(|one| row.shown.answer_of(one.user_id) == Some(true)) {
        true => RecordingState::On,
        false => RecordingState::Asked,
    };
    recordings::set_state(conn, call.id, state)
}

fn answer(
    conn: &Connection,
    call_id: CallId,
    user_id: UserId,
    answer: (bool, i64),
    now: Timestamp,
) -> Result<(), Error> {
    let row = recordings::find(conn, call_id)?.ok_or(Reason::NotRecording)?;
    Ok(recordings::insert_consent(conn, &row, user_id, answer, now)?)
}

/// Lets somebody ask once more.
fn require_question(call: &Call, me: UserId, before: Option<&RecordingRow>) -> Result<(), Error> {
    if call.state != CallState::Ongoing {
        return Err(if call.state.is_live() { Reason::NotInCall } else { Reason::CallOver }.into());
    }
    if !is_in(call, me) {
        return Err(Reason::NotInCall.into());
    }
    if matches!(call.recording.state, RecordingState::Stored | RecordingState::Deleted) {
        return Err(Reason::AlreadyRecorded.into());
    }
    match before {
        Some(row) if row.question >= QUESTIONS_MAX => Err(Error::too_many(QUESTIONS_PAUSE)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
