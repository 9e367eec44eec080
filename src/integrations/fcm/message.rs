//! What is said to an app, and to which.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// The longest that Google keeps a message.
const TTL_MAX: Duration = Duration::from_secs(28 * 24 * 3600);
/// The most bytes that a message may have.
pub const MESSAGE_BYTES_MAX: usize = 4096;
/// How long a word to take a notice away is worth something.
const CANCEL_TTL: Duration = Duration::from_secs(3600);

/// An app on a device, as it named itself: a registration token, or the id of its installation, which follows the tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct Registration(String);

/// Not a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a registration token or installation id of Firebase")]
pub struct BadRegistration;

impl Registration {
    /// Either kind; which one it is shows in its shape.
    ///
    /// # Errors
    ///
    /// [`BadRegistration`].
    pub fn new(text: &str) -> Result<Registration, BadRegistration> {
        let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "-_:.%".contains(c));
        if plain && (16..=2048).contains(&text.len()) {
            Ok(Registration(text.to_owned()))
        } else {
            Err(BadRegistration)
        }
    }

    /// The text of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An installation's id has 22 letters; a token begins with one, a colon and more.
    fn field(&self) -> &'static str {
        if self.0.len() <= 22 && !self.0.contains(':') { "fid" } else { "token" }
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registration({}: …)", self.field())
    }
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Something to show.
    Notice(Notice),
    /// What was shown under this tag can go: it was read elsewhere.
    Cancel {
        /// The notice's tag.
        tag: String,
    },
}

/// Something to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The first line.
    pub title: String,
    /// The second.
    pub body: String,
    /// A newer notice with the same tag takes its place on the screen.
    pub tag: String,
    /// What it is about, for the app; the names must not be reserved, see [`is_reserved`].
    pub data: BTreeMap<&'static str, String>,
    /// How long it is worth something.
    pub ttl: Duration,
    /// What kind of notice.
    pub channel: Channel,
}

/// The kinds of notice, which a person can set apart from each other on the device.
///
/// Google keeps few messages that replace each other for a device that is not there: one per kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A message waits.
    Messages,
    /// Somebody calls.
    Calls,
}

impl Channel {
    fn name(self) -> &'static str {
        match self {
            Channel::Messages => "messages",
            Channel::Calls => "calls",
        }
    }
}

/// Whether Google keeps this name of `data` for itself.
pub fn is_reserved(name: &str) -> bool {
    matches!(name, "from" | "message_type") || ["google", "gcm"].iter().any(|prefix| name.starts_with(prefix))
}

impl Message {
    /// The body of the request.
    pub(super) fn to_json(&self, to: &Registration, now: SystemTime) -> Value {
        let mut message = match self {
            Message::Notice(notice) => notice.to_json(now),
            Message::Cancel { tag } => json!({
                "data": {"kind": "cancel", "tag": tag},
                "android": {"priority": "NORMAL", "ttl": seconds(CANCEL_TTL)},
                "apns": {
                    "headers": {"apns-push-type": "background", "apns-priority": "5"},
                    "payload": {"aps": {"content-available": 1}},
                },
            }),
        };
        message[to.field()] = json!(to.0);
        json!({"message": message})
    }
}

impl Notice {
    fn to_json(&self, now: SystemTime) -> Value {
        let ttl = self.ttl.min(TTL_MAX);
        let expires_at = (now + ttl).duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut data: BTreeMap<&str, &str> = self
            .data
            .iter()
            .filter(|(name, _)| !is_reserved(name))
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        data.insert("tag", &self.tag);
        json!({
            "notification": {"title": self.title, "body": self.body},
            "data": data,
            "android": {
                "priority": "HIGH",
                "ttl": seconds(ttl),
                "collapseKey": self.channel.name(),
                "notification": {"channelId": self.channel.name(), "tag": self.tag, "visibility": "PRIVATE"},
            },
            "apns": {
                "headers": {
                    "apns-push-type": "alert",
                    "apns-priority": "10",
                    "apns-collapse-id": self.tag,
                    "apns-expiration": expires_at.to_string(),
                },
                "payload": {"aps": {"sound": "default", "thread-id": self.tag}},
            },
        })
    }
}

/// A duration as proto3 writes it in JSON.
fn seconds(duration: Duration) -> String {
    format!("{}s", duration.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice() -> Notice {
        Notice {
            title: "Cabinet Dupré".to_owned(),
            body: "Vous avez un nouveau message".to_owned(),
            tag: "00ff".to_owned(),
            data: BTreeMap::from([
                ("conversationId", "7".to_owned()),
                ("from", "x".to_owned()),
                ("google.x", "x".to_owned()),
            ]),
            ttl: Duration::from_secs(86_400),
            channel: Channel::Messages,
        }
    }

    #[test]
    fn a_notice_replaces_its_like_and_hides_itself_on_a_locked_screen() {
        let to = Registration::new("cDEFabcdefghijklmnopqr:APA91bH").unwrap();
        let json = Message::Notice(notice()).to_json(&to, UNIX_EPOCH + Duration::from_secs(1000));
        let message = &json["message"];
        assert_eq!(message["token"], "cDEFabcdefghijklmnopqr:APA91bH");
        assert_eq!(message["data"], json!({"conversationId": "7", "tag": "00ff"}));
        assert_eq!(message["android"]["ttl"], "86400s");
        assert_eq!(
            message["android"]["notification"],
            json!({"channelId": "messages", "tag": "00ff", "visibility": "PRIVATE"})
        );
        assert_eq!(message["apns"]["headers"]["apns-expiration"], "87400");
        let endless = Notice { ttl: Duration::from_secs(u64::from(u32::MAX)), ..notice() };
        let json = Message::Notice(endless).to_json(&to, UNIX_EPOCH);
        assert_eq!(json["message"]["android"]["ttl"], "2419200s");
    }

    #[test]
    fn taking_away_shows_nothing() {
        let to = Registration::new("cDEFabcdefghijklmnopqr").unwrap();
        let json = Message::Cancel { tag: "00ff".to_owned() }.to_json(&to, UNIX_EPOCH);
        assert_eq!(json["message"]["fid"], "cDEFabcdefghijklmnopqr");
        assert_eq!(json["message"]["data"], json!({"kind": "cancel", "tag": "00ff"}));
        assert!(json["message"].get("notification").is_none());
    }

    #[test]
    fn a_registration_is_plain_and_not_shown() {
        for text in [
            "",
            "short",
            "with space and more text",
            "line\nline\nline\nline",
            &"x".repeat(2049),
            "é".repeat(20).as_str(),
        ] {
            assert_eq!(Registration::new(text), Err(BadRegistration), "{text}");
        }
        let shown = format!("{:?}", Registration::new("cDEFabcdefghijklmnopqr:APA91bH").unwrap());
        assert_eq!(shown, "Registration(token: …)");
    }
}
