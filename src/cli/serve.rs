//! `lexchat serve`: what its own flags are, and how it is reached. Each other group of settings has its own file.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::billing::Billing;
use crate::cli::calls::Calls;
use crate::cli::database::Database;
use crate::cli::limits::Limits;
use crate::cli::logs::Logs;
use crate::cli::notices::Notices;
use crate::cli::recordings::Recordings;

const AFTER_SERVE_HELP: &str = "\
Examples:
  lexchat serve                                       both loopback addresses, port 3000, demo accounts
  lexchat serve --listen localhost:8080 --no-demo     an empty practice; prints a one-time setup link
  lexchat serve --no-demo --public-url https://chat.cabinet.example --trust-proxy 127.0.0.1
                                                      behind a proxy on this machine that speaks HTTPS
  lexchat serve --listen 0.0.0.0:443 --tls-cert chain.pem --tls-key key.pem
                                                      HTTPS of its own

A flag wins over its variable (in brackets), and that over the default. The token that /metrics asks of callers from
elsewhere is never typed here: LEXCHAT_METRICS_TOKEN holds it, or LEXCHAT_METRICS_TOKEN_FILE names a file with it.";

/// `lexchat serve`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_SERVE_HELP)]
pub struct Serve {
    /// Address and port; `localhost` means both loopback addresses
    #[arg(long, value_name = "ADDR:PORT", env = "LEXCHAT_LISTEN", default_value = "localhost:3000")]
    pub listen: String,
    /// Where the database is.
    #[command(flatten)]
    pub database: Database,
    /// Start without demo accounts, and print a one-time setup link if there is no administrator
    #[arg(long, env = "LEXCHAT_NO_DEMO", value_parser = clap::builder::FalseyValueParser::new())]
    pub no_demo: bool,
    /// Open the page in the browser
    #[arg(long, env = "LEXCHAT_OPEN", value_parser = clap::builder::FalseyValueParser::new())]
    pub open: bool,
    /// Who may sign up without invitation
    #[arg(long, value_name = "WHO", env = "LEXCHAT_SIGN_UP", default_value = "clients")]
    pub sign_up: SignUp,

    /// Reachability.
    #[command(flatten)]
    pub reach: Reach,
    /// Limits.
    #[command(flatten)]
    pub limits: Limits,
    /// Payments.
    #[command(flatten)]
    pub billing: Billing,
    /// Notices.
    #[command(flatten)]
    pub notices: Notices,
    /// Calls.
    #[command(flatten)]
    pub calls: Calls,
    /// Recordings of calls.
    #[command(flatten)]
    pub recordings: Recordings,
    /// Logs.
    #[command(flatten)]
    pub logs: Logs,
}

/// How the server is reached.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reachability")]
pub struct Reach {
    /// The address that people use, where it is not the one listened on
    #[arg(long, value_name = "URL", env = "LEXCHAT_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Pages of this origin may use the server (repeatable)
    #[arg(long, value_name = "URL", env = "LEXCHAT_ALLOW_ORIGIN", value_delimiter = ',')]
    pub allow_origin: Vec<String>,
    /// Believe the X-Forwarded headers of proxies at these addresses (repeatable)
    #[arg(long, value_name = "CIDR", env = "LEXCHAT_TRUST_PROXY", value_delimiter = ',')]
    pub trust_proxy: Vec<String>,
    /// A certificate chain in PEM, to speak HTTPS without a proxy
    #[arg(long, value_name = "FILE", env = "LEXCHAT_TLS_CERT", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key in PEM
    #[arg(long, value_name = "FILE", env = "LEXCHAT_TLS_KEY", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Listen beyond this machine without HTTPS: what is said can be read on the way
    #[arg(long, env = "LEXCHAT_INSECURE_HTTP", value_parser = clap::builder::FalseyValueParser::new())]
    pub insecure_http: bool,
    /// A file with the token that /metrics asks of callers from elsewhere
    #[arg(long, value_name = "FILE", env = "LEXCHAT_METRICS_TOKEN_FILE")]
    pub metrics_token_file: Option<PathBuf>,
}

/// Who may sign up without invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SignUp {
    /// Clients; jurists need an invitation.
    Clients,
    /// Nobody.
    Closed,
}
