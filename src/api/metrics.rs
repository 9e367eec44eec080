//! `/metrics`: figures for Prometheus. Numbers only: no names, no addresses, no text of anybody.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::StatusCode;
use subtle::ConstantTimeEq as _;

use crate::api::call::Call;
use crate::api::reply::Answer;
use crate::chat::error::{Code, Error, Reason};
use crate::http::response;

/// What was answered over HTTP since the start.
#[derive(Debug, Default)]
pub struct Counters {
    by_status_class: [AtomicU64; 5],
    by_code: [AtomicU64; Code::ALL.len()],
}

impl Counters {
    /// One more answer with this status.
    pub fn answered(&self, status: u16) {
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        self.by_status_class[class].fetch_add(1, Ordering::Relaxed);
    }

    /// One more refusal with this code.
    pub fn refused(&self, code: Code) {
        if let Some(place) = Code::ALL.iter().position(|known| *known == code) {
            self.by_code[place].fetch_add(1, Ordering::Relaxed);
        }
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
    for (name, value) in (settings.gauges)() {
        line(&mut text, &format!("lexchat_{name}"), kind_of(name), "", value);
    }
    let pen = call.chat().figures();
    line(&mut text, "lexchat_commits_total", "counter", "", pen.commits);
    line(&mut text, "lexchat_commit_microseconds_total", "counter", "", pen.commit_us);
    line(&mut text, "lexchat_changes_total", "counter", "", pen.changes);
    line(&mut text, "lexchat_messages_total", "counter", "", pen.messages);
    line(&mut text, "lexchat_changes_waiting", "gauge", "", call.chat().waiting() as u64);
    for (code, count) in Code::ALL.iter().zip(pen.refused) {
        let label = format!("{{code=\"{}\"}}", code.as_str());
        line(&mut text, "lexchat_changes_refused_total", "counter", &label, count);
    }
    for (place, count) in counters.by_status_class.iter().enumerate() {
        let label = format!("{{class=\"{}xx\"}}", place + 1);
        line(&mut text, "lexchat_http_answers_total", "counter", &label, count.load(Ordering::Relaxed));
    }
    for (code, count) in Code::ALL.iter().zip(&counters.by_code) {
        let label = format!("{{code=\"{}\"}}", code.as_str());
        line(&mut text, "lexchat_http_refused_total", "counter", &label, count.load(Ordering::Relaxed));
    }
    Ok(response::full(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text))
}

fn has_token(call: &Call) -> bool {
    let (Some(expected), Some(shown)) = (&call.api.settings.metrics_token, call.request.bearer()) else { return false };
    expected.as_bytes().ct_eq(shown.as_bytes()).into()
}

fn kind_of(name: &str) -> &'static str {
    if name.ends_with("_total") { "counter" } else { "gauge" }
}

fn line(text: &mut String, name: &str, kind: &str, label: &str, value: u64) {
    let typed = format!("# TYPE {name} {kind}\n");
    if !text.contains(&typed) {
        text.push_str(&typed);
    }
    writeln!(text, "{name}{label} {value}").expect("a String takes every text");
}
