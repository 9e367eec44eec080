//! Why a configuration is refused.

use std::path::PathBuf;

use crate::http::listener::Listen;
use crate::http::tls;

/// Why a configuration is no good.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A flag's value makes no sense.
    #[error("--{flag}: {wrong}")]
    Usage {
        /// Which flag.
        flag: &'static str,
        /// What is wrong with it.
        wrong: String,
    },
    /// A file that a setting names cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file that a setting names holds something else.
    #[error("--{flag} {}: {wrong}", path.display())]
    BadFile {
        /// Which flag.
        flag: &'static str,
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        wrong: String,
    },
    /// A variable of the environment makes no sense.
    #[error("{name}: {wrong}")]
    Variable {
        /// Which one.
        name: &'static str,
        /// What is wrong with it.
        wrong: String,
    },
    /// Whoever is mailed a link could not follow it.
    #[error("--smtp needs --public-url: links in mails must lead to the address that people use")]
    NoWayHome,
    /// The certificate or its key is no good.
    #[error("--tls-cert and --tls-key")]
    Certificate(#[from] tls::Error),
    /// Money would be taken that nobody hears of.
    #[error("--stripe-key-file: {0}")]
    Payments(&'static str),
    /// What people say could be read on the way.
    #[error(
        "--listen {0} is open to other machines, but without HTTPS everything said could be read on the way.\n\
         Give a certificate (--tls-cert, --tls-key), put a proxy that speaks HTTPS in front (--trust-proxy ADDRESS), or\n\
         accept it with --insecure-http."
    )]
    InTheClear(Listen),
}
