//! The keys of this installation: made once, kept in the database, replaced when somebody may have seen them.
//!
//! A key that was replaced is worth nothing from the commit on that replaced it, also in a server that still holds it: the
//! sessions get new nonces in the same transaction. Whoever stole a copy of the database can sign nothing any more. Nobody
//! is signed out by it, since refresh tokens are stored as digests: clients renew their access tokens.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::auth::keyring::{Key, SECRET_BYTES};
use crate::auth::{secret, vapid};
use crate::chat::access::caller;
use crate::chat::contract::error::Error;
use crate::chat::contract::outcome::Outcome;
use crate::model::timestamp::Timestamp;
use crate::store::keys::{self, Purpose};
use crate::store::sessions;

/// Makes the keys that are not there yet. To be called in a transaction: of two first starts at once, one makes them and
/// the other finds them.
///
/// # Errors
/// `INTERNAL`.
pub fn ensure(conn: &Connection, now: Timestamp) -> Result<(), Error> {
    for purpose in Purpose::ALL {
        if keys::find(conn, purpose)?.is_none() {
            replace(conn, purpose, now)?;
        }
    }
    Ok(())
}

/// The rule of `RotateKeys`: puts new keys into use, but for those of notices. What the ones before have signed, or sign in a
/// server that has not yet noticed, is worth nothing any more.
///
/// # Errors
/// `FORBIDDEN` for all but the system.
pub fn rotate(conn: &Connection, actor: Actor, now: Timestamp) -> Result<Outcome<()>, Error> {
    caller::require_system(actor)?;
    for purpose in Purpose::ROTATED {
        replace(conn, purpose, now)?;
    }
    sessions::forget_nonces(conn)?;
    Ok(().into())
}

/// The key for a purpose.
///
/// # Errors
/// `INTERNAL`, above all where there is none.
pub fn load(conn: &Connection, purpose: Purpose) -> Result<Key, Error> {
    let row = keys::find(conn, purpose)?.ok_or_else(|| Error::internal("there is no signing key"))?;
    let secret = row.secret.try_into().map_err(|_| Error::internal("a signing key has the wrong length"))?;
    Ok(Key { id: row.id, secret })
}

/// The key pair that pushes are signed with, in PKCS #8.
///
/// # Errors
/// `INTERNAL`, above all where there is none.
pub fn load_vapid(conn: &Connection) -> Result<Vec<u8>, Error> {
    let row = keys::find(conn, Purpose::Vapid)?.ok_or_else(|| Error::internal("there is no key pair for pushes"))?;
    Ok(row.secret)
}

fn replace(conn: &Connection, purpose: Purpose, now: Timestamp) -> Result<(), Error> {
    let secret = match purpose {
        Purpose::Vapid => vapid::generate().map_err(Error::internal)?,
        Purpose::Token | Purpose::Link | Purpose::Refresh | Purpose::Notice => {
            secret::random_bytes::<SECRET_BYTES>().map_err(Error::internal)?.to_vec()
        }
    };
    Ok(keys::replace(conn, purpose, &secret, now)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::writer::batch;
    use crate::store::database::open::Db;
    use crate::store::database::settings::{self, Missing};

    fn database() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(include_str!("../../../schema.sql")).unwrap();
        conn
    }

    #[test]
    fn keys_are_made_once() {
        let conn = database();
        let now = Timestamp::now();
        assert!(load(&conn, Purpose::Token).is_err());
        ensure(&conn, now).unwrap();
        let first = load(&conn, Purpose::Token).unwrap();
        ensure(&conn, now).unwrap();
        assert!(load(&conn, Purpose::Token).unwrap() == first);
        assert!(load(&conn, Purpose::Link).unwrap().secret != first.secret);
    }

    #[test]
    fn two_first_starts_at_once_make_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lexchat.db");
        let start = || {
            let settings = settings::Settings { path: path.clone(), missing: Missing::CreateEmpty, readers_max: 1 };
            let mut writer = Db::open(&settings).unwrap().writer;
            batch::change(&mut writer, |conn| ensure(conn, Timestamp::now())).unwrap();
            load(&writer.conn, Purpose::Token).unwrap()
        };
        let both = std::thread::scope(|scope| {
            let (one, other) = (scope.spawn(start), scope.spawn(start));
            (one.join().unwrap(), other.join().unwrap())
        });
        assert_eq!(both.0, both.1);
    }

    #[test]
    fn a_key_that_was_replaced_is_gone_and_its_number_never_comes_back() {
        let conn = database();
        let now = Timestamp::now();
        ensure(&conn, now).unwrap();
        let read = || Purpose::ROTATED.iter().map(|purpose| load(&conn, *purpose).unwrap()).collect::<Vec<Key>>();
        let kept = || (load_vapid(&conn).unwrap(), load(&conn, Purpose::Notice).unwrap().secret);
        let (before, kept_before) = (read(), kept());
        rotate(&conn, Actor::System, now).unwrap();
        let after = read();
        assert!(before.iter().all(|old| after.iter().all(|new| new.id != old.id && new.secret != old.secret)));
        let rows: i64 = conn.query_row("SELECT count(*) FROM keys", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 5);
        assert_eq!(kept(), kept_before, "what devices rely on stays");
        assert!(rotate(&conn, Actor::Anonymous, now).is_err());
    }
}
