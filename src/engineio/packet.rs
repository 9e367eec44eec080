//! Engine.IO packets: one type digit and what follows it.

use bytes::Bytes;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// What a client and the layer above say to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// UTF-8 text.
    Text(Text),
    /// Bytes as they are.
    Binary(Bytes),
}

/// A piece of received text that shares the buffer it came in.
#[derive(Clone, PartialEq, Eq)]
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
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_str().fmt(f)
    }
}
