//! HS256 for `jsonwebtoken`, by `ring`: the one algorithm that this program signs and verifies with.
//!
//! `jsonwebtoken` reads and writes tokens and leaves the cryptography to a provider. Its own bring every algorithm that
//! there is, among them an RSA with a known weakness (RUSTSEC-2023-0071). This one has no other algorithm, so a token
//! that names another is refused before anything is computed.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Signer, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily};
use ring::hmac::{self, HMAC_SHA256};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| Ok(Box::new(Hs256::new(*algorithm, key.family(), key.as_bytes())?)),
    verifier_factory: |algorithm, key| {
        let secret = key.try_get_as_bytes()?;
        Ok(Box::new(Hs256::new(*algorithm, key.family(), secret)?))
    },
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes this the provider of the process, once; whoever makes keys calls it.
pub(in crate::auth) fn install() {
    // The second time it is there already.
    let _ = PROVIDER.install_default();
}

struct Hs256(hmac::Key);

impl Hs256 {
    fn new(algorithm: Algorithm, family: AlgorithmFamily, secret: &[u8]) -> Result<Hs256, Error> {
        match (algorithm, family) {
            (Algorithm::HS256, AlgorithmFamily::Hmac) => Ok(Hs256(hmac::Key::new(HMAC_SHA256, secret))),
            _ => Err(ErrorKind::InvalidAlgorithm.into()),
        }
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    /// In constant time.
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        hmac::verify(&self.0, message, signature).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}
