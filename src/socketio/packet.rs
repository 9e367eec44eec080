//! Socket.IO packets: a text header with JSON behind it, and how many binary attachments follow.
//!
//! ```text
//! <type>[<attachments>-][<namespace>,][<ack id>][JSON]
//! 0 CONNECT   1 DISCONNECT   2 EVENT   3 ACK   4 CONNECT_ERROR   5 BINARY_EVENT   6 BINARY_ACK
//! ```
//!
//! Decoding checks the whole grammar in one pass, allocates nothing by what a packet declares, and leaves arguments as
//! JSON text for whoever knows their type. Encoding is done once per packet; sockets share the bytes.

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::engineio::packet::Text;
use crate::socketio::args::Args;
use crate::socketio::mended::read_mended;

/// The largest acknowledgement number: what a double holds exactly.
const ACK_ID_MAX: u64 = (1 << 53) - 1;
/// Bytes of a namespace's name. Whoever asks to be let into one with a longer name hears that there is none.
pub(super) const NAMESPACE_MAX: usize = 255;
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
        let namespace = reader.namespace();
        if namespace.len() > NAMESPACE_MAX && kind != b'0' {
            return Err(Malformed);
        }
        let namespace = namespace.to_owned();
        let id = reader.ack_id()?;
        let rest = reader.at..reader.text.len();
        let body = match kind {
            b'0' if id.is_none() => Body::Connect(auth(&reader.text[rest])?),
            b'1' if id.is_none() && rest.is_empty() => Body::Disconnect,
            b'2' | b'5' => {
                let mut args = Args::decode(text, rest).ok_or(Malformed)?;
                let name = args.take_name().ok_or(Malformed)?;
                Body::Event { name, args, ack: id }
            }
            b'3' | b'6' => Body::Ack { id: id.ok_or(Malformed)?, args: Args::decode(text, rest).ok_or(Malformed)? },
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
            args.attach(attachments);
        }
    }
}

fn auth(json: &str) -> Result<Option<serde_json::Map<String, serde_json::Value>>, Malformed> {
    if json.is_empty() {
        return Ok(None);
    }
    let is_deep = || json.starts_with('{') && serde_json::from_str::<&RawValue>(json).is_ok();
    match read_mended(json) {
        Ok(auth) => Ok(Some(auth)),
        // Nested deeper than we read: there is no token in it.
        Err(_) if is_deep() => Ok(Some(serde_json::Map::new())),
        Err(_) => Err(Malformed),
    }
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

    fn namespace(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        if !rest.starts_with('/') {
            return "/";
        }
        let end = rest.bytes().position(|byte| byte == b',');
        let (namespace, comma) = match end {
            Some(end) => (&rest[..end], 1),
            None => (rest, 0),
        };
        self.at += namespace.len() + comma;
        namespace
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

#[cfg(test)]
mod tests;
