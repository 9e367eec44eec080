//! Any text is read as a packet of each layer, or refused; arguments survive being sent on.

#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol_fuzz::engineio::packet::{Packet as EnginePacket, Text};
use protocol_fuzz::socketio::encoded::Encoded;
use protocol_fuzz::socketio::packet::{Body, Packet};

fuzz_target!(|text: &str| {
    let text = Text::from(text);
    let _ = EnginePacket::decode(&text);
    let Ok(packet) = Packet::decode(&text) else { return };
    let Body::Event { name, args, .. } = &packet.body else { return };
    let encoded = Encoded::event_with(&packet.namespace, name, args);
    let frame = encoded.frames().next().expect("a header");
    let sent = std::str::from_utf8(frame.bytes()).expect("a header is text");
    let again = Packet::decode(&Text::from(&sent[1..])).expect("what was written can be read");
    assert_eq!(again.args(), Some(args));
});
