//! The `devices` table: the browsers and apps to which notices go.

use std::fmt;

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

use crate::model::id::{DeliveryId, DeviceId, SessionId, UserId};
use crate::model::notices::{Device, DeviceKind};
use crate::model::timestamp::Timestamp;

/// Where a device is reached: a secret of the device, so `Debug` shows its kind alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Reach {
    pub kind: DeviceKind,
    /// The endpoint or the registration.
    pub address: String,
    /// `p256dh` and `auth` of a browser.
    pub keys: Option<(String, String)>,
}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reach({}: …)", self.kind.as_str())
    }
}

/// A device with what only the server knows of it.
pub struct DeviceRow {
    pub device: Device,
    pub tested_at: Option<Timestamp>,
}

const COLUMNS: &str =
    "id, kind, name, session_id IS :session_id, created_at, registered_at, used_at, gone_at, tested_at";

/// Somebody's devices, the latest first.
pub fn list_of(conn: &Connection, user_id: UserId, session_id: SessionId) -> rusqlite::Result<Vec<Device>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM devices WHERE user_id = :user_id ORDER BY id DESC"))?
        .query_map(named_params! {":user_id": user_id, ":session_id": session_id}, |row| Ok(read(row)?.device))?
        .collect()
}

/// One of somebody's devices.
pub fn find(
    conn: &Connection,
    user_id: UserId,
    session_id: SessionId,
    id: DeviceId,
) -> rusqlite::Result<Option<DeviceRow>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM devices WHERE user_id = :user_id AND id = :id"))?
        .query_row(named_params! {":user_id": user_id, ":session_id": session_id, ":id": id}, read)
        .optional()
}

/// Whose device has this address.
pub fn find_owner(conn: &Connection, address: &str) -> rusqlite::Result<Option<(DeviceId, UserId)>> {
    conn.prepare_cached("SELECT id, user_id FROM devices WHERE address = :address")?
        .query_row(named_params! {":address": address}, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// How many of somebody's devices are reached.
pub fn count_reached(conn: &Connection, user_id: UserId) -> rusqlite::Result<i64> {
    conn.prepare_cached("SELECT count(*) FROM devices WHERE user_id = :user_id AND address IS NOT NULL")?
        .query_row(named_params! {":user_id": user_id}, |row| row.get(0))
}

/// The devices of somebody that are reached, by kind.
pub fn list_ids(conn: &Connection, user_id: UserId) -> rusqlite::Result<Vec<(DeviceId, DeviceKind)>> {
    conn.prepare_cached("SELECT id, kind FROM devices WHERE user_id = :user_id AND address IS NOT NULL ORDER BY id")?
        .query_map(named_params! {":user_id": user_id}, |row| {
            let kind: String = row.get(1)?;
            Ok((row.get(0)?, DeviceKind::find(&kind).ok_or(rusqlite::Error::InvalidQuery)?))
        })?
        .collect()
}

/// The devices of somebody that are reached: what each is called, and where.
pub fn list_reached(conn: &Connection, user_id: UserId) -> rusqlite::Result<Vec<(Option<String>, Reach)>> {
    conn.prepare_cached(
        "SELECT name, kind, address, public_key, auth
        FROM devices
        WHERE user_id = :user_id
          AND address IS NOT NULL
        ORDER BY id",
    )?
    .query_map(named_params! {":user_id": user_id}, |row| {
        let kind: String = row.get(1)?;
        let kind = DeviceKind::find(&kind).ok_or(rusqlite::Error::InvalidQuery)?;
        let keys: (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
        Ok((row.get(0)?, Reach { kind, address: row.get(2)?, keys: keys.0.zip(keys.1) }))
    })?
    .collect()
}

/// Stores a device that is not there yet.
pub fn insert(
    conn: &Connection,
    (user_id, session_id): (UserId, SessionId),
    reach: &Reach,
    name: Option<&str>,
    now: Timestamp,
) -> rusqlite::Result<DeviceId> {
    conn.prepare_cached(
        "INSERT INTO devices (user_id, session_id, kind, address, public_key, auth, name, created_at, registered_at)
        VALUES (:user_id, :session_id, :kind, :address, :public_key, :auth, :name, :now, :now)
        RETURNING id",
    )?
    .query_row(
        named_params! {
            ":user_id": user_id,
            ":session_id": session_id,
            ":kind": reach.kind.as_str(),
            ":address": reach.address,
            ":public_key": reach.keys.as_ref().map(|keys| &keys.0),
            ":auth": reach.keys.as_ref().map(|keys| &keys.1),
            ":name": name,
            ":now": now,
        },
        |row| row.get(0),
    )
}

/// Registers a device again: its keys may be new, its name is if there is one.
pub fn set_registered(
    conn: &Connection,
    id: DeviceId,
    session_id: SessionId,
    reach: &Reach,
    name: Option<&str>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE devices
        SET session_id = :session_id, public_key = :public_key, auth = :auth, name = coalesce(:name, name),
            registered_at = :now
        WHERE id = :id",
    )?
    .execute(named_params! {
        ":id": id,
        ":session_id": session_id,
        ":public_key": reach.keys.as_ref().map(|keys| &keys.0),
        ":auth": reach.keys.as_ref().map(|keys| &keys.1),
        ":name": name,
        ":now": now,
    })
    .map(drop)
}

/// Notes that its owner asked for a test.
pub fn set_tested(conn: &Connection, id: DeviceId, now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE devices SET tested_at = :now WHERE id = :id")?
        .execute(named_params! {":id": id, ":now": now})
        .map(drop)
}

/// Notes that a push was accepted for the device that a delivery goes to.
pub fn set_used_by(conn: &Connection, delivery_id: DeliveryId, now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE devices
        SET used_at = :now
        WHERE id = (SELECT device_id FROM outbox WHERE id = :delivery_id)",
    )?
    .execute(named_params! {":delivery_id": delivery_id, ":now": now})
    .map(drop)
}

/// Notes that the device that a delivery goes to does not exist any more. Nothing is kept by which it could be reached.
pub fn set_gone_by(conn: &Connection, delivery_id: DeliveryId, now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE devices
        SET address = NULL, public_key = NULL, auth = NULL, gone_at = :now
        WHERE id = (SELECT device_id FROM outbox WHERE id = :delivery_id)
          AND gone_at IS NULL",
    )?
    .execute(named_params! {":delivery_id": delivery_id, ":now": now})
    .map(drop)
}

/// Forgets a device.
pub fn delete(conn: &Connection, id: DeviceId) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM devices WHERE id = :id")?.execute(named_params! {":id": id}).map(drop)
}

/// Forgets the devices of somebody's session.
pub fn delete_of_session(conn: &Connection, user_id: UserId, session_id: SessionId) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM devices WHERE user_id = :user_id AND session_id = :session_id")?
        .execute(named_params! {":user_id": user_id, ":session_id": session_id})
        .map(drop)
}

/// Forgets all of somebody's devices but those of one session.
pub fn delete_of_user(conn: &Connection, user_id: UserId, except: Option<SessionId>) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "DELETE FROM devices
        WHERE user_id = :user_id
          AND (:except IS NULL OR session_id IS NOT :except)",
    )?
    .execute(named_params! {":user_id": user_id, ":except": except})
    .map(drop)
}

/// Forgets the devices that were last registered before this moment.
pub fn delete_over(conn: &Connection, before: Timestamp) -> rusqlite::Result<usize> {
    conn.prepare_cached("DELETE FROM devices WHERE registered_at < :before")?.execute(named_params! {":before": before})
}

fn read(row: &Row<'_>) -> rusqlite::Result<DeviceRow> {
    let kind: String = row.get(1)?;
    let kind = DeviceKind::find(&kind).ok_or(rusqlite::Error::InvalidQuery)?;
    Ok(DeviceRow {
        device: Device {
            id: row.get(0)?,
            kind,
            name: row.get(2)?,
            is_current: row.get(3)?,
            created_at: row.get(4)?,
            registered_at: row.get(5)?,
            last_used_at: row.get(6)?,
            gone_at: row.get(7)?,
        },
        tested_at: row.get(8)?,
    })
}
