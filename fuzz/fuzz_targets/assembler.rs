//! Any mixture of text and binary is put together within the bounds, or refused.

#![no_main]

use std::time::Instant;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use protocol_fuzz::engineio::packet::{Message, Text};
use protocol_fuzz::socketio::assembler::{Assembler, Bounds};

const BOUNDS: Bounds = Bounds { attachments_max: 10, bytes_max: 4096 };

fuzz_target!(|bytes: &[u8]| {
    let mut assembler = Assembler::new(BOUNDS);
    let now = Instant::now();
    // A byte that is in no UTF-8 text separates the messages.
    for piece in bytes.split(|byte| *byte == 0xff) {
        let message = match std::str::from_utf8(piece) {
            Ok(text) if !text.starts_with('\0') => Message::Text(Text::from(text)),
            _ => Message::Binary(Bytes::copy_from_slice(piece)),
        };
        let Ok(packet) = assembler.take(message, now) else { return };
        if let Some(packet) = packet {
            assert!(assembler.since().is_none());
            let attachments = packet.args().map_or(0, |args| args.attachments().len());
            assert_eq!(attachments, packet.attachments);
            assert!(attachments <= BOUNDS.attachments_max);
        }
    }
});
