//! One event for many sockets: encoded once, queued on each session and taken out again for its WebSocket; no kernel.
#![allow(missing_docs)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lexchat::engineio::packet::{Frame, Unit};
use lexchat::engineio::session::Session;
use lexchat::engineio::session::state::{Carrier, Limits};

fn session() -> Session {
    let limits = Limits {
        ping_interval: Duration::from_secs(25),
        ping_timeout: Duration::from_secs(20),
        close_timeout: Duration::from_secs(5),
        queue_bytes_max: 1 << 20,
    };
    let mut session = Session::open(limits, Carrier::WebSocket, Frame::NOOP, Instant::now());
    drain(&mut session);
    session
}

fn drain(session: &mut Session) {
    while let Some(unit) = session.take_unit() {
        session.written(unit.cost());
    }
}

fn queue_and_take(c: &mut Criterion) {
    let mut group = c.benchmark_group("fan-out");
    let text = format!("2/chat,[\"message:new\",{{\"message\":{{\"content\":\"{}\"}}}}]", "x".repeat(400));
    for sockets in [1_usize, 50, 1000] {
        let mut sessions: Vec<Session> = std::iter::repeat_with(session).take(sockets).collect();
        group.throughput(Throughput::Elements(sockets as u64));
        group.bench_function(BenchmarkId::from_parameter(sockets), |b| {
            b.iter(|| {
                let unit = Unit::text(black_box(&text));
                for session in &mut sessions {
                    session.send(unit.clone());
                    drain(session);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, queue_and_take);
criterion_main!(benches);
