//! Reading requests: the query, the credentials, and bodies that have a bound and a deadline whatever their framing.

use std::net::IpAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::Version;
use hyper::body::Body as _;
use hyper::header;
use hyper::http::request::Parts;
use tokio::time::{Instant, timeout_at};

use crate::http::header_text::text_of;
use crate::http::line::Arriving;
use crate::http::peer::Way;

/// How long a body that is held in memory may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a streamed body may pause between two chunks.
const CHUNK_TIMEOUT: Duration = Duration::from_secs(30);

/// A request and who sent it.
pub struct Request {
    /// Method, address and headers.
    pub parts: Parts,
    /// The caller's address, with trusted proxies looked through.
    pub peer: IpAddr,
    /// Whether the connection itself came from this machine, proxies or not.
    pub direct_from_loopback: bool,
    /// How it came.
    pub way: Way,
    body: Option<Arriving>,
}

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Longer than the caller of the function allows.
    #[error("the body is larger than {0} bytes")]
    TooLarge(u64),
    /// It did not arrive in time, or the connection broke.
    #[error("the body did not arrive")]
    Lost,
    /// It has a `Content-Encoding`.
    #[error("the body is compressed")]
    Packed,
}

impl Request {
    /// A request as it came from the connection.
    pub fn new(request: hyper::Request<Arriving>, peer: IpAddr, direct_from_loopback: bool, way: Way) -> Request {
        let (parts, body) = request.into_parts();
        Request { parts, peer, direct_from_loopback, way, body: Some(body) }
    }

    /// A header as text; `None` if it is absent or not ASCII.
    pub fn header(&self, name: header::HeaderName) -> Option<&str> {
        text_of(&self.parts.headers, name)
    }

    /// What stands behind `Authorization: Bearer`.
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header(header::AUTHORIZATION)?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// The pairs of the query string, decoded.
    pub fn query(&self) -> Vec<(String, String)> {
        pairs(self.parts.uri.query().unwrap_or_default())
    }

    /// The whole body, if it has at most `bytes_max` bytes. Of a larger one nothing is kept.
    pub async fn bytes(&mut self, bytes_max: u64) -> Result<Bytes, BodyError> {
        let Some(mut body) = self.take_body()? else { return Ok(Bytes::new()) };
        let deadline = Instant::now() + BODY_TIMEOUT;
        if body.size_hint().lower() > bytes_max {
            return Err(BodyError::TooLarge(bytes_max));
        }
        let mut bytes = BytesMut::new();
        while let Some(chunk) = next_chunk(&mut body, deadline).await? {
            if (bytes.len() + chunk.len()) as u64 > bytes_max {
                return Err(BodyError::TooLarge(bytes_max));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.freeze())
    }

    /// The body piece by piece, at most `bytes_max` bytes in all. A size that is known in advance is refused in advance.
    pub async fn stream(&mut self, bytes_max: u64) -> Result<Chunks, BodyError> {
        match self.take_body()? {
            Some(body) if body.size_hint().lower() > bytes_max => Err(BodyError::TooLarge(bytes_max)),
            body => Ok(Chunks { body, bytes_left: bytes_max, bytes_max }),
        }
    }

    /// Whether anything comes behind the head.
    pub fn has_body(&self) -> bool {
        self.body.as_ref().is_some_and(|body| !body.is_end_stream())
    }

    /// The body, unless it is packed: what is stored and read is what was meant, never a compressed form of it.
    fn take_body(&mut self) -> Result<Option<Arriving>, BodyError> {
        let codings = self.parts.headers.get_all(header::CONTENT_ENCODING);
        let is_packed = codings.iter().any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
        if is_packed && self.has_body() { Err(BodyError::Packed) } else { Ok(self.body.take()) }
    }
}

/// A body that is read piece by piece.
pub struct Chunks {
    body: Option<Arriving>,
    bytes_left: u64,
    bytes_max: u64,
}

impl Chunks {
    /// The next piece, or `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        let Some(body) = &mut self.body else { return Ok(None) };
        let Some(chunk) = next_chunk(body, Instant::now() + CHUNK_TIMEOUT).await? else { return Ok(None) };
        match self.bytes_left.checked_sub(chunk.len() as u64) {
            Some(left) => self.bytes_left = left,
            None => return Err(BodyError::TooLarge(self.bytes_max)),
        }
        Ok(Some(chunk))
    }

    /// The size of the whole body, where the request says it.
    pub fn size_known(&self) -> Option<u64> {
        self.body.as_ref().and_then(|body| body.size_hint().exact())
    }
}

async fn next_chunk(body: &mut Arriving, deadline: Instant) -> Result<Option<Bytes>, BodyError> {
    loop {
        match timeout_at(deadline, body.frame()).await {
            Ok(Some(Ok(frame))) => {
                if let Ok(chunk) = frame.into_data() {
                    return Ok(Some(chunk));
                }
            }
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) | Err(_) => return Err(BodyError::Lost),
        }
    }
}

/// What is wrong with a request before anybody asks what it wants; nothing for most.
///
/// Two readers of such a request could see two requests in it, or two hosts: it is refused, and the connection with it.
pub fn fault_of(request: &hyper::Request<impl hyper::body::Body>) -> Option<HeadFault> {
    let headers = request.headers();
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Some(HeadFault::TwoHosts);
    }
    match host.map(|host| host.to_str().ok().filter(|host| is_authority(host))) {
        Some(None) => return Some(HeadFault::BadHost),
        // As of requests whose address has none: all of ours have one.
        Some(Some("")) => return Some(HeadFault::NoHost),
        Some(Some(host))
            if request.uri().authority().is_some_and(|named| !named.as_str().eq_ignore_ascii_case(host)) =>
        {
            return Some(HeadFault::TwoHosts);
        }
        None if request.version() >= Version::HTTP_11 => return Some(HeadFault::NoHost),
        _ => {}
    }
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let first = codings.next().is_none_or(|coding| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"));
    (!first || codings.next().is_some()).then_some(HeadFault::BadEncoding)
}

/// Why a head is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadFault {
    /// HTTP/1.1 asks for one.
    NoHost,
    /// Twice, or another in the address.
    TwoHosts,
    /// None that a host can have.
    BadHost,
    /// Anything but `chunked`, once.
    BadEncoding,
}

fn is_authority(host: &str) -> bool {
    host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~[]:%!$&'()*+;=,".contains(&byte))
}

/// The pairs of a query string, decoded as forms are: `+` is a space. Bytes that are no UTF-8 are those of older programs,
/// which mean Windows-1252 by them.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")))
        })
        .collect()
}

/// The segments of a path, decoded; an empty path has none. `None` if a segment is no UTF-8 or holds a separator or NUL:
/// no address of ours does.
pub fn segments(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.is_empty() {
        return Some(Vec::new());
    }
    path.split('/')
        .map(|segment| {
            let text = percent_encoding::percent_decode_str(segment).decode_utf8().ok()?;
            (!text.contains(['/', '\\', '\0'])).then(|| text.into_owned())
        })
        .collect()
}

fn decoded(text: &str) -> String {
    let bytes: Vec<u8> = percent_encoding::percent_decode_str(text).collect();
    text_from(bytes)
}

/// Text in UTF-8 or, where that makes no sense, in what programs call Latin-1 and mean Windows-1252 by.
pub fn text_from(bytes: Vec<u8>) -> String {
    let western = |byte: u8| match byte {
        0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
        other => char::from(other),
    };
    String::from_utf8(bytes).unwrap_or_else(|error| error.as_bytes().iter().copied().map(western).collect())
}

/// What Windows-1252 has where Latin-1 has control characters; those stay where it has nothing.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

#[cfg(test)]
mod tests {
    use super::{pairs, segments};

    #[test]
    fn query_pairs_are_decoded_like_forms() {
        let read = pairs("q=l%27%C3%A9t%C3%A9+2026&&limit=5&flag&%74oken=a=b&old=caf%E9+%ff%");
        let expected = [("q", "l'été 2026"), ("limit", "5"), ("flag", ""), ("token", "a=b"), ("old", "café ÿ%")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_path_falls_into_decoded_segments() {
        assert_eq!(segments("/"), Some(vec![]));
        assert_eq!(segments("/messages/7/reactions/%F0%9F%91%8D").unwrap()[3], "👍");
        assert_eq!(segments("/a/").unwrap(), ["a", ""]);
        for path in ["/a%2fb", "/a%5cb", "/%00", "/%ff"] {
            assert_eq!(segments(path), None, "{path}");
        }
    }
}
