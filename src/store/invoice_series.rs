//! The `invoice_series` and `lost_numbers` tables: which numbers were given out, and whether more may be.

use rusqlite::{Connection, OptionalExtension as _, named_params};

use crate::model::day::Day;

/// The latest number of a series and its day.
///
/// # Errors
/// SQLite's.
pub fn find_latest(conn: &Connection, series: &str, year: i32) -> rusqlite::Result<Option<(i64, Day)>> {
    conn.prepare_cached("SELECT latest, latest_on FROM invoice_series WHERE name = :name AND year = :year")?
        .query_row(named_params! { ":name": series, ":year": year }, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// The latest day of a series, whatever the year.
///
/// # Errors
/// SQLite's.
pub fn find_latest_day(conn: &Connection, series: &str) -> rusqlite::Result<Option<Day>> {
    conn.prepare_cached("SELECT max(latest_on) FROM invoice_series WHERE name = :name")?
        .query_row(named_params! { ":name": series }, |row| row.get(0))
}

/// Takes a number out of a series.
///
/// # Errors
/// SQLite's.
pub fn set_latest(conn: &Connection, series: &str, year: i32, latest: i64, on: Day) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT OR REPLACE INTO invoice_series (name, year, latest, latest_on)
         VALUES (:name, :year, :latest, :on)",
    )?
    .execute(named_params! { ":name": series, ":year": year, ":latest": latest, ":on": on })
    .map(drop)
}

/// Notes a number that left the house and is not known here.
///
/// # Errors
/// SQLite's.
pub fn insert_lost(conn: &Connection, number: &str, on: Day) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT OR IGNORE INTO lost_numbers (number, noted_on) VALUES (:number, :on)")?
        .execute(named_params! { ":number": number, ":on": on })
        .map(drop)
}

/// The numbers that were lost, in their order.
///
/// # Errors
/// SQLite's.
pub fn list_lost(conn: &Connection) -> rusqlite::Result<Vec<(String, Day)>> {
    conn.prepare_cached("SELECT number, noted_on FROM lost_numbers ORDER BY number")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Whether billing is on hold: this copy is not the one in which bills were issued.
///
/// # Errors
/// SQLite's.
pub fn is_on_hold(conn: &Connection) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT (SELECT value FROM settings WHERE name = 'billing_history')
           IS NOT (SELECT value FROM settings WHERE name = 'history')",
    )?
    .query_row([], |row| row.get(0))
}

/// From now on bills are issued in this copy.
///
/// # Errors
/// SQLite's.
pub fn end_hold(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute(
        "INSERT OR REPLACE INTO settings (name, value)
         SELECT 'billing_history', value
         FROM settings
         WHERE name = 'history'",
        [],
    )
    .map(drop)
}
