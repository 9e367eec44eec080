//! Calls, as typed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Who may call whom, and how browsers find each other.
#[derive(Debug, Args)]
#[command(next_help_heading = "Calls")]
pub struct Calls {
    /// Who may start calls
    #[arg(long, value_name = "WHO", env = "LEXCHAT_CALLS", default_value = "all")]
    pub calls: Callers,
    /// A STUN or TURN server for calls between networks: `stun:host`, `turn:host?transport=udp`, `turns:host` (repeatable)
    #[arg(long, value_name = "ADDRESS", env = "LEXCHAT_ICE_SERVER", value_delimiter = ',')]
    pub ice_server: Vec<String>,
    /// A file with the secret that the TURN servers share (`static-auth-secret` of coturn)
    #[arg(long, value_name = "FILE", env = "LEXCHAT_TURN_SECRET_FILE")]
    pub turn_secret_file: Option<PathBuf>,
    /// Send all sound and pictures through the TURN servers, so that nobody learns the address of the other
    #[arg(long, env = "LEXCHAT_ICE_RELAY_ONLY", value_parser = clap::builder::FalseyValueParser::new())]
    pub ice_relay_only: bool,
    /// A Jitsi server that calls go through
    #[arg(long, value_name = "URL", env = "LEXCHAT_JITSI_URL", requires = "jitsi_app_id")]
    pub jitsi_url: Option<String>,
    /// This application's id at the Jitsi server
    #[arg(long, value_name = "ID", env = "LEXCHAT_JITSI_APP_ID", requires = "jitsi_url")]
    pub jitsi_app_id: Option<String>,
    /// A file with the secret that the Jitsi server shares (HS256)
    #[arg(
        long,
        value_name = "FILE",
        env = "LEXCHAT_JITSI_SECRET_FILE",
        requires = "jitsi_url",
        conflicts_with = "jitsi_key_file"
    )]
    pub jitsi_secret_file: Option<PathBuf>,
    /// A private RSA key in PEM whose public key the Jitsi server knows (RS256)
    #[arg(long, value_name = "FILE", env = "LEXCHAT_JITSI_KEY_FILE", requires_all = ["jitsi_url", "jitsi_key_id"])]
    pub jitsi_key_file: Option<PathBuf>,
    /// The id by which the Jitsi server knows that key
    #[arg(long, value_name = "ID", env = "LEXCHAT_JITSI_KEY_ID", requires = "jitsi_key_file")]
    pub jitsi_key_id: Option<String>,
}

/// Who may start calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Callers {
    /// Nobody; there are no calls.
    Off,
    /// Jurists; clients answer.
    Juriste,
    /// Jurists and clients.
    All,
}
