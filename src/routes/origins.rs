//! What browsers let pages of other origins read and send.

use hyper::header::{self, HeaderMap, HeaderValue};

use crate::engineio::origin::Verdict;

/// What pages of other origins may read of an answer, beside the usual.
const EXPOSED_HEADERS: &str = "Link, Retry-After, ETag, Content-Range, Content-Disposition, Upload-Offset, \
    Upload-Length, X-Demo-Accounts, X-History, X-Password-Reset";
/// What pages of other origins may send.
const SENT_HEADERS: &str = "Authorization, Content-Type, Accept-Language, Range, If-Range, If-None-Match";
/// How long a browser may remember that.
const PREFLIGHT_AGE_S: &str = "600";

/// Tells a page of another origin that it may read the answer, if it may.
pub(super) fn permit(headers: &mut HeaderMap, verdict: &Verdict) {
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Verdict::Page(origin) = verdict {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
    }
}

/// Tells a page of another origin what it may send.
pub(super) fn permit_requests(headers: &mut HeaderMap, verdict: &Verdict, methods: &[&str]) {
    permit(headers, verdict);
    if let Verdict::Page(_) = verdict {
        let methods = HeaderValue::from_str(&methods.join(", ")).expect("names of methods");
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(SENT_HEADERS));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_AGE_S));
    }
}
