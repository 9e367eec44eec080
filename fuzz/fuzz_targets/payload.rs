//! Any text is read as a polling body, or refused; what is read can be written and read again.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use protocol_fuzz::engineio::packet::{Frame, Message, Packet, Text};
use protocol_fuzz::engineio::payload;

fuzz_target!(|body: &str| {
    let Ok(packets) = payload::decode(&Text::from(body)) else { return };
    let frames: Vec<Frame> = packets
        .iter()
        .filter_map(|packet| match packet {
            Packet::Message(Message::Text(text)) => Some(Frame::Text(Bytes::from(format!("4{}", text.as_str())))),
            Packet::Message(Message::Binary(data)) => Some(Frame::Binary(data.clone())),
            _ => None,
        })
        .collect();
    if frames.is_empty() {
        return;
    }
    let written = String::from_utf8(payload::encode(&frames).to_vec()).expect("a body is text");
    let again = payload::decode(&Text::from(written)).expect("what was written can be read");
    let messages = packets.into_iter().filter(|packet| matches!(packet, Packet::Message(_)));
    assert!(messages.eq(again));
});
