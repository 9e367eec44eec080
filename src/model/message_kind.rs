//! What a message is: text of a person, or an entry that the server writes for a call or an invoice.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// What a message is. On the wire these are three fields: `kind`, and `call` or `invoice` with the state, `null` elsewhere.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Kind {
    /// What a person wrote.
    #[default]
    Text,
    /// A call that has ended.
    Call(StateJson),
    /// An invoice that was issued.
    Invoice(StateJson),
}

impl Kind {
    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Call(_) => "call",
            Self::Invoice(_) => "invoice",
        }
    }

    /// The state that goes with it; text has none.
    #[must_use]
    pub const fn state(&self) -> Option<&StateJson> {
        match self {
            Self::Text => None,
            Self::Call(state) | Self::Invoice(state) => Some(state),
        }
    }

    /// The kind with this word and this state; `None` where they do not belong together.
    #[must_use]
    pub fn find(word: &str, state: Option<StateJson>) -> Option<Self> {
        match (word, state) {
            ("text", None) => Some(Self::Text),
            ("call", Some(state)) => Some(Self::Call(state)),
            ("invoice", Some(state)) => Some(Self::Invoice(state)),
            _ => None,
        }
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (call, invoice) = match self {
            Self::Text => (None, None),
            Self::Call(state) => (Some(state), None),
            Self::Invoice(state) => (None, Some(state)),
        };
        let mut fields = serializer.serialize_struct("Kind", 3)?;
        fields.serialize_field("kind", self.as_str())?;
        fields.serialize_field("call", &call)?;
        fields.serialize_field("invoice", &invoice)?;
        fields.end()
    }
}

/// The state of a call or an invoice as its members last saw it: an object in JSON, written once by the room that it
/// belongs to and passed on as it is.
#[derive(Clone, Debug)]
pub struct StateJson(Box<RawValue>);

impl StateJson {
    /// The state of something that can be written as JSON.
    ///
    /// # Errors
    /// When it can't.
    pub fn of(state: &impl Serialize) -> serde_json::Result<Self> {
        serde_json::value::to_raw_value(state).map(Self)
    }

    /// The state that was written as this text.
    ///
    /// # Errors
    /// When the text is no JSON.
    pub fn read(text: String) -> serde_json::Result<Self> {
        RawValue::from_string(text).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for StateJson {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for StateJson {}

impl Serialize for StateJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_state_stands_in_the_field_of_its_kind_alone() {
        let state = || StateJson::of(&json!({"id": 1})).unwrap();
        for (kind, expected) in [
            (Kind::Text, json!({"kind": "text", "call": null, "invoice": null})),
            (Kind::Call(state()), json!({"kind": "call", "call": {"id": 1}, "invoice": null})),
            (Kind::Invoice(state()), json!({"kind": "invoice", "call": null, "invoice": {"id": 1}})),
        ] {
            assert_eq!(serde_json::to_value(&kind).unwrap(), expected);
            assert_eq!(Kind::find(kind.as_str(), kind.state().cloned()), Some(kind));
        }
    }

    #[test]
    fn a_word_and_a_state_that_do_not_belong_together_are_no_kind() {
        let state = StateJson::read("{}".to_owned()).unwrap();
        assert_eq!(Kind::find("text", Some(state.clone())), None);
        assert_eq!(Kind::find("call", None), None);
        assert_eq!(Kind::find("poll", Some(state)), None);
        assert!(StateJson::read("{".to_owned()).is_err());
    }
}
