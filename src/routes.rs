//! Every address that the server answers: one match over method and path, and what surrounds each answer.
//!
//! A panic ends its own request and nothing else. Queries and paths are never logged, for they can hold secrets: a
//! request is named by its route.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};

use crate::api::call::{Api, Call};
use crate::api::reply::{self, Answer};
use crate::api::{
    admin, attachments, auth, conversations, health, invitations, messages, metrics, openapi, sessions, users,
};
use crate::assets;
use crate::chat::error::{Error, Reason};
use crate::engineio::origin::{Origins, Verdict};
use crate::engineio::request::Peer;
use crate::engineio::server::Server;
use crate::http::peer::{self, Network};
use crate::http::request::{self, Request};
use crate::http::response::{self, Body};
use crate::model::locale::Locale;

/// The methods that any address is answered for.
const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// What pages of other origins may read of an answer, beside the usual.
const EXPOSED_HEADERS: &str = "Link, Retry-After, ETag, Content-Range, Content-Disposition, X-Demo-Accounts";
/// What pages of other origins may send.
const SENT_HEADERS: &str = "Authorization, Content-Type, Accept-Language, Range, If-Range, If-None-Match";
/// How long a browser may remember that.
const PREFLIGHT_AGE_S: &str = "600";

/// Where a request goes.
struct Route {
    name: &'static str,
    to: To,
}

type Handler = Box<dyn FnOnce(Call) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send>;

enum To {
    /// The API.
    Api(Handler),
    /// The protocol's endpoint.
    Sockets,
    /// The page.
    Page,
    /// A file of the page.
    File(String),
    /// A file of the official browser client.
    BrowserClient(String),
}

/// `to!(noun::verb, argument…)`: a route named after its handler. Arguments are made at once, the answer on call.
macro_rules! to {
    ($noun:ident :: $verb:ident) => {
        to!(@ $noun::$verb, |call| $noun::$verb(call))
    };
    ($noun:ident :: $verb:ident, $first:expr) => {{
        let first = $first;
        to!(@ $noun::$verb, move |call| $noun::$verb(call, first))
    }};
    ($noun:ident :: $verb:ident, $first:expr, $second:expr) => {{
        let (first, second) = ($first, $second);
        to!(@ $noun::$verb, move |call| $noun::$verb(call, first, second))
    }};
    (@ $noun:ident :: $verb:ident, $start:expr) => {
        Route {
            name: concat!(stringify!($noun), "::", stringify!($verb)),
            to: To::Api(Box::new(move |call| Box::pin($start(call)))),
        }
    };
}

/// Every address that the server answers. A segment that should be an id and is none leads nowhere.
fn find(method: &Method, path: &[&str]) -> Option<Route> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    Some(match (method.as_str(), path) {
        ("POST", ["auth", "sign-in"]) => to!(auth::sign_in),
        ("POST", ["auth", "sign-up"]) => to!(auth::sign_up),
        ("POST", ["auth", "refresh-token"]) => to!(auth::refresh),
        ("POST", ["auth", "sign-out"]) => to!(auth::sign_out),
        ("GET", ["auth", "sessions"]) => to!(sessions::list),
        ("DELETE", ["auth", "sessions", id]) => to!(sessions::end, id.parse().ok()?),

        ("POST", ["auth", "setup"]) => to!(invitations::set_up),
        ("POST", ["auth", "accept-invitation"]) => to!(invitations::accept),
        ("POST", ["invitations"]) => to!(invitations::create),
        ("GET", ["invitations"]) => to!(invitations::list),
        ("DELETE", ["invitations", id]) => to!(invitations::revoke, id.parse().ok()?),
        ("GET", ["invitations", token]) => to!(invitations::load, (*token).to_owned()),

        ("GET", ["admin", "users"]) => to!(admin::list_users),
        ("PATCH", ["admin", "users", id]) => to!(admin::update_user, id.parse().ok()?),
        ("DELETE", ["admin", "users", id, "sessions"]) => to!(admin::end_sessions, id.parse().ok()?),
        ("GET", ["admin", "status"]) => to!(admin::status),

        ("GET", ["users"]) => to!(users::list),
        ("GET", ["users", "me"]) => to!(users::me),
        ("PATCH", ["users", "me"]) => to!(users::update_me),
        ("POST", ["users", "me", "password"]) => to!(users::change_password),

        ("POST", ["conversations"]) => to!(conversations::create),
        ("GET", ["conversations"]) => to!(conversations::list),
        ("GET", ["conversations", id]) => to!(conversations::load, id.parse().ok()?),
        ("PATCH", ["conversations", id, "mark-as-read"]) => to!(conversations::mark_as_read, id.parse().ok()?),

        ("GET", ["messages"]) => to!(messages::list),
        ("POST", ["messages"]) => to!(messages::send),
        ("GET", ["messages", "search"]) => to!(messages::search),
        ("GET", ["messages", id]) => to!(messages::load, id.parse().ok()?),
        ("PATCH", ["messages", id]) => to!(messages::edit, id.parse().ok()?),
        ("DELETE", ["messages", id]) => to!(messages::delete, id.parse().ok()?),
        ("GET", ["messages", id, "revisions"]) => to!(messages::list_revisions, id.parse().ok()?),
        ("PATCH", ["messages", id, "mark-as-read"]) => to!(messages::mark_as_read, id.parse().ok()?),
        ("PUT", ["messages", id, "reactions", emoji]) => {
            to!(messages::add_reaction, id.parse().ok()?, (*emoji).to_owned())
        }
        ("DELETE", ["messages", id, "reactions", emoji]) => {
            to!(messages::remove_reaction, id.parse().ok()?, (*emoji).to_owned())
        }

        ("POST", ["attachments"]) => to!(attachments::upload),
        ("GET", ["attachments", id, name]) => to!(attachments::download, id.parse().ok()?, (*name).to_owned()),
        ("POST", ["attachments", id, "link"]) => to!(attachments::link, id.parse().ok()?),

        ("GET", ["healthz"]) => to!(health::alive),
        ("GET", ["readyz"]) => to!(health::ready),
        ("GET", ["metrics"]) => to!(metrics::show),
        ("GET", ["openapi.json"]) => to!(openapi::show),
        ("GET", ["api"]) => to!(openapi::page),

        (_, ["socket.io"] | ["chat"]) => Route { name: "sockets", to: To::Sockets },
        ("GET", ["socket.io", file]) if assets::is_of_browser_client(file) => {
            Route { name: "browser_client", to: To::BrowserClient((*file).to_owned()) }
        }
        ("GET", [] | ["index.html" | "test-websocket.html"])
        | ("GET", ["recherche" | "moi" | "admin" | "inscription" | "connexion"])
        | ("GET", ["invitation" | "installation", _] | ["c", _] | ["c", _, "m", _]) => {
            Route { name: "page", to: To::Page }
        }
        ("GET", file) if assets::exists(&file.join("/")) => Route { name: "file", to: To::File(file.join("/")) },
        _ => return None,
    })
}

/// What is needed to answer any request.
pub struct Routes {
    /// What all calls of the API share.
    pub api: Arc<Api>,
    /// The protocol's endpoint.
    pub sockets: Server,
    /// Which pages of other origins may use the server.
    pub origins: Origins,
    /// Whether the listener itself speaks TLS.
    pub tls: bool,
    /// Whose word on the caller's address is taken.
    pub trusted_proxies: Vec<Network>,
    /// While only this machine can connect: the names that a request may use for it, beside its own. `None` otherwise.
    pub host_names: Option<Vec<String>>,
}

impl Routes {
    /// Answers one request, whatever it is and whatever goes wrong.
    pub async fn answer(&self, request: hyper::Request<Incoming>, connected: SocketAddr) -> Response<Body> {
        let started = Instant::now();
        let locale = Locale::accepted(request::text_of(request.headers(), header::ACCEPT_LANGUAGE).unwrap_or_default());
        let peer = self.peer(request.headers(), connected);
        let method = request.method().clone();
        let segments = request::segments(request.uri().path());
        let path: Vec<&str> = segments.iter().flatten().map(String::as_str).collect();
        let path = path.strip_suffix(&[""]).unwrap_or(&path);
        let route = if segments.is_some() { find(&method, path) } else { None };
        let name = route.as_ref().map_or("none", |route| route.name);
        let answer = async {
            if !self.is_for_us(request.headers(), connected) {
                return reply::refusal_with_status(&Reason::NotFound.into(), locale, StatusCode::MISDIRECTED_REQUEST);
            }
            match route {
                // Apart from the connection, whose future would otherwise be as large as the largest answer in the making.
                Some(route) => Box::pin(self.follow(route, request, peer, connected, locale)).await,
                None => self.lost(&request, path, peer, locale),
            }
        };
        let mut response = whatever_happens(answer, locale).await;
        response::secure(response.headers_mut());
        if self.api.chat.demo_accounts().load(Ordering::Relaxed) {
            let active = HeaderValue::from_static("active");
            response.headers_mut().insert(HeaderName::from_static("x-demo-accounts"), active);
        }
        let (status, took_us) = (response.status().as_u16(), started.elapsed().as_micros() as u64);
        self.api.counters.answered(status);
        tracing::debug!(%method, route = name, status, took_us, peer = %peer.address, "request");
        response
    }

    async fn follow(
        &self,
        route: Route,
        request: hyper::Request<Incoming>,
        peer: Peer,
        connected: SocketAddr,
        locale: Locale,
    ) -> Response<Body> {
        let headers = request.headers();
        let method = request.method();
        match route.to {
            To::Sockets => Box::pin(self.sockets.respond(request, peer)).await,
            To::Page => assets::page(method, headers),
            To::File(path) => assets::file(method, headers, &path).unwrap_or_else(|| not_found(locale)),
            To::BrowserClient(name) => {
                assets::browser_client(method, headers, &name).unwrap_or_else(|| not_found(locale))
            }
            To::Api(handler) => {
                let verdict = self.origins.judge(headers, peer.secure);
                let request = Request::new(request, peer.address, self.is_direct(connected));
                let call = Call { api: self.api.clone(), request, locale };
                let counters = &self.api.counters;
                let mut response = handler(call).await.unwrap_or_else(|error| {
                    counters.refused.count(error.code());
                    reply::refusal(&error, locale)
                });
                permit(response.headers_mut(), &verdict);
                response
            }
        }
    }

    /// No such address, or not by this method; or a page asks what it may send there.
    fn lost(&self, request: &hyper::Request<Incoming>, path: &[&str], peer: Peer, locale: Locale) -> Response<Body> {
        let (method, headers) = (request.method(), request.headers());
        let allowed: Vec<&str> = METHODS.iter().filter(|m| find(m, path).is_some()).map(Method::as_str).collect();
        if allowed.is_empty() {
            let by_a_person =
                request::text_of(headers, header::ACCEPT).is_some_and(|types| types.contains("text/html"));
            let a_page = matches!(*method, Method::GET | Method::HEAD) && by_a_person;
            return if a_page { assets::page_not_found(method, headers) } else { not_found(locale) };
        }
        let mut response = if *method == Method::OPTIONS {
            let mut response = response::empty(StatusCode::NO_CONTENT);
            permit_requests(response.headers_mut(), &self.origins.judge(headers, peer.secure), &allowed);
            response
        } else {
            reply::refusal_with_status(&Reason::NotFound.into(), locale, StatusCode::METHOD_NOT_ALLOWED)
        };
        let allowed = HeaderValue::from_str(&allowed.join(", ")).expect("names of methods");
        response.headers_mut().insert(header::ALLOW, allowed);
        response
    }

    /// Who sent a request: behind trusted proxies, whom they name.
    fn peer(&self, headers: &HeaderMap, connected: SocketAddr) -> Peer {
        let address = peer::caller(connected.ip(), headers, &self.trusted_proxies);
        let forwarded = HeaderName::from_static("x-forwarded-proto");
        let secure = self.tls || self.is_proxy(connected) && request::text_of(headers, forwarded) == Some("https");
        Peer { address, secure }
    }

    fn is_proxy(&self, connected: SocketAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(connected.ip()))
    }

    /// Whether the caller sits at this machine: not a proxy that speaks for somebody elsewhere.
    fn is_direct(&self, connected: SocketAddr) -> bool {
        connected.ip().to_canonical().is_loopback() && !self.is_proxy(connected)
    }

    fn is_for_us(&self, headers: &HeaderMap, connected: SocketAddr) -> bool {
        match &self.host_names {
            Some(names) if !self.is_proxy(connected) => peer::names_this_machine(headers, names),
            _ => true,
        }
    }
}

/// The answer; that of a request which panicked is a 500, and nobody else notices.
async fn whatever_happens(answer: impl Future<Output = Response<Body>>, locale: Locale) -> Response<Body> {
    let answered = AssertUnwindSafe(answer).catch_unwind().await;
    answered.unwrap_or_else(|_| reply::refusal(&Error::internal("the request panicked"), locale))
}

fn not_found(locale: Locale) -> Response<Body> {
    reply::refusal(&Reason::NotFound.into(), locale)
}

/// Tells a page of another origin that it may read the answer, if it may.
fn permit(headers: &mut HeaderMap, verdict: &Verdict) {
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Verdict::Page(origin) = verdict {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
    }
}

/// Tells a page of another origin what it may send.
fn permit_requests(headers: &mut HeaderMap, verdict: &Verdict, methods: &[&str]) {
    permit(headers, verdict);
    if let Verdict::Page(_) = verdict {
        let methods = HeaderValue::from_str(&methods.join(", ")).expect("names of methods");
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(SENT_HEADERS));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_AGE_S));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use hyper::Method;
    use serde_json::Value;

    use super::{To, find, whatever_happens};
    use crate::api::openapi::DOCUMENT;
    use crate::http::request::segments;
    use crate::model::locale::Locale;

    fn name_of(method: &Method, path: &str) -> Option<&'static str> {
        let segments = segments(path).unwrap();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        find(method, &path).map(|route| route.name)
    }

    /// The names of all routes of the API, read from the match itself.
    fn names() -> BTreeSet<String> {
        let arms = include_str!("routes.rs").split("to!(").skip(1);
        let named = arms.map(|arm| arm.split([')', ',']).next().unwrap_or_default());
        named
            .filter(|name| name.contains("::") && !name.contains(['@', '$']) && *name != "noun::verb")
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_document_and_the_router_know_the_same_routes() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let mut described = BTreeSet::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            let example = path
                .replace("{id}", "7")
                .replace("{invitation}", "7")
                .replace("{emoji}", "%F0%9F%91%8D")
                .replace("{name}", "a.pdf");
            for (method, operation) in operations.as_object().unwrap() {
                let method: Method = method.to_uppercase().parse().unwrap();
                let name = operation["operationId"].as_str().unwrap().replace('.', "::");
                assert_eq!(name_of(&method, &example), Some(name.as_str()), "{method} {path}");
                assert!(described.insert(name), "{path}: one operation, one name");
            }
        }
        assert_eq!(described, names());
    }

    #[tokio::test]
    async fn a_request_that_panics_is_answered_with_a_500() {
        let answer = whatever_happens(async { panic!("on purpose") }, Locale::French).await;
        assert_eq!(answer.status(), 500);
    }

    #[test]
    fn what_should_be_an_id_and_is_none_leads_nowhere() {
        for path in [
            "/messages/x",
            "/messages/0",
            "/messages/-1",
            "/messages/1.0",
            "/messages/9007199254740992",
            "/messages/+1",
        ] {
            assert_eq!(name_of(&Method::GET, path), None, "{path}");
        }
        assert_eq!(name_of(&Method::HEAD, "/messages/1"), Some("messages::load"));
    }

    #[test]
    fn every_address_of_the_client_opens_the_page() {
        for path in [
            "/",
            "/test-websocket.html",
            "/c/3",
            "/c/3/m/14",
            "/recherche",
            "/moi",
            "/admin",
            "/inscription",
            "/connexion",
            "/invitation/abc",
            "/installation/abc",
        ] {
            let segments = segments(path).unwrap();
            let path: Vec<&str> = segments.iter().map(String::as_str).collect();
            assert!(matches!(find(&Method::GET, &path).unwrap().to, To::Page), "{path:?}");
        }
    }
}
