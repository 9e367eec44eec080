//! Copies that are named after their moment, of which the latest are kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use time::OffsetDateTime;
use time::format_description::StaticFormatDescription;
use time::macros::format_description;

use crate::store::database::backup::{self, Contents, CopyError};
use crate::store::database::file;

/// `lexchat-2026-11-23T023411Z.db`: a name that every file system takes, in the order of time.
const NAME: StaticFormatDescription = format_description!("lexchat-[year]-[month]-[day]T[hour][minute][second]Z.db");

/// Copies the database `source` into `folder`, which is made if it is missing, and removes the oldest copies beyond
/// `keep` once the new one is whole. Other files there are left alone. The copy's path.
///
/// # Errors
/// As [`backup::copy`]; no earlier copy is removed then.
pub fn copy_into(source: &Path, folder: &Path, keep: usize, contents: Contents) -> Result<PathBuf, CopyError> {
    file::make_private_folder(folder).map_err(|source| CopyError::System { path: folder.to_owned(), source })?;
    let made = loop {
        let name = OffsetDateTime::now_utc().format(&NAME).expect("a time in this millennium");
        let target = folder.join(name);
        match backup::copy_of(source, &target, contents) {
            // Two within a second: the later one takes the next.
            Err(CopyError::Exists { path }) if path == target => thread::sleep(Duration::from_millis(50)),
            outcome => break outcome.map(|()| target)?,
        }
    };
    for path in
        superfluous(folder, &made, keep).map_err(|source| CopyError::System { path: folder.to_owned(), source })?
    {
        fs::remove_file(&path).map_err(|source| CopyError::System { path, source })?;
    }
    Ok(made)
}

/// Notes in the database that a copy of it has been made, for whoever watches over that. The copy is whole already: where
/// the note cannot be written, it is left out.
pub fn record(database: &Path) {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let noted = Connection::open_with_flags(file::as_file(database), flags).and_then(|conn| {
        conn.busy_timeout(Duration::from_secs(2))?;
        conn.execute(
            "INSERT OR REPLACE INTO settings (name, value) VALUES ('last_backup_s', ?1)",
            [OffsetDateTime::now_utc().unix_timestamp().to_string()],
        )
    });
    if let Err(cause) = noted {
        tracing::debug!(%cause, "the backup is not noted in the database");
    }
}

/// When the last copy was made, in seconds since 1970.
///
/// # Errors
/// When SQLite fails.
pub fn last_s(conn: &Connection) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'last_backup_s'";
    conn.query_row(sql, [], |row| row.get(0)).optional()
}

/// All dated copies but the latest `keep`, of which the one just made is always one: a clock that was set back must not
/// cost it.
fn superfluous(folder: &Path, made: &Path, keep: usize) -> io::Result<Vec<PathBuf>> {
    let mut others = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if path != made && path.is_file() && name.and_then(moment_of).is_some() {
            others.push(path);
        }
    }
    others.sort();
    others.truncate(others.len().saturating_sub(keep.saturating_sub(1)));
    Ok(others)
}

fn moment_of(name: &str) -> Option<OffsetDateTime> {
    time::PrimitiveDateTime::parse(name, &NAME).ok().map(time::PrimitiveDateTime::assume_utc)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::store::database::open::Db;
    use crate::store::database::settings::{Missing, Settings};

    fn database(folder: &TempDir) -> PathBuf {
        let path = folder.path().join("lexchat.db");
        drop(Db::open(&Settings { path: path.clone(), missing: Missing::CreateDemo, readers_max: 1 }).unwrap());
        path
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_latest_copies_are_kept_and_what_is_none_of_ours_stays() {
        let place = TempDir::new().unwrap();
        let (db, folder) = (database(&place), place.path().join("copies"));
        fs::create_dir(&folder).unwrap();
        for name in ["lexchat-2026-01-01T000000Z.db", "lexchat-2026-01-02T000000Z.db"] {
            fs::write(folder.join(name), "old").unwrap();
        }
        let others = ["lexchat-2026-13-01T000000Z.db", "lexchat-before.db", "lexchat.db", "notes.txt"];
        for name in others {
            fs::write(folder.join(name), "kept").unwrap();
        }
        let first = copy_into(&db, &folder, 2, Contents::All).unwrap();
        let second = copy_into(&db, &folder, 2, Contents::All).unwrap();
        assert!(first < second, "two within a second have two names");
        let mut expected: Vec<String> = others.map(str::to_owned).into();
        expected.extend([first, second].map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()));
        expected.sort();
        assert_eq!(names(&folder), expected);
        let conn = Connection::open(&db).unwrap();
        assert_eq!(last_s(&conn), Ok(None));
        record(&db);
        let noted = last_s(&conn).unwrap().unwrap();
        assert!((OffsetDateTime::now_utc().unix_timestamp() - noted).abs() < 60);
    }

    #[test]
    fn a_copy_just_made_is_kept_although_the_clock_was_set_back() {
        let place = TempDir::new().unwrap();
        let (db, folder) = (database(&place), place.path().join("copies"));
        fs::create_dir(&folder).unwrap();
        for name in ["lexchat-2096-01-01T000000Z.db", "lexchat-2096-01-02T000000Z.db"] {
            fs::write(folder.join(name), "from the future").unwrap();
        }
        let made = copy_into(&db, &folder, 1, Contents::All).unwrap();
        assert_eq!(names(&folder), [made.file_name().unwrap().to_str().unwrap()]);
    }

    #[test]
    fn what_cannot_be_copied_costs_no_earlier_copy() {
        let place = TempDir::new().unwrap();
        let folder = place.path().join("copies");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("lexchat-2026-01-01T000000Z.db"), "old").unwrap();
        assert!(copy_into(&place.path().join("none.db"), &folder, 1, Contents::All).is_err());
        assert_eq!(names(&folder), ["lexchat-2026-01-01T000000Z.db"]);
    }
}
