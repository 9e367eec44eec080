//! What the program prints: lines for people, on standard output and standard error.
//!
//! Printing never ends or holds up the program. Whoever closed the other end (`lexchat user list | head`), or stopped
//! reading from it, has seen enough. That a disk took nothing is remembered, for those whose output is all that they are for.

use std::io::{self, Write as _};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

/// How long standard error may take nothing before a complaint is given up.
const COMPLAINT_WITHIN: Duration = Duration::from_secs(1);

/// Why standard output could not be written, for the first time.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Prints a line on standard output.
pub fn say(line: &str) {
    print(format!("{line}\n").as_bytes());
}

/// Prints on standard output as it is, such as a script for a shell.
pub fn print(text: &[u8]) {
    let mut out = io::stdout();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => drop(LOST.set(error)),
        // Whoever closed the other end has seen enough.
        Ok(()) | Err(_) => {}
    }
}

/// Why something that was printed on standard output is nowhere.
pub fn lost() -> Option<&'static io::Error> {
    LOST.get()
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
