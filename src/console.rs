//! What the program prints: lines for people, on standard output and standard error.
//!
//! Printing never ends or holds up the program. Whoever closed the other end (`lexchat user list | head`), or stopped
//! reading from it, has seen enough.

use std::io::{self, Write as _};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long standard error may take nothing before a complaint is given up.
const COMPLAINT_WITHIN: Duration = Duration::from_secs(1);

/// Prints a line on standard output.
pub fn say(line: &str) {
    write(io::stdout(), &format!("{line}\n"));
}

/// Prints on standard output as it is, such as a script for a shell.
pub fn print(text: &[u8]) {
    let mut out = io::stdout();
    let _nobody_reads = out.write_all(text).and_then(|()| out.flush());
}

/// Asks on standard error, without ending the line.
pub fn prompt(text: &str) {
    write(io::stderr(), text);
}

/// Prints a line on standard error: why the program ends. A pipe that is full because nobody reads it does not keep the
/// process alive.
pub fn complain(line: &str) {
    let text = format!("{line}\n");
    let (written, done) = mpsc::channel::<()>();
    let writing = thread::Builder::new().name("complaint".to_owned()).spawn(move || {
        write(io::stderr(), &text);
        drop(written);
    });
    if writing.is_ok() {
        let _given_up = done.recv_timeout(COMPLAINT_WITHIN);
    }
}

fn write(mut to: impl io::Write, text: &str) {
    let _nobody_reads = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}
