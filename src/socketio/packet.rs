//! Socket.IO packets: a text header with JSON behind it, and how many binary attachments follow.
//!
//! ```text
//! <type>[<attachments>-][<namespace>,][<ack id>][JSON]
//! 0 CONNECT   1 DISCONNECT   2 EVENT   3 ACK   4 CONNECT_ERROR   5 BINARY_EVENT   6 BINARY_ACK
//! ```
//!
//! Decoding checks the whole grammar in one pass, allocates nothing by what a packet declares, and leaves arguments as
//! JSON text for whoever knows their type. Encoding is done once per packet; sockets share the bytes.

use std::fmt;
use std::io::Write;
use std::ops::Range;

use bytes::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::engineio::packet::{Frame, Text, Unit};

/// The largest acknowledgement number: what a double holds exactly.
const ACK_ID_MAX: u64 = (1 << 53) - 1;
/// Room for a packet of the usual size.
const TEXT_BYTES: usize = 512;
/// Bytes of a namespace's name.
const NAMESPACE_MAX: usize = 255;
/// Names that stand for things that happen to a socket itself; no client may send them.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// The number by which an acknowledgement finds its event; at most 2⁵³ − 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AckId(pub u64);

/// The bytes are no packet that a client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed packet")]
pub struct Malformed;

/// A packet as a client sent it, before its attachments.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet {
    /// The namespace, with its slash.
    pub namespace: String,
    /// What it says.
    pub body: Body,
    /// How many binary messages belong to it.
    pub attachments: usize,
}

/// What a packet says.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// To be let into the namespace, with an object for whoever decides.
    Connect(Option<serde_json::Map<String, serde_json::Value>>),
    /// To leave the namespace.
    Disconnect,
    /// Something happened.
    Event {
        /// Its name; a number reads as its digits.
        name: String,
        /// What follows the name.
        args: Args,
        /// Set if an acknowledgement is wanted.
        ack: Option<AckId>,
    },
    /// The acknowledgement of an event that we sent.
    Ack {
        /// The event's number.
        id: AckId,
        /// What it brings.
        args: Args,
    },
}

impl Packet {
    /// Reads a text message.
    pub fn decode(text: &Text) -> Result<Self, Malformed> {
        let mut reader = Reader { text: text.as_str(), at: 0 };
        let kind = reader.byte().ok_or(Malformed)?;
        let attachments = if matches!(kind, b'5' | b'6') { reader.attachments()? } else { 0 };
        let namespace = reader.namespace()?.to_owned();
        let id = reader.ack_id()?;
        let rest = reader.at..reader.text.len();
        let body = match kind {
            b'0' if id.is_none() => Body::Connect(auth(&reader.text[rest])?),
            b'1' if id.is_none() && rest.is_empty() => Body::Disconnect,
            b'2' | b'5' => {
                let mut args = Args::decode(text, rest)?;
                let name = args.take_name()?;
                Body::Event { name, args, ack: id }
            }
            b'3' | b'6' => Body::Ack { id: id.ok_or(Malformed)?, args: Args::decode(text, rest)? },
            _ => return Err(Malformed),
        };
        Ok(Self { namespace, body, attachments })
    }

    /// The arguments, if it has any.
    pub fn args(&self) -> Option<&Args> {
        match &self.body {
            Body::Event { args, .. } | Body::Ack { args, .. } => Some(args),
            Body::Connect(_) | Body::Disconnect => None,
        }
    }

    /// Puts the attachments where the placeholders point.
    pub(super) fn attach(&mut self, attachments: Vec<Bytes>) {
        if let Body::Event { args, .. } | Body::Ack { args, .. } = &mut self.body {
            args.attachments = attachments;
        }
    }
}

fn auth(json: &str) -> Result<Option<serde_json::Map<String, serde_json::Value>>, Malformed> {
    if json.is_empty() {
        return Ok(None);
    }
    serde_json::from_str(json).map(Some).map_err(|_| Malformed)
}

/// Reads the header from the left.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.text.as_bytes().get(self.at)?;
        self.at += usize::from(byte.is_ascii());
        Some(byte)
    }

    /// Digits up to the first byte that is none. Longer than any number that we take is not read to its end.
    fn digits(&mut self) -> &'a str {
        const DIGITS_MAX: usize = 17;
        let rest = &self.text.as_bytes()[self.at..];
        let length = rest.iter().take(DIGITS_MAX).take_while(|byte| byte.is_ascii_digit()).count();
        let digits = &self.text[self.at..self.at + length];
        self.at += length;
        digits
    }

    fn attachments(&mut self) -> Result<usize, Malformed> {
        let count = self.digits().parse().map_err(|_| Malformed)?;
        if self.byte() == Some(b'-') && count > 0 { Ok(count) } else { Err(Malformed) }
    }

    fn namespace(&mut self) -> Result<&'a str, Malformed> {
        let rest = &self.text[self.at..];
        if !rest.starts_with('/') {
            return Ok("/");
        }
        let end = rest.bytes().take(NAMESPACE_MAX + 1).position(|byte| byte == b',');
        let (namespace, comma) = match end {
            Some(end) => (&rest[..end], 1),
            None => (rest, 0),
        };
        self.at += namespace.len() + comma;
        if namespace.len() <= NAMESPACE_MAX { Ok(namespace) } else { Err(Malformed) }
    }

    fn ack_id(&mut self) -> Result<Option<AckId>, Malformed> {
        let digits = self.digits();
        if digits.is_empty() {
            return Ok(None);
        }
        let id = digits.parse().ok().filter(|id| *id <= ACK_ID_MAX).ok_or(Malformed)?;
        Ok(Some(AckId(id)))
    }
}

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
    fn decode(text: &Text, range: Range<usize>) -> Result<Self, Malformed> {
        let json = text.as_str().get(range).ok_or(Malformed)?;
        let values: Vec<&RawValue> = serde_json::from_str(json).map_err(|_| Malformed)?;
        let origin = text.as_str().as_ptr() as usize;
        let spans = values.iter().map(|value| {
            let start = value.get().as_ptr() as usize - origin;
            start..start + value.get().len()
        });
        Ok(Self { spans: spans.collect(), text: text.clone(), attachments: Vec::new() })
    }

    /// Takes the name of an event, its first argument.
    fn take_name(&mut self) -> Result<String, Malformed> {
        let first = self.raw(0).ok_or(Malformed)?;
        let name = if first.starts_with('"') {
            serde_json::from_str::<String>(first).map_err(|_| Malformed)?
        } else {
            serde_json::from_str::<i64>(first).map_err(|_| Malformed)?.to_string()
        };
        self.spans.remove(0);
        if RESERVED.contains(&name.as_str()) { Err(Malformed) } else { Ok(name) }
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

    fn bytes(&self) -> usize {
        self.spans.iter().map(|span| span.len() + 1).sum()
    }

    fn write(&self, json: &mut Vec<u8>) {
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

/// A packet encoded once, to be sent to any number of sockets of its namespace; clones share the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    unit: Unit,
}

impl Encoded {
    /// An event with one argument.
    ///
    /// # Panics
    /// If `data` does not serialise, which plain data always does.
    pub fn event(namespace: &str, name: &str, data: &impl Serialize) -> Self {
        Self::text(b'2', namespace, None, |json| {
            json.push(b'[');
            push_json(json, name);
            json.push(b',');
            push_json(json, data);
            json.push(b']');
        })
    }

    /// An event with any number of arguments, binary included.
    pub fn event_with(namespace: &str, name: &str, args: &Args) -> Self {
        Self::event_or_ack([b'2', b'5'], namespace, None, Some(name), args)
    }

    pub(super) fn event_wanting_ack(namespace: &str, name: &str, id: AckId, args: &Args) -> Self {
        Self::event_or_ack([b'2', b'5'], namespace, Some(id), Some(name), args)
    }

    /// # Panics
    /// If `data` does not serialise, which plain data always does.
    pub(super) fn ack(namespace: &str, id: AckId, data: &impl Serialize) -> Self {
        Self::text(b'3', namespace, Some(id), |json| {
            json.push(b'[');
            push_json(json, data);
            json.push(b']');
        })
    }

    pub(super) fn ack_with(namespace: &str, id: AckId, args: &Args) -> Self {
        Self::event_or_ack([b'3', b'6'], namespace, Some(id), None, args)
    }

    pub(super) fn connect(namespace: &str, socket_id: &str) -> Self {
        Self::text(b'0', namespace, None, |json| {
            json.extend_from_slice(br#"{"sid":"#);
            push_json(json, socket_id);
            json.push(b'}');
        })
    }

    pub(super) fn connect_error(namespace: &str, message: &str, data: Option<&serde_json::Value>) -> Self {
        Self::text(b'4', namespace, None, |json| {
            json.extend_from_slice(br#"{"message":"#);
            push_json(json, message);
            if let Some(data) = data {
                json.extend_from_slice(br#","data":"#);
                push_json(json, data);
            }
            json.push(b'}');
        })
    }

    pub(super) fn disconnect(namespace: &str) -> Self {
        Self::text(b'1', namespace, None, |_| {})
    }

    /// The Engine.IO frames: the header, then its attachments.
    pub fn frames(&self) -> impl Iterator<Item = Frame> + '_ {
        self.unit.frames()
    }

    pub(super) fn into_unit(self) -> Unit {
        self.unit
    }

    fn event_or_ack(kinds: [u8; 2], namespace: &str, id: Option<AckId>, name: Option<&str>, args: &Args) -> Self {
        let attachments = args.attachments();
        let unit = Unit::compose(namespace.len() + args.bytes() + 64, |json| {
            json.push(if attachments.is_empty() { kinds[0] } else { kinds[1] });
            if !attachments.is_empty() {
                let _ = write!(json, "{}-", attachments.len());
            }
            push_address(json, namespace, id);
            json.push(b'[');
            if let Some(name) = name {
                push_json(json, name);
            }
            args.write(json);
            json.push(b']');
        });
        Self { unit: unit.with_attachments(attachments) }
    }

    fn text(kind: u8, namespace: &str, id: Option<AckId>, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let unit = Unit::compose(TEXT_BYTES, |json| {
            json.push(kind);
            push_address(json, namespace, id);
            write(json);
        });
        Self { unit }
    }
}

fn push_address(text: &mut Vec<u8>, namespace: &str, id: Option<AckId>) {
    if namespace != "/" {
        text.extend_from_slice(namespace.as_bytes());
        text.push(b',');
    }
    if let Some(AckId(id)) = id {
        let _ = write!(text, "{id}");
    }
}

fn push_json<T: Serialize + ?Sized>(json: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(json, value).expect("plain data serialises");
}

#[cfg(test)]
mod tests;
