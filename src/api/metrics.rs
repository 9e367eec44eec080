//! `/metrics`: metrics for Prometheus, in base units. Numbers only: no names, no addresses, no text of anybody.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use hyper::StatusCode;
use subtle::ConstantTimeEq as _;

use crate::api::call::Call;
use crate::api::counters::{Connected, Counters};
use crate::api::reply::Answer;
use crate::chat::billing::exports::Billed;
use crate::chat::contract::error::{Code, Error, Reason};
use crate::chat::handle::completion::Health;
use crate::chat::people::administration::Measured;
use crate::http::response;
use crate::model::delivery::Channel;
use crate::model::timestamp::Timestamp;
use crate::store::outbox::Backlog;

/// `GET /metrics`: for callers at this machine, and for whoever has the operator's token.
pub async fn show(call: Call) -> Answer {
    if !call.request.direct_from_loopback && !has_token(&call) {
        return Err(Error::from(Reason::TokenMissing));
    }
    let settings = &call.api.settings;
    // What cannot be counted now is left out: the rest is wanted all the more then.
    let measured = call.chat().measure(&settings.database).await.ok();
    let mut text = Exposition(String::with_capacity(8192));
    process(&mut text, &call);
    sockets(&mut text, &(settings.connected)());
    writer(&mut text, &call);
    if let Some(measured) = measured {
        sizes(&mut text, &measured);
        if let Some(rules) = call.chat().settings().recordings {
            text.gauge("lexchat_recording_bytes_max", "Bytes that all recordings may have together.")
                .value(rules.total_bytes_max as f64);
        }
    }
    if let Ok(billed) = call.chat().measure_billing().await {
        bills(&mut text, &billed);
    }
    if let Ok(backlogs) = call.chat().load_backlogs().await {
        deliveries(&mut text, &call, &backlogs);
    }
    answers(&mut text, &call.api.counters);
    Ok(response::full(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text.0))
}

fn process(text: &mut Exposition, call: &Call) {
    let settings = &call.api.settings;
    let build = format!("version=\"{}\",schema=\"{}\"", env!("CARGO_PKG_VERSION"), call.chat().schema_version());
    text.gauge("lexchat_build_info", "The version of the program and of its database.").labelled(&build, 1.0);
    let uptime = settings.started.elapsed();
    let started = SystemTime::now().checked_sub(uptime).and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    text.gauge("process_start_time_seconds", "When the server started, in seconds since 1970.")
        .value(started.map_or(0.0, |since| since.as_secs_f64().round()));
    text.gauge("lexchat_uptime_seconds", "How long the server has been running.").value(uptime.as_secs_f64().floor());
    let is_ready = call.chat().health() == Health::Open;
    text.gauge("lexchat_ready", "1 while everything that is acknowledged can be stored, else 0.").value(flag(is_ready));
    let demo = call.chat().demo_accounts().load(Ordering::Relaxed);
    text.gauge("lexchat_demo_accounts", "1 while a password that everybody knows opens an account.").value(flag(demo));
    if let Some(identity) = &settings.identity {
        text.gauge(
            "lexchat_certificate_expires_timestamp_seconds",
            "When the server's own certificate ends, in seconds since 1970.",
        )
        .value(identity.certificate().ends_s() as f64);
    }
}

fn sockets(text: &mut Exposition, connected: &Connected) {
    text.gauge("lexchat_sessions", "Transport sessions that are open, signed in or not.")
        .value(connected.sessions as f64);
    text.gauge("lexchat_sockets", "Sockets that belong to somebody.").value(connected.sockets as f64);
    text.gauge("lexchat_queue_bytes", "Bytes that wait for all sockets together.").value(connected.queue_bytes as f64);
    text.counter("lexchat_socket_refused_total", "Events and connections of sockets that were refused, by code.")
        .by_code(&connected.refused);
    let mut endpoint =
        text.counter("lexchat_endpoint_refused_total", "Requests to the socket endpoint that were refused, by reason.");
    for (reason, count) in &connected.endpoint_refused {
        endpoint.labelled(&format!("reason=\"{reason}\""), *count as f64);
    }
}

fn writer(text: &mut Exposition, call: &Call) {
    let done = call.chat().metrics();
    text.counter("lexchat_commits_total", "Batches of changes that were committed.").value(done.commits as f64);
    text.counter(
        "lexchat_commit_seconds_total",
        "How long all commits took, from their first change to the end of the sync.",
    )
    .value(done.commit_us as f64 / 1e6);
    text.counter("lexchat_changes_total", "Changes in these batches, refused ones included.")
        .value(done.changes as f64);
    text.counter("lexchat_messages_total", "Messages that were sent.").value(done.messages as f64);
    text.gauge("lexchat_changes_waiting", "Changes that wait for the writer.").value(call.chat().waiting() as f64);
    text.counter("lexchat_changes_refused_total", "Changes that were refused, by code.").by_code(&done.refused);
}

fn sizes(text: &mut Exposition, measured: &Measured) {
    let Measured { statistics, wal_bytes, disk_free_bytes, last_backup_s } = measured;
    text.gauge("lexchat_users", "Accounts that work.").value(statistics.active_users as f64);
    text.gauge("lexchat_conversations", "Conversations.").value(statistics.conversations as f64);
    text.gauge("lexchat_attachments", "Files.").value(statistics.attachments as f64);
    text.gauge("lexchat_attachment_bytes", "Bytes of all files.").value(statistics.attachment_bytes as f64);
    text.counter("lexchat_calls_total", "Calls since the beginning, answered or not.").value(statistics.calls as f64);
    text.gauge("lexchat_calls_live", "Calls that ring or go on.").value(statistics.live_calls as f64);
    text.gauge("lexchat_recordings", "Recordings of calls that are kept or arriving.")
        .value(statistics.recordings as f64);
    text.gauge("lexchat_recording_bytes", "Bytes of all recordings.").value(statistics.recording_bytes as f64);
    text.gauge("lexchat_recordings_refused", "Recordings of services that not everybody had agreed to, of 30 days.")
        .value(statistics.refused_recordings as f64);
    text.gauge("lexchat_database_bytes", "Bytes of the database file.").value(statistics.database_bytes as f64);
    text.gauge("lexchat_wal_bytes", "Bytes of the database's write-ahead log.").value(*wal_bytes as f64);
    if let Some(free) = disk_free_bytes {
        text.gauge("lexchat_disk_free_bytes", "Bytes that are free where the database lies.").value(*free as f64);
    }
    if let Some(at) = last_backup_s {
        text.gauge(
            "lexchat_last_backup_timestamp_seconds",
            "When `lexchat backup` last made a copy, in seconds since 1970.",
        )
        .value(*at as f64);
    }
}

fn bills(text: &mut Exposition, billed: &Billed) {
    text.gauge("lexchat_invoices", "Invoices and credit notes that were issued.").value(billed.issued as f64);
    text.gauge("lexchat_invoices_overdue", "Invoices that should have been paid by now.").value(billed.overdue as f64);
    text.gauge("lexchat_documents_waiting", "Issued invoices whose document is still to be made.")
        .value(billed.unprinted as f64);
    text.gauge("lexchat_billing_on_hold", "1 after a restore, until an administrator resumes billing.")
        .value(flag(billed.is_on_hold));
    text.gauge("lexchat_stripe_waiting", "Payment pages and refunds that Stripe is being asked about.")
        .value(billed.waiting as f64);
    text.gauge("lexchat_refunds_failed", "Refunds that Stripe refused, or that came back.")
        .value(billed.refunds_failed as f64);
    let mut events = text.counter("lexchat_stripe_events_total", "Events that Stripe told, by what they came to.");
    for (outcome, count) in &billed.events {
        events.labelled(&format!("outcome=\"{outcome}\""), *count as f64);
    }
}

fn deliveries(text: &mut Exposition, call: &Call, backlogs: &[(Backlog, Option<String>)]) {
    let mut done = text.counter("lexchat_deliveries_total", "Mails and pushes, by channel and what became of a try.");
    for (channel, result, count) in call.chat().deliveries().read() {
        done.labelled(&format!("channel=\"{}\",result=\"{result}\"", channel.as_str()), count as f64);
    }
    let now = Timestamp::now();
    let of = |channel| backlogs.iter().map(|(backlog, _)| backlog).find(|backlog| backlog.channel == channel);
    let mut waiting = text.gauge("lexchat_deliveries_waiting", "Mails and pushes that are still to leave.");
    for channel in Channel::ALL {
        let count = of(*channel).map_or(0, |backlog| backlog.waiting);
        waiting.labelled(&format!("channel=\"{}\"", channel.as_str()), count as f64);
    }
    let mut oldest = text.gauge("lexchat_deliveries_oldest_seconds", "Since when the oldest of them has waited.");
    for channel in Channel::ALL {
        let age = of(*channel).map_or(0.0, |backlog| now.since(backlog.oldest_at).as_secs_f64());
        oldest.labelled(&format!("channel=\"{}\"", channel.as_str()), age);
    }
}

fn answers(text: &mut Exposition, counters: &Counters) {
    let mut answered = text.counter("lexchat_http_answers_total", "Answers over HTTP, by class of their status.");
    for (place, count) in counters.by_status_class.iter().enumerate() {
        answered.labelled(&format!("class=\"{}xx\"", place + 1), count.load(Ordering::Relaxed) as f64);
    }
    let mut refused = text.counter("lexchat_http_refused_total", "Refusals over HTTP, by code and reason.");
    for (reason, count) in Reason::ALL.iter().zip(&counters.refused) {
        let labels = format!("code=\"{}\",reason=\"{}\"", reason.code().as_str(), reason.name());
        refused.labelled(&labels, count.load(Ordering::Relaxed) as f64);
    }
}

fn has_token(call: &Call) -> bool {
    let (Some(expected), Some(shown)) = (&call.api.settings.metrics_token, call.request.bearer()) else { return false };
    expected.as_bytes().ct_eq(shown.as_bytes()).into()
}

fn flag(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

/// The text format of Prometheus, version 0.0.4: families with a help and a type, each written once.
///
/// <https://prometheus.io/docs/instrumenting/exposition_formats/>
struct Exposition(String);

impl Exposition {
    fn gauge(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "gauge", help)
    }

    fn counter(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "counter", help)
    }

    fn family(&mut self, name: &'static str, kind: &str, help: &str) -> Family<'_> {
        write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n").expect("a String takes every text");
        Family { text: &mut self.0, name }
    }
}

/// What is said about one name.
struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl Family<'_> {
    fn value(self, value: f64) {
        writeln!(self.text, "{} {value}", self.name).expect("a String takes every text");
    }

    fn labelled(&mut self, labels: &str, value: f64) {
        writeln!(self.text, "{}{{{labels}}} {value}", self.name).expect("a String takes every text");
    }

    fn by_code(mut self, counts: &[u64; Code::ALL.len()]) {
        for (code, count) in Code::ALL.iter().zip(counts) {
            self.labelled(&format!("code=\"{}\"", code.as_str()), *count as f64);
        }
    }
}
