//! A database file before a server opens it.

use std::path::Path;

use lexchat::store::database::open::Db;
use lexchat::store::database::settings::{Missing, Settings};

/// Makes a database with the demo people and without their conversation, where there is none yet.
pub fn create_with_people_only(path: &Path) {
    if path.exists() {
        return;
    }
    let settings = Settings { path: path.to_owned(), missing: Missing::CreateDemo, readers_max: 1 };
    drop(Db::open(&settings).expect("a new database"));
    let file = rusqlite::Connection::open(path).expect("the database file");
    file.execute_batch(include_str!("no_conversation.sql")).expect("an empty house");
}
