//! From what the chat answers to what HTTP says: bodies as the contract spells them, errors in one place.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;
use serde_json::Value;

use crate::chat::contract::error::{Code, Detail, Error, Reason};
use crate::http::gzip;
use crate::http::request::{BodyError, HeadFault};
use crate::http::response::{self, Body};
use crate::model::fields::Fault;
use crate::model::locale::{Locale, Text};

/// What a route answers.
pub type Answer = Result<Response<Body>, Error>;

/// Characters of a host name that are shown to whoever sent it.
const HOST_SHOWN_MAX: usize = 120;

/// How hard answers are packed: they are made for one reader, once.
const GZIP_LEVEL: u32 = 1;

/// The contract's error body.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Refusal<'a> {
    status_code: u16,
    error: &'a str,
    code: &'a str,
    message: Cow<'static, str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Detail<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    /// What would be right, under the name of its field.
    #[serde(flatten)]
    right: BTreeMap<&'a str, &'a Value>,
}

/// A JSON answer, packed if its reader wants that and it is worth it.
pub fn json(headers: &HeaderMap, status: StatusCode, value: &impl Serialize) -> Answer {
    let bytes = serde_json::to_vec(value).map_err(Error::internal)?;
    let packs = bytes.len() >= gzip::BYTES_MIN && gzip::is_accepted(headers);
    let bytes = if packs { gzip::compress(&bytes, GZIP_LEVEL) } else { bytes };
    let mut response = response::full(status, "application/json; charset=utf-8", bytes);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if packs {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

/// Done, and nothing to say.
pub fn done() -> Answer {
    Ok(response::empty(StatusCode::NO_CONTENT))
}

/// Taken, and nothing to say yet.
pub fn accepted() -> Answer {
    Ok(response::empty(StatusCode::ACCEPTED))
}

/// A refusal in the reader's language. What is our fault is logged here, and nowhere else.
pub fn refusal(error: &Error, locale: Locale) -> Response<Body> {
    if error.code() == Code::Internal {
        let reference = error.reference.as_deref().unwrap_or_default();
        tracing::error!(reference, cause = error.cause.as_deref(), "a request failed");
    }
    let (status, retry_after) = (status_of(error.code()), error.retry_after_s());
    let mut response = response::json(status, &shown(error, locale, status));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(locale.tag()));
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// The refusal of a request whose head the HTTP library cannot read, under the status that says why.
pub fn unreadable_head(status: StatusCode) -> Response<Bytes> {
    let (reason, said) = match status {
        StatusCode::BAD_REQUEST => (Reason::Invalid, Text::new("n’est pas du HTTP", "is not HTTP")),
        _ => (Reason::TooLarge, Text::new("est trop long", "is too long")),
    };
    let error = Error { details: vec![Fault::new("head", said)], ..reason.into() };
    let body = serde_json::to_vec(&shown(&error, Locale::default(), status)).expect("plain data with text keys");
    let mut response = response::bare(status).map(|_| Bytes::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response::secure(headers);
    response
}

/// The refusal of a head that two readers could read in two ways.
pub fn bad_head(fault: HeadFault) -> Error {
    let (header, said) = match fault {
        HeadFault::NoHost => ("Host", Text::new("est requis", "is required")),
        HeadFault::TwoHosts => ("Host", Text::new("ne doit nommer qu’un seul hôte", "must name one host only")),
        HeadFault::BadHost => ("Host", Text::new("n’est pas un nom d’hôte", "is no host name")),
        HeadFault::BadEncoding => ("Transfer-Encoding", Text::new("doit être « chunked »", "must be `chunked`")),
    };
    Error::invalid(header, said)
}

/// The refusal of a request for a host that this server is not, with the way out.
pub fn misdirected(host: &str) -> Error {
    let host: String = host.chars().take(HOST_SHOWN_MAX).collect();
    let said = Text::new(
        format!("« {host} » n’est pas un nom de ce serveur ; --public-url https://{host} le permet"),
        format!("`{host}` is no name of this server; --public-url https://{host} allows it"),
    );
    Error { details: vec![Fault::new("Host", said)], ..Reason::Misdirected.into() }
}

fn shown<'a>(error: &'a Error, locale: Locale, status: StatusCode) -> Refusal<'a> {
    Refusal {
        status_code: status.as_u16(),
        error: status.canonical_reason().unwrap_or_default(),
        code: error.code().as_str(),
        message: error.text(locale),
        details: error.shown_details(locale).collect(),
        retry_after: error.retry_after_s(),
        reference: error.reference.as_deref(),
        right: error.right(),
    }
}

/// The status that goes with a code.
pub fn status_of(code: Code) -> StatusCode {
    match code {
        Code::Invalid => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Forbidden => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::Conflict => StatusCode::CONFLICT,
        Code::Unsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::Misdirected => StatusCode::MISDIRECTED_REQUEST,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The refusal of a body that could not be read.
pub fn unreadable(error: BodyError) -> Error {
    match error {
        BodyError::TooLarge(_) => Reason::TooLarge.into(),
        BodyError::Lost => {
            vec![Fault::new("body", Text::new("n’est pas arrivé en entier", "did not arrive whole"))].into()
        }
        BodyError::Packed => {
            let said = Text::new("le contenu ne doit pas être compressé", "the content must not be compressed");
            unsupported("Content-Encoding", said)
        }
    }
}

/// The refusal of a form that is not taken; the header that names the form, and what is wrong with it.
pub fn unsupported(header: &'static str, said: Text) -> Error {
    Error { details: vec![Fault::new(header, said)], ..Reason::Unsupported.into() }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::{Error, Fault, Locale, Reason, Text, refusal};

    async fn shown(error: Error, locale: Locale) -> (u16, String) {
        let response = refusal(&error, locale);
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn errors_are_spelled_as_the_contract_says() {
        let (status, body) = shown(Reason::NotFound.into(), Locale::English).await;
        assert_eq!(status, 404);
        let expected = r#"{"statusCode":404,"error":"Not Found","code":"NOT_FOUND","message":"Not found."}"#;
        assert_eq!(body, expected);
        let faults = vec![Fault::new("email", Text::new("est requis", "is required"))];
        let (_, body) = shown(faults.into(), Locale::French).await;
        assert!(body.ends_with(r#""details":[{"field":"email","message":"est requis"}]}"#), "{body}");
    }

    #[tokio::test]
    async fn of_an_internal_error_only_its_reference_is_told() {
        let (status, body) = shown(Error::internal("UNIQUE constraint failed: users.email"), Locale::English).await;
        assert_eq!(status, 500);
        assert!(body.contains("\"reference\":\"") && !body.contains("UNIQUE"), "{body}");
    }

    #[tokio::test]
    async fn too_many_says_when_to_come_back() {
        let error = Error::too_many(std::time::Duration::from_millis(1_200));
        assert_eq!(refusal(&error, Locale::English).headers()["retry-after"], "2");
        assert!(shown(error, Locale::English).await.1.ends_with(r#""retryAfter":2}"#));
    }
}
