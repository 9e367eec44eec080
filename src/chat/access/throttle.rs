//! How often one may try to prove who one is.
//!
//! Two counts, both kept in the database so that a restart forgives nothing:
//!
//! - per account: the first failures are free, then each one is followed by a longer pause, up to a quarter of an hour.
//!   During a pause nothing is looked at and nothing is counted, so a stranger can delay but never lengthen it at will.
//!   From an address where the owner was signed in before, failures are counted apart: a stranger elsewhere cannot keep
//!   the owner out.
//! - per address (an IPv6 network counts as one): so many attempts a minute, whatever the account and the outcome, and
//!   so many new accounts a day.
//!
//! A pause or a window that lies further ahead than any can was noted by a clock that has been set right since: it is
//! over.

use std::net::IpAddr;
use std::time::Duration;

use rusqlite::Connection;

use crate::auth::secret;
use crate::chat::contract::error::{Error, Reason};
use crate::model::id::UserId;
use crate::model::timestamp::Timestamp;
use crate::store::throttles::{self, Kind, Throttle};
use crate::store::{sessions, users};

/// Failures for an account before the first pause.
const FREE_FAILURES: i64 = 5;

/// The longest pause of an account.
const PAUSE_MAX: Duration = Duration::from_secs(15 * 60);

/// After so long without a failure an account starts afresh.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The window in which attempts from an address are counted.
const ADDRESS_WINDOW: Duration = Duration::from_secs(60);

/// The window in which forgotten passwords from an address are counted, and how many there may be.
const FORGOTTEN_WINDOW: Duration = Duration::from_secs(60 * 60);
const FORGOTTEN_MAX: u32 = 10;

/// The window in which new accounts from an address are counted.
const SIGN_UP_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// Under what the failures of an attempt are counted.
struct Counter {
    kind: Kind,
    key: String,
}

/// Counts an attempt from this address, or refuses it. A limit of 0 is none; an unknown address is not counted.
///
/// # Errors
/// `RATE_LIMITED`.
pub fn admit(conn: &Connection, address: Option<IpAddr>, per_minute_max: u32, now: Timestamp) -> Result<(), Error> {
    let Some(address) = address.filter(|_| per_minute_max > 0) else { return Ok(()) };
    count_within(conn, Kind::Address, address, ADDRESS_WINDOW, per_minute_max, now)?.map_err(Error::too_many)
}

/// Counts a new account from this address, or refuses it. A limit of 0 is none; this machine is not counted.
///
/// # Errors
/// `RATE_LIMITED`.
pub fn admit_account(
    conn: &Connection,
    address: Option<IpAddr>,
    per_day_max: u32,
    now: Timestamp,
) -> Result<(), Error> {
    let elsewhere = address.filter(|address| per_day_max > 0 && !address.to_canonical().is_loopback());
    let Some(address) = elsewhere else { return Ok(()) };
    let counted = count_within(conn, Kind::SignUp, address, SIGN_UP_WINDOW, per_day_max, now)?;
    counted.map_err(|wait| Error { reason: Reason::TooManyAccounts, ..Error::too_many(wait) })
}

/// Counts a forgotten password from this address; whether it was one too many. An unknown address is not counted.
///
/// # Errors
/// `INTERNAL`.
pub fn count_forgotten(conn: &Connection, address: Option<IpAddr>, now: Timestamp) -> Result<bool, Error> {
    let Some(address) = address else { return Ok(false) };
    Ok(count_within(conn, Kind::Forgotten, address, FORGOTTEN_WINDOW, FORGOTTEN_MAX, now)?.is_err())
}

/// Counts one more from this address within a window; the time until its end where there were too many.
fn count_within(
    conn: &Connection,
    kind: Kind,
    address: IpAddr,
    window: Duration,
    max: u32,
    now: Timestamp,
) -> Result<Result<(), Duration>, Error> {
    let key = network(address);
    let counted = throttles::find(conn, kind, &key)?
        .filter(|throttle| throttle.since_at <= now && now < throttle.since_at + window)
        .unwrap_or(Throttle { count: 0, since_at: now, blocked_until_at: now + window });
    if counted.count >= i64::from(max) {
        return Ok(Err(counted.blocked_until_at.since(now)));
    }
    throttles::set(conn, kind, &key, Throttle { count: counted.count + 1, ..counted })?;
    Ok(Ok(()))
}

/// Refuses an attempt on an account that is in a pause.
///
/// # Errors
/// `RATE_LIMITED`.
pub fn check_account(conn: &Connection, email: &str, address: Option<IpAddr>, now: Timestamp) -> Result<(), Error> {
    let counter = counter_of(conn, email, address)?;
    let pause = throttles::find(conn, counter.kind, &counter.key)?
        .map(|throttle| throttle.blocked_until_at.since(now))
        .filter(|pause| *pause <= PAUSE_MAX)
        .unwrap_or_default();
    if pause.is_zero() { Ok(()) } else { Err(Error::too_many(pause)) }
}

/// Counts a failure for an account, whether or not there is one.
///
/// # Errors
/// `INTERNAL`.
pub fn count_failure(conn: &Connection, email: &str, address: Option<IpAddr>, now: Timestamp) -> Result<(), Error> {
    let counter = counter_of(conn, email, address)?;
    let before = throttles::find(conn, counter.kind, &counter.key)?
        .filter(|throttle| now < throttle.blocked_until_at + FORGOTTEN_AFTER)
        .unwrap_or(Throttle { count: 0, since_at: now, blocked_until_at: now });
    let count = before.count + 1;
    let blocked_until_at = now + pause_after(count);
    throttles::set(conn, counter.kind, &counter.key, Throttle { count, blocked_until_at, ..before })?;
    Ok(())
}

/// Forgets the failures that an attempt from this address is counted with: it succeeded.
///
/// # Errors
/// `INTERNAL`.
pub fn forgive(conn: &Connection, email: &str, address: Option<IpAddr>) -> Result<(), Error> {
    let counter = counter_of(conn, email, address)?;
    throttles::delete(conn, counter.kind, &counter.key)?;
    Ok(())
}

/// Forgets all failures for an account, wherever they came from: its owner has shown who they are in another way.
///
/// # Errors
/// `INTERNAL`.
pub fn forgive_everywhere(conn: &Connection, email: &str) -> Result<(), Error> {
    let account = secret::to_hex(secret::Digest::of(email.as_bytes()).as_bytes());
    throttles::delete_of_account(conn, &account)?;
    Ok(())
}

/// Forgets the counts that mean nothing any more.
///
/// # Errors
/// `INTERNAL`.
pub fn tidy(conn: &Connection, now: Timestamp) -> Result<(), Error> {
    throttles::delete_over(conn, now - FORGOTTEN_AFTER)?;
    Ok(())
}

/// An address as it is stored with a session and counted: an IPv6 network of 64 bits is one place, an IPv4 address in
/// IPv6 clothes is itself.
#[must_use]
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) if v6.is_loopback() => v6.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// Whether somebody was signed in before from this address.
///
/// # Errors
/// `INTERNAL`.
pub fn is_familiar(conn: &Connection, owner: UserId, address: IpAddr) -> Result<bool, Error> {
    Ok(sessions::knows_address(conn, owner, &network(address))?)
}

fn pause_after(failures: i64) -> Duration {
    let doublings = failures - FREE_FAILURES;
    if doublings < 0 { Duration::ZERO } else { Duration::from_secs(1 << doublings.min(32)).min(PAUSE_MAX) }
}

fn counter_of(conn: &Connection, email: &str, address: Option<IpAddr>) -> Result<Counter, Error> {
    let account = secret::to_hex(secret::Digest::of(email.as_bytes()).as_bytes());
    let owner: Option<UserId> = users::find_by_email(conn, email)?.map(|account| account.profile.id);
    let familiar = match (owner, address) {
        (Some(owner), Some(address)) if is_familiar(conn, owner, address)? => Some(network(address)),
        _ => None,
    };
    Ok(match familiar {
        Some(network) => Counter { kind: Kind::Familiar, key: format!("{account} {network}") },
        None => Counter { kind: Kind::Account, key: account },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::contract::error::Code;
    use crate::model::locale::Locale;
    use crate::model::user::{PasswordHash, Role};
    use crate::store::users::NewUser;

    const EMAIL: &str = "camille@example.com";

    #[test]
    fn a_pause_that_a_wrong_clock_noted_is_over_when_the_clock_is_right() {
        let conn = database();
        let ahead = at(7_200);
        for _ in 0..12 {
            count_failure(&conn, EMAIL, None, ahead).unwrap();
        }
        assert!(check_account(&conn, EMAIL, None, ahead).is_err());
        check_account(&conn, EMAIL, None, at(0)).unwrap();
        let address = Some("192.0.2.7".parse().unwrap());
        for _ in 0..3 {
            admit(&conn, address, 3, ahead).unwrap();
        }
        assert!(admit(&conn, address, 3, ahead).is_err());
        admit(&conn, address, 3, at(0)).unwrap();
    }

    #[test]
    fn so_many_accounts_a_day_are_opened_from_an_address() {
        let conn = database();
        let [address, neighbour, here] = ["2001:db8::1", "2001:db8::2", "::1"].map(|text| Some(text.parse().unwrap()));
        for _ in 0..2 {
            admit_account(&conn, address, 2, at(0)).unwrap();
        }
        let refused = admit_account(&conn, neighbour, 2, at(3_600)).unwrap_err();
        assert_eq!((refused.reason, refused.retry_after), (Reason::TooManyAccounts, Some(Duration::from_secs(82_800))));
        admit_account(&conn, neighbour, 2, at(86_400)).unwrap();
        for _ in 0..10 {
            admit_account(&conn, here, 2, at(0)).unwrap();
            admit_account(&conn, address, 0, at(0)).unwrap();
        }
    }

    fn database() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(include_str!("../../../schema.sql")).unwrap();
        conn
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_780_000_000_000) + Duration::from_secs(seconds)
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    fn fail(conn: &Connection, from: Option<IpAddr>, times: usize, now: Timestamp) {
        for _ in 0..times {
            count_failure(conn, EMAIL, from, now).unwrap();
        }
    }

    #[test]
    fn five_failures_are_free_and_then_the_pauses_grow_up_to_a_quarter_of_an_hour() {
        let pauses: Vec<u64> = (1..=20).map(|failures| pause_after(failures).as_secs()).collect();
        assert_eq!(pauses[..9], [0, 0, 0, 0, 1, 2, 4, 8, 16]);
        assert_eq!(pauses[14..], [900; 6]);
        assert_eq!(pause_after(i64::MAX), PAUSE_MAX);
    }

    #[test]
    fn an_account_in_a_pause_is_not_looked_at_and_says_when_it_ends() {
        let conn = database();
        fail(&conn, None, 4, at(0));
        assert!(check_account(&conn, EMAIL, None, at(0)).is_ok());
        fail(&conn, None, 4, at(0));
        let refused = check_account(&conn, EMAIL, None, at(0)).unwrap_err();
        assert_eq!((refused.code(), refused.retry_after_s()), (Code::RateLimited, Some(8)));
        assert!(check_account(&conn, EMAIL, None, at(7)).is_err());
        assert!(check_account(&conn, EMAIL, None, at(8)).is_ok());
        assert!(check_account(&conn, "other@example.com", None, at(0)).is_ok(), "others are not touched");
    }

    #[test]
    fn success_and_a_day_of_peace_forgive() {
        let conn = database();
        fail(&conn, None, 10, at(0));
        forgive(&conn, EMAIL, None).unwrap();
        assert!(check_account(&conn, EMAIL, None, at(0)).is_ok());
        fail(&conn, None, 10, at(0));
        fail(&conn, None, 1, at(2 * 86_400));
        assert!(check_account(&conn, EMAIL, None, at(2 * 86_400)).is_ok(), "counted as the first one");
    }

    #[test]
    fn a_stranger_elsewhere_cannot_keep_the_owner_out_of_a_familiar_place() {
        let conn = database();
        let (home, away) = (address("192.0.2.7"), address("198.51.100.1"));
        let user = NewUser {
            name: "Camille",
            email: EMAIL,
            password: &PasswordHash(String::new()),
            role: Role::Client,
            specialty: None,
            locale: Locale::French,
        };
        let owner = users::insert(&conn, &user, at(0)).unwrap();
        sessions::insert(&conn, owner, None, Some(&network(home.unwrap())), at(0), at(60)).unwrap();
        fail(&conn, away, 30, at(0));
        assert!(check_account(&conn, EMAIL, away, at(1)).is_err());
        assert!(check_account(&conn, EMAIL, home, at(1)).is_ok());
        fail(&conn, home, 6, at(1));
        assert!(check_account(&conn, EMAIL, home, at(1)).is_err(), "a familiar place is counted too");
        forgive(&conn, EMAIL, home).unwrap();
        assert!(check_account(&conn, EMAIL, home, at(1)).is_ok());
        assert!(check_account(&conn, EMAIL, away, at(1)).is_err(), "what strangers did is not forgiven with it");
    }

    #[test]
    fn an_address_has_so_many_attempts_a_minute() {
        let conn = database();
        let (here, there) = (address("192.0.2.7"), address("192.0.2.8"));
        for second in 0..3 {
            admit(&conn, here, 3, at(second)).unwrap();
        }
        let refused = admit(&conn, here, 3, at(10)).unwrap_err();
        assert_eq!((refused.code(), refused.retry_after_s()), (Code::RateLimited, Some(50)));
        assert!(admit(&conn, there, 3, at(10)).is_ok());
        assert!(admit(&conn, here, 0, at(10)).is_ok(), "0 is no limit");
        assert!(admit(&conn, here, 3, at(60)).is_ok());
        assert!(admit(&conn, here, 3, at(0)).is_ok(), "a clock that was set back locks nobody out");
    }

    #[test]
    fn a_network_is_one_place() {
        for (text, place) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("::1", "::1"),
        ] {
            assert_eq!(network(text.parse().unwrap()), place);
        }
    }

    #[test]
    fn what_was_typed_as_an_email_cannot_be_read_in_the_database() {
        let conn = database();
        count_failure(&conn, "my secret password", None, at(0)).unwrap();
        let key: String = conn.query_row("SELECT key FROM sign_in_throttles", [], |row| row.get(0)).unwrap();
        assert!(!key.contains("secret") && key.len() == 64);
        tidy(&conn, at(3 * 86_400)).unwrap();
        let rows: i64 = conn.query_row("SELECT count(*) FROM sign_in_throttles", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 0);
    }
}
