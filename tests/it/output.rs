//! Standard output and standard error that cannot be written, or that nobody reads: nothing stops for it, and nothing
//! panics.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tempfile::TempDir;

use crate::support::http;
use crate::support::people;
use crate::support::server::Setup;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// More lines of a log than a pipe takes.
const REQUESTS: usize = 1500;

/// What a program's output is connected to.
#[derive(Clone, Copy, Debug)]
enum End {
    /// A disk without space.
    Full,
    /// A pipe whose reader has ended.
    Broken,
    /// A pipe whose reader does not read.
    Stalled,
}

impl End {
    /// The end to write to; what must be kept for as long as the program runs.
    fn open(self) -> (Stdio, Option<std::io::PipeReader>) {
        if let End::Full = self {
            return (File::options().write(true).open("/dev/full").expect("Linux has it").into(), None);
        }
        let (reader, writer) = std::io::pipe().expect("a pipe");
        (writer.into(), Some(reader).filter(|_| matches!(self, End::Stalled)))
    }
}

struct Running {
    at: SocketAddr,
    child: Child,
    _folder: TempDir,
    _unread: Vec<Option<std::io::PipeReader>>,
}

impl Running {
    async fn start(end: End) -> Running {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let setup = Setup::new(folder.path().join("lexchat.db")).argument("--log").argument("debug");
        let ((out, unread_out), (error, unread_error)) = (end.open(), end.open());
        let child = setup.command().stdout(out).stderr(error).spawn().expect("the binary was built");
        let running = Running { at: setup.address(), child, _folder: folder, _unread: vec![unread_out, unread_error] };
        let began = Instant::now();
        while !http::get(running.at, "/readyz").try_send().await.is_ok_and(|reply| reply.status == 200) {
            assert!(began.elapsed() < PATIENCE, "{end:?}: not ready");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        running
    }

    /// SIGTERM, and how it ends.
    async fn stop(mut self) -> ExitStatus {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a process id")).expect("not zero");
        kill_process(pid, Signal::TERM).expect("a child of ours");
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not end");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_takes_never_stops_the_chat() {
    for end in [End::Full, End::Broken, End::Stalled] {
        let running = Running::start(end).await;
        let at = running.at;
        let (client, jurist) = (people::sign_in(at, "client1").await, people::sign_in(at, "juriste1").await);
        let conversation = people::conversation(at, &client, &jurist).await;
        for _ in 0..REQUESTS {
            http::get(at, "/healthz").send().await.expect(200);
        }
        let body = json!({ "conversationId": conversation, "content": "malgré tout" });
        http::post(at, "/messages", &body).token(&client.token).send().await.expect(201);
        http::get(at, "/readyz").send().await.expect(200);
        let status = running.stop().await;
        assert_eq!(status.code(), Some(0), "{end:?}");
    }
}

#[test]
fn nothing_that_is_printed_panics_where_it_cannot_be_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = folder.path().join("lexchat.db");
    let seeded = lexchat::store::database::settings::Settings {
        path: db.clone(),
        missing: lexchat::store::database::settings::Missing::CreateDemo,
        readers_max: 1,
    };
    drop(lexchat::store::database::open::Db::open(&seeded).expect("a database"));
    let lines: [&[&str]; 9] = [
        &["--help"],
        &["--version"],
        &["serve", "--help"],
        &["openapi"],
        &["completions", "bash"],
        &["user", "list"],
        &["user", "list", "--json"],
        &["check"],
        &["serve", "--listen", "nowhere"],
    ];
    for words in lines {
        for end in [End::Full, End::Broken] {
            let (code, text) = printed(words, &db, end, false);
            assert!(!text.contains("panicked") && code.is_some_and(|code| code != 101), "{words:?} {end:?}: {text}");
            // What clap prints by itself is help for people.
            let is_lost = matches!((words[0], end), ("openapi" | "completions" | "user" | "check", End::Full));
            assert_eq!(text.contains("could not be written"), is_lost, "{words:?} {end:?}: {text}");
            assert!(!is_lost || code == Some(1), "{words:?} {end:?}: {code:?}");
            let (code, _) = printed(words, &db, end, true);
            assert!(code.is_some_and(|code| code != 101), "{words:?} {end:?}, with standard error broken too");
        }
    }
}

/// Runs the program with its output broken: exit code, and what it said on standard error if that is not broken too.
fn printed(words: &[&str], db: &Path, end: End, errors_too: bool) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lexchat"));
    command.args(words).env("LEXCHAT_DB", db).stdin(Stdio::null()).stdout(end.open().0);
    command.stderr(if errors_too { end.open().0 } else { Stdio::piped() });
    let output = command.spawn().and_then(Child::wait_with_output).expect("the binary was built");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}
