//! A push: what it shows, and what the service's answer comes to.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tracing::{error, warn};

use crate::chat::contract::command::deliveries::Settlement;
use crate::chat::contract::error::Error;
use crate::chat::handle::chat::Chat;
use crate::chat::notices::words::{PushWords, Ringing};
use crate::delivery::pause::{OF_PUSH, again};
use crate::delivery::settings::Settings;
use crate::integrations::fcm::message::{Channel, Message, Notice, Registration};
use crate::integrations::push::Outcome;
use crate::integrations::web_push::encryption::Payload;
use crate::integrations::web_push::sender::{Push, Topic, Urgency};
use crate::integrations::web_push::subscription::Subscription;
use crate::model::delivery::DeliveryKind;
use crate::model::locale::Locale;
use crate::model::notices::DeviceKind;
use crate::model::timestamp::Timestamp;
use crate::store::devices::Reach;
use crate::store::outbox::Leased;

/// What a push is for; the page's worker and the apps read the word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Messages,
    /// It rings.
    Call,
    MissedCall,
    /// It rings no more, and no one missed it.
    CallElsewhere,
    /// Messages were read elsewhere. For apps alone.
    Read,
    Test,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Call => "call",
            Self::MissedCall => "missed-call",
            Self::CallElsewhere => "call-elsewhere",
            Self::Read => "read",
            Self::Test => "test",
        }
    }
}

/// What a push shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    pub kind: Kind,
    /// What it takes the place of on the screen: 32 hexadecimal digits.
    pub tag: [u8; 16],
    pub body: String,
    /// How long it is worth something.
    pub ttl: Duration,
}

/// What became of a push.
pub(super) struct Pushed {
    pub(super) settlement: Settlement,
    /// Whether its service answered, and did not say that something is wrong with itself.
    pub(super) is_well: bool,
}

/// Hands one push to its service.
pub(super) async fn send(chat: &Chat, settings: &Settings, leased: &Leased) -> Pushed {
    let untried = |settlement| Pushed { settlement, is_well: true };
    let Some(reach) = &leased.reach else {
        return untried(Settlement::Dropped { reason: "the device is gone" });
    };
    if leased.kind == DeliveryKind::Read && reach.kind == DeviceKind::Webpush {
        return untried(Settlement::Dropped { reason: "a browser is shown something or nothing" });
    }
    match words(chat, leased).await {
        Ok((kind, PushWords { body, tag })) => {
            let shown = Shown { kind, tag, body, ttl: leased.expires_at.since(Timestamp::now()) };
            pushed(hand_over(settings, reach, &shown).await, leased)
        }
        Err(error) => untried(again(leased, OF_PUSH, None, error.to_string())),
    }
}

/// What is said now: it may have become something else since it was stored.
async fn words(chat: &Chat, leased: &Leased) -> Result<(Kind, PushWords), Error> {
    let (user_id, locale) = (leased.user_id, leased.locale);
    if let (Some(user_id), Some(call_id)) = (user_id, leased.call_id) {
        let (ringing, words) = chat.load_call_words(user_id, call_id, locale).await?;
        let kind = match ringing {
            Ringing::Rings => Kind::Call,
            Ringing::Missed => Kind::MissedCall,
            Ringing::Elsewhere => Kind::CallElsewhere,
        };
        return Ok((kind, words));
    }
    if let (Some(user_id), Some(conversation_id), Some(message_id)) =
        (user_id, leased.conversation_id, leased.message_id)
    {
        let kind = if leased.kind == DeliveryKind::Read { Kind::Read } else { Kind::Messages };
        return Ok((kind, chat.load_push_words(user_id, conversation_id, message_id, locale).await?));
    }
    let body = match locale {
        Locale::French => "Les notifications arrivent sur cet appareil.",
        Locale::English => "Notifications reach this device.",
    };
    Ok((Kind::Test, PushWords { body: body.to_owned(), tag: [0; 16] }))
}

fn pushed(outcome: Outcome, leased: &Leased) -> Pushed {
    // A service that asks for time does so for one device.
    let is_well = !matches!(outcome, Outcome::Retry { after: None, .. });
    Pushed { settlement: settled(outcome, leased), is_well }
}

/// What the service's answer comes to.
fn settled(outcome: Outcome, leased: &Leased) -> Settlement {
    match outcome {
        Outcome::Accepted => Settlement::Sent,
        Outcome::Gone => Settlement::DeviceGone { reason: "the device does not exist any more".to_owned() },
        Outcome::OtherSender { reason } => {
            warn!(reason, "a device was registered for other keys, or another project, and is forgotten");
            Settlement::DeviceGone { reason }
        }
        Outcome::TooLarge => Settlement::Failed { reason: "too large".to_owned() },
        Outcome::Retry { after, reason } => again(leased, OF_PUSH, after, reason),
        Outcome::Misconfigured { reason } => {
            warn!(reason, "the push service takes nothing from this server as it is set up");
            again(leased, OF_PUSH, None, reason)
        }
        Outcome::OurFault { reason } => {
            error!(reason, "a push was not understood");
            Settlement::Failed { reason }
        }
    }
}

/// Hands a push to the service that a device is reached by.
pub async fn hand_over(settings: &Settings, reach: &Reach, shown: &Shown) -> Outcome {
    match (reach.kind, &settings.web_push, &settings.fcm) {
        (DeviceKind::Webpush, Some(sender), _) => {
            let (p256dh, auth) = reach.keys.as_ref().map_or(("", ""), |(key, auth)| (key.as_str(), auth.as_str()));
            // What was allowed when it was registered may not be any more.
            let Ok(to) = Subscription::new(sender.services(), &reach.address, p256dh, auth) else {
                return Outcome::OtherSender { reason: "its push service is not allowed any more".to_owned() };
            };
            match web_push(settings, shown) {
                Ok(push) => sender.send(&to, &push).await,
                Err(_) => Outcome::TooLarge,
            }
        }
        (DeviceKind::Fcm, _, Some(sender)) => match Registration::new(&reach.address) {
            Ok(to) => sender.send(&to, &fcm(settings, shown)).await,
            Err(_) => Outcome::Gone,
        },
        _ => Outcome::Misconfigured { reason: "the channel is not set up".to_owned() },
    }
}

/// What the page's worker reads: `{kind, tag, title, body, url}`. The address needs a sign-in and names no conversation.
fn web_push(settings: &Settings, shown: &Shown) -> Result<Push, crate::integrations::web_push::encryption::TooLong> {
    let topic = Topic::from_hash(shown.tag);
    let said = json!({
        "kind": shown.kind.as_str(), "tag": topic.as_str(), "title": settings.practice, "body": shown.body, "url": "/",
    });
    Ok(Push { payload: Payload::new(said.to_string())?, ttl: shown.ttl, urgency: Urgency::High, topic: Some(topic) })
}

fn fcm(settings: &Settings, shown: &Shown) -> Message {
    let tag = Topic::from_hash(shown.tag).as_str().to_owned();
    let channel = match shown.kind {
        Kind::Read | Kind::CallElsewhere => return Message::Cancel { tag },
        Kind::Call | Kind::MissedCall => Channel::Calls,
        Kind::Messages | Kind::Test => Channel::Messages,
    };
    Message::Notice(Notice {
        title: settings.practice.clone(),
        body: shown.body.clone(),
        tag,
        data: BTreeMap::from([("kind", shown.kind.as_str().to_owned())]),
        ttl: shown.ttl,
        channel,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::DeliveryId;

    fn leased() -> Leased {
        let now = Timestamp::now();
        Leased {
            id: DeliveryId::new(1).unwrap(),
            kind: DeliveryKind::Test,
            user_id: None,
            address: None,
            reach: None,
            conversation_id: None,
            message_id: None,
            call_id: None,
            was_accepted: false,
            secret: None,
            locale: Locale::French,
            reference: "abc".to_owned(),
            attempts: 1,
            created_at: now,
            expires_at: now + Duration::from_secs(3600),
        }
    }

    #[test]
    fn every_answer_of_a_push_service_has_its_settlement() {
        let of = |outcome| settled(outcome, &leased());
        let reason = || "why".to_owned();
        assert_eq!(of(Outcome::Accepted), Settlement::Sent);
        assert!(matches!(of(Outcome::Gone), Settlement::DeviceGone { .. }));
        assert_eq!(of(Outcome::OtherSender { reason: reason() }), Settlement::DeviceGone { reason: reason() });
        assert!(matches!(of(Outcome::TooLarge), Settlement::Failed { .. }));
        assert_eq!(of(Outcome::OurFault { reason: reason() }), Settlement::Failed { reason: reason() });
        assert!(matches!(of(Outcome::Misconfigured { reason: reason() }), Settlement::Retry { .. }));
        let (now, pause) = (Timestamp::now(), Duration::from_secs(90));
        let retry = of(Outcome::Retry { after: Some(pause), reason: reason() });
        assert!(matches!(retry, Settlement::Retry { at, .. } if at >= now + pause));
    }
}
