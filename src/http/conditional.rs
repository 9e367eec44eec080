//! Answering only what is missing: entity tags and byte ranges (RFC 9110 §13, §14).

use std::ops::Range;

use hyper::header::{self, HeaderMap};

use crate::http::header_text::text_of;

/// Whether the caller already has what `etag` (quoted) names.
pub fn is_unchanged(headers: &HeaderMap, etag: &str) -> bool {
    // Several lines are one list.
    let lines = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

/// What a caller asks of something that has a size.
#[derive(Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All of it.
    Whole,
    /// These bytes: never empty, never beyond the end.
    Part(Range<u64>),
    /// Bytes that do not exist.
    Nothing,
}

/// The part of something of `size` bytes that the headers ask for. A range holds only for the version in `If-Range`; more
/// ranges than one, and other units than bytes, are answered by the whole.
pub fn wanted(headers: &HeaderMap, etag: &str, size: u64) -> Wanted {
    let Some(range) = text_of(headers, header::RANGE) else { return Wanted::Whole };
    if headers.contains_key(header::IF_RANGE) && text_of(headers, header::IF_RANGE) != Some(etag) {
        return Wanted::Whole;
    }
    let Some((first, last)) = range.trim().strip_prefix("bytes=").and_then(|spec| spec.split_once('-')) else {
        return Wanted::Whole;
    };
    let (first, last) = (first.trim(), last.trim());
    let part = match (digits(first), digits(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Some(first), None) if last.is_empty() => first..size,
        (None, Some(length)) if first.is_empty() => size.saturating_sub(length)..size,
        _ => return Wanted::Whole,
    };
    if part.is_empty() { Wanted::Nothing } else { Wanted::Part(part) }
}

/// A number of nothing but digits; one too large to hold is as good as the largest.
fn digits(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderMap, HeaderValue, IF_NONE_MATCH, IF_RANGE, RANGE};

    use super::{Wanted, is_unchanged, wanted};

    #[test]
    fn ranges_are_cut_to_what_exists() {
        for (range, expected) in [
            ("bytes=0-9", Wanted::Part(0..10)),
            ("bytes=90-", Wanted::Part(90..100)),
            ("bytes=-10", Wanted::Part(90..100)),
            ("bytes=-1000", Wanted::Part(0..100)),
            ("bytes=99-99999999999999999999999", Wanted::Part(99..100)),
            ("bytes=100-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=0-1,5-6", Wanted::Whole),
            ("bytes=9-0", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("lines=1-2", Wanted::Whole),
            ("", Wanted::Whole),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, HeaderValue::from_static(range));
            assert_eq!(wanted(&headers, "\"a\"", 100), expected, "{range}");
            headers.insert(IF_RANGE, HeaderValue::from_static("\"b\""));
            assert_eq!(wanted(&headers, "\"a\"", 100), Wanted::Whole, "another version");
        }
    }

    #[test]
    fn a_known_version_is_recognised() {
        for (header, known) in
            [("\"a\"", true), ("W/\"a\"", true), ("\"b\", \"a\"", true), ("*", true), ("\"b\"", false)]
        {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static(header));
            assert_eq!(is_unchanged(&headers, "\"a\""), known, "{header}");
        }
        assert!(!is_unchanged(&HeaderMap::new(), "\"a\""));
        let mut headers = HeaderMap::new();
        headers.append(IF_NONE_MATCH, HeaderValue::from_static("\"b\""));
        headers.append(IF_NONE_MATCH, HeaderValue::from_static("\"c\", \"a\""));
        assert!(is_unchanged(&headers, "\"a\""), "several lines are one list");
    }
}
