//! What one person or address may use up, as typed.

use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;

use crate::cli::value::{at_least, span};

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
    /// New accounts per day from one address, without invitation; 0 = unlimited
    #[arg(long, value_name = "N", env = "LEXCHAT_SIGN_UP_RATE", default_value_t = 5)]
    pub sign_up_rate: u32,
    /// How long a message may be edited or deleted, such as 24h, 30m or 7d; 0 = always
    #[arg(long, value_name = "SPAN", env = "LEXCHAT_EDIT_WINDOW", default_value = "24h", value_parser = span)]
    pub edit_window: Duration,
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
    /// Socket events per second that one person may send for long; 0 = unlimited
    #[arg(long, value_name = "N", env = "LEXCHAT_EVENT_RATE", default_value_t = 100)]
    pub event_rate: u32,
    /// Socket events that one person may send at once
    #[arg(long, value_name = "N", env = "LEXCHAT_EVENT_BURST", default_value_t = 400)]
    #[arg(value_parser = at_least::<u32>(1))]
    pub event_burst: u32,
    /// Connections of one address that have not sent a whole request yet
    #[arg(long, value_name = "N", env = "LEXCHAT_CONNECTIONS_PER_ADDRESS", default_value_t = 100)]
    #[arg(value_parser = at_least::<usize>(1))]
    pub connections_per_address: usize,
    /// Seconds that a connection may take for its first request's head
    #[arg(long, value_name = "S", env = "LEXCHAT_FIRST_REQUEST_TIMEOUT", default_value_t = 5)]
    #[arg(value_parser = at_least::<u64>(1))]
    pub first_request_timeout: u64,
    /// Seconds that a connection may idle between requests; those of trusted proxies may for five minutes
    #[arg(long, value_name = "S", env = "LEXCHAT_IDLE_TIMEOUT", default_value_t = 75)]
    #[arg(value_parser = at_least::<u64>(1))]
    pub idle_timeout: u64,
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
