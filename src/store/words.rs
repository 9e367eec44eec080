//! Statements about the index of words. Row ids are message ids.
//!
//! The index follows the messages at some distance and is brought up to date many messages at a time, each time by a
//! piece of its own. Pieces are merged where there is time for it, and a part of the way at a time: every piece makes each
//! search look in one more place, and merging writes every word over again. The index must not be written between the
//! savepoints of a batch: each of them makes FTS5 write out what it has gathered.

use rusqlite::{Connection, OptionalExtension, named_params};

use crate::model::conversation::Members;
use crate::model::id::MessageId;

/// Messages indexed in one go: more would make others wait for the pen.
const STEP_MAX: i64 = 2048;

/// From this many pieces of a size on FTS5 merges them when asked to (`usermerge` in the schema).
const PIECES_TO_MERGE: u32 = 8;

/// Changes in a batch from which on everybody waits anyway.
const LARGE_BATCH: usize = 48;

/// So many batches in a row that are not large end a rush.
const CALM_AFTER: u32 = 32;

/// How much may wait.
#[derive(Debug)]
struct Allowance {
    /// Messages, to be indexed.
    messages: i64,
    /// Pieces, to be merged.
    pieces: u32,
    /// Pages (4 KB) that one step of merging may write.
    step: i64,
}

/// Few enough messages and pages for nobody to notice the time that they take: a few milliseconds, some more while a rush
/// has left hundreds of pieces.
const CALM: Allowance = Allowance { messages: 64, pieces: PIECES_TO_MERGE, step: 128 };

/// Enough messages to make it cheap, and the pieces of a quarter of a million, which are left to the time after the rush.
const RUSH: Allowance = Allowance { messages: 1024, pieces: 256, step: 256 };

/// A rush that has gone on for longer than that: there may be no time after it. Sixteen at a time cost least; more cost
/// more than they save, in caches.
const LASTING_RUSH: Allowance = Allowance { pieces: 16, ..RUSH };

/// Who keeps the index.
#[derive(Debug)]
pub struct Keeper {
    /// Batches since the last large one.
    small_batches: u32,
    /// Whether this rush has gone on for longer than pieces can wait.
    is_lasting: bool,
    /// Pieces that were made since there was nothing to merge any more.
    pieces: u32,
}

impl Default for Keeper {
    /// One that has not looked yet whether there is something to merge.
    fn default() -> Self {
        Self { small_batches: CALM_AFTER, is_lasting: false, pieces: PIECES_TO_MERGE }
    }
}

impl Keeper {
    /// Keeps the index at no more than the distance that is allowed. To be called at the end of each batch.
    ///
    /// # Errors
    /// SQLite's.
    pub fn follow(&mut self, conn: &Connection, changes: usize) -> rusqlite::Result<()> {
        self.small_batches = if changes < LARGE_BATCH { self.small_batches.saturating_add(1) } else { 0 };
        self.is_lasting &= self.small_batches < CALM_AFTER;
        if lag(conn)?.messages > self.allowed().messages {
            self.catch_up(conn)?;
        }
        Ok(())
    }

    /// Brings the index up to date, by one great step at most. To be called now and then, and before a search.
    ///
    /// # Errors
    /// SQLite's.
    pub fn catch_up(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.put_in_order(conn)?;
        let lag = lag(conn)?;
        if lag.messages > 0 {
            index(conn, lag)?;
            self.pieces = self.pieces.saturating_add(1);
        }
        Ok(())
    }

    /// Gives a message another text in the index, an empty one for none. `before` must be exactly what it was.
    ///
    /// # Errors
    /// SQLite's.
    pub fn replace(
        &mut self,
        conn: &Connection,
        id: MessageId,
        before: &str,
        content: &str,
        members: Members,
    ) -> rusqlite::Result<()> {
        if is_indexed(conn, id)? {
            self.pieces = self.pieces.saturating_add(1);
            replace(conn, id, before, content, members)?;
        }
        Ok(())
    }

    /// Merges pieces by one step, if there are more than is allowed.
    fn put_in_order(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.is_lasting |= self.pieces >= RUSH.pieces;
        let allowed = self.allowed();
        if self.pieces >= allowed.pieces && !merge(conn, allowed.step)? {
            self.pieces = 0;
        }
        Ok(())
    }

    fn allowed(&self) -> Allowance {
        match (self.small_batches < CALM_AFTER, self.is_lasting) {
            (false, _) => CALM,
            (true, false) => RUSH,
            (true, true) => LASTING_RUSH,
        }
    }
}

/// Whether there are messages that the index does not know yet.
///
/// # Errors
/// SQLite's.
pub fn is_behind(conn: &Connection) -> rusqlite::Result<bool> {
    lag(conn).map(|lag| lag.messages > 0)
}

/// Merges pieces, by so many pages at most. Tells whether there was anything to merge.
fn merge(conn: &Connection, pages: i64) -> rusqlite::Result<bool> {
    let before = conn.total_changes();
    conn.prepare_cached("INSERT INTO message_words (message_words, rank) VALUES ('merge', :pages)")?
        .execute(named_params! { ":pages": pages })?;
    // FTS5's own word for it: the statement itself counts as one change.
    Ok(conn.total_changes() - before >= 2)
}

/// Writes what is there already: whether anything can be written shows at the commit.
///
/// # Errors
/// SQLite's.
pub fn touch(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute("UPDATE indexing SET message_id = message_id", []).map(drop)
}

/// How far the index is behind.
#[derive(Debug)]
struct Lag {
    /// The last message that is indexed.
    indexed: i64,
    /// How many have come since.
    messages: i64,
}

fn lag(conn: &Connection) -> rusqlite::Result<Lag> {
    conn.prepare_cached(
        "SELECT message_id, coalesce((SELECT max(id) FROM messages), 0) - message_id
         FROM indexing",
    )?
    .query_row([], |row| Ok(Lag { indexed: row.get(0)?, messages: row.get(1)? }))
}

/// Makes one piece of what has come since, as far as one step goes.
fn index(conn: &Connection, lag: Lag) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE indexing SET message_id = :last")?
        .execute(named_params! { ":last": lag.indexed + lag.messages.min(STEP_MAX) })?;
    conn.prepare_cached(
        "INSERT INTO message_words (rowid, content, members)
         SELECT id, content, members
         FROM searchable_messages
         WHERE id > :indexed",
    )?
    .execute(named_params! { ":indexed": lag.indexed })
    .map(drop)
}

fn is_indexed(conn: &Connection, id: MessageId) -> rusqlite::Result<bool> {
    let known = conn
        .prepare_cached("SELECT 1 FROM indexing WHERE message_id >= :id")?
        .query_row(named_params! { ":id": id }, |_| Ok(()))
        .optional()?;
    Ok(known.is_some())
}

fn replace(conn: &Connection, id: MessageId, before: &str, content: &str, members: Members) -> rusqlite::Result<()> {
    let members = format!("u{} u{}", members.client_id, members.lawyer_id);
    if !before.is_empty() {
        conn.prepare_cached(
            "INSERT INTO message_words (message_words, rowid, content, members)
             VALUES ('delete', :id, :content, :members)",
        )?
        .execute(named_params! { ":id": id, ":content": before, ":members": members })?;
    }
    if !content.is_empty() {
        conn.prepare_cached("INSERT INTO message_words (rowid, content, members) VALUES (:id, :content, :members)")?
            .execute(named_params! { ":id": id, ":content": content, ":members": members })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::UserId;
    use crate::store::scratch;

    fn open() -> Connection {
        let conn = scratch::open();
        let conversation = "INSERT INTO conversations (id, client_id, lawyer_id, active_at, created_at, updated_at) VALUES (1, 1, 6, 0, 0, 0)";
        conn.execute(conversation, []).unwrap();
        conn
    }

    fn say(conn: &Connection) {
        conn.execute(
            "INSERT INTO messages (conversation_id, sender_id, content, created_at, sent_rev, rev)
             SELECT 1, 1, 'un mot de plus', 0, 1 + count(*), 1 + count(*)
             FROM messages",
            [],
        )
        .unwrap();
    }

    fn pieces(conn: &Connection) -> u32 {
        conn.query_row("SELECT count(DISTINCT segid) FROM message_words_idx", [], |row| row.get(0)).unwrap()
    }

    fn hits(conn: &Connection) -> u32 {
        let count = "SELECT count(*) FROM message_words WHERE message_words MATCH 'plus'";
        conn.query_row(count, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn in_calm_times_there_are_never_many_pieces() {
        let conn = open();
        let mut keeper = Keeper::default();
        for _ in 0..100 {
            // As the pen does it: nothing of it is written out before the commit.
            conn.execute_batch("BEGIN").unwrap();
            say(&conn);
            keeper.follow(&conn, 1).unwrap();
            keeper.catch_up(&conn).unwrap();
            conn.execute_batch("COMMIT").unwrap();
            assert!(pieces(&conn) < 2 * PIECES_TO_MERGE);
            assert!(keeper.pieces < 2 * PIECES_TO_MERGE, "it knows");
        }
        assert_eq!(hits(&conn), 100);
        let members = Members { client_id: UserId::new(1).unwrap(), lawyer_id: UserId::new(6).unwrap() };
        for id in (1..=100).filter_map(MessageId::new) {
            keeper.replace(&conn, id, "un mot de plus", "un mot de moins", members).unwrap();
        }
        for _ in 0..5 {
            keeper.catch_up(&conn).unwrap();
        }
        assert!(pieces(&conn) < 2 * PIECES_TO_MERGE, "edits leave pieces too");
        assert_eq!(hits(&conn), 0);
    }

    #[test]
    fn what_a_rush_leaves_is_merged_step_by_step_once_it_is_over() {
        let conn = open();
        let mut keeper = Keeper::default();
        for _ in 0..200 {
            keeper.follow(&conn, LARGE_BATCH).unwrap();
            say(&conn);
            keeper.catch_up(&conn).unwrap();
        }
        assert_eq!(pieces(&conn), 200, "all are left for later");
        for _ in 0..300 {
            keeper.follow(&conn, LARGE_BATCH).unwrap();
            say(&conn);
            keeper.catch_up(&conn).unwrap();
            assert!(pieces(&conn) <= RUSH.pieces + PIECES_TO_MERGE, "even a rush without end leaves no more");
        }
        for _ in 0..CALM_AFTER {
            keeper.follow(&conn, 1).unwrap();
        }
        for _ in 0..20 {
            keeper.catch_up(&conn).unwrap();
        }
        assert!(pieces(&conn) < 2 * PIECES_TO_MERGE);
        assert_eq!(hits(&conn), 500);
    }

    #[test]
    fn once_all_is_in_order_nothing_is_written() {
        let conn = open();
        let mut keeper = Keeper::default();
        say(&conn);
        for _ in 0..3 {
            keeper.catch_up(&conn).unwrap();
        }
        let before = conn.total_changes();
        keeper.catch_up(&conn).unwrap();
        assert_eq!(conn.total_changes(), before);
    }
}
