//! `/metrics`: figures for Prometheus. Numbers only: no names, no addresses, no text of anybody.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::StatusCode;
use subtle::ConstantTimeEq as _;

use crate::api::call::Call;
use crate::api::reply::Answer;
use crate::chat::error::{Code, Error, Reason};
use crate::chat::figures::Tally;
use crate::http::response;

/// How the sockets are at this moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Connected {
    /// Connections of the protocol, whether or not somebody signed in on them.
    pub sessions: u64,
    /// Those that belong to somebody.
    pub sockets: u64,
    /// Bytes that wait for all of them together.
    pub queue_bytes: u64,
    /// Events and connections refused since the start, in the order of [`Code::ALL`].
    pub refused: [u64; Code::ALL.len()],
}

/// What was answered over HTTP since the start.
#[derive(Debug, Default)]
pub struct Counters {
    by_status_class: [AtomicU64; 5],
    /// Refusals by code.
    pub refused: Tally,
}

impl Counters {
    /// One more answer with this status.
    pub fn answered(&self, status: u16) {
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        self.by_status_class[class].fetch_add(1, Ordering::Relaxed);
    }
}

/// `GET /metrics`: for callers at this machine, and for whoever has the operator's token.
pub async fn show(call: Call) -> Answer {
    if !call.request.direct_from_loopback && !has_token(&call) {
        return Err(Error::from(Reason::TokenMissing));
    }
    let mut text = String::with_capacity(4096);
    let (settings, counters) = (&call.api.settings, &call.api.counters);
    line(&mut text, "lexchat_uptime_seconds", "gauge", "", settings.started.elapsed().as_secs());
    let connected = (settings.connected)();
    line(&mut text, "lexchat_sessions", "gauge", "", connected.sessions);
    line(&mut text, "lexchat_sockets", "gauge", "", connected.sockets);
    line(&mut text, "lexchat_queue_bytes", "gauge", "", connected.queue_bytes);
    lines_by_code(&mut text, "lexchat_socket_refused_total", connected.refused);
    let pen = call.chat().figures();
    line(&mut text, "lexchat_commits_total", "counter", "", pen.commits);
    line(&mut text, "lexchat_commit_microseconds_total", "counter", "", pen.commit_us);
    line(&mut text, "lexchat_changes_total", "counter", "", pen.changes);
    line(&mut text, "lexchat_messages_total", "counter", "", pen.messages);
    line(&mut text, "lexchat_changes_waiting", "gauge", "", call.chat().waiting() as u64);
    lines_by_code(&mut text, "lexchat_changes_refused_total", pen.refused);
    for (place, count) in counters.by_status_class.iter().enumerate() {
        let label = format!("{{class=\"{}xx\"}}", place + 1);
        line(&mut text, "lexchat_http_answers_total", "counter", &label, count.load(Ordering::Relaxed));
    }
    lines_by_code(&mut text, "lexchat_http_refused_total", counters.refused.read());
    Ok(response::full(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text))
}

fn has_token(call: &Call) -> bool {
    let (Some(expected), Some(shown)) = (&call.api.settings.metrics_token, call.request.bearer()) else { return false };
    expected.as_bytes().ct_eq(shown.as_bytes()).into()
}

fn lines_by_code(text: &mut String, name: &str, counts: [u64; Code::ALL.len()]) {
    for (code, count) in Code::ALL.iter().zip(counts) {
        line(text, name, "counter", &format!("{{code=\"{}\"}}", code.as_str()), count);
    }
}

fn line(text: &mut String, name: &str, kind: &str, label: &str, value: u64) {
    let typed = format!("# TYPE {name} {kind}\n");
    if !text.contains(&typed) {
        text.push_str(&typed);
    }
    writeln!(text, "{name}{label} {value}").expect("a String takes every text");
}
