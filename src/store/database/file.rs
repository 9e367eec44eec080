//! The database's file, before SQLite sees it: there, ours to write, and nobody else's to read, whatever the umask.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::store::database::error::OpenError;
use crate::store::database::schema::APPLICATION_ID;
use crate::store::database::settings::Missing;

/// What a database of SQLite begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Where the number stands in it that says whose database it is.
const NUMBER_AT: usize = 68;

/// Bytes up to the end of that.
const HEAD: usize = NUMBER_AT + 4;

/// The path of a file and of nothing else: SQLite takes `file:…` for an address with settings in it, and `:memory:` for no
/// file at all, where they are the names of files.
#[must_use]
pub fn as_file(path: &Path) -> PathBuf {
    let name = path.as_os_str().as_encoded_bytes();
    if name.starts_with(b"file:") || name.starts_with(b":") { Path::new(".").join(path) } else { path.to_owned() }
}

/// Sees to it that a path leads to a file, before anybody opens it: a pipe would keep us waiting for its other end.
///
/// # Errors
/// [`OpenError::Missing`] where there is nothing, and [`OpenError::Unusable`] for what is no file or cannot be reached.
pub fn require(path: &Path) -> Result<fs::Metadata, OpenError> {
    let unusable = |cause: String| Err(OpenError::Unusable { path: path.to_owned(), cause });
    match fs::metadata(path) {
        Ok(found) if found.is_file() => Ok(found),
        Ok(found) if found.is_dir() => unusable("it is a folder".to_owned()),
        Ok(_) => unusable("it is no file".to_owned()),
        Err(absent) if absent.kind() == io::ErrorKind::NotFound => Err(OpenError::Missing { path: path.to_owned() }),
        Err(cause) => unusable(cause.to_string()),
    }
}

/// Sees to it that there is a file, and that it is its owner's alone, unless it is another program's: somebody who mistook
/// the path would have locked others out of that.
///
/// # Errors
/// When there is none and none is to be made, or the system does not let us read and write it.
pub fn prepare(path: &Path, missing: Missing) -> Result<(), OpenError> {
    let unusable = |cause: io::Error| OpenError::Unusable { path: path.to_owned(), cause: cause.to_string() };
    match require(path) {
        Ok(file) if file.permissions().readonly() => return Err(OpenError::ReadOnly { path: path.to_owned() }),
        Ok(_) => {}
        Err(OpenError::Missing { .. }) if missing != Missing::Refuse => create_file(path).map_err(unusable)?,
        Err(refusal) => return Err(refusal),
    }
    match fs::OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => match may_be_ours(&file) {
            Ok(true) => keep_private(path, 0o600).map_err(unusable),
            // It is refused later on, as it is.
            Ok(false) => Ok(()),
            Err(cause) => Err(unusable(cause)),
        },
        Err(denied) if denied.kind() == io::ErrorKind::ReadOnlyFilesystem => {
            Err(OpenError::ReadOnly { path: path.to_owned() })
        }
        Err(cause) => Err(unusable(cause)),
    }
}

/// Whether a file is empty, or a database that does not say that it is another program's.
fn may_be_ours(file: &fs::File) -> io::Result<bool> {
    let mut head = Vec::with_capacity(HEAD);
    file.take(HEAD as u64).read_to_end(&mut head)?;
    let number = head.get(NUMBER_AT..).unwrap_or_default();
    let number = number.iter().fold(0, |number, byte| number << 8 | i64::from(*byte));
    Ok(head.is_empty() || head.starts_with(MAGIC) && matches!(number, 0 | APPLICATION_ID))
}

/// Makes the empty file and the folder that it is in. That another process made it first is no error.
fn create_file(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_private_folder(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(exists) if exists.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop),
    }
}

/// Makes a folder that its owner alone can look into. One that is there stays as it is.
pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
    if folder.exists() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    keep_private(folder, 0o700)
}

#[cfg(unix)]
fn keep_private(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = fs::metadata(path)?.permissions();
    if permissions.mode() & 0o777 == mode {
        return Ok(());
    }
    permissions.set_mode(mode);
    fs::set_permissions(path, permissions)
}

#[cfg(not(unix))]
fn keep_private(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

/// Bytes that are free for us where a file lies, if the system says.
#[cfg(unix)]
#[must_use]
pub fn free_bytes(path: &Path) -> Option<u64> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let system = rustix::fs::statvfs(folder).ok()?;
    Some(system.f_bavail.saturating_mul(system.f_frsize))
}

/// Bytes that are free for us where a file lies, if the system says.
#[cfg(not(unix))]
#[must_use]
pub fn free_bytes(_path: &Path) -> Option<u64> {
    None
}

/// The path of a companion file of SQLite's, such as `lexchat.db-wal`.
#[must_use]
pub fn companion(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_no_file_to_sqlite_is_given_a_folder() {
        for (path, expected) in [
            ("lexchat.db", "lexchat.db"),
            ("/srv/file:x.db", "/srv/file:x.db"),
            ("file:x.db?mode=ro", "./file:x.db?mode=ro"),
            (":memory:", "./:memory:"),
        ] {
            assert_eq!(as_file(Path::new(path)), Path::new(expected));
        }
    }
}
