//! One connection from its handshake to its end: TLS where there is a certificate, then requests and their answers.
//!
//! It must send its first request's head within [`Settings::first_head_timeout`], each later one within
//! [`Settings::head_timeout`] of its first byte, and it may idle between them for [`Settings::idle_timeout`], which is
//! longer for trusted proxies: who closes first loses the request that the other is just sending. It must go on reading what is
//! written to it: see [`Settings::write_timeout`].

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::http::line::{Arriving, Line, Phase, Refusal, State};
use crate::http::newcomers::{Newcomer, Newcomers};
use crate::http::peer::Network;
use crate::http::progress::Progressing;
use crate::http::response::{self, Body, BoxError};
use crate::http::tls::Identity;

/// How often a connection is looked at, at least: no deadline is missed by more.
const LOOK: Duration = Duration::from_secs(5);

/// How long a connection that waits for a request is still read from when the server stops: what has come by then, and
/// was not read yet because the machine is busy, is answered instead of cut off.
const LAST_LOOK: Duration = Duration::from_millis(25);
/// How long a TLS handshake may then still take.
const LAST_HANDSHAKE: Duration = Duration::from_millis(250);

/// How long the connections of trusted proxies may idle at least: longer than any of the usual proxies keeps them.
pub const PROXY_IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// Bounds of the listener and of each connection.
#[derive(Clone)]
pub struct Settings {
    /// How long a connection may take to send the head of its first request; a TLS handshake has the same time before.
    pub first_head_timeout: Duration,
    /// How long the head of a later request may take to arrive.
    pub head_timeout: Duration,
    /// How long a connection may idle between requests.
    pub idle_timeout: Duration,
    /// How long one of a trusted proxy may.
    pub proxy_idle_timeout: Duration,
    /// How long a client may take nothing of what is written to it before its connection is cut.
    pub write_timeout: Duration,
    /// The most bytes that a request's line and headers may have.
    pub header_bytes_max: usize,
    /// The most connections at once, WebSockets included.
    pub connections_max: usize,
    /// The most connections of one address (IPv6: of one /64) that have not sent a whole request. Trusted proxies have no
    /// such bound.
    pub newcomers_max: usize,
    /// Who those are.
    pub trusted_proxies: Vec<Network>,
    /// With one, every connection begins with a TLS handshake; without, HTTP is spoken in the clear.
    pub identity: Option<Identity>,
    /// The answer to a head that cannot be read, under the status that says why.
    pub refusal: fn(StatusCode) -> Response<Bytes>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            first_head_timeout: Duration::from_secs(5),
            head_timeout: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(75),
            proxy_idle_timeout: PROXY_IDLE_TIMEOUT,
            write_timeout: Duration::from_secs(30),
            header_bytes_max: 32 * 1024,
            connections_max: 50_000,
            newcomers_max: 100,
            trusted_proxies: Vec::new(),
            identity: None,
            refusal: response::bare,
        }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("connections_max", &self.connections_max).finish_non_exhaustive()
    }
}

/// What all connections share.
pub struct Conversation<A> {
    settings: Settings,
    newcomers: Arc<Newcomers>,
    refusal: Refusal,
    stopping: CancellationToken,
    answer: A,
}

impl<A, F> Conversation<A>
where
    A: Fn(Request<Arriving>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    /// Answers every request by `answer`.
    pub fn new(settings: Settings, stopping: CancellationToken, answer: A) -> Conversation<A> {
        let refuse = settings.refusal;
        let refusal: Refusal = Arc::new(move |status| response::written_out(refuse(status)));
        let newcomers = Newcomers::new(settings.newcomers_max);
        Conversation { settings, newcomers, refusal, stopping, answer }
    }

    /// Those that have not asked for anything yet.
    pub fn newcomers(&self) -> &Newcomers {
        &self.newcomers
    }

    /// A connection has come; it is a newcomer unless a trusted proxy opened it.
    pub fn enter(&self, peer: SocketAddr) -> Option<Arc<Newcomer>> {
        let is_proxy = self.settings.trusted_proxies.iter().any(|network| network.contains(peer.ip()));
        (!is_proxy).then(|| Arc::new(self.newcomers.enter(peer.ip())))
    }

    /// Serves one connection until it is over.
    pub async fn serve(&self, stream: TcpStream, peer: SocketAddr, newcomer: Option<Arc<Newcomer>>) {
        // Answers and events are small and wanted at once.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let stream = Progressing::new(stream, self.settings.write_timeout);
        let talk = self.greet_and_converse(stream, peer, newcomer.clone());
        match newcomer {
            None => talk.await,
            Some(newcomer) => tokio::select! {
                () = talk => {}
                () = newcomer.told_to_leave() => tracing::debug!("a silent connection made room"),
            },
        }
    }

    async fn greet_and_converse<S>(&self, stream: S, peer: SocketAddr, newcomer: Option<Arc<Newcomer>>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Some(identity) = &self.settings.identity else { return self.converse(stream, peer, newcomer).await };
        let greeted = tokio::select! {
            greeted = timeout(self.settings.first_head_timeout, identity.greet(stream)) => greeted,
            () = self.stopped(LAST_HANDSHAKE) => return,
        };
        match greeted {
            Ok(Ok(stream)) => self.converse(stream, peer, newcomer).await,
            Ok(Err(error)) => tracing::debug!(%error, "no TLS handshake"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }

    /// Resolves so long after the server began to stop.
    async fn stopped(&self, since: Duration) {
        self.stopping.cancelled().await;
        tokio::time::sleep(since).await;
    }

    async fn converse<S>(&self, stream: S, peer: SocketAddr, newcomer: Option<Arc<Newcomer>>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (state, watched) = (State::new(), newcomer.clone());
        let watched = watched.as_deref();
        let line = Line::new(stream, state.clone(), self.refusal.clone(), self.stopping.clone());
        let (answer, seen) = (self.answer.clone(), state.clone());
        let service = service_fn(move |request: Request<hyper::body::Incoming>| {
            if let Some(newcomer) = &newcomer {
                newcomer.has_asked();
            }
            let (state, newcomer) = (seen.clone(), newcomer.clone());
            let answered = answer(request.map(|body| state.begin_request(body)), peer);
            async move {
                let answer = answered.await;
                // Its body may have been waited for.
                newcomer.inspect(|newcomer| newcomer.has_asked());
                state.read_leftover().await;
                Ok::<_, Infallible>(finished(answer, state))
            }
        });
        let connection = http1::Builder::new()
            .max_buf_size(self.settings.header_bytes_max)
            .serve_connection(TokioIo::new(line), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            // What has come is read before anything else is decided.
            biased;
            ended = connection.as_mut() => ended,
            () = self.overdue(&state, watched) => {
                if state.phase() == Phase::Head || !state.has_asked() {
                    return tracing::debug!("a request took too long to arrive");
                }
                connection.as_mut().graceful_shutdown();
                // A request that came in this moment is answered still.
                tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = self.overdue(&state, watched) => return,
                }
            }
            () = self.stopped(LAST_LOOK) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection ended");
        }
    }

    /// Resolves when what the connection is at has taken too long. While the other side is waited for, it rests.
    async fn overdue(&self, state: &State, newcomer: Option<&Newcomer>) {
        let is_proxy = newcomer.is_none();
        let Settings { first_head_timeout, head_timeout, idle_timeout, proxy_idle_timeout, .. } = self.settings;
        let idle_timeout = if is_proxy { proxy_idle_timeout } else { idle_timeout };
        loop {
            if let Some(newcomer) = newcomer.filter(|_| state.rests()) {
                newcomer.rests();
            }
            let deadline = match state.phase() {
                // A proxy opens connections before it has something to ask.
                Phase::Silent if is_proxy => Some(state.since() + idle_timeout),
                Phase::Silent | Phase::Head if !state.has_asked() => Some(state.opened() + first_head_timeout),
                Phase::Silent => Some(state.since() + idle_timeout),
                Phase::Head => Some(state.since() + head_timeout),
                Phase::Answering | Phase::Upgraded => None,
            };
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return;
            }
            sleep_until(deadline.map_or(now + LOOK, |deadline| deadline.min(now + LOOK))).await;
        }
    }
}

/// What is still coming of a refused body is not read by the library: the connection ends with the answer, and says so.
fn finished(mut answer: Response<Body>, state: Arc<State>) -> Response<Outgoing> {
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        state.upgraded();
    } else if state.is_body_coming() {
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer.map(|body| Outgoing { body, state })
}

#[derive(Debug, thiserror::Error)]
#[error("the body of an answer failed")]
struct BodyFailed(#[source] BoxError);

/// An answer's body with an error that has a name: hyper cannot box what is boxed already.
struct Outgoing {
    body: Body,
    state: Arc<State>,
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.state.answered();
    }
}

impl hyper::body::Body for Outgoing {
    type Data = Bytes;
    type Error = BodyFailed;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyFailed>>> {
        Pin::new(&mut self.body).poll_frame(cx).map_err(BodyFailed)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::http::listener::{Listen, Running};

    /// A server that keeps idle connections for a moment, and those of trusted proxies for long; a connection to it that
    /// has asked once.
    async fn idle_connection(trusted_proxies: &[&str]) -> (Running, TcpStream) {
        let listeners = "127.0.0.1:0".parse::<Listen>().unwrap().bind().unwrap();
        let address = listeners.addresses()[0];
        let trusted_proxies = trusted_proxies.iter().map(|network| network.parse().unwrap()).collect();
        let settings = Settings { idle_timeout: Duration::from_millis(50), trusted_proxies, ..Settings::default() };
        let answer = |_, _| async { response::full(StatusCode::OK, "text/plain", "yes") };
        let running = Running::start(listeners, settings, answer).unwrap();
        let mut connection = TcpStream::connect(address).await.unwrap();
        ask(&mut connection).await;
        (running, connection)
    }

    async fn ask(connection: &mut TcpStream) {
        connection.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"yes") {
            assert_ne!(connection.read_buf(&mut answer).await.unwrap(), 0, "it is open");
        }
    }

    #[tokio::test]
    async fn who_proxies_for_others_may_idle_for_longer_than_they_keep_a_connection() {
        let (_server, mut proxys) = idle_connection(&["127.0.0.1"]).await;
        let (_other_server, mut strangers) = idle_connection(&[]).await;
        let closed = timeout(Duration::from_secs(20), strangers.read(&mut [0; 1])).await;
        assert_eq!(closed.expect("in time").unwrap(), 0, "that of a stranger is closed");
        ask(&mut proxys).await;
    }

    #[tokio::test]
    async fn one_request_is_not_enough_to_hold_a_place_that_others_need() {
        let listeners = "127.0.0.1:0".parse::<Listen>().unwrap().bind().unwrap();
        let address = listeners.addresses()[0];
        let settings =
            Settings { connections_max: 4, first_head_timeout: Duration::from_millis(200), ..Settings::default() };
        let answer = |mut request: Request<Arriving>, _| async move {
            while request.body_mut().frame().await.is_some() {}
            response::full(StatusCode::OK, "text/plain", "yes")
        };
        let running = Running::start(listeners, settings, answer).unwrap();
        let mut held = Vec::new();
        for begun in ["", "G", "GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"] {
            let mut connection = TcpStream::connect(address).await.unwrap();
            ask(&mut connection).await;
            connection.write_all(begun.as_bytes()).await.unwrap();
            held.push(connection);
        }
        // Long before any of them has idled for too long.
        for _ in 0..4 {
            let mut newcomer = TcpStream::connect(address).await.unwrap();
            timeout(Duration::from_secs(30), ask(&mut newcomer)).await.expect("somebody makes room");
            held.push(newcomer);
        }
        running.stop_accepting();
    }

    /// Asks without a moment in between in which the server could look.
    fn ask_at_once(connection: &mut std::net::TcpStream) {
        use std::io::Write as _;
        connection.set_nonblocking(false).unwrap();
        connection.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    }

    #[tokio::test]
    async fn whoever_has_asked_when_the_server_stops_is_answered() {
        let (server, kept) = idle_connection(&["127.0.0.1"]).await;
        let address = kept.peer_addr().unwrap();
        let mut connections = vec![kept.into_std().unwrap()];
        // The system has let these in; nobody has accepted them.
        connections.extend((0..20).map(|_| std::net::TcpStream::connect(address).unwrap()));
        connections.iter_mut().for_each(ask_at_once);
        server.stop_accepting();
        timeout(Duration::from_secs(20), server.ended()).await.expect("it stops");
        for (number, mut connection) in connections.into_iter().enumerate() {
            let mut answer = Vec::new();
            let read = std::io::Read::read_to_end(&mut connection, &mut answer);
            assert!(read.is_ok() && answer.ends_with(b"yes"), "{number}: {read:?} {}", answer.escape_ascii());
        }
        assert!(TcpStream::connect(address).await.is_err(), "and nobody else comes in");
    }
}
