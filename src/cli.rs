//! What may be typed on the command line: clap types and help texts, nothing decided.
//!
//! Every flag has a variable; a flag wins over its variable, and that over the default.

use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Real-time messaging between the clients and the jurists of a legal practice.
///
/// Without a command: serve, and open the web page in the browser.
#[derive(Debug, Parser)]
#[command(name = "lexchat", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const AFTER_HELP: &str = "\
Examples:
  lexchat                                   try it: demo accounts, page opened in the browser
  lexchat serve --no-demo --db /srv/lexchat.db
  lexchat user add --email anne@cabinet.example --name 'Anne Roy' --role juriste
  lexchat backup /backups/lexchat-$(date +%F).db

Exit codes: 0 fine, 1 failure while running, 2 wrong usage, 3 configuration or database refused.";

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

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the page, the API and the sockets
    Serve(Box<Serve>),
    /// Look after people's accounts
    User(User),
    /// Print a new one-time link by which the first administrator sets the practice up
    SetupLink(SetupLink),
    /// Sign with new keys from now on; nobody is signed out
    RotateKeys(Database),
    /// Copy the database into FILE while the server goes on serving
    Backup(Backup),
    /// Bring a backup to a place where there is no database yet
    Restore(Restore),
    /// Check the database: structure, references, gaps
    Check(Check),
    /// Exit 0 if the server is ready (for containers and service managers)
    Healthcheck(Healthcheck),
    /// Print the HTTP contract as OpenAPI 3.1
    Openapi,
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
}

/// Where the database is.
#[derive(Clone, Debug, Args)]
pub struct Database {
    /// The one file that holds all state [default: lexchat.db in the working directory]
    #[arg(long, value_name = "FILE", env = "LEXCHAT_DB")]
    pub db: Option<PathBuf>,
}

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

/// What one person or address may use up.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Messages per second that one person may send for long; 0 = unlimited
    #[arg(long, value_name = "N", env = "LEXCHAT_MESSAGE_RATE", default_value_t = 20)]
    pub message_rate: u32,
    /// Messages that one person may send at once
    #[arg(long, value_name = "N", env = "LEXCHAT_MESSAGE_BURST", default_value_t = 60)]
    #[arg(value_parser = at_least::<u32>(1))]
    pub message_burst: u32,
    /// Sign-in attempts per minute from one address
    #[arg(long, value_name = "N", env = "LEXCHAT_SIGN_IN_RATE", default_value_t = 30)]
    pub sign_in_rate: u32,
    /// Largest frame, packet or polling body, in bytes
    #[arg(long, value_name = "BYTES", env = "LEXCHAT_MAX_PAYLOAD", default_value_t = 1_000_000)]
    #[arg(value_parser = at_least::<usize>(1000))]
    pub max_payload: usize,
    /// Binary attachments of one packet
    #[arg(long, value_name = "N", env = "LEXCHAT_BINARY_ATTACHMENTS", default_value_t = 10)]
    pub binary_attachments: usize,
    /// Largest file, in bytes
    #[arg(long, value_name = "BYTES", env = "LEXCHAT_FILE_SIZE", default_value_t = 100 << 20)]
    pub file_size: u64,
    /// Files and addresses of one message, at most 1000
    #[arg(long, value_name = "N", env = "LEXCHAT_FILES_PER_MESSAGE", default_value_t = 20)]
    #[arg(value_parser = RangedU64ValueParser::<usize>::new().range(0..=1000))]
    pub files_per_message: usize,
    /// Bytes of files that one person may keep
    #[arg(long, value_name = "BYTES", env = "LEXCHAT_USER_QUOTA", default_value_t = 5 << 30)]
    pub user_quota: u64,
    /// Sockets of one person
    #[arg(long, value_name = "N", env = "LEXCHAT_SOCKETS_PER_USER", default_value_t = 50)]
    #[arg(value_parser = at_least::<usize>(1))]
    pub sockets_per_user: usize,
    /// Sockets of one address that have not signed in yet
    #[arg(long, value_name = "N", env = "LEXCHAT_SOCKETS_PER_ADDRESS", default_value_t = 100)]
    #[arg(value_parser = at_least::<usize>(1))]
    pub sockets_per_address: usize,
    /// Bytes that may wait for one slow socket before it is closed
    #[arg(long, value_name = "BYTES", env = "LEXCHAT_SOCKET_QUEUE", default_value_t = 1 << 20)]
    #[arg(value_parser = at_least::<usize>(512 << 10))]
    pub socket_queue: usize,
    /// Milliseconds between pings
    #[arg(long, value_name = "MS", env = "LEXCHAT_PING_INTERVAL", default_value_t = 25_000)]
    #[arg(value_parser = at_least::<u64>(1))]
    pub ping_interval: u64,
    /// Milliseconds that a pong may take
    #[arg(long, value_name = "MS", env = "LEXCHAT_PING_TIMEOUT", default_value_t = 20_000)]
    #[arg(value_parser = at_least::<u64>(1))]
    pub ping_timeout: u64,
}

/// Below that nothing would work.
fn at_least<T: TryFrom<u64> + Clone + Send + Sync + 'static>(least: u64) -> RangedU64ValueParser<T> {
    RangedU64ValueParser::new().range(least..)
}

/// What is written to the log.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Logs")]
pub struct Logs {
    /// Readable text, or one JSON object per line
    #[arg(long, value_name = "FORMAT", env = "LEXCHAT_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// What is logged: error, warn, info, debug, or finer (lexchat::http=debug)
    #[arg(long, value_name = "FILTER", env = "LEXCHAT_LOG", default_value = "info")]
    pub log: String,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Who may sign up without invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SignUp {
    /// Clients; jurists need an invitation.
    Clients,
    /// Nobody.
    Closed,
}

/// `lexchat user`.
#[derive(Debug, Args)]
pub struct User {
    /// What to do.
    #[command(subcommand)]
    pub command: UserCommand,
}

/// What can be done with people's accounts.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Open an account
    Add(UserAdd),
    /// List everybody
    List(UserList),
    /// Set somebody's password and end their sessions
    Passwd(UserPasswd),
    /// Close somebody's account: they cannot sign in, and their sockets are closed
    Disable(UserNamed),
    /// Open a closed account again
    Enable(UserNamed),
}

/// `lexchat user add`.
#[derive(Debug, Args)]
pub struct UserAdd {
    /// The address to sign in with
    #[arg(long)]
    pub email: String,
    /// Full name
    #[arg(long)]
    pub name: String,
    /// client, juriste or admin
    #[arg(long)]
    pub role: String,
    /// A jurist's field of law
    #[arg(long)]
    pub specialty: Option<String>,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: Password,
    /// Where the database is.
    #[command(flatten)]
    pub database: Database,
}

/// Where a password comes from: never the command line, which others can see.
#[derive(Debug, Args)]
pub struct Password {
    /// Read the password from the first line of standard input instead of asking for it
    #[arg(long)]
    pub password_stdin: bool,
}

/// `lexchat user list`.
#[derive(Debug, Args)]
pub struct UserList {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Where the database is.
    #[command(flatten)]
    pub database: Database,
}

/// `lexchat user passwd`.
#[derive(Debug, Args)]
pub struct UserPasswd {
    /// The address that they sign in with
    pub email: String,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: Password,
    /// Where the database is.
    #[command(flatten)]
    pub database: Database,
}

/// `lexchat user disable`, `lexchat user enable`.
#[derive(Debug, Args)]
pub struct UserNamed {
    /// The address that they sign in with
    pub email: String,
    /// Where the database is.
    #[command(flatten)]
    pub database: Database,
}

/// `lexchat setup-link`.
#[derive(Debug, Args)]
pub struct SetupLink {
    /// The address that people use
    #[arg(long, value_name = "URL", env = "LEXCHAT_PUBLIC_URL", default_value = "http://localhost:3000")]
    pub public_url: String,
    /// Where the database is.
    #[command(flatten)]
    pub database: Database,
}

/// `lexchat backup`.
#[derive(Debug, Args)]
pub struct Backup {
    /// The copy; it must not exist yet
    pub file: PathBuf,
    /// Where the database is.
    #[command(flatten)]
    pub database: Database,
}

/// `lexchat restore`.
#[derive(Debug, Args)]
pub struct Restore {
    /// The backup
    pub file: PathBuf,
    /// Where the database is.
    #[command(flatten)]
    pub database: Database,
}

/// `lexchat check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Where the database is.
    #[command(flatten)]
    pub database: Database,
}

/// `lexchat healthcheck`.
#[derive(Debug, Args)]
pub struct Healthcheck {
    /// Where the server listens, with or without a certificate of its own
    #[arg(long, value_name = "ADDR:PORT", env = "LEXCHAT_LISTEN", default_value = "localhost:3000")]
    pub listen: String,
}

impl Cli {
    /// The command typed; without one, that of a double click.
    pub fn typed(self) -> Command {
        let typed = self.command.or_else(|| Cli::parse_from(["lexchat", "serve", "--open"]).command);
        typed.expect("`serve` was just parsed")
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Cli, Command};

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_command_means_serve_and_open() {
        let Command::Serve(serve) = Cli::parse_from(["lexchat"]).typed() else { panic!("not serve") };
        assert!(serve.open);
        assert_eq!(serve.listen, "localhost:3000");
    }

    #[test]
    fn a_limit_with_which_nothing_would_work_is_wrong_usage() {
        for (flag, value) in [
            ("--message-burst", "0"),
            ("--max-payload", "0"),
            ("--files-per-message", "1001"),
            ("--sockets-per-user", "0"),
            ("--sockets-per-address", "0"),
            ("--socket-queue", "4096"),
            ("--ping-interval", "0"),
            ("--ping-timeout", "0"),
        ] {
            assert!(Cli::try_parse_from(["lexchat", "serve", flag, value]).is_err(), "{flag} {value}");
        }
    }

    #[test]
    fn every_flag_of_serve_has_a_variable_of_its_name() {
        let cli = Cli::command();
        let serve = cli.find_subcommand("serve").unwrap();
        for flag in serve.get_arguments().filter(|flag| flag.get_id() != "help") {
            let variable = format!("LEXCHAT_{}", flag.get_long().unwrap().replace('-', "_").to_uppercase());
            assert_eq!(flag.get_env().and_then(|name| name.to_str()), Some(variable.as_str()));
        }
    }
}
