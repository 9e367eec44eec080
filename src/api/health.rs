//! `/healthz`, `/readyz`: whether the process lives, and whether it can do its work.

use hyper::header::{HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use crate::api::call::Call;
use crate::api::reply::Answer;
use crate::chat::handle::completion::{Failure, Health};
use crate::http::response::{self, Body};

/// `GET /healthz`. Where a forgotten password is mailed, `X-Password-Reset: mail` says so to whoever is not signed in.
pub async fn alive(call: Call) -> Answer {
    let mut response = text(StatusCode::OK, "ok\n");
    if call.chat().settings().notices.available.email {
        response.headers_mut().insert(HeaderName::from_static("x-password-reset"), HeaderValue::from_static("mail"));
    }
    Ok(response)
}

/// `GET /readyz`: 503 with the reason when nothing can be promised; what the system said stays in the log. Who sets up a proxy
/// reads in `X-Seen-From` where the caller seems to come from, and how (`192.0.2.7; direct`, `…; trusted-proxy`,
/// `…; silent-proxy` or `…; untrusted-proxy`), and in `X-Public-Url` where links lead, if that was said.
pub async fn ready(call: Call) -> Answer {
    let mut response = match call.chat().health() {
        Health::Open => text(StatusCode::OK, "ok\n"),
        Health::Full => text(StatusCode::SERVICE_UNAVAILABLE, "the disk is full: nothing new can be stored\n"),
        Health::Closed => text(StatusCode::SERVICE_UNAVAILABLE, "shutting down\n"),
        Health::Failed(Failure::Storage(_)) => text(StatusCode::SERVICE_UNAVAILABLE, "storage has failed\n"),
        Health::Failed(Failure::Ended(_)) => text(StatusCode::SERVICE_UNAVAILABLE, "a part of the server has ended\n"),
    };
    let seen = format!("{}; {}", call.request.peer, call.request.way.name());
    let url = call.api.settings.has_public_url.then(|| call.api.settings.public_url.clone());
    for (name, value) in [("x-seen-from", Some(seen)), ("x-public-url", url)] {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    Ok(response)
}

fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = response::full(status, "text/plain; charset=utf-8", text);
    let fresh = hyper::header::HeaderValue::from_static("no-store");
    response.headers_mut().insert(hyper::header::CACHE_CONTROL, fresh);
    response
}
