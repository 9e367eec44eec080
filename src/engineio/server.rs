//! The endpoint: answers HTTP requests, opens sessions, hands their sockets to whoever accepts them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::task::TaskTracker;

use crate::engineio::answer::{self, Body, BoxError, Fault};
use crate::engineio::link::{Link, Upgrade};
use crate::engineio::origin::{self, Origins, Verdict};
use crate::engineio::packet::{Frame, Packet};
use crate::engineio::payload;
use crate::engineio::polling::{self, Allowance};
use crate::engineio::registry::{Full, Registry, Sid};
use crate::engineio::request::{OpeningRequest, Parameter, Peer, Query};
use crate::engineio::session::Session;
use crate::engineio::session::state::{Carrier, Limits};
use crate::engineio::socket::{Manners, Socket};
use crate::engineio::websocket::{self, WebSocket};

/// How often a closing endpoint looks at who has left, and after how many looks in vain it waits no longer: clients between
/// two polls are back by then. Looks are counted and not time: a machine that is busy looks later, and clients are later.
const LEAVING_LOOK: Duration = Duration::from_millis(25);
const LEAVING_LOOKS: u32 = 8;
/// Sockets that may wait to be accepted.
const INCOMING_MAX: usize = 1024;

/// How the endpoint behaves; each field has the protocol's usual default.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long after a pong the next ping is sent.
    pub ping_interval: Duration,
    /// How long a pong may take before the session is closed.
    pub ping_timeout: Duration,
    /// Largest message, frame or polling body taken from a client, in bytes.
    pub max_payload: usize,
    /// Bytes that may wait for one slow client before it is cut off.
    pub queue_bytes_max: usize,
    /// Sessions of one address that were not admitted yet (`Socket::admit`).
    pub sessions_max_per_address: usize,
    /// How long a WebSocket may take to take over from polling.
    pub upgrade_timeout: Duration,
    /// How long the body of a POST, or one WebSocket message, may take to arrive.
    pub body_timeout: Duration,
    /// How long what is queued may take to leave a session that is closing.
    pub close_timeout: Duration,
    /// Which pages may talk to the endpoint.
    pub origins: Origins,
    /// Paths at which an upgrade request without `EIO` and `transport` opens a WebSocket session all the same; with or
    /// without a slash at the end.
    pub bare_websocket_paths: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            max_payload: 1_000_000,
            queue_bytes_max: 1 << 20,
            sessions_max_per_address: 100,
            upgrade_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(5),
            origins: Origins::default(),
            bare_websocket_paths: Vec::new(),
        }
    }
}

/// A shared handle on the endpoint.
#[derive(Clone)]
pub struct Server {
    endpoint: Arc<Endpoint>,
}

struct Endpoint {
    settings: Settings,
    registry: Arc<Registry<Link>>,
    sockets: mpsc::Sender<Socket>,
    farewells: TaskTracker,
    /// In the order of [`Fault::ALL`].
    refused: [AtomicU64; Fault::ALL.len()],
}

impl Server {
    /// An endpoint without sessions, and where its sockets come out.
    pub fn new(settings: Settings) -> (Self, Incoming) {
        let (sockets, accepted) = mpsc::channel(INCOMING_MAX);
        let endpoint = Endpoint {
            settings,
            registry: Arc::default(),
            sockets,
            farewells: TaskTracker::new(),
            refused: Default::default(),
        };
        (Self { endpoint: Arc::new(endpoint) }, Incoming { accepted })
    }

    /// Answers one HTTP request for the endpoint: handshake, poll, post, upgrade or preflight.
    ///
    /// Never fails: what is wrong with a request stands in the response, as the protocol's error JSON.
    /// `peer` is an `IpAddr` or a [`Peer`].
    pub async fn respond<B>(&self, request: Request<B>, peer: impl Into<Peer>) -> Response<Body>
    where
        B: hyper::body::Body<Data = Bytes> + Send + Unpin,
        B::Error: Into<BoxError>,
    {
        let peer = peer.into();
        let verdict = self.endpoint.settings.origins.judge(request.headers(), peer.secure);
        let mut response = match self.endpoint.route(request, peer, &verdict).await {
            Ok(response) => response,
            Err(fault) => {
                self.endpoint.count(fault);
                fault.answer()
            }
        };
        origin::permit(response.headers_mut(), &verdict);
        response
    }

    /// Opens no further session, closes every one that is open, and waits until they are gone: for as long as clients come
    /// and fetch their goodbye, and for `within` at most. What is left then is cut off; who comes still later is told
    /// goodbye all the same.
    pub async fn close(&self, within: Duration) {
        let links = self.endpoint.registry.shut();
        let now = Instant::now().into_std();
        links.iter().for_each(|link| link.with(|session| session.close(now)));
        let farewells = &self.endpoint.farewells;
        farewells.close();
        let gone = async {
            self.endpoint.registry.emptied().await;
            farewells.wait().await;
        };
        tokio::select! {
            biased;
            () = gone => {}
            () = self.endpoint.nobody_leaves() => {}
            () = tokio::time::sleep(within) => {}
        }
        links.iter().for_each(|link| link.with(Session::end));
    }

    /// Bytes that wait for the clients of all sessions together.
    pub fn queue_bytes(&self) -> usize {
        self.endpoint.registry.links().iter().map(|link| link.with(|session| session.queue_bytes())).sum()
    }

    /// Requests that were refused since the start, by fault.
    pub fn refused(&self) -> impl Iterator<Item = (Fault, u64)> + '_ {
        Fault::ALL.iter().zip(&self.endpoint.refused).map(|(fault, count)| (*fault, count.load(Ordering::Relaxed)))
    }

    /// Sessions that are open now.
    pub fn sessions(&self) -> usize {
        self.endpoint.registry.count()
    }
}

/// Where the sockets of new sessions come out.
pub struct Incoming {
    accepted: mpsc::Receiver<Socket>,
}

impl Incoming {
    /// The next socket; `None` once every handle on the server is gone.
    pub async fn accept(&mut self) -> Option<Socket> {
        self.accepted.recv().await
    }
}

/// What a request wants, by its query string.
struct Target {
    carrier: Carrier,
    session: Option<Sid>,
    query: Query,
}

impl Endpoint {
    /// Resolves once no session and no WebSocket has left for a while.
    async fn nobody_leaves(&self) {
        let mut looks = tokio::time::interval(LEAVING_LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut left, mut in_vain) = (usize::MAX, 0);
        while in_vain < LEAVING_LOOKS {
            looks.tick().await;
            let now = self.registry.count() + self.farewells.len();
            in_vain = if now < left { 0 } else { in_vain + 1 };
            left = now;
        }
    }

    fn count(&self, fault: Fault) {
        if let Some(place) = Fault::ALL.iter().position(|known| *known == fault) {
            self.refused[place].fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn route<B>(&self, mut request: Request<B>, peer: Peer, verdict: &Verdict) -> Result<Response<Body>, Fault>
    where
        B: hyper::body::Body<Data = Bytes> + Send + Unpin,
        B::Error: Into<BoxError>,
    {
        if *verdict == Verdict::Refused {
            return Err(Fault::Forbidden);
        }
        if request.method() == Method::OPTIONS {
            let mut response = answer::empty(StatusCode::NO_CONTENT);
            origin::permit_requests(response.headers_mut(), request.headers());
            return Ok(response);
        }
        let upgrade = hyper::upgrade::on(&mut request);
        let (parts, body) = request.into_parts();
        let target = self.target(&parts)?;
        let Some(sid) = target.session else { return self.open(target, &parts, peer, upgrade) };
        let (carrier, method) = (target.carrier, parts.method.clone());
        let served = match self.registry.find(sid) {
            Some(link) => self.serve(link, target, parts, body, upgrade).await,
            None => Err(Fault::UnknownSession),
        };
        match served {
            Err(Fault::UnknownSession) => self.last_word(sid, carrier, &method),
            served => served,
        }
    }

    /// Answers a request on a session that is open.
    async fn serve<B>(
        &self,
        link: Arc<Link>,
        target: Target,
        parts: Parts,
        body: B,
        upgrade: OnUpgrade,
    ) -> Result<Response<Body>, Fault>
    where
        B: hyper::body::Body<Data = Bytes> + Send + Unpin,
        B::Error: Into<BoxError>,
    {
        match (target.carrier, &parts.method) {
            (Carrier::WebSocket, &Method::GET) => self.upgrade(link, &parts, upgrade),
            (Carrier::Polling, &Method::GET) => {
                let gzips = polling::accepts_gzip(&parts.headers);
                // A GET waits long, and its head holds on to the buffer that it was read into.
                drop((parts, body, upgrade, target));
                polling::get(&link, gzips).await
            }
            (Carrier::Polling, &Method::POST) => {
                let allowance = Allowance { bytes: self.settings.max_payload, time: self.settings.body_timeout };
                polling::post(&link, &parts, body, allowance).await
            }
            _ => Err(Fault::BadRequest),
        }
    }

    /// Answers a request on a session that is gone, where its client is owed more than that: it has said goodbye itself and
    /// the request crossed that, or the endpoint has closed and it may not have heard so.
    fn last_word(&self, sid: Sid, carrier: Carrier, method: &Method) -> Result<Response<Body>, Fault> {
        match (carrier, method) {
            (Carrier::Polling, &Method::GET) if self.registry.take_farewell(sid) => Ok(polling::farewell(Frame::NOOP)),
            _ if !self.registry.was_told(sid) => Err(Fault::UnknownSession),
            (Carrier::Polling, &Method::GET) => Ok(polling::farewell(Frame::CLOSE)),
            (Carrier::Polling, &Method::POST) => Ok(polling::taken()),
            _ => Err(Fault::Unavailable),
        }
    }

    /// Reads the query string; the first thing that is wrong with it is the fault.
    fn target(&self, parts: &Parts) -> Result<Target, Fault> {
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let (transport, version) = (query.parameter("transport"), query.parameter("EIO"));
        let session = query.parameter("sid");
        if [transport, version, session] == [Parameter::Missing; 3] && self.is_bare(parts) {
            return Ok(Target { carrier: Carrier::WebSocket, session: None, query });
        }
        let carrier = match transport {
            Parameter::Once("polling") => Carrier::Polling,
            Parameter::Once("websocket") => Carrier::WebSocket,
            _ => return Err(Fault::UnknownTransport),
        };
        if version != Parameter::Once("4") {
            return Err(Fault::UnsupportedVersion);
        }
        let session = match session {
            Parameter::Missing => None,
            Parameter::Once(text) => Some(Sid::parse(text).ok_or(Fault::UnknownSession)?),
            Parameter::Repeated => return Err(Fault::UnknownSession),
        };
        Ok(Target { carrier, session, query })
    }

    fn is_bare(&self, parts: &Parts) -> bool {
        let path = parts.uri.path().trim_end_matches('/');
        let mut bare = self.settings.bare_websocket_paths.iter();
        bare.any(|bare| bare.trim_end_matches('/') == path) && websocket::is_upgrade(&parts.headers)
    }

    fn open(&self, target: Target, parts: &Parts, peer: Peer, upgrade: OnUpgrade) -> Result<Response<Body>, Fault> {
        if parts.method != Method::GET {
            return Err(Fault::BadHandshakeMethod);
        }
        let accepted = match target.carrier {
            Carrier::Polling => None,
            Carrier::WebSocket => Some(switching(parts)?),
        };
        let place = self.sockets.try_reserve().map_err(|_| Fault::Unavailable)?;
        let per_address = self.settings.sessions_max_per_address;
        let entered = self.registry.enter(peer.address, per_address, |sid| {
            let opening = self.opening(sid, target.carrier);
            let session = Session::open(self.limits(), target.carrier, opening, Instant::now().into_std());
            Arc::new(Link::new(sid, peer.address, Arc::clone(&self.registry), session))
        });
        let link = entered.map_err(|full| match full {
            Full::Address => Fault::TooMany,
            Full::Closing => Fault::Unavailable,
        })?;
        let first = match target.carrier {
            Carrier::Polling => link.with(Session::poll).unwrap_or_default(),
            Carrier::WebSocket => Vec::new(),
        };
        let request = OpeningRequest::new(parts, target.query, peer);
        place.send(Socket::new(link, request, accepted.is_some().then_some(upgrade), self.manners()));
        Ok(accepted.unwrap_or_else(|| answer::text(payload::encode(&first))))
    }

    /// Lets a WebSocket try to take over. One too many is accepted and closed, as the protocol's own server does.
    fn upgrade(&self, link: Arc<Link>, parts: &Parts, upgrade: OnUpgrade) -> Result<Response<Body>, Fault> {
        let response = switching(parts)?;
        let (max_payload, within) = (self.settings.max_payload, self.settings.upgrade_timeout);
        let free = link.with(Session::begin_probe);
        self.farewells.spawn(async move {
            let probe = Probe { link, free };
            let probing = tokio::time::timeout(within, probe.run(upgrade, max_payload));
            if let Ok(Some(refused)) = probing.await {
                refused.finish(Some(POLICY)).await;
            }
        });
        Ok(response)
    }

    /// The `open` packet.
    fn opening(&self, sid: Sid, carrier: Carrier) -> Frame {
        let upgrades = match carrier {
            Carrier::Polling => r#"["websocket"]"#,
            Carrier::WebSocket => "[]",
        };
        let Settings { ping_interval, ping_timeout, max_payload, .. } = &self.settings;
        let text = format!(
            r#"0{{"sid":"{}","upgrades":{upgrades},"pingInterval":{},"pingTimeout":{},"maxPayload":{max_payload}}}"#,
            sid.text(),
            ping_interval.as_millis(),
            ping_timeout.as_millis(),
        );
        Frame::Text(Bytes::from(text))
    }

    fn limits(&self) -> Limits {
        Limits {
            ping_interval: self.settings.ping_interval,
            ping_timeout: self.settings.ping_timeout,
            close_timeout: self.settings.close_timeout,
            queue_bytes_max: self.settings.queue_bytes_max,
        }
    }

    fn manners(&self) -> Manners {
        Manners {
            max_payload: self.settings.max_payload,
            body_timeout: self.settings.body_timeout,
            farewells: self.farewells.clone(),
        }
    }
}

const POLICY: u16 = 1008;

/// The answer that turns a connection into a WebSocket.
fn switching(parts: &Parts) -> Result<Response<Body>, Fault> {
    let accepted = websocket::accept(&parts.headers).ok_or(Fault::BadRequest)?;
    let mut response = answer::empty(StatusCode::SWITCHING_PROTOCOLS);
    response.headers_mut().extend(accepted);
    Ok(response)
}

/// A WebSocket that wants to take over a session from polling.
struct Probe {
    link: Arc<Link>,
    /// Whether it is the only one.
    free: bool,
}

impl Probe {
    /// `2probe`, `3probe`, `5`, and the session's owner has the WebSocket. One that may not take over comes back.
    async fn run(mut self, upgrade: OnUpgrade, max_payload: usize) -> Option<Upgrade> {
        let upgraded = upgrade.await.ok()?;
        let mut websocket: Upgrade = Box::new(WebSocket::new(TokioIo::new(upgraded), max_payload));
        if !self.free || !matches!(packet(&mut websocket).await?, Packet::Ping(text) if text.as_str() == "probe") {
            return Some(websocket);
        }
        self.link.with(Session::probed);
        websocket.push(Frame::PROBED);
        std::future::poll_fn(|cx| websocket.poll_write(cx)).await.ok()?;
        if packet(&mut websocket).await? != Packet::Upgrade {
            return Some(websocket);
        }
        let refused = self.link.hand_over(websocket).err();
        self.free = refused.is_some();
        refused
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        if self.free {
            self.link.with(Session::abandon_probe);
        }
    }
}

/// The next packet; `None` if there is none, or a malformed one, which the probe does not survive.
async fn packet(websocket: &mut Upgrade) -> Option<Packet> {
    std::future::poll_fn(|cx| websocket.poll_packet(cx)).await.ok()?.ok()
}
