//! One-time secrets: refresh tokens, invitation and setup links.
//!
//! 256 random bits, shown once as 64 hexadecimal digits and kept only as a SHA-256 digest: who reads the database
//! finds nothing that can be used. No salt or slow hash is needed, for there is nothing to guess.

use std::fmt;

use ring::hmac;
use sha2::{Digest as _, Sha256};

const BYTES: usize = 32;

/// A secret in the clear, as it is handed to its owner. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// What is stored of a secret: enough to recognise it, nothing to rebuild it from.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; BYTES]);

/// The system has no randomness to give.
#[derive(Debug, thiserror::Error)]
#[error("no randomness from the system: {0}")]
pub struct NoRandomness(#[from] getrandom::Error);

impl Secret {
    /// A new secret that nobody has seen.
    pub fn generate() -> Result<Secret, NoRandomness> {
        Ok(Secret(to_hex(&random_bytes::<BYTES>()?)))
    }

    /// The secret that follows the one presented: always the same, and nobody without the key can compute it.
    pub fn successor(key: &[u8; BYTES], presented: &str) -> Secret {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        Secret(to_hex(hmac::sign(&key, presented.as_bytes()).as_ref()))
    }

    /// The text to hand out.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What to store.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

impl Digest {
    /// The SHA-256 of these bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// The digest of what somebody presents as a secret; `None` if no secret looks like that.
    pub fn of_presented(text: &str) -> Option<Digest> {
        let plausible = text.len() == 2 * BYTES && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        plausible.then(|| Digest::of(text.as_bytes()))
    }

    /// The 32 bytes of the digest.
    pub fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

/// `N` bytes from the system's generator.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// Lower-case hexadecimal digits, two per byte.
pub fn to_hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}

/// The bytes that so many lower-case hexadecimal digits stand for.
pub fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut bytes = [0; N];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_recognised_by_its_digest_alone() {
        let secret = Secret::generate().unwrap();
        assert_eq!(secret.reveal().len(), 64);
        assert_eq!(Digest::of_presented(secret.reveal()), Some(secret.digest()));
        let other = Secret::generate().unwrap();
        assert_ne!(secret, other);
        assert_ne!(secret.digest(), other.digest());
    }

    #[test]
    fn a_successor_is_always_the_same_and_depends_on_the_key() {
        let secret = Secret::generate().unwrap();
        let next = Secret::successor(&[1; 32], secret.reveal());
        assert_eq!(next, Secret::successor(&[1; 32], secret.reveal()));
        assert_ne!(next, Secret::successor(&[2; 32], secret.reveal()));
        assert_eq!(Digest::of_presented(next.reveal()), Some(next.digest()));
    }

    #[test]
    fn hexadecimal_digits_are_read_back_and_nothing_else_is() {
        assert_eq!(from_hex::<2>("0aff"), Some([10, 255]));
        for text in ["", "0af", "0AFF", "0aff0", "+aff", "é0a"] {
            assert_eq!(from_hex::<2>(text), None, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_a_secret_has_no_digest() {
        let secret = Secret::generate().unwrap();
        let upper = secret.reveal().to_uppercase().replace(|c: char| c.is_ascii_digit(), "A");
        for text in ["", "0", "zz", &secret.reveal()[1..], &format!("{}0", secret.reveal()), &upper, &"é".repeat(32)] {
            assert_eq!(Digest::of_presented(text), None, "{text}");
        }
    }

    #[test]
    fn debug_output_gives_nothing_away() {
        let secret = Secret::generate().unwrap();
        let shown = format!("{secret:?} {:?}", secret.digest());
        assert!(!shown.contains(&secret.reveal()[..8]));
        assert_eq!(shown, "Secret(…) Digest(…)");
    }
}
