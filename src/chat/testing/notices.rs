//! Where tests of notices start.

use std::time::Duration;

use crate::auth::actor::Actor;
use crate::chat::contract::command::notices::RegisterDevice;
use crate::chat::contract::settings::{Notices, Settings};
use crate::chat::testing::fixtures::RulesFixture;
use crate::model::id::ConversationId;
use crate::model::notices::{Available, DeviceKind, WebPushKey};
use crate::store::devices::Reach;

/// A practice with both channels, and a juriste with a device and a confirmed address.
pub fn practice() -> (RulesFixture, Actor, Actor, ConversationId) {
    let web_push = Some(WebPushKey { public_key: "key".to_owned() });
    let available = Available { web_push, email: true, ..Available::default() };
    let notices = Notices { available, mails_anywhere: true, ..Notices::default() };
    let mut fixture = RulesFixture::with(Settings { notices, message_rate: 0, ..Settings::default() });
    let day = Duration::from_secs(86_400);
    let (client, juriste) = (fixture.actor_for(2, day), fixture.actor_for(7, day));
    let keys = Some(("key".to_owned(), "auth".to_owned()));
    let reach = Reach { kind: DeviceKind::Webpush, address: "https://push/a".to_owned(), keys };
    fixture.run(juriste, RegisterDevice { reach, name: None }).unwrap();
    fixture.conn().execute("UPDATE users SET email_confirmed_at = 0 WHERE id = 7", []).unwrap();
    let conversation_id = fixture.conversation(client, 7);
    (fixture, client, juriste, conversation_id)
}
