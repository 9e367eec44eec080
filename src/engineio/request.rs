//! The request that opened a session, kept in few bytes for whoever decides about it.

use std::net::IpAddr;

/// Who sent a request, as the listener knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The client's address (behind a trusted proxy: the one that the proxy tells).
    pub address: IpAddr,
    /// Whether the client's own connection is encrypted; decides the scheme of the server's own origin.
    pub secure: bool,
}

impl From<IpAddr> for Peer {
    fn from(address: IpAddr) -> Self {
        Self { address, secure: false }
    }
}

/// The HTTP request by which a client opened its session.
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
    /// The first value of a query parameter.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}
