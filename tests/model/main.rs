//! Random commands by several people against the real right wing, and beside it a simple mirror of what should be: after
//! every step both must agree, on answers, on what was told, and on everything that can be asked. Beside them clients come
//! and go: what one knows by listening, or by catching up after it was cut off, must be the same.
//!
//! `LEXCHAT_MODEL_SEED` repeats a run, `LEXCHAT_MODEL_STEPS` makes it longer; both are printed.

#![allow(unreachable_pub, reason = "a test binary has nobody above it")]

mod check;
mod mirror;
mod play;

use std::time::{SystemTime, UNIX_EPOCH};

use play::Play;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_people_do_the_chat_and_its_mirror_agree() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    let seed = number("LEXCHAT_MODEL_SEED")
        .unwrap_or_else(|| u64::from(clock.subsec_nanos()) << 20 | clock.as_secs() & 0xfffff);
    let steps = number("LEXCHAT_MODEL_STEPS").unwrap_or(10_000);
    println!("LEXCHAT_MODEL_SEED={seed} LEXCHAT_MODEL_STEPS={steps}");
    let folder = tempfile::tempdir().expect("a folder");
    let mut play = Play::open(folder.path(), seed).await;
    for step in 0..steps {
        play.step(step).await;
    }
    play.check_everything().await;
    play.close().await;
}
