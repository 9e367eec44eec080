//! The signing keys: one that signs, and the earlier ones that still verify.
//!
//! The keys themselves are rows of the database; this is their form in memory, built once and shared. A rotation puts
//! a new key in front. An earlier key verifies until the last thing it can have signed has expired, so nobody is
//! signed out. Whoever has a key can be anybody: nothing here is ever shown.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation};

/// The algorithm of every signature; no other one is ever accepted.
pub const ALGORITHM: Algorithm = Algorithm::HS256;

/// Who issues the tokens, and for whom: this program, both times. What tells two instances apart is the key.
pub(in crate::auth) const ISSUER: &str = "lexchat";
/// See [`ISSUER`].
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

/// The keys in force; clones share them, and [`Keyring::replace`] changes them for all.
#[derive(Clone)]
pub struct Keyring {
    held: Arc<RwLock<Arc<Held>>>,
}

/// The keys of one moment.
pub(in crate::auth) struct Held {
    pub(in crate::auth) signing_id: String,
    pub(in crate::auth) signing: EncodingKey,
    verifying: HashMap<String, DecodingKey>,
    validation: Validation,
}

impl Keyring {
    /// `current` signs and verifies, `earlier` ones only verify.
    pub fn new(current: &Key, earlier: &[Key]) -> Keyring {
        Keyring { held: Arc::new(RwLock::new(Arc::new(Held::new(current, earlier)))) }
    }

    /// Takes other keys from now on.
    pub fn replace(&self, current: &Key, earlier: &[Key]) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Held::new(current, earlier));
    }

    pub(in crate::auth) fn held(&self) -> Arc<Held> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Held {
    fn new(current: &Key, earlier: &[Key]) -> Held {
        let verifying = earlier
            .iter()
            .chain([current])
            .map(|key| (key.id.to_string(), DecodingKey::from_secret(&key.secret)))
            .collect();
        Held {
            signing_id: current.id.to_string(),
            signing: EncodingKey::from_secret(&current.secret),
            verifying,
            validation: validation(),
        }
    }

    pub(in crate::auth) fn verifying(&self, id: &str) -> Option<&DecodingKey> {
        self.verifying.get(id)
    }

    /// Signature, issuer and audience; built once, for it is needed at each handshake.
    pub(in crate::auth) fn validation(&self) -> &Validation {
        &self.validation
    }
}

/// Times are left to `token::verify`, which is told what time it is and takes nothing but whole numbers for one.
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
