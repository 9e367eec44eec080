//! Whether the chat stays fast as it fills: cost per message, a history page and a search, with few and many stored.
//!
//! `cargo run --release --example growth -- 10000 1000000` fills one database up to each size in turn and measures
//! there. Prints milliseconds (median and worst of many) and how the last size compares with the first. The senders' own
//! ids of messages begin with the time, as the page's do; with `random-ids` among the sizes they are random altogether.

mod practice;

use std::time::{Duration, Instant};

use lexchat::auth::actor::Actor;
use lexchat::chat::contract::question::Cursor;
use lexchat::chat::contract::question::Search;
use lexchat::model::id::ConversationId;
use practice::{Practice, Texts, processor_time};

/// Sizes to measure at when none are given.
const SIZES: [usize; 2] = [10_000, 1_000_000];

/// Messages on their way at once while filling.
const WINDOW: usize = 400;

/// Messages that cost per message is measured over, at each size: more than come until the index of words is put in order.
const SAMPLE: usize = 300_000;

/// A word of this part of the stored messages' number as its rank is in about a hundred of them.
const MESSAGES_PER_RARE_RANK: usize = 66;

/// How often each question is asked.
const ROUNDS: usize = 101;

/// What was measured at one size.
struct Reading {
    name: String,
    median: Duration,
    worst: Duration,
}

#[tokio::main]
async fn main() {
    let asked: Vec<usize> = std::env::args().skip(1).filter_map(|size| size.parse().ok()).collect();
    let sizes = if asked.is_empty() { SIZES.to_vec() } else { asked };
    let folder = tempfile::tempdir().expect("a folder");
    let practice = Practice::open(folder.path()).await;
    let mut texts = Texts::new(11);
    if std::env::args().any(|argument| argument == "random-ids") {
        texts = texts.with_random_ids();
    }
    let mut stored = 0;
    let mut first: Vec<Reading> = Vec::new();
    for size in sizes {
        let sample = SAMPLE.min(size);
        practice.relay(&mut texts, size.saturating_sub(stored + sample), WINDOW).await;
        let before = processor_time();
        practice.relay(&mut texts, sample, WINDOW).await;
        let each = (processor_time() - before) / u32::try_from(sample.max(1)).expect("a small sample");
        stored = stored.max(size);
        println!("{stored} messages");
        let mut readings = vec![Reading { name: "send (processor time)".to_owned(), median: each, worst: each }];
        readings.extend(questions(&practice, &texts, stored).await);
        for (place, reading) in readings.iter().enumerate() {
            let factor = first.get(place).map(|first| reading.median.as_secs_f64() / first.median.as_secs_f64());
            let factor = factor.map_or(String::new(), |factor| format!("  {factor:5.2} × the first size"));
            println!(
                "  {:<42} {:>9.3} ms {:>9.3} ms{factor}",
                reading.name,
                millis(reading.median),
                millis(reading.worst)
            );
        }
        if first.is_empty() {
            first = readings;
        }
    }
    practice.chat.close().await;
}

async fn questions(practice: &Practice, texts: &Texts, stored: usize) -> Vec<Reading> {
    let (client, conversation) = practice.talks[0];
    let (juriste, _) = practice.talks[1];
    let page = practice.chat.list_messages(client, conversation, Cursor::Latest, 200).await.expect("a page");
    let middle = page.messages[page.messages.len() / 2].id;
    let mut readings = vec![
        history(practice, client, conversation, "history: latest 50", Cursor::Latest).await,
        history(practice, client, conversation, "history: 50 around", Cursor::Around(middle.as_i64())).await,
    ];
    let (common, usual) = (texts.at_rank(0), texts.at_rank(60));
    // In about as many messages at each size, so that each answer has a full page.
    let rank = (stored / MESSAGES_PER_RARE_RANK).clamp(1, 15_000);
    let (rare, other) = (texts.at_rank(rank), texts.at_rank(rank + 1));
    let start: String = usual.chars().take(3).collect();
    let (long_start, seldom) = (long_start(texts), texts.at_rank(15_000).chars().take(5).collect::<String>());
    let frequent = format!("\"{}\"", (0..32).map(|rank| texts.at_rank(rank)).collect::<Vec<_>>().join(" "));
    let many = (0..32).map(|rank| format!("\"{}\"", texts.at_rank(rank))).collect::<Vec<_>>().join(" ");
    for (name, query, within) in [
        ("search: commonest word", format!("\"{common}\""), None),
        ("search: usual word", format!("\"{usual}\""), None),
        ("search: word of a hundred messages", format!("\"{rare}\""), None),
        ("search: three letters", start, None),
        ("search: a usual word of four letters or more", long_start, None),
        ("search: five letters of a rare word", seldom, None),
        ("search: the 32 commonest words", many, None),
        ("search: the same as a phrase", frequent, None),
        ("search: two words", format!("\"{usual}\" \"{common}\""), None),
        (
            "search: two words that never meet",
            format!("\"{}\" \"{}\"", texts.at_rank(15_000), texts.at_rank(15_001)),
            None,
        ),
        ("search: two of a hundred messages each", format!("\"{rare}\" \"{other}\""), None),
        ("search: usual word in one conversation", format!("\"{usual}\""), Some(conversation)),
    ] {
        readings.push(search(practice, juriste, name, &query, within).await);
    }
    readings
}

/// The commonest word of at least four letters: the last word of a query also finds what goes on.
fn long_start(texts: &Texts) -> String {
    let long = (0..200).map(|rank| texts.at_rank(rank)).find(|word| word.chars().count() >= 4);
    long.unwrap_or_else(|| texts.at_rank(0)).to_owned()
}

async fn history(
    practice: &Practice,
    actor: Actor,
    conversation: ConversationId,
    name: &str,
    cursor: Cursor,
) -> Reading {
    let mut spans = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        practice.chat.list_messages(actor, conversation, cursor, 50).await.expect("a page");
        spans.push(began.elapsed());
    }
    reading(name, spans)
}

async fn search(
    practice: &Practice,
    actor: Actor,
    name: &str,
    query: &str,
    conversation_id: Option<ConversationId>,
) -> Reading {
    let mut spans = Vec::with_capacity(ROUNDS);
    let mut count = 0;
    for _ in 0..ROUNDS {
        let search = Search { query: query.to_owned(), conversation_id, ..Search::default() };
        let began = Instant::now();
        count = practice.chat.search(actor, search).await.expect("an answer").results.len();
        spans.push(began.elapsed());
    }
    reading(&format!("{name} ({count})"), spans)
}

fn reading(name: &str, mut spans: Vec<Duration>) -> Reading {
    spans.sort_unstable();
    Reading { name: name.to_owned(), median: spans[spans.len() / 2], worst: spans[spans.len() - 1] }
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}
