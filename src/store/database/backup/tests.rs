//! Copies and restores of database files.

use super::*;
use crate::store::database::open::Db;
use crate::store::database::settings::{Missing, Settings};

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn database(&self) -> Db {
        let settings = Settings { path: self.path("lexchat.db"), missing: Missing::CreateDemo, readers_max: 1 };
        Db::open(&settings).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.retain(|name| !name.starts_with("lexchat.db"));
        names.sort();
        names
    }
}

fn users(path: &Path) -> i64 {
    let conn = Connection::open(path).unwrap();
    conn.query_row("SELECT count(*) FROM users", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_backup_holds_what_was_committed_while_the_database_is_open() {
    let place = Place::new();
    let mut db = place.database();
    let mut batch = db.writer.begin().unwrap();
    let renamed = batch.change(|conn| conn.execute("UPDATE users SET name = 'Après' WHERE id = 1", []));
    assert!(renamed.is_ok());
    batch.commit().unwrap();
    copy(&place.path("lexchat.db"), &place.path("copy.db")).unwrap();
    let conn = Connection::open(place.path("copy.db")).unwrap();
    let name: String = conn.query_row("SELECT name FROM users WHERE id = 1", [], |row| row.get(0)).unwrap();
    assert_eq!(name, "Après");
    assert_eq!(schema::identify(&conn).unwrap(), Found::Ours(schema::VERSION));
    assert_eq!(place.names(), ["copy.db"], "nothing is left lying about");
}

#[cfg(unix)]
#[test]
fn a_backup_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let _db = place.database();
    copy(&place.path("lexchat.db"), &place.path("copy.db")).unwrap();
    assert_eq!(fs::metadata(place.path("copy.db")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn nothing_is_ever_overwritten() {
    let place = Place::new();
    let _db = place.database();
    fs::write(place.path("copy.db"), "mine").unwrap();
    let refused = copy(&place.path("lexchat.db"), &place.path("copy.db"));
    assert!(matches!(refused, Err(CopyError::Exists { .. })));
    assert_eq!(fs::read(place.path("copy.db")).unwrap(), b"mine");
    copy(&place.path("lexchat.db"), &place.path("good.db")).unwrap();
    let onto_itself = restore(&place.path("good.db"), &place.path("lexchat.db"));
    assert!(matches!(onto_itself, Err(CopyError::Exists { .. })));
    fs::write(place.path("new.db-wal"), "of another database").unwrap();
    assert!(matches!(restore(&place.path("good.db"), &place.path("new.db")), Err(CopyError::Exists { .. })));
}

#[test]
fn a_restored_database_opens_and_holds_everything() {
    let place = Place::new();
    drop(place.database());
    copy(&place.path("lexchat.db"), &place.path("copy.db")).unwrap();
    restore(&place.path("copy.db"), &place.path("restored.db")).unwrap();
    let settings = Settings { path: place.path("restored.db"), missing: Missing::Refuse, readers_max: 1 };
    assert!(!Db::open(&settings).unwrap().created);
    assert_eq!(users(&place.path("restored.db")), 11);
}

#[test]
fn what_is_not_ours_is_refused_and_leaves_nothing_behind() {
    let place = Place::new();
    fs::write(place.path("text.db"), "no database, but long enough to look at".repeat(50)).unwrap();
    fs::write(place.path("empty.db"), "").unwrap();
    Connection::open(place.path("other.db")).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    for name in ["text.db", "empty.db", "other.db"] {
        let refused = restore(&place.path(name), &place.path("new.db"));
        assert!(matches!(refused, Err(CopyError::Foreign { .. })), "{name}: {refused:?}");
    }
    assert!(matches!(restore(&place.path("none.db"), &place.path("new.db")), Err(CopyError::Missing { .. })));
    assert_eq!(place.names(), ["empty.db", "other.db", "text.db"]);
}

#[test]
fn a_damaged_database_gives_no_copy() {
    let place = Place::new();
    drop(place.database());
    let path = place.path("lexchat.db");
    let mut bytes = fs::read(&path).unwrap();
    let schema_end = bytes.len() / 2;
    bytes[schema_end..].fill(0x55);
    fs::write(&path, bytes).unwrap();
    assert!(copy(&path, &place.path("copy.db")).is_err());
    assert_eq!(place.names(), Vec::<String>::new());
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_text_is_a_name_all_the_same() {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    drop(place.database());
    let named = |bytes: &[u8]| place.folder.path().join(std::ffi::OsStr::from_bytes(bytes));
    let (one, two) = (named(b"caf\xe9.db"), named(b"file:'\"\xff?mode=ro.db"));
    copy(&place.path("lexchat.db"), &one).unwrap();
    copy(&one, &two).unwrap();
    for path in [&one, &two] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(users(path), 11);
    }
    assert_eq!(place.names().len(), 2, "{:?}", place.names());
}

#[test]
fn what_copies_that_were_cut_off_left_is_removed_after_a_day_and_nothing_else_is() {
    let place = Place::new();
    drop(place.database());
    let old = std::time::SystemTime::now() - LEFTOVER_LIFE - Duration::from_secs(60);
    let leave = |name: &str, bytes: &[u8], is_old: bool| {
        fs::write(place.path(name), bytes).unwrap();
        if is_old {
            File::options().write(true).open(place.path(name)).unwrap().set_modified(old).unwrap();
        }
    };
    let head = b"SQLite format 3\0and so on";
    leave("bak1.db.0123abcd.part", head, true);
    leave("bak1.db.0123abcd.part-journal", b"\xd9\xd5\x05\xf9", true);
    leave("bak2.db.89abcdef.part", b"", true);
    leave("bak3.db.0123abcd.part", head, false);
    leave("bak3.db.0123abcd.part-journal", b"", false);
    leave("film.deadbeef.part", b"of another program", true);
    leave("film.part", head, true);
    leave("other.db", head, true);
    copy(&place.path("lexchat.db"), &place.path("copy.db")).unwrap();
    let kept = [
        "bak3.db.0123abcd.part",
        "bak3.db.0123abcd.part-journal",
        "copy.db",
        "film.deadbeef.part",
        "film.part",
        "other.db",
    ];
    assert_eq!(place.names(), kept);
    leave("restored.db.0123abcd.part", head, true);
    leave("restored.db.0123abcd.part-journal", b"\xd9\xd5\x05\xf9", true);
    restore(&place.path("copy.db"), &place.path("restored.db")).unwrap();
    assert!(!place.names().iter().any(|name| name.starts_with("restored.db.")), "{:?}", place.names());
}

#[test]
fn every_copy_is_a_history_of_its_own() {
    let place = Place::new();
    drop(place.database());
    let named = |name: &str| history::load(&Connection::open(place.path(name)).unwrap()).unwrap();
    copy(&place.path("lexchat.db"), &place.path("copy.db")).unwrap();
    restore(&place.path("copy.db"), &place.path("one.db")).unwrap();
    restore(&place.path("copy.db"), &place.path("two.db")).unwrap();
    let mut names: Vec<String> = ["lexchat.db", "copy.db", "one.db", "two.db"].map(named).into();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 4, "{names:?}");
}
