//! The key that signs, in the form in which it is used.
//!
//! The key itself is a row of the database; this is its form in memory, built once and shared. A rotation puts a new key
//! in its place, and what the one before has signed is refused from then on. Whoever has a key can be anybody: nothing
//! here is ever shown.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation};

use crate::auth::hmac;

/// The algorithm of every signature; no other one is ever accepted.
pub const ALGORITHM: Algorithm = Algorithm::HS256;

/// Who issues the tokens: this program. Two instances differ in the key.
pub(in crate::auth) const ISSUER: &str = "lexchat";
/// For whom the tokens are: this program as well.
pub(in crate::auth) const AUDIENCE: &str = "lexchat";

/// Bytes of a key: as many as its signatures have.
pub const SECRET_BYTES: usize = 32;

/// One signing key as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// Its public name, the `kid` of a token's header.
    pub id: i64,
    /// 256 random bits.
    pub secret: [u8; SECRET_BYTES],
}

/// The key in force; clones share it, and [`Keyring::replace`] changes it for all.
#[derive(Clone)]
pub struct Keyring {
    held: Arc<RwLock<Arc<Held>>>,
}

/// The key of one moment.
pub(in crate::auth) struct Held {
    pub(in crate::auth) signing_id: String,
    pub(in crate::auth) signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
}

impl Keyring {
    /// This key signs and verifies.
    pub fn new(key: &Key) -> Keyring {
        Keyring { held: Arc::new(RwLock::new(Arc::new(Held::new(key)))) }
    }

    /// Takes another key from now on.
    pub fn replace(&self, key: &Key) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Held::new(key));
    }

    pub(in crate::auth) fn held(&self) -> Arc<Held> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Held {
    fn new(key: &Key) -> Held {
        hmac::install();
        Held {
            signing_id: key.id.to_string(),
            signing: EncodingKey::from_secret(&key.secret),
            verifying: DecodingKey::from_secret(&key.secret),
            validation: validation(),
        }
    }

    pub(in crate::auth) fn verifying(&self, id: &str) -> Option<&DecodingKey> {
        (id == self.signing_id).then_some(&self.verifying)
    }

    /// Signature, issuer and audience; built once, for it is needed at each handshake.
    pub(in crate::auth) fn validation(&self) -> &Validation {
        &self.validation
    }
}

/// Times are left to `token::verify`, which gets the time and takes nothing but whole numbers for one.
fn validation() -> Validation {
    let mut validation = Validation::new(ALGORITHM);
    validation.set_required_spec_claims(&["iss", "aud"]);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.validate_exp = false;
    validation
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, …)", self.id)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring(signing with {}, …)", self.held().signing_id)
    }
}
