//! Sends messages over some sockets, reads them on others, and measures the server meanwhile.
//!
//! It also checks what it measures: acks come in order and say success, each sender sees its own event before the ack,
//! and every receiver gets every message of its conversation, in order of `rev`, none missing, none twice.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant, UNIX_EPOCH};

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout, timeout_at};

use crate::client::{Client, Packet, succeeded};
use crate::metrics::Metrics;
use crate::target::Target;
use crate::text::Texts;
use crate::wire::position;

/// When a sender sends.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// As soon as fewer than so many messages wait for their acks.
    InFlight(usize),
    /// One message per period, whatever the acks do.
    Every(Duration),
}

/// How long and how much.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) pace: Pace,
    pub(crate) message_bytes: usize,
    pub(crate) warm_up: Duration,
    pub(crate) window: Duration,
    pub(crate) windows: usize,
}

/// The sockets of one conversation: who writes, and all others that joined.
pub(crate) struct Circle {
    pub(crate) conversation: i64,
    pub(crate) sender: Client,
    pub(crate) receivers: Vec<Client>,
}

#[derive(Default)]
struct Meter {
    acks: AtomicU64,
    is_measuring: AtomicBool,
    is_over: AtomicBool,
}

/// How many messages a circle's receivers shall have seen; known when the sender is done.
type Expected = Arc<AtomicU64>;

/// Runs the load and tells rate, processor time per message and the acks' delays.
pub(crate) async fn drive(target: &Target, circles: Vec<Circle>, load: Load) -> io::Result<Metrics> {
    let meter = Arc::new(Meter::default());
    let (mut senders, mut receivers) = (JoinSet::new(), JoinSet::new());
    let (begun, count) = (Instant::now(), circles.len());
    // Another run on the same server says other things: what was said once is acknowledged and told nobody again.
    let run = UNIX_EPOCH.elapsed().map_err(io::Error::other)?.as_millis();
    for (number, circle) in circles.into_iter().enumerate() {
        let expected: Expected = Arc::new(AtomicU64::new(u64::MAX));
        for receiver in circle.receivers {
            receivers.spawn(receive(receiver, expected.clone()));
        }
        let texts = Texts::new(number as u64 + 1);
        // Spread over the period: people do not all press Enter in the same moment.
        let first_at = match load.pace {
            Pace::InFlight(_) => begun,
            Pace::Every(period) => begun + period.mul_f64(number as f64 / count as f64),
        };
        let writer = Writer { run, client: circle.sender, conversation: circle.conversation, texts, first_at };
        senders.spawn(writer.send(load, meter.clone(), expected));
    }
    sleep(load.warm_up).await;
    meter.is_measuring.store(true, Relaxed);
    let mut windows = Vec::new();
    for _ in 0..load.windows {
        let (begun, cpu, acks) = (Instant::now(), target.cpu()?, meter.acks.load(Relaxed));
        sleep(load.window).await;
        let acks = (meter.acks.load(Relaxed) - acks) as f64;
        let cpu = (target.cpu()? - cpu).as_secs_f64() * 1e6 / acks;
        windows.push((cpu, acks / begun.elapsed().as_secs_f64()));
    }
    meter.is_measuring.store(false, Relaxed);
    meter.is_over.store(true, Relaxed);
    let mut delays = Vec::new();
    while let Some(sender) = senders.join_next().await {
        delays.append(&mut sender.map_err(io::Error::other)??);
    }
    let all_received = async {
        while let Some(receiver) = receivers.join_next().await {
            receiver.map_err(io::Error::other)??;
        }
        Ok::<_, io::Error>(())
    };
    timeout(Duration::from_secs(10), all_received).await.map_err(|_| io::Error::other("a delivery is missing"))??;
    Ok(metrics(windows, delays))
}

fn metrics(mut windows: Vec<(f64, f64)>, mut delays: Vec<Duration>) -> Metrics {
    let mut metrics = Metrics::default();
    windows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (best, middle, worst) = (windows[0], windows[windows.len() / 2], windows[windows.len() - 1]);
    metrics.push("server CPU per message", middle.0, "µs");
    metrics.push("  range, least", best.0, "µs");
    metrics.push("  range, most", worst.0, "µs");
    metrics.push("acknowledged", middle.1, "/s");
    metrics.push_times("ack after", &mut delays);
    metrics
}

/// Who writes, and when first.
struct Writer {
    /// When the measurement began: what the ids of its messages begin with.
    run: u128,
    client: Client,
    conversation: i64,
    texts: Texts,
    first_at: Instant,
}

impl Writer {
    /// Writes until the measurement is over; the acks' delays.
    async fn send(self, load: Load, meter: Arc<Meter>, expected: Expected) -> io::Result<Vec<Duration>> {
        let Writer { run, mut client, conversation, mut texts, first_at } = self;
        let mut waiting: VecDeque<(u64, Instant)> = VecDeque::new();
        let (mut delays, mut sent, mut seen) = (Vec::new(), 0_u64, 0_u64);
        let mut next_at = first_at;
        loop {
            let now = Instant::now();
            let is_over = meter.is_over.load(Relaxed);
            while !is_over && is_due(load.pace, waiting.len(), next_at, now) {
                if let Pace::Every(period) = load.pace {
                    next_at += period;
                }
                waiting.push_back((
                    feed(&mut client, &message(run, conversation, sent, &texts.next(load.message_bytes))),
                    now,
                ));
                sent += 1;
            }
            if is_over && waiting.is_empty() {
                break;
            }
            client.wire.flush().await?;
            match load.pace {
                Pace::InFlight(_) => client.wire.fill().await?,
                Pace::Every(_) => timeout_at(next_at.into(), client.wire.fill()).await.unwrap_or(Ok(()))?,
            }
            let now = Instant::now();
            while let Some(packet) = client.next()? {
                match packet {
                    Packet::Ack(number, range) => {
                        succeeded(&client.wire.bytes()[range])?;
                        let asked_at = match waiting.pop_front() {
                            Some((first, asked_at)) if first == number => asked_at,
                            _ => return Err(io::Error::other("an ack out of order")),
                        };
                        meter.acks.fetch_add(1, Relaxed);
                        if meter.is_measuring.load(Relaxed) {
                            delays.push(now - asked_at);
                        }
                        if seen + (waiting.len() as u64) < sent {
                            return Err(io::Error::other("an ack before its own event"));
                        }
                    }
                    Packet::Event(range) => seen += u64::from(is_message(&client.wire.bytes()[range])),
                    Packet::Ping | Packet::Other(_) => {}
                }
            }
        }
        expected.store(sent + 1, Relaxed);
        let last = message(run, conversation, sent, "fin de la mesure");
        client.ask("message:send", &last).await?;
        Ok(delays)
    }
}

async fn receive(mut client: Client, expected: Expected) -> io::Result<()> {
    let (mut received, mut last_rev) = (0, None);
    while received != expected.load(Relaxed) {
        client.wire.flush().await?;
        client.wire.fill().await?;
        while let Some(packet) = client.next()? {
            let Packet::Event(range) = packet else { continue };
            let event = &client.wire.bytes()[range];
            if !is_message(event) {
                continue;
            }
            let rev = rev_of(event).ok_or_else(|| io::Error::other("a message without rev"))?;
            if last_rev.is_some_and(|last| rev != last + 1) {
                return Err(io::Error::other(format!("rev {rev} after {last_rev:?}")));
            }
            last_rev = Some(rev);
            received += 1;
        }
    }
    Ok(())
}

fn is_due(pace: Pace, waiting: usize, next_at: Instant, now: Instant) -> bool {
    match pace {
        Pace::InFlight(most) => waiting < most,
        Pace::Every(_) => next_at <= now,
    }
}

fn feed(client: &mut Client, message: &str) -> u64 {
    client.feed("message:send", message)
}

fn message(run: u128, conversation: i64, number: u64, text: &str) -> String {
    // An id as long as the usual UUID, unique within the sender.
    let id = format!("load-{run:014}-{number:016}");
    format!("{{\"conversationId\":{conversation},\"content\":\"{text}\",\"clientMessageId\":\"{id}\"}}")
}

fn is_message(event: &[u8]) -> bool {
    event.starts_with(b"[\"message:new\"")
}

fn rev_of(event: &[u8]) -> Option<u64> {
    let from = position(event, b"\"rev\":")? + 6;
    let digits = event[from..].iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}
