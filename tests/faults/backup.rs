//! A copy made while people write holds all that was acknowledged before it began, and can be served.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::changes;
use crate::durability::{assert_checks, assert_sound};
use crate::history::record::Record;
use crate::support::needs;
use crate::support::server::{self, Setup};
use crate::traffic::{self, Pace, Traffic};

/// About 500 messages a second.
const STEADY: Pace = Pace { pairs: 3, window: 16, pause: Duration::from_millis(12) };

fn backup_command(db: &Path, to: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lexchat"));
    command.arg("backup").arg(to).arg("--db").arg(db);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// What a record that was written during the copy says about the copy: what it tells of may be in it. A new text is noted when it is
/// acknowledged, since its message has no id before.
fn possible(record: &Record) -> Option<Record> {
    match record.clone() {
        record @ (Record::Sent { .. } | Record::Tried { .. }) => Some(record),
        Record::Done { key, state } => Some(Record::Tried { key, state }),
        _ => None,
    }
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn a_backup_under_way_of_writing_has_all_that_was_acknowledged() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = folder.path().join("lexchat.db");
    let running = Setup::new(&db).start().await;
    let traffic = Traffic::start(running.address(), STEADY).await;
    for round in 0..needs::rounds(3, 20) {
        let acked = traffic.journal.acked();
        traffic.acked(acked + 400, Duration::from_secs(30)).await;
        let copy = folder.path().join(format!("copy{round}.db"));
        let before = traffic.journal.so_far();
        let (code, text) = tokio::task::spawn_blocking({
            let (db, copy) = (db.clone(), copy.display().to_string());
            move || server::run(&db, &["backup", &copy])
        })
        .await
        .expect("no panic");
        assert_eq!(code, Some(0), "{text}");
        let so_far = traffic.journal.so_far();
        let late = so_far[before.len()..].iter().filter_map(possible);
        let mut history: Vec<Record> = before.iter().cloned().chain(late).collect();

        let mode = fs::metadata(&copy).expect("the copy").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "a copy is as private as the original");
        assert_checks(&copy);
        let restored = folder.path().join(format!("restored{round}.db"));
        let (code, text) = server::run(&restored, &["restore", &copy.display().to_string()]);
        assert_eq!(code, Some(0), "{text}");
        let from_copy = Setup::new(&restored).start().await;
        traffic::read_stored(from_copy.address(), &traffic.conversations, &mut history).await;
        if let Some(changed) = &traffic.changed {
            changes::read_found(from_copy.address(), changed, &mut history).await;
        }
        assert_sound("backup", &history);
    }
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn a_backup_that_is_killed_leaves_nothing_under_its_final_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = folder.path().join("lexchat.db");
    let running = Setup::new(&db).start().await;
    let traffic = Traffic::start(running.address(), STEADY).await;
    traffic.acked(300, Duration::from_secs(30)).await;
    let copy = folder.path().join("copy.db");
    let began = Instant::now();
    assert!(backup_command(&db, &copy).status().expect("the binary was built").success());
    let whole_takes = began.elapsed();
    let (mut whole, mut halves) = (0, 0);
    // Killed at moments spread over as long as a whole one takes, and a little more.
    let rounds = needs::rounds(20, 100);
    for round in 0..rounds {
        let copy = folder.path().join(format!("copy{round}.db"));
        let mut child = backup_command(&db, &copy).spawn().expect("the binary was built");
        tokio::time::sleep(whole_takes.mul_f64(1.2 * round as f64 / rounds as f64)).await;
        let _ = child.kill();
        child.wait().expect("a child of ours");
        if copy.exists() {
            whole += 1;
            assert_checks(&copy);
        }
        halves += remove_halves(folder.path());
    }
    println!("{whole} of {rounds} backups were whole before they could be killed, {halves} were half made");
    assert!(halves > 0, "no kill hit a backup that was being made, which shows nothing");
}

/// Takes away what killed backups left under passing names; how many there were.
fn remove_halves(folder: &Path) -> usize {
    let names = fs::read_dir(folder).expect("our folder").map(|entry| entry.expect("an entry").path());
    let halves: Vec<_> = names.filter(|path| path.extension().is_some_and(|ending| ending == "part")).collect();
    halves.iter().for_each(|path| fs::remove_file(path).expect("a file of ours"));
    halves.len()
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn a_backup_or_restore_never_overwrites() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = folder.path().join("lexchat.db");
    let mut running = Setup::new(&db).start().await;
    let precious = folder.path().join("precious");
    fs::write(&precious, "mine").expect("room");
    let (code, text) = server::run(&db, &["backup", &precious.display().to_string()]);
    assert_ne!(code, Some(0), "{text}");
    assert_eq!(fs::read_to_string(&precious).expect("still there"), "mine");
    let copy = folder.path().join("copy.db");
    assert_eq!(server::run(&db, &["backup", &copy.display().to_string()]).0, Some(0));
    running.kill();
    let (code, text) = server::run(&db, &["restore", &copy.display().to_string()]);
    assert_ne!(code, Some(0), "a database is in that place: {text}");
    let (code, text) = server::run(&folder.path().join("new.db"), &["restore", &precious.display().to_string()]);
    assert_ne!(code, Some(0), "not a backup: {text}");
    assert!(!folder.path().join("new.db").exists());
}
