//! What it takes, beside the database, to know who somebody is: the signing keys, the hasher, and the order in which
//! one secret may be tried.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Mutex as Turn, MutexGuard};

use crate::auth::hasher::{Failure, Hasher};
use crate::auth::keyring::Keyring;
use crate::auth::secret::Digest;
use crate::chat::error::{Error, Reason};
use crate::chat::keys;
use crate::model::timestamp::Timestamp;
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
    trading: Arc<Mutex<HashSet<Digest>>>,
}

/// A refresh token that is being traded; nobody else trades it meanwhile.
pub struct Trade<'a> {
    trading: &'a Mutex<HashSet<Digest>>,
    digest: Digest,
}

impl Credentials {
    /// Reads the keys, which must have been made.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub fn load(conn: &Connection, hasher: Hasher, now: Timestamp) -> Result<Self, Error> {
        let (token, link) = (keys::load(conn, Purpose::Token, now)?, keys::load(conn, Purpose::Link, now)?);
        Ok(Self {
            hasher,
            tokens: Keyring::new(&token.current, &token.earlier),
            links: Keyring::new(&link.current, &link.earlier),
            turns: (0..TURNS).map(|_| Turn::new(())).collect(),
            seed: RandomState::new(),
            trading: Arc::default(),
        })
    }

    /// Reads the keys again, for all clones: they were rotated, perhaps by another process.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub fn reload(&self, conn: &Connection, now: Timestamp) -> Result<(), Error> {
        let (token, link) = (keys::load(conn, Purpose::Token, now)?, keys::load(conn, Purpose::Link, now)?);
        self.tokens.replace(&token.current, &token.earlier);
        self.links.replace(&link.current, &link.earlier);
        Ok(())
    }

    /// Waits until nobody else tries the password of this account, so that attempts at once are counted like attempts
    /// one after the other.
    pub async fn turn(&self, email: &str) -> MutexGuard<'_, ()> {
        let place = self.seed.hash_one(email) % TURNS as u64;
        self.turns[usize::try_from(place).unwrap_or(0)].lock().await
    }

    /// Begins to trade a refresh token; `None` if that is under way already.
    pub fn begin_trade(&self, digest: Digest) -> Option<Trade<'_>> {
        let is_first = self.trading.lock().unwrap_or_else(PoisonError::into_inner).insert(digest);
        is_first.then_some(Trade { trading: &self.trading, digest })
    }
}

impl Drop for Trade<'_> {
    fn drop(&mut self) {
        self.trading.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.digest);
    }
}

/// What the caller is told when a password could not be hashed.
#[must_use]
pub fn refused(failure: Failure) -> Error {
    match failure {
        Failure::Busy => Error::too_many(BUSY_RETRY),
        Failure::Abandoned => Reason::Unavailable.into(),
        Failure::Hash(cause) => Error::internal(cause),
    }
}
