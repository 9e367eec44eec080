//! EBML (RFC 8794), as far as WebM needs it: an element is an id, a size, and so many bytes.

/// The head of an element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Head {
    /// With its length marker, as specifications write it.
    pub id: u32,
    /// Bytes that follow; `None` where it was not known when it was written.
    pub size: Option<u64>,
    /// Bytes of the head itself.
    pub length: usize,
}

/// What stands at the beginning of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// An element begins.
    Head(Head),
    /// It takes more bytes to know.
    TooShort,
    /// No element.
    Malformed,
}

/// Bytes of the longest head.
pub(super) const HEAD_BYTES_MAX: usize = 12;

/// The size of an element that reaches up to the next that cannot be in it, in eight bytes.
pub(super) const UNKNOWN_SIZE: [u8; 8] = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

/// Reads the head of an element.
pub(super) fn head(bytes: &[u8]) -> Found {
    let Some(first) = bytes.first() else { return Found::TooShort };
    let id_length = first.leading_zeros() as usize + 1;
    if id_length > 4 {
        return Found::Malformed;
    }
    let Some(second) = bytes.get(id_length) else { return Found::TooShort };
    let size_length = second.leading_zeros() as usize + 1;
    if size_length > 8 {
        return Found::Malformed;
    }
    let length = id_length + size_length;
    let (Some(id), Some(size)) = (bytes.get(..id_length), bytes.get(id_length..length)) else {
        return Found::TooShort;
    };
    let value_bits = 7 * size_length;
    let mask = (1_u64 << value_bits) - 1;
    let size = number(size) & mask;
    let size = (size != mask).then_some(size);
    Found::Head(Head { id: u32::try_from(number(id)).unwrap_or(0), size, length })
}

/// The elements in a payload that is whole, up to the first that is none.
pub(super) fn children(mut payload: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    std::iter::from_fn(move || {
        let Found::Head(Head { id, size: Some(size), length }) = head(payload) else { return None };
        let end = length.checked_add(usize::try_from(size).ok()?)?;
        let child = payload.get(length..end)?;
        payload = &payload[end..];
        Some((id, child))
    })
}

/// The number in a payload of at most eight bytes; 0 for none.
pub(super) fn unsigned(payload: &[u8]) -> Option<u64> {
    (payload.len() <= 8).then(|| number(payload))
}

/// A whole element.
pub(super) fn element(id: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = id_bytes(id);
    let size = payload.len() as u64;
    if size < 0x7f {
        bytes.push(0x80 | payload.len() as u8);
    } else {
        bytes.extend_from_slice(&long_size(size));
    }
    bytes.extend_from_slice(payload);
    bytes
}

/// A size in eight bytes.
pub(super) fn long_size(size: u64) -> [u8; 8] {
    ((1 << 56) | size).to_be_bytes()
}

/// An id as it is written.
pub(super) fn id_bytes(id: u32) -> Vec<u8> {
    let bytes = id.to_be_bytes();
    bytes[id.leading_zeros() as usize / 8..].to_vec()
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for (id, length) in [(0xa3, 0), (0x4286, 5), (0x2ad7b1, 126), (0x1a45_dfa3, 127), (0x1f43_b675, 70_000)] {
            let payload = vec![7; length];
            let bytes = element(id, &payload);
            let Found::Head(found) = head(&bytes) else { panic!("{id:x}") };
            assert_eq!((found.id, found.size, found.length + length), (id, Some(length as u64), bytes.len()));
            assert_eq!(children(&bytes).collect::<Vec<_>>(), [(id, &payload[..])]);
            for short in 0..found.length {
                assert_eq!(head(&bytes[..short]), Found::TooShort, "{id:x} {short}");
            }
        }
    }

    #[test]
    fn a_size_of_ones_is_not_known_and_what_is_no_head_is_malformed() {
        let Found::Head(open) = head(&[0xa3, 0xff]) else { panic!() };
        assert_eq!(open.size, None);
        let Found::Head(open) = head(&[0xa3, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]) else { panic!() };
        assert_eq!((open.size, open.length), (None, 9));
        for bytes in [&[0x00, 0x81][..], &[0x08, 0, 0, 0, 0, 0x81], &[0xa3, 0x00]] {
            assert_eq!(head(bytes), Found::Malformed, "{bytes:x?}");
        }
    }
}
