//! The database: one pen, many readers, and every line of SQL.
