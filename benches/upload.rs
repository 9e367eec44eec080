//! What sending costs while somebody uploads a large file.
//!
//! Three states in turn, in one run: nothing else is written; a file arrives without a pause; the same, and with each of
//! its parts a change of a profile, which empties the memberships' cache. The third shows what it would cost if parts of
//! files emptied that cache too. Prints, for each: messages per second, processor time per message (that of the upload
//! included) and megabytes per second.

mod practice;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lexchat::auth::actor::Actor;
use lexchat::chat::contract::command::people::UpdateProfile;
use lexchat::chat::handle::chat::Chat;
use lexchat::model::id::ConversationId;
use lexchat::model::locale::Locale;

use practice::{Practice, Texts, processor_time};

/// Messages on their way at once: 25 pairs with 8 each.
const WINDOW: usize = 200;
/// How often each state is measured, and for how long.
const ROUNDS: usize = 5;
const SPAN: Duration = Duration::from_secs(3);
/// One part of the file, and how many of them make it.
const PART_BYTES: usize = 256 << 10;
const PARTS: usize = 380;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Alone,
    Upload,
    UploadWithoutCache,
}

/// Of all rounds of a state.
#[derive(Default)]
struct Measured {
    messages: usize,
    bytes: usize,
    processor: Duration,
    time: Duration,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let practice = runtime.block_on(Practice::open(folder.path()));
    let mut texts = Texts::new(7);
    let states = [
        (State::Alone, "nothing else"),
        (State::Upload, "an upload"),
        (State::UploadWithoutCache, "an upload, the cache emptied with each part"),
    ];
    let mut all = [(); 3].map(|()| Measured::default());
    for _ in 0..ROUNDS {
        for ((state, _), measured) in states.iter().zip(&mut all) {
            runtime.block_on(measure(&practice, &mut texts, *state, measured));
        }
    }
    println!("{:<45} {:>10} {:>14} {:>8}", "sending beside", "messages/s", "µs of CPU each", "MB/s");
    for ((_, name), measured) in states.iter().zip(&all) {
        let seconds = measured.time.as_secs_f64();
        println!(
            "{name:<45} {:>10.0} {:>14.1} {:>8.1}",
            measured.messages as f64 / seconds,
            measured.processor.as_secs_f64() * 1e6 / measured.messages as f64,
            measured.bytes as f64 / 1e6 / seconds,
        );
    }
    runtime.block_on(practice.chat.close());
}

async fn measure(practice: &Practice, texts: &mut Texts, state: State, measured: &mut Measured) {
    let (actor, conversation_id) = practice.talks[0];
    let is_over = Arc::new(AtomicBool::new(false));
    let uploading = (state != State::Alone)
        .then(|| tokio::spawn(upload(practice.chat.clone(), actor, conversation_id, state, Arc::clone(&is_over))));
    let (began, before) = (Instant::now(), processor_time());
    while began.elapsed() < SPAN {
        practice.relay(texts, 10 * WINDOW, WINDOW).await;
        measured.messages += 10 * WINDOW;
    }
    is_over.store(true, Ordering::Relaxed);
    if let Some(uploading) = uploading {
        measured.bytes += uploading.await.expect("an upload that does not panic");
    }
    measured.time += began.elapsed();
    measured.processor += processor_time() - before;
}

/// Uploads one large file after the other until it is over; how many bytes went in.
async fn upload(chat: Chat, actor: Actor, id: ConversationId, state: State, is_over: Arc<AtomicBool>) -> usize {
    let part = vec![0x5a; PART_BYTES];
    let mut bytes = 0;
    loop {
        let begun = chat.begin_upload(actor, id, "film.mp4".to_owned(), None).await;
        let mut file = begun.map_err(|error| error.to_string()).expect("a file that may come");
        for _ in 0..PARTS {
            if is_over.load(Ordering::Relaxed) {
                return bytes;
            }
            file.write(&part).await.map_err(|error| error.to_string()).expect("stored");
            bytes += part.len();
            if state == State::UploadWithoutCache {
                let command = UpdateProfile { name: None, locale: Some(Locale::French) };
                chat.execute(actor, command).await.map_err(|error| error.to_string()).expect("changed");
            }
        }
    }
}
