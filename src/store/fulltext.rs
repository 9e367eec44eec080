//! Statements about the full-text index. Row ids are message ids.
//!
//! The index follows the messages at some distance and is brought up to date many messages at a time, each time by a
//! segment of its own. Segments are merged where there is time for it, and a part of the way at a time: every segment makes each
//! search look in one more place, and merging writes every word over again. The index must not be written between the
//! savepoints of a batch: each of them makes FTS5 write out what it has gathered.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, named_params};

use crate::model::id::MessageId;

/// Messages indexed in one go: more would make others wait for the writer.
const STEP_MAX: i64 = 2048;

/// Bytes of text indexed in one go: what is written of them into the WAL is a few times as much (see `database/wal.rs`).
const STEP_BYTES_MAX: i64 = 2 << 20;

/// Messages that may be missing from the index when a database is opened.
const FAR_BEHIND: i64 = 4 * STEP_MAX;

/// Steps of building the index between two checkpoints.
const STEPS_PER_CHECKPOINT: u32 = 32;

/// From this many segments of a size on FTS5 merges them when asked to (`usermerge` in the schema).
const SEGMENTS_TO_MERGE: u32 = 8;

/// The same while a rush lasts, the most that FTS5 takes: words are written over again less often, and each search looks in
/// more places, until the rush is over.
const SEGMENTS_TO_MERGE_IN_A_RUSH: u32 = 16;

/// Changes in a batch from which on everybody waits anyway.
const LARGE_BATCH: usize = 48;

/// So many batches in a row that are not large end a rush.
const CALM_AFTER: u32 = 32;

/// How much may wait.
#[derive(Debug)]
struct Allowance {
    /// Messages, to be indexed.
    messages: i64,
    /// Segments, to be merged.
    segments: u32,
    /// Segments of a size.
    of_a_size: u32,
    /// Pages (4 KB) that one step of merging may write.
    step: i64,
}

/// Few enough messages and pages for nobody to notice the time that they take: a few milliseconds, some more while a rush
/// has left hundreds of segments.
const CALM: Allowance =
    Allowance { messages: 64, segments: SEGMENTS_TO_MERGE, of_a_size: SEGMENTS_TO_MERGE, step: 128 };

/// Enough messages to make it cheap, and the segments of a quarter of a million, which are left to the time after the rush.
/// Each step of merging writes a page of every segment anew, so many more would cost more to merge than they saved.
const RUSH: Allowance =
    Allowance { messages: STEP_MAX, segments: 128, of_a_size: SEGMENTS_TO_MERGE_IN_A_RUSH, step: 128 };

/// A rush that has gone on for longer than that: there may be no time after it.
const LASTING_RUSH: Allowance = Allowance { segments: 16, ..RUSH };

/// Who keeps the index.
#[derive(Debug)]
pub struct Indexer {
    /// Batches since the last large one.
    small_batches: u32,
    /// Whether this rush has gone on for longer than segments can wait.
    is_lasting: bool,
    /// Segments that were made since there was nothing to merge any more.
    segments: u32,
}

impl Default for Indexer {
    /// One that has not looked yet whether there is something to merge.
    fn default() -> Self {
        Self { small_batches: CALM_AFTER, is_lasting: false, segments: SEGMENTS_TO_MERGE }
    }
}

impl Indexer {
    /// Keeps the index at no more than the distance that is allowed. To be called at the end of each batch.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn follow(&mut self, conn: &Connection, changes: usize) -> rusqlite::Result<()> {
        self.small_batches = if changes < LARGE_BATCH { self.small_batches.saturating_add(1) } else { 0 };
        if self.small_batches == CALM_AFTER {
            self.is_lasting = false;
            // What the rush left was too little for it to merge, and may be enough now.
            self.segments = self.segments.max(SEGMENTS_TO_MERGE);
        }
        if lag(conn)?.messages > self.allowed().messages {
            self.catch_up(conn)?;
        }
        Ok(())
    }

    /// Brings the index up to date, by one great step at most. To be called now and then, and before a search.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn catch_up(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.put_in_order(conn)?;
        let lag = lag(conn)?;
        if lag.messages > 0 {
            index(conn, lag)?;
            self.segments = self.segments.saturating_add(1);
        }
        Ok(())
    }

    /// Takes a message out of the index, if it is in it. To be called while the message is as it was indexed.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn remove(&mut self, conn: &Connection, id: MessageId) -> rusqlite::Result<()> {
        self.segments = self.segments.saturating_add(1);
        conn.prepare_cached(
            "INSERT INTO message_words (message_words, rowid, words, members)
             SELECT 'delete', id, words, members
             FROM searchable_messages
             WHERE id = :id",
        )?
        .execute(named_params! { ":id": id })
        .map(drop)
    }

    /// Puts a message that was taken out back into the index, as it is now. One that is not indexed yet waits.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn put_back(&mut self, conn: &Connection, id: MessageId) -> rusqlite::Result<()> {
        conn.prepare_cached(
            "INSERT INTO message_words (rowid, words, members)
             SELECT id, words, members
             FROM searchable_messages
             WHERE id = :id",
        )?
        .execute(named_params! { ":id": id })
        .map(drop)
    }

    /// Merges segments by one step, if there are more than is allowed.
    fn put_in_order(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.is_lasting |= self.segments >= RUSH.segments;
        let allowed = self.allowed();
        if self.segments >= allowed.segments && !merge(conn, &allowed)? {
            self.segments = 0;
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

/// Builds what is missing of an index that is far behind, as it is after a migration or a restore of an older copy. Each step
/// is a transaction of its own: whoever ends the program meanwhile goes on at the next start. `checkpoint` is called now and
/// then, so that the WAL does not grow with the index.
///
/// # Errors
/// When SQLite fails.
pub fn complete(
    conn: &mut Connection,
    checkpoint: impl Fn(&Connection) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let messages = lag(conn)?.messages;
    if messages <= FAR_BEHIND {
        return Ok(());
    }
    tracing::info!(messages, "the full-text index is built; the server listens when it is whole");
    let mut indexer = Indexer { small_batches: 0, is_lasting: true, segments: 0 };
    for step in 1.. {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        indexer.catch_up(&tx)?;
        let left = lag(&tx)?.messages;
        tx.commit()?;
        if step % STEPS_PER_CHECKPOINT == 0 || left == 0 {
            checkpoint(conn)?;
            tracing::info!(left, "the full-text index is being built");
        }
        if left == 0 {
            break;
        }
    }
    Ok(())
}

/// Whether there are messages that the index does not know yet.
///
/// # Errors
/// When SQLite fails.
pub fn is_behind(conn: &Connection) -> rusqlite::Result<bool> {
    lag(conn).map(|lag| lag.messages > 0)
}

/// Merges segments by one step. Tells whether there was anything to merge.
fn merge(conn: &Connection, allowed: &Allowance) -> rusqlite::Result<bool> {
    merge_by(conn, allowed.of_a_size)?;
    let before = conn.total_changes();
    conn.prepare_cached("INSERT INTO message_words (message_words, rank) VALUES ('merge', :pages)")?
        .execute(named_params! { ":pages": allowed.step })?;
    // FTS5's own word for it: the statement itself counts as one change.
    Ok(conn.total_changes() - before >= 2)
}

/// Has FTS5 merge from so many segments of a size on. It remembers that in the database.
fn merge_by(conn: &Connection, of_a_size: u32) -> rusqlite::Result<()> {
    let stored: Option<u32> = conn
        .prepare_cached("SELECT v FROM message_words_config WHERE k = 'usermerge'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    if stored != Some(of_a_size) {
        conn.prepare_cached("INSERT INTO message_words (message_words, rank) VALUES ('usermerge', :of_a_size)")?
            .execute(named_params! { ":of_a_size": of_a_size })?;
    }
    Ok(())
}

/// Writes what is there already: whether anything can be written shows at the commit.
///
/// # Errors
/// When SQLite fails.
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

/// Makes one segment of what has come since, as far as one step goes.
fn index(conn: &Connection, lag: Lag) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE indexing SET message_id = :last")?
        .execute(named_params! { ":last": lag.indexed + step(conn, &lag)? })?;
    conn.prepare_cached(
        "INSERT INTO message_words (rowid, words, members)
         SELECT id, words, members
         FROM searchable_messages
         WHERE id > :indexed",
    )?
    .execute(named_params! { ":indexed": lag.indexed })
    .map(drop)
}

/// How many messages one step takes.
fn step(conn: &Connection, lag: &Lag) -> rusqlite::Result<i64> {
    let mut count = lag.messages.min(STEP_MAX);
    // Lengths stand in the heads of the rows: no text is read for this.
    let mut bytes = conn.prepare_cached(
        "SELECT coalesce(sum(octet_length(content)), 0)
         FROM messages
         WHERE id > :indexed
           AND id <= :last",
    )?;
    while count > 1 {
        let range = named_params! { ":indexed": lag.indexed, ":last": lag.indexed + count };
        if bytes.query_row(range, |row| row.get::<_, i64>(0))? <= STEP_BYTES_MAX {
            break;
        }
        count /= 2;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::database::scratch;

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

    fn segments(conn: &Connection) -> u32 {
        conn.query_row("SELECT count(DISTINCT segid) FROM message_words_idx", [], |row| row.get(0)).unwrap()
    }

    fn merged_by(conn: &Connection) -> u32 {
        conn.query_row("SELECT v FROM message_words_config WHERE k = 'usermerge'", [], |row| row.get(0)).unwrap()
    }

    fn hits(conn: &Connection) -> u32 {
        let count = "SELECT count(*) FROM message_words WHERE message_words MATCH 'plus'";
        conn.query_row(count, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn in_calm_times_there_are_never_many_pieces() {
        let conn = open();
        let mut indexer = Indexer::default();
        for _ in 0..100 {
            // As the writer does it: nothing of it is written out before the commit.
            conn.execute_batch("BEGIN").unwrap();
            say(&conn);
            indexer.follow(&conn, 1).unwrap();
            indexer.catch_up(&conn).unwrap();
            conn.execute_batch("COMMIT").unwrap();
            assert!(segments(&conn) < 2 * SEGMENTS_TO_MERGE);
            assert!(indexer.segments < 2 * SEGMENTS_TO_MERGE, "it knows");
        }
        assert_eq!(hits(&conn), 100);
        for id in (1..=100).filter_map(MessageId::new) {
            indexer.remove(&conn, id).unwrap();
            conn.execute("UPDATE messages SET content = 'un mot de moins' WHERE id = ?1", [id]).unwrap();
            indexer.put_back(&conn, id).unwrap();
        }
        for _ in 0..5 {
            indexer.catch_up(&conn).unwrap();
        }
        assert!(segments(&conn) < 2 * SEGMENTS_TO_MERGE, "edits leave segments too");
        assert_eq!(hits(&conn), 0);
    }

    #[test]
    fn what_a_rush_leaves_is_merged_step_by_step_once_it_is_over() {
        let conn = open();
        let mut indexer = Indexer::default();
        for _ in 0..100 {
            indexer.follow(&conn, LARGE_BATCH).unwrap();
            say(&conn);
            indexer.catch_up(&conn).unwrap();
        }
        assert_eq!(segments(&conn), 100, "all are left for later");
        for _ in 0..600 {
            indexer.follow(&conn, LARGE_BATCH).unwrap();
            say(&conn);
            indexer.catch_up(&conn).unwrap();
            assert!(segments(&conn) <= RUSH.segments + SEGMENTS_TO_MERGE, "even a rush without end leaves no more");
        }
        assert_eq!(merged_by(&conn), SEGMENTS_TO_MERGE_IN_A_RUSH);
        for _ in 0..CALM_AFTER {
            indexer.follow(&conn, 1).unwrap();
        }
        for _ in 0..20 {
            indexer.catch_up(&conn).unwrap();
        }
        assert!(segments(&conn) < 2 * SEGMENTS_TO_MERGE);
        assert_eq!(merged_by(&conn), SEGMENTS_TO_MERGE);
        assert_eq!(hits(&conn), 700);
        merge_by(&conn, SEGMENTS_TO_MERGE_IN_A_RUSH).unwrap();
        let mut after_a_kill = Indexer::default();
        after_a_kill.catch_up(&conn).unwrap();
        assert_eq!(merged_by(&conn), SEGMENTS_TO_MERGE, "a rush that the program was killed in is over");
    }

    #[test]
    fn once_all_is_in_order_nothing_is_written() {
        let conn = open();
        let mut indexer = Indexer::default();
        say(&conn);
        for _ in 0..3 {
            indexer.catch_up(&conn).unwrap();
        }
        let before = conn.total_changes();
        indexer.catch_up(&conn).unwrap();
        assert_eq!(conn.total_changes(), before);
    }

    #[test]
    fn an_index_that_is_far_behind_is_completed_in_steps_that_can_be_cut_off() {
        let mut conn = open();
        conn.execute(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n <= ?1)
             INSERT INTO messages (conversation_id, sender_id, content, created_at, sent_rev, rev)
             SELECT 1, 1, 'un mot de plus', 0, n, n FROM n",
            [FAR_BEHIND],
        )
        .unwrap();
        complete(&mut conn, |_| Ok(())).unwrap();
        assert!(!is_behind(&conn).unwrap());
        assert_eq!(i64::from(hits(&conn)), FAR_BEHIND + 1);
        assert!(segments(&conn) < 2 * SEGMENTS_TO_MERGE + 16);
    }
}
