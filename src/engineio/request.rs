//! Requests for the endpoint: whom they come from, what their query string says, and the one that opened a session.

use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::http::request::Parts;
use percent_encoding::percent_decode_str;

/// Who sent a request, as the listener knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The client's address (behind a trusted proxy: the one that the proxy names).
    pub address: IpAddr,
    /// Whether the client's own connection is encrypted; decides the scheme of the server's own origin.
    pub secure: bool,
}

impl From<IpAddr> for Peer {
    fn from(address: IpAddr) -> Self {
        Self { address, secure: false }
    }
}

/// The HTTP request by which a client opened its session. It copies what it keeps, so that the listener's buffers are
/// free again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningRequest {
    /// The path without the query.
    pub path: String,
    /// Decoded pairs of the query string, in order.
    pub query: Vec<(String, String)>,
    /// Header names in lower case with their values, in order; values that are not UTF-8 are left out.
    pub headers: Vec<(String, String)>,
    /// Who sent it.
    pub peer: Peer,
}

impl OpeningRequest {
    pub(super) fn new(parts: &Parts, query: Query, peer: Peer) -> Self {
        Self { path: parts.uri.path().to_owned(), query: query.0, headers: copy(&parts.headers), peer }
    }

    /// Keeps only who sent it.
    pub(super) fn forget(&mut self) {
        *self = Self { path: String::new(), query: Vec::new(), headers: Vec::new(), peer: self.peer };
    }

    /// The first value of a query parameter.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn copy(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = headers.iter().filter_map(|(name, value)| Some((name, std::str::from_utf8(value.as_bytes()).ok()?)));
    text.map(|(name, value)| (name.as_str().to_owned(), value.to_owned())).collect()
}

/// The decoded pairs of a query string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

/// How often a parameter was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter<'a> {
    Missing,
    Once(&'a str),
    Repeated,
}

impl Query {
    /// Reads a query string; bytes that are not UTF-8 become replacement characters, which match nothing.
    pub(super) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let split = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self(split.map(|(name, value)| (decode(name), decode(value))).collect())
    }

    /// A parameter that means something only if it is given once.
    pub(super) fn parameter(&self, name: &str) -> Parameter<'_> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (None, _) => Parameter::Missing,
            (Some(value), None) => Parameter::Once(value),
            (Some(_), Some(_)) => Parameter::Repeated,
        }
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_strings_are_read_as_forms_are_written() {
        let rows: [(&str, &[(&str, &str)]); 6] = [
            ("", &[]),
            ("EIO=4&transport=polling", &[("EIO", "4"), ("transport", "polling")]),
            ("a=b=c&&d&=e", &[("a", "b=c"), ("d", ""), ("", "e")]),
            ("%74oken=x%20y+z", &[("token", "x y z")]),
            ("a=%ff%", &[("a", "\u{fffd}%")]),
            ("transport[]=polling", &[("transport[]", "polling")]),
        ];
        for (text, pairs) in rows {
            let Query(read) = Query::parse(text);
            let read: Vec<(&str, &str)> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(read, pairs, "{text}");
        }
    }

    #[test]
    fn a_parameter_given_twice_is_neither() {
        let query = Query::parse("sid=a&sid=b&EIO=4");
        assert_eq!(query.parameter("sid"), Parameter::Repeated);
        assert_eq!(query.parameter("EIO"), Parameter::Once("4"));
        assert_eq!(query.parameter("transport"), Parameter::Missing);
    }
}
