//! Signatures of what third parties send by themselves: `t=<unix time>,v1=<HMAC-SHA256 of "t.body">[,v1=…]`.
//!
//! Stripe and 8x8 sign alike; one writes the HMAC in hexadecimal digits, the other in base64. It is checked over the very
//! bytes that came, before anybody reads them, in constant time. Several secrets and several signatures may be valid at
//! once: that is how secrets are changed.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// How far the sender's clock may be from ours; what is older may be a recording.
pub const TOLERANCE: Duration = Duration::from_secs(300);
/// Signatures that are looked at; more than two are never meant.
const SIGNATURES_MAX: usize = 8;

/// A secret that a third party signs with; its `Debug` tells nothing.
#[derive(Clone)]
pub struct Secret(hmac::Key);

impl Secret {
    /// The secret as the third party shows it (`whsec_…`), without the line's end that editors put behind it; `None` where
    /// nothing is left.
    pub fn new(text: &str) -> Option<Secret> {
        let text = text.trim();
        (!text.is_empty()).then(|| Secret(hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes())))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// How the HMAC is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// Hexadecimal digits: Stripe.
    Hex,
    /// Base64 with padding: 8x8.
    Base64,
}

/// Why something was not sent by whom it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// The header is none.
    #[error("the signature's header is malformed")]
    Malformed,
    /// None of the secrets made one of the signatures.
    #[error("no signature matches")]
    NoMatch,
    /// More than [`TOLERANCE`] before or after now.
    #[error("the signature is too old, or one of the clocks is wrong")]
    OutOfTime,
}

/// Whether one of the secrets signed these bytes, lately.
///
/// # Errors
///
/// [`BadSignature`].
pub fn verify(
    header: &str,
    body: &[u8],
    secrets: &[Secret],
    writing: Writing,
    now: SystemTime,
) -> Result<(), BadSignature> {
    let (time, signatures) = parts_of(header, writing)?;
    let signed = |secret: &Secret, signature: &Vec<u8>| {
        let message = [time.as_bytes(), b".", body].concat();
        hmac::verify(&secret.0, &message, signature).is_ok()
    };
    if !secrets.iter().any(|secret| signatures.iter().any(|signature| signed(secret, signature))) {
        return Err(BadSignature::NoMatch);
    }
    let seconds: u64 = time.parse().map_err(|_| BadSignature::Malformed)?;
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if now.abs_diff(seconds) > TOLERANCE.as_secs() { Err(BadSignature::OutOfTime) } else { Ok(()) }
}

/// The time as it was written, and the signatures of scheme `v1`; other schemes are for others.
fn parts_of(header: &str, writing: Writing) -> Result<(&str, Vec<Vec<u8>>), BadSignature> {
    let (mut time, mut signatures) = (None, Vec::new());
    for part in header.split(',') {
        // Base64 may end with `=`: the first one divides.
        match part.trim().split_once('=').ok_or(BadSignature::Malformed)? {
            ("t", _) if time.is_some() => return Err(BadSignature::Malformed),
            ("t", text) if !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit()) => time = Some(text),
            ("v1", text) if signatures.len() < SIGNATURES_MAX => {
                signatures.extend(match writing {
                    Writing::Hex => from_hex(text),
                    Writing::Base64 => STANDARD.decode(text).ok(),
                });
            }
            _ => {}
        }
    }
    Ok((time.ok_or(BadSignature::Malformed)?, signatures))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1"}"#;
    const TIME: u64 = 1_795_860_000;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn sign(secret: &str, time: &str, body: &[u8], writing: Writing) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let signature = hmac::sign(&key, &[time.as_bytes(), b".", body].concat());
        match writing {
            Writing::Hex => signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect(),
            Writing::Base64 => STANDARD.encode(signature),
        }
    }

    fn check(header: &str, body: &[u8], secrets: &[&str], now: u64) -> Result<(), BadSignature> {
        let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new(secret).unwrap()).collect();
        verify(header, body, &secrets, Writing::Hex, at(now))
    }

    #[test]
    fn one_signature_by_one_secret_is_enough() {
        let right = sign("whsec_a", "1795860000", BODY, Writing::Hex);
        let wrong = "0".repeat(64);
        for header in [
            format!("t=1795860000,v1={right}"),
            format!("t=1795860000, v1={right}"),
            format!("v1={wrong},v1={right},t=1795860000,v0=7"),
            format!("t=1795860000,v1=zz,v1=,v1={right}"),
        ] {
            assert_eq!(check(&header, BODY, &["whsec_a"], TIME), Ok(()), "{header}");
            assert_eq!(check(&header, BODY, &["whsec_b", "whsec_a\n"], TIME), Ok(()));
            assert_eq!(check(&header, BODY, &["whsec_b"], TIME), Err(BadSignature::NoMatch));
            assert_eq!(check(&header, BODY, &[], TIME), Err(BadSignature::NoMatch));
        }
        let other_scheme = format!("t=1795860000,v0={right}");
        assert_eq!(check(&other_scheme, BODY, &["whsec_a"], TIME), Err(BadSignature::NoMatch));
    }

    #[test]
    fn any_change_of_body_or_time_is_seen() {
        let header = format!("t=1795860000,v1={}", sign("whsec_a", "1795860000", BODY, Writing::Hex));
        for at in 0..BODY.len() {
            let mut changed = BODY.to_vec();
            changed[at] ^= 1;
            assert_eq!(check(&header, &changed, &["whsec_a"], TIME), Err(BadSignature::NoMatch));
        }
        let later = header.replace("t=1795860000", "t=1795860001");
        assert_eq!(check(&later, BODY, &["whsec_a"], TIME), Err(BadSignature::NoMatch));
    }

    #[test]
    fn a_recording_is_refused() {
        let header = format!("t=1795860000,v1={}", sign("whsec_a", "1795860000", BODY, Writing::Hex));
        for now in [TIME - 300, TIME, TIME + 300] {
            assert_eq!(check(&header, BODY, &["whsec_a"], now), Ok(()));
        }
        for now in [TIME - 301, TIME + 301, 0] {
            assert_eq!(check(&header, BODY, &["whsec_a"], now), Err(BadSignature::OutOfTime));
        }
    }

    #[test]
    fn a_header_that_is_none_is_refused() {
        let right = sign("whsec_a", "1795860000", BODY, Writing::Hex);
        for header in [
            String::new(),
            "t".to_owned(),
            format!("v1={right}"),
            format!("t=,v1={right}"),
            format!("t=-1,v1={right}"),
            format!("t=1,t=1795860000,v1={right}"),
            format!("t=1795860000,v1={right},x"),
        ] {
            assert_eq!(check(&header, BODY, &["whsec_a"], TIME), Err(BadSignature::Malformed), "{header}");
        }
        let endless = "9".repeat(40);
        let header = format!("t={endless},v1={}", sign("whsec_a", &endless, BODY, Writing::Hex));
        assert_eq!(check(&header, BODY, &["whsec_a"], TIME), Err(BadSignature::Malformed));
    }

    #[test]
    fn base64_ends_with_the_sign_that_divides() {
        let secret = [Secret::new("s").unwrap()];
        let signature = sign("s", "1795860000", BODY, Writing::Base64);
        assert!(signature.ends_with('='));
        let header = format!("t=1795860000,v1={signature}");
        assert_eq!(verify(&header, BODY, &secret, Writing::Base64, at(TIME)), Ok(()));
        assert_eq!(verify(&header, BODY, &secret, Writing::Hex, at(TIME)), Err(BadSignature::NoMatch));
    }

    #[test]
    fn an_empty_file_is_no_secret() {
        assert!(Secret::new(" \n").is_none());
        assert_eq!(format!("{:?}", Secret::new("whsec_a").unwrap()), "Secret(…)");
    }
}
