//! What one durable message costs in the right wing alone: checked, stored, indexed, counted, synced, answered.
//!
//! Prints time per message as criterion sees it (wall clock, closed loop) and, beside it, processor time per message.

mod practice;

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use practice::{Practice, Texts, processor_time};

/// Messages on their way at once: 25 pairs with 8 each.
const WINDOW: usize = 200;

fn send(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let practice = runtime.block_on(Practice::open(folder.path()));
    let mut texts = Texts::new(7);
    let mut group = criterion.benchmark_group("writer");
    group.throughput(Throughput::Elements(1)).sample_size(10).measurement_time(Duration::from_secs(10));
    let (mut sent, mut taken) = (0u64, Duration::ZERO);
    group.bench_function("send", |bencher| {
        bencher.iter_custom(|count| {
            let (began, before) = (Instant::now(), processor_time());
            runtime.block_on(practice.relay(&mut texts, usize::try_from(count).expect("a count"), WINDOW));
            sent += count;
            taken += processor_time() - before;
            began.elapsed()
        });
    });
    group.finish();
    println!("writer/send: {:.1} µs of processor time per message ({sent} messages)", micros_each(taken, sent));
    runtime.block_on(practice.chat.close());
}

fn micros_each(taken: Duration, count: u64) -> f64 {
    taken.as_secs_f64() * 1e6 / count.max(1) as f64
}

criterion_group!(benches, send);
criterion_main!(benches);
