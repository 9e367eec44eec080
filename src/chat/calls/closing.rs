//! Calls of which a member's account is closed: who that is leaves, and the others go on while there are two of them.
//!
//! Looked at with the deadlines, so it holds whoever closed the account, a process beside the server too. Until then,
//! half a second at most, nothing of the account's gets through: its sessions ended with it.

use std::sync::Arc;

use rusqlite::Connection;

use crate::chat::access::context::Context;
use crate::chat::calls::call::{announced, load};
use crate::chat::calls::{recording, rules};
use crate::chat::contract::error::Error;
use crate::chat::contract::event::Announcement;
use crate::model::call::{Call, CallState, EndReason};
use crate::model::id::UserId;
use crate::model::timestamp::Timestamp;
use crate::store::calls;

/// Has those leave whose account is closed.
///
/// # Errors
/// `INTERNAL`.
pub fn sweep(conn: &Connection, now: Timestamp, context: &mut Context<'_>) -> Result<Vec<Announcement>, Error> {
    let mut events = Vec::new();
    for (call_id, user_id) in calls::list_closed(conn)? {
        let call = load(conn, call_id)?;
        // With two who are closed, the first one has ended it.
        if call.state.is_live() {
            let others = calls::list_who_may_join(conn, call.conversation_id)?.len();
            events.extend(leave(conn, &call, (user_id, others), now, context)?);
        }
    }
    Ok(events)
}

/// Takes somebody who is no more out of a call, of whom so many others may still sit in it.
fn leave(
    conn: &Connection,
    call: &Call,
    (user_id, others): (UserId, usize),
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<Vec<Announcement>, Error> {
    recording::recorder_gone(conn, call.id, user_id, now)?;
    if let Some(state) = ends(call, user_id, others) {
        return Ok(rules::end(conn, call.id, (state, EndReason::Lost), now, context)?.1);
    }
    if !calls::set_left(conn, call.id, user_id, now)? {
        return Ok(Vec::new());
    }
    recording::left(conn, &load(conn, call.id)?)?;
    Ok(vec![announced(conn, &Arc::new(load(conn, call.id)?), now)?])
}

/// What ends a call that somebody is gone from, if anything does: nobody talks alone, and nobody is called by who is gone.
fn ends(call: &Call, gone: UserId, others: usize) -> Option<CallState> {
    match call.state {
        CallState::Ringing if call.started_by == gone => Some(CallState::Cancelled),
        CallState::Ringing => (others < 2).then_some(CallState::Missed),
        _ => (others < 2).then_some(CallState::Ended),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::auth::actor::Actor;
    use crate::chat::contract::command::calls::{JoinCall, RecordCall, StartCall, Wish};
    use crate::chat::contract::command::people::UpdateUser;
    use crate::chat::contract::command::system::EndCalls;
    use crate::chat::contract::event::Event;
    use crate::chat::contract::settings::Settings;
    use crate::chat::testing::fixtures::RulesFixture;
    use crate::model::call::Media;
    use crate::model::id::CallId;
    use crate::model::recording::{Recorder, RecordingState, Rules};
    use crate::store::recordings;

    fn user(id: i64) -> UserId {
        UserId::new(id).unwrap()
    }

    /// A juriste calls a client, who answers; both agree to a recording that one of them is asked for by.
    fn recorded(by: Recorder) -> (RulesFixture, CallId) {
        let rules = Rules { by, bytes_max: 10_000, total_bytes_max: 20_000, keep: Duration::from_secs(86_400) };
        let mut fixture = RulesFixture::with(Settings { recordings: Some(rules), ..Settings::default() });
        let (client, juriste) = (fixture.actor(1), fixture.actor(6));
        let conversation_id = fixture.conversation(client, 6);
        let call = fixture.run(juriste, StartCall { conversation_id, media: Media::Audio }).unwrap().reply.call.id;
        for (actor, seat) in [(juriste, "caller"), (client, "callee")] {
            let join = JoinCall { call_id: call, seat: Some(seat.to_owned()), take_over: false };
            fixture.run(actor, join).unwrap();
        }
        for (actor, wish) in [(juriste, Wish::Ask), (client, Wish::Agree { wording: None })] {
            fixture.run(actor, RecordCall { call_id: call, wish }).unwrap();
        }
        assert_eq!(load(fixture.conn(), call).unwrap().recording.state, RecordingState::On);
        (fixture, call)
    }

    fn close(fixture: &mut RulesFixture, id: i64) {
        let command = UpdateUser { user_id: user(id), is_active: Some(false), role: None, name: None };
        fixture.run(Actor::System, command).unwrap();
    }

    #[test]
    fn a_call_of_two_ends_with_the_account_of_either_also_where_no_socket_says_who_is_there() {
        for closed in [1, 6] {
            let (mut fixture, id) = recorded(Recorder::Browser);
            fixture.conn().execute("UPDATE call_participants SET seat = NULL", []).unwrap();
            close(&mut fixture, closed);
            let events = fixture.run(Actor::System, EndCalls).unwrap().events;
            assert!(events.iter().any(|told| matches!(told.event, Event::CallUpdated(_))));
            let call = load(fixture.conn(), id).unwrap();
            assert_eq!((call.state, call.end_reason), (CallState::Ended, Some(EndReason::Lost)));
            assert!(call.participants.iter().all(|one| one.left_at.is_some()) && call.message_id.is_some());
            // Nothing of a recorder who is gone can be on its way any more; what another member has may be.
            let state = if closed == 6 { RecordingState::Off } else { RecordingState::On };
            assert_eq!(call.recording.state, state, "{closed} was closed");
            assert!(fixture.run(Actor::System, EndCalls).unwrap().events.is_empty(), "once is enough");
        }
    }

    #[test]
    fn what_a_service_records_is_kept_whoever_is_gone() {
        let (mut fixture, id) = recorded(Recorder::Service);
        close(&mut fixture, 6);
        fixture.run(Actor::System, EndCalls).unwrap();
        assert_eq!(load(fixture.conn(), id).unwrap().recording.state, RecordingState::Stored);
    }

    #[test]
    fn one_closed_account_ends_no_call_of_those_who_are_still_two() {
        let (mut fixture, id) = recorded(Recorder::Service);
        let mut call = load(fixture.conn(), id).unwrap();
        let now = fixture.now();
        let mut left =
            |others| fixture.with_context(|conn, context| leave(conn, &call, (user(1), others), now, context));
        assert_eq!(left(2).unwrap().len(), 1);
        assert!(left(2).unwrap().is_empty(), "who has left leaves no more");
        let shown = load(fixture.conn(), id).unwrap();
        assert_eq!((shown.state, shown.recording.state), (CallState::Ongoing, RecordingState::On));
        let here: Vec<UserId> =
            shown.participants.iter().filter(|one| one.left_at.is_none()).map(|one| one.user_id).collect();
        assert_eq!(here, [user(6)]);
        call.state = CallState::Ringing;
        let ended: Vec<_> =
            [(6, 3), (1, 2), (1, 1)].into_iter().map(|(gone, others)| ends(&call, user(gone), others)).collect();
        assert_eq!(ended, [Some(CallState::Cancelled), None, Some(CallState::Missed)]);
    }

    #[test]
    fn whose_own_answer_alone_was_waited_for_stops_no_recording_by_going() {
        let (mut fixture, id) = recorded(Recorder::Service);
        recordings::set_state(fixture.conn(), id, RecordingState::Asked).unwrap();
        fixture.conn().execute("DELETE FROM recording_consents WHERE user_id = 1", []).unwrap();
        let call = load(fixture.conn(), id).unwrap();
        let now = fixture.now();
        fixture.with_context(|conn, context| leave(conn, &call, (user(1), 2), now, context)).unwrap();
        assert_eq!(load(fixture.conn(), id).unwrap().recording.state, RecordingState::On);
    }
}
