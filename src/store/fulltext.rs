//! Statements about the full-text index. Row ids are message ids.
//!
//! The index follows the messages at some distance and is brought up to date many messages at a time, each time by a
//! segment of its own. Segments are merged where there is time for it, and a part of the way at a time: every segment makes each
//! search look in one more place, and merging writes every word over again. The index must not be written between the
//! savepoints of a batch: each of them makes FTS5 write out what it has gathered.
//!
//! Merging in a rush leaves the pages that it frees as they are. It is done in a transaction of its own, so what stands in
//! them are the words of messages that are there; the change that takes one of those out of the index has all free pages
//! overwritten (`free_pages.rs`).

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, named_params};

use crate::model::id::MessageId;
use crate::store::free_pages;

pub mod marks;
mod separators;

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
    /// Whether merging leaves the pages that it frees as they are.
    leaves_pages: bool,
}

/// Few enough messages and pages for nobody to notice the time that they take: a few milliseconds, some more while a rush
/// has left hundreds of segments.
const CALM: Allowance = Allowance {
    messages: 64,
    segments: SEGMENTS_TO_MERGE,
    of_a_size: SEGMENTS_TO_MERGE,
    step: 128,
    leaves_pages: false,
};

/// Enough messages to make it cheap, and the segments of a quarter of a million, which are left to the time after the rush.
/// Each step of merging writes a page of every segment anew, so many more would cost more to merge than they saved.
const RUSH: Allowance = Allowance {
    messages: STEP_MAX,
    segments: 128,
    of_a_size: SEGMENTS_TO_MERGE_IN_A_RUSH,
    step: 128,
    leaves_pages: true,
};

/// A rush that has gone on for longer than that: there may be no time after it.
const LASTING_RUSH: Allowance = Allowance { segments: 16, step: 256, ..RUSH };

/// What is known of the free pages of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FreePages {
    /// Nothing yet: whoever wrote before may have been killed.
    Unknown,
    /// Nothing stands in them.
    Overwritten,
    /// Words of messages may stand in them. There are few, at the end of each transaction.
    Left,
}

/// Who keeps the index.
#[derive(Debug)]
pub struct Indexer {
    /// Batches since the last large one.
    small_batches: u32,
    /// Whether this rush has gone on for longer than segments can wait.
    is_lasting: bool,
    /// Segments that were made since there was nothing to merge any more.
    segments: u32,
    /// Whether something was indexed since it was last looked what there is to merge.
    is_order_due: bool,
    /// What stands in the free pages.
    free_pages: FreePages,
    /// Whether a message was taken out whose words may still stand in them.
    has_removed: bool,
    /// The terms of messages that were taken out, of which something may still stand in separator keys.
    removed: BTreeSet<String>,
}

impl Default for Indexer {
    /// One that has not looked yet whether there is something to merge.
    fn default() -> Self {
        Self {
            small_batches: CALM_AFTER,
            is_lasting: false,
            segments: SEGMENTS_TO_MERGE,
            is_order_due: false,
            free_pages: FreePages::Unknown,
            has_removed: false,
            removed: BTreeSet::new(),
        }
    }
}

impl Indexer {
    /// To be called when a transaction begins.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn begin(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        if self.free_pages == FreePages::Unknown {
            // Twice, as what is changed at a start and in a migration frees some without asking here.
            let may_be_left = (1..=2 * free_pages::FEW).contains(&free_pages::count(conn)?);
            self.free_pages = if may_be_left { FreePages::Left } else { FreePages::Overwritten };
        }
        Ok(())
    }

    /// To be called when what was done here since [`Indexer::begin`] was taken back, or may have been.
    pub fn forget(&mut self) {
        self.free_pages = FreePages::Unknown;
        self.has_removed = true;
    }

    /// Keeps the index at no more than the distance that is allowed, and what was deleted out of the file. To be called at
    /// the end of each batch.
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
        separators::forget(conn, &self.removed)?;
        self.removed.clear();
        let is_overwritten = self.overwrite_pages(conn, false)?;
        // Not both at once, for the WAL's sake.
        if !is_overwritten && lag(conn)?.messages > self.allowed().messages {
            self.catch_up(conn)?;
        }
        Ok(())
    }

    /// Brings the index up to date, by one great step at most. To be called now and then, and before a search.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn catch_up(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.is_order_due = true;
        let lag = lag(conn)?;
        if lag.messages > 0 {
            index(conn, lag)?;
            self.segments = self.segments.saturating_add(1);
        }
        self.is_lasting |= self.segments >= RUSH.segments;
        Ok(())
    }

    /// Whether [`Indexer::put_in_order`] has something to do. Asked after each batch.
    #[must_use]
    pub fn wants_order(&self) -> bool {
        self.is_order_due && (self.segments >= self.allowed().segments || self.wants_pages_overwritten())
    }

    /// Merges segments by one step, if there are more than is allowed. To be called in a transaction in which nothing else
    /// is done.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn put_in_order(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.is_order_due = false;
        let allowed = self.allowed();
        if self.segments >= allowed.segments && !self.merge(conn, &allowed)? {
            self.segments = 0;
        }
        // A rush that left some may be over.
        let is_time = self.wants_pages_overwritten();
        self.overwrite_pages(conn, is_time).map(drop)
    }

    /// Takes a message out of the index, if it is in it. To be called while the message is as it was indexed.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn remove(&mut self, conn: &Connection, id: MessageId) -> rusqlite::Result<()> {
        let indexed: Option<String> = conn
            .prepare_cached("SELECT terms FROM searchable_messages WHERE id = :id")?
            .query_row(named_params! { ":id": id }, |row| row.get(0))
            .optional()?;
        let Some(terms) = indexed else { return Ok(()) };
        self.segments = self.segments.saturating_add(1);
        self.has_removed = true;
        self.removed.extend(separators::terms(&terms).map(str::to_owned));
        conn.prepare_cached("INSERT INTO message_words (message_words, rowid, terms) VALUES ('delete', :id, :terms)")?
            .execute(named_params! { ":id": id, ":terms": terms })
            .map(drop)
    }

    /// Puts a message that was taken out back into the index, as it is now. One that is not indexed yet waits.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn put_back(&mut self, conn: &Connection, id: MessageId) -> rusqlite::Result<()> {
        conn.prepare_cached(
            "INSERT INTO message_words (rowid, terms)
             SELECT id, terms
             FROM searchable_messages
             WHERE id = :id",
        )?
        .execute(named_params! { ":id": id })
        .map(drop)
    }

    /// Merges segments by one step. Tells whether there was anything to merge.
    fn merge(&mut self, conn: &Connection, allowed: &Allowance) -> rusqlite::Result<bool> {
        merge_by(conn, allowed.of_a_size)?;
        let before = conn.total_changes();
        let mut merge =
            conn.prepare_cached("INSERT INTO message_words (message_words, rank) VALUES ('merge', :pages)")?;
        let mut step = || merge.execute(named_params! { ":pages": allowed.step });
        if allowed.leaves_pages && free_pages::count(conn)? <= free_pages::FEW {
            self.free_pages = FreePages::Left;
            free_pages::leave(conn, step)?;
        } else {
            step()?;
        }
        // FTS5's own word for it: the statement itself counts as one change.
        Ok(conn.total_changes() - before >= 2)
    }

    /// Overwrites the free pages, if it is time, if something stands in them that may not, or before they become too many
    /// for it. Tells whether it did.
    fn overwrite_pages(&mut self, conn: &Connection, is_time: bool) -> rusqlite::Result<bool> {
        let is_wanted = self.free_pages == FreePages::Left
            && (is_time || self.has_removed || free_pages::count(conn)? > free_pages::FEW);
        if is_wanted {
            free_pages::overwrite(conn)?;
            self.free_pages = FreePages::Overwritten;
        }
        self.has_removed = false;
        Ok(is_wanted)
    }

    /// Whether a rush is over that left pages as they were.
    fn wants_pages_overwritten(&self) -> bool {
        self.free_pages == FreePages::Left && !self.allowed().leaves_pages
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
    let mut indexer = Indexer { small_batches: 0, is_lasting: true, segments: 0, ..Indexer::default() };
    for step in 1.. {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        indexer.begin(&tx)?;
        indexer.catch_up(&tx)?;
        let left = lag(&tx)?.messages;
        tx.commit()?;
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        indexer.put_in_order(&tx)?;
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
        "INSERT INTO message_words (rowid, terms)
         SELECT id, terms
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
mod tests;
