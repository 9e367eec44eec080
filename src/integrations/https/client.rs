//! Sending a request and reading its answer, both bounded.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};

use super::connect::{self, Connector, Proxy};
use super::origin::{AllowList, Origin};
use crate::integrations::roots::Roots;

/// How long a whole request may take unless it says otherwise.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// The most bytes of an answer's body unless the request says otherwise.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// The most bytes of an answer's status line and headers.
const HEADER_BYTES_MAX: usize = 64 * 1024;
/// How long a connection is kept that nobody uses.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Unused connections that are kept per host.
const IDLE_PER_HOST_MAX: usize = 8;
/// A pause longer than this is none that a third party means.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// How the house reaches the outside.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whom TLS trusts.
    pub roots: Roots,
    /// A proxy for everything but loopback.
    pub proxy: Option<Proxy>,
    /// Origins that the operator typed: their addresses may be private.
    pub named: Vec<Origin>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { roots: Roots::built_in(), proxy: None, named: Vec::new() }
    }
}

/// Connections to the outside, kept and shared. Making one contacts nobody.
#[derive(Clone)]
pub struct Outbound {
    inner: legacy::Client<HttpsConnector<Connector>, Full<Bytes>>,
    named: Arc<[Origin]>,
}

/// The right to send requests to some origins; cheap to clone.
#[derive(Clone)]
pub struct Client {
    outbound: Outbound,
    allowed: Arc<AllowList>,
}

/// One request.
#[derive(Clone)]
pub struct Request {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    timeout: Duration,
    answer_bytes_max: usize,
}

/// What came back, whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Any status, redirects included: they are not followed.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// At most as many bytes as the request allows.
    pub body: Bytes,
}

/// An answer whose body is still coming.
pub struct Download {
    /// Any status, redirects included.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    body: Limited<Incoming>,
    pause_max: Duration,
}

/// Why there is no answer. The texts name hosts and never paths.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The address may not be called; nothing was sent.
    #[error("not allowed: {0}")]
    NotAllowed(String),
    /// No connection; nothing was sent.
    #[error("{0}")]
    Unreachable(String),
    /// No whole answer in time; the request may have had its effect.
    #[error("no answer in time")]
    TimedOut,
    /// The answer is longer than it may be; the request may have had its effect.
    #[error("the answer is too long")]
    AnswerTooLong,
    /// The connection ended before the whole answer was there; the request may have had its effect.
    #[error("the connection broke off: {0}")]
    Interrupted(String),
}

impl Outbound {
    /// Ready to connect.
    pub fn new(settings: &Settings) -> Outbound {
        let named: Arc<[Origin]> = settings.named.clone().into();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(settings.roots.client_config())
            .https_or_http()
            .enable_http1()
            .wrap_connector(Connector { proxy: settings.proxy.clone(), named: Arc::clone(&named) });
        let inner = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .http1_max_buf_size(HEADER_BYTES_MAX)
            .build(connector);
        Outbound { inner, named }
    }

    /// A client for some origins.
    pub fn client(&self, allowed: impl Into<AllowList>) -> Client {
        Client { outbound: self.clone(), allowed: Arc::new(allowed.into()) }
    }
}

impl Client {
    /// Whether a request to this origin would be sent. Plain HTTP only to what the operator named.
    ///
    /// # Errors
    ///
    /// [`Failure::NotAllowed`].
    pub fn check(&self, uri: &Uri) -> Result<Origin, Failure> {
        let origin = Origin::of(uri).map_err(|bad| Failure::NotAllowed(bad.to_string()))?;
        let encrypted_or_named = origin.is_secure() || self.outbound.named.contains(&origin);
        if self.allowed.allows(&origin) && encrypted_or_named {
            Ok(origin)
        } else {
            Err(Failure::NotAllowed(origin.to_string()))
        }
    }

    /// Sends a request and reads the whole answer, within the request's time limit.
    ///
    /// # Errors
    ///
    /// [`Failure`]; an answer of any status is none.
    pub async fn send(&self, request: Request) -> Result<Answer, Failure> {
        let deadline = Instant::now() + request.timeout;
        let bytes_max = request.answer_bytes_max;
        let (head, body) = self.begin(request, deadline).await?.into_parts();
        let whole = timeout_at(deadline, Limited::new(body, bytes_max).collect()).await;
        let body = whole.map_err(|_| Failure::TimedOut)?.map_err(|error| broken(error.as_ref()))?.to_bytes();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    /// Sends a request and leaves the body to be read piece by piece. The request's time limit is for the head of the
    /// answer and for each piece.
    ///
    /// # Errors
    ///
    /// [`Failure`], also where the answer says beforehand that it is too long.
    pub async fn download(&self, request: Request) -> Result<Download, Failure> {
        let (pause_max, bytes_max) = (request.timeout, request.answer_bytes_max);
        let (head, body) = self.begin(request, Instant::now() + pause_max).await?.into_parts();
        if body.size_hint().lower() > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
            return Err(Failure::AnswerTooLong);
        }
        Ok(Download { status: head.status, headers: head.headers, body: Limited::new(body, bytes_max), pause_max })
    }

    async fn begin(&self, request: Request, deadline: Instant) -> Result<hyper::Response<Incoming>, Failure> {
        self.check(&request.uri)?;
        let mut sent = hyper::Request::new(Full::new(request.body));
        *sent.method_mut() = request.method;
        *sent.uri_mut() = request.uri;
        *sent.headers_mut() = request.headers;
        sent.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static("lexchat"));
        let answer = timeout_at(deadline, self.outbound.inner.request(sent)).await;
        answer.map_err(|_| Failure::TimedOut)?.map_err(|error| not_answered(&error))
    }
}

impl Request {
    /// A `GET`.
    pub fn get(uri: Uri) -> Request {
        Request::new(Method::GET, uri, Bytes::new())
    }

    /// A `POST` of these bytes.
    pub fn post(uri: Uri, body: impl Into<Bytes>) -> Request {
        Request::new(Method::POST, uri, body.into())
    }

    fn new(method: Method, uri: Uri, body: Bytes) -> Request {
        Request {
            method,
            uri,
            headers: HeaderMap::new(),
            body,
            timeout: REQUEST_TIMEOUT,
            answer_bytes_max: ANSWER_BYTES_MAX,
        }
    }

    /// With a header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Request {
        self.headers.insert(name, value);
        self
    }

    /// With another time limit (30 s unless said).
    pub fn timeout(mut self, timeout: Duration) -> Request {
        self.timeout = timeout;
        self
    }

    /// With another limit of the answer's body (1 MiB unless said).
    pub fn answer_bytes_max(mut self, bytes: usize) -> Request {
        self.answer_bytes_max = bytes;
        self
    }

    /// Where it goes.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// What it carries.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Its headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Its method.
    pub fn method(&self) -> &Method {
        &self.method
    }
}

impl Answer {
    /// What `Retry-After` asks for, in seconds or as a date; at most a week.
    pub fn retry_after(&self, now: SystemTime) -> Option<Duration> {
        let text = self.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
        let pause = match text.parse::<u64>() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default(),
        };
        Some(pause.min(RETRY_AFTER_MAX))
    }

    /// The beginning of the body as one line of text, for a reason that an operator reads.
    pub fn excerpt(&self) -> String {
        const CHARS_MAX: usize = 200;
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(4 * CHARS_MAX)]);
        let words: Vec<&str> =
            text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
        words.join(" ").chars().take(CHARS_MAX).collect()
    }
}

impl Download {
    /// The length that the answer announces.
    pub fn length(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`Failure::TimedOut`] after a pause, [`Failure::AnswerTooLong`], [`Failure::Interrupted`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let frame = tokio::time::timeout(self.pause_max, self.body.frame()).await.map_err(|_| Failure::TimedOut)?;
            match frame {
                None => return Ok(None),
                Some(Err(error)) => return Err(broken(error.as_ref())),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("named", &self.named).finish_non_exhaustive()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}

impl fmt::Debug for Request {
    /// Without path, headers and body: each may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {})", self.method, self.uri.host().unwrap_or_default())
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").field("status", &self.status).field("length", &self.length()).finish_non_exhaustive()
    }
}

/// The innermost cause says what happened; what lies around it says only that something did.
fn not_answered(error: &legacy::Error) -> Failure {
    let mut innermost: &(dyn std::error::Error + 'static) = error;
    loop {
        if let Some(connect::Failure::Private(_)) = innermost.downcast_ref::<connect::Failure>() {
            return Failure::NotAllowed(innermost.to_string());
        }
        if let Some(failure) = innermost.downcast_ref::<connect::Failure>() {
            return Failure::Unreachable(failure.to_string());
        }
        match innermost.source() {
            Some(source) => innermost = source,
            None => break,
        }
    }
    if error.is_connect() {
        Failure::Unreachable(innermost.to_string())
    } else {
        Failure::Interrupted(innermost.to_string())
    }
}

fn broken(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Failure {
    if error.is::<LengthLimitError>() { Failure::AnswerTooLong } else { Failure::Interrupted(error.to_string()) }
}

#[cfg(test)]
mod tests;
