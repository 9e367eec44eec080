//! Compact JSON Web Signatures (RFC 7515), made here and checked by others: ES256, RS256, HS256.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use ring::{error, hmac};
use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

/// The system has no randomness to give.
#[derive(Debug, thiserror::Error)]
#[error("nothing can be signed: no randomness from the system")]
pub struct CannotSign;

impl From<error::Unspecified> for CannotSign {
    fn from(_: error::Unspecified) -> CannotSign {
        CannotSign
    }
}

/// Why a text is no RSA key.
#[derive(Debug, thiserror::Error)]
#[error("not an RSA private key of 2048 to 4096 bits in PEM (PKCS#8 or PKCS#1, without password)")]
pub struct BadKey;

/// An RSA private key; cheap to clone.
#[derive(Clone)]
pub struct RsaKey(Arc<RsaKeyPair>);

impl RsaKey {
    /// Reads PEM: `BEGIN PRIVATE KEY` or `BEGIN RSA PRIVATE KEY`.
    ///
    /// # Errors
    ///
    /// [`BadKey`], without the key.
    pub fn from_pem(pem: &[u8]) -> Result<RsaKey, BadKey> {
        let key = match PrivateKeyDer::from_pem_slice(pem).map_err(|_| BadKey)? {
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err(BadKey),
        };
        Ok(RsaKey(Arc::new(key.map_err(|_| BadKey)?)))
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaKey(…)")
    }
}

/// A token signed by an RSA key that its reader knows by `key_id`.
///
/// # Errors
///
/// [`CannotSign`].
pub fn rs256(key: &RsaKey, key_id: &str, claims: &Value) -> Result<String, CannotSign> {
    let input = input(&json!({"alg": "RS256", "typ": "JWT", "kid": key_id}), claims);
    let mut signature = vec![0; key.0.public().modulus_len()];
    key.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature)?;
    Ok(with_signature(input, &signature))
}

/// A token signed by a P-256 key; the signature is r and s, 32 bytes each.
///
/// # Errors
///
/// [`CannotSign`].
pub fn es256(key: &EcdsaKeyPair, claims: &Value) -> Result<String, CannotSign> {
    let input = input(&json!({"alg": "ES256", "typ": "JWT"}), claims);
    let signature = key.sign(&SystemRandom::new(), input.as_bytes())?;
    Ok(with_signature(input, signature.as_ref()))
}

/// A token signed by a secret that its reader has as well.
pub fn hs256(key: &hmac::Key, claims: &Value) -> String {
    let input = input(&json!({"alg": "HS256", "typ": "JWT"}), claims);
    let signature = hmac::sign(key, input.as_bytes());
    with_signature(input, signature.as_ref())
}

fn input(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

fn with_signature(mut input: String, signature: &[u8]) -> String {
    input.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut input);
    input
}

/// What tests of this folder read from a token that they do not judge.
#[cfg(test)]
pub(super) fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut next = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (next(), next())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7515, A.1: the signature of HS256 over a given input.
    #[test]
    fn the_rfcs_example_of_hs256_is_reproduced() {
        let key = URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .unwrap();
        let input = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
                     eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let signed = with_signature(input.to_owned(), hmac::sign(&key, input.as_bytes()).as_ref());
        assert!(signed.ends_with(".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "{signed}");
    }

    #[test]
    fn only_rsa_keys_are_taken() {
        let elliptic = rcgen::KeyPair::generate().unwrap().serialize_pem();
        for pem in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", elliptic.as_str()] {
            assert!(RsaKey::from_pem(pem.as_bytes()).is_err(), "{pem}");
        }
    }
}
