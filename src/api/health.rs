//! `/healthz`, `/readyz`: whether the process lives, and whether it can do its work.

use hyper::{Response, StatusCode};

use crate::api::call::Call;
use crate::api::reply::Answer;
use crate::chat::execute::Health;
use crate::http::response::{self, Body};

/// `GET /healthz`
pub async fn alive(_call: Call) -> Answer {
    Ok(text(StatusCode::OK, "ok\n"))
}

/// `GET /readyz`: 503 with the reason when nothing can be promised; what the system said stays in the log.
pub async fn ready(call: Call) -> Answer {
    Ok(match call.chat().health() {
        Health::Open => text(StatusCode::OK, "ok\n"),
        Health::Full => text(StatusCode::SERVICE_UNAVAILABLE, "the disk is full: nothing new can be stored\n"),
        Health::Closed => text(StatusCode::SERVICE_UNAVAILABLE, "shutting down\n"),
        Health::Failed(_) => text(StatusCode::SERVICE_UNAVAILABLE, "storage has failed\n"),
    })
}

fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = response::full(status, "text/plain; charset=utf-8", text);
    let fresh = hyper::header::HeaderValue::from_static("no-store");
    response.headers_mut().insert(hyper::header::CACHE_CONTROL, fresh);
    response
}
