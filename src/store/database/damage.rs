//! Whether a database that is to be opened is damaged: a quick look, small ones whole. `check` looks at everything.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use crate::store::database::error::{OpenError, refusal};
use crate::store::database::file;

/// A database up to this size is checked whole at each opening.
const CHECKED_BYTES_MAX: u64 = 16 << 20;

/// Looks for damage: the length of the file and the root of every table always, all of it where it is small.
pub(crate) fn look_for_damage(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    let refuse = |cause| refusal(path, cause);
    let corrupt = |cause: String| Err(OpenError::Corrupt { path: path.to_owned(), cause });
    let pages: i64 = conn.query_row("PRAGMA page_count", [], |row| row.get(0)).map_err(refuse)?;
    let page_size: i64 = conn.query_row("PRAGMA page_size", [], |row| row.get(0)).map_err(refuse)?;
    let bytes = u64::try_from(pages * page_size).unwrap_or(0);
    let stored = fs::metadata(path).map_or(0, |file| file.len());
    let has_wal = fs::metadata(file::companion(path, "-wal")).is_ok_and(|wal| wal.len() > 0);
    if stored < bytes && !has_wal {
        return corrupt(format!("{stored} bytes where {bytes} are expected"));
    }
    let mut tables = conn
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'")
        .map_err(refuse)?;
    let names = tables.query_map([], |row| row.get::<_, String>(0)).map_err(refuse)?;
    for name in names {
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM \"{}\" LIMIT 1)", name.map_err(refuse)?);
        conn.query_row(&sql, [], |row| row.get::<_, i64>(0)).map_err(refuse)?;
    }
    if bytes <= CHECKED_BYTES_MAX {
        let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(refuse)?;
        if verdict != "ok" {
            return corrupt(verdict.replace('\n', " "));
        }
    }
    Ok(())
}
