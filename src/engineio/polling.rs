//! Long-polling: a GET waits for packets, a POST brings some.
//!
//! A GET or POST that is cut off ends its session: what it carried may be lost, and the client has to know.

use std::future::poll_fn;
use std::io::Write;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::BodyExt;
use hyper::Response;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::engineio::answer::{self, Body, BoxError, Fault};
use crate::engineio::link::{Link, Waiter};
use crate::engineio::packet::{Frame, Malformed, Text};
use crate::engineio::payload;
use crate::engineio::session::Session;
use crate::engineio::session::state::Misplaced;

/// Shorter answers are not worth compressing.
const GZIP_FROM: usize = 1024;
/// Longer answers are compressed where they hold nobody up.
const GZIP_INLINE_MAX: usize = 64 * 1024;

/// What a POST is limited to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    pub(super) bytes: usize,
    pub(super) time: Duration,
}

impl From<Misplaced> for Fault {
    fn from(misplaced: Misplaced) -> Self {
        match misplaced {
            Misplaced::Closed => Self::UnknownSession,
            Misplaced::OtherCarrier | Misplaced::Doubled => Self::BadRequest,
        }
    }
}

/// Answers a GET once there is something to say.
pub(super) async fn get(link: &Arc<Link>, gzips: bool) -> Result<Response<Body>, Fault> {
    // Whether a WebSocket was read up to the pong is not known here.
    link.with(|session| session.tick(Instant::now().into_std(), !session.is_upgraded()));
    let turn = Turn::begin(link, Session::begin_poll, Session::end_poll)?;
    let frames = poll_fn(|cx| match link.wait(Waiter::Poll, cx, Session::poll) {
        Some(frames) => Poll::Ready(frames),
        None => Poll::Pending,
    })
    .await;
    let response = compressed(payload::encode(&frames), gzips).await;
    turn.end();
    Ok(response)
}

/// Answers a GET on a session that is gone.
pub(super) fn farewell(word: Frame) -> Response<Body> {
    answer::text(payload::encode(&[word]))
}

/// Answers a POST.
pub(super) fn taken() -> Response<Body> {
    answer::text(Bytes::from_static(b"ok"))
}

/// Takes the packets of a POST.
pub(super) async fn post<B>(
    link: &Arc<Link>,
    parts: &Parts,
    body: B,
    allowance: Allowance,
) -> Result<Response<Body>, Fault>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    let turn = Turn::begin(link, Session::begin_post, Session::end_post)?;
    if parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/octet-stream") {
        return Err(Fault::BadRequest);
    }
    // The messages of the last POST come first: a client cannot fill the memory faster than it is served.
    poll_fn(|cx| match link.wait(Waiter::Post, cx, |session| session.may_read_post().then_some(())) {
        Some(()) => Poll::Ready(()),
        None => Poll::Pending,
    })
    .await;
    let text =
        tokio::time::timeout(allowance.time, read(body, allowance.bytes)).await.map_err(|_| Fault::TooSlow)??;
    let packets = payload::decode(&text).map_err(|Malformed| Fault::BadRequest)?;
    link.with(|session| session.post(packets, Instant::now().into_std())).map_err(|Malformed| Fault::BadRequest)?;
    turn.end();
    Ok(taken())
}

async fn read<B>(mut body: B, bytes_max: usize) -> Result<Text, Fault>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(Fault::TooLarge);
    }
    let mut whole = Bytes::new();
    let mut more = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(|_| Fault::BadRequest)?.into_data() else { continue };
        if whole.len() + more.len() + piece.len() > bytes_max {
            return Err(Fault::TooLarge);
        }
        if whole.is_empty() {
            whole = piece;
        } else {
            more.extend_from_slice(&piece);
        }
    }
    if !more.is_empty() {
        let mut joined = BytesMut::with_capacity(whole.len() + more.len());
        joined.extend_from_slice(&whole);
        joined.extend_from_slice(&more);
        whole = joined.freeze();
    }
    Utf8Bytes::try_from(whole).map(Text::from).map_err(|_| Fault::BadRequest)
}

async fn compressed(body: Bytes, gzips: bool) -> Response<Body> {
    if body.len() < GZIP_FROM || !gzips {
        return answer::text(body);
    }
    let packed = if body.len() <= GZIP_INLINE_MAX {
        gzip(&body)
    } else {
        let long = body.clone();
        tokio::task::spawn_blocking(move || gzip(&long)).await.unwrap_or_else(|_| body.clone())
    };
    let mut response = answer::text(packed);
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    response
}

fn gzip(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 3), Compression::fast());
    encoder.write_all(body).expect("a vector takes every byte");
    Bytes::from(encoder.finish().expect("a vector takes every byte"))
}

/// Whether the caller takes an answer packed with gzip.
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING);
    let mut codings = values.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q == 0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

/// The one GET or POST of a session. Unless it ends well, the session ends with it.
struct Turn<'a> {
    link: &'a Arc<Link>,
    finish: fn(&mut Session),
    well: bool,
}

impl<'a> Turn<'a> {
    fn begin(
        link: &'a Arc<Link>,
        start: fn(&mut Session) -> Result<(), Misplaced>,
        finish: fn(&mut Session),
    ) -> Result<Self, Fault> {
        link.with(start)?;
        Ok(Self { link, finish, well: false })
    }

    fn end(mut self) {
        self.well = true;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.link.with(|session| {
            (self.finish)(session);
            if !self.well {
                session.end();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_used_only_when_asked_for() {
        let rows = [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("br", false),
            ("gzip;q=0", false),
            ("gzip; q=0.0", false),
            ("xgzip", false),
        ];
        for (accepted, asked) in rows {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            assert_eq!(accepts_gzip(&headers), asked, "{accepted}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
