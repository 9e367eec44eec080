//! The arguments of packets: JSON texts left as they came for whoever knows their type, and the binary that they point to.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::engineio::packet::Text;

/// Names that stand for things that happen to a socket itself; no client may send them.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// The arguments of an event or an acknowledgement: JSON texts, and the binary that their placeholders point to.
#[derive(Clone)]
pub struct Args {
    text: Text,
    /// Where each argument stands in the text.
    spans: Vec<Range<usize>>,
    attachments: Vec<Bytes>,
}

impl Args {
    /// Finds the elements of the JSON array at `range` of `text`.
    pub(super) fn decode(text: &Text, range: Range<usize>) -> Option<Self> {
        let json = text.as_str().get(range)?;
        let values: Vec<&RawValue> = serde_json::from_str(json).ok()?;
        let origin = text.as_str().as_ptr() as usize;
        let spans = values.iter().map(|value| {
            let start = value.get().as_ptr() as usize - origin;
            start..start + value.get().len()
        });
        Some(Self { spans: spans.collect(), text: text.clone(), attachments: Vec::new() })
    }

    /// Takes the name of an event, its first argument.
    pub(super) fn take_name(&mut self) -> Option<String> {
        let first = self.raw(0)?;
        let name = if first.starts_with('"') {
            serde_json::from_str::<String>(first).ok()?
        } else {
            serde_json::from_str::<i64>(first).ok()?.to_string()
        };
        self.spans.remove(0);
        (!RESERVED.contains(&name.as_str())).then_some(name)
    }

    /// How many arguments there are.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The JSON text of one argument.
    pub fn raw(&self, index: usize) -> Option<&str> {
        self.text.as_str().get(self.spans.get(index)?.clone())
    }

    /// One argument read as `T`; a missing one reads as `null`.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self, index: usize) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.raw(index).unwrap_or("null"))
    }

    /// Puts the attachments where the placeholders point.
    pub(super) fn attach(&mut self, attachments: Vec<Bytes>) {
        self.attachments = attachments;
    }

    /// The bytes that came with the packet, in the order in which placeholders number them.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// The bytes that a placeholder stands for.
    pub fn attachment(&self, placeholder: &Placeholder) -> Option<&Bytes> {
        self.attachments.get(placeholder.num)
    }

    /// Appends an argument.
    pub fn push(&mut self, value: &impl Serialize) -> Result<(), serde_json::Error> {
        self.append(&serde_json::to_string(value)?);
        Ok(())
    }

    /// Appends an argument that is binary.
    pub fn push_binary(&mut self, data: Bytes) {
        let placeholder = Placeholder { num: self.attachments.len() };
        self.attachments.push(data);
        self.append(&serde_json::to_string(&placeholder).expect("a number serialises"));
    }

    fn append(&mut self, json: &str) {
        let mut text = String::with_capacity(self.text.as_str().len() + json.len());
        text.push_str(self.text.as_str());
        self.spans.push(text.len()..text.len() + json.len());
        text.push_str(json);
        self.text = Text::from(text);
    }

    /// Bytes of the JSON, about.
    pub(super) fn bytes(&self) -> usize {
        self.spans.iter().map(|span| span.len() + 1).sum()
    }

    /// Appends the arguments to a JSON array that has begun.
    pub(super) fn write(&self, json: &mut Vec<u8>) {
        for index in 0..self.len() {
            if !json.ends_with(b"[") {
                json.push(b',');
            }
            json.extend_from_slice(self.raw(index).unwrap_or("null").as_bytes());
        }
    }
}

impl Default for Args {
    fn default() -> Self {
        Self { text: Text::from(String::new()), spans: Vec::new(), attachments: Vec::new() }
    }
}

impl PartialEq for Args {
    fn eq(&self, other: &Self) -> bool {
        let texts = (0..self.len()).map(|index| self.raw(index));
        self.attachments == other.attachments && texts.eq((0..other.len()).map(|index| other.raw(index)))
    }
}

impl fmt::Debug for Args {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries((0..self.len()).map(|index| self.raw(index).unwrap_or_default())).finish()
    }
}

/// `{"_placeholder":true,"num":0}`: where in the JSON an attachment belongs. As the type of a field it refuses
/// anything that is not binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placeholder {
    /// The index of the attachment.
    pub num: usize,
}

#[derive(Serialize, Deserialize)]
struct PlaceholderFields {
    _placeholder: bool,
    num: usize,
}

impl Serialize for Placeholder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        PlaceholderFields { _placeholder: true, num: self.num }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Placeholder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match PlaceholderFields::deserialize(deserializer)? {
            PlaceholderFields { _placeholder: true, num } => Ok(Self { num }),
            PlaceholderFields { .. } => Err(D::Error::custom("binary is expected")),
        }
    }
}
