//! The stream below one HTTP connection, and what the connection is at: waiting, reading a head, answering.
//!
//! ```text
//! Silent ── a byte ──▶ Head ── whole ──▶ Answering ── answered and flushed ──▶ Silent
//!                                            └── 101 ──▶ Upgraded
//! ```
//!
//! Guarantees: what the HTTP library refuses by itself (a head that it cannot read) leaves as the refusal that the listener's
//! holder gives, headers and all. A connection that ends while a body is still coming lingers: its answer is sent, its
//! sending side closed, and what comes is read away, as long as it comes and not for ever. Without that the system would
//! reset the connection, and the reset overtakes the answer.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http_body_util::BodyExt as _;
use hyper::StatusCode;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long a connection lingers at most, how long while nothing comes, and how long once the server stops. A proxy that
/// sends all of a body before it reads may need a while for it.
const LINGERS: Duration = Duration::from_secs(30);
const LINGERS_IN_SILENCE: Duration = Duration::from_secs(5);
const LINGERS_AT_A_STOP: Duration = Duration::from_millis(250);
/// The longest body that nobody wanted and that is read away before its answer leaves, and how long that may take.
const LEFTOVER_BYTES_MAX: u64 = 64 * 1024;
const LEFTOVER_TIMEOUT: Duration = Duration::from_millis(500);
/// Bytes that are read away at once.
const AWAY_BYTES: usize = 16 * 1024;

/// What a connection is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing of a next request has come.
    Silent,
    /// A head is arriving.
    Head,
    /// A request is being answered.
    Answering,
    /// It is no HTTP any more.
    Upgraded,
}

impl Phase {
    const ALL: [Phase; 4] = [Phase::Silent, Phase::Head, Phase::Answering, Phase::Upgraded];
}

/// The state of one connection, shared by its stream, its requests and whoever watches over it.
#[derive(Debug)]
pub struct State {
    phase: AtomicU8,
    opened: Instant,
    /// When the phase began, in milliseconds after `opened`.
    since_ms: AtomicU64,
    /// All of the answer has been handed to the HTTP library.
    is_answered: AtomicBool,
    is_body_coming: AtomicBool,
    has_asked: AtomicBool,
    /// A body that nobody read.
    leftover: Mutex<Option<Incoming>>,
}

impl State {
    /// A connection that opens now.
    pub fn new() -> Arc<State> {
        Arc::new(State {
            phase: AtomicU8::new(Phase::Silent as u8),
            opened: Instant::now(),
            since_ms: AtomicU64::new(0),
            is_answered: AtomicBool::new(false),
            is_body_coming: AtomicBool::new(false),
            has_asked: AtomicBool::new(false),
            leftover: Mutex::default(),
        })
    }

    /// What the connection is at.
    pub fn phase(&self) -> Phase {
        Phase::ALL[usize::from(self.phase.load(Ordering::Acquire))]
    }

    /// Since when it is at that.
    pub fn since(&self) -> Instant {
        self.opened + Duration::from_millis(self.since_ms.load(Ordering::Acquire))
    }

    /// When it opened.
    pub fn opened(&self) -> Instant {
        self.opened
    }

    /// Whether a whole request has come.
    pub fn has_asked(&self) -> bool {
        self.has_asked.load(Ordering::Acquire)
    }

    /// Whether the body of the request has not been read to its end.
    pub fn is_body_coming(&self) -> bool {
        self.is_body_coming.load(Ordering::Acquire)
    }

    /// Whether what comes next is up to the other side: it has asked before, and owes the next request or the rest of this one.
    pub fn rests(&self) -> bool {
        let is_owed = match self.phase() {
            Phase::Silent | Phase::Head => true,
            Phase::Answering => self.is_body_coming(),
            Phase::Upgraded => false,
        };
        is_owed && self.has_asked()
    }

    /// A request's head is whole.
    pub fn begin_request(self: &Arc<Self>, body: Incoming) -> Arriving {
        self.has_asked.store(true, Ordering::Release);
        self.is_answered.store(false, Ordering::Release);
        self.is_body_coming.store(!body.is_end_stream(), Ordering::Release);
        self.enter(Phase::Answering);
        Arriving { body: Some(body), state: self.clone() }
    }

    /// Reads away a short body that nobody wanted, so that the connection may go on.
    pub async fn read_leftover(&self) {
        let Some(mut body) = self.leftover.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        if body.size_hint().exact().is_none_or(|size| size > LEFTOVER_BYTES_MAX) {
            return;
        }
        let whole = async {
            while let Some(frame) = body.frame().await {
                frame?;
            }
            Ok::<_, hyper::Error>(())
        };
        if matches!(timeout(LEFTOVER_TIMEOUT, whole).await, Ok(Ok(()))) {
            self.is_body_coming.store(false, Ordering::Release);
        }
    }

    /// The answer's body is in the HTTP library's hands.
    pub fn answered(&self) {
        self.is_answered.store(true, Ordering::Release);
    }

    /// What follows is another protocol.
    pub fn upgraded(&self) {
        self.enter(Phase::Upgraded);
    }

    fn enter(&self, phase: Phase) {
        let since = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.since_ms.store(since, Ordering::Release);
        self.phase.store(phase as u8, Ordering::Release);
    }

    fn read_some(&self) {
        if self.phase() == Phase::Silent {
            self.enter(Phase::Head);
        }
    }

    /// The library has written all that it had.
    fn flushed(&self) {
        if self.phase() == Phase::Answering && self.is_answered.swap(false, Ordering::AcqRel) {
            self.enter(Phase::Silent);
        }
    }
}

/// The body of a request, whose end is noted.
#[derive(Debug)]
pub struct Arriving {
    body: Option<Incoming>,
    state: Arc<State>,
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
        if frame.is_none() || body.is_end_stream() {
            self.state.is_body_coming.store(false, Ordering::Release);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        if self.state.is_body_coming() {
            *self.state.leftover.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
        }
    }
}

/// The bytes of a whole answer that refuses a head which could not be read.
pub type Refusal = Arc<dyn Fn(StatusCode) -> Bytes + Send + Sync>;

/// A connection whose request heads are watched as they arrive.
pub struct Line<S> {
    stream: S,
    state: Arc<State>,
    refusal: Refusal,
    /// A refusal of ours that has not left yet.
    instead: Bytes,
    stopping: CancellationToken,
    lingering: Option<Lingering>,
}

impl<S> Line<S> {
    /// The stream of a connection. While the server is `stopping` nobody lingers for long.
    pub fn new(stream: S, state: Arc<State>, refusal: Refusal, stopping: CancellationToken) -> Line<S> {
        Line { stream, state, refusal, instead: Bytes::new(), stopping, lingering: None }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    /// Takes the library's own refusal, if this is one, and keeps ours instead: the bytes taken. Only between requests is
    /// what it writes its own.
    fn replaced(&mut self, parts: &[IoSlice<'_>]) -> Option<usize> {
        if !matches!(self.state.phase(), Phase::Silent | Phase::Head) {
            return None;
        }
        let first = parts.iter().find(|part| !part.is_empty())?;
        let status = std::str::from_utf8(first.strip_prefix(b"HTTP/1.")?.get(2..5)?).ok()?;
        let status = status.parse::<u16>().ok().and_then(|status| StatusCode::from_u16(status).ok())?;
        self.instead = dated((self.refusal)(status), first);
        Some(parts.iter().map(|part| part.len()).sum())
    }

    fn poll_instead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.instead.has_remaining() {
            let count = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.instead))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.instead.advance(count);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let lingering = self.lingering.get_or_insert_with(|| Lingering::begin(self.stopping.clone()));
        let mut away = [0; AWAY_BYTES];
        loop {
            if lingering.over.as_mut().poll(cx).is_ready() || lingering.silence.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            let mut away = ReadBuf::new(&mut away);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut away)) {
                Ok(()) if !away.filled().is_empty() => {
                    lingering.silence.as_mut().reset(Instant::now() + LINGERS_IN_SILENCE);
                }
                Ok(()) | Err(_) => return Poll::Ready(()),
            }
        }
    }
}

/// What ends the lingering of a connection.
struct Lingering {
    over: Pin<Box<dyn Future<Output = ()> + Send>>,
    silence: Pin<Box<Sleep>>,
}

impl Lingering {
    fn begin(stopping: CancellationToken) -> Lingering {
        let over = async move {
            let stop = async {
                stopping.cancelled().await;
                sleep(LINGERS_AT_A_STOP).await;
            };
            // Either way it is over.
            let _ = timeout(LINGERS, stop).await;
        };
        Lingering { over: Box::pin(over), silence: Box::pin(sleep(LINGERS_IN_SILENCE)) }
    }
}

/// An answer with the date of another.
fn dated(answer: Bytes, other: &[u8]) -> Bytes {
    let line = |bytes: &[u8]| bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let date = line(other).into_iter().find(|line| line.to_ascii_lowercase().starts_with(b"date:"));
    let place = answer.iter().position(|byte| *byte == b'\n').map(|end| end + 1);
    match (date, place) {
        (Some(date), Some(place)) => [&answer[..place], &date, &answer[place..]].concat().into(),
        _ => answer,
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Line<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, into));
        if into.filled().len() > before {
            self.state.read_some();
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Line<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(count) = self.replaced(&[IoSlice::new(bytes)]) {
            return Poll::Ready(Ok(count));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(count) = self.replaced(parts) {
            return Poll::Ready(Ok(count));
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_instead(cx))?;
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.state.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_instead(cx))?;
        if self.lingering.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        }
        if self.state.is_body_coming() && self.state.phase() != Phase::Upgraded {
            ready!(self.poll_linger(cx));
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt as _, duplex};
    use tokio::task::JoinHandle;

    use super::*;

    /// A connection that ends in the middle of a body, and its other end.
    fn lingering(stopping: &CancellationToken) -> (JoinHandle<Duration>, impl AsyncWrite + Unpin) {
        let (near, far) = duplex(1024);
        let state = State::new();
        state.is_body_coming.store(true, Ordering::Release);
        let mut line = Line::new(near, state, Arc::new(|_| Bytes::new()), stopping.clone());
        let began = Instant::now();
        let ended = tokio::spawn(async move {
            line.shutdown().await.expect("an end");
            began.elapsed()
        });
        (ended, far)
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_lingers_as_long_as_something_comes_and_not_for_ever() {
        let stopping = CancellationToken::new();
        let (silent, _far) = lingering(&stopping);
        assert_eq!(silent.await.unwrap().as_secs(), LINGERS_IN_SILENCE.as_secs());
        for (bytes, lasts) in [(4, 4 * 4 + 5), (100, 30)] {
            let (ended, mut far) = lingering(&stopping);
            for _ in 0..bytes {
                sleep(Duration::from_secs(4)).await;
                if far.write_all(b"x").await.is_err() {
                    break;
                }
            }
            assert_eq!(ended.await.unwrap().as_secs(), lasts, "{bytes} bytes");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_lingers_for_a_moment_when_the_server_stops() {
        let stopping = CancellationToken::new();
        let (ended, _far) = lingering(&stopping);
        sleep(Duration::from_secs(1)).await;
        stopping.cancel();
        assert!(ended.await.unwrap() < Duration::from_secs(2));
    }
}
