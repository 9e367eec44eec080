//! The embedded web client: every file of `web/`, part of the executable; in debug builds read from disk each time, so
//! that an edit needs a reload and nothing else.
//!
//! Files are revalidated by their content's digest, and packed once, at first request: with gzip at once, and in the
//! background with Brotli, which takes longer and is a seventh smaller. What the page needs at once goes as one script
//! (`bundle`). The page and its service worker are told which version is served, a digest of all the files: so the page
//! notices another one, and the worker replaces what it has kept. The official browser client of Socket.IO is among the
//! files, served where Socket.IO servers serve it.

mod bundle;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};
use std::thread;

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};
use rust_embed::Embed;
use sha2::Sha256;

use crate::http::response::{self, Body};
use crate::http::{conditional, gzip};

#[derive(Embed)]
#[folder = "web"]
struct Web;

/// The page that every address of the client opens.
const PAGE: &str = "index.html";
/// What keeps the page in the browser, for when the server is gone.
const WORKER: &str = "sw.js";
/// The browser client's files at `/socket.io/`.
const BROWSER_CLIENT: &[&str] = &[
    "socket.io.js",
    "socket.io.js.map",
    "socket.io.min.js",
    "socket.io.min.js.map",
    "socket.io.esm.min.js",
    "socket.io.esm.min.js.map",
];

/// Packed files by their digest. Holds at most one entry per file and coding in a release, where the files never change.
static PACKED: LazyLock<RwLock<HashMap<(Coding, Digest), Bytes>>> = LazyLock::new(RwLock::default);

/// SHA-256 of what is served.
type Digest = [u8; 32];

/// What is not served as it lies in `web/`, by its path, with its digest; made once in a release.
static MADE: LazyLock<HashMap<String, (Digest, String)>> = LazyLock::new(made);

/// In what form bytes travel.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Coding {
    Plain,
    Gzip,
    Brotli,
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
    let mut response = answer(method, headers, &path, stored(&path)?);
    let anybody = HeaderValue::from_static("cross-origin");
    response.headers_mut().insert(HeaderName::from_static("cross-origin-resource-policy"), anybody);
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Some(response)
}

/// Whether `/socket.io/{name}` is a file of the browser client.
pub fn is_of_browser_client(name: &str) -> bool {
    BROWSER_CLIENT.contains(&name)
}

/// Whether `web/` has such a file; what is written there for people who work on it is not served.
pub fn exists(path: &str) -> bool {
    !path.ends_with(".md") && Web::get(path).is_some()
}

/// The file of `web/` at `path`, if there is one.
pub fn file(method: &Method, headers: &HeaderMap, path: &str) -> Option<Response<Body>> {
    Some(answer(method, headers, path, content(path)?))
}

fn answer(method: &Method, headers: &HeaderMap, path: &str, (digest, data): Content) -> Response<Body> {
    let content_type = content_type(path);
    let packs = is_text(content_type) && data.len() >= gzip::BYTES_MIN;
    let coding = if packs { coding(headers, digest, &data) } else { Coding::Plain };
    let etag = etag(&digest, coding);
    let mut response = if conditional::is_unchanged(headers, &etag) {
        response::empty(StatusCode::NOT_MODIFIED)
    } else if method == Method::HEAD {
        response::full(StatusCode::OK, content_type, Bytes::new())
    } else if coding == Coding::Plain {
        response::full(StatusCode::OK, content_type, bytes_of(data))
    } else {
        response::full(StatusCode::OK, content_type, packed_once(coding, digest, &data))
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, HeaderValue::from_str(&etag).expect("hexadecimal digits"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if packs {
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    if let Some(name) = name_of(coding) {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    response
}

/// Bytes with their digest.
type Content = (Digest, Cow<'static, [u8]>);

/// What lies at `path`, as it is.
fn stored(path: &str) -> Option<Content> {
    let file = Web::get(path).filter(|_| !path.ends_with(".md"))?;
    Some((file.metadata.sha256_hash(), file.data))
}

/// What is served at `path`.
fn content(path: &str) -> Option<Content> {
    let made = if path != PAGE && !path.ends_with(".js") {
        None
    } else if cfg!(debug_assertions) {
        made().remove(path).map(|(digest, text)| (digest, Cow::Owned(text.into_bytes())))
    } else {
        MADE.get(path).map(|(digest, text)| (*digest, Cow::Borrowed(text.as_bytes())))
    };
    made.or_else(|| stored(path))
}

/// The scripts, and the two files that are told which version of the page is served.
fn made() -> HashMap<String, (Digest, String)> {
    let read = |path: &str| String::from_utf8(Web::get(path)?.data.into_owned()).ok();
    let mut made = bundle::scripts(&read);
    let (version, files) = page_version(|path| !path.starts_with("vendor/") || made.contains_key(path));
    for path in [PAGE, WORKER] {
        let text = read(path).unwrap_or_default().replace("{version}", &version).replace("{files}", &files.join(" "));
        made.insert(path.to_owned(), text);
    }
    made.into_iter().map(|(path, text)| (path, (<Sha256 as sha2::Digest>::digest(&text).into(), text))).collect()
}

/// A word that changes with any of the page's files, and the addresses of those that it needs to be shown.
fn page_version(is_used: impl Fn(&str) -> bool) -> (String, Vec<String>) {
    let mut paths: Vec<_> = Web::iter().filter(|path| is_of_page(path) && is_used(path)).collect();
    paths.sort();
    let mut digest = <Sha256 as sha2::Digest>::new();
    for (path, (content, _)) in paths.iter().filter_map(|path| Some((path, stored(path)?))) {
        sha2::Digest::update(&mut digest, path.as_bytes());
        sha2::Digest::update(&mut digest, content);
    }
    let shown = paths.iter().filter(|path| **path != WORKER);
    let addresses = shown.map(|path| if path == PAGE { "/".to_owned() } else { format!("/{path}") });
    (hex(&sha2::Digest::finalize(digest).into()), addresses.collect())
}

fn is_of_page(path: &str) -> bool {
    ["html", "js", "css", "svg", "webmanifest"].contains(&path.rsplit('.').next().unwrap_or_default())
}

/// The smallest form that is there and that the caller takes.
fn coding(headers: &HeaderMap, digest: Digest, bytes: &[u8]) -> Coding {
    if gzip::accepts(headers, "br") && packed(Coding::Brotli, digest).is_some() {
        Coding::Brotli
    } else if gzip::accepts(headers, "gzip") {
        pack_smaller(digest, bytes);
        Coding::Gzip
    } else {
        Coding::Plain
    }
}

fn packed(coding: Coding, digest: Digest) -> Option<Bytes> {
    PACKED.read().unwrap_or_else(PoisonError::into_inner).get(&(coding, digest)).cloned()
}

fn keep(coding: Coding, digest: Digest, packed: Bytes) {
    if !cfg!(debug_assertions) {
        PACKED.write().unwrap_or_else(PoisonError::into_inner).insert((coding, digest), packed);
    }
}

fn packed_once(coding: Coding, digest: Digest, bytes: &[u8]) -> Bytes {
    packed(coding, digest).unwrap_or_else(|| {
        let packed = Bytes::from(gzip::compress(bytes, 9));
        keep(coding, digest, packed.clone());
        packed
    })
}

/// Has a file packed with Brotli when it is asked for the first time; until that is done it goes with gzip.
fn pack_smaller(digest: Digest, bytes: &[u8]) {
    if cfg!(debug_assertions) || packed(Coding::Gzip, digest).is_some() {
        return;
    }
    let bytes = bytes.to_owned();
    thread::spawn(move || {
        let mut packed = Vec::with_capacity(bytes.len() / 3);
        let params = brotli::enc::BrotliEncoderParams { quality: 11, ..Default::default() };
        brotli::BrotliCompress(&mut bytes.as_slice(), &mut packed, &params).expect("memory takes every byte");
        keep(Coding::Brotli, digest, packed.into());
    });
}

fn name_of(coding: Coding) -> Option<&'static str> {
    match coding {
        Coding::Plain => None,
        Coding::Gzip => Some("gzip"),
        Coding::Brotli => Some("br"),
    }
}

fn bytes_of(data: Cow<'static, [u8]>) -> Bytes {
    match data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    }
}

/// Two codings of one file are two things to a cache.
fn etag(digest: &Digest, coding: Coding) -> String {
    let suffix = name_of(coding).map_or_else(String::new, |name| format!("-{name}"));
    format!("\"{}{suffix}\"", hex(digest))
}

/// Enough of a digest to tell files and versions apart.
fn hex(digest: &Digest) -> String {
    digest[..12].iter().map(|byte| format!("{byte:02x}")).collect()
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

    use super::{BROWSER_CLIENT, Coding, browser_client, content_type, etag, exists, file, made, page_version, stored};

    #[test]
    fn every_file_of_the_browser_client_is_there() {
        for name in BROWSER_CLIENT {
            let response = browser_client(&Method::GET, &HeaderMap::new(), name).unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{name}");
            assert_eq!(response.headers()["cross-origin-resource-policy"], "cross-origin");
            let own = stored(&format!("vendor/{name}")).unwrap();
            assert_eq!(response.headers()["etag"], etag(&own.0, Coding::Plain), "{name} is what others have built");
        }
        assert!(browser_client(&Method::GET, &HeaderMap::new(), "preact-htm.js").is_none());
    }

    #[test]
    fn page_and_worker_name_one_version_and_the_worker_all_that_the_page_needs() {
        let made = made();
        let (page, worker) = (&made["index.html"].1, &made["sw.js"].1);
        let (version, files) = page_version(|path| !path.starts_with("vendor/") || made.contains_key(path));
        assert!(page.contains(&version) && worker.contains(&version));
        assert!(!page.contains("{version}") && !worker.contains("{version}") && !worker.contains("{files}"));
        for address in ["/", "/app.js", "/style.css", "/views/search.js", "/i18n/en.js", "/vendor/preact-htm.js"] {
            assert!(files.iter().any(|file| file == address), "{address}");
        }
        for address in ["/index.html", "/sw.js", "/vendor/socket.io.js", "/vendor/README.md"] {
            assert!(!files.iter().any(|file| file == address), "{address}");
        }
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
    fn nothing_outside_of_web_is_served() {
        for path in
            ["../Cargo.toml", "vendor/../../Cargo.toml", "/etc/passwd", "", "vendor", "vendor/README.md", "a\0b"]
        {
            assert!(!exists(path), "{path}");
        }
    }

    #[test]
    fn scripts_have_the_type_that_browsers_demand_of_modules() {
        assert_eq!(content_type("core/state.js"), "text/javascript; charset=utf-8");
        assert_eq!(content_type("x.exe"), "application/octet-stream");
    }
}
