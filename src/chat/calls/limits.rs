//! Who may start a call, and how often.

use std::time::Duration;

use rusqlite::Connection;

use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::settings::{Callers, Settings};
use crate::chat::notices::preferences;
use crate::model::call::{CallState, EndReason};
use crate::model::id::{ConversationId, UserId};
use crate::model::timestamp::Timestamp;
use crate::model::user::Role;
use crate::store::{calls, notices};

/// Calls that one person may start in a minute.
const STARTS_MAX: usize = 6;
const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// Calls in a row that nobody answered, of one person in one conversation, and for how long they count.
const UNANSWERED_MAX: usize = 3;
const UNANSWERED_WITHIN: Duration = Duration::from_secs(600);

/// Whether people of this role may start calls.
#[must_use]
pub fn may_start(settings: &Settings, role: Role) -> bool {
    match settings.callers {
        Callers::Nobody => false,
        Callers::Juristes => role == Role::Juriste,
        Callers::Everybody => matches!(role, Role::Client | Role::Juriste),
    }
}

/// What becomes at once of a call that cannot ring: whoever is called talks elsewhere, or takes no calls now.
///
/// # Errors
/// When SQLite fails.
pub fn in_vain(
    conn: &Connection,
    user_id: UserId,
    settings: &Settings,
    now: Timestamp,
) -> rusqlite::Result<Option<(CallState, EndReason)>> {
    if calls::find_live_of(conn, user_id)?.is_some() {
        return Ok(Some((CallState::Busy, EndReason::Busy)));
    }
    Ok(is_quiet(conn, user_id, settings, now)?.then_some((CallState::Missed, EndReason::Quiet)))
}

/// Whether somebody is not to be called now: these are their quiet hours, and calls are no exception to them.
///
/// # Errors
/// When SQLite fails.
fn is_quiet(conn: &Connection, user_id: UserId, settings: &Settings, now: Timestamp) -> rusqlite::Result<bool> {
    let chosen = preferences::in_force(&notices::find_settings(conn, user_id)?, &settings.notices);
    let is_quiet = chosen.quiet_hours.is_some_and(|quiet| quiet.end(now, &chosen.time_zone) > now);
    Ok(is_quiet && !chosen.calls_in_quiet_hours)
}

/// Lets somebody start one more call.
///
/// # Errors
/// `FORBIDDEN` while calls are off, or by a role that may not start them; `RATE_LIMITED` with the time until it is possible.
pub fn require_start(
    conn: &Connection,
    (user_id, role): (UserId, Role),
    conversation_id: ConversationId,
    settings: &Settings,
    now: Timestamp,
) -> Result<(), Error> {
    if !may_start(settings, role) {
        return Err(Reason::CallsNotAllowed.into());
    }
    let starts = calls::list_starts(conn, user_id, now - STARTS_WITHIN)?;
    if let Some(at) = starts.len().checked_sub(STARTS_MAX).and_then(|at| starts.get(at)) {
        return Err(Error::too_many((*at + STARTS_WITHIN).since(now)));
    }
    let latest = calls::list_latest(conn, conversation_id, UNANSWERED_MAX)?;
    let since = now - UNANSWERED_WITHIN;
    let was_in_vain = |(by, at, is_answered): &(UserId, Timestamp, bool)| *by == user_id && *at > since && !is_answered;
    match latest.last() {
        Some((_, first, _)) if latest.len() == UNANSWERED_MAX && latest.iter().all(was_in_vain) => {
            Err(Error::too_many((*first + UNANSWERED_WITHIN).since(now)))
        }
        _ => Ok(()),
    }
}
