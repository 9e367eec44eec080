//! The log: lines on standard error, written by a thread of their own.
//!
//! The log never stops the server: what standard error refuses is dropped, and so is what it does not take in time, be it
//! a full disk, a pipe whose reader has ended, or one whose reader has stalled. A panic is one line of it.

use std::io::{self, IsTerminal as _, Write};
use std::panic;

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::cli::logs::{LogFormat, Logs};

/// Lines that may wait for standard error; the next ones are dropped.
const LINES_MAX: usize = 10_000;

/// The levels by their names, and by those that people type.
const LEVELS: [(&str, &str); 11] = [
    ("off", "off"),
    ("none", "off"),
    ("error", "error"),
    ("err", "error"),
    ("warn", "warn"),
    ("warning", "warn"),
    ("info", "info"),
    ("information", "info"),
    ("debug", "debug"),
    ("verbose", "debug"),
    ("trace", "trace"),
];

/// Whose lines can be asked for: ours, and those of the libraries that write some.
const TARGETS: [&str; 9] =
    ["lexchat", "hyper", "hyper_util", "mio", "rustls", "tokio", "tokio_rustls", "tokio_tungstenite", "tungstenite"];

/// Starts the log. What waits is written when the guard is dropped, within about a second.
///
/// # Errors
/// What makes no sense in the filter.
pub fn start(logs: &Logs) -> Result<WorkerGuard, String> {
    let filter = EnvFilter::try_new(directives(&logs.log)?).map_err(|error| error.to_string())?;
    // It writes whole frames: tokens and messages.
    let filter = filter.add_directive("tungstenite=warn".parse().expect("a directive"));
    let (lines, guard) =
        NonBlockingBuilder::default().buffered_lines_limit(LINES_MAX).thread_name("log").finish(Lenient(io::stderr()));
    // Colours are for people who look at it, not for files and journals.
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(lines)
        .with_ansi(colours)
        // It would complain on standard error, by a macro that panics where that is broken.
        .log_internal_errors(false);
    match logs.log_format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().init(),
    }
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string);
        let what = info.payload_as_str().unwrap_or("no text");
        let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
        tracing::error!(thread, place, what, "a panic");
    }));
    Ok(guard)
}

/// What was typed, as the filter reads it: a level for everything, finer ones for single targets. Where only single
/// targets are named the others keep `info`: a filter that silences errors is never meant unless it says `off`.
fn directives(typed: &str) -> Result<String, String> {
    let mut directives = Vec::new();
    let mut has_level = false;
    for part in typed.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (target, level) = match part.split_once('=') {
            None => (None, part),
            Some((target, level)) => (Some(target.trim()), level.trim()),
        };
        let level = LEVELS.iter().find(|(name, _)| name.eq_ignore_ascii_case(level)).map(|(_, level)| *level);
        let level = level.ok_or_else(|| wrong(part))?;
        match target {
            None => directives.push(level.to_owned()),
            Some(target) if is_known(target) => directives.push(format!("{target}={level}")),
            Some(_) => return Err(wrong(part)),
        }
        has_level |= target.is_none();
    }
    if !has_level {
        directives.insert(0, "info".to_owned());
    }
    Ok(directives.join(","))
}

fn is_known(target: &str) -> bool {
    let mut segments = target.split("::");
    let first = segments.next().unwrap_or_default();
    let is_word = |segment: &str| {
        !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    TARGETS.contains(&first) && segments.all(is_word)
}

fn wrong(part: &str) -> String {
    format!("`{part}` is none of error, warn, info, debug, trace, off, or one of them for a part (lexchat::http=debug)")
}

/// Takes every line, whatever becomes of it.
struct Lenient<W>(W);

impl<W: Write> Write for Lenient<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _dropped = self.0.write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _dropped = self.0.flush();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use super::{Lenient, directives};

    #[test]
    fn levels_go_by_the_names_that_people_type_and_nothing_but_off_means_silence() {
        for (typed, read) in [
            ("", "info"),
            ("warning", "warn"),
            ("WARN", "warn"),
            ("Information", "info"),
            ("err", "error"),
            ("off", "off"),
            ("lexchat::http=debug", "info,lexchat::http=debug"),
            (" warn , hyper=Verbose,", "warn,hyper=debug"),
        ] {
            assert_eq!(directives(typed).as_deref(), Ok(read), "{typed}");
        }
    }

    #[test]
    fn a_misspelling_is_refused_and_quoted() {
        for typed in
            ["wran", "lexchat", "lexchat::http", "lexcat=debug", "info,lexchat=debgu", "lexchat::=info", "=info", "5"]
        {
            let part = typed.rsplit(',').next().unwrap_or_default();
            assert!(directives(typed).is_err_and(|wrong| wrong.contains(&format!("`{part}`"))), "{typed}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_written_is_no_error() {
        struct Broken;
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::StorageFull.into())
            }
        }
        let mut lenient = Lenient(Broken);
        assert_eq!(lenient.write(b"a line\n").unwrap(), 7);
        lenient.flush().unwrap();
    }
}
