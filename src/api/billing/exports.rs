//! `/admin/invoices/export`: for the accountant.

use bytes::Bytes;
use hyper::Response;
use hyper::header::{self, HeaderValue};

use crate::api::call::Call;
use crate::api::reply::Answer;
use crate::api::zip::{Archive, Part};
use crate::chat::contract::bill_fields;
use crate::chat::contract::error::Error;
use crate::http::disposition::{self, Disposition};
use crate::http::response;
use crate::model::locale::Text;
use crate::model::timestamp::Timestamp;

/// `GET /admin/invoices/export?from=&to=&format=csv|zip&table=invoices|payments`
///
/// # Errors
/// `UNAUTHENTICATED`, `FORBIDDEN`, `INVALID`; `UNAVAILABLE` while a document is still being made.
pub async fn export(call: Call) -> Answer {
    let actor = call.member()?;
    let (from, to, format, table) = call.query(|fields| {
        let formats = Text::new("doit être « csv » ou « zip »", "must be `csv` or `zip`");
        let tables = Text::new("doit être « invoices » ou « payments »", "must be `invoices` or `payments`");
        let one_of = |known: [&'static str; 2]| move |word: &str| known.into_iter().find(|known| *known == word);
        (
            bill_fields::day(fields, "from"),
            bill_fields::day(fields, "to"),
            fields.optional_parsed("format", formats, one_of(["csv", "zip"])).unwrap_or("csv"),
            fields.optional_parsed("table", tables, one_of(["invoices", "payments"])).unwrap_or("invoices"),
        )
    })?;
    let export = call.chat().export_invoices(actor, from, to).await?;
    if format == "csv" {
        let text = if table == "invoices" { export.invoices } else { export.payments };
        return Ok(file("text/csv; charset=utf-8", &format!("{table}-{from}-{to}.csv"), text.into()));
    }
    let mut files = vec![
        ("invoices.csv".to_owned(), export.invoices.into_bytes()),
        ("payments.csv".to_owned(), export.payments.into_bytes()),
    ];
    for (number, id) in export.documents {
        let (_, document) = call.chat().load_document(actor, id).await?;
        files.push((format!("{number}.pdf"), document.pdf));
    }
    let archive = tokio::task::spawn_blocking(move || pack(files)).await.map_err(Error::internal)?;
    Ok(file("application/zip", &format!("facturation-{from}-{to}.zip"), archive.into()))
}

fn pack(files: Vec<(String, Vec<u8>)>) -> Vec<u8> {
    let at = Timestamp::from_millis(0);
    let part = |(name, bytes): &(String, Vec<u8>)| Part { name: name.clone(), size: bytes.len() as u64, at };
    let mut archive = Archive::new(files.iter().map(part).collect());
    let mut packed = Vec::new();
    for (place, (_, bytes)) in files.iter().enumerate() {
        let mut sum = flate2::Crc::new();
        sum.update(bytes);
        packed.extend(archive.begin(place, sum.sum()));
        packed.extend(bytes);
    }
    packed.extend(archive.ending());
    packed
}

fn file(kind: &'static str, name: &str, bytes: Bytes) -> Response<response::Body> {
    let mut response = Response::new(response::body_of(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_DISPOSITION, disposition::header_value(Disposition::Attachment, name));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}
