//! Who sends (RFC 8292): a key pair for ever, and a token per push service for hours.
//!
//! Browsers subscribe for one public key. Other keys make every subscription worthless, so they are made once and kept.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::Uri;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;

use crate::integrations::https::origin::Origin;
use crate::integrations::jws::{self, CannotSign};

/// How long a token is good; services take at most a day.
const TOKEN_LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// A token with less than this left is made anew, which leaves room for clocks that differ.
const TOKEN_LEFT_MIN: Duration = Duration::from_secs(3600);
/// Tokens that are kept at once: one service can have many hosts.
const TOKENS_MAX: usize = 256;

/// The key pair that all subscriptions are made for.
pub struct Keys {
    pair: EcdsaKeyPair,
    public: String,
}

/// Not a P-256 key pair in PKCS#8.
#[derive(Debug, thiserror::Error)]
#[error("not a key pair for Web Push (P-256, PKCS#8)")]
pub struct BadKeys;

impl Keys {
    /// A new pair in PKCS#8, to be kept.
    ///
    /// # Errors
    ///
    /// Only where the system has no randomness.
    pub fn generate() -> Result<Vec<u8>, CannotSign> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())?;
        Ok(document.as_ref().to_vec())
    }

    /// A pair that was kept.
    ///
    /// # Errors
    ///
    /// [`BadKeys`].
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Keys, BadKeys> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new());
        let pair = pair.map_err(|_| BadKeys)?;
        let public = URL_SAFE_NO_PAD.encode(pair.public_key());
        Ok(Keys { pair, public })
    }

    /// What a page subscribes with (`applicationServerKey`): the uncompressed point in base64url.
    pub fn public(&self) -> &str {
        &self.public
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.public)
    }
}

/// Whom a push service writes to when something is wrong: `mailto:…` or `https://…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact(String);

/// Not an address that every push service takes.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no contact for push services: an e-mail address at a real domain, or an https:// address")]
pub struct BadContact(String);

impl FromStr for Contact {
    type Err = BadContact;

    /// An e-mail address with or without `mailto:`, or an `https://` address. Apple refuses addresses at hosts without a
    /// dot and spaces.
    fn from_str(text: &str) -> Result<Contact, BadContact> {
        let bad = || BadContact(text.to_owned());
        let plain =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_graphic() && !"<>@,;\"\\".contains(c));
        let domain_is_real =
            |domain: &str| plain(domain) && domain.split('.').all(|label| !label.is_empty()) && domain.contains('.');
        if text.starts_with("https://") {
            let uri: Uri = text.parse().map_err(|_| bad())?;
            let origin = Origin::of(&uri).map_err(|_| bad())?;
            return if domain_is_real(origin.host()) { Ok(Contact(text.to_owned())) } else { Err(bad()) };
        }
        let address = text.strip_prefix("mailto:").unwrap_or(text);
        match address.split_once('@') {
            Some((local, domain)) if plain(local) && domain_is_real(domain) => Ok(Contact(format!("mailto:{address}"))),
            _ => Err(bad()),
        }
    }
}

/// Makes the `Authorization` of requests and keeps it per push service.
pub(super) struct Signer {
    keys: Keys,
    contact: Contact,
    kept: Mutex<HashMap<Origin, Kept>>,
}

struct Kept {
    authorization: String,
    expires_at: SystemTime,
}

impl Signer {
    pub(super) fn new(keys: Keys, contact: Contact) -> Signer {
        Signer { keys, contact, kept: Mutex::default() }
    }

    pub(super) fn public_key(&self) -> &str {
        self.keys.public()
    }

    /// `vapid t=…, k=…` for requests to this origin.
    pub(super) fn authorization(&self, to: &Origin, now: SystemTime) -> Result<String, CannotSign> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = kept.get(to) {
            // The clock may have gone back; a token for more than a day would be refused.
            let left = token.expires_at.duration_since(now).unwrap_or_default();
            if (TOKEN_LEFT_MIN..=TOKEN_LIFETIME).contains(&left) {
                return Ok(token.authorization.clone());
            }
        }
        let expires_at = now + TOKEN_LIFETIME;
        let seconds = expires_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let claims = json!({"aud": to.to_string(), "exp": seconds, "sub": self.contact.0});
        let authorization = format!("vapid t={}, k={}", jws::es256(&self.keys.pair, &claims)?, self.keys.public);
        if kept.len() >= TOKENS_MAX {
            kept.clear();
        }
        kept.insert(to.clone(), Kept { authorization: authorization.clone(), expires_at });
        Ok(authorization)
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    fn signer() -> Signer {
        let keys = Keys::from_pkcs8(&Keys::generate().unwrap()).unwrap();
        Signer::new(keys, "mailto:admin@cabinet.example".parse().unwrap())
    }

    fn origin(text: &str) -> Origin {
        text.parse().unwrap()
    }

    #[test]
    fn a_token_says_who_sends_to_whom_until_when_and_can_be_checked_with_the_public_key() {
        let (signer, now) = (signer(), SystemTime::now());
        let authorization = signer.authorization(&origin("https://push.example:8443"), now).unwrap();
        let (token, key) = authorization.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        assert_eq!(key, signer.public_key());
        let key = URL_SAFE_NO_PAD.decode(key).unwrap();
        assert_eq!((key.len(), key[0]), (65, 4));
        let (input, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).verify(input.as_bytes(), &signature).unwrap();
        let (header, claims) = jws::parts(token);
        assert_eq!(header, json!({"alg": "ES256", "typ": "JWT"}));
        assert_eq!(claims["aud"], "https://push.example:8443");
        assert_eq!(claims["sub"], "mailto:admin@cabinet.example");
        let left = claims["exp"].as_u64().unwrap() - now.duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert_eq!(left, 12 * 3600);
    }

    #[test]
    fn a_token_is_kept_per_service_until_little_is_left() {
        let (signer, now) = (signer(), SystemTime::now());
        let at =
            |to: &str, hours: u64| signer.authorization(&origin(to), now + Duration::from_secs(hours * 3600)).unwrap();
        let first = at("https://a.example", 0);
        assert_eq!(at("https://a.example", 10), first);
        assert_ne!(at("https://b.example", 0), first);
        let next = at("https://a.example", 12);
        assert_ne!(next, first);
        assert_ne!(at("https://a.example", 0), next, "the clock went back: the token would be good for too long");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let (signer, now) = (signer(), SystemTime::now());
        for host in 0..2 * TOKENS_MAX {
            signer.authorization(&origin(&format!("https://h{host}.example")), now).unwrap();
        }
        assert!(signer.kept.lock().unwrap().len() <= TOKENS_MAX);
    }

    #[test]
    fn a_contact_is_one_that_every_service_takes() {
        for (text, written) in [
            ("a@b.example", "mailto:a@b.example"),
            ("mailto:a@b.example", "mailto:a@b.example"),
            ("https://cabinet.example/contact", "https://cabinet.example/contact"),
        ] {
            assert_eq!(text.parse::<Contact>().unwrap().0, written);
        }
        for text in [
            "",
            "a",
            "a@localhost",
            "mailto:a@localhost",
            "mailto: a@b.example",
            "<a@b.example>",
            "a@b@c.example",
            "a@b..example",
            "http://cabinet.example",
            "https://localhost",
            "https://",
            "a@b.example\r\nX: y",
        ] {
            assert!(text.parse::<Contact>().is_err(), "{text}");
        }
    }

    #[test]
    fn other_keys_are_refused() {
        assert!(Keys::from_pkcs8(b"").is_err());
        assert!(Keys::from_pkcs8(&[0; 138]).is_err());
        let keys = Keys::generate().unwrap();
        assert_eq!(Keys::from_pkcs8(&keys).unwrap().public(), Keys::from_pkcs8(&keys).unwrap().public());
    }
}
