//! The embedded web client. In a release its files are put together and packed when the binary is built (`build.rs`), and
//! served as they are; a debug build reads `web/` from disk each time, so that an edit needs a reload and nothing else.
//!
//! Files are revalidated by their content's digest. The official browser client of Socket.IO is among them, served where
//! Socket.IO servers serve it.

#[cfg(debug_assertions)]
mod bundle;
#[cfg(debug_assertions)]
mod tight;

use std::borrow::Cow;

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};
use rust_embed::Embed;

use crate::http::response::{self, Body};
use crate::http::{conditional, gzip};

#[derive(Embed)]
#[cfg_attr(debug_assertions, folder = "web")]
#[cfg_attr(not(debug_assertions), folder = "$OUT_DIR/web")]
struct Web;

/// The page that every address of the client opens.
const PAGE: &str = "index.html";
/// The browser client's files at `/socket.io/`.
const BROWSER_CLIENT: &[&str] = &[
    "socket.io.js",
    "socket.io.js.map",
    "socket.io.min.js",
    "socket.io.min.js.map",
    "socket.io.esm.min.js",
    "socket.io.esm.min.js.map",
];

/// Below this many bytes packing saves nothing; `build.rs` packs from there on.
const PACKED_BYTES_MIN: usize = 256;

/// SHA-256 of what is served.
type Digest = [u8; 32];

/// A form in which a file travels.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Brotli,
    Gzip,
}

impl Coding {
    /// The smallest first.
    const ALL: [Coding; 2] = [Coding::Brotli, Coding::Gzip];

    /// Its name in a header.
    fn name(self) -> &'static str {
        match self {
            Coding::Brotli => "br",
            Coding::Gzip => "gzip",
        }
    }

    /// What the name of a file of this form ends with.
    #[cfg(not(debug_assertions))]
    fn ending(self) -> &'static str {
        match self {
            Coding::Brotli => ".br",
            Coding::Gzip => ".gz",
        }
    }
}

/// The page itself.
pub fn page(method: &Method, headers: &HeaderMap) -> Response<Body> {
    file(method, headers, PAGE).unwrap_or_else(|| response::empty(StatusCode::NOT_FOUND))
}

/// The page, for an address that it does not know either: it says so itself.
pub fn page_not_found(method: &Method, headers: &HeaderMap) -> Response<Body> {
    let mut unconditional = headers.clone();
    unconditional.remove(header::IF_NONE_MATCH);
    let mut response = page(method, &unconditional);
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// A file of `/socket.io/`, if `name` is one of the browser client's; any page may load it.
pub fn browser_client(method: &Method, headers: &HeaderMap, name: &str) -> Option<Response<Body>> {
    if !is_of_browser_client(name) {
        return None;
    }
    let path = format!("vendor/{name}");
    let mut response = answer(method, headers, &path, original(&path)?);
    let anybody = HeaderValue::from_static("cross-origin");
    response.headers_mut().insert(HeaderName::from_static("cross-origin-resource-policy"), anybody);
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Some(response)
}

/// Whether `/socket.io/{name}` is a file of the browser client.
pub fn is_of_browser_client(name: &str) -> bool {
    BROWSER_CLIENT.contains(&name)
}

/// Whether the page has such a file.
pub fn exists(path: &str) -> bool {
    is_address(path) && Web::get(path).is_some()
}

/// The page's file at `path`, if there is one.
pub fn file(method: &Method, headers: &HeaderMap, path: &str) -> Option<Response<Body>> {
    Some(answer(method, headers, path, content(path)?))
}

fn answer(method: &Method, headers: &HeaderMap, path: &str, (digest, data): Content) -> Response<Body> {
    let content_type = content_type(path);
    let packs = is_text(content_type) && data.len() >= PACKED_BYTES_MIN;
    let packed = if packs { smallest(headers, path, &data) } else { None };
    let coding = packed.as_ref().map(|(coding, _)| coding.name());
    let etag = etag(&digest, coding);
    let mut response = if conditional::is_unchanged(headers, &etag) {
        response::empty(StatusCode::NOT_MODIFIED)
    } else if method == Method::HEAD {
        response::full(StatusCode::OK, content_type, Bytes::new())
    } else {
        response::full(StatusCode::OK, content_type, packed.map_or_else(|| bytes_of(data), |(_, bytes)| bytes))
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, HeaderValue::from_str(&etag).expect("hexadecimal digits"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if packs {
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    if let Some(name) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    response
}

/// Bytes with their digest.
type Content = (Digest, Cow<'static, [u8]>);

/// The smallest form that is there and that the caller takes.
fn smallest(headers: &HeaderMap, path: &str, data: &[u8]) -> Option<(Coding, Bytes)> {
    let taken = Coding::ALL.into_iter().filter(|coding| gzip::accepts(headers, coding.name()));
    taken.into_iter().find_map(|coding| Some((coding, packed(coding, path, data)?)))
}

fn as_it_lies(path: &str) -> Option<Content> {
    let file = Web::get(path)?;
    Some((file.metadata.sha256_hash(), file.data))
}

/// What is served, and in which forms: as it was built.
#[cfg(not(debug_assertions))]
mod built {
    use super::{Bytes, Coding, Content, Web, as_it_lies, bytes_of};

    /// Where files lie that others have built and that the page takes another way.
    const ORIGINALS: &str = "originals/";

    pub(super) fn is_address(path: &str) -> bool {
        !path.starts_with(ORIGINALS) && Coding::ALL.iter().all(|coding| !path.ends_with(coding.ending()))
    }

    pub(super) fn content(path: &str) -> Option<Content> {
        as_it_lies(path).filter(|_| is_address(path))
    }

    pub(super) fn original(path: &str) -> Option<Content> {
        as_it_lies(&format!("{ORIGINALS}{path}")).or_else(|| as_it_lies(path))
    }

    pub(super) fn packed(coding: Coding, path: &str, _: &[u8]) -> Option<Bytes> {
        Web::get(&format!("{path}{}", coding.ending())).map(|file| bytes_of(file.data))
    }
}

/// What is served, and in which forms: made anew at each request.
#[cfg(debug_assertions)]
mod built {
    use sha2::{Digest as _, Sha256};

    use super::{Bytes, Coding, Content, Cow, Web, as_it_lies, bundle, gzip};

    pub(super) fn is_address(path: &str) -> bool {
        bundle::is_served(path)
    }

    pub(super) fn content(path: &str) -> Option<Content> {
        if !is_address(path) {
            return None;
        }
        let paths: Vec<_> = Web::iter().map(Cow::into_owned).collect();
        let read = |path: &str| String::from_utf8(Web::get(path)?.data.into_owned()).ok();
        let made = bundle::served(&paths, &read).remove(path);
        made.map(|text| (Sha256::digest(&text).into(), Cow::Owned(text.into_bytes()))).or_else(|| as_it_lies(path))
    }

    pub(super) fn original(path: &str) -> Option<Content> {
        as_it_lies(path)
    }

    pub(super) fn packed(coding: Coding, _: &str, data: &[u8]) -> Option<Bytes> {
        (coding == Coding::Gzip).then(|| Bytes::from(gzip::compress(data, 6)))
    }
}

use built::{content, is_address, original, packed};

fn bytes_of(data: Cow<'static, [u8]>) -> Bytes {
    match data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    }
}

/// Two codings of one file are two things to a cache.
fn etag(digest: &Digest, coding: Option<&str>) -> String {
    let digits: String = digest[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    let suffix = coding.map_or_else(String::new, |name| format!("-{name}"));
    format!("\"{digits}{suffix}\"")
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json; charset=utf-8",
        "webmanifest" => "application/manifest+json; charset=utf-8",
        "svg" => "image/svg+xml; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

fn is_text(content_type: &str) -> bool {
    content_type.ends_with("charset=utf-8")
}

#[cfg(test)]
mod tests {
    use hyper::header::{self, HeaderMap, HeaderValue};
    use hyper::{Method, StatusCode};

    use super::{BROWSER_CLIENT, browser_client, content, content_type, etag, exists, file, original};

    #[test]
    fn every_file_of_the_browser_client_is_there() {
        for name in BROWSER_CLIENT {
            let response = browser_client(&Method::GET, &HeaderMap::new(), name).unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{name}");
            assert_eq!(response.headers()["cross-origin-resource-policy"], "cross-origin");
            let built = std::fs::read(format!("web/vendor/{name}")).unwrap();
            let (digest, data) = original(&format!("vendor/{name}")).unwrap();
            assert_eq!(data, built, "{name} is what others have built");
            assert_eq!(response.headers()["etag"], etag(&digest, None));
        }
        assert!(browser_client(&Method::GET, &HeaderMap::new(), "preact-htm.js").is_none());
    }

    #[test]
    fn the_page_is_put_together() {
        let text = |path: &str| String::from_utf8(content(path).unwrap().1.into_owned()).unwrap();
        assert!(!text("index.html").contains("{version}") && !text("sw.js").contains("{files}"));
        assert!(text("app.js").contains("'core/state.js':m"));
        assert!(text("core/state.js").starts_with("import { $ } from '/app.js';"));
        assert!(text("style.css").contains("--paper:") && !text("style.css").contains("@import"));
    }

    #[test]
    fn a_known_file_is_not_sent_again() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let first = file(&Method::GET, &headers, "vendor/socket.io.js").unwrap();
        assert_eq!(first.headers()[header::CONTENT_ENCODING], "gzip");
        assert_eq!(first.headers()[header::VARY], "Accept-Encoding");
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        let again = file(&Method::GET, &headers, "vendor/socket.io.js").unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        headers.remove(header::ACCEPT_ENCODING);
        let plain = file(&Method::GET, &headers, "vendor/socket.io.js").unwrap();
        assert_eq!(plain.status(), StatusCode::OK, "the plain form is another thing");
    }

    #[test]
    fn nothing_outside_of_what_is_served_has_an_address() {
        for path in [
            "../Cargo.toml",
            "vendor/../../Cargo.toml",
            "/etc/passwd",
            "",
            "vendor",
            "vendor/README.md",
            "css/base.css",
            "app.js.br",
            "app.js.gz",
            "originals/vendor/socket.io.esm.min.js",
            "a\0b",
        ] {
            assert!(!exists(path), "{path}");
            assert!(file(&Method::GET, &HeaderMap::new(), path).is_none(), "{path}");
        }
    }

    #[test]
    fn scripts_have_the_type_that_browsers_demand_of_modules() {
        assert_eq!(content_type("core/state.js"), "text/javascript; charset=utf-8");
        assert_eq!(content_type("x.exe"), "application/octet-stream");
    }
}
