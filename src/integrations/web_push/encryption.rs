//! `aes128gcm` for one subscription: RFC 8291 over RFC 8188, one record, padded to one length.

use ring::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{self, ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey};
use ring::error::Unspecified;
use ring::hkdf::{self, HKDF_SHA256};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::subscription::Subscription;

/// The length of every body: below what every service takes (4096, some bridges 2744), enough for a preview.
pub const BODY_BYTES: usize = 2048;
/// The most that can be said.
pub const PAYLOAD_BYTES_MAX: usize = BODY_BYTES - HEADER_BYTES - 1 - TAG_BYTES;

const SALT_BYTES: usize = 16;
const PUBLIC_BYTES: usize = 65;
const HEADER_BYTES: usize = SALT_BYTES + 4 + 1 + PUBLIC_BYTES;
const TAG_BYTES: usize = 16;
/// The record size that is announced; the one record is shorter.
const RECORD_BYTES: u32 = 4096;
/// Ends what is said in the last record; zeros follow.
const LAST_RECORD: u8 = 2;

/// What is said to a device, in plain; it fits.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(Vec<u8>);

/// More than a push can carry.
#[derive(Debug, thiserror::Error)]
#[error("a push carries at most {PAYLOAD_BYTES_MAX} bytes, not {0}")]
pub struct TooLong(usize);

impl Payload {
    /// # Errors
    ///
    /// [`TooLong`] beyond [`PAYLOAD_BYTES_MAX`].
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Payload, TooLong> {
        let bytes = bytes.into();
        if bytes.len() > PAYLOAD_BYTES_MAX { Err(TooLong(bytes.len())) } else { Ok(Payload(bytes)) }
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payload({} bytes)", self.0.len())
    }
}

/// A body of [`BODY_BYTES`] that only the subscription's browser can read; each call uses a new key.
///
/// # Errors
///
/// Only where the system has no randomness.
pub fn encrypt(payload: &Payload, to: &Subscription) -> Result<Vec<u8>, Unspecified> {
    let random = SystemRandom::new();
    let mut salt = [0; SALT_BYTES];
    random.fill(&mut salt)?;
    let own = EphemeralPrivateKey::generate(&ECDH_P256, &random)?;
    let own_public = own.compute_public_key()?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, to.public_key());
    agreement::agree_ephemeral(own, &theirs, |shared| {
        seal(shared, to, own_public.as_ref(), salt, &payload.0, BODY_BYTES)
    })?
}

/// Everything behind the key agreement; `body_bytes` must leave room for the payload.
fn seal(
    shared: &[u8],
    to: &Subscription,
    own_public: &[u8],
    salt: [u8; SALT_BYTES],
    payload: &[u8],
    body_bytes: usize,
) -> Result<Vec<u8>, Unspecified> {
    let mut input = [0; 32];
    hkdf::Salt::new(HKDF_SHA256, to.auth())
        .extract(shared)
        .expand(&[b"WebPush: info\0", to.public_key(), own_public], Bytes(32))?
        .fill(&mut input)?;
    let pseudo_random = hkdf::Salt::new(HKDF_SHA256, &salt).extract(&input);
    let mut nonce = [0; aead::NONCE_LEN];
    pseudo_random.expand(&[b"Content-Encoding: nonce\0"], Bytes(aead::NONCE_LEN))?.fill(&mut nonce)?;
    let key = UnboundKey::from(pseudo_random.expand(&[b"Content-Encoding: aes128gcm\0"], &aead::AES_128_GCM)?);

    let mut record = payload.to_vec();
    record.push(LAST_RECORD);
    record.resize(body_bytes.saturating_sub(HEADER_BYTES + TAG_BYTES).max(record.len()), 0);
    let nonce = Nonce::assume_unique_for_key(nonce);
    LessSafeKey::new(key).seal_in_place_append_tag(nonce, Aad::empty(), &mut record)?;

    let mut body = Vec::with_capacity(HEADER_BYTES + record.len());
    body.extend_from_slice(&salt);
    body.extend_from_slice(&RECORD_BYTES.to_be_bytes());
    body.push(PUBLIC_BYTES as u8);
    body.extend_from_slice(own_public);
    body.append(&mut record);
    Ok(body)
}

/// So many bytes of key material.
struct Bytes(usize);

impl hkdf::KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::integrations::web_push::subscription::Services;

    fn decoded(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    fn subscription() -> Subscription {
        Subscription::new(
            &Services::known(),
            "https://updates.push.services.mozilla.com/wpush/v2/x",
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "BTBZMqHH6r4Tts7J_aSIgg",
        )
        .unwrap()
    }

    /// RFC 8291, § 5 and appendix A.
    #[test]
    fn the_rfcs_example_is_reproduced_byte_for_byte() {
        let shared = decoded("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
        let own = decoded("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
        let salt = decoded("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let payload = b"When I grow up, I want to be a watermelon";
        let body = seal(&shared, &subscription(), &own, salt, payload, 144).unwrap();
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz\
                        AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(URL_SAFE_NO_PAD.encode(body), expected);
    }

    #[test]
    fn every_body_has_the_same_length_and_no_two_are_alike() {
        let to = subscription();
        let mut seen = std::collections::HashSet::new();
        for length in [0, 0, 1, 100, PAYLOAD_BYTES_MAX] {
            let body = encrypt(&Payload::new(vec![b'x'; length]).unwrap(), &to).unwrap();
            assert_eq!(body.len(), BODY_BYTES, "{length}");
            assert!(seen.insert(body));
        }
        assert!(Payload::new(vec![0; PAYLOAD_BYTES_MAX + 1]).is_err());
    }
}
