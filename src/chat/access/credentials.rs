//! What it takes, beside the database, to know who somebody is: the keys, the hasher, and the order in which one password
//! may be tried.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Mutex as Turn, MutexGuard};

use crate::auth::hasher::{Failure, Hasher};
use crate::auth::keyring::{Key, Keyring};
use crate::auth::secret::Secret;
use crate::chat::access::keys;
use crate::chat::contract::error::{Error, Reason};
use crate::store::keys::Purpose;

/// More than there are hashes under way at once; accounts that share one wait for each other, no more.
const TURNS: usize = 256;

/// After how long somebody who found the hasher busy may come back.
const BUSY_RETRY: Duration = Duration::from_secs(2);

/// Shared by all clones of the chat.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// What hashes passwords.
    pub hasher: Hasher,
    /// What signs access tokens.
    pub tokens: Keyring,
    /// What signs addresses of files.
    pub links: Keyring,
    turns: Arc<[Turn<()>]>,
    seed: RandomState,
    refresh: Arc<RwLock<Key>>,
}

impl Credentials {
    /// Reads the keys, which must have been made.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub fn load(conn: &Connection, hasher: Hasher) -> Result<Self, Error> {
        Ok(Self {
            hasher,
            tokens: Keyring::new(&keys::load(conn, Purpose::Token)?),
            links: Keyring::new(&keys::load(conn, Purpose::Link)?),
            refresh: Arc::new(RwLock::new(keys::load(conn, Purpose::Refresh)?)),
            turns: (0..TURNS).map(|_| Turn::new(())).collect(),
            seed: RandomState::new(),
        })
    }

    /// Takes up the keys of the database, for all clones: another process may have rotated them. Returns the number of this
    /// set of keys, which is another one after each rotation.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub fn reload(&self, conn: &Connection) -> Result<i64, Error> {
        let refresh = keys::load(conn, Purpose::Refresh)?;
        let id = refresh.id;
        if id != self.refresh.read().unwrap_or_else(PoisonError::into_inner).id {
            self.tokens.replace(&keys::load(conn, Purpose::Token)?);
            self.links.replace(&keys::load(conn, Purpose::Link)?);
            *self.refresh.write().unwrap_or_else(PoisonError::into_inner) = refresh;
        }
        Ok(id)
    }

    /// Waits until nobody else tries the password of this account, so that attempts at once are counted like attempts
    /// one after the other.
    pub async fn turn(&self, email: &str) -> MutexGuard<'_, ()> {
        let place = self.seed.hash_one(email) % TURNS as u64;
        self.turns[usize::try_from(place).unwrap_or(0)].lock().await
    }

    /// The refresh token that follows the one presented.
    pub fn successor(&self, presented: &str) -> Secret {
        Secret::successor(&self.refresh.read().unwrap_or_else(PoisonError::into_inner).secret, presented)
    }
}

/// The refusal when a password could not be hashed.
#[must_use]
pub fn refused(failure: Failure) -> Error {
    match failure {
        Failure::Busy => Error::too_many(BUSY_RETRY),
        Failure::Abandoned => Reason::Unavailable.into(),
        Failure::Hash(cause) => Error::internal(cause),
    }
}
