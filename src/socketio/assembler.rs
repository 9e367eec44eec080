//! A header and its binary attachments -> one whole packet.
//!
//! Bounded by count, by bytes and (with [`Assembler::since`]) by time; nothing is allocated by what a header declares.
//! Every placeholder is checked against the declared count before the first attachment is taken.

use std::fmt;
use std::time::Instant;

use bytes::Bytes;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::engineio::packet::Message;
use crate::socketio::mended::mended;
use crate::socketio::packet::{Malformed, Packet};

/// What one packet may consist of.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Binary attachments.
    pub attachments_max: usize,
    /// Bytes of the header and the attachments together.
    pub bytes_max: usize,
}

/// Puts packets together, one at a time.
#[derive(Debug)]
pub struct Assembler {
    bounds: Bounds,
    pending: Option<Pending>,
}

#[derive(Debug)]
struct Pending {
    packet: Packet,
    attachments: Vec<Bytes>,
    bytes: usize,
    since: Instant,
}

impl Assembler {
    /// Waits for a header.
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, pending: None }
    }

    /// Takes a message; brings the packet that it completes. After an error the rest of the stream means nothing.
    pub fn take(&mut self, message: Message, now: Instant) -> Result<Option<Packet>, Malformed> {
        let bytes = message.len();
        match (self.pending.take(), message) {
            (None, Message::Text(text)) => {
                let packet = Packet::decode(&text)?;
                if packet.attachments == 0 {
                    return Ok(Some(packet));
                }
                if packet.attachments > self.bounds.attachments_max || bytes > self.bounds.bytes_max {
                    return Err(Malformed);
                }
                check_placeholders(&packet)?;
                self.pending = Some(Pending { packet, attachments: Vec::new(), bytes, since: now });
                Ok(None)
            }
            (Some(pending), Message::Binary(data)) => self.attach(pending, data),
            (None, Message::Binary(_)) | (Some(_), Message::Text(_)) => Err(Malformed),
        }
    }

    /// Since when a packet is incomplete.
    pub fn since(&self) -> Option<Instant> {
        self.pending.as_ref().map(|pending| pending.since)
    }

    fn attach(&mut self, mut pending: Pending, data: Bytes) -> Result<Option<Packet>, Malformed> {
        pending.bytes += data.len();
        if pending.bytes > self.bounds.bytes_max {
            return Err(Malformed);
        }
        pending.attachments.push(data);
        if pending.attachments.len() < pending.packet.attachments {
            self.pending = Some(pending);
            return Ok(None);
        }
        pending.packet.attach(pending.attachments);
        Ok(Some(pending.packet))
    }
}

/// Every object with `"_placeholder": true` names an attachment that there is. An argument that JavaScript reads and we do not
/// is left to whoever answers for it: the packet is one all the same.
fn check_placeholders(packet: &Packet) -> Result<(), Malformed> {
    let Some(args) = packet.args() else { return Err(Malformed) };
    let look_through = |json: &str| {
        let mut json = serde_json::Deserializer::from_str(json);
        Placeholders { count: packet.attachments }.deserialize(&mut json).map(drop)
    };
    for index in 0..args.len() {
        let json = args.raw(index).unwrap_or("null");
        match look_through(json).or_else(|_| look_through(&mended(json))) {
            Err(fault) if fault.is_data() => return Err(Malformed),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Walks a JSON value; the depth is bounded by the parser.
#[derive(Clone, Copy)]
struct Placeholders {
    count: usize,
}

/// What the members of an object may have to do with a placeholder.
#[derive(Clone, Copy, PartialEq)]
enum Seen {
    True,
    Index(u64),
    Other,
}

impl<'de> DeserializeSeed<'de> for Placeholders {
    type Value = Seen;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Seen, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Placeholders {
    type Value = Seen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JSON whose placeholders are numbered below {}", self.count)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Seen, E> {
        Ok(if value { Seen::True } else { Seen::Other })
    }

    fn visit_u64<E>(self, value: u64) -> Result<Seen, E> {
        Ok(Seen::Index(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_unit<E>(self) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Seen, A::Error> {
        while items.next_element_seed(self)?.is_some() {}
        Ok(Seen::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Seen, A::Error> {
        let (mut is_placeholder, mut index) = (false, Seen::Other);
        while let Some(name) = members.next_key::<std::borrow::Cow<'_, str>>()? {
            let value = members.next_value_seed(self)?;
            match name.as_ref() {
                "_placeholder" => is_placeholder = value == Seen::True,
                "num" => index = value,
                _ => {}
            }
        }
        let in_bounds = matches!(index, Seen::Index(index) if index < self.count as u64);
        if is_placeholder && !in_bounds {
            return Err(serde::de::Error::custom("a placeholder without an attachment"));
        }
        Ok(Seen::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engineio::packet::Text;

    fn assembler() -> Assembler {
        Assembler::new(Bounds { attachments_max: 3, bytes_max: 200 })
    }

    fn text(message: &str) -> Message {
        Message::Text(Text::from(message))
    }

    fn binary(length: usize) -> Message {
        Message::Binary(Bytes::from(vec![7; length]))
    }

    /// The packets that messages make; the first bad one ends it.
    fn assemble(messages: impl IntoIterator<Item = Message>) -> Result<Vec<Packet>, Malformed> {
        let mut assembler = assembler();
        let now = Instant::now();
        let packets = messages.into_iter().filter_map(|message| assembler.take(message, now).transpose());
        packets.collect()
    }

    #[test]
    fn attachments_complete_their_packet_in_order() {
        let header = r#"52-["a",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]"#;
        let messages = [text(r#"2["before"]"#), text(header), binary(1), binary(2), text(r#"2["after"]"#)];
        let packets = assemble(messages).expect("well-formed");
        assert_eq!(packets.len(), 3);
        let lengths: Vec<usize> = packets[1].args().expect("an event").attachments().iter().map(Bytes::len).collect();
        assert_eq!(lengths, [1, 2]);
    }

    #[test]
    fn what_javascript_reads_and_we_do_not_is_a_packet_all_the_same() {
        let deep = format!(r#"51-["a",{{"_placeholder":true,"num":0}},{}{}]"#, "[".repeat(200), "]".repeat(200));
        let half = r#"51-["a",{"content":"a\ud83d","data":{"_placeholder":true,"num":0}}]"#;
        for header in [&deep, half] {
            let mut assembler = Assembler::new(Bounds { attachments_max: 3, bytes_max: 1_000 });
            assert_eq!(assembler.take(text(header), Instant::now()), Ok(None), "{header}");
            let packet = assembler.take(binary(1), Instant::now()).expect(header).expect(header);
            assert_eq!(packet.args().map(|args| args.attachments().len()), Some(1), "{header}");
        }
        let beyond = r#"51-["a",{"content":"a\ud83d","data":{"_placeholder":true,"num":1}}]"#;
        assert!(assemble([text(beyond), binary(1)]).is_err());
    }

    #[test]
    fn a_packet_is_pending_from_its_header_to_its_last_attachment() {
        let mut assembler = assembler();
        let now = Instant::now();
        assert_eq!(assembler.take(text(r#"52-["a"]"#), now), Ok(None));
        assert_eq!(assembler.since(), Some(now));
        assert_eq!(assembler.take(binary(1), now + std::time::Duration::from_secs(1)), Ok(None));
        assert_eq!(assembler.since(), Some(now));
        assert!(assembler.take(binary(1), now).is_ok_and(|packet| packet.is_some()));
        assert_eq!(assembler.since(), None);
    }

    #[test]
    fn what_does_not_belong_together_is_malformed() {
        let rows: [(&str, Vec<Message>); 7] = [
            ("binary without a header", vec![binary(1)]),
            ("text instead of binary", vec![text(r#"51-["a"]"#), text(r#"2["b"]"#)]),
            ("more binary than declared", vec![text(r#"51-["a"]"#), binary(1), binary(1)]),
            ("more than may be", vec![text(r#"54-["a"]"#)]),
            ("a header over the bound", vec![text(&format!(r#"51-["{}"]"#, "x".repeat(200)))]),
            ("one attachment over the bound", vec![text(r#"51-["a"]"#), binary(193)]),
            ("attachments over the bound", vec![text(r#"53-["a"]"#), binary(96), binary(97)]),
        ];
        for (name, messages) in rows {
            assert_eq!(assemble(messages), Err(Malformed), "{name}");
        }
        assert!(assemble([text(r#"51-["a"]"#), binary(192)]).is_ok(), "exactly the bound");
    }

    #[test]
    fn placeholders_point_at_attachments() {
        let rows = [
            (r#"{"_placeholder":true,"num":0}"#, true),
            (r#"{"a":[{"num":0,"_placeholder":true}]}"#, true),
            (r#"{"_placeholder":true,"num":0,"x":1}"#, true),
            (r#"{"_placeholder":false,"num":9}"#, true),
            (r#"{"_placeholder":1,"num":9}"#, true),
            (r#"{"num":9}"#, true),
            (r#""_placeholder""#, true),
            (r#"{"_placeholder":true,"num":1}"#, false),
            (r#"{"_placeholder":true,"num":-1}"#, false),
            (r#"{"_placeholder":true,"num":0.0}"#, false),
            (r#"{"_placeholder":true,"num":1e9}"#, false),
            (r#"{"_placeholder":true,"num":"splice"}"#, false),
            (r#"{"_placeholder":true,"num":null}"#, false),
            (r#"{"_placeholder":true,"num":true}"#, false),
            (r#"{"_placeholder":true}"#, false),
            (r#"[[{"x":{"_placeholder":true,"num":5}}]]"#, false),
            (r#"{"_place\u0068older":true,"num":5}"#, false),
        ];
        for (json, fine) in rows {
            let header = text(&format!(r#"51-["a",{json}]"#));
            assert_eq!(assemble([header]).is_ok(), fine, "{json}");
        }
    }
}
