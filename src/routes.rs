//! What surrounds each answer: who asked, by which name, from which page; and what each answer carries. Which address leads
//! where stands in `routes/table.rs`.
//!
//! A panic ends its own request and nothing else. Queries and paths are never logged, for they can hold secrets: a
//! request is named by its route.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use futures_util::FutureExt as _;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};

use crate::api::call::{Api, Call};
use crate::api::reply;
use crate::assets;
use crate::chat::contract::error::{Error, Reason};
use crate::engineio::origin::Origins;
use crate::engineio::request::Peer;
use crate::engineio::server::Server;
use crate::http::header_text::text_of;
use crate::http::line::Arriving;
use crate::http::peer::{self, Network, Way};
use crate::http::request::{self, HeadFault, Request};
use crate::http::response::{self, Body};
use crate::model::locale::Locale;
use crate::routes::complaints::Complaints;
use crate::routes::origins::{permit, permit_requests};
use crate::routes::table::{Route, To, find, methods_of};

pub mod complaints;
mod origins;
mod table;

/// For a year. Hosts under this one may be somebody else's.
const STAY_WITH_TLS: &str = "max-age=31536000";

/// What is needed to answer any request.
pub struct Routes {
    /// What all calls of the API share.
    pub api: Arc<Api>,
    /// The protocol's endpoint.
    pub sockets: Server,
    /// Which pages of other origins may use the server.
    pub origins: Origins,
    /// Whether the listener itself speaks TLS. Browsers are asked to stay with it then.
    pub tls: bool,
    /// Whether `/metrics` asks everybody for the token: behind a proxy nobody can be distinguished from this machine.
    pub metrics_token_always: bool,
    /// What was found to be set up wrong.
    pub complaints: Complaints,
    /// Whose word on the caller's address is taken.
    pub trusted_proxies: Vec<Network>,
    /// While only this machine can connect: the names that a request may use for it, beside its own. `None` otherwise.
    pub host_names: Option<Vec<String>>,
}

impl Routes {
    /// Answers one request, whatever it is and whatever goes wrong.
    pub async fn answer(&self, mut request: hyper::Request<Arriving>, connected: SocketAddr) -> Response<Body> {
        let started = Instant::now();
        let is_proxy = self.is_proxy(connected);
        let fault = request::fault_of(&request);
        self.complaints.of_way(Way::of(request.headers(), is_proxy), connected.ip());
        if is_proxy {
            as_asked(request.headers_mut());
        }
        let locale = Locale::accepted(text_of(request.headers(), header::ACCEPT_LANGUAGE).unwrap_or_default());
        let peer = self.peer(request.headers(), connected);
        let (method, host) = (request.method().clone(), request.headers().get(header::HOST).cloned());
        let segments = request::segments(request.uri().path());
        let path: Option<Vec<&str>> = segments.as_ref().map(|path| path.iter().map(String::as_str).collect());
        let path = path.as_deref().map(|path| path.strip_suffix(&[""]).unwrap_or(path));
        let route = path.and_then(|path| find(&method, path));
        let name = route.as_ref().map_or("none", |route| route.name);
        let answer = async {
            if let Some(refusal) = self.refusal_of_head(fault, request.headers(), is_proxy, locale) {
                return refusal;
            }
            match route {
                // Apart from the connection, whose future would otherwise be as large as the largest answer in the making.
                Some(route) => Box::pin(self.follow(route, request, peer, connected, locale)).await,
                None => self.lost(&request, path, peer, locale),
            }
        };
        let mut response = whatever_happens(answer, locale).await;
        response::secure(response.headers_mut());
        if let Ok(history) = HeaderValue::from_str(self.api.chat.history()) {
            response.headers_mut().insert(HeaderName::from_static("x-history"), history);
        }
        if self.tls && !host.as_ref().and_then(|host| host.to_str().ok()).is_none_or(peer::is_local_authority) {
            let stay = HeaderValue::from_static(STAY_WITH_TLS);
            response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, stay);
        }
        if self.api.chat.demo_accounts().load(Ordering::Relaxed) {
            let active = HeaderValue::from_static("active");
            response.headers_mut().insert(HeaderName::from_static("x-demo-accounts"), active);
        }
        let (status, took_us) = (response.status().as_u16(), started.elapsed().as_micros() as u64);
        self.api.counters.answered(status);
        tracing::debug!(%method, route = name, status, took_us, peer = %peer.address, "request");
        response
    }

    /// The refusal of a request that could be read in two ways, or is meant for another server.
    fn refusal_of_head(
        &self,
        fault: Option<HeadFault>,
        headers: &HeaderMap,
        is_proxy: bool,
        locale: Locale,
    ) -> Option<Response<Body>> {
        if let Some(fault) = fault {
            let mut response = self.refuse(&reply::bad_head(fault), locale);
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            return Some(response);
        }
        let names = self.host_names.as_ref().filter(|_| !is_proxy)?;
        if peer::names_this_machine(headers, names) {
            return None;
        }
        let host = text_of(headers, header::HOST).unwrap_or_default();
        self.complaints.of_host(host);
        Some(self.refuse(&reply::misdirected(host), locale))
    }

    /// A refusal, counted.
    fn refuse(&self, error: &Error, locale: Locale) -> Response<Body> {
        self.api.counters.refused(error.reason);
        reply::refusal(error, locale)
    }

    fn not_found(&self, locale: Locale) -> Response<Body> {
        self.refuse(&Reason::NotFound.into(), locale)
    }

    async fn follow(
        &self,
        route: Route,
        request: hyper::Request<Arriving>,
        peer: Peer,
        connected: SocketAddr,
        locale: Locale,
    ) -> Response<Body> {
        let headers = request.headers();
        let method = request.method();
        match route.to {
            To::Sockets => {
                let asked = complaints::Asked::by(headers);
                let response = Box::pin(self.sockets.respond(request, peer)).await;
                self.complaints.of_socket(&asked, response.status(), peer.secure, connected.ip());
                response
            }
            To::Page => {
                let mut page = assets::page(method, headers);
                if let Some(calls) = &self.api.settings.calls {
                    response::permit_calls(page.headers_mut(), calls.frame.as_deref());
                }
                page
            }
            To::File(path) => assets::file(method, headers, &path).unwrap_or_else(|| self.not_found(locale)),
            To::BrowserClient(name) => {
                assets::browser_client(method, headers, &name).unwrap_or_else(|| self.not_found(locale))
            }
            To::Api(handler) => {
                let verdict = self.origins.judge(headers, peer.secure);
                let way = Way::of(headers, self.is_proxy(connected));
                let is_direct = self.is_direct(way, connected);
                let request = Request::new(request, peer.address, is_direct, way);
                let call = Call { api: self.api.clone(), request, locale };
                let mut response = handler(call).await.unwrap_or_else(|error| self.refuse(&error, locale));
                permit(response.headers_mut(), &verdict);
                response
            }
        }
    }

    /// No such address, or not by this method; or a page asks what it may send there.
    fn lost(
        &self,
        request: &hyper::Request<Arriving>,
        path: Option<&[&str]>,
        peer: Peer,
        locale: Locale,
    ) -> Response<Body> {
        let (method, headers) = (request.method(), request.headers());
        let allowed = path.map(methods_of).unwrap_or_default();
        if allowed.is_empty() {
            let by_a_person = text_of(headers, header::ACCEPT).is_some_and(|types| types.contains("text/html"));
            let a_page = matches!(*method, Method::GET | Method::HEAD) && by_a_person;
            return if a_page { assets::page_not_found(method, headers) } else { self.not_found(locale) };
        }
        let mut response = if *method == Method::OPTIONS {
            let mut response = response::empty(StatusCode::NO_CONTENT);
            permit_requests(response.headers_mut(), &self.origins.judge(headers, peer.secure), &allowed);
            response
        } else {
            self.refuse(&Reason::MethodNotAllowed.into(), locale)
        };
        let allowed = HeaderValue::from_str(&allowed.join(", ")).expect("names of methods");
        response.headers_mut().insert(header::ALLOW, allowed);
        response
    }

    /// Who sent a request: behind trusted proxies, whom they name.
    fn peer(&self, headers: &HeaderMap, connected: SocketAddr) -> Peer {
        let address = peer::caller(connected.ip(), headers, &self.trusted_proxies);
        let secure = self.tls || self.is_proxy(connected) && peer::says_secure(headers);
        Peer { address, secure }
    }

    fn is_proxy(&self, connected: SocketAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(connected.ip()))
    }

    /// Whether the caller sits at this machine: not a proxy that speaks for somebody elsewhere, known to us or not.
    fn is_direct(&self, way: Way, connected: SocketAddr) -> bool {
        let is_here = connected.ip().to_canonical().is_loopback() && !self.metrics_token_always;
        is_here && way == Way::Direct
    }
}

/// Puts what a trusted proxy was asked for in the place of what it asks for itself.
fn as_asked(headers: &mut HeaderMap) {
    if let Some(host) = peer::forwarded_host(headers).and_then(|host| HeaderValue::try_from(host).ok()) {
        headers.insert(header::HOST, host);
    }
}

/// The answer; that of a request which panicked is a 500, and nobody else notices.
async fn whatever_happens(answer: impl Future<Output = Response<Body>>, locale: Locale) -> Response<Body> {
    let answered = AssertUnwindSafe(answer).catch_unwind().await;
    answered.unwrap_or_else(|_| reply::refusal(&Error::internal("the request panicked"), locale))
}

#[cfg(test)]
mod tests {
    use super::whatever_happens;
    use crate::model::locale::Locale;

    #[tokio::test]
    async fn a_request_that_panics_is_answered_with_a_500() {
        let answer = whatever_happens(async { panic!("on purpose") }, Locale::French).await;
        assert_eq!(answer.status(), 500);
    }
}
