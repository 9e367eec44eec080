//! `strace` attached to a running server: syncs that fail, that come back late, or that only claim to have synced; writes
//! that are refused.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::server::Server;

/// What happens to every `fsync` and `fdatasync`, or to every write into a file, from now on.
#[derive(Clone, Copy, Debug)]
pub enum Tampering {
    /// The n-th from now fails with EIO, all others work.
    FailOnce(u32),
    /// Each begins this much later.
    Delay(Duration),
    /// None is done; all report success.
    Pretend,
    /// Each write into a file fails: whoever owns it has used up their share of the disk.
    OverQuota,
}

/// An attached tracer; dropping it lets the server go, which then runs on untouched.
pub struct Tracer {
    child: Child,
    _said: tempfile::NamedTempFile,
}

impl Tracer {
    /// Attaches and waits until the tampering is in force.
    pub fn attach(server: &Server, tampering: Tampering) -> Tracer {
        let how = match tampering {
            Tampering::FailOnce(nth) => format!("error=EIO:when={nth}"),
            Tampering::Delay(delay) => format!("delay_enter={}", delay.as_micros()),
            Tampering::Pretend => "retval=0".to_owned(),
            Tampering::OverQuota => "error=EDQUOT".to_owned(),
        };
        let calls = if matches!(tampering, Tampering::OverQuota) { "pwrite64,pwritev" } else { "fsync,fdatasync" };
        let said = tempfile::NamedTempFile::new().expect("a temporary file");
        let child = Command::new("strace")
            .args(["-f", "-o", "/dev/null", "-e", &format!("trace={calls}"), "-e"])
            .arg(format!("inject={calls}:{how}"))
            .args(["-p", &server.pid().to_string()])
            .stdin(Stdio::null())
            .stderr(File::create(said.path()).expect("a temporary file"))
            .spawn()
            .expect("strace is there");
        let began = Instant::now();
        while !fs::read_to_string(said.path()).unwrap_or_default().contains(" attached") {
            assert!(began.elapsed() < Duration::from_secs(10), "strace did not attach");
            std::thread::sleep(Duration::from_millis(5));
        }
        Tracer { child, _said: said }
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a process id")).expect("not zero");
        let _ = kill_process(pid, Signal::TERM);
        let _ = self.child.wait();
    }
}
