//! Where the database is.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::cli::database::Database;

/// The name of the database where none was given.
const DATABASE_NAME: &str = "lexchat.db";

/// The database's path, where a command other than `serve` needs it.
pub fn database_of(typed: &Database) -> PathBuf {
    typed.db.clone().unwrap_or_else(|| PathBuf::from(DATABASE_NAME))
}

/// What was given; else `lexchat.db` in the working directory. A double click has no working directory that means
/// anything: then beside the executable if that can be written, else where the platform keeps programs' data.
pub(super) fn database(typed: &Database, open: bool) -> PathBuf {
    let here = database_of(typed);
    let is_double_click = typed.db.is_none() && open && std::env::args_os().len() == 1 && !in_a_terminal();
    if !is_double_click || here.exists() {
        return here;
    }
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned));
    match beside.filter(|folder| is_writable(folder)).or_else(data_folder) {
        Some(folder) => folder.join(DATABASE_NAME),
        None => here,
    }
}

/// A terminal in the home folder is what a double click opens on some systems.
fn in_a_terminal() -> bool {
    let at_home = std::env::home_dir().is_some_and(|home| std::env::current_dir().is_ok_and(|here| here == home));
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && !(cfg!(target_os = "macos") && at_home)
}

fn is_writable(folder: &Path) -> bool {
    let probe = folder.join(format!(".lexchat-{}", std::process::id()));
    let created = std::fs::File::create_new(&probe).is_ok();
    created && std::fs::remove_file(&probe).is_ok()
}

fn data_folder() -> Option<PathBuf> {
    let home = std::env::home_dir();
    let folder = if cfg!(windows) {
        std::env::var_os("LOCALAPPDATA").map(PathBuf::from)
    } else if cfg!(target_os = "macos") {
        home.map(|home| home.join("Library/Application Support"))
    } else {
        let given = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        given.or_else(|| home.map(|home| home.join(".local/share")))
    };
    folder.map(|folder| folder.join("lexchat"))
}
