//! HTTP/1.1 plumbing over hyper: the listener, bodies with a bound, answers.

pub mod certificate;
pub mod conditional;
pub mod conversation;
pub mod disposition;
pub mod form_names;
pub mod gzip;
pub mod header_text;
pub mod line;
pub mod listener;
pub mod newcomers;
pub mod peer;
pub mod probe;
pub mod progress;
pub mod request;
pub mod response;
pub mod tls;
pub mod visit;
