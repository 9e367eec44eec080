//! Reading requests: the query, the credentials, and bodies that have a bound and a deadline whatever their framing.

use std::net::IpAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderMap};
use hyper::http::request::Parts;
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};

/// How long a body that is held in memory may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a streamed body may pause between two chunks.
const CHUNK_TIMEOUT: Duration = Duration::from_secs(30);
/// How much of a refused body is read away, so that its sender comes to read the answer.
const REFUSED_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// How long that may take.
const REFUSED_TIMEOUT: Duration = Duration::from_secs(2);

/// A request and who sent it.
pub struct Request {
    /// Method, address and headers.
    pub parts: Parts,
    /// The caller's address, with trusted proxies looked through.
    pub peer: IpAddr,
    /// Whether the connection itself came from this machine, proxies or not.
    pub direct_from_loopback: bool,
    body: Option<Incoming>,
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
    /// Not one JSON object.
    #[error("the body is not a JSON object")]
    NotAnObject,
}

impl Request {
    /// A request as it came from the connection.
    pub fn new(request: hyper::Request<Incoming>, peer: IpAddr, direct_from_loopback: bool) -> Request {
        let (parts, body) = request.into_parts();
        Request { parts, peer, direct_from_loopback, body: Some(body) }
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
        let Some(mut body) = self.body.take() else { return Ok(Bytes::new()) };
        let deadline = Instant::now() + BODY_TIMEOUT;
        if body.size_hint().lower() > bytes_max {
            self.discard(body).await;
            return Err(BodyError::TooLarge(bytes_max));
        }
        let mut bytes = BytesMut::new();
        while let Some(chunk) = next_chunk(&mut body, deadline).await? {
            if (bytes.len() + chunk.len()) as u64 > bytes_max {
                self.discard(body).await;
                return Err(BodyError::TooLarge(bytes_max));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.freeze())
    }

    /// The body as one JSON object; an empty body counts as an empty object.
    pub async fn object(&mut self, bytes_max: u64) -> Result<Map<String, Value>, BodyError> {
        let bytes = self.bytes(bytes_max).await?;
        if bytes.is_empty() {
            return Ok(Map::new());
        }
        serde_json::from_slice(&bytes).map_err(|_| BodyError::NotAnObject)
    }

    /// The body piece by piece, at most `bytes_max` bytes in all. A size that is known in advance is refused in advance.
    pub async fn stream(&mut self, bytes_max: u64) -> Result<Chunks, BodyError> {
        match self.body.take() {
            Some(body) if body.size_hint().lower() > bytes_max => {
                self.discard(body).await;
                Err(BodyError::TooLarge(bytes_max))
            }
            body => Ok(Chunks { body, bytes_left: bytes_max, bytes_max }),
        }
    }

    /// Reads away what is still coming of a refused body, within reason: a sender that is cut off in the middle of its
    /// body would never see why. One that asks first (`Expect`) has sent nothing yet.
    async fn discard(&self, mut body: Incoming) {
        if self.parts.headers.contains_key(header::EXPECT) || body.size_hint().lower() > REFUSED_BYTES_MAX {
            return;
        }
        let deadline = Instant::now() + REFUSED_TIMEOUT;
        let mut read = 0;
        while read < REFUSED_BYTES_MAX {
            match next_chunk(&mut body, deadline).await {
                Ok(Some(chunk)) => read += chunk.len() as u64,
                Ok(None) | Err(_) => return,
            }
        }
    }
}

/// A body that is read piece by piece.
pub struct Chunks {
    body: Option<Incoming>,
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

    /// The size of the whole body, where the request tells it.
    pub fn size_known(&self) -> Option<u64> {
        self.body.as_ref().and_then(|body| body.size_hint().exact())
    }
}

async fn next_chunk(body: &mut Incoming, deadline: Instant) -> Result<Option<Bytes>, BodyError> {
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

/// A header as text; `None` if it is absent or not ASCII.
pub fn text_of(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The pairs of a query string, decoded as forms are: `+` is a space, bytes that are no UTF-8 become `U+FFFD`.
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
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::{pairs, segments};

    #[test]
    fn query_pairs_are_decoded_like_forms() {
        let read = pairs("q=l%27%C3%A9t%C3%A9+2026&&limit=5&flag&%74oken=a=b&bad=%ff%");
        let expected = [("q", "l'été 2026"), ("limit", "5"), ("flag", ""), ("token", "a=b"), ("bad", "\u{fffd}%")];
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
