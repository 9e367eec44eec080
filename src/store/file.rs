//! The database's file, before SQLite sees it: there, ours to write, and nobody else's to read, whatever the umask.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::store::db::{Missing, OpenError};

/// Sees to it that there is a file, and that it is its owner's alone.
///
/// # Errors
/// When there is none and none is to be made, or the system does not let us read and write it.
pub fn prepare(path: &Path, missing: Missing) -> Result<(), OpenError> {
    let unusable = |cause: io::Error| OpenError::Unusable { path: path.to_owned(), cause: cause.to_string() };
    match fs::metadata(path) {
        Ok(file) if file.is_dir() => {
            return Err(OpenError::Unusable { path: path.to_owned(), cause: "it is a folder".to_owned() });
        }
        Ok(file) if file.permissions().readonly() => return Err(OpenError::ReadOnly { path: path.to_owned() }),
        Ok(_) => {}
        Err(absent) if absent.kind() == io::ErrorKind::NotFound => {
            if missing == Missing::Refuse {
                return Err(OpenError::Missing { path: path.to_owned() });
            }
            create_file(path).map_err(unusable)?;
        }
        Err(cause) => return Err(unusable(cause)),
    }
    match fs::OpenOptions::new().read(true).write(true).open(path) {
        Ok(_) => keep_private(path, 0o600).map_err(unusable),
        Err(denied) if denied.kind() == io::ErrorKind::ReadOnlyFilesystem => {
            Err(OpenError::ReadOnly { path: path.to_owned() })
        }
        Err(cause) => Err(unusable(cause)),
    }
}

/// Makes the empty file and the folder that it is in. That another process made it first is no error.
fn create_file(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        fs::create_dir_all(folder)?;
        keep_private(folder, 0o700)?;
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

/// The path of a companion file of SQLite's, such as `lexchat.db-wal`.
#[must_use]
pub fn companion(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
