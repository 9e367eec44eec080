//! A disk that fails, fills up, is slow, or holds something that is not ours.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::durability::{BUSY, assert_all_kept, assert_checks};
use crate::power_cut::{make_image, sh};
use crate::support::server::{self, Server, Setup};
use crate::support::socket::Socket;
use crate::support::tracer::{Tampering, Tracer};
use crate::support::{http, needs};
use crate::traffic::{self, Traffic};

const MIB: u64 = 1 << 20;

fn can_trace(test: &str) -> bool {
    needs::met(test, &[("strace", needs::can_trace())])
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn after_a_failed_sync_nothing_is_acknowledged_and_the_process_ends() {
    if !can_trace("after_a_failed_sync_nothing_is_acknowledged_and_the_process_ends") {
        return;
    }
    for failing in [1, 30] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut server = Setup::new(folder.path().join("lexchat.db")).start().await;
        let traffic = Traffic::start(server.address(), BUSY).await;
        traffic.acked(20, Duration::from_secs(20)).await;
        let asking = begin_asking(&server, "/readyz").await;
        let tracer = Tracer::attach(&server, Tampering::FailOnce(failing));
        until_logged(&server, "storage has failed").await;
        assert_eq!(end_asking(asking).await.status, 503, "it says that it can promise nothing");
        let status = server.ended_within(Duration::from_secs(15)).await;
        let status = status.unwrap_or_else(|| panic!("it went on after a failed sync:\n{}", server.log()));
        assert_eq!(status.code(), Some(1), "{}", server.log());
        assert!(server.log().contains("durability"), "its last words say why:\n{}", server.log());
        drop(tracer);
        server.restart().await;
        assert_all_kept("failed-sync", &server, traffic).await;
    }
}

/// A request of which the last line is still missing: whoever is at it when the server has to stop is answered.
async fn begin_asking(server: &Server, path: &str) -> TcpStream {
    let mut stream = http::connect(server.address(), None).await.expect("it listens");
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    stream.write_all(head.as_bytes()).await.expect("it reads");
    stream
}

async fn end_asking(mut stream: TcpStream) -> http::Reply {
    stream.write_all(b"\r\n").await.expect("it reads");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("an answer");
    http::parse(&bytes).expect("a whole answer")
}

async fn until_logged(server: &Server, words: &str) {
    let began = Instant::now();
    while !server.log().contains(words) {
        assert!(began.elapsed() < Duration::from_secs(15), "it never said {words:?}:\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn nobody_is_told_before_the_sync_has_returned() {
    if !can_trace("nobody_is_told_before_the_sync_has_returned") {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Setup::new(folder.path().join("lexchat.db")).start().await;
    let pair = traffic::conversations(server.address(), 1).await.remove(0);
    let [client, jurist] = &pair.members;
    let writer = Socket::open(server.address(), &client.token).await.expect("a live session");
    let mut reader = Socket::open(server.address(), &jurist.token).await.expect("a live session");
    let place = json!({ "conversationId": pair.id });
    for socket in [&writer, &reader] {
        assert_eq!(socket.ask("conversation:join", &place).await["success"], true);
    }
    let delay = Duration::from_secs(2);
    let tracer = Tracer::attach(&server, Tampering::Delay(delay));
    let sent = Instant::now();
    let ack = writer.start("message:send", &json!({ "conversationId": pair.id, "content": "bientôt" })).await;
    assert!(reader.next_within("message:new", delay - Duration::from_millis(200)).await.is_none(), "told too early");
    let seen = traffic::all_messages(server.address(), &jurist.token, pair.id).await;
    assert!(seen.is_empty() || sent.elapsed() >= delay, "readable before it was safe: {seen:?}");
    let event = reader.next("message:new").await;
    assert!(event.at - sent >= delay, "told after {:?}", event.at - sent);
    assert_eq!(ack.await.expect("an ack")["success"], true);
    assert!(sent.elapsed() >= delay, "acknowledged after {:?}", sent.elapsed());
    drop(tracer);
}

/// An ext4 file system of 64 MiB, mounted.
struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    fn mount() -> SmallDisk {
        let disk = SmallDisk { folder: tempfile::tempdir().expect("a temporary folder") };
        let (image, point) = (disk.folder.path().join("disk.img"), disk.path());
        fs::create_dir(&point).expect("an empty folder");
        make_image(&image, 64 * MIB);
        sh("mkfs.ext4", &["-q", "-m", "0", &image.display().to_string()]);
        sh("mount", &["-o", "loop", &image.display().to_string(), &point.display().to_string()]);
        disk
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// Takes all the room that is left but for this much.
    fn fill_but(&self, rest: u64) {
        let free = rustix::fs::statvfs(self.path()).expect("a mounted disk");
        let taken = (free.f_bavail * free.f_frsize).saturating_sub(rest);
        let file = fs::File::create(self.path().join("ballast")).expect("room for a name");
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, taken).expect("room for the ballast");
    }

    fn free(&self) {
        fs::remove_file(self.path().join("ballast")).expect("the ballast");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").args(["-q", "-l"]).arg(self.path()).output();
    }
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn a_full_disk_refuses_writes_and_nothing_else() {
    let name = "a_full_disk_refuses_writes_and_nothing_else";
    if !needs::met(name, &[("root and loop devices", needs::can_mount())]) {
        return;
    }
    let disk = SmallDisk::mount();
    let mut server = Setup::new(disk.path().join("lexchat.db")).start().await;
    let pair = traffic::conversations(server.address(), 1).await.remove(0);
    let [client, jurist] = &pair.members;
    let socket = Socket::open(server.address(), &client.token).await.expect("a live session");
    disk.fill_but(2 * MIB);
    let mut kept = Vec::new();
    let refused = write_until_refused(&socket, pair.id, &mut kept).await;
    assert_eq!(refused["code"], "UNAVAILABLE", "{refused}");
    assert!(refused["error"].as_str().is_some_and(|text| !text.to_lowercase().contains("sqlite")), "{refused}");

    let path = format!("/attachments?conversationId={}&name=gros.bin", pair.id);
    let upload = || http::ask(server.address(), "POST", &path).token(&client.token).body(vec![7; 4 << 20]).send();
    assert_eq!(upload().await.expect(503).json()["code"], "UNAVAILABLE");

    let stored = traffic::all_messages(server.address(), &jurist.token, pair.id).await;
    let ids: Vec<&Value> = stored.iter().map(|message| &message["id"]).collect();
    assert_eq!(ids, kept.iter().collect::<Vec<_>>(), "what was acked is there, what was refused is not");
    http::get(server.address(), "/users/me").token(&client.token).send().await.expect(200);
    assert!(socket.is_open(), "the sessions go on");
    assert!(Socket::open(server.address(), &jurist.token).await.is_ok(), "and new sockets come in");

    disk.free();
    let resumed = until_accepted(&socket, pair.id).await;
    kept.push(resumed["message"]["id"].clone());
    let stored = traffic::all_messages(server.address(), &jurist.token, pair.id).await;
    assert_eq!(stored.len(), kept.len());
    upload().await.expect(201);
    server.kill();
    assert_checks(&server.setup.db);
}

/// A quota looks the same to a program: the system refuses to let a file grow, in other words than those for a full disk.
#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn a_limit_on_files_refuses_writes_and_nothing_else() {
    let name = "a_limit_on_files_refuses_writes_and_nothing_else";
    if !needs::met(name, &[("prlimit", needs::has_program("prlimit"))]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let limit = ["prlimit", &format!("--fsize={}:unlimited", 2 * MIB)];
    let mut server = Setup::new(folder.path().join("lexchat.db")).wrapper(&limit).start().await;
    let pair = traffic::conversations(server.address(), 1).await.remove(0);
    let [client, jurist] = &pair.members;
    let socket = Socket::open(server.address(), &client.token).await.expect("a live session");
    let mut kept = Vec::new();
    let refused = write_until_refused(&socket, pair.id, &mut kept).await;
    assert_eq!(refused["code"], "UNAVAILABLE", "{refused}");
    let stored = traffic::all_messages(server.address(), &jurist.token, pair.id).await;
    assert_eq!(stored.len(), kept.len(), "what was acked is there, what was refused is not");
    assert!(socket.is_open(), "the sessions go on");

    sh("prlimit", &["--pid", &server.pid().to_string(), "--fsize=unlimited:unlimited"]);
    kept.push(until_accepted(&socket, pair.id).await["message"]["id"].clone());
    let stored = traffic::all_messages(server.address(), &jurist.token, pair.id).await;
    assert_eq!(stored.len(), kept.len());
    server.kill();
    assert_checks(&server.setup.db);
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn a_quota_that_is_used_up_refuses_writes_until_there_is_room_again() {
    if !can_trace("a_quota_that_is_used_up_refuses_writes_until_there_is_room_again") {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = Setup::new(folder.path().join("lexchat.db")).start().await;
    let pair = traffic::conversations(server.address(), 1).await.remove(0);
    let [client, jurist] = &pair.members;
    let socket = Socket::open(server.address(), &client.token).await.expect("a live session");
    let mut kept = traffic::all_messages(server.address(), &jurist.token, pair.id).await.len();
    for _ in 0..3 {
        let tracer = Tracer::attach(&server, Tampering::OverQuota);
        let say = json!({ "conversationId": pair.id, "content": "trop" });
        for _ in 0..3 {
            let refused = socket.ask("message:send", &say).await;
            assert_eq!(refused["code"], "UNAVAILABLE", "{refused}");
        }
        drop(tracer);
        until_accepted(&socket, pair.id).await;
        kept += 1;
        let stored = traffic::all_messages(server.address(), &jurist.token, pair.id).await;
        assert_eq!(stored.len(), kept, "what was acked is there, what was refused is not");
    }
    assert!(socket.is_open(), "the sessions go on");
    server.kill();
    assert_checks(&server.setup.db);
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn a_database_that_is_taken_away_ends_the_server() {
    for ending in ["", "-wal", "-shm"] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut server = Setup::new(folder.path().join("lexchat.db")).start().await;
        let pair = traffic::conversations(server.address(), 1).await.remove(0);
        let socket = Socket::open(server.address(), &pair.members[0].token).await.expect("a live session");
        let say = json!({ "conversationId": pair.id, "content": "encore" });
        assert_eq!(socket.ask("message:send", &say).await["success"], true);
        fs::remove_file(server::beside(&server.setup.db, ending)).expect("it is there");
        let status = server.ended_within(Duration::from_secs(15)).await;
        let status = status.unwrap_or_else(|| panic!("{ending}: it went on:\n{}", server.log()));
        assert_eq!(status.code(), Some(1), "{ending}: {}", server.log());
        assert!(server.log().contains("removed or replaced"), "{ending}: {}", server.log());
    }
}

async fn write_until_refused(socket: &Socket, conversation: i64, kept: &mut Vec<Value>) -> Value {
    for n in 0..20_000 {
        let content = format!("{n} {}", "mot ".repeat(2000));
        let ack = socket.ask("message:send", &json!({ "conversationId": conversation, "content": content })).await;
        if ack["success"] != true {
            return ack;
        }
        kept.push(ack["message"]["id"].clone());
    }
    panic!("the disk never filled up");
}

async fn until_accepted(socket: &Socket, conversation: i64) -> Value {
    let began = Instant::now();
    loop {
        let ack = socket.ask("message:send", &json!({ "conversationId": conversation, "content": "enfin" })).await;
        if ack["success"] == true {
            return ack;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "still refused with room on the disk: {ack}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Starts on this file, which must be refused: exit code 3, one clear line, the port never bound.
fn assert_refused(setup: &Setup, case: &str) {
    let occupied = std::net::TcpListener::bind(setup.address()).expect("a free port");
    // With the port taken, a server that bound first would complain about the port instead.
    let mut child =
        setup.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary was built");
    let began = Instant::now();
    while child.try_wait().expect("a child of ours").is_none() {
        assert!(began.elapsed() < Duration::from_secs(15), "{case}: it goes on");
        std::thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().expect("it ended");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{case}: {text}");
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    assert!((1..=3).contains(&lines.len()), "{case}: one clear line, perhaps a way out:\n{text}");
    assert!(!text.contains("panicked") && !text.contains(&setup.port.to_string()), "{case}: {text}");
    drop(occupied);
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn a_database_that_is_not_ours_is_refused_before_the_port_is_bound() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let good = folder.path().join("good.db");
    let mut server = Setup::new(&good).start().await;
    server.kill();
    Connection::open(&good).and_then(|db| db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")).expect("ours");

    let case = |name: &str, make: &dyn Fn(&Path)| {
        let path = folder.path().join(format!("{name}.db"));
        make(&path);
        let before = fs::read(&path).ok();
        assert_refused(&Setup::new(&path), name);
        assert_eq!(fs::read(&path).ok(), before, "{name}: left as it was");
    };
    let copy = |path: &Path| {
        fs::copy(&good, path).expect("room");
    };
    let sql = |path: &Path, text: &str| Connection::open(path).and_then(|db| db.execute_batch(text)).expect("sql");
    case("a folder", &|path| fs::create_dir(path).expect("room"));
    case("text", &|path| {
        fs::write(path, "not a database, but long enough to be read as one".repeat(50)).expect("room")
    });
    case("another program's", &|path| sql(path, "PRAGMA journal_mode=WAL; CREATE TABLE songs (title TEXT)"));
    case("a newer version's", &|path| {
        copy(path);
        sql(path, "PRAGMA user_version = 9999");
    });
    case("cut short", &|path| {
        copy(path);
        let half = fs::metadata(path).expect("copied").len() / 2;
        fs::File::options().write(true).open(path).and_then(|file| file.set_len(half)).expect("cut");
    });
    case("overwritten", &|path| {
        let mut bytes = fs::read(&good).expect("readable");
        bytes[4096..40_960].fill(0xa5);
        fs::write(path, bytes).expect("room");
    });
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn a_database_that_cannot_be_used_is_refused_before_the_port_is_bound() {
    let folder = tempfile::tempdir_in("/tmp").expect("a temporary folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("ours");
    let db = folder.path().join("lexchat.db");
    let mut server = Setup::new(&db).start().await;
    server.kill();
    let binary = folder.path().join("lexchat");
    server::copy_program(&server.setup.binary, &binary);
    let mut setup = Setup::new(&db);
    setup.binary = binary;
    if needs::is_root() {
        // Root reads everything; nobody does not.
        setup = setup.wrapper(&["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]);
    }
    fs::set_permissions(&db, fs::Permissions::from_mode(0o000)).expect("ours");
    assert_refused(&setup, "unreadable");
    fs::set_permissions(&db, fs::Permissions::from_mode(0o444)).expect("ours");
    for ending in ["-wal", "-shm"] {
        let _ = fs::remove_file(server::beside(&db, ending));
    }
    assert_refused(&setup, "read-only");
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn all_that_it_writes_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = folder.path().join("made by it/lexchat.db");
    let open = ["sh", "-c", "umask 000; exec \"$@\"", "sh"];
    let server: Server = Setup::new(&db).wrapper(&open).start().await;
    traffic::conversations(server.address(), 1).await;
    for ending in ["", "-wal", "-shm"] {
        let file = server::beside(&db, ending);
        let mode = fs::metadata(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())).permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{}", file.display());
    }
    let made = fs::metadata(folder.path().join("made by it")).expect("a folder").permissions();
    assert_eq!(made.mode() & 0o777, 0o700);
}
