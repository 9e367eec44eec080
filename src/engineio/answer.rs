//! HTTP answers of the endpoint: the protocol's error JSON and plain bodies.

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};

/// Why a body broke off.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// The body of every answer.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// What is wrong with a request. The protocol knows six codes; where HTTP has a better word, the status says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `transport` is missing or none of ours.
    UnknownTransport,
    /// There is no such session (any more).
    UnknownSession,
    /// A session is opened by GET only.
    BadHandshakeMethod,
    /// Anything else that a client must not send.
    BadRequest,
    /// The page at that origin may not.
    Forbidden,
    /// Engine.IO 4 only.
    UnsupportedVersion,
    /// A body over `max_payload`.
    TooLarge,
    /// A body that does not arrive.
    TooSlow,
    /// The address has too many sessions that nobody vouched for.
    TooMany,
    /// Shutting down, or nobody accepts sockets.
    Unavailable,
}

impl Fault {
    /// Every fault, for the table in the documentation.
    pub const ALL: [Self; 10] = [
        Self::UnknownTransport,
        Self::UnknownSession,
        Self::BadHandshakeMethod,
        Self::BadRequest,
        Self::Forbidden,
        Self::UnsupportedVersion,
        Self::TooLarge,
        Self::TooSlow,
        Self::TooMany,
        Self::Unavailable,
    ];

    /// A word for counters.
    pub fn reason(self) -> &'static str {
        match self {
            Self::UnknownTransport => "transport",
            Self::UnknownSession => "session",
            Self::BadHandshakeMethod => "method",
            Self::BadRequest => "request",
            Self::Forbidden => "origin",
            Self::UnsupportedVersion => "version",
            Self::TooLarge => "size",
            Self::TooSlow => "slow",
            Self::TooMany => "address",
            Self::Unavailable => "unavailable",
        }
    }

    /// The protocol's code, 0…5.
    pub fn code(self) -> u8 {
        match self {
            Self::UnknownTransport => 0,
            Self::UnknownSession => 1,
            Self::BadHandshakeMethod => 2,
            Self::BadRequest | Self::TooLarge | Self::TooSlow | Self::Unavailable => 3,
            Self::Forbidden | Self::TooMany => 4,
            Self::UnsupportedVersion => 5,
        }
    }

    /// The protocol's text for the code.
    pub fn message(self) -> &'static str {
        match self.code() {
            0 => "Transport unknown",
            1 => "Session ID unknown",
            2 => "Bad handshake method",
            4 => "Forbidden",
            5 => "Unsupported protocol version",
            _ => "Bad request",
        }
    }

    /// The HTTP status.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    pub(super) fn answer(self) -> Response<Body> {
        let json = format!(r#"{{"code":{},"message":"{}"}}"#, self.code(), self.message());
        let mut answer = with_type(Bytes::from(json), "application/json");
        *answer.status_mut() = self.status();
        answer
    }
}

/// A 200 with packets or `ok` in it.
pub(super) fn text(body: Bytes) -> Response<Body> {
    with_type(body, "text/plain; charset=UTF-8")
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response<Body> {
    let mut answer = Response::new(full(Bytes::new()));
    *answer.status_mut() = status;
    answer
}

fn with_type(body: Bytes, content_type: &'static str) -> Response<Body> {
    let mut answer = Response::new(full(body));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

fn full(body: Bytes) -> Body {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}
