//! The key pair that browsers subscribe for (RFC 8292): P-256, made once and kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};

/// No key pair came about.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum NoKeyPair {
    /// The system has no randomness to give.
    #[error("no randomness from the system")]
    Randomness,
    /// What was kept is none.
    #[error("what is kept is no key pair of P-256 in PKCS #8")]
    Malformed,
}

/// A new pair in PKCS #8.
///
/// # Errors
/// [`NoKeyPair::Randomness`].
pub fn generate() -> Result<Vec<u8>, NoKeyPair> {
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    Ok(document.map_err(|_| NoKeyPair::Randomness)?.as_ref().to_vec())
}

/// What a page subscribes with (`applicationServerKey`): the uncompressed point in base64url without padding.
///
/// # Errors
/// [`NoKeyPair::Malformed`].
pub fn public_key(pkcs8: &[u8]) -> Result<String, NoKeyPair> {
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new());
    Ok(URL_SAFE_NO_PAD.encode(pair.map_err(|_| NoKeyPair::Malformed)?.public_key()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_has_one_public_key_and_another_pair_another_one() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        let key = public_key(&one).unwrap();
        assert_eq!(key, public_key(&one).unwrap());
        assert_ne!(key, public_key(&other).unwrap());
        assert_eq!((key.len(), &key[..1]), (87, "B"), "65 bytes, of which the first is 4");
        assert!(public_key(&[0; 138]).is_err());
    }
}
