//! Where connections come from: bound sockets, an accept loop that outlives a shortage of descriptors, and one task per
//! connection that ends politely.
//!
//! A connection must deliver each request's headers within [`Settings::header_timeout`], which bounds its idle time
//! between requests as well; a TLS handshake has the same time. It must go on reading what is written to it: see
//! [`Settings::write_timeout`]. At the cap on connections the loop stops accepting: the
//! kernel's queue waits.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::http::progress::Progressing;
use crate::http::response::{Body, BoxError};
use crate::http::tls::Identity;

/// Connections that wait for `accept` in the kernel.
const BACKLOG: i32 = 4096;
/// Linux: this kernel has no such kind of address.
const EAFNOSUPPORT: i32 = 97;
/// How long the accept loop rests when the process has no descriptor left.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(100);

/// Bounds of the listener.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a connection may take to send a request's headers, and how long it may idle between requests.
    pub header_timeout: Duration,
    /// How long a client may take nothing of what is written to it before its connection is cut.
    pub write_timeout: Duration,
    /// The most bytes that a request's line and headers may have.
    pub header_bytes_max: usize,
    /// The most connections at once, WebSockets included.
    pub connections_max: usize,
    /// With one, every connection begins with a TLS handshake; without, HTTP is spoken in the clear.
    pub identity: Option<Identity>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            header_timeout: Duration::from_secs(20),
            write_timeout: Duration::from_secs(30),
            header_bytes_max: 32 * 1024,
            connections_max: 50_000,
            identity: None,
        }
    }
}

/// What to listen on, as it was typed: `localhost:3000` means both loopback addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    host: String,
    port: u16,
    addresses: Vec<SocketAddr>,
}

impl Listen {
    /// Whether nothing but this machine can connect.
    pub fn is_loopback(&self) -> bool {
        self.addresses.iter().all(|address| address.ip().is_loopback())
    }

    /// The address or name asked for, without the port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port asked for; 0 lets the system choose.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The addresses meant, as they were typed.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Binds every address, on one port. `localhost` needs only one of its two addresses to exist on this machine.
    pub fn bind(&self) -> Result<Listeners, BindError> {
        let mut bound: Vec<std::net::TcpListener> = Vec::new();
        let mut missing = None;
        for address in &self.addresses {
            let mut address = *address;
            if let Some(first) = bound.first().filter(|_| address.port() == 0) {
                address.set_port(first.local_addr().map_err(|source| BindError { address, source })?.port());
            }
            match bind_one(address) {
                Ok(listener) => bound.push(listener),
                Err(source) if is_absent(&source) && self.addresses.len() > 1 => {
                    missing = Some(BindError { address, source });
                }
                Err(source) => return Err(BindError { address, source }),
            }
        }
        match missing {
            Some(error) if bound.is_empty() => Err(error),
            _ => Ok(Listeners(bound)),
        }
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Listen, String> {
        let expected = || format!("`{text}` is not ADDRESS:PORT, such as localhost:3000 or 0.0.0.0:3000");
        let (host, port) = text.rsplit_once(':').ok_or_else(expected)?;
        let port: u16 = port.parse().map_err(|_| expected())?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let addresses = match bare {
            "" => return Err(expected()),
            "localhost" => {
                vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port)), SocketAddr::from((Ipv6Addr::LOCALHOST, port))]
            }
            name => match name.parse::<IpAddr>() {
                Ok(ip) => vec![SocketAddr::new(ip, port)],
                Err(_) => (name, port).to_socket_addrs().map_err(|_| expected())?.collect(),
            },
        };
        if addresses.is_empty() {
            return Err(expected());
        }
        Ok(Listen { host: host.to_owned(), port, addresses })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// An address that could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}{way_out}", way_out = way_out(source, *address))]
pub struct BindError {
    /// Which one.
    pub address: SocketAddr,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// What to do about it, where that is known.
fn way_out(source: &io::Error, address: SocketAddr) -> String {
    match source.kind() {
        io::ErrorKind::AddrNotAvailable => {
            format!(": this machine has no such address; 0.0.0.0:{} means all that it has", address.port())
        }
        io::ErrorKind::PermissionDenied if address.port() < 1024 => {
            ": ports below 1024 need a right of their own; choose one above, or give the service that right".to_owned()
        }
        _ => String::new(),
    }
}

impl BindError {
    /// Whether another process listens there.
    pub fn is_taken(&self) -> bool {
        self.source.kind() == io::ErrorKind::AddrInUse
    }
}

/// Bound sockets that nobody accepts from yet.
#[derive(Debug)]
pub struct Listeners(Vec<std::net::TcpListener>);

impl Listeners {
    /// The bound addresses, the first one first.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.0.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }
}

/// The running listener.
pub struct Running {
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl Running {
    /// Accepts from `listeners`, answering every request by `answer`, until [`Running::stop_accepting`].
    ///
    /// Must be called within a tokio runtime.
    pub fn start<A, F>(listeners: Listeners, settings: Settings, answer: A) -> io::Result<Running>
    where
        A: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let running = Running { stopping: CancellationToken::new(), tasks: TaskTracker::new() };
        let places = Arc::new(Semaphore::new(settings.connections_max));
        for listener in listeners.0 {
            let listener = TcpListener::from_std(listener)?;
            let door = Door {
                settings: settings.clone(),
                places: places.clone(),
                stopping: running.stopping.clone(),
                tasks: running.tasks.clone(),
                answer: answer.clone(),
            };
            running.tasks.spawn(door.accept_from(listener));
        }
        running.tasks.close();
        Ok(running)
    }

    /// Closes the listening sockets and lets each connection finish the request it is at.
    pub fn stop_accepting(&self) {
        self.stopping.cancel();
    }

    /// Waits until every connection has ended; those that became WebSockets end with their sessions.
    pub async fn ended(&self) {
        self.tasks.wait().await;
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the body of an answer failed")]
struct BodyFailed(#[source] BoxError);

/// An answer's body with an error that has a name: hyper cannot box what is boxed already.
struct Outgoing(Body);

impl hyper::body::Body for Outgoing {
    type Data = Bytes;
    type Error = BodyFailed;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyFailed>>> {
        Pin::new(&mut self.0).poll_frame(cx).map_err(BodyFailed)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

struct Door<A> {
    settings: Settings,
    places: Arc<Semaphore>,
    stopping: CancellationToken,
    tasks: TaskTracker,
    answer: A,
}

impl<A, F> Door<A>
where
    A: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    async fn accept_from(self, listener: TcpListener) {
        let door = Arc::new(self);
        let mut short = false;
        while let Some(Ok(place)) = door.stopping.run_until_cancelled(door.places.clone().acquire_owned()).await {
            match door.stopping.run_until_cancelled(listener.accept()).await {
                None => return,
                Some(Ok((stream, peer))) => {
                    short = false;
                    door.tasks.spawn(door.clone().serve(stream, peer, place));
                }
                Some(Err(error)) if is_of_one_connection(&error) => {}
                Some(Err(error)) => {
                    if !short {
                        tracing::warn!(%error, "cannot accept connections for the moment");
                    }
                    short = true;
                    tokio::time::sleep(SHORTAGE_PAUSE).await;
                }
            }
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit) {
        // Answers and events are small and wanted at once.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let stream = Progressing::new(stream, self.settings.write_timeout);
        match &self.settings.identity {
            None => self.converse(stream, peer).await,
            Some(identity) => match tokio::time::timeout(self.settings.header_timeout, identity.greet(stream)).await {
                Ok(Ok(stream)) => self.converse(stream, peer).await,
                Ok(Err(error)) => tracing::debug!(%error, "no TLS handshake"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            },
        }
        drop(place);
    }

    async fn converse<S>(&self, stream: S, peer: SocketAddr)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let answer = self.answer.clone();
        let service = service_fn(move |request| {
            let answered = answer(request, peer);
            async move { Ok::<_, Infallible>(answered.await.map(Outgoing)) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.settings.header_timeout)
            .max_buf_size(self.settings.header_bytes_max)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let ended = match self.stopping.run_until_cancelled(connection.as_mut()).await {
            Some(ended) => ended,
            None => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection ended");
        }
    }
}

fn bind_one(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // On Windows this option would let another process take the port over.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // `[::]` means every address of this machine, whatever the system's default is.
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Whether an address does not exist here at all, as `::1` where IPv6 is switched off.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
        || (cfg!(target_os = "linux") && error.raw_os_error() == Some(EAFNOSUPPORT))
}

/// Whether an error of `accept` concerns only the connection that was to be accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::Listen;

    #[test]
    fn localhost_means_both_loopback_addresses_on_one_port() {
        let listen: Listen = "localhost:0".parse().unwrap();
        assert!(listen.is_loopback());
        let addresses = listen.bind().unwrap().addresses();
        assert!(addresses[0].ip().is_loopback() && addresses[0].port() != 0);
        assert!(addresses.iter().all(|address| address.port() == addresses[0].port()));
    }

    #[test]
    fn what_is_no_address_and_port_is_refused() {
        for text in
            ["", "3000", ":3000", "localhost", "localhost:x", "localhost:70000", "[::1]", "no.such.host.invalid:1"]
        {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
        assert!(!"0.0.0.0:1".parse::<Listen>().unwrap().is_loopback());
        assert!("[::1]:1".parse::<Listen>().unwrap().is_loopback());
    }

    #[test]
    fn an_address_of_another_machine_is_refused_with_a_way_out() {
        let elsewhere: Listen = "192.0.2.1:24000".parse().unwrap();
        let refused = elsewhere.bind().unwrap_err().to_string();
        assert!(
            refused.ends_with("this machine has no such address; 0.0.0.0:24000 means all that it has"),
            "{refused}"
        );
    }

    #[test]
    fn a_taken_port_is_told_apart() {
        let first: Listen = "127.0.0.1:0".parse().unwrap();
        let held = first.bind().unwrap();
        let second: Listen = held.addresses()[0].to_string().parse().unwrap();
        assert!(second.bind().unwrap_err().is_taken());
    }
}
