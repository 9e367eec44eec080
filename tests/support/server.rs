//! The real binary as a child process: started, watched, killed, started again on the same port and file.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::http;

/// How long a start may take, also under a tracer.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// How to start it.
#[derive(Clone, Debug)]
pub struct Setup {
    pub db: PathBuf,
    pub binary: PathBuf,
    pub arguments: Vec<String>,
    pub environment: Vec<(String, String)>,
    /// A program and its arguments that ends by becoming the server (`strace -D`, `setpriv`, `faketime -f`).
    pub wrapper: Vec<String>,
    pub port: u16,
}

/// A running server; killed when dropped.
pub struct Server {
    pub setup: Setup,
    child: Child,
    log: PathBuf,
}

impl Setup {
    /// Serves this file on a free port, with messages unlimited.
    pub fn new(db: impl Into<PathBuf>) -> Setup {
        Setup {
            db: db.into(),
            binary: PathBuf::from(env!("CARGO_BIN_EXE_lexchat")),
            arguments: vec!["--message-rate".to_owned(), "0".to_owned()],
            environment: vec![("LEXCHAT_EVENT_RATE".to_owned(), "0".to_owned())],
            wrapper: Vec::new(),
            port: free_port(),
        }
    }

    pub fn argument(mut self, argument: &str) -> Setup {
        self.arguments.push(argument.to_owned());
        self
    }

    pub fn environment(mut self, name: &str, value: &str) -> Setup {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn wrapper(mut self, words: &[&str]) -> Setup {
        self.wrapper = words.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// The command with all its words, its output not yet directed anywhere.
    pub fn command(&self) -> Command {
        let mut words = self.wrapper.clone();
        words.push(self.binary.display().to_string());
        words.extend(["serve", "--listen"].map(str::to_owned));
        words.push(self.address().to_string());
        words.extend(["--db".to_owned(), self.db.display().to_string()]);
        words.extend(self.arguments.iter().cloned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts it and waits until it is ready.
    pub async fn start(self) -> Server {
        let mut server = self.spawn();
        server.ready().await;
        server
    }

    /// Starts it and does not wait.
    pub fn spawn(self) -> Server {
        let log = std::env::temp_dir().join(format!("lexchat-{}-{}.log", std::process::id(), self.port));
        let child = self.child(&log);
        Server { setup: self, child, log }
    }

    fn child(&self, log: &Path) -> Child {
        let file = File::options().create(true).append(true).open(log).expect("the temporary folder can be written");
        let mut command = self.command();
        command.stdout(file.try_clone().expect("a file")).stderr(file);
        command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }
}

impl Server {
    pub fn address(&self) -> SocketAddr {
        self.setup.address()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until `/readyz` says 200; gives the time it took.
    pub async fn ready(&mut self) -> Duration {
        let began = Instant::now();
        loop {
            if let Ok(reply) = http::get(self.address(), "/readyz").try_send().await
                && reply.status == 200
            {
                return began.elapsed();
            }
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                panic!("the server ended with {status}:\n{}", self.log());
            }
            assert!(began.elapsed() < START_PATIENCE, "not ready in time:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until it is ready or has ended by itself; whether it is ready.
    pub async fn ready_or_ended(&mut self) -> bool {
        let began = Instant::now();
        loop {
            if self.child.try_wait().expect("a child of ours").is_some() {
                return false;
            }
            if http::get(self.address(), "/readyz").try_send().await.is_ok_and(|reply| reply.status == 200) {
                return true;
            }
            assert!(began.elapsed() < START_PATIENCE, "neither ready nor ended:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// SIGKILL, and its end awaited.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).expect("a process id")).expect("not zero");
        kill_process(pid, signal).expect("a child of ours");
    }

    /// How it ended, if it does in time.
    pub async fn ended_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let began = Instant::now();
        while began.elapsed() < patience {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                return Some(status);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        None
    }

    /// Starts it again as it was: same file, same port.
    pub async fn restart(&mut self) -> Duration {
        self.kill();
        self.child = self.setup.child(&self.log);
        self.ready().await
    }

    /// Memory of its own, in bytes (anonymous pages; files that the kernel caches do not count).
    pub fn memory_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("a running child");
        let line = status.lines().find(|line| line.starts_with("RssAnon:")).expect("Linux says so");
        let kib: u64 = line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number");
        kib * 1024
    }

    /// How many descriptors it holds.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("a running child").count()
    }

    /// The size of the write-ahead log, in bytes.
    pub fn wal_bytes(&self) -> u64 {
        beside(&self.setup.db, "-wal").metadata().map_or(0, |data| data.len())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(30).collect();
            eprintln!("--- the end of the server's log");
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
        }
        let _ = fs::remove_file(&self.log);
    }
}

/// Runs a subcommand on a database to its end: exit code, standard output and standard error together.
pub fn run(db: &Path, words: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lexchat"))
        .args(words)
        .arg("--db")
        .arg(db)
        .stdin(Stdio::null())
        .output()
        .expect("the binary was built");
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    (output.status.code(), text)
}

/// Copies a program to where a test will start it. Another process writes it: a descriptor of ours that is open for writing
/// would be inherited by whatever another test starts in that moment, and until that has become its own program Linux
/// refuses to start this one (`ETXTBSY`).
pub fn copy_program(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg(from).arg(to).status().expect("cp, which every Unix has");
    assert!(copied.success(), "room for a copy of {}", from.display());
}

/// The file beside a database with this ending: `-wal`, `-shm`.
pub fn beside(db: &Path, ending: &str) -> PathBuf {
    let mut name = db.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// A port that nobody listened on a moment ago. It lies below the range from which the kernel gives ports to clients: one
/// that tries to reconnect could otherwise take the port, or be connected to itself.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 100).expect("below 100") * 100;
    loop {
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
