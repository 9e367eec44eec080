//! Recordings of calls, checked.

use std::path::Path;
use std::time::Duration;

use crate::cli::recordings::Recordings as Typed;
use crate::cli::recordings::When;
use crate::config::error::Error;
use crate::config::secret::{self, Hidden};
use crate::integrations::hook::Secret;
use crate::integrations::https::origin::Origin;
use crate::model::recording::{Recorder, Rules};

/// A shorter token can be guessed.
const TOKEN_BYTES_MIN: usize = 16;
/// Less than this is no recording.
const BYTES_MIN: u64 = 1 << 20;
/// What is kept for less than a day could not be heard by who was away.
const KEEP_MIN: Duration = Duration::from_secs(24 * 60 * 60);

/// Recordings of calls.
#[derive(Clone, Debug)]
pub struct Recordings {
    /// How calls are recorded, where they may be.
    pub rules: Option<Rules>,
    /// What Jibri's script shows.
    pub jibri_token: Option<Hidden>,
    /// What 8x8 signs with.
    pub jaas_secrets: Vec<Secret>,
    /// Hosts that recordings are fetched from, beside 8x8's own.
    pub jaas_hosts: Vec<Origin>,
}

impl Recordings {
    /// Checks what was typed.
    ///
    /// # Errors
    /// Limits that cannot be meant, secrets that are none, hosts that cannot be asked.
    pub fn new(typed: &Typed) -> Result<Self, Error> {
        let secrets = typed.jaas_secret_file.iter().map(|path| {
            let text = secret::read("jaas-secret-file", path)?;
            Secret::new(&text).ok_or_else(|| wrong("jaas-secret-file", "the file is empty"))
        });
        let hosts = typed.jaas_host.iter().map(|text| {
            let host = text.trim().parse::<Origin>().map_err(|bad| wrong("jaas-host", &bad.to_string()))?;
            let is_safe = host.is_secure() || host.is_loopback();
            if is_safe { Ok(host) } else { Err(wrong("jaas-host", "recordings are fetched by HTTPS")) }
        });
        let (jaas_secrets, jaas_hosts) = (secrets.collect::<Result<Vec<_>, _>>()?, hosts.collect::<Result<_, _>>()?);
        let jibri_token = typed.jibri_token_file.as_deref().map(token).transpose()?;
        let by = if jibri_token.is_some() || !jaas_secrets.is_empty() { Recorder::Service } else { Recorder::Browser };
        Ok(Self { rules: rules(typed, by)?, jibri_token, jaas_secrets, jaas_hosts })
    }
}

/// How calls are recorded; nothing where they are not.
fn rules(typed: &Typed, by: Recorder) -> Result<Option<Rules>, Error> {
    if typed.recordings == When::Off {
        return Ok(None);
    }
    if typed.recording_size < BYTES_MIN {
        return Err(wrong("recording-size", "at least 1MiB is needed"));
    }
    if typed.recordings_total < typed.recording_size {
        return Err(wrong("recordings-total", "one recording would not fit (--recording-size)"));
    }
    if typed.recordings_keep < KEEP_MIN {
        return Err(wrong("recordings-keep", "at least one day, 1d"));
    }
    Ok(Some(Rules {
        by,
        bytes_max: typed.recording_size,
        total_bytes_max: typed.recordings_total,
        keep: typed.recordings_keep,
    }))
}

fn wrong(flag: &'static str, wrong: &str) -> Error {
    Error::Usage { flag, wrong: wrong.to_owned() }
}

fn token(path: &Path) -> Result<Hidden, Error> {
    let token = Hidden::new(&secret::read("jibri-token-file", path)?);
    let is_long = token.reveal().len() >= TOKEN_BYTES_MIN;
    if is_long { Ok(token) } else { Err(wrong("jibri-token-file", "a token of at least 16 characters is needed")) }
}

/// What is in force, by the name of its flag.
pub(super) fn shown(typed: &Typed) -> [(&'static str, String); 7] {
    let when = if typed.recordings == When::Off { "off" } else { "consent" };
    let is_set = |is_set| if is_set { "set" } else { "unset" }.to_owned();
    let hosts = if typed.jaas_host.is_empty() { "unset".to_owned() } else { typed.jaas_host.join(" ") };
    [
        ("recordings", when.to_owned()),
        ("recording-size", typed.recording_size.to_string()),
        ("recordings-total", typed.recordings_total.to_string()),
        ("recordings-keep", format!("{}s", typed.recordings_keep.as_secs())),
        ("jibri-token-file", is_set(typed.jibri_token_file.is_some())),
        ("jaas-secret-file", is_set(!typed.jaas_secret_file.is_empty())),
        ("jaas-host", hosts),
    ]
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        calls: crate::cli::calls::Calls,
        #[command(flatten)]
        recordings: Typed,
    }

    fn typed(flags: &[&str]) -> Result<Recordings, Error> {
        Recordings::new(&Line::parse_from(["lexchat"].iter().chain(flags)).recordings)
    }

    #[test]
    fn nothing_is_recorded_unless_the_operator_says_so() {
        assert_eq!(typed(&[]).unwrap().rules, None);
        let rules = typed(&["--recordings", "consent"]).unwrap().rules.unwrap();
        assert_eq!((rules.bytes_max, rules.total_bytes_max, rules.keep_days()), (2 << 30, 50 << 30, 90));
        assert_eq!(rules.by, Recorder::Browser);
    }

    #[test]
    fn what_cannot_be_meant_names_its_flag() {
        let folder = tempfile::tempdir().unwrap();
        let (short, good) = (folder.path().join("short"), folder.path().join("good"));
        std::fs::write(&short, "geheim\n").unwrap();
        std::fs::write(&good, "a-token-that-is-long-enough\n").unwrap();
        let (short, good) = (short.to_str().unwrap(), good.to_str().unwrap());
        let jitsi = ["--recordings", "consent", "--jitsi-url", "https://meet.example", "--jitsi-app-id", "a"];
        let with = |flags: &[&str]| typed(&[&jitsi[..], flags].concat());
        for (flags, named) in [
            (vec!["--recording-size", "10"], "recording-size"),
            (vec!["--recordings-total", "1GiB"], "recordings-total"),
            (vec!["--recordings-keep", "0"], "recordings-keep"),
            (vec!["--jibri-token-file", short], "jibri-token-file"),
            (vec!["--jaas-secret-file", good, "--jaas-host", "http://recordings.example"], "jaas-host"),
        ] {
            let Err(Error::Usage { flag, .. }) = with(&flags) else { panic!("{flags:?} passed") };
            assert_eq!(flag, named);
        }
        for flags in [["--jibri-token-file", good], ["--jaas-secret-file", good]] {
            let recordings = with(&flags).unwrap();
            assert_eq!(recordings.rules.unwrap().by, Recorder::Service, "the service records then");
            assert!(!format!("{recordings:?}").contains("long-enough"));
        }
    }
}
