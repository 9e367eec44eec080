//! The service account: the file that Firebase's console hands out, and the assertion made with it.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use hyper::Uri;
use serde::Deserialize;
use serde_json::json;

use crate::integrations::https::origin::Origin;
use crate::integrations::jws::{self, CannotSign, RsaKey};

/// What the bearer token is good for.
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
/// How long an assertion is good, in seconds; Google takes at most an hour.
const ASSERTION_SECONDS: u64 = 3600;

/// A service account of a Firebase project.
#[derive(Clone)]
pub struct Account {
    project_id: String,
    email: String,
    key_id: String,
    key: RsaKey,
    token_uri: Uri,
}

/// Why a file is no service account. None of the texts holds a part of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAccount {
    /// Another kind of file.
    #[error(
        "not the JSON file of a service account (project_id, client_email, private_key_id, private_key, token_uri)"
    )]
    Malformed,
    /// The key in it is none.
    #[error("its private_key is not an RSA key in PEM")]
    Key,
    /// Where it would have the key's signature sent.
    #[error("its token_uri is not Google's (https://oauth2.googleapis.com/token)")]
    TokenUri,
}

#[derive(Deserialize)]
struct File {
    project_id: String,
    client_email: String,
    private_key_id: String,
    private_key: String,
    token_uri: String,
}

impl Account {
    /// Reads the file's content.
    ///
    /// # Errors
    ///
    /// [`BadAccount`].
    pub fn from_json(json: &[u8]) -> Result<Account, BadAccount> {
        let file: File = serde_json::from_slice(json).map_err(|_| BadAccount::Malformed)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        if file.project_id.is_empty() || !file.project_id.chars().all(plain) {
            return Err(BadAccount::Malformed);
        }
        let token_uri: Uri = file.token_uri.parse().map_err(|_| BadAccount::TokenUri)?;
        Origin::of(&token_uri).map_err(|_| BadAccount::TokenUri)?;
        // A key that went through a variable has lost its ends of lines.
        let key = RsaKey::from_pem(file.private_key.replace("\\n", "\n").as_bytes()).map_err(|_| BadAccount::Key)?;
        Ok(Account {
            project_id: file.project_id,
            email: file.client_email,
            key_id: file.private_key_id,
            key,
            token_uri,
        })
    }

    /// The project whose apps are written to.
    pub fn project_id(&self) -> &str {
        &self.project_id
    }

    pub(super) fn token_uri(&self) -> &Uri {
        &self.token_uri
    }

    /// What is traded for a bearer token.
    pub(super) fn assertion(&self, now: SystemTime) -> Result<String, CannotSign> {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let claims = json!({
            "iss": self.email,
            "scope": SCOPE,
            "aud": self.token_uri.to_string(),
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        });
        jws::rs256(&self.key, &self.key_id, &claims)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({})", self.project_id)
    }
}
