//! What it costs a message that somebody may have to be told of it: nothing is set up, or somebody asks for whom something
//! was said.
//!
//! Prints processor time per message, both in one run and in turn: in bursts, as commits carry them under load, and one
//! message at a time with a pause behind it, as from a quiet practice.
#![allow(missing_docs)]

use std::time::Duration;
use std::{fs, thread};

use lexchat::chat::handle::news::News;
use lexchat::model::id::{ConversationId, UserId};
use lexchat::model::timestamp::Timestamp;

/// Pairs of a recipient and a conversation.
const PAIRS: usize = 25;

const ROUNDS: usize = 7;

/// How long who asks gathers, where a push leaves after five seconds.
const GATHERED_FOR: Duration = Duration::from_secs(1);

/// How messages come.
struct Shape {
    name: &'static str,
    messages: usize,
    burst: usize,
    pause: Duration,
}

const SHAPES: [Shape; 3] = [
    Shape { name: "20 000/s in bursts of 40", messages: 100_000, burst: 40, pause: Duration::from_millis(2) },
    Shape { name: "500/s, one by one", messages: 2_500, burst: 1, pause: Duration::from_millis(2) },
    Shape { name: "as fast as it goes", messages: 5_000_000, burst: 5_000_000, pause: Duration::ZERO },
];

/// Processor time per message, in microseconds.
fn measure(shape: &Shape, is_wanted: bool) -> f64 {
    let news = std::sync::Arc::new(News::default());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    if is_wanted {
        news.want();
        let news = news.clone();
        runtime.spawn(async move {
            loop {
                std::hint::black_box(news.take(GATHERED_FOR).await);
            }
        });
    }
    let id = |number: usize| i64::try_from(number % PAIRS + 1).expect("few");
    let before = processor_nanos();
    for number in 0..shape.messages {
        let (user, conversation) = (UserId::new(id(number)), ConversationId::new(id(number)));
        let pair = (user.expect("positive"), conversation.expect("positive"));
        news.note(pair, Timestamp::from_millis(1));
        if (number + 1) % shape.burst == 0 && !shape.pause.is_zero() {
            thread::sleep(shape.pause);
        }
    }
    (processor_nanos() - before) as f64 / 1e3 / shape.messages as f64
}

/// What all threads have run so far. A thread's figure is brought up to date when it goes to sleep.
fn processor_nanos() -> u64 {
    thread::sleep(Duration::from_millis(100));
    let of = |task: fs::DirEntry| {
        let text = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or(0)
    };
    fs::read_dir("/proc/self/task").into_iter().flatten().flatten().map(of).sum()
}

fn main() {
    for shape in &SHAPES {
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            without.push(measure(shape, false));
            with.push(measure(shape, true));
        }
        for values in [&mut without, &mut with] {
            values.sort_by(f64::total_cmp);
        }
        let (without, with) = (without[ROUNDS / 2], with[ROUNDS / 2]);
        let more = with - without;
        println!("{}: {with:.3} µs per message with, {without:.3} µs without, {more:.3} µs more", shape.name);
    }
}
