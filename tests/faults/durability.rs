//! What was acknowledged is there, whatever happens to the process.

use std::path::Path;
use std::time::Duration;

use crate::changes;
use crate::history::checker;
use crate::history::record::{self, Record};
use crate::support::needs;
use crate::support::server::{self, Server, Setup};
use crate::traffic::{self, Pace, Traffic};

/// As fast as they can, both directions.
pub const BUSY: Pace = Pace { pairs: 3, window: 16, pause: Duration::ZERO };

/// Fails the test with the first faults; the history stays in `target/faults` for `check_history`.
pub fn assert_sound(name: &str, history: &[Record]) {
    let faults = checker::check(history);
    if faults.is_empty() {
        return;
    }
    let path = needs::leavings().join(format!("{name}.jsonl"));
    record::save(history, &path).expect("target can be written");
    let first: Vec<String> = faults.iter().take(10).map(ToString::to_string).collect();
    panic!("{} faults, the history is in {}:\n{}", faults.len(), path.display(), first.join("\n"));
}

/// The whole history of a traffic that is over, judged against what the server has.
pub async fn assert_all_kept(name: &str, server: &Server, traffic: Traffic) -> usize {
    let changed = traffic.changed.clone();
    let (journal, conversations) = traffic.finish().await;
    let mut history = journal.so_far();
    traffic::read_stored(server.address(), &conversations, &mut history).await;
    if let Some(changed) = changed {
        changes::read_found(server.address(), &changed, &mut history).await;
    }
    assert_sound(name, &history);
    journal.acked()
}

/// `lexchat check` finds nothing wrong with a database that nobody has open.
pub fn assert_checks(db: &Path) {
    let (code, text) = server::run(db, &["check"]);
    assert_eq!(code, Some(0), "{text}");
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn nothing_acknowledged_is_lost_by_sigkill() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = Setup::new(folder.path().join("lexchat.db")).start().await;
    let traffic = Traffic::start(server.address(), BUSY).await;
    let kills = needs::rounds(20, 200);
    for round in 0..kills {
        // Spread over start, first commits and full work, and the same in every run.
        let before = traffic.journal.acked();
        if round % 4 != 0 {
            traffic.acked(before + 50, Duration::from_secs(30)).await;
        }
        tokio::time::sleep(Duration::from_millis((round as u64 * 37) % 180)).await;
        server.restart().await;
    }
    let journal = traffic.journal.clone();
    let acked = assert_all_kept("sigkill", &server, traffic).await;
    server.kill();
    assert_checks(&server.setup.db);
    let (files, changes) = (journal.uploaded(), journal.done());
    assert!(files > 0 && changes > 10, "files and changes are part of it: {files}, {changes}");
    println!("SIGKILL × {kills}: {acked} messages, {files} files, {changes} changes acknowledged, all there");
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn a_server_that_starts_over_and_over_keeps_its_database_sound() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = folder.path().join("lexchat.db");
    for round in 0..needs::rounds(8, 60) {
        let setup = Setup::new(&db);
        let mut server = setup.spawn();
        tokio::time::sleep(Duration::from_millis((round as u64 * 23) % 160)).await;
        server.kill();
    }
    let server = Setup::new(&db).start().await;
    assert_eq!(traffic::conversations(server.address(), 1).await[0].members[1].id, 7, "seeded once, as ever");
}
