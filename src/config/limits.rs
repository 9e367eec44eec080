//! What one person or address may use up.

use std::time::Duration;

use crate::cli;

/// The limits of the product; those of the protocol are in its own settings.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Messages per second and person; 0 = unlimited.
    pub message_rate: u32,
    /// Messages at once and person.
    pub message_burst: u32,
    /// Sign-in attempts per minute and address.
    pub sign_in_rate: u32,
    /// New accounts per day from one address; 0 = unlimited.
    pub sign_up_rate: u32,
    /// How long a message may be edited or deleted; zero = always.
    pub edit_window: Duration,
    /// Binary attachments of one packet.
    pub binary_attachments_max: usize,
    /// Bytes of one file.
    pub file_bytes_max: u64,
    /// Files and addresses of one message.
    pub files_per_message_max: usize,
    /// Bytes of one person's files.
    pub user_bytes_max: u64,
    /// Sockets of one person.
    pub sockets_per_user_max: usize,
    /// Socket events of one person per second; 0 = unlimited.
    pub event_rate: u32,
    /// Socket events of one person at once.
    pub event_burst: u32,
}

impl From<&cli::limits::Limits> for Limits {
    fn from(typed: &cli::limits::Limits) -> Limits {
        Limits {
            message_rate: typed.message_rate,
            message_burst: typed.message_burst,
            sign_in_rate: typed.sign_in_rate,
            sign_up_rate: typed.sign_up_rate,
            edit_window: typed.edit_window,
            binary_attachments_max: typed.binary_attachments,
            file_bytes_max: typed.file_size,
            files_per_message_max: typed.files_per_message,
            user_bytes_max: typed.user_quota,
            sockets_per_user_max: typed.sockets_per_user,
            event_rate: typed.event_rate,
            event_burst: typed.event_burst,
        }
    }
}

/// Every limit that is in force, by the name of its flag.
pub(super) fn shown(limits: &cli::limits::Limits) -> Vec<(&'static str, String)> {
    vec![
        ("message-rate", limits.message_rate.to_string()),
        ("message-burst", limits.message_burst.to_string()),
        ("sign-in-rate", limits.sign_in_rate.to_string()),
        ("sign-up-rate", limits.sign_up_rate.to_string()),
        ("edit-window", format!("{}s", limits.edit_window.as_secs())),
        ("max-payload", limits.max_payload.to_string()),
        ("binary-attachments", limits.binary_attachments.to_string()),
        ("file-size", limits.file_size.to_string()),
        ("files-per-message", limits.files_per_message.to_string()),
        ("user-quota", limits.user_quota.to_string()),
        ("connections-per-address", limits.connections_per_address.to_string()),
        ("first-request-timeout", limits.first_request_timeout.to_string()),
        ("idle-timeout", limits.idle_timeout.to_string()),
        ("event-rate", limits.event_rate.to_string()),
        ("event-burst", limits.event_burst.to_string()),
        ("sockets-per-user", limits.sockets_per_user.to_string()),
        ("sockets-per-address", limits.sockets_per_address.to_string()),
        ("socket-queue", limits.socket_queue.to_string()),
        ("ping-interval", limits.ping_interval.to_string()),
        ("ping-timeout", limits.ping_timeout.to_string()),
    ]
}
