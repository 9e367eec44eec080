//! From a host to an open connection: directly to an address that was checked, or through a proxy.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::address::is_public;
use super::origin::Origin;

/// How long one address of a host may take to accept, where there are others to try.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);

/// What a connector hands to TLS.
pub(super) type Stream = TokioIo<TcpStream>;
type Opening = Pin<Box<dyn Future<Output = Result<Stream, Failure>> + Send>>;

/// A proxy for everything that goes out (`HTTPS_PROXY`), and the hosts that are reached without it (`NO_PROXY`).
///
/// Through a proxy it is the proxy that resolves names: which addresses may be reached is then its decision.
#[derive(Clone)]
pub struct Proxy {
    matcher: Arc<Matcher>,
}

/// Why a proxy cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "not the address of an HTTP proxy, such as http://proxy.example:3128 or http://user:password@proxy.example:3128"
)]
pub struct BadProxy;

impl Proxy {
    /// A proxy's address, with user and password if it asks for them, and a comma-separated list of hosts, domains and
    /// ranges of addresses that are reached directly.
    ///
    /// # Errors
    ///
    /// [`BadProxy`], without the address: it may hold a password.
    pub fn new(address: &str, except: &str) -> Result<Proxy, BadProxy> {
        let probe = Uri::from_static("https://service.example");
        let found = Matcher::builder().https(address).build().intercept(&probe).ok_or(BadProxy)?;
        if found.uri().scheme_str() != Some("http") {
            return Err(BadProxy);
        }
        Ok(Proxy { matcher: Arc::new(Matcher::builder().https(address).no(except).build()) })
    }
}

impl FromStr for Proxy {
    type Err = BadProxy;

    fn from_str(address: &str) -> Result<Proxy, BadProxy> {
        Proxy::new(address, "")
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxy(…)")
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0} has no public address, and was not named by the operator")]
    Private(String),
    #[error("{0} cannot be resolved")]
    NoSuchName(String),
    #[error("{host} does not accept connections: {source}")]
    Refused { host: String, source: io::Error },
    #[error("the proxy: {0}")]
    Proxy(String),
}

/// The connector below TLS.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) proxy: Option<Proxy>,
    /// Origins whose address may be private.
    pub(super) named: Arc<[Origin]>,
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = Failure;
    type Future = Opening;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Opening {
        let intercept = self.proxy.as_ref().and_then(|proxy| proxy.matcher.intercept(&to));
        let named = Arc::clone(&self.named);
        Box::pin(async move {
            let origin = Origin::of(&to).map_err(|bad| Failure::NoSuchName(bad.to_string()))?;
            let may_be_private = named.contains(&origin);
            match intercept {
                Some(proxy) if !origin.is_loopback() => through(&proxy, to, &origin, may_be_private).await,
                _ => direct(&origin, may_be_private).await,
            }
        })
    }
}

async fn through(proxy: &Intercept, to: Uri, origin: &Origin, may_be_private: bool) -> Result<Stream, Failure> {
    if !may_be_private && origin.address().is_some_and(|address| !is_public(address)) {
        return Err(Failure::Private(origin.host().to_owned()));
    }
    let mut tunnel = Tunnel::new(proxy.uri().clone(), ToProxy);
    if let Some(password) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(password.clone());
    }
    tunnel.call(to).await.map_err(|error| Failure::Proxy(error.to_string()))
}

/// Connects to the proxy itself, wherever that is: the operator named it.
#[derive(Clone)]
struct ToProxy;

impl Service<Uri> for ToProxy {
    type Response = Stream;
    type Error = Failure;
    type Future = Opening;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, proxy: Uri) -> Opening {
        Box::pin(async move {
            let host = proxy.host().unwrap_or_default().to_owned();
            connect(&host, proxy.port_u16().unwrap_or(80), true).await
        })
    }
}

async fn direct(origin: &Origin, may_be_private: bool) -> Result<Stream, Failure> {
    connect(origin.host(), origin.port(), may_be_private).await
}

/// Resolves, sorts out what may not be reached, and connects to what is left, one address after the other.
async fn connect(host: &str, port: u16, may_be_private: bool) -> Result<Stream, Failure> {
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let found: Vec<SocketAddr> = match tokio::net::lookup_host((name, port)).await {
        Ok(found) => found.collect(),
        Err(_) => return Err(Failure::NoSuchName(host.to_owned())),
    };
    if found.is_empty() {
        return Err(Failure::NoSuchName(host.to_owned()));
    }
    let allowed: Vec<_> = found.into_iter().filter(|to| may_be_private || is_public(to.ip())).collect();
    let mut last = None;
    for to in allowed {
        match tokio::time::timeout(ATTEMPT_TIMEOUT, TcpStream::connect(to)).await {
            Ok(Ok(stream)) => {
                // Requests are written whole; waiting for more to send would only delay them.
                let _ = stream.set_nodelay(true);
                return Ok(TokioIo::new(stream));
            }
            Ok(Err(error)) => last = Some(error),
            Err(_) => last = Some(io::ErrorKind::TimedOut.into()),
        }
    }
    Err(match last {
        Some(source) => Failure::Refused { host: host.to_owned(), source },
        None => Failure::Private(host.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_speaks_http_and_its_password_is_shown_nowhere() {
        for address in ["http://proxy.example:3128", "proxy.example:3128", "http://user:pass%20word@proxy.example"] {
            assert_eq!(format!("{:?}", Proxy::new(address, "").unwrap()), "Proxy(…)");
        }
        for address in ["", "socks5://proxy.example", "https://user:secret@proxy.example", "ftp://proxy.example", "a b"]
        {
            let error = Proxy::new(address, "").unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
