//! Polling bodies: packets joined by the record separator; binary as base64 behind a `b`.
//!
//! Decoding takes at most [`PACKETS_MAX`] packets and fails at the first bad one.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

use crate::engineio::packet::{Frame, Malformed, Message, Packet, Text};

/// Packets of one body; a client has to be busy for long to queue as many.
pub const PACKETS_MAX: usize = 10_000;

const SEPARATOR: char = '\u{1e}';

/// Standard base64; padding is written, and may be missing in what is read.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads the body of a POST.
pub fn decode(body: &Text) -> Result<Vec<Packet>, Malformed> {
    let mut packets = Vec::new();
    let mut start = 0;
    for piece in body.as_str().split(SEPARATOR) {
        if packets.len() == PACKETS_MAX {
            return Err(Malformed);
        }
        let packet = match piece.strip_prefix('b') {
            Some(encoded) => {
                let data = BASE64.decode(encoded).map_err(|_| Malformed)?;
                Packet::Message(Message::Binary(Bytes::from(data)))
            }
            None => Packet::decode(&body.slice(start, start + piece.len()).ok_or(Malformed)?)?,
        };
        packets.push(packet);
        start += piece.len() + SEPARATOR.len_utf8();
    }
    Ok(packets)
}

/// Writes the answer of a GET; a single text packet is not copied.
pub fn encode(frames: &[Frame]) -> Bytes {
    if let [Frame::Text(text)] = frames {
        return text.clone();
    }
    let size = frames.iter().map(|frame| frame.bytes().len() * 4 / 3 + 8).sum();
    let mut body = Vec::with_capacity(size);
    for frame in frames {
        if !body.is_empty() {
            body.push(SEPARATOR as u8);
        }
        match frame {
            Frame::Text(text) => body.extend_from_slice(text),
            Frame::Binary(data) => {
                body.push(b'b');
                body.extend_from_slice(BASE64.encode(data).as_bytes());
            }
        }
    }
    Bytes::from(body)
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::Utf8Bytes;

    use super::*;

    fn text(message: &str) -> Packet {
        Packet::Message(Message::Text(Text::from(message)))
    }

    fn binary(data: &'static [u8]) -> Packet {
        Packet::Message(Message::Binary(Bytes::from_static(data)))
    }

    #[test]
    fn bodies_are_read_packet_by_packet() {
        let rows = [
            ("4hello", vec![text("hello")]),
            ("4a\u{1e}4é\u{1e}3", vec![text("a"), text("é"), Packet::Pong(Text::from(""))]),
            ("4hello\u{1e}bAQIDBA==", vec![text("hello"), binary(&[1, 2, 3, 4])]),
            ("bAQIDBA", vec![binary(&[1, 2, 3, 4])]),
            ("b", vec![binary(&[])]),
            ("1", vec![Packet::Close]),
        ];
        for (body, packets) in rows {
            assert_eq!(decode(&Text::from(body)), Ok(packets), "{body:?}");
        }
    }

    #[test]
    fn one_bad_packet_spoils_the_body() {
        for body in ["", "abc", "4a\u{1e}", "\u{1e}4a", "4a\u{1e}\u{1e}4b", "b%%%", "bA", "4a\u{1e}0{}"] {
            assert_eq!(decode(&Text::from(body)), Err(Malformed), "{body:?}");
        }
    }

    #[test]
    fn packets_of_one_body_are_counted() {
        let body = |count: usize| Text::from(vec!["4"; count].join("\u{1e}"));
        assert_eq!(decode(&body(PACKETS_MAX)).expect("as many as may be").len(), PACKETS_MAX);
        assert_eq!(decode(&body(PACKETS_MAX + 1)), Err(Malformed));
    }

    #[test]
    fn what_is_encoded_decodes_to_the_same() {
        let rows: [&[Frame]; 4] = [
            &[Frame::Text(Bytes::from_static(b"4hello"))],
            &[Frame::Text(Bytes::from_static(b"4a")), Frame::Text(Bytes::from_static(b"4b"))],
            &[Frame::Text(Bytes::from_static(b"4a")), Frame::Binary(Bytes::from_static(&[0, 255, 30]))],
            &[Frame::Binary(Bytes::from_static(&[])), Frame::Binary(Bytes::from_static(&[1]))],
        ];
        for frames in rows {
            let body = Utf8Bytes::try_from(encode(frames)).expect("UTF-8");
            let packets = decode(&Text::from(body)).expect("packets");
            let back: Vec<Vec<u8>> = packets
                .into_iter()
                .map(|packet| match packet {
                    Packet::Message(Message::Text(text)) => format!("4{}", text.as_str()).into_bytes(),
                    Packet::Message(Message::Binary(data)) => data.to_vec(),
                    other => panic!("{other:?}"),
                })
                .collect();
            let sent: Vec<Vec<u8>> = frames.iter().map(|frame| frame.bytes().to_vec()).collect();
            assert_eq!(back, sent);
        }
    }

    #[test]
    fn every_prefix_and_flip_decodes_or_errs() {
        let body = "4héllo\u{1e}bAQIDBA==\u{1e}2probe\u{1e}3\u{1e}6".as_bytes();
        for end in 0..=body.len() {
            read(&body[..end]);
        }
        for at in 0..body.len() {
            for flip in 1..=255u8 {
                let mut changed = body.to_vec();
                changed[at] ^= flip;
                read(&changed);
            }
        }
    }

    fn read(bytes: &[u8]) {
        if let Ok(body) = Utf8Bytes::try_from(bytes.to_vec()) {
            let _ = decode(&Text::from(body));
        }
    }
}
