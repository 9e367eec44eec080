//! The `practice` and `buyers` tables: who bills and who is billed, as of now.

use rusqlite::{Connection, OptionalExtension as _, named_params};
use serde_json::{Map, Value};

use crate::model::id::UserId;
use crate::model::party::{Buyer, Logo};
use crate::model::timestamp::Timestamp;

/// The practice as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct PracticeRow {
    /// Its fields, as they are shown.
    pub data: Map<String, Value>,
    /// A picture for the head of the page.
    pub logo: Option<Logo>,
    /// Whether it was made with the demo accounts.
    pub is_demo: bool,
}

/// The practice; `None` before anything is known of it.
///
/// # Errors
/// SQLite's.
pub fn find(conn: &Connection) -> rusqlite::Result<Option<PracticeRow>> {
    conn.prepare_cached("SELECT data, logo_type, logo, is_demo FROM practice")?
        .query_row([], |row| {
            let (mime_type, data): (Option<String>, Option<Vec<u8>>) = (row.get(1)?, row.get(2)?);
            Ok(PracticeRow {
                data: from_json(0, &row.get::<_, String>(0)?)?,
                logo: mime_type.zip(data).map(|(mime_type, data)| Logo { mime_type, data }),
                is_demo: row.get(3)?,
            })
        })
        .optional()
}

/// Stores the practice in place of what was known.
///
/// # Errors
/// SQLite's.
pub fn set(conn: &Connection, practice: &PracticeRow, now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT OR REPLACE INTO practice (id, data, logo_type, logo, is_demo, updated_at)
         VALUES (1, :data, :logo_type, :logo, :is_demo, :now)",
    )?
    .execute(named_params! {
        ":data": to_json(&practice.data)?,
        ":logo_type": practice.logo.as_ref().map(|logo| logo.mime_type.as_str()),
        ":logo": practice.logo.as_ref().map(|logo| logo.data.as_slice()),
        ":is_demo": practice.is_demo,
        ":now": now,
    })
    .map(drop)
}

/// How somebody wants to be billed.
///
/// # Errors
/// SQLite's.
pub fn find_buyer(conn: &Connection, user_id: UserId) -> rusqlite::Result<Option<Buyer>> {
    conn.prepare_cached("SELECT data FROM buyers WHERE user_id = :user")?
        .query_row(named_params! { ":user": user_id }, |row| from_json(0, &row.get::<_, String>(0)?))
        .optional()
}

/// Stores how somebody wants to be billed.
///
/// # Errors
/// SQLite's.
pub fn set_buyer(conn: &Connection, user_id: UserId, buyer: &Buyer, now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT OR REPLACE INTO buyers (user_id, data, updated_at)
         VALUES (:user, :data, :now)",
    )?
    .execute(named_params! { ":user": user_id, ":data": to_json(buyer)?, ":now": now })
    .map(drop)
}

/// What a column of JSON holds.
pub(in crate::store) fn from_json<T: serde::de::DeserializeOwned>(column: usize, text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|cause| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(cause))
    })
}

/// What a column of JSON is to hold.
pub(in crate::store) fn to_json(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|cause| rusqlite::Error::ToSqlConversionFailure(Box::new(cause)))
}
