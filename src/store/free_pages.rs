//! Pages of the database's file that nothing stands in any more.
//!
//! What is deleted is overwritten, and so is a page that becomes free by it (`secure_delete`). Where rows are only written
//! to another place, over and over, that would be paid for each time though the same words stand in the file anyway. So
//! such pages may be left as they are, as long as there are few free ones: then all can be overwritten in one go, and are,
//! in the same transaction, when anything is deleted that may stand in them.

use rusqlite::{Connection, named_params};

/// So many can be overwritten in one go: 4 MiB.
pub const FEW: i64 = 1024;

/// Bytes of a blob in each of the pages (4 096 bytes) that it fills.
const BLOB_BYTES_PER_PAGE: i64 = 4092;

/// How many there are.
///
/// # Errors
/// When SQLite fails.
pub fn count(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("PRAGMA freelist_count")?.query_row([], |row| row.get(0))
}

/// Runs something that deletes nothing for good. The pages that it frees are left as they are.
///
/// # Errors
/// Those of `run`, and when SQLite fails.
pub fn leave<T>(conn: &Connection, run: impl FnOnce() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let left = Left::begin(conn)?;
    let done = run();
    left.end()?;
    done
}

/// While it is there, pages that become free are left as they are. A panic ends that as well: the writer outlives one, and
/// what it deletes after it is to be overwritten.
struct Left<'a> {
    conn: &'a Connection,
}

impl<'a> Left<'a> {
    fn begin(conn: &'a Connection) -> rusqlite::Result<Self> {
        // Set while they are prepared, so they cannot be kept.
        conn.query_row("PRAGMA secure_delete = FAST", [], |_| Ok(()))?;
        Ok(Self { conn })
    }

    fn end(self) -> rusqlite::Result<()> {
        let ended = overwrite_from_now_on(self.conn);
        std::mem::forget(self);
        ended
    }
}

impl Drop for Left<'_> {
    fn drop(&mut self) {
        // It fails where there is no memory for a statement of one word; then the panic that is going on tells of it.
        drop(overwrite_from_now_on(self.conn));
    }
}

fn overwrite_from_now_on(conn: &Connection) -> rusqlite::Result<()> {
    conn.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))
}

/// Overwrites all of them: a blob of zeros that needs so many pages takes them, and leaves them as it goes.
///
/// # Errors
/// When SQLite fails.
pub fn overwrite(conn: &Connection) -> rusqlite::Result<()> {
    // One page more than there are, as the row itself holds the end of it.
    let bytes = (count(conn)? + 1) * BLOB_BYTES_PER_PAGE;
    conn.prepare_cached(
        "INSERT INTO attachment_chunks (attachment_id, start, bytes) VALUES (-1, 0, zeroblob(:bytes))",
    )?
    .execute(named_params! { ":bytes": bytes })?;
    conn.prepare_cached("DELETE FROM attachment_chunks WHERE attachment_id = -1")?.execute([]).map(drop)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::store::database::pragmas;
    use crate::store::database::schema::SCHEMA;

    /// How often a text stands in the file, with all that was written to it.
    fn occurrences(conn: &Connection, text: &str) -> usize {
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        let bytes = std::fs::read(conn.path().unwrap()).unwrap();
        bytes.windows(text.len()).filter(|here| *here == text.as_bytes()).count()
    }

    #[test]
    fn pages_that_were_left_as_they_were_hold_nothing_once_they_are_overwritten() {
        let folder = TempDir::new().unwrap();
        let conn = Connection::open(folder.path().join("lexchat.db")).unwrap();
        pragmas::set_up(&conn).unwrap();
        conn.execute_batch(SCHEMA).unwrap();
        conn.execute_batch("CREATE TABLE drafts (text TEXT)").unwrap();
        // More than the numbers of which fit on one page of the list of free ones.
        for _ in 0..1_100 {
            conn.execute("INSERT INTO drafts VALUES ('brouillon ' || hex(zeroblob(2000)))", []).unwrap();
        }
        assert_eq!(occurrences(&conn, "brouillon"), 1_100);
        leave(&conn, || conn.execute("DELETE FROM drafts", [])).unwrap();
        assert!(count(&conn).unwrap() >= 1_100);
        assert!(occurrences(&conn, "brouillon") > 1_000, "they are overwritten already");
        let pages = |conn: &Connection| conn.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0)).unwrap();
        let (pages_before, free_before) = (pages(&conn), count(&conn).unwrap());
        overwrite(&conn).unwrap();
        assert_eq!(occurrences(&conn, "brouillon"), 0);
        assert!(count(&conn).unwrap() >= free_before);
        assert!(pages(&conn) <= pages_before + 2, "the file grows");
        conn.execute_batch("INSERT INTO drafts VALUES ('brouillon'); DELETE FROM drafts").unwrap();
        assert_eq!(occurrences(&conn, "brouillon"), 0, "it is not set back");
    }

    #[test]
    fn a_panic_while_pages_are_left_leaves_none_after_it() {
        let folder = TempDir::new().unwrap();
        let conn = Connection::open(folder.path().join("lexchat.db")).unwrap();
        pragmas::set_up(&conn).unwrap();
        let before: i64 = conn.query_row("PRAGMA secure_delete", [], |row| row.get(0)).unwrap();
        let panics = || leave(&conn, || -> rusqlite::Result<()> { panic!("on purpose") });
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).unwrap_err();
        assert_eq!(conn.query_row("PRAGMA secure_delete", [], |row| row.get::<_, i64>(0)).unwrap(), before);
        leave(&conn, || Err::<(), _>(rusqlite::Error::InvalidQuery)).unwrap_err();
        assert_eq!(conn.query_row("PRAGMA secure_delete", [], |row| row.get::<_, i64>(0)).unwrap(), before);
    }
}
