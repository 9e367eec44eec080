//! The text of a header.

use hyper::header::{self, HeaderMap};

/// A header as text; `None` if it is absent or not ASCII.
pub fn text_of(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
