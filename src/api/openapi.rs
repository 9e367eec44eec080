//! `/openapi.json`: the HTTP contract as OpenAPI 3.1. The document is written by hand and checked against the router by a
//! test, both ways; `operationId` is the name of the route.

use hyper::StatusCode;
use hyper::header::{self, HeaderValue};

use crate::api::call::Call;
use crate::api::reply::Answer;
use crate::http::response;

/// The document.
pub const DOCUMENT: &str = include_str!("openapi.json");

/// `GET /openapi.json`
pub async fn show(_call: Call) -> Answer {
    let mut response = response::full(StatusCode::OK, "application/json; charset=utf-8", DOCUMENT);
    // There is nothing of anybody in it: generators of clients in any page may read it.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::DOCUMENT;

    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
                map.values().for_each(|inner| references(inner, found));
            }
            Value::Array(list) => list.iter().for_each(|inner| references(inner, found)),
            _ => {}
        }
    }

    #[test]
    fn the_document_is_of_this_version_and_every_reference_leads_somewhere() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 50);
        for reference in found {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
    }
}
