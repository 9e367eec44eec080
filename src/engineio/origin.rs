//! Which pages may talk to the endpoint, by the `Origin` header that browsers send.
//!
//! A request without `Origin` (a native client) and one from the server's own origin always pass. Scheme, host
//! and port are compared exactly.

/// Origins that pass beside the server's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins {
    /// Serialised origins (`https://app.example`, with the port where it is not the scheme's own).
    pub allowed: Vec<String>,
    /// Pages from any loopback origin: `localhost`, `127.0.0.0/8`, `[::1]`, any port.
    pub loopback: bool,
    /// `Origin: null`: a page opened from disk.
    pub null: bool,
}
