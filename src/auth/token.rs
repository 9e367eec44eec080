//! Access tokens: JSON Web Tokens that say who is asking, until when, and in which session.
//!
//! ```text
//! header  {"typ":"JWT","alg":"HS256","kid":"<key id>"}
//! claims  {"sub":1,"email":"…","role":"client","sid":7,"iat":…,"exp":…,"iss":"lexchat","aud":"lexchat","jti":"…"}
//! ```
//!
//! `jti` is 64 hexadecimal digits: the nonce of the session, then 128 random bits of the token's own.
//!
//! Every claim is required and typed; the algorithm is pinned; a token of another instance names a key that is not
//! ours. A valid token says who somebody *was* when it was issued: that the session is live and the person active is
//! read from the database by whoever acts on it.

use std::time::Duration;

use jsonwebtoken::Header;
use serde::{Deserialize, Serialize};

use crate::auth::actor::Caller;
use crate::auth::keyring::{self, Keyring};
use crate::auth::secret::{self, NoRandomness};
use crate::model::id::{SessionId, UserId};
use crate::model::session::SessionNonce;
use crate::model::timestamp::Timestamp;
use crate::model::user::Role;

/// A token that claims to live longer than this is none of ours.
const LIFETIME_MAX_S: i64 = 86_400;

/// Longer texts are no tokens of ours and are not looked at.
const LENGTH_MAX: usize = 4_096;

/// How far in the future a `nbf` may lie, in seconds: clocks of two machines differ. Expiry has no such grace.
const LEEWAY_S: i64 = 30;

/// The one answer to every bad token, whatever is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid token")]
pub struct Invalid;

/// Why no token could be issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// No randomness for the token's id.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The claims could not be signed.
    #[error("a token could not be signed: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

/// The claims as they stand in the token.
#[derive(Serialize, Deserialize)]
struct Wire {
    sub: i64,
    email: String,
    role: Role,
    sid: i64,
    iat: i64,
    exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    iss: String,
    aud: String,
    jti: String,
}

/// Signs a token for this person and session, good for `life` from `now` (at most a day). Tells when it ends too.
pub fn issue(
    keyring: &Keyring,
    user_id: UserId,
    email: &str,
    role: Role,
    session: (SessionId, SessionNonce),
    life: Duration,
    now: Timestamp,
) -> Result<(String, Timestamp), IssueError> {
    let iat = now.as_secs();
    let exp = iat + i64::try_from(life.as_secs()).unwrap_or(LIFETIME_MAX_S).clamp(1, LIFETIME_MAX_S);
    let wire = Wire {
        sub: user_id.as_i64(),
        email: email.to_owned(),
        role,
        sid: session.0.as_i64(),
        iat,
        exp,
        nbf: None,
        iss: keyring::ISSUER.to_owned(),
        aud: keyring::AUDIENCE.to_owned(),
        jti: secret::to_hex(&session.1.0) + &secret::to_hex(&secret::random_bytes::<16>()?),
    };
    let held = keyring.held();
    let header = Header { kid: Some(held.signing_id.clone()), ..Header::new(keyring::ALGORITHM) };
    let token = jsonwebtoken::encode(&header, &wire, &held.signing)?;
    Ok((token, Timestamp::from_millis(exp * 1_000)))
}

/// Who holds `token`, if our key signed it and it is good at `now`.
pub fn verify(keyring: &Keyring, token: &str, now: Timestamp) -> Result<Caller, Invalid> {
    if token.len() > LENGTH_MAX {
        return Err(Invalid);
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| Invalid)?;
    let held = keyring.held();
    let key = header.kid.as_deref().and_then(|id| held.verifying(id)).ok_or(Invalid)?;
    let wire: Wire = jsonwebtoken::decode(token, key, held.validation()).map_err(|_| Invalid)?.claims;
    let now_s = now.as_secs();
    let is_current = now_s < wire.exp && wire.nbf.is_none_or(|nbf| (0..=now_s + LEEWAY_S).contains(&nbf));
    let is_sound = wire.iat >= 0 && wire.iat <= wire.exp && wire.exp - wire.iat <= LIFETIME_MAX_S;
    if !is_current || !is_sound {
        return Err(Invalid);
    }
    let nonce = wire.jti.get(..32).filter(|_| wire.jti.len() == 64).and_then(secret::from_hex).ok_or(Invalid)?;
    let (user_id, session_id) = (UserId::new(wire.sub).ok_or(Invalid)?, SessionId::new(wire.sid).ok_or(Invalid)?);
    Ok(Caller::verified(user_id, session_id, SessionNonce(nonce), Timestamp::from_millis(wire.exp * 1_000)))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use ring::hmac;
    use serde_json::{Value, json};

    use super::*;
    use crate::auth::keyring::Key;

    const NOW_S: i64 = 1_780_000_000;
    const NONCE: SessionNonce = SessionNonce([7; 16]);

    fn new_key() -> Key {
        static LAST_ID: AtomicI64 = AtomicI64::new(0);
        Key { id: LAST_ID.fetch_add(1, Ordering::Relaxed) + 1, secret: secret::random_bytes().unwrap() }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn key_and_ring() -> (Key, Keyring) {
        let key = new_key();
        let ring = Keyring::new(&key);
        (key, ring)
    }

    fn issue_one(ring: &Keyring) -> String {
        let (user_id, session_id) = (UserId::new(1).unwrap(), SessionId::new(7).unwrap());
        let hour = Duration::from_secs(3_600);
        issue(ring, user_id, "client1@example.com", Role::Client, (session_id, NONCE), hour, at(NOW_S)).unwrap().0
    }

    fn good_claims() -> Value {
        json!({
            "sub": 1, "email": "client1@example.com", "role": "client", "sid": 7, "iat": NOW_S, "exp": NOW_S + 60,
            "iss": "lexchat", "aud": "lexchat", "jti": "07".repeat(32),
        })
    }

    fn sign(key: &Key, header: &Header, claims: &Value) -> String {
        let secret = jsonwebtoken::EncodingKey::from_secret(&key.secret);
        jsonwebtoken::encode(header, claims, &secret).unwrap()
    }

    fn sign_good(key: &Key, claims: &Value) -> String {
        sign(key, &Header { kid: Some(key.id.to_string()), ..Header::new(keyring::ALGORITHM) }, claims)
    }

    /// Any header with an untouched payload and signature of `token`.
    fn with_header(token: &str, header: &Value) -> String {
        let (_, rest) = token.split_once('.').unwrap();
        format!("{}.{rest}", base64url(header.to_string().as_bytes()))
    }

    fn base64url(bytes: &[u8]) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut text = String::new();
        for group in bytes.chunks(3) {
            let mut three = [0; 3];
            three[..group.len()].copy_from_slice(group);
            let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
            for place in 0..=group.len() {
                text.push(char::from(ALPHABET[(bits >> (18 - 6 * place)) as usize & 63]));
            }
        }
        text
    }

    #[test]
    fn an_issued_token_says_who_when_and_in_which_session() {
        let (_, ring) = key_and_ring();
        let token = issue_one(&ring);
        let caller = verify(&ring, &token, at(NOW_S)).unwrap();
        assert_eq!(caller.user_id().as_i64(), 1);
        assert_eq!(caller.session_id().as_i64(), 7);
        assert_eq!(caller.expires_at(), at(NOW_S + 3_600));
        let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(&token).unwrap().claims;
        assert_eq!(claims["sub"], 1);
        assert_eq!(claims["email"], "client1@example.com");
        assert_eq!(claims["role"], "client");
        assert_eq!(claims["sid"], 7);
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3_600);
    }

    #[test]
    fn a_token_ends_on_the_second() {
        let (_, ring) = key_and_ring();
        let token = issue_one(&ring);
        assert!(verify(&ring, &token, at(NOW_S + 3_599)).is_ok());
        assert_eq!(verify(&ring, &token, at(NOW_S + 3_600)), Err(Invalid));
    }

    #[test]
    fn two_tokens_of_the_same_second_differ() {
        let (_, ring) = key_and_ring();
        assert_ne!(issue_one(&ring), issue_one(&ring));
    }

    #[test]
    fn what_a_replaced_key_signed_is_refused_at_once() {
        let (_, ring) = key_and_ring();
        let token = issue_one(&ring);
        let new = new_key();
        ring.replace(&new);
        assert_eq!(verify(&ring, &token, at(NOW_S)), Err(Invalid));
        let fresh = issue_one(&ring);
        let header = jsonwebtoken::decode_header(&fresh).unwrap();
        assert_eq!(header.kid.as_deref(), Some(new.id.to_string().as_str()), "the new key signs");
        assert_eq!(verify(&ring, &fresh, at(NOW_S)).unwrap().nonce(), NONCE);
    }

    #[test]
    fn another_instances_key_is_refused_under_its_own_name_and_under_ours() {
        let (key, ring) = key_and_ring();
        let (other, other_ring) = key_and_ring();
        assert_eq!(verify(&ring, &issue_one(&other_ring), at(NOW_S)), Err(Invalid));
        let under_our_name = Header { kid: Some(key.id.to_string()), ..Header::new(keyring::ALGORITHM) };
        assert_eq!(verify(&ring, &sign(&other, &under_our_name, &good_claims()), at(NOW_S)), Err(Invalid));
        let without_name = Header::new(keyring::ALGORITHM);
        assert_eq!(verify(&ring, &sign(&other, &without_name, &good_claims()), at(NOW_S)), Err(Invalid));
    }

    #[test]
    fn no_other_algorithm_is_accepted() {
        let (key, ring) = key_and_ring();
        for (name, algorithm) in [("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)] {
            let header = json!({"typ": "JWT", "alg": name, "kid": key.id.to_string()});
            let part = |value: &Value| base64url(value.to_string().as_bytes());
            let message = format!("{}.{}", part(&header), part(&good_claims()));
            let signature = hmac::sign(&hmac::Key::new(algorithm, &key.secret), message.as_bytes());
            let signed = format!("{message}.{}", base64url(signature.as_ref()));
            assert_eq!(verify(&ring, &signed, at(NOW_S)), Err(Invalid), "{name}");
        }
        let token = issue_one(&ring);
        for algorithm in ["none", "None", "NONE", "hs256", "HS384", "RS256", "ES256", "EdDSA", ""] {
            let forged = with_header(&token, &json!({"typ": "JWT", "alg": algorithm, "kid": key.id.to_string()}));
            assert_eq!(verify(&ring, &forged, at(NOW_S)), Err(Invalid), "{algorithm}");
            let (unsigned, _) = forged.rsplit_once('.').unwrap();
            assert_eq!(verify(&ring, &format!("{unsigned}."), at(NOW_S)), Err(Invalid), "{algorithm}, no signature");
            assert_eq!(verify(&ring, unsigned, at(NOW_S)), Err(Invalid), "{algorithm}, two parts");
        }
        let own_key =
            json!({"typ": "JWT", "alg": "HS256", "kid": key.id.to_string(), "jwk": {"kty": "oct", "k": "AAAA"}});
        assert_eq!(verify(&ring, &with_header(&token, &own_key), at(NOW_S)), Err(Invalid));
    }

    #[test]
    fn every_claim_is_required() {
        let (key, ring) = key_and_ring();
        assert!(verify(&ring, &sign_good(&key, &good_claims()), at(NOW_S)).is_ok());
        for name in ["sub", "email", "role", "sid", "iat", "exp", "iss", "aud", "jti"] {
            let mut claims = good_claims();
            claims.as_object_mut().unwrap().remove(name).unwrap();
            assert_eq!(verify(&ring, &sign_good(&key, &claims), at(NOW_S)), Err(Invalid), "without {name}");
            claims[name] = Value::Null;
            assert_eq!(verify(&ring, &sign_good(&key, &claims), at(NOW_S)), Err(Invalid), "{name} null");
        }
    }

    #[test]
    fn every_claim_has_one_type() {
        let (key, ring) = key_and_ring();
        let later = NOW_S + 60;
        for (name, value) in [
            ("exp", json!(later.to_string())),
            ("exp", json!(later as f64 + 0.5)),
            ("exp", json!(later as f64)),
            ("exp", json!(-1)),
            ("exp", json!(1e300)),
            ("exp", json!(true)),
            ("exp", json!([later])),
            ("exp", json!(u64::MAX)),
            ("exp", json!(i64::MAX)),
            ("exp", json!(NOW_S + 86_401)),
            ("exp", json!(NOW_S - 1)),
            ("iat", json!(NOW_S.to_string())),
            ("iat", json!(-5)),
            ("iat", json!(later + 1)),
            ("nbf", json!("99999999999")),
            ("nbf", json!(NOW_S.to_string())),
            ("nbf", json!(NOW_S as f64)),
            ("nbf", json!(-1)),
            ("nbf", json!(NOW_S + 31)),
            ("sub", json!("1")),
            ("sub", json!(0)),
            ("sub", json!(-1)),
            ("sub", json!(1.5)),
            ("sub", json!({"id": 1})),
            ("sid", json!("7")),
            ("sid", json!(0)),
            ("role", json!("root")),
            ("role", json!(["admin"])),
            ("email", json!(1)),
            ("iss", json!("someone else")),
            ("iss", json!(["lexchat"])),
            ("aud", json!("someone else")),
            ("aud", json!(["lexchat", "other"])),
            ("jti", json!("")),
            ("jti", json!(1)),
        ] {
            let mut claims = good_claims();
            claims[name] = value.clone();
            assert_eq!(verify(&ring, &sign_good(&key, &claims), at(NOW_S)), Err(Invalid), "{name}: {value}");
        }
        let mut claims = good_claims();
        claims["nbf"] = json!(NOW_S + 30);
        assert!(verify(&ring, &sign_good(&key, &claims), at(NOW_S)).is_ok(), "clocks may differ by 30 s");
    }

    #[test]
    fn a_payload_that_is_no_object_is_refused() {
        let (key, ring) = key_and_ring();
        for payload in [json!([1, 2]), json!([]), json!("x"), json!(null), json!(1), json!({})] {
            assert_eq!(verify(&ring, &sign_good(&key, &payload), at(NOW_S)), Err(Invalid), "{payload}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let (_, ring) = key_and_ring();
        let refresh = crate::auth::secret::Secret::generate().unwrap();
        let long = "a".repeat(1_000_000);
        for text in ["", ".", "..", "...", "a.b.c", "é.é.é", "\0.\0.\0", refresh.reveal(), &long] {
            assert_eq!(verify(&ring, text, at(NOW_S)), Err(Invalid));
        }
    }

    #[test]
    fn every_prefix_and_every_flipped_byte_is_refused() {
        let (_, ring) = key_and_ring();
        let token = issue_one(&ring);
        for end in 0..token.len() {
            assert_eq!(verify(&ring, &token[..end], at(NOW_S)), Err(Invalid), "the first {end} bytes");
        }
        for place in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[place] ^= 1;
            let flipped = String::from_utf8(bytes).unwrap();
            assert_eq!(verify(&ring, &flipped, at(NOW_S)), Err(Invalid), "byte {place} flipped");
        }
    }
}
