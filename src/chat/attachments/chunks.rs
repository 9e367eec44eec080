//! The parts in which files are stored: gathered from bytes as they come, and read from any place. Nothing here knows who
//! may do either.

use bytes::{Bytes, BytesMut};
use rusqlite::Connection;

use crate::chat::contract::error::Error;
use crate::store::attachments::{self, AttachmentRow};

/// Bytes of a part; the last one of a file may be shorter.
pub const CHUNK_BYTES: usize = 128 * 1024;

/// Gathers whole parts.
#[derive(Debug, Default)]
pub struct Chunks {
    waiting: BytesMut,
}

impl Chunks {
    /// Takes what is needed off the front of `bytes` and gives the next whole part; `None` once all is taken.
    pub fn take(&mut self, bytes: &mut &[u8]) -> Option<Bytes> {
        let (now, later) = bytes.split_at(bytes.len().min(CHUNK_BYTES - self.waiting.len()));
        if self.waiting.is_empty() && !now.is_empty() {
            // At once: growing by and by would leave a trail of smaller pieces of memory.
            self.waiting.reserve(CHUNK_BYTES);
        }
        self.waiting.extend_from_slice(now);
        *bytes = later;
        (self.waiting.len() == CHUNK_BYTES).then(|| self.waiting.split().freeze())
    }

    /// What has come of a part that is not whole; `None` between two parts.
    pub fn rest(&mut self) -> Option<Bytes> {
        Some(self.waiting.split().freeze()).filter(|rest| !rest.is_empty())
    }
}

/// The bytes of a file from `offset` on, as far as the part goes that they are in; nothing at its end.
///
/// # Errors
/// `INTERNAL`, also where a part is missing.
pub fn read(conn: &Connection, file: &AttachmentRow, offset: u64) -> Result<Bytes, Error> {
    let offset = i64::try_from(offset).unwrap_or(i64::MAX);
    if offset >= file.size {
        return Ok(Bytes::new());
    }
    let (start, bytes) = attachments::find_chunk(conn, file.id, offset)?.ok_or_else(missing)?;
    let within = usize::try_from(offset - start).unwrap_or(usize::MAX);
    if within < bytes.len() { Ok(Bytes::from(bytes).slice(within..)) } else { Err(missing()) }
}

fn missing() -> Error {
    Error::internal("a part of a file is missing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_whole_however_the_bytes_come_and_none_is_lost() {
        let sent: Vec<u8> = (0..2 * CHUNK_BYTES + 5).map(|n| (n % 251) as u8).collect();
        for step in [1_000, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, sent.len()] {
            let (mut chunks, mut parts) = (Chunks::default(), Vec::new());
            for mut bytes in sent.chunks(step) {
                while let Some(part) = chunks.take(&mut bytes) {
                    parts.push(part);
                }
                assert!(bytes.is_empty());
            }
            assert!(parts.iter().all(|part| part.len() == CHUNK_BYTES), "in steps of {step}");
            parts.extend(chunks.rest());
            assert_eq!(parts.concat(), sent, "in steps of {step}");
            assert_eq!(chunks.rest(), None);
        }
    }
}
