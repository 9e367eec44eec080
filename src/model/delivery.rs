//! What leaves the house: mails and pushes, each on its way or over.

use serde::Serialize;

use crate::model::id::DeliveryId;
use crate::model::timestamp::Timestamp;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $name {
            $($(#[$each])* $variant,)*
        }

        impl $name {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word for it, on the wire and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The one with this word.
            #[must_use]
            pub fn find(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

words! {
    /// By which way.
    Channel {
        Email = "email",
        /// To a browser.
        Webpush = "webpush",
        /// To an app, through Firebase.
        Fcm = "fcm",
    }
}

words! {
    /// What it is about.
    DeliveryKind {
        /// Messages wait.
        Messages = "messages",
        /// What an app shows of messages was read elsewhere, and goes.
        Read = "read",
        /// Somebody calls, or has called.
        Call = "call",
        /// Somebody wants to see whether it arrives.
        Test = "test",
        /// A link that opens an account.
        Invitation = "invitation",
        /// A link that sets another password.
        Password = "password",
        /// A link that confirms an address.
        Address = "address",
        /// The account has moved to another address.
        AddressChanged = "address_changed",
        /// Somebody wanted an address that has an account.
        AddressTaken = "address_taken",
        /// Somebody has signed in from a device that was not seen before.
        NewDevice = "new_device",
    }
}

words! {
    /// How far it has come.
    DeliveryState {
        Waiting = "waiting",
        /// The relay or the push service has it.
        Sent = "sent",
        /// It never will be.
        Failed = "failed",
        /// It was not worth anything any more: read meanwhile, or too old.
        Dropped = "dropped",
    }
}

/// A mail or a push as an administrator sees it: nothing of what it says, and its address shortened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    pub id: DeliveryId,
    pub channel: Channel,
    pub kind: DeliveryKind,
    pub state: DeliveryState,
    /// Of a mail: `m…@cabinet.example`.
    pub to: Option<String>,
    pub attempts: i64,
    /// What was answered last.
    pub reason: Option<String>,
    pub created_at: Timestamp,
    /// When it is tried next, while it waits.
    pub due_at: Timestamp,
    pub done_at: Option<Timestamp>,
}

/// The first letter of an address and its domain: enough to recognise it, and no list of people.
#[must_use]
pub fn shortened(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{}…@{domain}", local.chars().next().unwrap_or('…')),
        None => "…".to_owned(),
    }
}

/// Whether nobody can be meant by an address: names that are set apart for examples and tests.
#[must_use]
pub fn is_nowhere(address: &str) -> bool {
    let domain = address.rsplit_once('@').map_or(address, |(_, domain)| domain).trim_end_matches('.');
    let mut labels = domain.rsplit('.');
    let (last, before) = (labels.next(), labels.next());
    matches!(last, Some("test" | "invalid" | "example" | "localhost")) || before == Some("example")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_mailed_at_a_name_for_examples() {
        for address in [
            "a@example.com",
            "a@example.org",
            "a@sub.example.com",
            "a@example.fr",
            "a@x.example",
            "a@x.test",
            "a@x.invalid",
            "a@localhost",
            "a@example.com.",
        ] {
            assert!(is_nowhere(address), "{address}");
        }
        for address in ["a@cabinet.fr", "a@example-cabinet.fr", "a@test.fr", "a@myexample.com", "a@example.cabinet.fr"]
        {
            assert!(!is_nowhere(address), "{address}");
        }
    }

    #[test]
    fn an_address_is_shown_by_its_first_letter() {
        assert_eq!(shortened("marie.durand@cabinet.fr"), "m…@cabinet.fr");
        assert_eq!(shortened("élodie@cabinet.fr"), "é…@cabinet.fr");
        assert_eq!(shortened("nonsense"), "…");
    }
}
