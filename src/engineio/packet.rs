//! Engine.IO packets: one type digit and what follows it, or bare bytes.
//!
//! Coming in, a packet is a slice of the buffer that it arrived in; going out, it is encoded once and shared.
//! Decoding never panics and copies nothing.
//!
//! ```text
//! 0 open   1 close   2 ping   3 pong   4 message   5 upgrade   6 noop
//! ```

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// What queueing one frame costs beside its bytes, so that empty ones are bounded too.
const FRAME_OVERHEAD: usize = 64;

/// What a client and the layer above say to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// UTF-8 text.
    Text(Text),
    /// Bytes as they are.
    Binary(Bytes),
}

impl Message {
    /// Bytes of the text or the binary.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.as_str().len(),
            Self::Binary(data) => data.len(),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A piece of text that shares the buffer it came in.
#[derive(Clone)]
pub struct Text {
    whole: Utf8Bytes,
    start: usize,
    end: usize,
}

impl Text {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.whole.as_str()[self.start..self.end]
    }

    /// A part of it, by byte positions; `None` if they are out of bounds or inside a character.
    pub fn slice(&self, start: usize, end: usize) -> Option<Self> {
        self.as_str().get(start..end)?;
        Some(Self { whole: self.whole.clone(), start: self.start + start, end: self.start + end })
    }
}

impl From<Utf8Bytes> for Text {
    fn from(whole: Utf8Bytes) -> Self {
        let end = whole.as_str().len();
        Self { whole, start: 0, end }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::from(Utf8Bytes::from(text))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

/// A packet that a client may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// The session ends.
    Close,
    /// Only ever `2probe`, the first packet on a WebSocket that wants to take over.
    Ping(Text),
    /// The answer to our ping.
    Pong(Text),
    /// What the layer above is for.
    Message(Message),
    /// The WebSocket takes over now.
    Upgrade,
    /// Nothing.
    Noop,
}

/// The bytes are no packet that a client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed packet")]
pub struct Malformed;

impl Packet {
    /// Reads a text packet.
    pub fn decode(text: &Text) -> Result<Self, Malformed> {
        let bytes = text.as_str().as_bytes();
        let (kind, bare) = (bytes.first().ok_or(Malformed)?, bytes.len() == 1);
        let rest = || text.slice(1, bytes.len()).ok_or(Malformed);
        match kind {
            b'1' if bare => Ok(Self::Close),
            b'2' => Ok(Self::Ping(rest()?)),
            b'3' => Ok(Self::Pong(rest()?)),
            b'4' => Ok(Self::Message(Message::Text(rest()?))),
            b'5' if bare => Ok(Self::Upgrade),
            b'6' if bare => Ok(Self::Noop),
            _ => Err(Malformed),
        }
    }
}

/// One packet as it leaves: text with its type digit, or binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// UTF-8 with the type digit in front.
    Text(Bytes),
    /// The bytes of a binary message.
    Binary(Bytes),
}

impl Frame {
    /// Ends the session.
    pub const CLOSE: Self = Self::Text(Bytes::from_static(b"1"));
    /// Asks whether the client is there.
    pub const PING: Self = Self::Text(Bytes::from_static(b"2"));
    /// Answers `2probe`.
    pub const PROBED: Self = Self::Text(Bytes::from_static(b"3probe"));
    /// Ends a poll that has nothing to bring.
    pub const NOOP: Self = Self::Text(Bytes::from_static(b"6"));

    /// The packet's bytes, without framing.
    pub fn bytes(&self) -> &Bytes {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes,
        }
    }
}

/// What leaves in one piece: a message and the binary messages that belong right behind it. Clones share the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    head: Frame,
    attachments: Option<Arc<[Bytes]>>,
}

impl Unit {
    /// A text message.
    pub fn text(message: &str) -> Self {
        Self::compose(message.len(), |bytes| bytes.extend_from_slice(message.as_bytes()))
    }

    /// A text message that `write` appends, as UTF-8, to the buffer it is given; `capacity` is a guess of its bytes.
    pub fn compose(capacity: usize, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut text = Vec::with_capacity(capacity + 1);
        text.push(b'4');
        write(&mut text);
        Self::from(Frame::Text(Bytes::from(text)))
    }

    /// A binary message.
    pub fn binary(data: Bytes) -> Self {
        Self::from(Frame::Binary(data))
    }

    /// The same with binary messages behind it.
    pub fn with_attachments(mut self, attachments: &[Bytes]) -> Self {
        self.attachments = (!attachments.is_empty()).then(|| Arc::from(attachments));
        self
    }

    /// The frames in the order in which they leave.
    pub fn frames(&self) -> impl Iterator<Item = Frame> + '_ {
        let rest = self.attachments.iter().flat_map(|all| all.iter().cloned().map(Frame::Binary));
        std::iter::once(self.head.clone()).chain(rest)
    }

    /// What it counts for in a queue bounded in bytes.
    pub fn cost(&self) -> usize {
        let rest = self.attachments.iter().flat_map(|all| all.iter());
        self.head.bytes().len() + FRAME_OVERHEAD + rest.map(|data| data.len() + FRAME_OVERHEAD).sum::<usize>()
    }
}

impl From<Frame> for Unit {
    fn from(head: Frame) -> Self {
        Self { head, attachments: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> Result<Packet, Malformed> {
        Packet::decode(&Text::from(text))
    }

    #[test]
    fn each_packet_of_a_client_is_read() {
        let rows = [
            ("1", Packet::Close),
            ("2probe", Packet::Ping(Text::from("probe"))),
            ("3", Packet::Pong(Text::from(""))),
            ("3probe", Packet::Pong(Text::from("probe"))),
            ("4", Packet::Message(Message::Text(Text::from("")))),
            ("4héllo €", Packet::Message(Message::Text(Text::from("héllo €")))),
            ("5", Packet::Upgrade),
            ("6", Packet::Noop),
        ];
        for (text, packet) in rows {
            assert_eq!(decode(text), Ok(packet), "{text}");
        }
    }

    #[test]
    fn anything_else_is_malformed() {
        for text in ["", "0{}", "7", "abc", "é4", "1x", "5x", "6 ", " 4", "\u{1e}"] {
            assert_eq!(decode(text), Err(Malformed), "{text}");
        }
    }

    #[test]
    fn a_text_shares_its_buffer_and_never_splits_a_character() {
        let text = Text::from("aé€");
        assert_eq!(text.slice(1, 3).expect("whole characters").as_str(), "é");
        assert_eq!(text.slice(1, 6).and_then(|rest| rest.slice(2, 5)).expect("whole characters").as_str(), "€");
        assert!(text.slice(2, 3).is_none());
        assert!(text.slice(0, 7).is_none());
    }

    #[test]
    fn what_is_encoded_decodes_to_the_same_message() {
        for text in ["", "hello", "2[\"é\"]", "\u{1e}\u{0}"] {
            let Some(Frame::Text(bytes)) = Unit::text(text).frames().next() else { panic!("a text frame") };
            let whole = Utf8Bytes::try_from(bytes).expect("UTF-8");
            assert_eq!(Packet::decode(&Text::from(whole)), Ok(Packet::Message(Message::Text(Text::from(text)))));
        }
    }

    #[test]
    fn a_unit_leaves_in_order_and_costs_all_its_bytes() {
        let unit = Unit::text("ab").with_attachments(&[Bytes::from_static(b"1"), Bytes::from_static(b"23")]);
        let frames: Vec<Vec<u8>> = unit.frames().map(|frame| frame.bytes().to_vec()).collect();
        assert_eq!(frames, [b"4ab".to_vec(), b"1".to_vec(), b"23".to_vec()]);
        assert_eq!(unit.cost(), 6 + 3 * FRAME_OVERHEAD);
    }
}
