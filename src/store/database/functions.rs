//! Our own functions in SQL.
//!
//! `search_text(content, names)`: what the full-text index holds for a text and its files' names (separated by `/`, which
//! is in no name; NULL for no file). The view `searchable_messages` is made with it.
//!
//! `email_spelling(address)`: the one spelling under which an e-mail address is stored and looked for.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use crate::model::email;
use crate::model::text::words;

/// Teaches a connection these functions.
pub fn register(conn: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    conn.create_scalar_function("search_text", 2, flags, |arguments| {
        let content = arguments.get_raw(0).as_str()?;
        let names = arguments.get_raw(1).as_str_or_null()?;
        Ok(words::index_text(content, names.into_iter().flat_map(|names| names.split('/'))))
    })?;
    conn.create_scalar_function("email_spelling", 1, flags, |arguments| {
        Ok(email::spelling(arguments.get_raw(0).as_str()?))
    })
}
