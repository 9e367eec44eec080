//! Packets on their way out: encoded once, whatever number of sockets they go to.

use std::io::Write;

use serde::Serialize;

use crate::engineio::packet::{Frame, Unit};
use crate::socketio::args::Args;
use crate::socketio::packet::AckId;

/// Room for a packet of the usual size.
const TEXT_BYTES: usize = 512;
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

    /// An event with one argument that is JSON already, in parts.
    pub fn event_in_parts(namespace: &str, name: &str, parts: &[&str]) -> Self {
        Self::text(b'2', namespace, None, |json| {
            json.push(b'[');
            push_json(json, name);
            json.push(b',');
            parts.iter().for_each(|part| json.extend_from_slice(part.as_bytes()));
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
