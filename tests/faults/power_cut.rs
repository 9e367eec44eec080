//! Power cuts without special hardware.
//!
//! The database lives on an ext4 image that is a file on XFS. `cp --reflink=always` of that file while the server
//! writes is an atomic picture of what had reached the "disk": what was only in the kernel's cache is not in it. The
//! acks are read first, the picture is taken after; mounted and served, it must have every one of them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::changes;
use crate::durability::{BUSY, assert_checks, assert_sound};
use crate::history::checker::{self, Kind};
use crate::history::record::Record;
use crate::support::needs;
use crate::support::server::Setup;
use crate::support::tracer::{Tampering, Tracer};
use crate::traffic::{self, Pace, Traffic};

const MIB: u64 = 1 << 20;

/// A folder on a "disk" of which pictures can be taken.
pub struct Stage {
    root: tempfile::TempDir,
}

impl Stage {
    /// Mounts an XFS image, and in it an ext4 image; the machine must be able to.
    pub fn set_up() -> Stage {
        let stage = Stage { root: tempfile::tempdir().expect("a temporary folder") };
        for folder in ["pictures", "data", "mounted"] {
            std::fs::create_dir(stage.path(folder)).expect("an empty folder");
        }
        make_image(&stage.path("xfs.img"), 4096 * MIB);
        sh("mkfs.xfs", &["-q", "-m", "reflink=1", &stage.word("xfs.img")]);
        sh("mount", &["-o", "loop", &stage.word("xfs.img"), &stage.word("pictures")]);
        make_image(&stage.path("pictures/disk.img"), 512 * MIB);
        sh("mkfs.ext4", &["-q", &stage.word("pictures/disk.img")]);
        sh("mount", &["-o", "loop", &stage.word("pictures/disk.img"), &stage.word("data")]);
        stage
    }

    /// The folder for the database.
    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// Cuts the power: the picture is what the disk has at this moment.
    pub fn cut(&self) {
        sh("cp", &["--reflink=always", &self.word("pictures/disk.img"), &self.word("pictures/cut.img")]);
    }

    /// Mounts the last picture; its folder.
    pub fn revive(&self) -> PathBuf {
        sh("mount", &["-o", "loop", &self.word("pictures/cut.img"), &self.word("mounted")]);
        self.path("mounted")
    }

    /// Takes the picture away again.
    pub fn bury(&self) {
        sh("umount", &[&self.word("mounted")]);
        std::fs::remove_file(self.path("pictures/cut.img")).expect("the picture");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn word(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for folder in ["mounted", "data", "pictures"] {
            let _ = Command::new("umount").args(["-q", "-l"]).arg(self.path(folder)).output();
        }
    }
}

/// A file of this size that takes no room yet.
pub fn make_image(path: &Path, bytes: u64) {
    std::fs::File::create(path).and_then(|file| file.set_len(bytes)).expect("room for an image");
}

/// Runs a system tool that must succeed.
pub fn sh(program: &str, words: &[&str]) {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let output = Command::new(program).args(words).env("PATH", path).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn can_cut(test: &str) -> bool {
    needs::met(test, &[("root and loop devices", needs::can_mount()), ("mkfs.xfs", needs::has_program("mkfs.xfs"))])
}

/// What was known before the picture, and everything that was sent until it was taken.
fn history_at_cut(before: Vec<Record>, after: &[Record]) -> Vec<Record> {
    let late = after[before.len()..]
        .iter()
        .filter(|record| matches!(record, Record::Sent { .. } | Record::Tried { .. }))
        .cloned();
    let mut history = before;
    history.extend(late);
    history
}

/// Cuts once under traffic and gives the history with what the picture has.
async fn cut_and_read(stage: &Stage, traffic: &Traffic) -> Vec<Record> {
    let before = traffic.journal.so_far();
    stage.cut();
    let mut history = history_at_cut(before, &traffic.journal.so_far());
    let folder = stage.revive();
    let mut server = Setup::new(folder.join("lexchat.db")).start().await;
    traffic::read_stored(server.address(), &traffic.conversations, &mut history).await;
    if let Some(changed) = &traffic.changed {
        changes::read_found(server.address(), changed, &mut history).await;
    }
    server.kill();
    history
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn nothing_acknowledged_is_lost_by_a_power_cut() {
    if !can_cut("nothing_acknowledged_is_lost_by_a_power_cut") {
        return;
    }
    let stage = Stage::set_up();
    let server = Setup::new(stage.data().join("lexchat.db")).start().await;
    // Each cut reads all that there is: a hundred of them need a history that grows slowly.
    let pause = Duration::from_millis(if needs::long_form() { 200 } else { 20 });
    let traffic = Traffic::start(server.address(), Pace { pause, ..BUSY }).await;
    let cuts = needs::rounds(8, 100);
    for round in 0..cuts {
        let acked = traffic.journal.acked();
        traffic.acked(acked + 100, Duration::from_secs(30)).await;
        tokio::time::sleep(Duration::from_millis((round as u64 * 17) % 60)).await;
        let history = cut_and_read(&stage, &traffic).await;
        assert_checks(&stage.path("mounted/lexchat.db"));
        stage.bury();
        assert_sound("power-cut", &history);
    }
    let (acked, files) = (traffic.journal.acked(), traffic.journal.uploaded());
    let changes = traffic.journal.done();
    assert!(files > 0 && changes > 10, "files and changes are part of it: {files}, {changes}");
    println!("power cut × {cuts}: {acked} messages, {files} files, {changes} changes acknowledged, all there");
    drop(server);
}

/// The control: the same server, the same cuts, but its syncs return without syncing. If nothing were lost now, the
/// test above would show nothing.
#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn a_server_that_does_not_sync_is_seen_to_lose() {
    let name = "a_server_that_does_not_sync_is_seen_to_lose";
    if !can_cut(name) || !needs::met(name, &[("strace", needs::can_trace())]) {
        return;
    }
    let stage = Stage::set_up();
    let server = Setup::new(stage.data().join("lexchat.db")).start().await;
    let traffic = Traffic::start(server.address(), Pace { pause: Duration::from_millis(20), ..BUSY }).await;
    // Sessions and conversations are on the disk, so that what is missing later is messages alone.
    sh("sync", &["-f", &stage.word("data")]);
    let tracer = Tracer::attach(&server, Tampering::Pretend);
    let mut lost = 0;
    // The kernel writes of its own accord now and then; it cannot have done so just before each of several cuts.
    for _ in 0..4 {
        let acked = traffic.journal.acked();
        traffic.acked(acked + 200, Duration::from_secs(30)).await;
        let history = cut_and_read(&stage, &traffic).await;
        stage.bury();
        lost = checker::check(&history).iter().filter(|fault| fault.kind == Kind::Lost).count();
        if lost > 0 {
            break;
        }
    }
    println!("the control without syncs: {lost} acks and events were for messages that are gone");
    assert!(lost > 0, "a power cut that loses nothing without syncs proves nothing with them");
    drop((tracer, server));
}
