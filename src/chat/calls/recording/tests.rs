use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::chat::contract::command::calls::{
    DeleteRecording, FinishRecording, JoinCall, LeaveCall, SealRecording, Sealed, StartCall, StorePart,
};
use crate::chat::contract::command::system::{EndCalls, Tidy};
use crate::chat::contract::error::Code;
use crate::chat::contract::event::{Announcement, Event};
use crate::chat::contract::reply::PartStored;
use crate::chat::testing::fixtures::RulesFixture;
use crate::model::call::Media;
use crate::model::id::ConversationId;
use crate::model::recording::Rules;
use crate::store::attachments;

const AGREE: Wish = Wish::Agree { wording: None };
const STOP: Wish = Wish::Refuse { keep: false };
const STOP_AND_KEEP: Wish = Wish::Refuse { keep: true };

struct Line {
    fixture: RulesFixture,
    client: Actor,
    juriste: Actor,
    conversation_id: ConversationId,
    call_id: CallId,
}

impl Line {
    /// A call of client 1 and juriste 6, both in their seats.
    fn talking() -> Self {
        let mut line = Self::answered();
        line.join(line.client, "callee");
        line
    }

    /// The client has answered, and sits nowhere yet.
    fn answered() -> Self {
        Self::with(Some(rules(10_000, 20_000)))
    }

    fn with(recordings: Option<Rules>) -> Self {
        let settings = Settings { message_rate: 0, recordings, ..Settings::default() };
        let mut fixture = RulesFixture::with(settings);
        let (client, juriste) = (fixture.actor(1), fixture.actor(6));
        let conversation_id = fixture.conversation(client, 6);
        let start = StartCall { conversation_id, media: Media::Video };
        let call_id = fixture.run(juriste, start).unwrap().reply.call.id;
        let mut line = Self { fixture, client, juriste, conversation_id, call_id };
        line.join(juriste, "caller");
        line.fixture.run(client, StartCall { conversation_id, media: Media::Video }).unwrap();
        line
    }

    fn join(&mut self, actor: Actor, seat: &str) -> Arc<Call> {
        let join = JoinCall { call_id: self.call_id, seat: Some(seat.to_owned()), take_over: true };
        let user_id = actor.caller().expect("somebody").user_id();
        self.fixture.seats().take(self.call_id, user_id, seat);
        self.fixture.run(actor, join).unwrap().reply
    }

    fn wish(&mut self, actor: Actor, wish: Wish) -> Result<RecordingState, Code> {
        let record = RecordCall { call_id: self.call_id, wish };
        self.fixture.run(actor, record).map(|done| done.reply.recording.state).map_err(|error| error.code())
    }

    fn part(&mut self, actor: Actor, number: u32, bytes: &[u8]) -> Result<PartStored, Error> {
        let data = Bytes::copy_from_slice(bytes);
        let sha256 = Sha256::digest(bytes).into();
        let part = StorePart { call_id: self.call_id, number, data, sha256 };
        self.fixture.run(actor, part).map(|done| done.reply)
    }

    fn code_of_part(&mut self, actor: Actor, number: u32, bytes: &[u8]) -> Code {
        self.part(actor, number, bytes).unwrap_err().code()
    }

    fn finish(&mut self, actor: Actor) -> Result<RecordingState, Code> {
        let finish = FinishRecording { call_id: self.call_id };
        self.fixture.run(actor, finish).map(|done| done.reply.recording.state).map_err(|error| error.code())
    }

    fn delete(&mut self, actor: Actor) -> Result<Arc<Call>, Error> {
        self.fixture.run(actor, DeleteRecording { call_id: self.call_id }).map(|done| done.reply)
    }

    fn seal(&mut self, sealed: Option<Sealed>) -> Vec<Announcement> {
        self.fixture.run(Actor::System, SealRecording { call_id: self.call_id, sealed }).unwrap().events
    }

    fn hang_up(&mut self) -> Vec<Announcement> {
        self.fixture.run(self.client, LeaveCall { call_id: self.call_id }).unwrap().events
    }

    fn sweep(&mut self) {
        self.fixture.run(Actor::System, EndCalls).unwrap();
    }

    fn pass_s(&mut self, seconds: u64) {
        self.fixture.pass(Duration::from_secs(seconds));
    }

    fn call(&self) -> Call {
        call::load(self.fixture.conn(), self.call_id).unwrap()
    }

    fn state(&self) -> RecordingState {
        self.call().recording.state
    }

    fn files(&self) -> i64 {
        self.fixture.conn().query_row("SELECT count(*) FROM attachments", [], |row| row.get(0)).unwrap()
    }

    /// Everybody has agreed, and two parts have come.
    fn recording() -> Self {
        let mut line = Self::talking();
        assert_eq!(line.wish(line.juriste, Wish::Ask), Ok(RecordingState::Asked));
        assert_eq!(line.wish(line.client, AGREE), Ok(RecordingState::On));
        line.part(line.juriste, 0, &first_part()).unwrap();
        line.part(line.juriste, 1, b"more").unwrap();
        line
    }

    /// The same, ended and kept.
    fn stored() -> Self {
        let mut line = Self::recording();
        assert_eq!(line.finish(line.juriste), Ok(RecordingState::Stored));
        line
    }
}

fn rules(bytes_max: u64, total_bytes_max: u64) -> Rules {
    Rules { by: Recorder::Browser, bytes_max, total_bytes_max, keep: Duration::from_secs(90 * 86_400) }
}

fn first_part() -> Vec<u8> {
    [&[0x1a, 0x45, 0xdf, 0xa3][..], &[7; 100]].concat()
}

fn sealed() -> Sealed {
    Sealed { head: vec![1; 1_030], body_end: 1_100, tail: vec![2; 10], sha256: [3; 32], dimensions: Some((640, 480)) }
}

#[test]
fn nobody_is_recorded_before_everybody_has_said_yes() {
    let mut line = Line::talking();
    assert_eq!(line.state(), RecordingState::Off);
    assert_eq!(line.code_of_part(line.juriste, 0, &first_part()), Code::Forbidden, "nobody has asked");
    assert_eq!(line.wish(line.client, AGREE), Err(Code::Conflict), "to nothing");
    assert_eq!(line.wish(line.client, Wish::Ask), Err(Code::Forbidden), "the juriste asks");
    assert_eq!(line.wish(line.juriste, Wish::Ask), Ok(RecordingState::Asked));
    assert_eq!(line.code_of_part(line.juriste, 0, &first_part()), Code::Conflict, "the client has not answered");
    assert_eq!(line.wish(line.juriste, AGREE), Ok(RecordingState::Asked), "nobody agrees for another");
    assert_eq!(line.wish(line.client, Wish::Agree { wording: Some(WORDING + 1) }), Err(Code::Conflict));
    assert_eq!(line.wish(line.client, Wish::Agree { wording: Some(WORDING) }), Ok(RecordingState::On));
    assert_eq!(line.wish(line.client, AGREE), Ok(RecordingState::On), "twice is once");
    let answers = line.call().recording.consents;
    let told: Vec<(i64, bool)> = answers.iter().map(|one| (one.user_id.as_i64(), one.answer)).collect();
    assert_eq!(told, [(6, true), (1, true)]);
    assert!(matches!(line.part(line.juriste, 0, &first_part()).unwrap(), PartStored::Stored(_)));
}

#[test]
fn where_the_operator_allows_none_nobody_asks() {
    let mut line = Line::with(None);
    assert_eq!(line.wish(line.juriste, Wish::Ask), Err(Code::Forbidden));
    assert_eq!(line.wish(line.juriste, STOP), Ok(RecordingState::Off));
}

#[test]
fn a_no_or_no_answer_refuses_and_it_may_be_asked_again_a_few_times() {
    let mut line = Line::talking();
    for question in 1..=QUESTIONS_MAX {
        assert_eq!(line.wish(line.juriste, Wish::Ask), Ok(RecordingState::Asked), "{question}");
        assert_eq!(line.call().recording.consents.len(), 1, "earlier answers do not count");
        if question == 2 {
            line.sweep();
            line.pass_s(59);
            line.sweep();
            assert_eq!(line.state(), RecordingState::Asked);
            line.pass_s(2);
            line.sweep();
        } else {
            assert_eq!(line.wish(line.client, STOP), Ok(RecordingState::Refused));
        }
        assert_eq!(line.state(), RecordingState::Refused);
    }
    assert_eq!(line.wish(line.juriste, Wish::Ask), Err(Code::RateLimited));
    let kept: i64 = line
        .fixture
        .conn()
        .query_row("SELECT count(*) FROM recording_consents WHERE answer = 0 AND wording = 1", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, QUESTIONS_MAX - 1, "each answer is kept, with what was asked");
}

#[test]
fn a_yes_that_is_taken_back_stops_it_at_once_and_the_bytes_go_unless_they_are_to_stay() {
    for (taken_back_by, wish, state, files) in [
        (1, STOP, RecordingState::Refused, 0),
        (1, STOP_AND_KEEP, RecordingState::Stored, 1),
        (6, STOP, RecordingState::Refused, 0),
        (6, STOP_AND_KEEP, RecordingState::Stored, 1),
    ] {
        let mut line = Line::recording();
        let actor = if taken_back_by == 1 { line.client } else { line.juriste };
        assert_eq!(line.wish(actor, wish), Ok(state), "{taken_back_by} {wish:?}");
        assert_eq!(line.code_of_part(line.juriste, 2, b"late"), Code::Conflict);
        assert_eq!(line.files(), files, "{taken_back_by} {wish:?}");
        assert_eq!(line.call().recording.answer_of(UserId::new(taken_back_by).unwrap()), Some(false));
        assert_eq!(line.call().recording.kept_until.is_some(), state == RecordingState::Stored);
    }
}

#[test]
fn who_joins_later_is_asked_first_and_nothing_is_taken_until_they_agree() {
    let mut line = Line::answered();
    assert_eq!(line.wish(line.juriste, Wish::Ask), Ok(RecordingState::On), "alone");
    assert_eq!(line.wish(line.client, AGREE), Err(Code::Conflict), "who is not there is not asked");
    line.part(line.juriste, 0, &first_part()).unwrap();
    let joined = line.join(line.client, "callee");
    assert_eq!(joined.recording.state, RecordingState::Asked);
    assert_eq!(line.code_of_part(line.juriste, 1, b"more"), Code::Conflict);
    assert_eq!(line.wish(line.client, AGREE), Ok(RecordingState::On));
    line.part(line.juriste, 1, b"more").unwrap();
    line.join(line.client, "another window");
    assert_eq!(line.state(), RecordingState::On, "the same person was asked already");
}

#[test]
fn who_joins_later_and_says_no_ends_it() {
    for (wish, state) in [(STOP, RecordingState::Refused), (STOP_AND_KEEP, RecordingState::Stored)] {
        let mut line = Line::answered();
        line.wish(line.juriste, Wish::Ask).unwrap();
        line.part(line.juriste, 0, &first_part()).unwrap();
        line.join(line.client, "callee");
        assert_eq!(line.wish(line.client, wish), Ok(state));
    }
}

#[test]
fn parts_come_in_order_each_once_from_the_device_that_asked_alone() {
    let mut line = Line::recording();
    let other_device = line.fixture.actor(6);
    for actor in [line.client, other_device] {
        assert_eq!(line.code_of_part(actor, 2, b"x"), Code::Forbidden);
        assert_eq!(line.finish(actor), Err(Code::Forbidden));
    }
    let outsider = line.fixture.actor(2);
    assert_eq!(line.code_of_part(outsider, 2, b"x"), Code::NotFound);
    let PartStored::Repeated(progress) = line.part(line.juriste, 1, b"more").unwrap() else { panic!() };
    assert_eq!((progress.next_part, progress.bytes), (2, 108), "the same again is no news");
    for (number, bytes) in [(1, &b"other"[..]), (3, b"gap"), (9, b"far")] {
        let error = line.part(line.juriste, number, bytes).unwrap_err();
        assert_eq!(error.code(), Code::Conflict, "{number}");
        assert_eq!(error.right()["part"], &serde_json::json!(2));
    }
    for (number, bytes) in [(2, &b""[..]), (2, &first_part())] {
        assert_eq!(line.code_of_part(line.juriste, number, bytes), Code::Invalid);
    }
    let big = vec![0; crate::model::recording::PART_BYTES_MAX + 1];
    assert_eq!(line.code_of_part(line.juriste, 2, &big), Code::TooLarge);
    let mut fresh = Line::talking();
    fresh.wish(fresh.juriste, Wish::Ask).unwrap();
    fresh.wish(fresh.client, AGREE).unwrap();
    assert_eq!(fresh.code_of_part(fresh.juriste, 0, b"no EBML"), Code::Invalid);
    assert_eq!(fresh.files(), 0);
}

#[test]
fn a_limit_ends_it_and_what_came_before_is_kept() {
    for limits in [rules(4_000, 50_000), rules(20_000, 6_000)] {
        let mut line = Line::with(Some(limits));
        line.join(line.client, "callee");
        line.wish(line.juriste, Wish::Ask).unwrap();
        line.wish(line.client, AGREE).unwrap();
        line.part(line.juriste, 0, &first_part()).unwrap();
        let PartStored::Stored(near) = line.part(line.juriste, 1, &vec![9; 3_600]).unwrap() else { panic!() };
        assert_eq!(near.is_nearly_full, limits.bytes_max == 4_000, "{limits:?}");
        assert_eq!(line.part(line.juriste, 2, &vec![9; 3_600]).unwrap(), PartStored::Full, "{limits:?}");
        assert_eq!((line.state(), line.files()), (RecordingState::Stored, 1));
        assert_eq!(line.code_of_part(line.juriste, 2, b"x"), Code::Conflict);
    }
}

#[test]
fn it_goes_on_after_the_call_until_the_last_part_is_there() {
    let mut line = Line::recording();
    line.hang_up();
    assert_eq!(line.state(), RecordingState::On);
    line.part(line.juriste, 2, b"the last").unwrap();
    assert_eq!(line.finish(line.juriste), Ok(RecordingState::Stored));
    assert_eq!(line.finish(line.juriste), Ok(RecordingState::Stored), "twice is once");
}

#[test]
fn a_recorder_that_falls_silent_is_finished_after_a_minute() {
    let mut line = Line::recording();
    line.sweep();
    line.pass_s(59);
    line.part(line.juriste, 2, b"still there").unwrap();
    line.sweep();
    line.pass_s(59);
    line.sweep();
    assert_eq!(line.state(), RecordingState::On);
    line.fixture.restart();
    line.sweep();
    line.pass_s(59);
    line.sweep();
    assert_eq!(line.state(), RecordingState::On, "a restart gives it its time anew");
    line.pass_s(2);
    line.sweep();
    assert_eq!(line.state(), RecordingState::Stored);
}

#[test]
fn one_of_which_nothing_came_leaves_nothing() {
    let mut line = Line::talking();
    line.wish(line.juriste, Wish::Ask).unwrap();
    line.wish(line.client, AGREE).unwrap();
    assert_eq!(line.finish(line.juriste), Ok(RecordingState::Off));
    assert_eq!(line.wish(line.juriste, Wish::Ask), Ok(RecordingState::Asked), "and may be asked again");
    line.hang_up();
    assert_eq!(line.state(), RecordingState::Refused, "nobody answers in a call that is over");
    assert_eq!(line.wish(line.juriste, Wish::Ask), Err(Code::Conflict));
}

#[test]
fn what_was_recorded_belongs_to_the_calls_entry_whichever_ends_first() {
    for recording_ends_first in [true, false] {
        let mut line = Line::recording();
        if !recording_ends_first {
            line.hang_up();
        }
        line.finish(line.juriste).unwrap();
        assert_eq!(line.call().recording.attachment_id, None, "it is being made a file");
        let mut events = line.seal(Some(sealed()));
        if recording_ends_first {
            events = line.hang_up();
        }
        let call = line.call();
        let id = call.recording.attachment_id.expect("a file");
        let row = attachments::find(line.fixture.conn(), id).unwrap().unwrap();
        assert_eq!((row.message_id, row.size), (call.message_id, 1_110));
        let told = events.iter().rev().find_map(|told| match &told.event {
            Event::MessageEdited(message) => Some(message),
            _ => None,
        });
        let message = told.expect("the entry is told of anew");
        assert_eq!((message.files.len(), message.files[0].id, message.edited_at), (1, id, None));
        let shown = serde_json::to_value(&message.kind).unwrap();
        assert_eq!(shown["call"]["recording"]["attachmentId"], serde_json::json!(id), "{shown}");
        let head = attachments::find_chunk(line.fixture.conn(), id, 0).unwrap().unwrap().1;
        assert!(head.iter().all(|byte| *byte == 1), "the head was written over the room");
        assert_eq!(line.wish(line.juriste, Wish::Ask), Err(Code::Conflict), "one file for each call");
        line.seal(None);
        assert_eq!(line.call().recording.attachment_id, Some(id), "done is done");
    }
}

#[test]
fn what_cannot_be_played_is_not_kept() {
    let mut line = Line::stored();
    line.seal(None);
    assert_eq!((line.state(), line.files()), (RecordingState::Off, 0));
}

#[test]
fn either_member_deletes_it_and_who_and_when_stays() {
    for by_client in [true, false] {
        let mut line = Line::stored();
        line.seal(Some(sealed()));
        line.hang_up();
        let (actor, user) = if by_client { (line.client, 1) } else { (line.juriste, 6) };
        let outsider = line.fixture.actor(2);
        assert_eq!(line.delete(outsider).unwrap_err().code(), Code::NotFound);
        let deleted = line.delete(actor).unwrap();
        assert_eq!(deleted.recording.deleted_by, UserId::new(user));
        assert!(deleted.recording.deleted_at.is_some() && deleted.recording.attachment_id.is_none());
        assert_eq!((line.state(), line.files()), (RecordingState::Deleted, 0));
        assert_eq!(line.delete(actor).unwrap().recording, deleted.recording, "twice is once");
        assert_eq!(line.wish(line.client, STOP), Err(Code::Conflict));
    }
    let mut line = Line::recording();
    assert_eq!(line.delete(line.client).unwrap_err().code(), Code::Conflict, "what runs is stopped, not deleted");
}

#[test]
fn it_goes_by_itself_when_its_time_is_over_and_that_is_told() {
    let mut line = Line::stored();
    line.seal(Some(sealed()));
    line.hang_up();
    line.pass_s(90 * 86_400 - 60);
    line.fixture.run(Actor::System, Tidy).unwrap();
    assert_eq!(line.state(), RecordingState::Stored);
    line.pass_s(120);
    let events = line.fixture.run(Actor::System, Tidy).unwrap().events;
    assert!(events.iter().any(|told| matches!(told.event, Event::CallUpdated(_))), "{events:?}");
    assert!(events.iter().any(|told| matches!(told.event, Event::MessageEdited(_))), "in the timeline too");
    assert_eq!((line.state(), line.files()), (RecordingState::Deleted, 0));
    assert_eq!(line.call().recording.deleted_by, None, "nobody did");
}

#[test]
fn a_recording_is_nobodys_upload() {
    use crate::chat::contract::command::attachments::{AppendChunk, CancelUpload};
    use crate::chat::contract::command::conversations::FileSource;
    use crate::chat::testing::fixtures::plain;
    let mut line = Line::recording();
    let row = recordings::find(line.fixture.conn(), line.call_id).unwrap().unwrap();
    let id = row.attachment_id.unwrap();
    let append = AppendChunk { attachment_id: id, offset: 1_024 + 108, data: Bytes::from_static(b"forged") };
    assert_eq!(line.fixture.run(line.juriste, append).unwrap_err().code(), Code::NotFound);
    let cancel = CancelUpload { attachment_id: id };
    assert_eq!(line.fixture.run(line.juriste, cancel).unwrap_err().code(), Code::NotFound);
    line.finish(line.juriste).unwrap();
    line.seal(Some(sealed()));
    let mut message = plain(line.conversation_id, "");
    message.files = vec![FileSource::Stored(id)];
    assert_eq!(line.fixture.run(line.juriste, message).unwrap_err().code(), Code::NotFound);
    assert_eq!(attachments::sum_bytes(line.fixture.conn(), UserId::new(6).unwrap()).unwrap(), 0, "of nobody's space");
    line.pass_s(2 * 86_400);
    line.fixture.run(Actor::System, Tidy).unwrap();
    assert_eq!(line.files(), 1, "a call that goes on has no entry yet");
}
