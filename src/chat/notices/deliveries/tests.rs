use super::*;
use crate::chat::contract::command::conversations::ReadConversation;
use crate::chat::contract::command::deliveries::{Notice, RaiseNotices};
use crate::chat::contract::command::notices::RegisterDevice;
use crate::chat::contract::settings::{Notices, Settings};
use crate::chat::testing::fixtures::RulesFixture;
use crate::model::id::{ConversationId, DeviceId, UserId};
use crate::model::notices::{Available, WebPushKey};
use crate::store::devices::Reach;

/// A practice with pushes to browsers and apps, a client, and a juriste who has one of each.
struct Practice {
    fixture: RulesFixture,
    client: Actor,
    juriste: Actor,
    conversation_id: ConversationId,
}

impl Practice {
    fn new() -> Self {
        let web_push = Some(WebPushKey { public_key: "key".to_owned() });
        let available = Available { web_push, fcm: true, ..Available::default() };
        let notices = Notices { available, ..Notices::default() };
        let mut fixture = RulesFixture::with(Settings { notices, message_rate: 0, ..Settings::default() });
        let (client, juriste) = (fixture.actor(2), fixture.actor(7));
        let keys = Some(("key".to_owned(), "auth".to_owned()));
        for (kind, keys) in [(DeviceKind::Webpush, keys), (DeviceKind::Fcm, None)] {
            let reach = Reach { kind, address: kind.as_str().to_owned(), keys };
            fixture.run(juriste, RegisterDevice { reach, name: None }).unwrap();
        }
        let conversation_id = fixture.conversation(client, 7);
        Self { fixture, client, juriste, conversation_id }
    }

    fn say(&mut self) {
        self.fixture.say(self.client, self.conversation_id, "bonjour");
        self.fixture.pass(Duration::from_secs(6));
        let notices = vec![Notice::Push(UserId::new(7).unwrap(), self.conversation_id)];
        self.fixture.run(Actor::System, RaiseNotices { notices }).unwrap();
    }

    fn read(&mut self) {
        let conversation_id = self.conversation_id;
        self.fixture.run(self.juriste, ReadConversation { conversation_id }).unwrap();
    }

    fn lease(&mut self, channel: Channel) -> Vec<Leased> {
        self.fixture.run(Actor::System, LeaseDeliveries { channel, limit: 9 }).unwrap().reply
    }

    fn settle(&mut self, leased: &[Leased], settlement: &Settlement) {
        let results = leased.iter().map(|one| (one.id, settlement.clone())).collect();
        self.fixture.run(Actor::System, SettleDeliveries { results }).unwrap();
    }

    /// What leaves to the app now.
    fn sent(&mut self) -> Vec<DeliveryKind> {
        let leased = self.lease(Channel::Fcm);
        self.settle(&leased, &Settlement::Sent);
        leased.iter().map(|one| one.kind).collect()
    }
}

#[test]
fn what_an_app_shows_is_taken_back_once_when_it_was_read_and_nothing_is_sent_to_a_browser() {
    let mut practice = Practice::new();
    practice.say();
    let to_browser = practice.lease(Channel::Webpush);
    practice.settle(&to_browser, &Settlement::Sent);
    practice.say();
    assert_eq!(practice.sent(), [DeliveryKind::Messages]);
    practice.say();
    assert_eq!(practice.sent(), [DeliveryKind::Messages]);
    practice.read();
    practice.read();
    assert_eq!(practice.sent(), [DeliveryKind::Read]);
    practice.read();
    assert_eq!(practice.sent(), []);
    assert_eq!(practice.lease(Channel::Webpush).len(), 0);
    practice.say();
    practice.read();
    assert_eq!(practice.sent(), [], "it had not left");
    practice.say();
    assert_eq!(practice.sent(), [DeliveryKind::Messages]);
    practice.read();
    assert_eq!(practice.sent(), [DeliveryKind::Read], "and so each time");
}

#[test]
fn what_was_read_while_it_was_on_its_way_to_an_app_is_taken_back_afterwards() {
    let mut practice = Practice::new();
    practice.say();
    let on_its_way = practice.lease(Channel::Fcm);
    practice.read();
    assert_eq!(practice.sent(), []);
    practice.settle(&on_its_way, &Settlement::Sent);
    assert_eq!(practice.sent(), [DeliveryKind::Read]);
}

#[test]
fn nothing_is_taken_back_that_something_newer_takes_the_place_of_or_whose_app_is_gone() {
    let mut practice = Practice::new();
    practice.say();
    assert_eq!(practice.sent(), [DeliveryKind::Messages]);
    practice.read();
    practice.say();
    assert_eq!(practice.sent(), [DeliveryKind::Messages]);
    practice.read();
    let leased = practice.lease(Channel::Fcm);
    practice.settle(&leased, &Settlement::DeviceGone { reason: "404".to_owned() });
    practice.read();
    assert_eq!(practice.sent(), []);
}

#[test]
fn a_failed_push_is_not_tried_again_beside_a_newer_one_that_waits() {
    let mut practice = Practice::new();
    let admin = practice.fixture.actor(11);
    practice.say();
    let first = practice.lease(Channel::Webpush);
    practice.settle(&first, &Settlement::Failed { reason: "400".to_owned() });
    practice.say();
    let retry = RetryDelivery { delivery_id: first[0].id };
    let refused = practice.fixture.run(admin, retry).unwrap_err();
    assert_eq!(refused.reason, Reason::DeliveryOver);
}

#[test]
fn what_somebody_waits_for_leaves_before_what_is_about_messages() {
    let mut practice = Practice::new();
    practice.say();
    practice.fixture.pass(Duration::from_secs(1));
    let device_id = DeviceId::new(1).unwrap();
    practice.fixture.run(practice.juriste, TestDevice { device_id }).unwrap();
    let kinds: Vec<_> = practice.lease(Channel::Webpush).iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [DeliveryKind::Test, DeliveryKind::Messages]);
}
