//! The documents of bills: what was stored is served, byte for byte.

use bytes::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use crate::api::call::Call;
use crate::api::reply::Answer;
use crate::auth::link::Subject;
use crate::auth::secret;
use crate::chat::contract::error::Error;
use crate::documents::{factur_x, invoice};
use crate::http::conditional;
use crate::http::disposition::{self, Disposition};
use crate::http::response;
use crate::model::id::InvoiceId;

/// What a document that is opened by itself may do: nothing.
const SANDBOX: &str = "sandbox; default-src 'none'";

/// `GET /invoices/{id}/preview.pdf`
pub async fn preview(call: Call, id: InvoiceId) -> Answer {
    let draft = call.chat().load_preview(call.member()?, id).await?;
    let pdf = tokio::task::spawn_blocking(move || invoice::pdf(&draft)).await.map_err(Error::internal)?;
    Ok(shown(&call, "application/pdf", "brouillon.pdf", pdf.into(), None))
}

/// `GET /invoices/{id}/document.pdf`
pub async fn pdf(call: Call, id: InvoiceId) -> Answer {
    let grant = call.query(|fields| fields.optional_text("grant", 1..=512))?;
    let actor = match &grant {
        Some(grant) => call.chat().verify_grant(Subject::Invoice(id), grant)?,
        None => call.member()?,
    };
    let (number, document) = call.chat().load_document(actor, id).await?;
    let etag = format!("\"{}\"", secret::to_hex(&document.sha256));
    let mut response = shown(&call, "application/pdf", &format!("{number}.pdf"), document.pdf.into(), Some(&etag));
    if grant.is_some() {
        let policy = HeaderName::from_static("cross-origin-resource-policy");
        response.headers_mut().insert(policy, HeaderValue::from_static("cross-origin"));
    }
    Ok(response)
}

/// `GET /invoices/{id}/factur-x.xml`
pub async fn xml(call: Call, id: InvoiceId) -> Answer {
    let (_, document) = call.chat().load_document(call.member()?, id).await?;
    Ok(shown(&call, "application/xml", factur_x::FILE_NAME, document.xml.into(), None))
}

fn shown(call: &Call, kind: &'static str, name: &str, bytes: Bytes, etag: Option<&str>) -> Response<response::Body> {
    if etag.is_some_and(|etag| conditional::is_unchanged(&call.request.parts.headers, etag)) {
        return response::empty(StatusCode::NOT_MODIFIED);
    }
    let size = bytes.len();
    let mut response = Response::new(response::body_of(if call.is_head() { Bytes::new() } else { bytes }));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    headers.insert(header::CONTENT_DISPOSITION, disposition::header_value(Disposition::Inline, name));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
        headers.insert(header::ETAG, etag);
    }
    response
}
