//! Building answers: the body type, the few shapes that answers have, and the headers that every answer carries.

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;

/// What can go wrong while a body streams.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of every answer.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// What only our own pages may load and run. They frame what they have made themselves: a PDF in the browser's viewer.
/// Origins that may be framed besides are written behind it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'; frame-src blob:";

/// Set on every answer unless the answer says something stricter itself.
const SECURITY_HEADERS: &[(&str, &str)] = &[
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), \
         microphone=(), payment=(), usb=()",
    ),
];

/// Lets the page in this answer use camera, microphone and screen; and frame pages of this origin, which may as well.
pub fn permit_calls(headers: &mut HeaderMap, frame: Option<&str>) {
    let whom = frame.map_or("(self)".to_owned(), |origin| format!("(self \"{origin}\")"));
    let permitted = format!(
        "accelerometer=(), camera={whom}, display-capture={whom}, geolocation=(), gyroscope=(), magnetometer=(), \
         microphone={whom}, payment=(), usb=()"
    );
    let policy = frame.map(|origin| format!("{CONTENT_SECURITY_POLICY} {origin}"));
    let permissions = HeaderName::from_static("permissions-policy");
    for (name, value) in [(permissions, Some(permitted)), (header::CONTENT_SECURITY_POLICY, policy)] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
}

/// An answer whose body is in memory.
pub fn full(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(body_of(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// An answer without a body.
pub fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response
}

/// A JSON answer. It is somebody's private data: no cache keeps it.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    let body = serde_json::to_vec(value).expect("answers are plain data with text keys");
    let mut response = full(status, "application/json; charset=utf-8", body);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An answer that is its status and nothing else.
pub fn bare(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

/// The bytes of an answer, as they stand on a connection that ends with it.
pub fn written_out(response: Response<Bytes>) -> Bytes {
    let (mut parts, body) = response.into_parts();
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    parts.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    let reason = parts.status.canonical_reason().unwrap_or_default();
    let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", parts.status.as_str()).into_bytes();
    for (name, value) in &parts.headers {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&body);
    bytes.into()
}

/// A body that is in memory.
pub fn body_of(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Adds the headers that every answer has, where the answer does not say more itself.
pub fn secure(headers: &mut HeaderMap) {
    for (name, value) in SECURITY_HEADERS {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::{StatusCode, empty, header, secure};

    #[test]
    fn every_answer_is_secured_and_a_stricter_policy_is_kept() {
        let mut response = empty(StatusCode::NO_CONTENT);
        let own = header::HeaderValue::from_static("sandbox; default-src 'none'");
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, own.clone());
        secure(response.headers_mut());
        assert_eq!(response.headers()[header::CONTENT_SECURITY_POLICY], own);
        assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(response.headers()[header::REFERRER_POLICY], "no-referrer");
    }
}
