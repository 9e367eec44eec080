//! Compressing answers for callers that ask for it.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::header::{self, HeaderMap};

use crate::http::header_text::text_of;

/// Below this many bytes compression saves nothing.
pub const BYTES_MIN: usize = 1024;

/// Whether the caller takes gzip.
pub fn is_accepted(headers: &HeaderMap) -> bool {
    accepts(headers, "gzip")
}

/// Whether the caller takes a coding.
pub fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let Some(listed) = text_of(headers, header::ACCEPT_ENCODING) else { return false };
    let weight_of = |coding: &str| {
        listed.split(',').find_map(|item| {
            let mut parts = item.split(';').map(str::trim);
            if !parts.next()?.eq_ignore_ascii_case(coding) {
                return None;
            }
            Some(parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(0.0)))
        })
    };
    weight_of(coding).or_else(|| weight_of("*")).unwrap_or(0.0) > 0.0
}

/// Compresses `bytes`; `level` from 1 (fast) to 9 (small).
pub fn compress(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::new(level));
    encoder.write_all(bytes).expect("memory takes every byte");
    encoder.finish().expect("memory takes every byte")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use hyper::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};

    use super::{compress, is_accepted};

    #[test]
    fn gzip_is_used_only_when_asked_for() {
        for (header, accepted) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5, br", true),
            ("*", true),
            ("gzip;q=0", false),
            ("gzip;q=0, *", false),
            ("br", false),
            ("gzipped", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(header));
            assert_eq!(is_accepted(&headers), accepted, "{header}");
        }
        assert!(!is_accepted(&HeaderMap::new()));
    }

    #[test]
    fn what_was_compressed_can_be_read_again() {
        let text = "Bonjour. ".repeat(500);
        let packed = compress(text.as_bytes(), 6);
        assert!(packed.len() < text.len() / 10);
        let mut read = String::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut read).unwrap();
        assert_eq!(read, text);
    }
}
