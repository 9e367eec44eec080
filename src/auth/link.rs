//! Signed links: an address of one attachment, or of one conversation's files or export, that a browser can use in `<img>` and
//! `<a>`, where no header can be sent.
//!
//! ```text
//! grant = key id "." user id "." session id "." nonce "." expiry in seconds "." signature
//! ```
//!
//! The signature covers what the link leads to, so a grant opens nothing else. It names the person and session that
//! asked for it: with them, each use is checked like a request with a token, and dies when the session does.

use crate::auth::actor::Caller;
use crate::auth::keyring::{self, Keyring};
use crate::auth::secret;
use crate::auth::token::Invalid;
use crate::model::id::{AttachmentId, ConversationId, InvoiceId, SessionId, UserId};
use crate::model::session::SessionNonce;
use crate::model::timestamp::Timestamp;

/// What a link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// One file.
    Attachment(AttachmentId),
    /// The archive of a conversation's files.
    Files(ConversationId),
    /// The document of an invoice.
    Invoice(InvoiceId),
    /// What was said in a conversation.
    Export(ConversationId),
}

impl From<AttachmentId> for Subject {
    fn from(id: AttachmentId) -> Self {
        Self::Attachment(id)
    }
}

/// How long a link is good for.
pub const LIFETIME_S: i64 = 300;

const LENGTH_MAX: usize = 256;

/// The grant to append to the attachment's address, and when it ends: after [`LIFETIME_S`], or with the token that it
/// was asked with if that is sooner.
pub fn issue(
    keyring: &Keyring,
    subject: impl Into<Subject>,
    caller: &Caller,
    now: Timestamp,
) -> Result<(String, Timestamp), jsonwebtoken::errors::Error> {
    let expires_s = (now.as_secs() + LIFETIME_S).min(caller.expires_at().as_secs());
    let (user_id, session_id) = (caller.user_id().as_i64(), caller.session_id().as_i64());
    let held = keyring.held();
    let nonce = secret::to_hex(&caller.nonce().0);
    let message = signed_message(subject.into(), user_id, session_id, &nonce, expires_s);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &held.signing, keyring::ALGORITHM)?;
    let grant = format!("{}.{user_id}.{session_id}.{nonce}.{expires_s}.{signature}", held.signing_id);
    Ok((grant, Timestamp::from_millis(expires_s * 1_000)))
}

/// Who asked for `grant`, if our key signed it for this and it is good at `now`.
pub fn verify(keyring: &Keyring, subject: impl Into<Subject>, grant: &str, now: Timestamp) -> Result<Caller, Invalid> {
    if grant.len() > LENGTH_MAX {
        return Err(Invalid);
    }
    let parts: Vec<&str> = grant.split('.').collect();
    let [key_id, user_id, session_id, nonce, expires_s, signature] = parts[..] else { return Err(Invalid) };
    let (user_id, session_id, expires_s) = (number(user_id)?, number(session_id)?, number(expires_s)?);
    let held = keyring.held();
    let key = held.verifying(key_id).ok_or(Invalid)?;
    let message = signed_message(subject.into(), user_id, session_id, nonce, expires_s);
    let is_ours = jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, keyring::ALGORITHM);
    if !is_ours.unwrap_or(false) || now.as_secs() >= expires_s {
        return Err(Invalid);
    }
    let (user_id, session_id) = (UserId::new(user_id).ok_or(Invalid)?, SessionId::new(session_id).ok_or(Invalid)?);
    let nonce = secret::from_hex(nonce).map(SessionNonce).ok_or(Invalid)?;
    Ok(Caller::verified(user_id, session_id, nonce, Timestamp::from_millis(expires_s.saturating_mul(1_000))))
}

/// Begins with what no token's signed part can begin with, so neither passes for the other.
fn signed_message(subject: Subject, user_id: i64, session_id: i64, nonce: &str, expires_s: i64) -> String {
    let (kind, id) = match subject {
        Subject::Attachment(id) => ("attachment", id.as_i64()),
        Subject::Files(id) => ("files", id.as_i64()),
        Subject::Invoice(id) => ("invoice", id.as_i64()),
        Subject::Export(id) => ("export", id.as_i64()),
    };
    format!("{kind} link\n{id}\n{user_id}\n{session_id}\n{nonce}\n{expires_s}")
}

/// Plain digits only: one number has one spelling.
fn number(text: &str) -> Result<i64, Invalid> {
    let plain = !text.is_empty() && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().map_err(|_| Invalid) } else { Err(Invalid) }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::auth::keyring::Key;

    const NOW_S: i64 = 1_780_000_000;

    fn new_key() -> Key {
        static LAST_ID: AtomicI64 = AtomicI64::new(0);
        Key { id: LAST_ID.fetch_add(1, Ordering::Relaxed) + 1, secret: secret::random_bytes().unwrap() }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn caller() -> Caller {
        Caller::verified(UserId::new(1).unwrap(), SessionId::new(7).unwrap(), SessionNonce([7; 16]), at(NOW_S + 3_600))
    }

    fn attachment(id: i64) -> AttachmentId {
        AttachmentId::new(id).unwrap()
    }

    #[test]
    fn a_grant_names_who_asked_and_ends_after_five_minutes() {
        let ring = Keyring::new(&new_key());
        let (grant, expires_at) = issue(&ring, attachment(3), &caller(), at(NOW_S)).unwrap();
        assert_eq!(expires_at, at(NOW_S + 300));
        let found = verify(&ring, attachment(3), &grant, at(NOW_S + 299)).unwrap();
        assert_eq!((found.user_id(), found.session_id()), (caller().user_id(), caller().session_id()));
        assert_eq!(found.expires_at(), expires_at);
        assert_eq!(verify(&ring, attachment(3), &grant, at(NOW_S + 300)), Err(Invalid));
    }

    #[test]
    fn a_grant_does_not_outlive_the_token_it_was_asked_with() {
        let ring = Keyring::new(&new_key());
        let ending = Caller::verified(
            UserId::new(1).unwrap(),
            SessionId::new(7).unwrap(),
            SessionNonce([7; 16]),
            at(NOW_S + 10),
        );
        let (grant, expires_at) = issue(&ring, attachment(3), &ending, at(NOW_S)).unwrap();
        assert_eq!(expires_at, at(NOW_S + 10));
        assert_eq!(verify(&ring, attachment(3), &grant, at(NOW_S + 10)), Err(Invalid));
    }

    #[test]
    fn a_grant_opens_one_attachment_of_one_instance() {
        let ring = Keyring::new(&new_key());
        let (grant, _) = issue(&ring, attachment(3), &caller(), at(NOW_S)).unwrap();
        assert_eq!(verify(&ring, attachment(4), &grant, at(NOW_S)), Err(Invalid));
        let files = Subject::Files(ConversationId::new(3).unwrap());
        assert_eq!(verify(&ring, files, &grant, at(NOW_S)), Err(Invalid));
        let export = Subject::Export(ConversationId::new(3).unwrap());
        assert_eq!(verify(&ring, export, &grant, at(NOW_S)), Err(Invalid));
        let other = Keyring::new(&new_key());
        assert_eq!(verify(&other, attachment(3), &grant, at(NOW_S)), Err(Invalid));
    }

    #[test]
    fn every_prefix_and_every_flipped_byte_is_refused() {
        let ring = Keyring::new(&new_key());
        let (grant, _) = issue(&ring, attachment(3), &caller(), at(NOW_S)).unwrap();
        for place in 0..grant.len() {
            assert_eq!(verify(&ring, attachment(3), &grant[..place], at(NOW_S)), Err(Invalid));
            let mut bytes = grant.clone().into_bytes();
            bytes[place] ^= 1;
            let flipped = String::from_utf8(bytes).unwrap();
            assert_eq!(verify(&ring, attachment(3), &flipped, at(NOW_S)), Err(Invalid), "byte {place} flipped");
        }
    }

    #[test]
    fn a_token_is_no_grant_and_numbers_have_one_spelling() {
        let ring = Keyring::new(&new_key());
        let (grant, _) = issue(&ring, attachment(3), &caller(), at(NOW_S)).unwrap();
        for other in [grant.replace(".1.", ".01."), grant.replace(".1.", ".+1."), grant.replace(".7.", ".-7.")] {
            assert_ne!(other, grant);
            assert_eq!(verify(&ring, attachment(3), &other, at(NOW_S)), Err(Invalid), "{other}");
        }
        for text in ["", "....", "a.b.c", "a.1.7.9.b", &"9.".repeat(200)] {
            assert_eq!(verify(&ring, attachment(3), text, at(NOW_S)), Err(Invalid), "{text}");
        }
    }
}
