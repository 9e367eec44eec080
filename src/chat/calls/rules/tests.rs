use std::time::Duration;

use super::*;
use crate::chat::contract::command::notices::UpdateNotices;
use crate::chat::contract::command::people::UpdateUser;
use crate::chat::contract::command::system::EndCalls;
use crate::chat::contract::error::Code;
use crate::chat::contract::settings::{Callers, Settings};
use crate::chat::testing::fixtures::RulesFixture;
use crate::model::call::Media;
use crate::model::id::{ConversationId, UserId};
use crate::model::message::Message;
use crate::model::notices::{Clock, Days, QuietHours};

struct Line {
    fixture: RulesFixture,
    client: Actor,
    juriste: Actor,
    conversation_id: ConversationId,
}

impl Line {
    fn new() -> Self {
        Self::with(Settings { message_rate: 0, ..Settings::default() })
    }

    fn with(settings: Settings) -> Self {
        let mut fixture = RulesFixture::with(settings);
        let (client, juriste) = (fixture.actor(1), fixture.actor(6));
        let conversation_id = fixture.conversation(client, 6);
        Self { fixture, client, juriste, conversation_id }
    }

    fn try_start(&mut self, actor: Actor) -> Result<Outcome<CallStarted>, Error> {
        self.fixture.run(actor, StartCall { conversation_id: self.conversation_id, media: Media::Audio })
    }

    fn start(&mut self, actor: Actor) -> Arc<Call> {
        self.try_start(actor).unwrap().reply.call
    }

    fn join(
        &mut self,
        actor: Actor,
        call_id: CallId,
        seat: &str,
        take_over: bool,
    ) -> Result<Outcome<Arc<Call>>, Error> {
        self.fixture.run(actor, JoinCall { call_id, seat: Some(seat.to_owned()), take_over })
    }

    /// As the hub does when the socket is there.
    fn sit(&self, call_id: CallId, user: i64, seat: &str) {
        self.fixture.seats().take(call_id, UserId::new(user).unwrap(), seat);
    }

    fn get_up(&self, call_id: CallId, user: i64) {
        self.fixture.seats().give_up(call_id, UserId::new(user).unwrap());
    }

    fn sweep(&mut self) -> Vec<Announcement> {
        self.fixture.run(Actor::System, EndCalls).unwrap().events
    }

    fn pass_s(&mut self, seconds: u64) {
        self.fixture.pass(Duration::from_secs(seconds));
    }

    fn load(&self, id: CallId) -> Call {
        super::load(self.fixture.conn(), id).unwrap()
    }

    fn unread(&self) -> (i64, i64) {
        let whole = crate::store::conversations::find(self.fixture.conn(), self.conversation_id).unwrap().unwrap();
        (whole.row.client_unread, whole.row.lawyer_unread)
    }
}

fn names(events: &[Announcement]) -> Vec<&'static str> {
    events
        .iter()
        .map(|told| match told.event {
            Event::CallIncoming(_) => "incoming",
            Event::CallUpdated(_) => "updated",
            Event::CallSeated(_) => "seated",
            Event::MessageSent(_) => "message",
            Event::Notified(_) => "notification",
            Event::ConversationUpdated(_) => "conversation",
            _ => "another",
        })
        .collect()
}

fn entry_of(events: &[Announcement]) -> Option<Message> {
    events.iter().find_map(|told| match &told.event {
        Event::MessageSent(message) => Some(Message::clone(message)),
        _ => None,
    })
}

#[test]
fn a_call_rings_is_answered_by_the_first_seat_and_ends_for_both() {
    let mut line = Line::new();
    let outcome = line.try_start(line.juriste).unwrap();
    assert_eq!(names(&outcome.events), ["incoming", "updated"]);
    assert_eq!(outcome.events[0].audience, Audience::Member(UserId::new(1).unwrap()));
    let call = outcome.reply.call;
    assert!(outcome.reply.created && call.state == CallState::Ringing && !call.reachable);
    let own = line.join(line.juriste, call.id, "caller", false).unwrap();
    assert_eq!((names(&own.events), own.reply.state), (vec!["seated", "updated"], CallState::Ringing));
    let answered = line.join(line.client, call.id, "callee", false).unwrap().reply;
    assert_eq!((answered.state, answered.participants.len()), (CallState::Ongoing, 2));
    assert!(answered.answered_at.is_some() && answered.message_id.is_none());
    let again = line.join(line.client, call.id, "callee", false).unwrap();
    assert_eq!(names(&again.events), ["seated"], "the same seat again is no news");
    line.pass_s(125);
    let ended = line.fixture.run(line.client, LeaveCall { call_id: call.id }).unwrap();
    assert_eq!(names(&ended.events), ["updated", "message", "conversation"], "and nobody is notified");
    let message = entry_of(&ended.events).unwrap();
    assert_eq!((message.content.as_str(), message.sender_id.as_i64()), ("Appel audio, 2 min", 6));
    assert_eq!((ended.reply.state, ended.reply.message_id), (CallState::Ended, Some(message.id)));
    assert_eq!(message.kind, Kind::Call(ended.reply.to_json().unwrap()));
    assert_eq!(line.load(call.id), Call::clone(&ended.reply));
    assert_eq!(line.unread(), (0, 0));
    let after = line.fixture.run(line.juriste, LeaveCall { call_id: call.id }).unwrap();
    assert!(after.events.is_empty() && after.reply.state == CallState::Ended);
    assert_eq!(line.join(line.client, call.id, "callee", false).unwrap_err().reason, Reason::CallOver);
}

#[test]
fn what_was_missed_is_unread_and_notified_for_the_callee_alone() {
    for what in ["cancelled", "missed", "declined"] {
        let mut line = Line::new();
        let call = line.start(line.juriste);
        let events = match what {
            "cancelled" => line.fixture.run(line.juriste, LeaveCall { call_id: call.id }).unwrap().events,
            "declined" => line.fixture.run(line.client, DeclineCall { call_id: call.id }).unwrap().events,
            _ => {
                assert!(line.sweep().is_empty());
                line.pass_s(44);
                assert!(line.sweep().is_empty());
                line.pass_s(2);
                line.sweep()
            }
        };
        assert_eq!(line.load(call.id).state.as_str(), what);
        let is_missed = what != "declined";
        assert_eq!(names(&events).contains(&"notification"), is_missed, "{what}");
        assert_eq!(line.unread(), (i64::from(is_missed), 0), "{what}");
        assert!(line.sweep().is_empty(), "{what}: over is over");
    }
}

#[test]
fn both_who_call_at_once_have_one_call() {
    let mut line = Line::new();
    let first = line.start(line.juriste);
    let second = line.try_start(line.client).unwrap();
    assert!(!second.reply.created && second.reply.call.id == first.id);
    assert_eq!((second.reply.call.state, names(&second.events)), (CallState::Ongoing, vec!["updated"]));
    let third = line.try_start(line.juriste).unwrap();
    assert!(third.events.is_empty() && third.reply.call.id == first.id);
}

#[test]
fn who_talks_elsewhere_is_busy_and_does_not_call() {
    let mut line = Line::new();
    let other = line.fixture.actor(2);
    let there = line.fixture.conversation(other, 6);
    let call = line.start(line.juriste);
    let elsewhere = StartCall { conversation_id: there, media: Media::Video };
    let busy = line.fixture.run(other, elsewhere).unwrap();
    assert_eq!(busy.reply.call.state, CallState::Busy);
    assert_eq!(names(&busy.events), ["updated", "message", "notification", "conversation"], "and nothing rings");
    let elsewhere = StartCall { conversation_id: there, media: Media::Video };
    assert_eq!(line.fixture.run(line.juriste, elsewhere).unwrap_err().reason, Reason::InAnotherCall);
    line.fixture.run(line.client, DeclineCall { call_id: call.id }).unwrap();
    let elsewhere = StartCall { conversation_id: there, media: Media::Video };
    assert_eq!(line.fixture.run(line.juriste, elsewhere).unwrap().reply.call.state, CallState::Ringing);
}

#[test]
fn a_person_has_one_seat_and_may_take_it_over() {
    let mut line = Line::new();
    let call = line.start(line.juriste);
    line.join(line.client, call.id, "phone", false).unwrap();
    let refused = line.join(line.client, call.id, "laptop", false).unwrap_err();
    assert_eq!((refused.reason, refused.code()), (Reason::SeatElsewhere, Code::Conflict));
    let taken = line.join(line.client, call.id, "laptop", true).unwrap();
    assert!(matches!(&taken.events[0].event, Event::CallSeated(seated) if seated.seat == "laptop"));
    assert_eq!(taken.reply.participants.len(), 1);
    assert_eq!(line.join(line.client, call.id, "phone", false).unwrap_err().reason, Reason::SeatElsewhere);
}

#[test]
fn a_call_that_nobody_sits_in_any_more_is_lost() {
    for (seated, alive_s) in [(vec![], 30), (vec![6], 60), (vec![1, 6], 12 * 3600)] {
        let mut line = Line::new();
        let call = line.start(line.juriste);
        line.join(line.juriste, call.id, "a", false).unwrap();
        line.join(line.client, call.id, "b", false).unwrap();
        for user in [1, 6] {
            line.sit(call.id, user, "x");
        }
        line.sweep();
        for user in [1, 6] {
            if !seated.contains(&user) {
                line.get_up(call.id, user);
            }
        }
        line.sweep();
        line.pass_s(alive_s - 1);
        assert!(line.sweep().is_empty(), "{seated:?}");
        line.pass_s(2);
        assert_eq!(names(&line.sweep())[0], "updated", "{seated:?}");
        let over = line.load(call.id);
        let reason = if seated.len() == 2 { EndReason::TooLong } else { EndReason::Lost };
        assert_eq!((over.state, over.end_reason), (CallState::Ended, Some(reason)));
    }
}

#[test]
fn who_comes_back_in_time_talks_on() {
    let mut line = Line::new();
    let call = line.start(line.juriste);
    line.join(line.juriste, call.id, "a", false).unwrap();
    line.join(line.client, call.id, "b", false).unwrap();
    line.sit(call.id, 1, "b");
    line.sweep();
    for _ in 0..3 {
        line.pass_s(59);
        assert!(line.sweep().is_empty());
        line.sit(call.id, 6, "a");
        line.sweep();
        line.get_up(call.id, 6);
        line.sweep();
    }
    assert!(line.load(call.id).state.is_live());
}

#[test]
fn after_a_restart_what_rang_is_missed_and_what_went_on_has_its_time_anew() {
    let mut line = Line::new();
    let (other, elsewhere) = (line.fixture.actor(2), line.fixture.actor(7));
    let there = line.fixture.conversation(other, 7);
    let ringing = line.start(line.juriste);
    let start = StartCall { conversation_id: there, media: Media::Audio };
    let ongoing = line.fixture.run(other, start).unwrap().reply.call;
    line.join(elsewhere, ongoing.id, "x", false).unwrap();
    line.fixture.restart();
    line.sweep();
    let missed = line.load(ringing.id);
    assert_eq!((missed.state, missed.end_reason), (CallState::Missed, Some(EndReason::Restart)));
    assert!(line.load(ongoing.id).state.is_live());
    line.pass_s(31);
    line.sweep();
    assert_eq!(line.load(ongoing.id).state, CallState::Ended);
    let anew = line.start(line.juriste);
    line.sweep();
    assert!(line.load(anew.id).state.is_live(), "a call of this process rings for its time");
}

#[test]
fn six_calls_a_minute_and_three_in_vain() {
    let mut line = Line::new();
    for _ in 0..3 {
        let call = line.start(line.juriste);
        line.fixture.run(line.juriste, LeaveCall { call_id: call.id }).unwrap();
    }
    let refused = line.try_start(line.juriste).unwrap_err();
    assert_eq!(refused.code(), Code::RateLimited);
    assert!(refused.retry_after.is_some_and(|wait| wait > Duration::from_secs(590)));
    let back = line.start(line.client);
    line.join(line.juriste, back.id, "a", false).unwrap();
    line.fixture.run(line.juriste, LeaveCall { call_id: back.id }).unwrap();
    for _ in 0..3 {
        let call = line.start(line.juriste);
        line.join(line.client, call.id, "b", false).unwrap();
        line.fixture.run(line.juriste, LeaveCall { call_id: call.id }).unwrap();
    }
    let refused = line.try_start(line.juriste).unwrap_err();
    assert!(refused.retry_after.is_some_and(|wait| wait <= Duration::from_secs(60)), "{refused:?}");
    line.pass_s(61);
    assert!(line.try_start(line.juriste).is_ok());
}

#[test]
fn the_operator_decides_who_may_start_and_everybody_may_answer() {
    for (callers, juriste, client) in
        [(Callers::Nobody, false, false), (Callers::Juristes, true, false), (Callers::Everybody, true, true)]
    {
        let mut line = Line::with(Settings { callers, message_rate: 0, ..Settings::default() });
        for (actor, may) in [(line.client, client), (line.juriste, juriste)] {
            let started = line.try_start(actor);
            assert_eq!(started.as_ref().err().map(Error::code), (!may).then_some(Code::Forbidden), "{callers:?}");
            if let Ok(started) = started {
                line.fixture.run(actor, LeaveCall { call_id: started.reply.call.id }).unwrap();
            }
        }
    }
}

#[test]
fn nobody_outside_of_the_conversation_learns_of_a_call_or_touches_it() {
    let mut line = Line::new();
    let call = line.start(line.juriste);
    for user in [2, 7, 11] {
        let outsider = line.fixture.actor(user);
        for refused in [
            line.try_start(outsider).err(),
            line.join(outsider, call.id, "a", true).err(),
            line.fixture.run(outsider, DeclineCall { call_id: call.id }).err(),
            line.fixture.run(outsider, LeaveCall { call_id: call.id }).err(),
        ] {
            assert_eq!(refused.map(|error| error.reason), Some(Reason::NotFound), "user {user}");
        }
    }
    let client = line.client;
    let refused = line.fixture.run(line.juriste, DeclineCall { call_id: call.id }).unwrap_err();
    assert_eq!(refused.reason, Reason::NotTheCallee);
    line.join(client, call.id, "a", false).unwrap();
    assert_eq!(line.fixture.run(client, DeclineCall { call_id: call.id }).unwrap_err().reason, Reason::CallAnswered);
    assert_eq!(line.fixture.run(client, EndCalls).unwrap_err().code(), Code::Forbidden);
}

#[test]
fn a_closed_account_is_not_called() {
    let mut line = Line::new();
    let admin = line.fixture.actor(11);
    let off = UpdateUser { user_id: UserId::new(1).unwrap(), name: None, role: None, is_active: Some(false) };
    line.fixture.run(admin, off).unwrap();
    assert_eq!(line.try_start(line.juriste).unwrap_err().reason, Reason::AccountClosed);
}

#[test]
fn a_call_that_rings_is_not_answered_once_an_account_of_it_is_closed() {
    let mut line = Line::new();
    let call = line.start(line.client);
    let admin = line.fixture.actor(11);
    let off = UpdateUser { user_id: UserId::new(1).unwrap(), name: None, role: None, is_active: Some(false) };
    line.fixture.run(admin, off).unwrap();
    let juriste = line.juriste;
    assert_eq!(line.join(juriste, call.id, "a", false).unwrap_err().reason, Reason::AccountClosed);
    assert_eq!(line.try_start(juriste).unwrap_err().reason, Reason::AccountClosed);
    let declined = line.fixture.run(juriste, DeclineCall { call_id: call.id }).unwrap();
    assert_eq!(declined.reply.state, CallState::Declined);
}

#[test]
fn a_call_in_a_room_of_its_own_is_joined_without_a_socket_too() {
    let settings = Settings { call_provider: Provider::Jitsi, message_rate: 0, ..Settings::default() };
    let mut line = Line::with(settings);
    let call = line.start(line.juriste);
    assert!(call.room.is_some() && !call.to_json().unwrap().as_str().contains("room"));
    line.join(line.juriste, call.id, "a", false).unwrap();
    line.sit(call.id, 6, "a");
    let by_phone = JoinCall { call_id: call.id, seat: None, take_over: false };
    let joined = line.fixture.run(line.client, by_phone).unwrap();
    assert_eq!((joined.reply.state, names(&joined.events)), (CallState::Ongoing, vec!["updated"]));
    line.sweep();
    line.pass_s(120);
    assert!(line.sweep().is_empty(), "two are there");
    line.join(line.client, call.id, "b", false).unwrap();
    let again = line.start(line.client);
    assert_eq!(again.room, call.room);
    let mut direct = Line::new();
    let call = direct.start(direct.juriste);
    let by_phone = JoinCall { call_id: call.id, seat: None, take_over: false };
    assert_eq!(direct.fixture.run(direct.client, by_phone).unwrap_err().reason, Reason::SocketNeeded);
    assert_eq!(direct.load(call.id).state, CallState::Ringing, "and it rings on");
}

#[test]
fn in_quiet_hours_nothing_rings_unless_calls_are_an_exception() {
    for (calls_in_quiet_hours, rings) in [(false, false), (true, true)] {
        let mut line = Line::new();
        let midnight = Clock::find("00:00").unwrap();
        let always = QuietHours { from: midnight, to: midnight, days: Days::from_bits(0b111_1111).unwrap() };
        let choice = UpdateNotices {
            quiet_hours: Some(Some(always)),
            calls_in_quiet_hours: Some(calls_in_quiet_hours),
            ..UpdateNotices::default()
        };
        line.fixture.run(line.client, choice).unwrap();
        let started = line.try_start(line.juriste).unwrap();
        assert_eq!(names(&started.events).contains(&"incoming"), rings);
        let reason = started.reply.call.end_reason;
        assert_eq!(reason, (!rings).then_some(EndReason::Quiet));
        assert_eq!(line.unread(), (i64::from(!rings), 0), "and it is missed");
    }
}
