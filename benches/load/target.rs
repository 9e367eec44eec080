//! The server under load: started here in a directory of its own, watched through `/proc`, stopped at the end.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::http::Http;
use crate::people::{self, Account, Pair, SEEDED_PAIRS};

/// `/proc/PID/stat` counts in hundredths of a second on every architecture.
const TICK: Duration = Duration::from_millis(10);

/// What is started.
#[derive(Clone)]
pub(crate) enum Kind {
    /// The lexchat binary.
    Lexchat(PathBuf),
    /// A peer: a `server.js` for node, or a program.
    Peer(PathBuf),
}

/// How it is started: what, where, and under which tool.
#[derive(Clone)]
pub(crate) struct Recipe {
    pub(crate) kind: Kind,
    pub(crate) parent: PathBuf,
    pub(crate) under: Vec<String>,
    /// Settings of the server beside those that every measurement has, as variables.
    pub(crate) variables: Vec<(&'static str, &'static str)>,
}

/// A place with a database, in which a server can be started again and again.
pub(crate) struct Site {
    recipe: Recipe,
    dir: TempDir,
}

/// A running server.
pub(crate) struct Target {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to the first `/healthz` answered.
    pub(crate) started_in: Duration,
}

impl Site {
    /// An empty directory.
    pub(crate) fn new(recipe: &Recipe) -> io::Result<Site> {
        let dir = tempfile::Builder::new().prefix("lexchat-load").tempdir_in(&recipe.parent)?;
        Ok(Site { recipe: recipe.clone(), dir })
    }

    /// Where the database is.
    pub(crate) fn database(&self) -> PathBuf {
        self.dir.path().join("load.db")
    }

    /// The directory on whose disk all is measured.
    pub(crate) fn directory(&self) -> &Path {
        self.dir.path()
    }

    /// Starts the server and waits for its first answer.
    pub(crate) fn start(&self) -> io::Result<Target> {
        let address = free_address()?;
        let mut words: Vec<&OsStr> = self.recipe.under.iter().map(AsRef::as_ref).collect();
        match &self.recipe.kind {
            Kind::Lexchat(binary) => {
                words.extend([binary.as_os_str(), "serve".as_ref(), "--message-rate".as_ref(), "0".as_ref()])
            }
            Kind::Peer(script) if script.extension() == Some("js".as_ref()) => {
                words.extend(["node".as_ref(), script.as_os_str()])
            }
            Kind::Peer(binary) => words.push(binary.as_ref()),
        }
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        // Not by a flag: an older binary, to be compared with, knows none.
        command.env("LEXCHAT_EVENT_RATE", "0").envs(self.recipe.variables.iter().copied());
        command.args(["--listen", &address.to_string(), "--db"]).arg(self.database());
        let log = File::create(self.dir.path().join("server.log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).current_dir(self.dir.path());
        let begun = Instant::now();
        let mut target = Target { child: command.spawn()?, address, started_in: Duration::ZERO };
        while !answers(address) {
            if let Some(status) = target.child.try_wait()? {
                let log = fs::read_to_string(self.dir.path().join("server.log"))?;
                return Err(io::Error::other(format!("the server ended with {status}:\n{log}")));
            }
            if begun.elapsed() > Duration::from_secs(60) {
                return Err(io::Error::other("the server does not answer"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        target.started_in = begun.elapsed();
        Ok(target)
    }

    /// Makes the people, signs them in, opens their conversations, and stops the server again, so that what is
    /// measured next begins with a fresh process.
    pub(crate) async fn people(&self, pairs: usize) -> io::Result<Vec<Pair>> {
        let mut target = self.start()?;
        for number in self.seeded_pairs()..pairs {
            for account in people::accounts(number) {
                self.add(&target, &account).await?;
            }
        }
        let mut opened = Vec::with_capacity(pairs);
        for number in 0..pairs {
            opened.push(people::open_pair(target.address, number).await?);
        }
        target.stop()?;
        Ok(opened)
    }

    fn seeded_pairs(&self) -> usize {
        match self.recipe.kind {
            Kind::Lexchat(_) => SEEDED_PAIRS,
            Kind::Peer(_) => 0,
        }
    }

    async fn add(&self, target: &Target, account: &Account) -> io::Result<()> {
        match &self.recipe.kind {
            Kind::Lexchat(binary) => {
                let mut child = Command::new(binary)
                    .args(["user", "add", "--email", &account.email, "--name", &account.email])
                    .args(["--role", account.role, "--password-stdin", "--db"])
                    .arg(self.database())
                    .stdin(Stdio::piped())
                    .stdout(Stdio::null())
                    .spawn()?;
                child.stdin.take().expect("it was piped").write_all(account.password.as_bytes())?;
                match child.wait()?.success() {
                    true => Ok(()),
                    false => Err(io::Error::other(format!("lexchat user add refused {}", account.email))),
                }
            }
            Kind::Peer(_) => {
                let person = json!({"name": account.email, "email": account.email, "role": account.role,
                    "password": account.password});
                let mut http = Http::connect(target.address, "127.0.0.1".parse().expect("it is an address")).await?;
                http.post("/auth/sign-up", "", person).await.map(drop)
            }
        }
    }
}

impl Target {
    /// The process's id, for a profiler.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Processor time used so far, user and system, all threads.
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid()))?;
        let after_name = stat.rsplit_once(") ").ok_or(io::ErrorKind::InvalidData)?.1;
        let ticks = after_name.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum::<u32>();
        Ok(TICK * ticks)
    }

    /// Resident memory, in bytes.
    pub(crate) fn resident(&self) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or(io::ErrorKind::InvalidData)?;
        let kib = line.trim().trim_end_matches(" kB").parse::<u64>().map_err(io::Error::other)?;
        Ok(kib * 1024)
    }

    /// Waits until processor and memory have been still for a second (at most 20), then tells the memory.
    pub(crate) async fn settled_resident(&self) -> io::Result<u64> {
        let mut before = (self.cpu()?, self.resident()?);
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let now = (self.cpu()?, self.resident()?);
            if now.0 - before.0 <= 2 * TICK && now.1.abs_diff(before.1) < 64 * 1024 {
                break;
            }
            before = now;
        }
        self.resident()
    }

    /// Asks it to end, and insists after 15 s.
    pub(crate) fn stop(&mut self) -> io::Result<()> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status()?;
        for _ in 0..1500 {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.child.kill()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Times of a 4 KiB append with `fdatasync` in `dir`, sorted: what this disk asks for one durable commit.
pub(crate) fn sync_times(dir: &Path) -> io::Result<Vec<Duration>> {
    let mut file = File::create(dir.join("sync.probe"))?;
    let mut times = Vec::new();
    for _ in 0..200 {
        file.write_all(&[0x5a; 4096])?;
        let begun = Instant::now();
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    times.sort();
    Ok(times)
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// Whether the server answers `/healthz` with 200.
fn answers(address: SocketAddr) -> bool {
    let ask = || -> io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut head = [0; 12];
        io::Read::read_exact(&mut stream, &mut head)?;
        Ok(&head == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}
