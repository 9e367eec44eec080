//! The byte stream under a WebSocket: watches the frames that come in, and owns what goes out.
//!
//! Out: frames wait here as they were encoded, shared with every other socket that gets the same, and leave in as few
//! vectored writes as the stream takes. In: the watch counts the fragments of a message and notes since when one is
//! incomplete, which the WebSocket library does not report. Neither copies or buffers payload.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Non-final fragments of one message.
pub(super) const FRAGMENTS_MAX: u32 = 1024;

/// Parts handed to the stream in one write.
const SLICES_MAX: usize = 32;
/// A queue that grew beyond this is given back once it is empty.
const PARTS_KEPT: usize = 16;
/// Longest header of a frame.
const HEADER_MAX: usize = 14;

/// A stream that carries WebSocket frames.
pub(super) struct Wire<S> {
    stream: S,
    watch: FrameWatch,
    parts: VecDeque<Part>,
    /// Bytes of the first part that have left.
    written: usize,
}

enum Part {
    Header { bytes: [u8; 10], length: u8 },
    Payload(Bytes),
}

impl Part {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Header { bytes, length } => &bytes[..usize::from(*length)],
            Self::Payload(bytes) => bytes,
        }
    }
}

/// What a data frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    Text = 1,
    Binary = 2,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, watch: FrameWatch::default(), parts: VecDeque::new(), written: 0 }
    }

    /// Queues a message as one unmasked frame.
    pub(super) fn push(&mut self, opcode: Opcode, payload: Bytes) {
        self.parts.push_back(header(opcode, payload.len()));
        if !payload.is_empty() {
            self.parts.push_back(Part::Payload(payload));
        }
    }

    /// Queues bytes that are framed already.
    pub(super) fn push_raw(&mut self, bytes: &[u8]) {
        self.parts.push_back(Part::Payload(Bytes::copy_from_slice(bytes)));
    }

    /// Whether nothing waits to leave.
    pub(super) fn is_idle(&self) -> bool {
        self.parts.is_empty()
    }

    /// Since when a message is incomplete.
    pub(super) fn receiving_since(&self) -> Option<Instant> {
        self.watch.since
    }

    /// Writes until nothing waits.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.parts.is_empty() {
            let mut slices = [IoSlice::new(&[]); SLICES_MAX];
            let mut count = 0;
            for (slice, part) in slices.iter_mut().zip(&self.parts) {
                let from = if count == 0 { self.written } else { 0 };
                *slice = IoSlice::new(&part.bytes()[from..]);
                count += 1;
            }
            let wrote = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, &slices[..count]))?;
            if wrote == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.advance(wrote);
        }
        if self.parts.capacity() > PARTS_KEPT {
            self.parts = VecDeque::new();
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Reads into `buffer`; the error is `InvalidData` if a message comes in too many pieces.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        self.watch.pass(buffer.filled()).map_err(|TooManyFragments| io::ErrorKind::InvalidData)?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// The stream itself, for its end.
    pub(super) fn into_stream(self) -> S {
        self.stream
    }

    fn advance(&mut self, wrote: usize) {
        self.written += wrote;
        while let Some(part) = self.parts.front()
            && self.written >= part.bytes().len()
        {
            self.written -= part.bytes().len();
            self.parts.pop_front();
        }
    }
}

fn header(opcode: Opcode, length: usize) -> Part {
    const FINAL: u8 = 0x80;
    let mut bytes = [0; 10];
    bytes[0] = FINAL | opcode as u8;
    let length_bytes = (length as u64).to_be_bytes();
    let used = match length {
        0..=125 => {
            bytes[1] = length_bytes[7];
            2
        }
        126..=0xffff => {
            bytes[1] = 126;
            bytes[2..4].copy_from_slice(&length_bytes[6..]);
            4
        }
        _ => {
            bytes[1] = 127;
            bytes[2..].copy_from_slice(&length_bytes);
            10
        }
    };
    Part::Header { bytes, length: used }
}

/// Follows frame headers in the bytes that pass by.
#[derive(Default)]
struct FrameWatch {
    head: [u8; HEADER_MAX],
    /// Header bytes seen of the frame that begins.
    seen: u8,
    /// Payload bytes still to pass.
    payload: u64,
    fragments: u32,
    since: Option<Instant>,
}

#[derive(Debug, PartialEq, Eq)]
struct TooManyFragments;

impl FrameWatch {
    fn pass(&mut self, mut bytes: &[u8]) -> Result<(), TooManyFragments> {
        while !bytes.is_empty() {
            if self.payload > 0 {
                let passed = self.payload.min(bytes.len() as u64);
                self.payload -= passed;
                bytes = &bytes[passed as usize..];
            } else {
                self.head[usize::from(self.seen)] = bytes[0];
                self.seen += 1;
                bytes = &bytes[1..];
                self.read_header()?;
            }
            // One that begins right behind it has its own time: a client that always sends is not a slow one.
            if self.is_complete() {
                self.since = None;
            }
        }
        if !self.is_complete() {
            self.since.get_or_insert_with(Instant::now);
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.seen == 0 && self.payload == 0 && self.fragments == 0
    }

    fn read_header(&mut self) -> Result<(), TooManyFragments> {
        const CONTROL: u8 = 0x08;
        let (first, second) = (self.head[0], self.head[1]);
        if self.seen < 2 {
            return Ok(());
        }
        let length_bytes = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask_bytes = if second & 0x80 == 0 { 0 } else { 4 };
        if usize::from(self.seen) < 2 + length_bytes + mask_bytes {
            return Ok(());
        }
        self.payload = match length_bytes {
            0 => u64::from(second & 0x7f),
            count => self.head[2..2 + count].iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
        };
        self.seen = 0;
        if first & CONTROL == 0 {
            let last = first & 0x80 != 0;
            self.fragments = if last { 0 } else { self.fragments + 1 };
        }
        if self.fragments > FRAGMENTS_MAX { Err(TooManyFragments) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(first: u8, length: usize) -> Vec<u8> {
        let mut frame = vec![first];
        match length {
            0..=125 => frame.push(0x80 | length as u8),
            126..=0xffff => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&(length as u16).to_be_bytes());
            }
            _ => {
                frame.push(0x80 | 127);
                frame.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        frame.extend_from_slice(&[1, 2, 3, 4]);
        frame.resize(frame.len() + length, 0xff);
        frame
    }

    #[test]
    fn the_watch_knows_whether_a_message_is_complete_however_it_is_cut() {
        for length in [0, 1, 125, 126, 300, 70_000] {
            let mut bytes = masked(0x01, length);
            bytes.extend(masked(0x89, 3));
            bytes.extend(masked(0x80, length));
            for step in [1, 2, 7, 4096, bytes.len()] {
                let mut watch = FrameWatch::default();
                let mut passed = 0;
                for piece in bytes.chunks(step) {
                    watch.pass(piece).expect("few fragments");
                    passed += piece.len();
                    assert_eq!(watch.since.is_none(), passed == bytes.len(), "{length} by {step} at {passed}");
                }
            }
        }
    }

    #[test]
    fn a_message_right_behind_another_has_a_time_of_its_own() {
        let two = [masked(0x81, 10), masked(0x82, 10)].concat();
        let mut watch = FrameWatch::default();
        watch.pass(&two[..4]).expect("one frame");
        let first = watch.since.expect("incomplete");
        while Instant::now() <= first {}
        watch.pass(&two[4..20]).expect("the rest of it and a part of the next");
        assert!(watch.since.expect("incomplete") > first, "the time of the first message is held against the second");
    }

    #[test]
    fn fragments_are_counted_per_message() {
        let mut watch = FrameWatch::default();
        for _ in 0..3 {
            watch.pass(&masked(0x01, 0)).expect("the first");
            for _ in 1..FRAGMENTS_MAX {
                watch.pass(&masked(0x00, 0)).expect("as many as may be");
            }
            watch.pass(&masked(0x80, 0)).expect("the last");
        }
        watch.pass(&masked(0x02, 0)).expect("the first");
        for _ in 1..FRAGMENTS_MAX {
            watch.pass(&masked(0x00, 0)).expect("as many as may be");
        }
        assert_eq!(watch.pass(&masked(0x00, 0)), Err(TooManyFragments));
    }

    #[test]
    fn headers_say_the_length_in_the_shortest_form() {
        let rows: [(usize, &[u8]); 6] = [
            (0, &[0x81, 0]),
            (125, &[0x81, 125]),
            (126, &[0x81, 126, 0, 126]),
            (0xffff, &[0x81, 126, 0xff, 0xff]),
            (0x1_0000, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
            (1_000_000, &[0x81, 127, 0, 0, 0, 0, 0, 0x0f, 0x42, 0x40]),
        ];
        for (length, bytes) in rows {
            assert_eq!(header(Opcode::Text, length).bytes(), bytes, "{length}");
        }
        assert_eq!(header(Opcode::Binary, 1).bytes(), [0x82, 1]);
    }

    #[tokio::test]
    async fn frames_leave_whole_and_in_order_through_a_narrow_stream() {
        let (near, mut far) = tokio::io::duplex(5);
        let mut wire = Wire::new(near);
        let long = Bytes::from(vec![7u8; 300]);
        for _ in 0..40 {
            wire.push(Opcode::Binary, long.clone());
            wire.push(Opcode::Text, Bytes::from_static(b"4a"));
            wire.push(Opcode::Binary, Bytes::new());
        }
        let mut expected = Vec::new();
        for _ in 0..40 {
            expected.extend_from_slice(&[0x82, 126, 1, 44]);
            expected.extend_from_slice(&long);
            expected.extend_from_slice(&[0x81, 2, b'4', b'a', 0x82, 0]);
        }
        let read = tokio::spawn(async move {
            let mut got = Vec::new();
            tokio::io::AsyncReadExt::read_to_end(&mut far, &mut got).await.map(|_| got)
        });
        std::future::poll_fn(|cx| wire.poll_write(cx)).await.expect("written");
        assert!(wire.is_idle());
        drop(wire);
        assert_eq!(read.await.expect("no panic").expect("read"), expected);
    }
}
