//! What a test needs of the machine, and the honest word when it is not there.
//!
//! A test that cannot run here says so on its standard error and in `target/faults/not-run`. With
//! `CI=true` it fails instead.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder for what the tests leave behind: histories of failed runs, the list of what did not run.
pub fn leavings() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/faults");
    std::fs::create_dir_all(&folder).expect("target can be written");
    folder
}

/// Whether this process is root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether a program of this name can be run.
pub fn has_program(name: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .any(|folder| folder.join(name).is_file())
}

/// Whether `strace` can trace and tamper with a child here.
pub fn can_trace() -> bool {
    has_program("strace")
        && Command::new("strace")
            .args(["-qq", "-o", "/dev/null", "-e", "trace=none", "true"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
}

/// Whether images can be mounted through loop devices.
pub fn can_mount() -> bool {
    is_root() && Path::new("/dev/loop-control").exists() && has_program("mkfs.ext4") && has_program("losetup")
}

/// True when all needs are met; otherwise writes down that `test` did not run and why.
pub fn met(test: &str, needs: &[(&str, bool)]) -> bool {
    let missing: Vec<&str> = needs.iter().filter(|(_, there)| !there).map(|(what, _)| *what).collect();
    if missing.is_empty() {
        return true;
    }
    let line = format!("NOT RUN {test}: needs {}", missing.join(", "));
    eprintln!("{line}");
    let list = leavings().join("not-run");
    let mut file = std::fs::File::options().create(true).append(true).open(list).expect("target can be written");
    writeln!(file, "{line}").expect("target can be written");
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{line}");
    false
}

/// Whether the full form was asked for (`tests/run --long`).
pub fn long_form() -> bool {
    std::env::var_os("LEXCHAT_TEST_LONG").is_some()
}

/// A number of rounds: the first in the short form, the second in the long one.
pub fn rounds(short: usize, long: usize) -> usize {
    if long_form() { long } else { short }
}
