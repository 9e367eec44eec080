//! Our own functions in SQL.
//!
//! `index_terms(message, content, names, member, …)`: what the full-text index holds of a message: for its id, its text, its
//! files' names (separated by `/`, which is in no name; NULL for no file), and the ids of the conversation's members. The view
//! `searchable_messages` is made with it.
//!
//! `email_spelling(address)`: the one spelling under which an e-mail address is stored and looked for.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use crate::model::email;
use crate::model::text::words;
use crate::store::fulltext::marks;

/// Enough for the marks of a message of two.
const MARKS_BYTES: usize = 20;

/// Teaches a connection these functions.
pub fn register(conn: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    conn.create_scalar_function("index_terms", -1, flags, |arguments| {
        let content = arguments.get_raw(1).as_str()?;
        let names = arguments.get_raw(2).as_str_or_null()?;
        let mut terms = String::with_capacity(MARKS_BYTES + content.len() + content.len() / 8);
        let members = (3..arguments.len()).map_while(|member| arguments.get(member).ok());
        marks::push(&mut terms, arguments.get(0)?, members, names.is_some());
        words::push_index_text(&mut terms, content, names.into_iter().flat_map(|names| names.split('/')));
        Ok(terms)
    })?;
    conn.create_scalar_function("email_spelling", 1, flags, |arguments| {
        Ok(email::spelling(arguments.get_raw(0).as_str()?))
    })
}
