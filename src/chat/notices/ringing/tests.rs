use std::time::Duration;

use super::*;
use crate::chat::contract::command::calls::{DeclineCall, JoinCall, LeaveCall, StartCall};
use crate::chat::contract::command::conversations::{MuteConversation, ReadConversation};
use crate::chat::contract::command::deliveries::{LeaseDeliveries, Notice, RaiseNotices, SettleDeliveries, Settlement};
use crate::chat::contract::command::notices::{RegisterDevice, UpdateNotices};
use crate::chat::contract::command::system::EndCalls;
use crate::chat::contract::settings::{Notices, Settings};
use crate::chat::testing::fixtures::RulesFixture;
use crate::model::call::Media;
use crate::model::id::{ConversationId, DeliveryId};
use crate::model::notices::{Available, DeviceKind, WebPushKey};
use crate::store::devices::Reach;

/// A client, and a juriste who has two browsers and no page open.
struct Practice {
    fixture: RulesFixture,
    client: Actor,
    laptop: Actor,
    phone: Actor,
    conversation_id: ConversationId,
}

impl Practice {
    fn new() -> Self {
        let web_push = Some(WebPushKey { public_key: "key".to_owned() });
        let notices = Notices { available: Available { web_push, ..Available::default() }, ..Notices::default() };
        let mut fixture = RulesFixture::with(Settings { notices, message_rate: 0, ..Settings::default() });
        let [client, laptop, phone] = [2, 7, 7].map(|who| fixture.actor(who));
        for (actor, name) in [(laptop, "laptop"), (phone, "phone")] {
            let keys = Some(("key".to_owned(), "auth".to_owned()));
            let reach = Reach { kind: DeviceKind::Webpush, address: format!("https://push/{name}"), keys };
            fixture.run(actor, RegisterDevice { reach, name: None }).unwrap();
        }
        let conversation_id = fixture.conversation(client, 7);
        Self { fixture, client, laptop, phone, conversation_id }
    }

    fn call(&mut self) -> Call {
        let start = StartCall { conversation_id: self.conversation_id, media: Media::Audio };
        Call::clone(&self.fixture.run(self.client, start).unwrap().reply.call)
    }

    fn lease(&mut self) -> Vec<Leased> {
        let lease = LeaseDeliveries { channel: Channel::Webpush, limit: 9 };
        self.fixture.run(Actor::System, lease).unwrap().reply
    }

    fn settle(&mut self, ids: &[DeliveryId]) {
        let results = ids.iter().map(|id| (*id, Settlement::Sent)).collect();
        self.fixture.run(Actor::System, SettleDeliveries { results }).unwrap();
    }

    /// Everything that leaves now: on which device (`laptop`, `phone`), and whether it has shown something before.
    fn pushed(&mut self) -> Vec<(String, bool)> {
        let leased = self.lease();
        self.settle(&leased.iter().map(|one| one.id).collect::<Vec<_>>());
        let name = |one: &Leased| one.reach.as_ref().unwrap().address.rsplit_once('/').unwrap().1.to_owned();
        let mut all: Vec<_> = leased.iter().map(|one| (name(one), one.was_accepted)).collect();
        all.sort();
        all
    }

    fn end_of_ringing(&mut self) {
        self.fixture.run(Actor::System, EndCalls).unwrap();
        self.fixture.pass(RINGS_FOR);
        self.fixture.run(Actor::System, EndCalls).unwrap();
    }

    /// The kinds of what there is beside calls.
    fn others(&self) -> Vec<String> {
        let mut statement = self.fixture.conn().prepare("SELECT kind FROM outbox WHERE kind <> 'call'").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn raise(&mut self) {
        let notices = vec![Notice::Push(UserId::new(7).unwrap(), self.conversation_id)];
        self.fixture.run(Actor::System, RaiseNotices { notices }).unwrap();
    }
}

fn both(was_accepted: bool) -> Vec<(String, bool)> {
    vec![("laptop".to_owned(), was_accepted), ("phone".to_owned(), was_accepted)]
}

#[test]
fn a_call_rings_at_once_on_every_device_for_as_long_as_it_rings_and_ahead_of_messages() {
    let mut practice = Practice::new();
    practice.fixture.say(practice.client, practice.conversation_id, "bonjour");
    practice.fixture.pass(Duration::from_secs(6));
    practice.raise();
    let call = practice.call();
    assert!(call.reachable);
    let leased = practice.lease();
    let kinds: Vec<_> = leased.iter().map(|one| one.kind).collect();
    assert_eq!(kinds[..2], [DeliveryKind::Call, DeliveryKind::Call]);
    assert_eq!(kinds[2..], [DeliveryKind::Messages, DeliveryKind::Messages]);
    assert_eq!((leased[0].expires_at, leased[0].call_id), (call.started_at + RINGS_FOR, Some(call.id)));
}

#[test]
fn nothing_rings_for_who_looks_at_a_page_has_muted_it_or_wants_no_pushes() {
    let him = UserId::new(7).unwrap();
    let mut looks = Practice::new();
    let now = looks.fixture.now();
    let look = |_: &Connection, context: &mut Context<'_>| {
        context.presence.attention().set(him, 1, true, now);
        Ok(())
    };
    looks.fixture.with_context(look).unwrap();
    let mut mutes = Practice::new();
    let mute = MuteConversation { conversation_id: mutes.conversation_id, muted_until: Some(now + RINGS_FOR) };
    mutes.fixture.run(mutes.laptop, mute).unwrap();
    let mut declines = Practice::new();
    let never = UpdateNotices { push: Some(false), ..UpdateNotices::default() };
    declines.fixture.run(declines.laptop, never).unwrap();
    for (what, practice) in [("looks", &mut looks), ("mutes", &mut mutes), ("declines", &mut declines)] {
        assert!(!practice.call().reachable, "{what}");
        assert!(practice.lease().is_empty(), "{what}");
    }
}

#[test]
fn a_missed_call_takes_the_place_of_the_ringing_and_is_not_told_again_as_a_message() {
    let mut practice = Practice::new();
    practice.call();
    assert_eq!(practice.pushed(), both(false));
    practice.end_of_ringing();
    assert_eq!(practice.pushed(), both(true));
    practice.fixture.pass(Duration::from_secs(6));
    practice.raise();
    assert_eq!((practice.pushed(), practice.others()), (Vec::new(), Vec::new()));
    practice.fixture.say(practice.client, practice.conversation_id, "rappelez-moi");
    practice.fixture.pass(Duration::from_secs(6));
    practice.raise();
    assert_eq!(practice.others(), ["messages", "messages"], "what is said later is another matter");
}

#[test]
fn a_missed_call_is_told_where_the_ringing_could_not_be_unless_it_was_read_meanwhile() {
    for is_read in [false, true] {
        let mut practice = Practice::new();
        practice.call();
        practice.end_of_ringing();
        if is_read {
            let read = ReadConversation { conversation_id: practice.conversation_id };
            practice.fixture.run(practice.laptop, read).unwrap();
        }
        assert_eq!(practice.pushed(), if is_read { Vec::new() } else { both(false) });
    }
}

#[test]
fn what_was_said_just_before_a_missed_call_has_its_own_notice() {
    let mut practice = Practice::new();
    practice.fixture.say(practice.client, practice.conversation_id, "je vous appelle");
    let call = practice.call();
    practice.fixture.run(practice.client, LeaveCall { call_id: call.id }).unwrap();
    practice.fixture.pass(Duration::from_secs(6));
    practice.raise();
    assert_eq!(practice.others(), ["messages", "messages"]);
}

#[test]
fn a_call_that_is_taken_or_declined_on_a_device_falls_silent_on_the_others_alone() {
    for declines in [false, true] {
        let mut practice = Practice::new();
        let call_id = practice.call().id;
        assert_eq!(practice.pushed(), both(false));
        if declines {
            practice.fixture.run(practice.phone, DeclineCall { call_id }).unwrap();
        } else {
            let join = JoinCall { call_id, seat: Some("seat".to_owned()), take_over: false };
            practice.fixture.run(practice.phone, join).unwrap();
        }
        assert_eq!(practice.pushed(), [("laptop".to_owned(), true)]);
        practice.fixture.run(practice.client, LeaveCall { call_id }).unwrap();
        assert_eq!(practice.pushed(), [], "its end is no news");
        assert!(practice.others().is_empty());
    }
}

#[test]
fn nothing_rings_late_for_a_call_that_was_taken_before() {
    let mut practice = Practice::new();
    let call_id = practice.call().id;
    practice
        .fixture
        .run(practice.laptop, StartCall { conversation_id: practice.conversation_id, media: Media::Audio })
        .unwrap();
    assert_eq!(practice.pushed(), []);
    practice.fixture.run(practice.client, LeaveCall { call_id }).unwrap();
    assert_eq!(practice.pushed(), []);
}

#[test]
fn a_call_that_ends_while_its_ringing_is_on_its_way_is_told_afterwards() {
    let mut practice = Practice::new();
    let call_id = practice.call().id;
    let ringing: Vec<_> = practice.lease().iter().map(|one| one.id).collect();
    practice.fixture.run(practice.client, LeaveCall { call_id }).unwrap();
    assert_eq!(practice.pushed(), [], "one thing after the other");
    practice.settle(&ringing);
    assert_eq!(practice.pushed(), both(true));
    assert_eq!(practice.pushed(), []);
}

#[test]
fn a_second_call_takes_the_place_of_a_missed_one_that_still_waits() {
    let mut practice = Practice::new();
    let first = practice.call().id;
    practice.fixture.run(practice.client, LeaveCall { call_id: first }).unwrap();
    let second = practice.call();
    let leased = practice.lease();
    assert_eq!(leased.iter().map(|one| one.call_id).collect::<Vec<_>>(), [Some(second.id); 2]);
    assert_eq!(leased[0].expires_at, second.started_at + RINGS_FOR);
}
