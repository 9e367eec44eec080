//! Passwords: what may be one, how it is kept, how it is checked.
//!
//! The same password typed on another keyboard may come in other, equivalent characters; hashed is its NFC. Hashes of
//! before that was so still match, and are replaced at the next successful sign-in.
//!
//! Kept as an Argon2id PHC string, which names its own parameters, so that old hashes stay readable when the
//! parameters grow and are replaced at the next successful sign-in. Everything here blocks for tens of milliseconds
//! and is meant to be called through [`crate::auth::hasher::Hasher`].

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use password_hash::phc::PasswordHash;

use crate::model::email;
use crate::model::text::nfc::{nfc, nfd};
use crate::model::text::visible;

/// Least characters (Unicode scalar values) of a password.
pub const LENGTH_MIN: usize = 12;
/// Most characters of a password.
pub const LENGTH_MAX: usize = 128;
/// Least different characters of a password.
const DIFFERENT_MIN: usize = 4;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Verified instead of a stored hash when there is no such person, so that the answer takes the same time.
/// Random bytes stand for its salt and its hash, so no password is known to match.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$ng74eKG6JmSplyjDjjpFfg$ltCkffCeiNkU7R2N1tNAlqvW+XX1QI8oF++AkINRwKE";

/// Passwords of sufficient length that are tried first by whoever guesses; one per line, lower case.
const COMMON: &str = include_str!("common_passwords.txt");

/// Why a password may not be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Fewer than [`LENGTH_MIN`] characters.
    #[error("too short")]
    TooShort,
    /// More than [`LENGTH_MAX`] characters.
    #[error("too long")]
    TooLong,
    /// Among the commonest, or a pattern that is guessed as early: one thing repeated, a run of the alphabet, hardly
    /// anything but blanks or one character.
    #[error("too common")]
    Common,
    /// The person's e-mail address, or the part before its `@`.
    #[error("the e-mail address")]
    Email,
}

/// The system could not make a hash: no randomness or no memory.
#[derive(Debug, thiserror::Error)]
#[error("a password could not be hashed: {0}")]
pub struct HashError(password_hash::Error);

/// Whether `password` may be chosen by the person with this e-mail address.
pub fn check(password: &str, email: &str) -> Result<(), Weakness> {
    let password = nfc(password);
    let length = password.chars().count();
    if length < LENGTH_MIN {
        return Err(Weakness::TooShort);
    }
    if length > LENGTH_MAX {
        return Err(Weakness::TooLong);
    }
    let folded = visible::trim(&password).to_lowercase();
    let email = email::spelling(email);
    let local_part = email.split('@').next().unwrap_or_default();
    if folded == email || folded == local_part {
        return Err(Weakness::Email);
    }
    let is_common = COMMON.lines().any(|common| common == folded);
    if is_common || has_few_characters(&folded) || is_repetition(&folded) || is_run(&folded) {
        return Err(Weakness::Common);
    }
    Ok(())
}

/// A fresh salted hash of `password` as a PHC string.
pub fn hash(password: &str) -> Result<String, HashError> {
    let hash = argon2id().hash_password(nfc(password).as_bytes()).map_err(HashError)?;
    Ok(hash.to_string())
}

/// What a password turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// Another one.
    No,
    /// The right one.
    Yes,
    /// The right one, hashed in a spelling that is not its NFC.
    OldSpelling,
}

/// Whether `password` is the one that `stored` was made from, in one of its equivalent spellings. Without a stored hash the
/// answer is no, after the same work. A string that is no PHC hash matches nothing.
pub fn verify(password: &str, stored: Option<&str>) -> Match {
    let parsed = stored.and_then(|text| PasswordHash::new(text).ok());
    let known = parsed.is_some();
    let against = parsed.unwrap_or_else(|| PasswordHash::new(NOBODY).expect("the constant is a PHC string"));
    let matches = |spelling: &str| argon2id().verify_password(spelling.as_bytes(), &against).is_ok() && known;
    let normal = nfc(password);
    if matches(&normal) {
        return Match::Yes;
    }
    let apart = nfd(password);
    let mut others = vec![password, &apart];
    others.dedup();
    let matched = others.into_iter().any(|other| *other != *normal && matches(other));
    if matched { Match::OldSpelling } else { Match::No }
}

/// Whether `stored` was made with another algorithm or weaker parameters than today's.
pub fn needs_rehash(stored: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(stored) else { return true };
    let Ok(params) = Params::try_from(&parsed) else { return true };
    parsed.algorithm.as_str() != Algorithm::Argon2id.as_str()
        || parsed.version != Some(Version::V0x13.into())
        || params.m_cost() < MEMORY_KIB
        || params.t_cost() < PASSES
}

fn argon2id() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the constants are within Argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Blanks alone, `            x`, `aaaaaaaaaaab`, `1122112211221`: fewer than [`DIFFERENT_MIN`] characters that differ and are
/// seen.
fn has_few_characters(text: &str) -> bool {
    let mut different: Vec<char> = text.chars().filter(|c| !c.is_whitespace() && !visible::is_hidden(*c)).collect();
    different.sort_unstable();
    different.dedup();
    different.len() < DIFFERENT_MIN || !visible::has_visible(text)
}

/// `aaaaaaaaaaaa`, `abcabcabcabc`, `0101010101010101`: a short piece over and over.
fn is_repetition(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    (1..=letters.len() / 3).any(|period| letters.iter().skip(period).zip(&letters).all(|(a, b)| a == b))
}

/// `123456789012`, `abcdefghijkl`, `zyxwvutsrqpo`: each character the next or the previous one of its alphabet.
fn is_run(text: &str) -> bool {
    let steps: Vec<i64> = text
        .chars()
        .zip(text.chars().skip(1))
        .map(|(a, b)| match (a, b) {
            ('9', '0') => 1,
            ('0', '9') => -1,
            _ => i64::from(u32::from(b)) - i64::from(u32::from(a)),
        })
        .collect();
    !steps.is_empty() && (steps.iter().all(|step| *step == 1) || steps.iter().all(|step| *step == -1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMAIL: &str = "camille.durand@example.com";

    #[test]
    fn a_long_uncommon_password_in_any_script_may_be_chosen() {
        for password in ["correct horse battery", "ça c'est à moi !", "пароль-длинный", "🔒🔑🗝️🔐🚪🏠🪟🧱🪵🪨🧊🔥"]
        {
            assert_eq!(check(password, EMAIL), Ok(()), "{password}");
        }
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(check("éééàààçççùù", EMAIL), Err(Weakness::TooShort), "11 characters in 22 bytes");
        assert_eq!(check("Pass123!", EMAIL), Err(Weakness::TooShort));
        assert_eq!(check("", EMAIL), Err(Weakness::TooShort));
        let longest: String = ('!'..='~').cycle().step_by(7).take(LENGTH_MAX).collect();
        assert_eq!(check(&longest, EMAIL), Ok(()));
        assert_eq!(check(&format!("{longest}x"), EMAIL), Err(Weakness::TooLong));
    }

    #[test]
    fn what_is_guessed_first_may_not_be_chosen() {
        for password in [
            "Password1234",
            "motdepasse123",
            "AZERTYUIOP123",
            "aaaaaaaaaaaaa",
            "abcabcabcabc",
            "123456789012",
            "abcdefghijklm",
            "987654321098",
        ] {
            assert_eq!(check(password, EMAIL), Err(Weakness::Common), "{password}");
        }
    }

    #[test]
    fn the_email_may_not_be_chosen() {
        assert_eq!(check("Camille.Durand@example.com", EMAIL), Err(Weakness::Email));
        assert_eq!(check("camille.durand", EMAIL), Err(Weakness::Email));
    }

    #[test]
    fn the_list_of_common_passwords_holds_only_what_length_lets_through() {
        for common in COMMON.lines() {
            assert!(common.chars().count() >= LENGTH_MIN, "{common} is refused for its length already");
            assert_eq!(common, common.trim().to_lowercase());
        }
    }

    #[test]
    fn a_hash_verifies_its_own_password_only() {
        let stored = hash("correct horse battery").unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_eq!(verify("correct horse battery", Some(&stored)), Match::Yes);
        assert_eq!(verify("correct horse batterY", Some(&stored)), Match::No);
        assert_eq!(verify("", Some(&stored)), Match::No);
        assert_ne!(stored, hash("correct horse battery").unwrap(), "each hash has its own salt");
    }

    #[test]
    fn a_password_matches_in_every_spelling_of_its_characters() {
        let (composed, apart) = ("crème brûlée été", "cre\u{300}me bru\u{302}le\u{301}e e\u{301}te\u{301}");
        let stored = hash(apart).unwrap();
        assert_eq!((verify(composed, Some(&stored)), verify(apart, Some(&stored))), (Match::Yes, Match::Yes));
        let old = argon2id().hash_password(apart.as_bytes()).unwrap().to_string();
        assert_eq!((verify(composed, Some(&old)), verify(apart, Some(&old))), (Match::OldSpelling, Match::OldSpelling));
        assert_eq!(verify("creme brulee ete", Some(&old)), Match::No);
    }

    #[test]
    fn blanks_may_not_be_chosen() {
        for blank in [' ', '\u{a0}', '\u{3000}', '\u{200b}', '\u{3164}', '\u{2800}', '\u{301}'] {
            assert_eq!(check(&blank.to_string().repeat(20), EMAIL), Err(Weakness::Common), "{blank:?}");
        }
        let hardly_more =
            ["            x", "x\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}y\u{2800}\u{2800}\u{2800}z"];
        for password in
            [" \t\u{200b}\u{a0}".repeat(4).as_str(), "aaaaaaaaaaab", "1122112211221"].into_iter().chain(hardly_more)
        {
            assert_eq!(check(password, EMAIL), Err(Weakness::Common), "{password:?}");
        }
        assert_eq!(check("un deux un deux un", EMAIL), Ok(()));
    }

    #[test]
    fn nobody_has_no_password() {
        for password in ["", "nobody", "Pass123!"] {
            assert_eq!(verify(password, None), Match::No);
            assert_eq!(verify(password, Some("not a hash")), Match::No);
        }
        assert!(!needs_rehash(NOBODY), "the stand-in costs what a real hash costs");
    }

    #[test]
    fn weaker_hashes_are_due_for_another() {
        assert!(!needs_rehash(&hash("correct horse battery").unwrap()));
        let tail = "$ng74eKG6JmSplyjDjjpFfg$ltCkffCeiNkU7R2N1tNAlqvW+XX1QI8oF++AkINRwKE";
        assert!(needs_rehash(&format!("$argon2id$v=19$m=4096,t=2,p=1{tail}")), "less memory");
        assert!(needs_rehash(&format!("$argon2id$v=19$m=19456,t=1,p=1{tail}")), "fewer passes");
        assert!(needs_rehash(&format!("$argon2i$v=19$m=19456,t=2,p=1{tail}")), "another variant");
        assert!(!needs_rehash(&format!("$argon2id$v=19$m=65536,t=3,p=1{tail}")), "stronger is fine");
        assert!(needs_rehash("plain"));
    }
}
