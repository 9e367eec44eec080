//! HTTP/1.1 plumbing over hyper: the listener, bodies with a bound, answers.

pub mod conditional;
pub mod disposition;
pub mod gzip;
pub mod listener;
pub mod peer;
pub mod probe;
pub mod progress;
pub mod request;
pub mod response;
pub mod tls;
