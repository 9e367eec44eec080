//! Where connections come from: bound sockets, an accept loop that outlives a shortage of descriptors, and one task per
//! connection that ends politely.
//!
//! What one connection may do, and how long it may take, is [`crate::http::conversation`]'s. Where connections or descriptors
//! are short, those that have not asked for anything yet make room, the oldest first, and then those that rest; if there are
//! none, the loop waits, and the kernel's queue with it.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use hyper::{Request, Response};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::http::conversation::{Conversation, Settings};
use crate::http::line::Arriving;
use crate::http::response::Body;

/// Connections that wait for `accept` in the kernel.
const BACKLOG: i32 = 4096;
/// Linux: this kernel has no such kind of address.
const EAFNOSUPPORT: i32 = 97;
/// How long the accept loop rests when the process has no descriptor left, and nobody can make room.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(100);
/// How many make room then at once, and how long that takes.
const ROOM_AT_ONCE: usize = 32;
const ROOM_PAUSE: Duration = Duration::from_millis(1);

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

    /// What is listened on already, by sockets that were handed over.
    pub fn inherited(addresses: Vec<SocketAddr>) -> Option<Listen> {
        let first = addresses.first()?;
        let host = if first.is_ipv4() { first.ip().to_string() } else { format!("[{}]", first.ip()) };
        Some(Listen { host, port: first.port(), addresses })
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
            _ => Ok(Listeners { sockets: bound, handed_over: false }),
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
pub struct Listeners {
    sockets: Vec<std::net::TcpListener>,
    /// Somebody else holds them too: whoever waits in their queues is served by the next process.
    handed_over: bool,
}

impl From<Vec<std::net::TcpListener>> for Listeners {
    fn from(sockets: Vec<std::net::TcpListener>) -> Listeners {
        Listeners { sockets, handed_over: true }
    }
}

impl Listeners {
    /// The bound addresses, the first one first.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }
}

/// The running listener.
pub struct Running {
    stopping: CancellationToken,
    /// Cancelled when one of the accept loops has ended, however.
    gone: CancellationToken,
    tasks: TaskTracker,
}

impl Running {
    /// Accepts from `listeners`, answering every request by `answer`, until [`Running::stop_accepting`].
    ///
    /// Must be called within a tokio runtime.
    pub fn start<A, F>(listeners: Listeners, settings: Settings, answer: A) -> io::Result<Running>
    where
        A: Fn(Request<Arriving>, SocketAddr) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let (stopping, gone) = (CancellationToken::new(), CancellationToken::new());
        let running = Running { stopping, gone, tasks: TaskTracker::new() };
        let places = Arc::new(Semaphore::new(settings.connections_max));
        let conversation = Arc::new(Conversation::new(settings, running.stopping.clone(), answer));
        for listener in listeners.sockets {
            let listener = TcpListener::from_std(listener)?;
            let door = Door {
                conversation: conversation.clone(),
                places: places.clone(),
                stopping: running.stopping.clone(),
                tasks: running.tasks.clone(),
            };
            let noticed = running.gone.clone().drop_guard();
            running.tasks.spawn(async move {
                let _noticed = noticed;
                door.accept_from(&listener).await;
                if !listeners.handed_over {
                    door.accept_the_last(listener);
                }
            });
        }
        running.tasks.close();
        Ok(running)
    }

    /// Closes the listening sockets and lets each connection finish the request it is at.
    pub fn stop_accepting(&self) {
        self.stopping.cancel();
    }

    /// Resolves when nobody accepts connections any more on one of the sockets.
    pub fn accepting_ended(&self) -> impl Future<Output = ()> + Send + 'static {
        self.gone.clone().cancelled_owned()
    }

    /// Waits until every connection has ended; those that became WebSockets end with their sessions.
    pub async fn ended(&self) {
        self.tasks.wait().await;
    }
}

struct Door<A> {
    conversation: Arc<Conversation<A>>,
    places: Arc<Semaphore>,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl<A, F> Door<A>
where
    A: Fn(Request<Arriving>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    async fn accept_from(&self, listener: &TcpListener) {
        let mut short = false;
        while let Some(accepted) = self.stopping.run_until_cancelled(listener.accept()).await {
            match accepted {
                Ok((stream, peer)) => {
                    short = false;
                    let Some(place) = self.place().await else { return };
                    self.let_in(stream, peer, place);
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    if !short {
                        tracing::warn!(%error, "cannot accept connections for the moment");
                    }
                    short = true;
                    let made = self.conversation.newcomers().make_room(ROOM_AT_ONCE);
                    tokio::time::sleep(if made > 0 { ROOM_PAUSE } else { SHORTAGE_PAUSE }).await;
                }
            }
        }
    }

    /// Serves those who wait in the queue of a socket that is about to close: their connections stand, and they may have
    /// asked already.
    fn accept_the_last(&self, listener: TcpListener) {
        let Ok(listener) = listener.into_std() else { return };
        for _ in 0..BACKLOG {
            let Ok(place) = self.places.clone().try_acquire_owned() else { return };
            match listener.accept() {
                Ok((stream, peer)) => {
                    if let Ok(stream) = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)) {
                        self.let_in(stream, peer, place);
                    }
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(_) => return,
            }
        }
    }

    fn let_in(&self, stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit) {
        let (conversation, newcomer) = (self.conversation.clone(), self.conversation.enter(peer));
        self.tasks.spawn(async move {
            conversation.serve(stream, peer, newcomer).await;
            drop(place);
        });
    }

    /// A place among all connections; where there is none, whoever has been silent for longest makes room. `None` at a stop.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Some(place);
        }
        loop {
            self.conversation.newcomers().make_room(1);
            // Nobody may have been silent yet.
            let place = timeout(SHORTAGE_PAUSE, self.places.clone().acquire_owned());
            if let Ok(place) = self.stopping.run_until_cancelled(place).await? {
                return place.ok();
            }
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
    use std::net::TcpStream;
    use std::time::{Duration, Instant};

    use hyper::StatusCode;

    use super::{Listen, Running};
    use crate::http::conversation::Settings;
    use crate::http::response;
    use crate::http::tls::Identity;

    #[tokio::test]
    async fn a_stop_waits_for_nobody_who_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(&cert, own.cert.pem()).unwrap();
        std::fs::write(&key, own.signing_key.serialize_pem()).unwrap();
        let settings = Settings { first_head_timeout: Duration::from_secs(60), ..Settings::default() };
        let with_tls = Settings { identity: Some(Identity::load(&cert, &key).unwrap()), ..settings.clone() };
        for settings in [settings, with_tls] {
            let listeners = "127.0.0.1:0".parse::<Listen>().unwrap().bind().unwrap();
            let address = listeners.addresses()[0];
            let answer = |_, _| async { response::full(StatusCode::OK, "text/plain", "yes") };
            let running = Running::start(listeners, settings, answer).unwrap();
            let _silent = TcpStream::connect(address).unwrap();
            while running.tasks.len() < 2 {
                tokio::task::yield_now().await;
            }
            let began = Instant::now();
            running.stop_accepting();
            running.ended().await;
            assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        }
    }

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
