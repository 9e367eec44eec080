//! Identifiers: one type per noun, so that a message's id cannot be taken for a conversation's.
//!
//! On the wire an id is a positive integer that every JSON reader can hold exactly (≤ 2⁵³ − 1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

/// The largest integer that every JSON client can hold exactly, 2⁵³ − 1.
pub const INTEGER_MAX: i64 = 9_007_199_254_740_991;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// The id with this number; `None` unless it lies in 1…2⁵³ − 1.
            #[must_use]
            pub const fn new(number: i64) -> Option<Self> {
                if number >= 1 && number <= INTEGER_MAX { Some(Self(number)) } else { None }
            }

            /// The number.
            #[must_use]
            pub const fn as_i64(self) -> i64 {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = NotAnId;

            fn try_from(number: i64) -> Result<Self, NotAnId> {
                Self::new(number).ok_or(NotAnId)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
                let number = if plain { text.parse().ok() } else { None };
                number.and_then(Self::new).ok_or(NotAnId)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = i64::deserialize(deserializer)?;
                Self::new(number).ok_or_else(|| de::Error::custom(NotAnId))
            }
        }
    )*};
}

ids! {
    /// Somebody with an account.
    UserId;
    /// One signed-in device of somebody.
    SessionId;
    /// What one client and one juriste say to each other.
    ConversationId;
    /// One message of a conversation.
    MessageId;
    /// One stored file.
    AttachmentId;
    /// One invitation to open an account.
    InvitationId;
    /// One browser or app to which notices go.
    DeviceId;
    /// One mail or push on its way.
    DeliveryId;
    /// One draft, invoice or credit note.
    InvoiceId;
    /// One movement of money.
    PaymentId;
    /// One call, answered or not.
    CallId;
}

/// The text or number is not an id.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a positive integer")]
pub struct NotAnId;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_positive_integer_that_json_holds_exactly() {
        for (text, valid) in [
            ("1", true),
            ("9007199254740991", true),
            ("9007199254740992", false),
            ("0", false),
            ("-1", false),
            ("+1", false),
            ("1.5", false),
            ("", false),
            (" 1", false),
            ("99999999999999999999", false),
        ] {
            assert_eq!(text.parse::<MessageId>().is_ok(), valid, "{text:?}");
        }
        assert!(serde_json::from_str::<MessageId>("7").is_ok());
        for json in ["0", "-7", "7.0", "\"7\"", "null", "true", "[7]", "1e3"] {
            assert!(serde_json::from_str::<MessageId>(json).is_err(), "{json}");
        }
    }
}
