//! The keys of this installation: made once, kept in the database, replaced without signing anybody out.

use std::time::Duration;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::auth::keyring::{Key, SECRET_BYTES};
use crate::auth::secret;
use crate::chat::access;
use crate::chat::error::Error;
use crate::chat::outcome::Outcome;
use crate::chat::reply::Reply;
use crate::model::timestamp::Timestamp;
use crate::store::keys::{self, KeyRow, Purpose};
use crate::store::writer::{Pen, Undone};

/// How long an earlier key verifies beyond the life of what it signed: a running server notices a rotation by another
/// process within this time.
const OVERLAP: Duration = Duration::from_secs(600);

/// The keys of one purpose: the one that signs, and those that only verify.
pub struct Keys {
    /// Signs and verifies.
    pub current: Key,
    /// Only verify.
    pub earlier: Vec<Key>,
}

/// Makes the keys that are not there yet, in one transaction: of two first starts at once, one makes them and the other
/// finds them.
///
/// # Errors
/// `INTERNAL`.
pub fn make(pen: &mut Pen, now: Timestamp) -> Result<(), Error> {
    let mut batch = pen.begin().map_err(Error::internal)?;
    batch.change(|conn| ensure(conn, now)).map_err(|undone| match undone {
        Undone::Refused(refusal) => refusal,
        Undone::Panicked => Error::internal("the signing keys could not be made"),
        Undone::Lost(cause) => Error::internal(cause),
    })?;
    batch.commit().map_err(Error::internal)
}

fn ensure(conn: &Connection, now: Timestamp) -> Result<(), Error> {
    for purpose in Purpose::ALL {
        if keys::list(conn, purpose, now)?.iter().all(|row| !row.is_current) {
            insert(conn, purpose, now, now)?;
        }
    }
    Ok(())
}

/// Puts new keys into use. Those before verify for as long as what they signed can live, and then go.
///
/// # Errors
/// `INTERNAL`.
pub fn rotate(conn: &Connection, token_life: Duration, now: Timestamp) -> Result<(), Error> {
    for purpose in Purpose::ALL {
        insert(conn, purpose, now, now + token_life + OVERLAP)?;
    }
    tidy(conn, now)
}

/// The rule of [`crate::chat::command::Command::RotateKeys`].
///
/// # Errors
/// `FORBIDDEN` for all but the system.
pub fn carry_out_rotation(
    conn: &Connection,
    actor: Actor,
    token_life: Duration,
    now: Timestamp,
) -> Result<Outcome, Error> {
    access::require_system(actor)?;
    rotate(conn, token_life, now)?;
    Ok(Reply::Done.into())
}

/// The keys in force.
///
/// # Errors
/// `INTERNAL`, above all where there are none.
pub fn load(conn: &Connection, purpose: Purpose, now: Timestamp) -> Result<Keys, Error> {
    let mut rows = keys::list(conn, purpose, now)?.into_iter();
    let current = rows.next().filter(|row| row.is_current).ok_or_else(|| Error::internal("there is no signing key"))?;
    let earlier = rows.map(read).collect::<Result<_, _>>()?;
    Ok(Keys { current: read(current)?, earlier })
}

/// Forgets the keys that verify nothing any more.
///
/// # Errors
/// `INTERNAL`.
pub fn tidy(conn: &Connection, now: Timestamp) -> Result<(), Error> {
    keys::delete_retired(conn, now)?;
    Ok(())
}

fn insert(conn: &Connection, purpose: Purpose, now: Timestamp, retires_at: Timestamp) -> Result<(), Error> {
    let secret: [u8; SECRET_BYTES] = secret::random_bytes().map_err(Error::internal)?;
    Ok(keys::insert(conn, purpose, &secret, now, retires_at)?)
}

fn read(row: KeyRow) -> Result<Key, Error> {
    let secret = row.secret.try_into().map_err(|_| Error::internal("a signing key has the wrong length"))?;
    Ok(Key { id: row.id, secret })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::db::{self, Db, Missing};

    const HOUR: Duration = Duration::from_secs(3_600);

    fn database() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(include_str!("../../schema.sql")).unwrap();
        conn
    }

    #[test]
    fn keys_are_made_once() {
        let conn = database();
        let now = Timestamp::now();
        assert!(load(&conn, Purpose::Token, now).is_err());
        ensure(&conn, now).unwrap();
        let first = load(&conn, Purpose::Token, now).unwrap();
        ensure(&conn, now).unwrap();
        let second = load(&conn, Purpose::Token, now).unwrap();
        assert!(first.current == second.current && second.earlier.is_empty());
        assert!(load(&conn, Purpose::Link, now).unwrap().current.secret != first.current.secret);
    }

    #[test]
    fn two_first_starts_at_once_make_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lexchat.db");
        let start = || {
            let settings = db::Settings { path: path.clone(), missing: Missing::CreateEmpty, readers_max: 1 };
            let mut pen = Db::open(&settings).unwrap().pen;
            make(&mut pen, Timestamp::now()).unwrap();
            load(&pen.conn, Purpose::Token, Timestamp::now()).unwrap().current
        };
        let both = std::thread::scope(|scope| {
            let (one, other) = (scope.spawn(start), scope.spawn(start));
            (one.join().unwrap(), other.join().unwrap())
        });
        assert_eq!(both.0, both.1);
    }

    #[test]
    fn an_earlier_key_verifies_until_all_that_it_signed_is_over() {
        let conn = database();
        let now = Timestamp::now();
        ensure(&conn, now).unwrap();
        let first = load(&conn, Purpose::Token, now).unwrap().current;
        rotate(&conn, HOUR, now).unwrap();
        let after = load(&conn, Purpose::Token, now + HOUR).unwrap();
        assert!(after.current != first && after.earlier == [first]);
        let over = now + HOUR + OVERLAP;
        assert!(load(&conn, Purpose::Token, over).unwrap().earlier.is_empty());
        tidy(&conn, over).unwrap();
        let rows: i64 = conn.query_row("SELECT count(*) FROM keys", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 2);
    }

    #[test]
    fn two_rotations_in_a_row_sign_nobody_out() {
        let conn = database();
        let now = Timestamp::now();
        ensure(&conn, now).unwrap();
        rotate(&conn, HOUR, now).unwrap();
        rotate(&conn, HOUR, now).unwrap();
        assert_eq!(load(&conn, Purpose::Token, now).unwrap().earlier.len(), 2);
    }
}
